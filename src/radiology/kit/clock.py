"""The only place that asks what time it is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


@dataclass
class SetClock:
    """A clock that stands still until it is moved: the twin for tests."""

    at: datetime = field(default_factory=lambda: datetime(2026, 1, 21, 4, 30, tzinfo=UTC))

    def now(self) -> datetime:
        """The moment that was set."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Move the clock forward by this many seconds."""
        self.at += timedelta(seconds=seconds)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


monotonic_seconds: Callable[[], float] = time.monotonic
"""Seconds for measuring spans and setting limits; unrelated to the time of day."""
