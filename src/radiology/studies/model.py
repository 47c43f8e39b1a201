"""The status machine of a study, and what is searched for. Pure.

The workflow codes are finer than FHIR R4 ImagingStudy.status; `FHIR_STATUS` maps them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from radiology.errors import Conflict, FieldProblem, StaleVersion, TransitionRefused, Unprocessable
from radiology.kit.steps import follow

CLOCKS_DIFFER = timedelta(minutes=5)
RESTORABLE = timedelta(days=30)


class Status(StrEnum):
    """Workflow status."""

    REGISTERED = "registered"
    SCHEDULED = "scheduled"
    ARRIVED = "arrived"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"
    UNKNOWN = "unknown"


class Flag(StrEnum):
    """What the service says of a study beside its status. The first two keep its reports from being approved."""

    IDENTITY_REVIEW = "identity_review"
    """It is not settled whose images these are."""
    WRONG_WORKLIST_ENTRY = "wrong_worklist_entry"
    """Its images were made for an item that they do not belong to."""
    UID_MISMATCH = "uid_mismatch"
    """Its images came under another Study Instance UID than its order planned."""
    INCOMPLETE = "incomplete"
    """Its acquisition was broken off."""
    INCOMPLETE_TRANSFER = "incomplete_transfer"
    """The modality says that it made more than has come."""
    WITHDRAWAL_ASKED = "withdrawal_asked"
    """Somebody wants to withdraw it, and a second person must agree, since it has a signed report."""


class Verb(StrEnum):
    """What moves a study."""

    SCHEDULE = "schedule"
    ARRIVE = "arrive"
    START = "start"
    COMPLETE = "complete"
    CANCEL = "cancel"
    REOPEN = "reopen"
    REINSTATE = "reinstate"
    WITHDRAW = "withdraw"
    RESTORE = "restore"


_BEFORE_IMAGES = (Status.REGISTERED, Status.SCHEDULED, Status.ARRIVED)

INITIAL = frozenset(_BEFORE_IMAGES)

TRANSITIONS: dict[tuple[Status, Verb], Status] = {
    (Status.REGISTERED, Verb.SCHEDULE): Status.SCHEDULED,
    (Status.REGISTERED, Verb.ARRIVE): Status.ARRIVED,
    (Status.SCHEDULED, Verb.ARRIVE): Status.ARRIVED,
    **{(status, Verb.START): Status.IN_PROGRESS for status in _BEFORE_IMAGES},
    (Status.IN_PROGRESS, Verb.COMPLETE): Status.COMPLETED,
    **{(status, Verb.CANCEL): Status.CANCELLED for status in (*_BEFORE_IMAGES, Status.IN_PROGRESS)},
    (Status.COMPLETED, Verb.REOPEN): Status.IN_PROGRESS,
    (Status.CANCELLED, Verb.REINSTATE): Status.REGISTERED,
    **{(status, Verb.WITHDRAW): Status.ENTERED_IN_ERROR for status in Status if status != Status.ENTERED_IN_ERROR},
}
"""All steps there are. `RESTORE` leads from entered-in-error to whatever was before and is not in the table."""

_VERB_TOWARDS: Mapping[Status, Verb] = {
    Status.SCHEDULED: Verb.SCHEDULE,
    Status.ARRIVED: Verb.ARRIVE,
    Status.IN_PROGRESS: Verb.START,
    Status.COMPLETED: Verb.COMPLETE,
    Status.CANCELLED: Verb.CANCEL,
    Status.REGISTERED: Verb.REINSTATE,
    Status.ENTERED_IN_ERROR: Verb.WITHDRAW,
}

_VERBS_WHEN_STORED: Mapping[Status, tuple[Verb, ...]] = {
    **dict.fromkeys(_BEFORE_IMAGES, (Verb.START,)),
    Status.COMPLETED: (Verb.REOPEN,),
    Status.CANCELLED: (Verb.REINSTATE, Verb.START),
}
"""What images do that come: one that was cancelled was done after all."""

FHIR_STATUS: Mapping[Status, str] = {
    **dict.fromkeys(_BEFORE_IMAGES, "registered"),
    Status.IN_PROGRESS: "available",
    Status.COMPLETED: "available",
    Status.CANCELLED: "cancelled",
    Status.ENTERED_IN_ERROR: "entered-in-error",
    Status.UNKNOWN: "unknown",
}
"""FHIR R4 ImagingStudy.status; `available` holds only with at least one instance, else it is `registered`."""


def fhir_status(status: str, number_of_instances: int) -> str:
    """FHIR R4 ImagingStudy.status of a study with so many instances that can be found."""
    code = FHIR_STATUS[Status(status)]
    return "registered" if code == "available" and not number_of_instances else code


def step(status: Status, verb: Verb) -> Status:
    """Where a verb leads. Raises TransitionRefused."""
    return follow(TRANSITIONS, status, verb, of="A study", at_an_end="nothing but restoring is possible from here")


def steps_to_progress(status: str) -> list[tuple[Status, Status]]:
    """The steps that an object which comes leads a study through; none where it stays what it is."""
    before, verbs = Status(status), _VERBS_WHEN_STORED.get(Status(status), ())
    steps: list[tuple[Status, Status]] = []
    for verb in verbs:
        after = step(before, verb)
        steps.append((before, after))
        before = after
    return steps


@dataclass(frozen=True, slots=True)
class Study:
    """What decides about a study's next step."""

    id: UUID
    study_id: str
    study_instance_uid: str
    planned_study_instance_uid: str | None
    facility_code: str
    status: str
    version: int
    started: datetime | None
    number_of_instances: int
    open_reports: int
    final_reports: int
    withdrawal_asked_by: str | None
    withdrawn_from: str | None
    withdrawn_at: datetime | None

    @property
    def scheduled_as(self) -> str:
        """The Study Instance UID that its items of the worklist have."""
        return self.planned_study_instance_uid or self.study_instance_uid


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A status that somebody asks for."""

    status: Status
    completed: datetime | None = None
    reason: str | None = None
    reason_no_images: str | None = None
    version: int | None = None


def verbs_for(study: Study, change: StatusChange, *, at: datetime) -> list[Verb]:
    """The steps that lead to the status asked for. Raises StaleVersion, TransitionRefused, Conflict, Unprocessable."""
    if change.version is not None and change.version != study.version:
        raise StaleVersion(f"The study has version {study.version} by now. Read it again and decide anew.")
    before = Status(study.status)
    if before == change.status:
        raise TransitionRefused(f"The study is {before} already.")
    if before == Status.ENTERED_IN_ERROR:
        return [_restoring(study, change, at)]
    verb = _VERB_TOWARDS.get(change.status)
    if verb is None:
        raise TransitionRefused(f"No step leads to {change.status}.")
    verbs = [Verb.START, verb] if verb == Verb.COMPLETE and before in _BEFORE_IMAGES else [verb]
    status = before
    for each in verbs:
        status = step(status, each)
    _check_guards(study, change, verb, at)
    return verbs


def needs_second_person(study: Study, verb: Verb, *, by: str) -> bool:
    """Whether somebody else must agree: a study with a signed report is withdrawn by two persons.

    Raises Conflict where the same person asks again.
    """
    if verb != Verb.WITHDRAW or not study.final_reports:
        return False
    if study.withdrawal_asked_by == by:
        raise Conflict("The study has a signed report, and you have asked already: a second person must withdraw it.")
    return study.withdrawal_asked_by is None


def _restoring(study: Study, change: StatusChange, at: datetime) -> Verb:
    if change.status != study.withdrawn_from:
        raise TransitionRefused(f"A withdrawn study can only return to what it was: {study.withdrawn_from}.")
    if study.withdrawn_at is None or at - study.withdrawn_at > RESTORABLE:
        raise TransitionRefused("A withdrawn study can be restored within 30 days.")
    _must_have_reason(change)
    return Verb.RESTORE


def _check_guards(study: Study, change: StatusChange, verb: Verb, at: datetime) -> None:
    match verb:
        case Verb.COMPLETE:
            _check_completion(study, change, at)
        case Verb.CANCEL if study.number_of_instances:
            raise Conflict("The study has images, so it cannot be cancelled. Complete it, or withdraw it.")
        case Verb.REINSTATE:
            _must_have_reason(change)
            if study.open_reports or study.final_reports:
                raise Conflict("The study has a report, so it cannot be reinstated.")
        case Verb.WITHDRAW:
            _must_have_reason(change)
        case _:
            pass


def _check_completion(study: Study, change: StatusChange, at: datetime) -> None:
    if not study.number_of_instances and not change.reason_no_images:
        raise Conflict(
            "The study has no images. Send them, or say with reasonNoImages why there are none.",
            fields=[FieldProblem("reasonNoImages", "is required for a study without images")],
        )
    completed = change.completed or at
    if completed > at + CLOCKS_DIFFER:
        raise _wrong("completed", "lies in the future; at most 5 minutes are allowed for clocks that differ")
    if study.started and completed < study.started:
        raise _wrong("completed", f"lies before the study started, {study.started.isoformat()}")


def _must_have_reason(change: StatusChange) -> None:
    if not (change.reason or "").strip():
        raise _wrong("reason", "is required for this step: a sentence for the record")


def _wrong(name: str, sentence: str) -> Unprocessable:
    return Unprocessable(f"{name} {sentence}.", fields=[FieldProblem(name, sentence)])


@dataclass(frozen=True, slots=True)
class Criteria:
    """The eleven criteria of the specification; all that are given must hold."""

    patient: str | None = None
    encounter: str | None = None
    status: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    procedure_code: str | None = None
    performer: str | None = None
    interpreter: str | None = None
    started_from: datetime | None = None
    started_before: datetime | None = None
    started_until: datetime | None = None
    accession_number: str | None = None
    study_instance_uid: str | None = None
    limit: int = 50
    after: tuple[datetime, UUID] | None = None
    zone: str = field(default="Asia/Dhaka", kw_only=True)
