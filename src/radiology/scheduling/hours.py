"""When a room is open: weekly sessions, holidays, Ramadan, breaks, shifts, and what is blocked. Pure.

Times of day are the facility's own. A session whose end is not behind its begin ends on the next day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from radiology.scheduling.model import Span

Calendar = Literal["always", "normal", "ramadan"]
Purpose = Literal["general", "sedation"]

FRIDAY: Final = 5
"""ISO 8601: Monday is 1."""
IFTAR: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Weekly:
    """Something that recurs each week, on all days of the calendar or on those of Ramadan, in some months or always."""

    weekdays: frozenset[int]
    begins: time
    ends: time
    calendar: Calendar = "always"
    first_day: date | None = None
    last_day: date | None = None

    def span(self, day: date, zone: ZoneInfo) -> Span:
        """Where it lies when it begins on this day."""
        begins = datetime.combine(day, self.begins, zone)
        return Span(begins, datetime.combine(day + timedelta(days=self.ends <= self.begins), self.ends, zone))

    def is_on(self, day: date, *, ramadan: bool) -> bool:
        """Whether it begins on this day."""
        return (
            day.isoweekday() in self.weekdays
            and self.calendar in ("always", "ramadan" if ramadan else "normal")
            and (self.first_day is None or self.first_day <= day)
            and (self.last_day is None or day <= self.last_day)
        )


@dataclass(frozen=True, slots=True)
class Session(Weekly):
    """A room works. Sessions of sedation are for children who are sedated, until an hour before."""

    purpose: Purpose = "general"


@dataclass(frozen=True, slots=True)
class Break(Weekly):
    """A pause, for prayer or else."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class Shift(Weekly):
    """Somebody is there: who operates, and whether she is a woman; or a nurse who gives contrast."""

    female: bool = False


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day that is not like others. `iftar`: when the fast is broken on this day of Ramadan."""

    day: date
    kind: Literal["holiday", "ramadan"]
    name: str = ""
    name_bangla: str = ""
    iftar: time | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The week of a room. Without shifts whoever is there operates; a woman only where a shift says so."""

    sessions: tuple[Session, ...] = ()
    breaks: tuple[Break, ...] = ()
    operators: tuple[Shift, ...] = ()
    open_on_holidays: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """Time in which a room works without a pause."""

    span: Span
    purpose: Purpose = "general"


@dataclass(frozen=True, slots=True)
class Opening:
    """What a day has: when the room works, and when a woman operates."""

    windows: tuple[Window, ...] = ()
    female: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendars:
    """All days of a facility that are not like others, and the pauses of the whole facility."""

    days: frozenset[CalendarDay] = field(default_factory=frozenset[CalendarDay])
    breaks: tuple[Break, ...] = ()

    def is_holiday(self, day: date) -> bool:
        """Whether it is one by the calendar; Fridays are not in it."""
        return any(each.day == day and each.kind == "holiday" for each in self.days)

    def is_ramadan(self, day: date) -> bool:
        """Whether it is a day of fasting."""
        return any(each.day == day and each.kind == "ramadan" for each in self.days)

    def iftar(self, day: date) -> time | None:
        """When the fast is broken, where the calendar says so."""
        return next((each.iftar for each in self.days if each.day == day and each.iftar), None)


def week(begins: time, ends: time, *, closed: Iterable[int] = (FRIDAY,)) -> tuple[Session, ...]:
    """The same hours on all days but these: the weekend is Friday."""
    return (Session(frozenset(range(1, 8)) - frozenset(closed), begins, ends),)


def opening(plan: Plan, calendars: Calendars, day: date, blocked: Sequence[Span], zone: ZoneInfo) -> Opening:
    """What begins on a day, without pauses, without what is blocked, and only while somebody operates."""
    if calendars.is_holiday(day) and not plan.open_on_holidays:
        return Opening()
    ramadan = calendars.is_ramadan(day)
    closed = [*blocked, *_pauses(plan, calendars, day, zone)]
    operators = on_shift(plan.operators, calendars, day, zone)
    windows: list[Window] = []
    for session in _of_calendar(plan.sessions, day, ramadan=ramadan):
        working = [session.span(day, zone)]
        if plan.operators:
            working = [each.common(working[0]) for each in joined(operators) if each.meets(working[0])]
        windows.extend(Window(span, session.purpose) for span in without(working, closed))
    women = [shift for shift in plan.operators if shift.female]
    female = on_shift(women, calendars, day, zone)
    return Opening(tuple(sorted(windows, key=lambda window: window.span)), tuple(joined(female)))


def _of_calendar(sessions: Sequence[Session], day: date, *, ramadan: bool) -> list[Session]:
    """The sessions of a day. In Ramadan those that are made for it replace the ordinary ones of the room."""
    has_own = any(session.calendar == "ramadan" for session in sessions)
    kept = [session for session in sessions if not (ramadan and has_own and session.calendar == "always")]
    return [session for session in kept if session.is_on(day, ramadan=ramadan)]


def _pauses(plan: Plan, calendars: Calendars, day: date, zone: ZoneInfo) -> list[Span]:
    """The pauses of a day and, for sessions that pass midnight, of the next."""
    found: list[Span] = []
    for each in (day, day + timedelta(days=1)):
        found += _spans((*plan.breaks, *calendars.breaks), each, zone, ramadan=calendars.is_ramadan(each))
        iftar = calendars.iftar(each)
        if iftar is not None:
            begins = datetime.combine(each, iftar, zone)
            found.append(Span(begins, begins + IFTAR))
    return found


def _spans(weekly: Iterable[Weekly], day: date, zone: ZoneInfo, *, ramadan: bool) -> list[Span]:
    return [each.span(day, zone) for each in weekly if each.is_on(day, ramadan=ramadan)]


def on_shift(shifts: Sequence[Shift], calendars: Calendars, day: date, zone: ZoneInfo) -> list[Span]:
    """One piece of time for each person on duty, of shifts that begin on this day or began the day before."""
    return [
        span
        for each in (day - timedelta(days=1), day)
        for span in _spans(shifts, each, zone, ramadan=calendars.is_ramadan(each))
    ]


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few pieces as there are."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.begins <= found[-1].ends:
            found[-1] = Span(found[-1].begins, max(found[-1].ends, span.ends))
        else:
            found.append(span)
    return found


def without(spans: Sequence[Span], closed: Iterable[Span]) -> list[Span]:
    """What is left of the spans when all that is closed is taken away."""
    left = list(spans)
    for each in closed:
        left = [piece for span in left for piece in _minus(span, each)]
    return left


def _minus(span: Span, closed: Span) -> list[Span]:
    if not span.meets(closed):
        return [span]
    pieces = [Span(span.begins, min(closed.begins, span.ends)), Span(max(closed.ends, span.begins), span.ends)]
    return [piece for piece in pieces if piece.length]
