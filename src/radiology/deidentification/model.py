"""Projects and exports: what they are and how far they have come; and who stands out of a group."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from radiology.deidentification.rules import DeviceRegions, PrivateElement, Profile, Rectangle, Rules
from radiology.errors import Conflict, NotPermitted

#: Nobody may be recognised as one of fewer persons (domain rule: k).
SMALLEST_GROUP: Final = 5
AGE_BAND_YEARS: Final = 10
KEPT_DAYS: Final = 7
MOST_STUDIES: Final = 10_000


class Status(StrEnum):
    """How far an export has come."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


UNDER_WAY: Final = frozenset({Status.QUEUED, Status.RUNNING})


@dataclass(frozen=True, slots=True)
class Project:
    """Why and how objects are de-identified, and who approved it."""

    id: UUID
    name: str
    purpose: str
    profile: str
    options: Mapping[str, Any]
    sealed_key: bytes
    created_by: str
    approved_by: str | None
    approved_at: datetime | None
    ended_at: datetime | None

    def must_be_usable(self) -> None:
        """Raises Conflict before it is approved and after it is ended."""
        if self.ended_at is not None:
            raise Conflict(f"The project {self.name} is ended.")
        if self.approved_by is None:
            raise Conflict(
                f"The project {self.name} is not approved yet. A privacy officer who did not make it approves it."
            )

    def must_be_approved_by_another(self, actor_id: str) -> None:
        """Raises Conflict where that was done, NotPermitted for who made it."""
        if self.ended_at is not None or self.approved_by is not None:
            raise Conflict(f"The project {self.name} is {'ended' if self.ended_at else 'approved'} already.")
        if actor_id == self.created_by:
            raise NotPermitted("Who made a project cannot approve it. Ask another privacy officer.")

    def rules(self, key: bytes, regions: Sequence[DeviceRegions]) -> Rules:
        """What the engine is told."""
        asked = self.options
        return Rules(
            Profile(self.profile),
            key,
            allowed_texts=frozenset(asked.get("allowedTexts", ())),
            safe_private=tuple(
                PrivateElement(each["creator"], int(each["group"], 16), int(each["element"], 16))
                for each in asked.get("safePrivate", ())
            ),
            keep_institution=bool(asked.get("keepInstitution")),
            keep_faces=bool(asked.get("keepFaces")),
            regions=tuple(regions),
        )


@dataclass(frozen=True, slots=True)
class Export:
    """One export, as the job knows it."""

    id: UUID
    project_id: UUID
    status: str
    asked_by: str


def regions_of(
    manufacturer: str, model: str, rows: int, columns: int, rectangles: Sequence[Sequence[int]]
) -> DeviceRegions:
    """Regions with rectangles as they are kept: left, top, right, bottom."""
    return DeviceRegions(manufacturer, model, rows, columns, tuple(Rectangle(*each) for each in rectangles))


# --- Groups -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """What a study says of its patient that others may know too. `patient` only tells patients apart."""

    study_instance_uid: str
    patient: str
    birth_date: str
    age: str
    sex: str
    study_date: date | None

    @property
    def group(self) -> tuple[str, str, str]:
        """Age band, sex, month."""
        return _age_band(self), self.sex or "?", f"{self.study_date:%Y-%m}" if self.study_date else "?"


def small_groups(persons: Sequence[Person]) -> dict[tuple[str, str, str], int]:
    """The groups of age band, sex and month with fewer than five patients, and how many those are."""
    patients: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for person in persons:
        patients[person.group].add(person.patient)
    return {group: len(members) for group, members in patients.items() if len(members) < SMALLEST_GROUP}


def _age_band(person: Person) -> str:
    years = _years(person)
    if years is None:
        return "?"
    first = min(years, 90) // AGE_BAND_YEARS * AGE_BAND_YEARS
    return f"{first}+" if first >= 90 else f"{first}-{first + AGE_BAND_YEARS - 1}"


def _years(person: Person) -> int | None:
    if person.age[:3].isdigit() and len(person.age) == 4:
        return int(person.age[:3]) if person.age[3] == "Y" else int(person.age[:3]) // 12 if person.age[3] == "M" else 0
    try:
        born = date(int(person.birth_date[:4]), int(person.birth_date[4:6] or 1), int(person.birth_date[6:8] or 1))
    except ValueError:
        return None
    at = person.study_date
    return None if at is None else max(at.year - born.year - ((at.month, at.day) < (born.month, born.day)), 0)
