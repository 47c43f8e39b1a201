"""An estimate of the effective dose from the dose length product (AAPM Report 96, table 3). Pure.

It says how large a risk is of its kind, not what this patient received: the factors hold for people of standard size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from radiology.dose.model import DoseEvent, Reading, doses_of
from radiology.kit.explaining import Factor
from radiology.procedures.regions import regions_of

K_FACTORS: Final = "AAPM Report 96 (2008), table 3, after Shrimpton"
AGES: Final = (0.0, 1.0, 5.0, 10.0)
"""A factor holds for the child nearest in age; from 15 years on that of adults does."""
_ADULT_FROM: Final = 15.0
_SMALL_PHANTOM_CM, _LARGE_PHANTOM_CM = 16, 32


class Region(StrEnum):
    """Parts of the body that have a factor."""

    HEAD = "head"
    HEAD_AND_NECK = "head and neck"
    NECK = "neck"
    CHEST = "chest"
    ABDOMEN = "abdomen and pelvis"
    TRUNK = "trunk"


_MSV_PER_MGY_CM: Final = {
    Region.HEAD: (0.011, 0.0067, 0.0040, 0.0032, 0.0021),
    Region.HEAD_AND_NECK: (0.013, 0.0085, 0.0057, 0.0042, 0.0031),
    Region.NECK: (0.017, 0.012, 0.011, 0.0079, 0.0059),
    Region.CHEST: (0.039, 0.026, 0.018, 0.013, 0.014),
    Region.ABDOMEN: (0.049, 0.030, 0.020, 0.015, 0.015),
    Region.TRUNK: (0.044, 0.028, 0.019, 0.014, 0.015),
}
"""At 0, 1, 5 and 10 years, and for adults; mSv per mGy·cm."""
_OF_REGIONS: Final = {
    "head": Region.HEAD,
    "neck": Region.NECK,
    "chest": Region.CHEST,
    "heart": Region.CHEST,
    "breast": Region.CHEST,
    "abdomen": Region.ABDOMEN,
    "pelvis": Region.ABDOMEN,
}
_OF_SPINES: Final = {
    "cervical": Region.NECK,
    "thoracic": Region.CHEST,
    "dorsal": Region.CHEST,
    "lumbar": Region.ABDOMEN,
    "lumbosacral": Region.ABDOMEN,
    "sacral": Region.ABDOMEN,
}


def region_of(words: str) -> Region | None:
    """The part of the body that words name, two parts together where both are named; None where none has a factor."""
    named = regions_of(words)
    if "spine" in named:
        found = {_OF_SPINES[word] for word in words.casefold().split() if word in _OF_SPINES}
    else:
        found = {_OF_REGIONS[name] for name in named if name in _OF_REGIONS}
    if found == {Region.HEAD, Region.NECK}:
        return Region.HEAD_AND_NECK
    if len(found) > 1:
        return Region.TRUNK
    return next(iter(found), None)


def k_factor(region: Region, age_years: float | None) -> float:
    """mSv per mGy·cm; that of an adult where the age is not known."""
    factors = _MSV_PER_MGY_CM[region]
    if age_years is None or age_years >= _ADULT_FROM:
        return factors[-1]
    nearest = min(range(len(AGES)), key=lambda index: abs(AGES[index] - age_years))
    return factors[nearest]


@dataclass(frozen=True, slots=True)
class Estimate:
    """An effective dose, how it was found (`dlp`, `typical` or `unknown`), and what it was made of."""

    msv: float | None
    method: str
    explain: tuple[Factor, ...] = ()


def estimate(reading: Reading, *, age_years: float | None, words: Sequence[str], typical_msv: float | None) -> Estimate:
    """The effective dose of an examination.

    Where events of CT tell their dose length product, it is that, times the factor of the region that the event names,
    else of the first of `words` that names one. Otherwise it is what is typical of the procedure, where that is known.
    """
    general = next((region for text in words if (region := region_of(text)) is not None), None)
    factors: list[Factor] = []
    for event in reading.events:
        region = region_of(event.region) or general
        if event.dlp_mgy_cm and region is not None:
            factors.append(_of_event(event, region, age_years))
    total = doses_of(reading).get("DLP")
    counted = sum(event.dlp_mgy_cm or 0 for event in reading.events)
    if total and general is not None and total - counted > 0.01 * total:
        missing = DoseEvent("", "", dlp_mgy_cm=total - counted)
        factors.append(_of_event(missing, general, age_years))
    if factors:
        return Estimate(sum(factor.contribution or 0 for factor in factors), "dlp", tuple(factors))
    if typical_msv is not None:
        typical = Factor("typical effective dose", typical_msv, contribution=typical_msv, source="procedure catalogue")
        return Estimate(typical_msv, "typical", (typical,))
    return Estimate(None, "unknown")


def _of_event(event: DoseEvent, region: Region, age_years: float | None) -> Factor:
    dlp, k = event.dlp_mgy_cm or 0, k_factor(region, age_years)
    child = age_years is not None and age_years < _ADULT_FROM
    source = K_FACTORS
    # The factors of children, and of head and neck, are for the 16 cm phantom; the same output reads half in the other.
    if child and region not in (Region.HEAD, Region.HEAD_AND_NECK) and event.phantom_cm == _LARGE_PHANTOM_CM:
        dlp, source = dlp * 2, f"{K_FACTORS}; the value for the 32 cm phantom counts twice"
    return Factor(f"DLP, {region}", event.dlp_mgy_cm, weight=k, contribution=dlp * k, source=source)
