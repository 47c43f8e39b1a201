"""What is booked: priorities, minutes on the grid, what an examination asks of its room, and overbooking. Pure."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from radiology.errors import Unprocessable
from radiology.kit.steps import follow

GRID: Final = timedelta(minutes=5)
"""Everything begins and ends on this grid."""
LONGEST_MINUTES: Final = 480
RELEASED_BEFORE: Final = timedelta(minutes=60)
"""What is kept for the few is open to all so long before it begins."""
RESERVED_SHARE: Final = 0.2
RESERVING: Final = frozenset({"CT", "US"})
"""Of each hour of these modalities a fifth is kept for STAT and urgent."""
MOST_TOO_MANY: Final = 0.10
"""Overbooking is chosen so that more come than there are slots with at most this probability."""


class Priority(StrEnum):
    """How urgent an examination is."""

    STAT = "stat"
    URGENT = "urgent"
    ROUTINE = "routine"


class Status(StrEnum):
    """Where a booking stands. `HELD`: offered to somebody of the waiting list, who has not answered yet."""

    HELD = "held"
    BOOKED = "booked"
    ARRIVED = "arrived"
    NO_SHOW = "no-show"
    CANCELLED = "cancelled"


class Verb(StrEnum):
    """What moves a booking."""

    ACCEPT = "accept"
    RESCHEDULE = "reschedule"
    ARRIVE = "arrive"
    MISS = "miss"
    CANCEL = "cancel"


OCCUPYING: Final = (Status.HELD, Status.BOOKED, Status.ARRIVED)
"""Bookings whose time nobody else can have."""

TRANSITIONS: Final[Mapping[tuple[Status, Verb], Status]] = {
    (Status.HELD, Verb.ACCEPT): Status.BOOKED,
    (Status.HELD, Verb.CANCEL): Status.CANCELLED,
    (Status.BOOKED, Verb.RESCHEDULE): Status.BOOKED,
    (Status.BOOKED, Verb.ARRIVE): Status.ARRIVED,
    (Status.BOOKED, Verb.MISS): Status.NO_SHOW,
    (Status.BOOKED, Verb.CANCEL): Status.CANCELLED,
    (Status.ARRIVED, Verb.RESCHEDULE): Status.BOOKED,
    (Status.ARRIVED, Verb.CANCEL): Status.CANCELLED,
    (Status.NO_SHOW, Verb.ARRIVE): Status.ARRIVED,
    (Status.NO_SHOW, Verb.RESCHEDULE): Status.BOOKED,
}
"""All steps there are. Who comes late arrives after all."""


def step(status: Status, verb: Verb) -> Status:
    """Where a verb leads. Raises TransitionRefused."""
    return follow(TRANSITIONS, status, verb, of="A booking")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A piece of time from a moment up to another, aware."""

    begins: datetime
    ends: datetime

    @property
    def length(self) -> timedelta:
        """How long it is; nothing where it ends before it begins."""
        return max(self.ends - self.begins, timedelta())

    def meets(self, other: "Span") -> bool:
        """Whether the two have some time in common."""
        return self.begins < other.ends and other.begins < self.ends

    def holds(self, other: "Span") -> bool:
        """Whether the other lies within this one."""
        return self.begins <= other.begins and other.ends <= self.ends

    def common(self, other: "Span") -> "Span":
        """What both have in common."""
        return Span(max(self.begins, other.begins), min(self.ends, other.ends))


@dataclass(frozen=True, slots=True)
class Examination:
    """One examination that is to be booked, and what it asks for.

    key: the id of its item, or a name that a search gives it. fasting_hours: how long nothing is eaten before, which is
    the time between booking and examination, too. female_operator: a woman examines. deadline: by then it has begun.
    """

    key: str
    modality: str
    minutes: int
    priority: Priority = Priority.ROUTINE
    fasting_hours: int = 0
    diabetic: bool = False
    contrast: bool = False
    barium: bool = False
    isolation: bool = False
    female_operator: bool = False
    sedation: bool = False
    deadline: datetime | None = None
    rooms: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def length(self) -> timedelta:
        """How long it takes, on the grid."""
        return timedelta(minutes=on_grid(self.minutes))

    @property
    def is_routine(self) -> bool:
        """Whether it keeps off what is reserved for the urgent."""
        return self.priority == Priority.ROUTINE


def on_grid(minutes: int) -> int:
    """Minutes rounded up to the grid. Raises Unprocessable for none, and for more than a working day."""
    if not 0 < minutes <= LONGEST_MINUTES:
        raise Unprocessable(f"An examination takes 1 to {LONGEST_MINUTES} minutes.")
    size = int(GRID.total_seconds()) // 60
    return -(-minutes // size) * size


#: Modality, or modality and a word of its procedure or `contrast` -> minutes. The longest one that fits counts.
#: NM and PT follow their protocols: they have none until the facility says so.
MINUTES: Final[Mapping[tuple[str, str], int]] = {
    ("CR", ""): 10,
    ("DX", ""): 10,
    ("PX", ""): 10,
    ("US", ""): 15,
    ("US", "doppler"): 30,
    ("US", "anomaly"): 40,
    ("CT", ""): 15,
    ("CT", "contrast"): 30,
    ("CT", "angio"): 30,
    ("MR", ""): 30,
    ("MR", "contrast"): 45,
    ("MG", ""): 15,
    ("RF", ""): 30,
    ("RF", "hsg"): 45,
    ("RF", "hysterosalpingo"): 45,
    ("RF", "mcug"): 45,
    ("RF", "micturating"): 45,
    ("BMD", ""): 20,
}
_WORDS: Final = re.compile(r"[a-z]+")


def own_minutes(modality: str, own: Mapping[str, int], *, codes: Sequence[str] = ()) -> int | None:
    """How long a facility says that an examination of this code or modality takes; None where it has not."""
    said = next((own[key] for key in (*codes, modality) if key in own), None)
    return None if said is None else on_grid(said)


def default_minutes(modality: str, procedure: str, *, contrast: bool) -> int:
    """How long an examination takes by the table above and its name. Raises Unprocessable where nobody has said."""
    words = [*_WORDS.findall(procedure.casefold()), *(["contrast"] if contrast else [])]
    found = [
        minutes
        for (kind, beginning), minutes in MINUTES.items()
        if kind == modality and (not beginning or any(word.startswith(beginning) for word in words))
    ]
    if not found:
        raise Unprocessable(
            f"Nobody has said how long an examination of {modality} takes: give minutes, or set them for the facility."
        )
    return max(found)


def overbooking(slots: int, no_show_rate: float) -> int:
    """How many more than there are slots may be booked: the most whose surplus is rare enough.

    The greatest k with P(Binomial(slots + k, 1 - no_show_rate) > slots) at most 0.10.
    """
    if slots <= 0 or not 0 < no_show_rate < 1:
        return 0
    more = 0
    while more < slots and _more_than(slots, slots + more + 1, 1 - no_show_rate) <= MOST_TOO_MANY:
        more += 1
    return more


def _more_than(limit: int, number: int, probability: float) -> float:
    return sum(
        math.comb(number, count) * probability**count * (1 - probability) ** (number - count)
        for count in range(limit + 1, number + 1)
    )
