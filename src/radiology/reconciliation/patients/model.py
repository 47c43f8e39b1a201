"""What became of the rows of a repair of a patient. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from radiology.patients.model import Patient
from radiology.patients.record import Record

Columns = dict[str, Any]


class Kind(StrEnum):
    """What was done. `identify`: a patient nobody knew was found to be another; else as a merge."""

    UPDATE = "update"
    MERGE = "merge"
    IDENTIFY = "identify"


@dataclass(frozen=True, slots=True)
class Asked:
    """A repair as somebody asks for it. message_key: sender and control id of a message, which is followed once."""

    reason: str
    source: str = "REST"
    message_key: str | None = None


@dataclass(frozen=True, slots=True)
class Was:
    """What was served of a study or an item, before and after."""

    id: str
    before: Columns
    after: Columns

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {"id": self.id, "before": self.before, "after": self.after}


@dataclass(slots=True)
class Journal:
    """What a repair moved and changed: rows by table, studies and worklist items with what they were.

    covered: the reports that got a cover identity by it. patient: the registry's row before an update.
    """

    moved: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    studies: list[Was] = field(default_factory=list[Was])
    items: list[Was] = field(default_factory=list[Was])
    covered: list[str] = field(default_factory=list[str])
    patient: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "moved": self.moved,
            "studies": [each.as_json() for each in self.studies],
            "items": [each.as_json() for each in self.items],
            "covered": self.covered,
            "patient": self.patient,
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Journal":
        """Of what `as_json` gave."""
        return cls(
            kept["moved"],
            [Was(**each) for each in kept["studies"]],
            [Was(**each) for each in kept["items"]],
            kept["covered"],
            kept["patient"],
        )


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair that was made."""

    id: UUID
    kind: str
    patient_id: UUID
    other_id: UUID | None
    made_at: str
    is_undone: bool
    before: dict[str, Any]

    @property
    def journal(self) -> Journal:
        """What it moved and changed."""
        return Journal.of_json(self.before)


def cover_of(record: Record | Patient, *, at: str) -> dict[str, str]:
    """As whom a patient was registered when a report was signed; until when that was so."""
    return {
        "reference": record.reference,
        "patientId": record.patient_id,
        "issuer": record.issuer_of_patient_id,
        "name": record.patient_name,
        "birthDate": record.birth_date,
        "sex": record.sex,
        "until": at,
    }


def changed_identity(before: Patient, after: Patient) -> frozenset[str]:
    """The fields of the identity in which two differ, of those that the later one has."""
    names = ("patient_id", "issuer_of_patient_id", "patient_name", "birth_date", "sex")
    return frozenset(name for name in names if getattr(after, name) and getattr(after, name) != getattr(before, name))
