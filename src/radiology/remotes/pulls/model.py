"""Pulls: how far one has come, and how it goes on."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from radiology.application_entities.retries import MINUTES_BETWEEN_ATTEMPTS
from radiology.remotes.copying import Outcome


class Status(StrEnum):
    """How far a pull has come."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER: Final = frozenset({Status.COMPLETED, Status.PARTIAL, Status.FAILED, Status.CANCELLED})


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull, and where the study comes from."""

    id: UUID
    remote: str
    study_instance_uid: str
    status: str
    attempts: int


def status_after(outcome: Outcome, attempts: int) -> Status:
    """How it goes on after so many attempts, of which this is what the last one brought."""
    if outcome.state == "copied":
        return Status.COMPLETED
    unknown_there = outcome.instances == 0
    if attempts <= len(MINUTES_BETWEEN_ATTEMPTS) and not unknown_there:
        return Status.WAITING
    return Status.PARTIAL if outcome.missing and outcome.missing < (outcome.instances or 0) else Status.FAILED
