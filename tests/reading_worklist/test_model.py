"""States of the reading worklist, urgency, and due times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.errors import TransitionRefused
from radiology.reading_worklist.model import (
    OPEN,
    TRANSITIONS,
    Place,
    Priority,
    State,
    Verb,
    Waiting,
    in_order,
    sla_hours,
    step,
)

NOON = datetime(2026, 1, 21, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)

refused = [pair for pair in product(State, Verb) if pair not in TRANSITIONS]


def waiting(number: int = 1, **given) -> Waiting:
    ordinary = Waiting(UUID(int=number), Place("10000033"), Priority.ROUTINE, "CT", NOON, 6.0, NOON, NOON + 6 * HOUR)
    return replace(ordinary, **given)


times = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone.
any_waiting = st.builds(
    lambda number, priority, received, hours, inpatient, critical: waiting(
        number, priority=priority, received_at=received, completed_at=received, sla_hours=hours,
        deadline=received + timedelta(hours=hours), inpatient=inpatient, critical=critical,
    ),
    st.integers(1, 10**6), st.sampled_from(Priority), times, st.floats(0.5, 72), st.booleans(), st.booleans(),
)  # fmt: skip


@pytest.mark.parametrize(("state", "verb"), refused, ids=lambda each: str(each))
def test_every_other_step_is_refused(state: State, verb: Verb) -> None:
    with pytest.raises(TransitionRefused, match=state):
        step(state, verb)


def test_who_reads_is_free_until_there_is_a_report_and_a_signature_ends_it() -> None:
    assert step(State.OFFERED, Verb.CLAIM) == State.CLAIMED
    assert step(State.DRAFTED, Verb.RELEASE) == State.DRAFTED
    assert {step(state, Verb.SIGN) for state in OPEN} == {State.FINAL}
    assert (State.FINAL, Verb.CLAIM) not in TRANSITIONS
    assert (State.REMOVED, Verb.CLAIM) not in TRANSITIONS


def test_hours_are_those_of_the_priority_and_of_the_procedure() -> None:
    assert sla_hours(Priority.STAT, 24) == 1
    assert sla_hours(Priority.STAT, 24, at_once=True) == 0.5
    assert sla_hours(Priority.URGENT, 24) == 4
    assert sla_hours(Priority.URGENT, 2) == 2
    assert sla_hours(Priority.ASAP, 24) == 4
    assert [sla_hours(Priority.ROUTINE, hours, at_once=True) for hours in (4, 2, 6, 24, 8)] == [4, 2, 6, 24, 8]


def test_urgency_is_base_time_inpatient_and_critical() -> None:
    half = NOON + 3 * HOUR
    assert waiting().urgency(NOON) == 100
    assert waiting().urgency(half) == 150
    assert waiting(inpatient=True, critical=True).urgency(half) == 230
    assert waiting(priority=Priority.STAT).urgency(NOON - HOUR) == 1000, "what is not complete has used no time"
    assert waiting(priority=Priority.STAT, completed_at=None, deadline=None).urgency(half) == 1000
    assert waiting().is_breached(NOON + 6 * HOUR) is False
    assert waiting().is_breached(NOON + 6 * HOUR + timedelta(seconds=1)) is True


@given(any_waiting, times)
def test_the_factors_add_up_to_the_urgency(item: Waiting, now: datetime) -> None:
    factors = item.explained(now)
    assert sum(factor.contribution or 0 for factor in factors) == pytest.approx(item.urgency(now))
    assert item.explained(now) == factors


@given(st.lists(any_waiting, max_size=20, unique_by=lambda each: each.study_id), times, st.randoms())
def test_the_order_is_one_whatever_order_they_come_in(items: list[Waiting], now: datetime, random) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    assert in_order(shuffled, now) == in_order(items, now)


@given(any_waiting, times, st.floats(0, 1000))
def test_waiting_never_makes_something_less_urgent(item: Waiting, now: datetime, hours: float) -> None:
    assert item.urgency(now + timedelta(hours=hours)) >= item.urgency(now)


@given(any_waiting, times)
def test_critical_and_inpatient_go_before_the_same_without(item: Waiting, now: datetime) -> None:
    plain = replace(item, critical=False, inpatient=False)
    assert replace(plain, critical=True).urgency(now) > replace(plain, inpatient=True).urgency(now) > plain.urgency(now)


@given(st.floats(0.5, 100))
def test_the_more_urgent_never_has_more_time(turnaround: float) -> None:
    given_hours = [sla_hours(each, turnaround) for each in (Priority.URGENT, Priority.ROUTINE)]
    assert given_hours == sorted(given_hours)
