"""The states of an order, and what an order is. Pure.

The statuses are FHIR R4 request-status; how far an order has come (`Progress`) is derived from what was made of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from radiology.errors import FieldProblem, StaleVersion, TransitionRefused, Unprocessable
from radiology.kit.steps import follow
from radiology.modality_worklist.model import OPEN
from radiology.modality_worklist.model import Status as StepStatus
from radiology.studies.model import Status as StudyStatus


class Status(StrEnum):
    """FHIR R4 ServiceRequest.status."""

    DRAFT = "draft"
    ACTIVE = "active"
    ON_HOLD = "on-hold"
    REVOKED = "revoked"
    COMPLETED = "completed"
    ENTERED_IN_ERROR = "entered-in-error"


class Verb(StrEnum):
    """What moves an order."""

    ACTIVATE = "activate"
    HOLD = "hold"
    RESUME = "resume"
    CANCEL = "cancel"
    REINSTATE = "reinstate"
    COMPLETE = "complete"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"


class Priority(StrEnum):
    """FHIR R4 request-priority."""

    ROUTINE = "routine"
    URGENT = "urgent"
    ASAP = "asap"
    STAT = "stat"


class Intent(StrEnum):
    """FHIR R4 request-intent."""

    PROPOSAL = "proposal"
    PLAN = "plan"
    DIRECTIVE = "directive"
    ORDER = "order"
    ORIGINAL_ORDER = "original-order"
    REFLEX_ORDER = "reflex-order"
    FILLER_ORDER = "filler-order"
    INSTANCE_ORDER = "instance-order"
    OPTION = "option"


class Progress(StrEnum):
    """How far a procedure, or an order with all its procedures, has come."""

    NOT_SCHEDULED = "not-scheduled"
    CANCELLED = "cancelled"
    DISCONTINUED = "discontinued"
    SCHEDULED = "scheduled"
    ARRIVED = "arrived"
    IN_PROGRESS = "in-progress"
    IMAGES_COMPLETE = "images-complete"
    REPORTED = "reported"


INITIAL = frozenset({Status.DRAFT, Status.ACTIVE})
CHANGEABLE = frozenset({Status.DRAFT, Status.ACTIVE, Status.ON_HOLD})
"""What an order says can be changed in these; later it is a record of what was asked."""

LONGEST_REASON = 400
"""Characters of why a step was made."""
DONE = frozenset({StudyStatus.COMPLETED, StudyStatus.CANCELLED, StudyStatus.ENTERED_IN_ERROR})
PROBABLE = "probable"
BEGUN = frozenset({StepStatus.STARTED, StepStatus.COMPLETED})

TRANSITIONS: Mapping[tuple[Status, Verb], Status] = {
    (Status.DRAFT, Verb.ACTIVATE): Status.ACTIVE,
    (Status.ACTIVE, Verb.HOLD): Status.ON_HOLD,
    (Status.ON_HOLD, Verb.RESUME): Status.ACTIVE,
    **{(status, Verb.CANCEL): Status.REVOKED for status in CHANGEABLE},
    (Status.REVOKED, Verb.REINSTATE): Status.ACTIVE,
    (Status.ACTIVE, Verb.COMPLETE): Status.COMPLETED,
    (Status.ON_HOLD, Verb.COMPLETE): Status.COMPLETED,
    (Status.COMPLETED, Verb.REOPEN): Status.ACTIVE,
    **{(status, Verb.WITHDRAW): Status.ENTERED_IN_ERROR for status in Status if status != Status.ENTERED_IN_ERROR},
}
"""All steps there are."""

NEED_REASON = frozenset({Verb.HOLD, Verb.CANCEL, Verb.REINSTATE, Verb.REOPEN, Verb.WITHDRAW})

_VERBS_TOWARDS: Mapping[Status, tuple[Verb, ...]] = {
    Status.ACTIVE: (Verb.ACTIVATE, Verb.RESUME, Verb.REINSTATE, Verb.REOPEN),
    Status.ON_HOLD: (Verb.HOLD,),
    Status.REVOKED: (Verb.CANCEL,),
    Status.COMPLETED: (Verb.COMPLETE,),
    Status.ENTERED_IN_ERROR: (Verb.WITHDRAW,),
}


def step(status: Status, verb: Verb) -> Status:
    """Where a verb leads. Raises TransitionRefused."""
    return follow(TRANSITIONS, status, verb, of="An order")


def verb_towards(before: Status, after: Status) -> Verb:
    """The verb that leads from one status to another. Raises TransitionRefused."""
    if before == after:
        raise TransitionRefused(f"The order is {before} already.")
    verbs = _VERBS_TOWARDS.get(after, ())
    found = next((verb for verb in verbs if TRANSITIONS.get((before, verb)) == after), None)
    if found is None:
        raise TransitionRefused(f"No step leads from {before} to {after}.")
    return found


def must_have_reason(verb: Verb, reason: str | None) -> None:
    """Raises Unprocessable where a step that needs a reason has none."""
    if verb in NEED_REASON and not (reason or "").strip():
        sentence = "is required for this step: a sentence for the record"
        raise Unprocessable(f"reason {sentence}.", fields=[FieldProblem("reason", sentence)])


@dataclass(frozen=True, slots=True)
class RequestedProcedure:
    """One procedure of an order: one study. `content` is what was said of it; the rest is what was made of it.

    asked_start: the start that the order gave to its worklist item, which has another one when it was booked.
    """

    id: UUID
    position: int
    requested_procedure_id: str
    study_instance_uid: str
    modality: str
    content: dict[str, Any]
    asked_start: datetime | None = None
    step_id: UUID | None = None
    step_status: str | None = None
    study_id: UUID | None = None
    study_status: str | None = None
    study_match: str | None = None
    number_of_instances: int = 0

    @property
    def said(self) -> dict[str, Any]:
        """What was said of it, with its numbers."""
        return {
            **self.content,
            "modality": self.modality,
            "requestedProcedureId": self.requested_procedure_id,
            "studyInstanceUID": self.study_instance_uid,
        }

    @property
    def has_begun(self) -> bool:
        """Whether a modality has begun it, or images came."""
        return bool(self.number_of_instances) or self.step_status in BEGUN

    @property
    def waits(self) -> bool:
        """Whether its item stands in the worklist."""
        return self.step_status in OPEN


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands. `content` is what was ordered beside the procedures; `repeated`: it was placed before.

    released: items of the worklist that a hold or a cancellation took out.
    """

    id: UUID
    facility_code: str
    placer: str
    placer_number: str | None
    accession_number: str
    status: str
    intent: str
    priority: str
    version: int
    patient_id: UUID
    patient_reference: str
    occurrence: datetime | None
    authored_on: datetime
    content: dict[str, Any]
    released: list[UUID] = field(default_factory=list[UUID])
    procedures: tuple[RequestedProcedure, ...] = ()
    repeated: bool = False

    @property
    def reference(self) -> str:
        """How others name it."""
        return f"ServiceRequest/{self.id}"

    @property
    def is_done(self) -> bool:
        """Whether all that was asked for is given up or acquired, and something surely is."""
        states = [each.study_status for each in self.procedures]
        is_sure = all(each.study_match != PROBABLE for each in self.procedures)
        return StudyStatus.COMPLETED in states and all(state in DONE for state in states) and is_sure

    @property
    def told(self) -> dict[str, Any]:
        """What every event of the order tells."""
        return {
            "facility_code": self.facility_code,
            "order_id": str(self.id),
            "accession_number": self.accession_number,
            "version": self.version,
            "status": self.status,
            "study_instance_uids": [each.study_instance_uid for each in self.procedures],
        }

    def must_have_version(self, version: int | None) -> None:
        """Raises StaleVersion where somebody else changed it first."""
        if version is not None and version != self.version:
            raise StaleVersion(f"The order has version {self.version} by now. Read it again and decide anew.")

    def must_be_changeable(self) -> None:
        """Raises TransitionRefused for an order that is at its end."""
        if Status(self.status) not in CHANGEABLE:
            raise TransitionRefused(f"The order is {self.status}; only one that is not at its end can be changed.")
