"""Which steps there are on the way out, and which are refused."""

import pytest

from radiology.errors import TransitionRefused
from radiology.retention.removal_model import TRANSITIONS, ItemState, Step, after

REFUSED = [(state, step) for state in ItemState for step in Step if (state, step) not in TRANSITIONS]


@pytest.mark.parametrize(("state", "step"), REFUSED)
def test_refused(state: ItemState, step: Step) -> None:
    with pytest.raises(TransitionRefused):
        after(state, step)


def test_nothing_is_purged_that_was_not_in_the_bin_and_nothing_hidden_that_was_not_approved() -> None:
    assert [state for state, step in TRANSITIONS if step is Step.PURGE] == [ItemState.BINNED]
    assert [state for state, step in TRANSITIONS if step is Step.BIN] == [ItemState.APPROVED]
    assert not [state for state, _ in TRANSITIONS if state in {ItemState.PURGED, ItemState.KEPT, ItemState.RESTORED}]
