"""What is drawn, which steps there are, and what the figures are made of."""

from itertools import product
from uuid import UUID

import pytest

from radiology.errors import TransitionRefused
from radiology.quality.peer_review.model import (
    TRANSITIONS,
    Counted,
    Sampling,
    Score,
    State,
    Verb,
    drawn_for,
    figures,
    step,
    verb_of,
)

REPORTS = [UUID(int=number) for number in range(20_000)]


def test_all_of_the_first_of_a_new_reader_then_three_per_cent_by_the_seed() -> None:
    sampling = Sampling(3, 20, "seed")
    assert [drawn_for(REPORTS[0], number, sampling) for number in (1, 20)] == ["new-reader", "new-reader"]
    drawn = {report for report in REPORTS if drawn_for(report, 21, sampling) == "random"}
    assert 0.026 < len(drawn) / len(REPORTS) < 0.034
    assert drawn == {report for report in REPORTS if drawn_for(report, 22, sampling)}
    assert drawn != {report for report in REPORTS if drawn_for(report, 21, Sampling(3, 20, "another"))}
    assert not any(drawn_for(report, 1, Sampling(0, 0, "seed")) for report in REPORTS)
    assert all(drawn_for(report, 1, Sampling(100, 0, "seed")) for report in REPORTS)


@pytest.mark.parametrize(("state", "verb"), [pair for pair in product(State, Verb) if pair not in TRANSITIONS])
def test_other_steps_are_refused(state: State, verb: Verb) -> None:
    with pytest.raises(TransitionRefused):
        step(state, verb)


def test_which_scores_the_committee_decides_about() -> None:
    assert {score for score in Score if verb_of(score) == Verb.DISPUTE} == {"2b", "3a", "3b"}


def test_figures_are_the_sums_of_their_cells_and_too_few_tell_no_rate() -> None:
    whole = figures([Counted("A", "CT", 100, 4, 1, 2), Counted("B", "DX", 50, 2, 1, 0)])
    assert (whole.coverage, whole.significant_rate, whole.in_arbitration) == (0.04, 2 / 6, 2)
    assert figures([Counted("A", "CT", 100, 4, 1, 2)]).significant_rate is None
    assert figures([]).coverage is None
