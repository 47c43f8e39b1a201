"""Who is asked next, by what was done for a study so far."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from radiology.kit.db import Transaction
from radiology.reading_worklist.assigning.assign import assign
from radiology.reading_worklist.assigning.model import Candidate, Decision, Round, Rules
from radiology.reading_worklist.model import Waiting
from radiology.reading_worklist.offers import queries
from radiology.reading_worklist.offers.candidates import on_call

LINES_OF_STEP: Final[Mapping[int, tuple[str, ...]]] = {
    0: (),
    1: ("primary",),
    2: ("secondary",),
    3: ("primary", "secondary"),
}
"""Who is called at each step of the escalation; at the last one readers for the whole country are asked, too."""
LAST_STEP: Final = 3


@dataclass(frozen=True, slots=True)
class Past:
    """What was done for a study. step: of the escalation; declined: who said no, and is not asked again."""

    round: Round
    declined: frozenset[str] = frozenset()
    step: int = 0

    @property
    def anew(self) -> Round:
        """The same, as if those were not asked yet who did not answer."""
        return replace(self.round, asked=self.declined)


async def pasts_of(tx: Transaction, several: Sequence[Waiting], people: Sequence[Candidate]) -> dict[UUID, Past]:
    """What was done for each of them. Whoever did not answer is asked again at the next step of the escalation."""
    ids = [each.study_id for each in several]
    steps = await queries.steps(tx, ids)
    asked = defaultdict[UUID, list[queries.Asked]](list)
    for each in await queries.asked(tx, ids):
        asked[each.study_id].append(each)
    found = dict[UUID, Past]()
    for waiting in several:
        step, before = steps.get(waiting.study_id, 0), asked[waiting.study_id]
        declined = frozenset(each.reader for each in before if each.state == "declined")
        silent = frozenset(each.reader for each in before if each.state == "expired" and each.step == step)
        called = on_call(people, waiting.facility_code, waiting.subspecialty, LINES_OF_STEP[step])
        found[waiting.study_id] = Past(Round(declined | silent, called, step == LAST_STEP), declined, step)
    return found


def decide(
    several: Sequence[Waiting], people: Sequence[Candidate], pasts: Mapping[UUID, Past], now: datetime, rules: Rules
) -> Iterator[Decision]:
    """Who is asked for each of them, in the order in which they are read. Pure.

    Whoever is called by the escalation is asked before all others. Where nobody is left who was not asked, those are
    asked again who did not answer.
    """
    rounds = {study_id: past.round for study_id, past in pasts.items()}
    for decision in assign(several, people, now, rules, rounds):
        waiting, past = decision.waiting, pasts[decision.waiting.study_id]
        called = [each for each in people if each.reader.reference in past.round.called]
        [first] = assign([waiting], called, now, rules, rounds) if called else [decision]
        if first.chosen is not None:
            yield first
        elif decision.chosen is None and past.round != past.anew:
            [again] = assign([waiting], people, now, rules, {waiting.study_id: past.anew})
            yield again
        else:
            yield decision
