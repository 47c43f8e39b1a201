"""eGFR in mL/min/1.73 m², where only creatinine is known. Pure."""

from typing import Final

from radiology.procedures.appropriateness.model import Kidneys

MICROMOL_PER_MG_DL: Final = 88.4
ADULT: Final = 18


def egfr_of(kidneys: Kidneys, *, age: int | None, sex: str | None, size_m: float | None) -> float | None:
    """What was measured; otherwise CKD-EPI 2021 of adults, the bedside Schwartz formula of children with a height.

    Of who is neither F nor M, the lower of both: that of a woman.
    """
    if kidneys.egfr is not None or kidneys.creatinine is None or age is None:
        return kidneys.egfr
    creatinine = kidneys.creatinine / MICROMOL_PER_MG_DL
    if age < ADULT:
        return None if size_m is None else round(0.413 * size_m * 100 / creatinine, 1)
    is_man = sex == "M"
    kappa, alpha = (0.9, -0.302) if is_man else (0.7, -0.241)
    ratio = creatinine / kappa
    found = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age
    return round(found if is_man else found * 1.012, 1)
