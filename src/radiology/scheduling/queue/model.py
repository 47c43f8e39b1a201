"""In which order people are called, and what a token can become. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from radiology.errors import TransitionRefused
from radiology.scheduling.model import Priority


class Status(StrEnum):
    """Where somebody with a token is; whoever is examined or done is not in the queue any more."""

    WAITING = "waiting"
    CALLED = "called"
    MISSED = "missed"
    LEFT = "left"


#: What somebody with a token can become. Who was missed waits again when he or she comes.
TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = {
    Status.WAITING: frozenset({Status.CALLED, Status.LEFT}),
    Status.CALLED: frozenset({Status.CALLED, Status.MISSED, Status.WAITING, Status.LEFT}),
    Status.MISSED: frozenset({Status.CALLED, Status.WAITING, Status.LEFT}),
    Status.LEFT: frozenset(),
}


def must_be_possible(before: str, after: Status) -> None:
    """Raise TransitionRefused where a token cannot become that."""
    if after not in TRANSITIONS[Status(before)]:
        raise TransitionRefused(f"A token that is {before} cannot become {after}.")


@dataclass(frozen=True, slots=True)
class Token:
    """Somebody who has arrived. `begins`: when he or she was booked for, None for who came without."""

    id: UUID
    room_id: UUID
    number: int
    status: str
    priority: str
    facts: dict[str, Any]
    step_id: UUID
    booking_id: UUID | None
    begins: datetime | None
    taken_at: datetime
    called_at: datetime | None
    calls: int

    @property
    def turn(self) -> tuple[int, int, int, datetime, int]:
        """The lower, the sooner: urgent ones, diabetics who fast, others who fast, then by time; isolation is last."""
        rank = list(Priority).index(Priority(self.priority))
        fasting = bool(self.facts.get("fastingHours"))
        hungry = (0 if self.facts.get("diabetic") else 1) if fasting else 2
        last = int(bool(self.facts.get("isolation")) and self.priority == Priority.ROUTINE)
        return last, rank, hungry, self.begins or self.taken_at, self.number


def in_turn(tokens: Iterable[Token]) -> list[Token]:
    """Who waits, in the order in which they are called."""
    return sorted((token for token in tokens if token.status == Status.WAITING), key=lambda token: token.turn)
