"""Clocks of due times."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.errors import Invalid
from radiology.reading_worklist.clocks import Hours, after, elapsed_hours, hours_of

DHAKA = ZoneInfo("Asia/Dhaka")
OFFICE = Hours(DHAKA, time(9), time(17), frozenset({5, 6}), frozenset({date(2026, 3, 26)}))
starts = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone.
hours = st.floats(0.1, 100)


def at(day: int, hour: float, month: int = 1) -> datetime:
    return datetime(2026, month, day, tzinfo=DHAKA) + timedelta(hours=hour)


def test_a_clock_that_always_runs_knows_no_weekend() -> None:
    assert after(at(23, 16), 6) == at(23, 22)
    assert elapsed_hours(at(23, 16), at(24, 16)) == 24


def test_a_clock_of_office_hours_stops_at_night_on_fridays_and_saturdays() -> None:
    thursday, sunday = 22, 25
    assert after(at(thursday, 16), 4, OFFICE) == at(sunday, 12)
    assert after(at(thursday, 3), 4, OFFICE) == at(thursday, 13)
    assert after(at(thursday, 9), 8, OFFICE) == at(thursday, 17)
    assert elapsed_hours(at(thursday, 16), at(sunday, 12), OFFICE) == 4


def test_holidays_do_not_count() -> None:
    assert after(at(25, 16, 3), 2, OFFICE) == at(29, 10, 3), "26 March is a holiday, then comes the weekend"


def test_a_night_shift_reaches_into_the_next_day_and_equal_times_are_the_whole_day() -> None:
    night = Hours(DHAKA, time(22), time(6), frozenset())
    assert after(at(20, 23), 8, night) == at(21, 23)
    assert after(at(20, 2), 3, night) == at(20, 5)
    always = Hours(DHAKA, time(0), time(0), frozenset())
    assert after(at(20, 2), 30, always) == at(21, 8)


def test_where_nobody_ever_works_the_clock_runs_always() -> None:
    closed = Hours(DHAKA, time(9), time(17), frozenset(range(1, 8)))
    assert after(at(20, 9), 5, closed) == at(20, 14)


@given(starts, hours)
def test_so_many_hours_later_so_many_hours_have_passed(start: datetime, amount: float) -> None:
    for working in (None, OFFICE):
        due = after(start, amount, working)
        assert elapsed_hours(start, due, working) == pytest.approx(amount, abs=1e-6)
        assert due >= after(start, amount)


@given(starts, hours, hours)
def test_more_hours_are_never_due_earlier(start: datetime, one: float, more: float) -> None:
    assert after(start, one, OFFICE) <= after(start, one + more, OFFICE)


def test_hours_are_read_from_settings() -> None:
    assert hours_of("09:00 - 17:30") == (time(9), time(17, 30))
    with pytest.raises(Invalid, match="09:00-17:00"):
        hours_of("nine to five")
