"""A procedure as the catalogue knows it, and on which terms it is done. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

LOCAL_SYSTEM: Final = "urn:bd:radiology:local-procedure"
LOINC: Final = "http://loinc.org"
RADLEX: Final = "http://radlex.org"
IONISING: Final = frozenset({"DX", "CR", "CT", "MG", "RF", "XA", "PX", "BMD", "NM", "PT"})
SUBSPECIALTIES: Final = (
    "neuro", "body", "musculoskeletal", "chest", "breast", "cardiac", "paediatric", "obstetric", "nuclear", "general"
)  # fmt: skip
PRIORITIES: Final = ("routine", "urgent", "asap", "stat")
CONTRASTS: Final = ("none", "iv", "oral", "rectal", "retrograde", "intrauterine", "radiopharm")
URGENT_HOURS: Final = 4
STAT_HOURS: Final = 1


@dataclass(frozen=True, slots=True)
class Coding:
    """A code of a system, with the words of that system."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure of the catalogue.

    codings: the first names it. needs_laterality: the side is said when it is ordered. contrast: none, iv, oral,
    rectal, retrograde, intrauterine, radiopharm. effective_dose_msv: typical for an adult, mSv. reference_levels: by
    quantity as the catalogue names it (ESD mGy, DAP Gy·cm², CTDIvol mGy, DLP mGy·cm, MGD mGy). preparations: codes;
    preparation: a sentence of its own, in place of theirs. turnaround_hours: from complete images to the final report.
    cost: in BDT where one is named. public_price, private_price: bands in BDT. minutes: of the device. rvu: relative
    value of reading it. subspecialty: the group of readers that it belongs to. active: it can be ordered.
    """

    key: str
    display: str
    display_bangla: str
    modality: str
    codings: tuple[Coding, ...] = ()
    body_site: str = ""
    needs_laterality: bool = False
    contrast: str = "none"
    effective_dose_msv: float = 0.0
    reference_levels: Mapping[str, float] = field(default_factory=dict[str, float])
    preparations: tuple[str, ...] = ()
    turnaround_hours: int = 24
    priority: str = "routine"
    common: bool = False
    indications: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    cost: Decimal | None = None
    public_price: tuple[int, int] | None = None
    private_price: tuple[int, int] | None = None
    minutes: int = 15
    rvu: float = 1.0
    subspecialty: str = "general"
    names: tuple[str, ...] = ()
    procedure_code: str = ""
    preparation: str = ""
    preparation_bangla: str = ""
    radiation_dose: str = ""
    active: bool = True
    version: int = 0
    effective_from: date = date.min

    @property
    def is_ionising(self) -> bool:
        """Whether it exposes the patient to ionising radiation."""
        return self.modality in IONISING and self.effective_dose_msv > 0

    @property
    def coding(self) -> Coding:
        """The code that names it; its key where it has none."""
        return self.codings[0] if self.codings else Coding(LOCAL_SYSTEM, self.key, self.display)

    def price_at(self, ownership: str) -> Decimal | None:
        """What it costs by default, BDT: as it is named, else the middle of the band of the ownership."""
        band = self.private_price if ownership == "private" else self.public_price
        if self.cost is not None or band is None:
            return self.cost
        return (Decimal(band[0] + band[1]) / 2).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was said of a procedure for one facility, or for all facilities of an ownership. None says nothing."""

    key: str
    facility_code: str
    ownership: str
    version: int
    effective_from: date
    price_bdt: Decimal | None = None
    turnaround_hours: int | None = None
    priority: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a procedure is done at a facility. price: BDT, None where nobody has said."""

    price: Decimal | None
    turnaround_hours: int
    priority: str

    def hours_for(self, priority: str) -> int:
        """Hours from complete images to the report: the turnaround, at most 4 for urgent, 1 for STAT."""
        if priority == "stat":
            return STAT_HOURS
        return self.turnaround_hours if priority == "routine" else min(URGENT_HOURS, self.turnaround_hours)
