"""A visit of a patient (FHIR Encounter): its states, and what is said of it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from radiology.errors import TransitionRefused


class Class(StrEnum):
    """HL7 v3 ActCode, as FHIR Encounter.class: inpatient, ambulatory, emergency."""

    INPATIENT = "IMP"
    OUTPATIENT = "AMB"
    EMERGENCY = "EMER"


class Status(StrEnum):
    """FHIR R4 Encounter.status, as far as a radiology service needs it."""

    IN_PROGRESS = "in-progress"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Verb(StrEnum):
    """What is done with a visit."""

    CHANGE = "change"
    FINISH = "finish"
    CANCEL = "cancel"
    REOPEN = "reopen"


TRANSITIONS: Final = {
    (Status.IN_PROGRESS, Verb.CHANGE): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Verb.FINISH): Status.FINISHED,
    (Status.IN_PROGRESS, Verb.CANCEL): Status.CANCELLED,
    (Status.FINISHED, Verb.REOPEN): Status.IN_PROGRESS,
    (Status.CANCELLED, Verb.REOPEN): Status.IN_PROGRESS,
}


@dataclass(frozen=True, slots=True)
class VisitSaid:
    """What is said of a visit. Empty text means that it is not said; `number` is the Admission ID (0038,0010).

    `attending` is who is responsible, as `Practitioner/222`.
    """

    visit_class: Class
    number: str = ""
    ward: str = ""
    bed: str = ""
    attending: str = ""
    reason: str = ""
    began_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit, locked for a change."""

    id: UUID
    patient_id: UUID
    facility_code: str
    number: str
    status: str
    version: int

    @property
    def reference(self) -> str:
        """As others refer to it."""
        return f"Encounter/{self.id}"


def step(status: str, verb: Verb) -> Status:
    """The status after a verb. Raises TransitionRefused."""
    after = TRANSITIONS.get((Status(status), verb))
    if after is None:
        raise TransitionRefused(f"A visit that is {status} cannot {verb}.")
    return after
