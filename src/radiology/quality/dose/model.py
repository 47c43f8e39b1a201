"""Reference levels, what they are compared with, and when an examination is to be looked at. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from radiology.dose.model import ADULT
from radiology.kit.bilingual import Sentence

ENOUGH: Final = 20
"""A median says something from so many patients of standard size on (ICRP 135)."""
NOTED_OVER: Final = 2.0
"""An examination above so many times its reference level is looked at, and above the next it was not intended."""
INCIDENT_OVER: Final = 3.0
AIR_KERMA_MGY, SKIN_DOSE_MGY = 2000.0, 5000.0
"""Air kerma at the reference point that is noted, and after which the skin of the patient is followed up."""

UNITS: Final[Mapping[str, str]] = {
    "DLP": "mGy·cm",
    "CTDIvol": "mGy",
    "DAP": "Gy·cm²",
    "RAK": "mGy",
    "MGD": "mGy",
    "ESD": "mGy",
    "ESD_PA": "mGy",
    "ESD_AP": "mGy",
    "ESD_LAT": "mGy",
    "FLUORO": "s",
}


class Note(StrEnum):
    """Why an examination is to be looked at."""

    OVER_TWICE = "over-twice-reference"
    AIR_KERMA = "air-kerma"
    SKIN_DOSE = "skin-dose"


TOLD: Final[Mapping[Note, Sentence]] = {
    Note.OVER_TWICE: Sentence(
        "The dose is more than twice the reference level. Find out why.",
        "মাত্রা নির্দেশক মানের দ্বিগুণের বেশি। কারণ খুঁজুন।",
    ),
    Note.AIR_KERMA: Sentence(
        "More than 2 Gy air kerma at the reference point. Write down the dose and tell the referring doctor.",
        "রেফারেন্স বিন্দুতে ২ গ্রের বেশি এয়ার কারমা। মাত্রা লিখে রাখুন ও চিকিৎসককে জানান।",
    ),
    Note.SKIN_DOSE: Sentence(
        "More than 5 Gy air kerma at the reference point. Follow the skin of the patient up, and tell the patient what "
        "to look for.",
        "রেফারেন্স বিন্দুতে ৫ গ্রের বেশি এয়ার কারমা। রোগীর ত্বক পর্যবেক্ষণ করুন এবং কী লক্ষ্য রাখতে হবে তা রোগীকে জানান।",
    ),
}


@dataclass(frozen=True, slots=True)
class Level:
    """A reference level. facility_code: None for the whole country. value: None takes one back from that day on."""

    procedure_key: str
    quantity: str
    patient_group: str
    facility_code: str | None
    valid_from: date
    value: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The level that holds, and who says so: `facility`, `national` or `catalogue`."""

    value: float
    scope: str
    source: str
    valid_from: date | None = None

    def told(self) -> dict[str, Any]:
        """As an answer holds it."""
        since = None if self.valid_from is None else self.valid_from.isoformat()
        return {"value": self.value, "scope": self.scope, "source": self.source, "validFrom": since}


class Levels:
    """All levels that were ever set, and those of the catalogue behind them."""

    def __init__(self, levels: Iterable[Level], of_catalogue: Mapping[str, Mapping[str, float]]) -> None:
        self._of_catalogue = of_catalogue
        self._set: dict[tuple[str, str, str, str | None], list[Level]] = {}
        for level in levels:
            key = (level.procedure_key, level.quantity, level.patient_group, level.facility_code)
            self._set.setdefault(key, []).append(level)

    def standing(self, key: str, quantity: str, group: str, facility_code: str, on: date) -> Standing | None:
        """What holds on a day: the facility's own, else the national one, else for adults the catalogue's."""
        for scope, code in (("facility", facility_code), ("national", None)):
            begun = [each for each in self._set.get((key, quantity, group, code), ()) if each.valid_from <= on]
            latest = max(begun, key=lambda each: each.valid_from, default=None)
            if latest is not None and latest.value is not None:
                return Standing(latest.value, scope, latest.source, latest.valid_from)
        default = self._of_catalogue.get(key, {}).get(quantity) if group == ADULT else None
        return Standing(default, "catalogue", "procedure catalogue") if default else None

    def quantities(self, key: str) -> set[str]:
        """The quantities of a procedure that somebody has set a level for."""
        return {*self._of_catalogue.get(key, {}), *(quantity for each, quantity, *_ in self._set if each == key)}


@dataclass(frozen=True, slots=True)
class Cell:
    """What one quantity came to in the examinations of one protocol, facility and group of patients."""

    facility_code: str
    protocol: str
    procedure_key: str
    patient_group: str
    quantity: str
    patients: int
    without_weight: int
    median: float
    third_quartile: float
    values: Sequence[float]


def compared(cell: Cell, level: Standing | None) -> dict[str, Any]:
    """A cell against its level. With fewer than 20 patients nothing is said of it but how many there were."""
    told: dict[str, Any] = {
        "facilityCode": cell.facility_code,
        "protocol": cell.protocol,
        "procedureKey": cell.procedure_key or None,
        "patientGroup": cell.patient_group,
        "quantity": cell.quantity,
        "unit": UNITS.get(cell.quantity, ""),
        "n": cell.patients,
        "needed": ENOUGH,
        "withoutWeight": cell.without_weight,
        "reference": level.told() if level else None,
        "median": None,
        "thirdQuartile": None,
        "ratio": None,
        "investigate": None,
    }
    above = [value for value in cell.values if level is not None and value > level.value]
    if level is not None:
        twice = sum(1 for value in above if value > NOTED_OVER * level.value)
        told |= {"aboveReference": round(len(above) / cell.patients, 4), "overTwiceReference": twice}
    if cell.patients < ENOUGH:
        return told | {"status": "insufficient"}
    told |= {"median": round(cell.median, 4), "thirdQuartile": round(cell.third_quartile, 4)}
    if level is None:
        return told | {"status": "no-reference"}
    ratio = round(cell.median / level.value, 4)
    return told | {"status": "compared", "ratio": ratio, "investigate": ratio > 1}


@dataclass(frozen=True, slots=True)
class Noted:
    """That an examination is to be looked at: the value, and what it is above."""

    kind: Note
    quantity: str
    value: float
    over: float


def notes_of(doses: Mapping[str, float], levels: Mapping[str, Standing]) -> list[Noted]:
    """Why a single examination is to be looked at. `levels` by quantity are those that held on its day."""
    found = [
        Noted(Note.OVER_TWICE, quantity, value, level.value)
        for quantity, value in sorted(doses.items())
        if (level := levels.get(quantity)) and value > NOTED_OVER * level.value
    ]
    kerma = doses.get("RAK", 0)
    if kerma > SKIN_DOSE_MGY:
        found.append(Noted(Note.SKIN_DOSE, "RAK", kerma, SKIN_DOSE_MGY))
    elif kerma > AIR_KERMA_MGY:
        found.append(Noted(Note.AIR_KERMA, "RAK", kerma, AIR_KERMA_MGY))
    return found


def far_over(notes: Sequence[Noted]) -> Noted | None:
    """The worst of the notes that says a dose was not intended: more than three times what was to be expected."""
    over = [note for note in notes if note.kind == Note.OVER_TWICE and note.value > INCIDENT_OVER * note.over]
    return max(over, key=lambda note: note.value / note.over, default=None)
