"""When a room is open."""

from datetime import date, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from radiology.scheduling.hours import (
    Break,
    CalendarDay,
    Calendars,
    Plan,
    Session,
    Shift,
    joined,
    opening,
    week,
    without,
)
from radiology.scheduling.model import Span
from scheduling.days import DAY, EVERY_DAY, ZONE, at, plan, span


def windows(week_plan: Plan, day: date = DAY, calendars: Calendars | None = None, blocked=()):
    return [window.span for window in opening(week_plan, calendars or Calendars(), day, blocked, ZONE).windows]


def test_friday_is_the_weekend_and_the_other_days_are_worked() -> None:
    ordinary = Plan(week(time(8), time(14, 30)))
    open_on = [(DAY + timedelta(days=number)).isoweekday() for number in range(7)
               if windows(ordinary, DAY + timedelta(days=number))]  # fmt: skip
    assert sorted(open_on) == [1, 2, 3, 4, 6, 7]


def test_a_holiday_closes_a_room_unless_it_is_open_on_holidays() -> None:
    victory_day = Calendars(frozenset({CalendarDay(DAY, "holiday", "Victory Day")}))
    assert windows(plan(), DAY, victory_day) == []
    assert windows(plan(open_on_holidays=True), DAY, victory_day) == [span(8, 14)]


def test_sessions_of_ramadan_replace_the_ordinary_ones_on_its_days() -> None:
    both = plan(sessions=(Session(EVERY_DAY, time(8), time(14)), Session(EVERY_DAY, time(9), time(15), "ramadan")))
    ramadan = Calendars(frozenset({CalendarDay(DAY, "ramadan")}))
    assert windows(both) == [span(8, 14)]
    assert windows(both, DAY, ramadan) == [span(9, 15)]
    assert windows(plan(), DAY, ramadan) == [span(8, 14)], "who says nothing of Ramadan works as always"


def test_breaks_for_prayer_and_at_iftar_are_taken_out() -> None:
    jumuah = Break(frozenset({5}), time(13), time(14), name="Jumu'ah")
    midday = Break(EVERY_DAY, time(13), time(13, 30), name="Zuhr")
    open_late = plan(ends=20, breaks=(jumuah, midday))
    friday = date(2026, 1, 23)
    assert windows(open_late) == [span(8, 13), span(13.5, 20)]
    assert windows(open_late, friday) == [span(8, 13, friday), span(14, 20, friday)]
    ramadan = Calendars(frozenset({CalendarDay(DAY, "ramadan", iftar=time(18, 10))}))
    assert windows(plan(ends=20), DAY, ramadan) == [span(8, 18 + 1 / 6), span(18 + 4 / 6, 20)]


def test_maintenance_and_power_cuts_are_taken_out() -> None:
    assert windows(plan(), blocked=[span(7, 9), span(10, 11), span(13.5, 15)]) == [span(9, 10), span(11, 13.5)]


def test_where_shifts_are_kept_a_room_is_open_only_while_somebody_operates() -> None:
    morning = Shift(EVERY_DAY, time(8), time(11))
    her = Shift(EVERY_DAY, time(10), time(12), female=True)
    shifted = plan(operators=(morning, her))
    assert windows(shifted) == [span(8, 12)]
    assert opening(shifted, Calendars(), DAY, (), ZONE).female[-1] == span(10, 12)


def test_a_session_may_pass_midnight_and_a_whole_day_ends_where_it_began() -> None:
    assert windows(plan(20, 4)) == [span(20, 28)]
    assert windows(plan(0, 0)) == [span(0, 24)]


def test_a_shift_of_the_night_operates_in_the_morning_too() -> None:
    night = plan(6, 10, operators=(Shift(EVERY_DAY, time(20), time(8)),))
    assert windows(night) == [span(6, 8)]


spans = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 60)).map(
        lambda pair: Span(at(pair[0] / 12), at((pair[0] + pair[1]) / 12))
    ),
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(spans, spans)
def test_what_is_left_is_open_and_never_closed(opened: list[Span], closed: list[Span]) -> None:
    left = without(joined(opened), closed)
    assert not any(piece.meets(each) for piece in left for each in closed)
    assert all(any(each.holds(piece) for each in joined(opened)) for piece in left)
    taken = sum((each.length for piece in joined(closed) for each in [Span(piece.begins, piece.ends)]), timedelta())
    total = sum((each.length for each in joined(opened)), timedelta())
    assert total - taken <= sum((piece.length for piece in left), timedelta()) <= total
