"""The states of a charge: which steps there are, and what order and study make of it."""

from itertools import product

import pytest

from radiology.billing.model import TRANSITIONS, State, Verb, step, verb_towards, wanted
from radiology.errors import TransitionRefused


@pytest.mark.parametrize(("state", "verb"), [pair for pair in product(State, Verb) if pair not in TRANSITIONS])
def test_other_steps_are_refused(state: State, verb: Verb) -> None:
    with pytest.raises(TransitionRefused):
        step(state, verb)


@pytest.mark.parametrize(
    ("before", "order", "study", "removed", "after"),
    [
        (None, "draft", None, False, None),
        (None, "active", "registered", False, "planned"),
        (None, "active", None, False, "planned"),
        (None, "revoked", "cancelled", False, None),
        (None, "completed", "completed", False, "captured"),
        ("planned", "active", "in-progress", False, "planned"),
        ("planned", "on-hold", "registered", False, "planned"),
        ("planned", "active", "completed", False, "captured"),
        ("planned", "revoked", "cancelled", False, "credited"),
        ("planned", "active", "cancelled", False, "credited"),
        ("planned", "active", "registered", True, "credited"),
        ("captured", "active", "in-progress", False, "captured"),
        ("captured", "completed", "entered-in-error", False, "credited"),
        ("captured", "entered-in-error", "completed", False, "credited"),
        ("credited", "active", "registered", False, "planned"),
        ("credited", "completed", "completed", False, "captured"),
    ],
)
def test_what_order_and_study_make_of_it(
    before: str | None, order: str, study: str | None, removed: bool, after: str | None
) -> None:
    found = wanted(State(before) if before else None, order=order, study=study, removed=removed)
    assert found == after
    if before and found and found != before:
        assert step(State(before), verb_towards(found)) == found
