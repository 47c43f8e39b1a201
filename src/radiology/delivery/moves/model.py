"""Moves: how far one has come, and what became of each instance."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from radiology.delivery.results import Sent


class Status(StrEnum):
    """How far a move has come."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER: Final = frozenset({Status.COMPLETED, Status.PARTIAL, Status.FAILED, Status.CANCELLED})


@dataclass(frozen=True, slots=True)
class Move:
    """A move, and where it goes. `attempts`: how many have ended."""

    id: UUID
    study_instance_uid: str
    destination: str
    priority: str
    status: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many instances a move has and how many of them are not there, and why the last that failed did."""

    total: int
    failed: int
    remaining: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one instance."""

    sop_instance_uid: str
    result: str
    status: int
    sentence: str


def result_of(sop_instance_uid: str, sent: Sent) -> Result:
    """The result of one C-STORE."""
    kind = "failed" if sent.is_failure else "warning" if sent.is_warning else "completed"
    return Result(sop_instance_uid, kind, sent.status, sent.sentence)


def status_after(counts: Counts) -> Status:
    """How a move ends after its last attempt: what is left unsent counts as what failed."""
    missing = counts.failed + counts.remaining
    if not missing:
        return Status.COMPLETED
    return Status.FAILED if missing == counts.total else Status.PARTIAL
