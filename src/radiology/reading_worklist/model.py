"""What waits to be read: its states, how urgent it is, and by when it is due. Pure.

Numbers of priorities, turnaround and urgency are data here; how many hours a clock has run is in `clocks.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from radiology.kit.explaining import Factor
from radiology.kit.steps import follow

RULE_SET_VERSION: Final = "1"
SOURCE: Final = "reading worklist, rule set 1"


class State(StrEnum):
    """Where the reading of a study stands. Whether its images are still coming is said beside it."""

    WAITING = "waiting"
    OFFERED = "offered"
    """One reader is asked whether he or she takes it."""
    CLAIMED = "claimed"
    DRAFTED = "drafted"
    """A report is begun and shown to nobody yet."""
    PRELIMINARY = "preliminary"
    FINAL = "final"
    REMOVED = "removed"
    """There is nothing to read: the study is cancelled, entered in error, or has no images."""


class Verb(StrEnum):
    """What moves it."""

    OFFER = "offer"
    DECLINE = "decline"
    CLAIM = "claim"
    RELEASE = "release"
    DRAFT = "draft"
    PRESENT = "present"
    SIGN = "sign"
    RETURN = "return"
    """No report of it is open or signed any more."""
    REMOVE = "remove"
    RESTORE = "restore"


OPEN: Final = (State.WAITING, State.OFFERED, State.CLAIMED, State.DRAFTED, State.PRELIMINARY)
"""What is in the list."""
UNREPORTED: Final = (State.WAITING, State.OFFERED, State.CLAIMED)
REPORTED: Final = (State.DRAFTED, State.PRELIMINARY, State.FINAL)

TRANSITIONS: Final[Mapping[tuple[State, Verb], State]] = MappingProxyType(
    {
        (State.WAITING, Verb.OFFER): State.OFFERED,
        (State.OFFERED, Verb.OFFER): State.OFFERED,
        (State.OFFERED, Verb.DECLINE): State.WAITING,
        **{(state, Verb.CLAIM): State.CLAIMED for state in UNREPORTED},
        (State.CLAIMED, Verb.RELEASE): State.WAITING,
        **{(state, verb): state for state in (State.DRAFTED, State.PRELIMINARY) for verb in (Verb.CLAIM, Verb.RELEASE)},
        **{(state, Verb.DRAFT): State.DRAFTED for state in (*UNREPORTED, State.PRELIMINARY, State.FINAL)},
        **{(state, Verb.PRESENT): State.PRELIMINARY for state in (*UNREPORTED, State.DRAFTED, State.FINAL)},
        **{(state, Verb.SIGN): State.FINAL for state in OPEN},
        **{(state, Verb.RETURN): State.WAITING for state in REPORTED},
        **{(state, Verb.REMOVE): State.REMOVED for state in (*OPEN, State.FINAL)},
        (State.REMOVED, Verb.RESTORE): State.WAITING,
    }
)
"""All steps there are. A claim on what has a report keeps others out, and says nothing of how far the report is."""


def step(state: State, verb: Verb) -> State:
    """Where a verb leads. Raises TransitionRefused."""
    return follow(TRANSITIONS, state, verb, of="A study in the reading worklist")


class Priority(StrEnum):
    """FHIR R4 request-priority, the most urgent first."""

    STAT = "stat"
    ASAP = "asap"
    URGENT = "urgent"
    ROUTINE = "routine"


class AgeGroup(StrEnum):
    """Whom a reader may read."""

    NEONATE = "neonate"
    """Younger than 28 days."""
    CHILD = "child"
    """Younger than 18 years."""
    ADULT = "adult"
    """Everybody else, and of whom nobody knows."""


BASE: Final[Mapping[Priority, int]] = MappingProxyType(
    {Priority.STAT: 1000, Priority.ASAP: 700, Priority.URGENT: 500, Priority.ROUTINE: 100}
)
OF_TIME, OF_INPATIENT, OF_CRITICAL = 100, 30, 50
STAT_HOURS, STAT_AT_ONCE_HOURS, URGENT_HOURS = 1.0, 0.5, 4.0
ALWAYS_RUNNING: Final = frozenset({Priority.STAT, Priority.ASAP, Priority.URGENT})
"""Their clock never stops, whatever a facility's hours are."""
MINUTES_OF_RVU: Final = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the images were made: places of the list of geocodes, empty where they are not known."""

    facility_code: str
    district: str = ""
    division: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A study that waits for a reader, with all that decides who it is given to and when.

    sla_hours: from complete images to the final report. received_at: its first image; completed_at: all images, None
    while they come; deadline: when sla_hours of its clock have passed. rvu: relative value of reading it. certificates:
    what its reader must hold beside privileges (`mammography`, `cardiac-ct`). reader_sex: F or M where only such a
    reader may read it. author: who began its report; approver_differs: somebody else must sign it. readers_of_region,
    readers_of_patient: practitioners who read a prior of this region within two years, of this patient at all.
    """

    study_id: UUID
    place: Place
    priority: Priority
    modality: str
    received_at: datetime
    sla_hours: float
    completed_at: datetime | None = None
    deadline: datetime | None = None
    modalities: frozenset[str] = frozenset()
    procedure_key: str = ""
    region: str = ""
    subspecialty: str = "general"
    rvu: float = 1.0
    age_group: AgeGroup = AgeGroup.ADULT
    patient_id: UUID | None = None
    patient_sex: str = ""
    sensitive: bool = False
    inpatient: bool = False
    critical: bool = False
    certificates: frozenset[str] = frozenset()
    reader_sex: str = ""
    state: State = State.WAITING
    author: str | None = None
    approver_differs: bool = False
    readers_of_region: frozenset[str] = field(default_factory=frozenset[str])
    readers_of_patient: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def facility_code(self) -> str:
        """Of where the images were made."""
        return self.place.facility_code

    @property
    def predicted_minutes(self) -> float:
        """How long reading it takes."""
        return self.rvu * MINUTES_OF_RVU

    def share_of_time(self, now: datetime) -> float:
        """How much of the time for it has passed: 0 when it is complete, 1 at the deadline, more behind it."""
        if self.completed_at is None or self.deadline is None:
            return 0.0
        return max((now - self.completed_at) / (self.deadline - self.completed_at), 0.0)

    def is_breached(self, now: datetime) -> bool:
        """Whether it should have been read by now."""
        return self.deadline is not None and now > self.deadline

    def urgency(self, now: datetime) -> float:
        """What is read first: U = base + 100 · time passed + 30 · inpatient + 50 · critical."""
        return (
            BASE[self.priority]
            + OF_TIME * self.share_of_time(now)
            + OF_INPATIENT * self.inpatient
            + OF_CRITICAL * self.critical
        )

    def explained(self, now: datetime) -> list[Factor]:
        """Why it stands where it stands; the contributions add up to `urgency`."""
        share = self.share_of_time(now)
        return [
            Factor("priority", self.priority, contribution=BASE[self.priority], source=SOURCE),
            Factor("time", round(share, 4), min(share, 1.0), OF_TIME, OF_TIME * share, SOURCE),
            _yes_or_no("inpatient", self.inpatient, OF_INPATIENT),
            _yes_or_no("critical", self.critical, OF_CRITICAL),
        ]


def _yes_or_no(name: str, holds: bool, weight: int) -> Factor:
    return Factor(name, holds, float(holds), weight, weight * holds, SOURCE)


def in_order(waiting: Iterable[Waiting], now: datetime) -> list[Waiting]:
    """As they are read: the most urgent first, then what came first, then by study."""
    return sorted(waiting, key=lambda each: (-each.urgency(now), each.received_at, each.study_id))


def sla_hours(priority: Priority, turnaround_hours: float, *, at_once: bool = False) -> float:
    """How many hours there are for a study whose procedure has this turnaround. at_once: stroke or trauma."""
    if priority == Priority.STAT:
        return STAT_AT_ONCE_HOURS if at_once else STAT_HOURS
    if priority in (Priority.URGENT, Priority.ASAP):
        return min(URGENT_HOURS, turnaround_hours)
    return turnaround_hours
