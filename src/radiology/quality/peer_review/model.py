"""Which reports are reviewed, the states of a review, and what counts. Pure.

Scores are those of RADPEER (ACR, 2016): 1 agrees; 2 a discrepancy that is understandable; 3 one that should mostly not
happen; a unlikely, b likely to matter to the patient.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from radiology.kit.bilingual import Sentence
from radiology.kit.steps import follow

CLAIMED_FOR: Final = timedelta(hours=2)
FEWEST_SHOWN: Final = 5
"""Figures of fewer reviews would tell of single readers."""
FEWEST_RATED: Final = 10
"""A reader is judged by so many reviews at least."""
RATED_OVER: Final = timedelta(days=365)


class Score(StrEnum):
    """RADPEER."""

    AGREES = "1"
    UNDERSTANDABLE = "2a"
    UNDERSTANDABLE_SIGNIFICANT = "2b"
    SHOULD_BE_MADE = "3a"
    SHOULD_BE_MADE_SIGNIFICANT = "3b"


MEANINGS: Final[Mapping[Score, Sentence]] = {
    Score.AGREES: Sentence("Agrees", "একমত"),
    Score.UNDERSTANDABLE: Sentence("An understandable miss, unlikely to matter", "বোধগম্য ভুল, গুরুত্বপূর্ণ হওয়ার সম্ভাবনা কম"),
    Score.UNDERSTANDABLE_SIGNIFICANT: Sentence(
        "An understandable miss, likely to matter", "বোধগম্য ভুল, গুরুত্বপূর্ণ হওয়ার সম্ভাবনা বেশি"
    ),
    Score.SHOULD_BE_MADE: Sentence(
        "Should be seen most of the time, unlikely to matter",
        "বেশির ভাগ ক্ষেত্রে ধরা পড়া উচিত, গুরুত্বপূর্ণ হওয়ার সম্ভাবনা কম",
    ),
    Score.SHOULD_BE_MADE_SIGNIFICANT: Sentence(
        "Should be seen most of the time, likely to matter",
        "বেশির ভাগ ক্ষেত্রে ধরা পড়া উচিত, গুরুত্বপূর্ণ হওয়ার সম্ভাবনা বেশি",
    ),
}
SIGNIFICANT: Final = frozenset(
    {Score.UNDERSTANDABLE_SIGNIFICANT, Score.SHOULD_BE_MADE, Score.SHOULD_BE_MADE_SIGNIFICANT}
)
"""These count only after the committee has decided."""


class State(StrEnum):
    """How far a review is."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    ARBITRATION = "arbitration"
    COUNTED = "counted"


class Verb(StrEnum):
    """What moves a review. `find` is a score that counts at once, `dispute` one that the committee decides about."""

    CLAIM = "claim"
    RELEASE = "release"
    FIND = "find"
    DISPUTE = "dispute"
    DECIDE = "decide"


TRANSITIONS: Final[Mapping[tuple[State, Verb], State]] = {
    (State.WAITING, Verb.CLAIM): State.CLAIMED,
    (State.CLAIMED, Verb.CLAIM): State.CLAIMED,
    (State.CLAIMED, Verb.RELEASE): State.WAITING,
    (State.CLAIMED, Verb.FIND): State.COUNTED,
    (State.CLAIMED, Verb.DISPUTE): State.ARBITRATION,
    (State.ARBITRATION, Verb.DECIDE): State.COUNTED,
}
"""All steps there are. A claim that nobody used in time is somebody else's to make."""


def step(state: str, verb: Verb) -> State:
    """Where a verb leads. Raises TransitionRefused."""
    return follow(TRANSITIONS, State(state), verb, of="A review")


def verb_of(score: Score) -> Verb:
    """What a score does."""
    return Verb.DISPUTE if score in SIGNIFICANT else Verb.FIND


@dataclass(frozen=True, slots=True)
class Sampling:
    """What is drawn: so many per cent, and all of the first so many of each reader. The seed decides which."""

    percent: float
    first: int
    seed: str


def drawn_for(report_id: UUID, number: int, sampling: Sampling) -> str | None:
    """Why a report is drawn, `number` being its place among those of its reader from 1 on; None where it is not.

    It is drawn by its own id, so that asking again draws the same, and nobody can foresee it without the seed.
    """
    if number <= sampling.first:
        return "new-reader"
    digest = hashlib.sha256(f"{sampling.seed} {report_id}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return "random" if share * 100 < sampling.percent else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review as it stands. reader: who signed the report, as `account:<name>`."""

    id: UUID
    report_id: UUID
    study_id: UUID
    facility_code: str
    modality: str
    reader: str
    practitioner: str
    involved: list[str]
    drawn_for: str
    final_at: datetime
    state: str
    version: int = 1
    reviewer: str | None = None
    claimed_until: datetime | None = None
    score: str | None = None
    comment: str = ""
    scored_at: datetime | None = None
    counted_score: str | None = None
    decided_by: str | None = None
    decision_reason: str = ""
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """How many reports of a cell became final, were reviewed, wait for the committee, and were found to matter."""

    facility_code: str
    modality: str
    finals: int
    reviewed: int
    significant: int
    in_arbitration: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Coverage is reviewed of final reports, the rate significant of reviewed ones; None where there are too few."""

    finals: int
    reviewed: int
    significant: int
    in_arbitration: int

    @property
    def coverage(self) -> float | None:
        """Of 1."""
        return self.reviewed / self.finals if self.finals else None

    @property
    def significant_rate(self) -> float | None:
        """Of 1."""
        return self.significant / self.reviewed if self.reviewed >= FEWEST_SHOWN else None


def figures(cells: Iterable[Counted]) -> Figures:
    """The sum of cells."""
    found = list(cells)
    return Figures(
        sum(each.finals for each in found),
        sum(each.reviewed for each in found),
        sum(each.significant for each in found),
        sum(each.in_arbitration for each in found),
    )
