"""Turns of a rota and its gaps. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LINES: Final = {1: "primary", 2: "secondary"}
AHEAD: Final = timedelta(hours=24)
"""Somebody is told of a gap so long before it begins."""


@dataclass(frozen=True, slots=True)
class Turn:
    """From when until when somebody is on call on a line of a rota."""

    line: int
    reader: str
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """From when until when nobody is on call on a line."""

    line: int
    begins_at: datetime
    ends_at: datetime


def gaps(turns: Iterable[Turn], begins_at: datetime, ends_at: datetime) -> list[Gap]:
    """When nobody is on call within a span, the earliest first, those of the primary line before."""
    several, found = list(turns), list[Gap]()
    for line in LINES:
        covered = begins_at
        for turn in sorted((each for each in several if each.line == line), key=lambda each: each.begins_at):
            if turn.begins_at > covered and covered < ends_at:
                found.append(Gap(line, covered, min(turn.begins_at, ends_at)))
            covered = max(covered, turn.ends_at)
        if covered < ends_at:
            found.append(Gap(line, covered, ends_at))
    return sorted(found, key=lambda gap: (gap.begins_at, gap.line))
