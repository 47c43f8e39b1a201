"""How much one person may search: a stolen session must not copy the index of a hospital in an evening.

Programs and application entities are not limited: they are made by an administrator, for just that.
"""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from radiology.access.model import STATION, SYSTEM, Actor, Role
from radiology.doors.http.actors import actor_of
from radiology.errors import TooManyAttempts
from radiology.kit.clock import monotonic_seconds

MOST_REMEMBERED = 10_000
_UNLIMITED = frozenset({Role.SERVICE, SYSTEM.role, STATION})


class SearchLimit:
    """Buckets of one process, one for each person: full at the start, refilled as time goes by."""

    def __init__(self, per_minute: int) -> None:
        self._most, self._per_second = float(per_minute), per_minute / 60
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, actor: Actor, *, now_seconds: float) -> None:
        """One search more. Raises TooManyAttempts."""
        if not self._most or actor.role in _UNLIMITED:
            return
        left, since = self._left.get(actor.id, (self._most, now_seconds))
        left = min(self._most, left + (now_seconds - since) * self._per_second)
        if left < 1:
            raise TooManyAttempts("You have searched very often in a short time. Wait a minute and try again.")
        if len(self._left) >= MOST_REMEMBERED:
            self._left.clear()
        self._left[actor.id] = (left - 1, now_seconds)


async def searcher_of(connection: HTTPConnection) -> Actor:
    """Who searches. Raises what `actor_of` does, and TooManyAttempts."""
    actor = await actor_of(connection)
    limit: SearchLimit = connection.app.state.search_limit
    limit.take(actor, now_seconds=monotonic_seconds())
    return actor


Searcher = Annotated[Actor, Depends(searcher_of)]
