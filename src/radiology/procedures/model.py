"""A procedure as the catalogue knows it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

LOCAL_SYSTEM: Final = "urn:bd:radiology:local-procedure"
LOINC: Final = "http://loinc.org"
RADLEX: Final = "http://playbook.radlex.org/playbook/SearchRadlexAction"
IONISING: Final = frozenset({"DX", "CR", "CT", "MG", "RF", "XA", "PX", "BMD", "NM", "PT"})


@dataclass(frozen=True, slots=True)
class Coding:
    """A code of a system, with the words of that system."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure of the catalogue.

    needs_laterality: the side is said when it is ordered. contrast: none, iv, oral, rectal, retrograde, intrauterine,
    radiopharm. effective_dose_msv: typical for an adult, mSv. reference_levels: by quantity as the catalogue names it
    (ESD mGy, DAP Gy·cm², CTDIvol mGy, DLP mGy·cm, MGD mGy). turnaround_hours: from complete images to the first final
    report, routine. cost: in BDT where the specification names one. public_price, private_price: bands in BDT.
    minutes: of the device. rvu: relative value of reading it. subspecialty: the group of readers that it belongs to.
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

    @property
    def is_ionising(self) -> bool:
        """Whether it exposes the patient to ionising radiation."""
        return self.modality in IONISING and self.effective_dose_msv > 0
