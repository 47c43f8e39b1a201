"""The states of a workitem and the rules of PS3.4 CC.1.1. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Final

from radiology.errors import TransitionRefused
from radiology.standards.dicom.uids import is_valid_uid
from radiology.workitems import attributes as rules
from radiology.workitems.attributes import PROCEDURE_STEP_STATE, TRANSACTION_UID, text


class State(StrEnum):
    """Procedure Step State (0074,1000) (PS3.4 table CC.1.1-1)."""

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"


class Verb(StrEnum):
    """What may be asked of a workitem that exists."""

    SCHEDULE = "schedule"
    START = "start"
    COMPLETE = "complete"
    CANCEL = "cancel"
    REQUEST_CANCEL = "request cancel"


class Code(IntEnum):
    """The statuses of the UPS services (PS3.4 CC.2.1.4 to CC.2.6.4)."""

    ALREADY_CANCELED = 0xB304
    ALREADY_COMPLETED = 0xB306
    NO_LONGER_UPDATED = 0xC300
    WRONG_TRANSACTION_UID = 0xC301
    ALREADY_IN_PROGRESS = 0xC302
    SCHEDULED_BY_CREATION_ONLY = 0xC303
    FINAL_STATE_NOT_MET = 0xC304
    UNKNOWN_INSTANCE = 0xC307
    UNKNOWN_RECEIVER = 0xC308
    NOT_CREATED_SCHEDULED = 0xC309
    NOT_IN_PROGRESS = 0xC310
    COMPLETED = 0xC311
    PERFORMER_UNREACHABLE = 0xC312
    NOT_FOR_THIS_INSTANCE = 0xC314
    DUPLICATE_INSTANCE = 0x0111


#: What a change of state asks for, by the state that is wanted.
VERBS: Final[Mapping[str, Verb]] = {
    State.SCHEDULED: Verb.SCHEDULE,
    State.IN_PROGRESS: Verb.START,
    State.COMPLETED: Verb.COMPLETE,
    State.CANCELED: Verb.CANCEL,
}

#: What is done (PS3.4 table CC.1.1-2). A request to cancel in progress changes nothing: the performer is told.
TRANSITIONS: Final[Mapping[tuple[State, Verb], State]] = {
    (State.SCHEDULED, Verb.START): State.IN_PROGRESS,
    (State.SCHEDULED, Verb.REQUEST_CANCEL): State.CANCELED,
    (State.IN_PROGRESS, Verb.COMPLETE): State.COMPLETED,
    (State.IN_PROGRESS, Verb.CANCEL): State.CANCELED,
    (State.IN_PROGRESS, Verb.REQUEST_CANCEL): State.IN_PROGRESS,
}

#: What is answered with a warning, as it is so already.
WARNINGS: Final[Mapping[tuple[State, Verb], Code]] = {
    (State.COMPLETED, Verb.COMPLETE): Code.ALREADY_COMPLETED,
    (State.CANCELED, Verb.CANCEL): Code.ALREADY_CANCELED,
    (State.CANCELED, Verb.REQUEST_CANCEL): Code.ALREADY_CANCELED,
}

#: What is refused, once the Transaction UID is right.
REFUSALS: Final[Mapping[tuple[State, Verb], Code]] = {
    **{(state, Verb.SCHEDULE): Code.SCHEDULED_BY_CREATION_ONLY for state in State},
    (State.SCHEDULED, Verb.COMPLETE): Code.NOT_IN_PROGRESS,
    (State.SCHEDULED, Verb.CANCEL): Code.NOT_IN_PROGRESS,
    (State.IN_PROGRESS, Verb.START): Code.ALREADY_IN_PROGRESS,
    (State.COMPLETED, Verb.START): Code.NO_LONGER_UPDATED,
    (State.COMPLETED, Verb.CANCEL): Code.NO_LONGER_UPDATED,
    (State.COMPLETED, Verb.REQUEST_CANCEL): Code.COMPLETED,
    (State.CANCELED, Verb.START): Code.NO_LONGER_UPDATED,
    (State.CANCELED, Verb.COMPLETE): Code.NO_LONGER_UPDATED,
}

SENTENCES: Final[Mapping[Code, str]] = {
    Code.NO_LONGER_UPDATED: "The workitem has ended and may no longer be updated.",
    Code.WRONG_TRANSACTION_UID: "The correct Transaction UID was not provided.",
    Code.ALREADY_IN_PROGRESS: "The workitem is in progress already.",
    Code.SCHEDULED_BY_CREATION_ONLY: "A workitem is scheduled only by its creation.",
    Code.NOT_IN_PROGRESS: "The workitem is not in progress. Claim it first.",
    Code.COMPLETED: "The workitem is completed already.",
}


@dataclass(frozen=True, slots=True)
class Workitem:
    """One unified procedure step.

    `transaction_uid` is the lock of its performer, None before it is claimed; it stays when the workitem has ended, and
    is never shown. `attributes` are in the DICOM JSON model, with Procedure Step State and without Transaction UID.
    """

    sop_instance_uid: str
    facility_code: str
    state: State
    transaction_uid: str | None
    attributes: Mapping[str, Any]

    def change_state(self, wanted: str, transaction_uid: str, at: datetime) -> tuple["Workitem", Code | None]:
        """The workitem in the wanted state, or unchanged with a warning where it is in it already (PS3.4 CC.2.1.3).

        Raises TransitionRefused with the status of table CC.1.1-2.
        """
        verb = VERBS.get(wanted)
        if verb is None:
            raise TransitionRefused(f"{wanted[:20]!r} is no state of a workitem.", dimse_status=0x0115)
        if verb is not Verb.SCHEDULE and not self.is_locked_by(transaction_uid):
            raise refused(Code.WRONG_TRANSACTION_UID)
        after, warning = step(self.state, verb)
        if warning is not None:
            return self, warning
        changed = self.within(after, at, lock=transaction_uid)
        if missing := rules.missing(after, changed.attributes):
            raise TransitionRefused(
                f"{wanted} needs a value of {rules.named(missing)}.", dimse_status=Code.FINAL_STATE_NOT_MET
            )
        return changed, None

    def is_locked_by(self, transaction_uid: str) -> bool:
        """Whether this is the right Transaction UID; before the workitem is claimed, any UID is."""
        if self.transaction_uid is None:
            return self.state is State.SCHEDULED and is_valid_uid(transaction_uid)
        return self.transaction_uid == transaction_uid

    def update(self, changes: Mapping[str, Any], transaction_uid: str, at: datetime) -> "Workitem":
        """The workitem with attributes replaced, each as a whole (PS3.4 CC.2.6.3).

        Raises TransitionRefused (C300, C301, C310) and AttributesRefused for what may not be set.
        """
        if self.state in (State.COMPLETED, State.CANCELED):
            raise refused(Code.NO_LONGER_UPDATED)
        if self.state is State.SCHEDULED and transaction_uid:
            raise refused(Code.NOT_IN_PROGRESS)
        if self.state is State.IN_PROGRESS and not self.is_locked_by(transaction_uid):
            raise refused(Code.WRONG_TRANSACTION_UID)
        rules.check_modification(changes)
        return replace(self, attributes=rules.modified({**self.attributes, **changes}, at))

    def within(self, state: State, at: datetime, *, lock: str) -> "Workitem":
        """The workitem in another state, with the moment of its cancellation where that is it."""
        attributes = {**self.attributes, PROCEDURE_STEP_STATE: {"vr": "CS", "Value": [str(state)]}}
        if state is State.CANCELED:
            attributes = rules.canceled(attributes, at)
        locked_by = self.transaction_uid or lock
        return replace(self, state=state, transaction_uid=locked_by, attributes=rules.modified(attributes, at))

    def cancel_as_requested(self, request: Mapping[str, Any], at: datetime, lock: str) -> "Workitem":
        """The scheduled workitem cancelled by us, with the reasons of the request (PS3.4 CC.2.2.3)."""
        return replace(self, attributes=rules.with_reasons(self.attributes, request)).within(
            State.CANCELED, at, lock=lock
        )


def step(state: State, verb: Verb) -> tuple[State, Code | None]:
    """Where a verb leads, and the warning where it leads nowhere. Raises TransitionRefused (PS3.4 table CC.1.1-2)."""
    if (code := REFUSALS.get((state, verb))) is not None:
        raise refused(code)
    if (warning := WARNINGS.get((state, verb))) is not None:
        return state, warning
    return TRANSITIONS[state, verb], None


def created(sop_instance_uid: str, facility_code: str, attributes: Mapping[str, Any], at: datetime) -> Workitem:
    """A new workitem (PS3.4 CC.2.5.3). Raises TransitionRefused (C309), AttributesRefused (0120, 0121, 0106)."""
    if text(attributes, PROCEDURE_STEP_STATE) != State.SCHEDULED:
        raise TransitionRefused(
            "A workitem is created with Procedure Step State SCHEDULED.", dimse_status=Code.NOT_CREATED_SCHEDULED
        )
    rules.check_creation(attributes)
    kept = {tag: element for tag, element in attributes.items() if tag != TRANSACTION_UID}
    made = rules.identified(rules.modified(kept, at), sop_instance_uid)
    return Workitem(sop_instance_uid, facility_code, State.SCHEDULED, None, made)


def refused(code: Code) -> TransitionRefused:
    """The refusal with this status."""
    return TransitionRefused(SENTENCES[code], dimse_status=code)
