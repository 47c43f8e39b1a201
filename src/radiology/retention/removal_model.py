"""How far a study is on its way out, and which steps there are. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from radiology.errors import TransitionRefused


class ItemState(StrEnum):
    """kept: something keeps it after all."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    BINNED = "binned"
    RESTORED = "restored"
    KEPT = "kept"
    PURGED = "purged"


class Step(StrEnum):
    """What is done with it."""

    APPROVE = "approve"
    REFUSE = "refuse"
    BIN = "bin"
    RESTORE = "restore"
    KEEP = "keep"
    PURGE = "purge"


TRANSITIONS: Final[Mapping[tuple[ItemState, Step], ItemState]] = {
    (ItemState.PROPOSED, Step.APPROVE): ItemState.APPROVED,
    (ItemState.PROPOSED, Step.REFUSE): ItemState.REFUSED,
    (ItemState.APPROVED, Step.BIN): ItemState.BINNED,
    (ItemState.APPROVED, Step.KEEP): ItemState.KEPT,
    (ItemState.BINNED, Step.RESTORE): ItemState.RESTORED,
    (ItemState.BINNED, Step.KEEP): ItemState.KEPT,
    (ItemState.BINNED, Step.PURGE): ItemState.PURGED,
}


def after(state: str, step: Step) -> ItemState:
    """What it is after a step. Raises TransitionRefused."""
    found = TRANSITIONS.get((ItemState(state), step))
    if found is None:
        raise TransitionRefused(f"A study that is {state} cannot be taken to the step {step}.")
    return found
