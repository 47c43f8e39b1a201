"""State machines as tables: where a verb leads, and the sentence where it leads nowhere."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from radiology.errors import TransitionRefused

Status = TypeVar("Status", bound=StrEnum)
Verb = TypeVar("Verb", bound=StrEnum)


def follow(
    transitions: Mapping[tuple[Status, Verb], Status],
    status: Status,
    verb: Verb,
    *,
    of: str,
    at_an_end: str = "nothing is possible from here",
) -> Status:
    """Where a verb leads. `of` names what has the status, as `A study`. Raises TransitionRefused."""
    after = transitions.get((status, verb))
    if after is None:
        possible = sorted(verb for before, verb in transitions if before == status)
        can = f"possible from here: {', '.join(possible)}" if possible else at_an_end
        raise TransitionRefused(f"{of} that is {status} cannot {verb}; {can}.")
    return after
