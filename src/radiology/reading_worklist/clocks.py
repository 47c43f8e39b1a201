"""The clock of a due time: it runs always, or in the hours of the facility only. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from radiology.errors import Invalid

LONGEST_DAYS: Final = 400
"""So far is looked for hours in which the facility works; who has none for so long is not waited for."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When a facility works: on all days but its weekend (ISO 8601, Monday is 1) and holidays, from and until a time.

    begins and ends being the same means the whole day.
    """

    zone: ZoneInfo
    begins: time
    ends: time
    weekend: frozenset[int] = frozenset()
    holidays: frozenset[date] = frozenset()

    def spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """When it works from a moment on, for at most 400 days."""
        first = start.astimezone(self.zone).date() - timedelta(days=1)
        for day in (first + timedelta(days=number) for number in range(LONGEST_DAYS)):
            if day.isoweekday() in self.weekend or day in self.holidays:
                continue
            begins = datetime.combine(day, self.begins, self.zone)
            ends = datetime.combine(day + timedelta(days=self.ends <= self.begins), self.ends, self.zone)
            if ends > start:
                yield max(begins, start), ends


def after(start: datetime, hours: float, working: Hours | None = None) -> datetime:
    """When so many hours have passed; hours in which the facility does not work do not count where `working` is given.

    Where a facility works never, the clock runs always: something that is due at no time would be forgotten.
    """
    left = timedelta(hours=hours)
    for begins, ends in working.spans(start) if working else ():
        if left <= ends - begins:
            return (begins + left).astimezone(start.tzinfo)
        left -= ends - begins
    return start + timedelta(hours=hours)


def elapsed_hours(start: datetime, end: datetime, working: Hours | None = None) -> float:
    """How many hours the clock has run between two moments."""
    if working is None:
        return max(end - start, timedelta()) / timedelta(hours=1)
    ran = timedelta()
    for begins, ends in working.spans(start):
        if begins >= end:
            break
        ran += min(ends, end) - begins
    return ran / timedelta(hours=1)


def hours_of(text: str) -> tuple[time, time]:
    """`09:00-17:00` as begin and end. Raises Invalid."""
    try:
        begins, ends = text.split("-")
        return time.fromisoformat(begins.strip()), time.fromisoformat(ends.strip())
    except ValueError as error:
        raise Invalid(f"{text[:20]!r} is no span of hours such as 09:00-17:00.") from error
