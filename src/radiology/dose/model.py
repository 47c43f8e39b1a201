"""Doses of irradiation events, of examinations and of patients, and the groups they are compared in. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

ADULT: Final = "adult"
ADULT_AGE_YEARS: Final = 18
STANDARD_WEIGHT_KG: Final = (50.0, 90.0)
"""An adult of standard size (ICRP 135, 70 kg on average)."""

WEIGHT_GROUPS: Final = (
    (5.0, "<5 kg"),
    (15.0, "5-<15 kg"),
    (30.0, "15-<30 kg"),
    (50.0, "30-<50 kg"),
    (80.0, "50-<80 kg"),
)
AGE_GROUPS: Final = ((1.0, "0 y"), (5.0, "1 y"), (10.0, "5 y"), (15.0, "10 y"), (18.0, "15 y"))
"""Groups of children (ICRP 135, RP 185): each holds up to so many kilograms or years. Weight goes before age."""
PATIENT_GROUPS: Final = (ADULT, *(name for _, name in WEIGHT_GROUPS), *(name for _, name in AGE_GROUPS))


class Source(StrEnum):
    """Where a dose was read, the best first."""

    REPORT = "rdsr"
    PERFORMED_STEP = "mpps"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class DoseEvent:
    """One irradiation event; what was not told is None or empty. See `standards.dicom.dose_report` for the quantities.

    told_by: the SOP Instance UID of the report, the performed procedure step or the image that told of it.
    """

    event_uid: str
    told_by: str
    started_at: datetime | None = None
    protocol: str = ""
    acquisition: str = ""
    region: str = ""
    laterality: str = ""
    view: str = ""
    plane: str = ""
    kvp: float | None = None
    tube_current_ma: float | None = None
    exposure_mas: float | None = None
    exposure_time_seconds: float | None = None
    fluoroscopy_seconds: float | None = None
    ctdi_vol_mgy: float | None = None
    phantom_cm: int | None = None
    dlp_mgy_cm: float | None = None
    effective_dose_msv: float | None = None
    kap_gy_cm2: float | None = None
    air_kerma_mgy: float | None = None
    entrance_mgy: float | None = None
    glandular_dose_mgy: float | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """Sums that whoever made the exposures states itself; None where it states none."""

    dlp_mgy_cm: float | None = None
    kap_gy_cm2: float | None = None
    air_kerma_mgy: float | None = None
    fluoroscopy_seconds: float | None = None
    entrance_mgy: float | None = None

    def largest(self, other: "Stated") -> "Stated":
        """Of two statements about the same examination the larger of each: reports go on where others ended."""
        names = self.__slots__
        return Stated(**{name: _largest([getattr(self, name), getattr(other, name)]) for name in names})


@dataclass(frozen=True, slots=True)
class Reading:
    """All that is known of the doses of one study, from its best source."""

    source: Source
    events: tuple[DoseEvent, ...]
    stated: Stated = field(default_factory=Stated)


@dataclass(frozen=True, slots=True)
class Patient:
    """Who was exposed, as far as it matters for a dose."""

    age_years: float | None
    weight_kg: float | None
    height_m: float | None

    @property
    def is_child(self) -> bool:
        """Whether doses are compared with those of children; of an age that nobody knows they are not."""
        return self.age_years is not None and self.age_years < ADULT_AGE_YEARS

    @property
    def group(self) -> str:
        """The group in which doses are compared: adults, or children by weight, else by age."""
        if not self.is_child:
            return ADULT
        by_weight = _group(WEIGHT_GROUPS, self.weight_kg)
        return by_weight or _group(AGE_GROUPS, self.age_years) or AGE_GROUPS[-1][1]

    @property
    def is_standard(self) -> bool:
        """Whether the dose counts in comparisons: every child, and adults not known to be small or large."""
        if self.is_child or self.weight_kg is None:
            return True
        return STANDARD_WEIGHT_KG[0] <= self.weight_kg <= STANDARD_WEIGHT_KG[1]


def _group(groups: Sequence[tuple[float, str]], value: float | None) -> str:
    return next((name for below, name in groups if value is not None and value < below), "")


def doses_of(reading: Reading) -> dict[str, float]:
    """The doses of an examination by the names of the catalogue's reference levels; what is not known is left out.

    DLP mGy·cm, DAP Gy·cm² and RAK mGy are sums, FLUORO s too; CTDIvol mGy is the largest of an acquisition; ESD mGy is
    the largest of an image, ESD_PA and its like of an image of that view; MGD mGy is the mean of the images. Where the
    machine states a larger sum than its events give, its own counts: it knows of events that it did not list.
    """
    events, stated = reading.events, reading.stated
    sums = {
        "DLP": _largest([_sum(event.dlp_mgy_cm for event in events), stated.dlp_mgy_cm]),
        "DAP": _largest([_sum(event.kap_gy_cm2 for event in events), stated.kap_gy_cm2]),
        "RAK": _largest([_sum(event.air_kerma_mgy for event in events), stated.air_kerma_mgy]),
        "FLUORO": _largest([_sum(event.fluoroscopy_seconds for event in events), stated.fluoroscopy_seconds]),
        "CTDIvol": _largest([event.ctdi_vol_mgy for event in events]),
        "ESD": _largest([*(event.entrance_mgy for event in events), stated.entrance_mgy]),
        **_entrance_by_view(events),
    }
    glandular = [event.glandular_dose_mgy for event in events if event.glandular_dose_mgy is not None]
    sums["MGD"] = sum(glandular) / len(glandular) if glandular else None
    return {name: round(value, 6) for name, value in sums.items() if value is not None}


def _entrance_by_view(events: Sequence[DoseEvent]) -> dict[str, float | None]:
    by_view: dict[str, list[float | None]] = {}
    for event in events:
        if event.view and event.entrance_mgy is not None:
            by_view.setdefault(_view(event.view), []).append(event.entrance_mgy)
    return {f"ESD_{view}": _largest(values) for view, values in by_view.items()}


def _view(view: str) -> str:
    """The view as the catalogue names it: both sides of a lateral are one."""
    return "LAT" if view in ("LL", "RL", "LLAT", "RLAT", "LATERAL") else view


def _sum(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if known else None


def _largest(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def age_years(born: str, on: date) -> float | None:
    """The age on a day of who was born on a date of DICOM (YYYYMMDD, perhaps without day or month); None if unknown."""
    digits = born.replace(".", "")
    if not digits.isascii() or not digits.isdigit() or len(digits) not in (4, 6, 8):
        return None
    try:
        first = date(int(digits[:4]), int(digits[4:6] or 1), int(digits[6:8] or 1))
    except ValueError:
        return None
    days = (on - first).days
    return days / 365.25 if 0 <= days < 130 * 366 else None


@dataclass(frozen=True, slots=True)
class Examination:
    """The dose of one study, as it is kept."""

    source: str
    events: int
    performed_at: datetime
    ae_title: str
    modality: str
    procedure_key: str
    protocol: str
    patient_group: str
    standard_size: bool
    age_years: float | None
    weight_kg: float | None
    height_m: float | None
    doses: Mapping[str, float]
    effective_dose_msv: float | None
    effective_dose_method: str
    explain: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Received:
    """One examination of a patient, as a history of doses lists it."""

    study_id: UUID
    study_instance_uid: str
    facility_code: str
    performed_at: datetime
    modality: str
    protocol: str
    source: str
    doses: Mapping[str, float]
    effective_dose_msv: float | None
    effective_dose_method: str


@dataclass(frozen=True, slots=True)
class Cumulative:
    """What a patient received together, mSv. by_dlp: the part that was estimated from doses; typical: the rest of it.

    unknown: how many examinations of them all have no estimate.
    """

    examinations: int
    by_dlp_msv: float
    typical_msv: float
    unknown: int

    @property
    def msv(self) -> float:
        """All that is known."""
        return self.by_dlp_msv + self.typical_msv


def cumulative(received: Sequence[Received]) -> Cumulative:
    """The sum of examinations."""

    def of(method: str) -> float:
        return math.fsum(each.effective_dose_msv or 0 for each in received if each.effective_dose_method == method)

    unknown = sum(1 for each in received if each.effective_dose_msv is None)
    return Cumulative(len(received), round(of("dlp"), 3), round(of("typical"), 3), unknown)
