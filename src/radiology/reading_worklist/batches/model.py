"""Which studies make a batch. Pure.

A batch is at most 20 studies or 60 predicted minutes of one modality, region, procedure and facility. What is STAT,
asap or urgent is in none, what is sensitive only where its reader is given such studies, and nothing that would be
finished with less than 15 % of its time left.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from radiology.reading_worklist.model import Priority, State, Waiting

MOST_STUDIES: Final = 20
MOST_MINUTES: Final = 60.0
RESERVE: Final = 0.15
"""This share of the time for a study is left when it is predicted to be finished."""


@dataclass(frozen=True, slots=True, order=True)
class Alike:
    """What the studies of a batch have in common. procedure_key: the template that is used for it follows from it."""

    facility_code: str
    modality: str
    region: str = ""
    procedure_key: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Studies in the order in which they are read."""

    alike: Alike
    studies: tuple[Waiting, ...]

    @property
    def minutes(self) -> float:
        """How long reading all of them takes."""
        return sum(each.predicted_minutes for each in self.studies)


def batches(waiting: Iterable[Waiting], now: datetime, *, reads_sensitive: bool) -> list[Batch]:
    """One batch of each kind of studies, that with the earliest deadline first; in whatever order they come."""
    groups = defaultdict[Alike, list[Waiting]](list)
    for each in waiting:
        if _may_be_batched(each, reads_sensitive=reads_sensitive):
            groups[Alike(each.facility_code, each.modality, each.region, each.procedure_key)].append(each)
    found = [Batch(alike, _in_time(several, now)) for alike, several in groups.items()]
    return sorted((each for each in found if each.studies), key=lambda each: (_due(each.studies[0]), each.alike))


def _may_be_batched(waiting: Waiting, *, reads_sensitive: bool) -> bool:
    return (
        waiting.priority == Priority.ROUTINE
        and waiting.state == State.WAITING
        and waiting.deadline is not None
        and (reads_sensitive or not waiting.sensitive)
    )


def _in_time(several: Iterable[Waiting], now: datetime) -> tuple[Waiting, ...]:
    """Those of a kind that fit into one batch, by deadline. What is left out delays nothing that follows."""
    chosen, minutes = list[Waiting](), 0.0
    for each in sorted(several, key=lambda each: (_due(each), each.study_id)):
        after = minutes + each.predicted_minutes
        if len(chosen) == MOST_STUDIES or after > MOST_MINUTES:
            break
        latest = _due(each) - timedelta(hours=RESERVE * each.sla_hours)
        if now + timedelta(minutes=after) <= latest:
            chosen.append(each)
            minutes = after
    return tuple(chosen)


def _due(waiting: Waiting) -> datetime:
    if waiting.deadline is None:
        raise ValueError("what is in no batch was asked for its deadline")
    return waiting.deadline
