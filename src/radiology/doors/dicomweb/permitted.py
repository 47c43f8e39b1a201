"""Which instance a reader was allowed to see a moment ago: so that a hundred frames of it do not ask a hundred times.

What is remembered counts no longer than a second, and no longer than until anything happens to any study: each event
of the outbox ends it, in all processes.
"""

import asyncio
from dataclasses import dataclass, field

from radiology.access.model import Reach
from radiology.kit.clock import monotonic_seconds
from radiology.studies.queries.retrieve import StoredInstance, Target

REMEMBERED_SECONDS = 1.0
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    instance: StoredInstance
    until_seconds: float
    happened: asyncio.Event


@dataclass(slots=True)
class Permitted:
    """The memory of one process, by what the reader may see and by what is asked for."""

    _known: dict[tuple[Reach, Target], _Known] = field(default_factory=dict[tuple[Reach, Target], _Known])

    def get(self, reach: Reach, target: Target) -> StoredInstance | None:
        """The instance, where it was allowed a moment ago."""
        known = self._known.get((reach, target))
        if known is None or known.happened.is_set() or known.until_seconds < monotonic_seconds():
            return None
        return known.instance

    def put(self, reach: Reach, target: Target, instance: StoredInstance, happened: asyncio.Event) -> None:
        """Remember it. `happened` was taken before the database was asked, and is set by the next event."""
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[reach, target] = _Known(instance, monotonic_seconds() + REMEMBERED_SECONDS, happened)
