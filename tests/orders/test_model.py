"""The states of an order: the pairs of state and verb that must be refused."""

from itertools import product

import pytest

from radiology.errors import TransitionRefused, Unprocessable
from radiology.orders.model import TRANSITIONS, Status, Verb, must_have_reason, step, verb_towards

ALLOWED = {
    "draft": {"activate", "cancel", "withdraw"},
    "active": {"hold", "cancel", "complete", "withdraw"},
    "on-hold": {"resume", "cancel", "complete", "withdraw"},
    "revoked": {"reinstate", "withdraw"},
    "completed": {"reopen", "withdraw"},
    "entered-in-error": set(),
}


@pytest.mark.parametrize(
    ("status", "verb"), [pair for pair in product(Status, Verb) if pair[1] not in ALLOWED[pair[0]]]
)
def test_a_step_that_is_refused(status: Status, verb: Verb) -> None:
    with pytest.raises(TransitionRefused, match="possible from here"):
        step(status, verb)


def test_every_other_step_is_in_the_table() -> None:
    assert {(status, verb) for status, verb in TRANSITIONS} == {
        (Status(status), Verb(verb)) for status, verbs in ALLOWED.items() for verb in verbs
    }


@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)))
def test_a_verb_leads_where_it_is_asked_for(before: Status, after: Status) -> None:
    reachable = {TRANSITIONS[before, verb] for verb in Verb if (before, verb) in TRANSITIONS}
    if before == after or after not in reachable:
        with pytest.raises(TransitionRefused):
            verb_towards(before, after)
    else:
        assert step(before, verb_towards(before, after)) == after


@pytest.mark.parametrize("verb", ["hold", "cancel", "reinstate", "reopen", "withdraw"])
def test_what_needs_a_reason(verb: str) -> None:
    must_have_reason(Verb(verb), "So it is.")
    for reason in (None, "", "  "):
        with pytest.raises(Unprocessable, match="reason"):
            must_have_reason(Verb(verb), reason)
