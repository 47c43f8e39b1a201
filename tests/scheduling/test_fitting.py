"""Where an examination fits on one device on one day."""

from datetime import time

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from radiology.errors import TransitionRefused, Unprocessable
from radiology.scheduling.fitting import displacing, places, reasons
from radiology.scheduling.hours import Session, Shift
from radiology.scheduling.model import (
    TRANSITIONS,
    Priority,
    Status,
    Verb,
    _more_than,  # pyright: ignore[reportPrivateUsage]
    default_minutes,
    on_grid,
    overbooking,
    own_minutes,
    step,
)
from scheduling.days import EVERY_DAY, a_day, at, booked, examination, given, plan, span


def starts(found) -> list[str]:
    return [f"{place.span.begins:%H:%M}" for place in found]


@pytest.mark.parametrize(
    ("modality", "procedure", "contrast", "minutes"),
    [
        ("DX", "Chest X-ray PA", False, 10), ("US", "Whole abdomen", False, 15), ("US", "Carotid Doppler", False, 30),
        ("US", "Pregnancy anomaly scan", False, 40), ("CT", "CT head", False, 15), ("CT", "CT abdomen", True, 30),
        ("CT", "CT angiogram aorta", False, 30), ("MR", "MRI brain", False, 30), ("MR", "MRI brain", True, 45),
        ("MG", "Mammogram", False, 15), ("RF", "Barium swallow", False, 30), ("RF", "HSG", False, 45),
        ("RF", "MCUG", False, 45), ("BMD", "DXA", False, 20),
    ],
)  # fmt: skip
def test_the_minutes_of_an_examination(modality: str, procedure: str, contrast: bool, minutes: int) -> None:
    assert default_minutes(modality, procedure, contrast=contrast) == minutes


def test_a_facility_may_say_otherwise_and_must_where_nobody_has_said() -> None:
    own = {"RPID22": 12, "CT": 25, "PT": 90}
    assert own_minutes("CT", own, codes=["RPID22"]) == 15, "rounded up to the grid"
    assert own_minutes("CT", own, codes=["RPID1"]) == 25
    assert own_minutes("PT", own) == 90
    assert own_minutes("NM", own) is None
    with pytest.raises(Unprocessable):
        default_minutes("NM", "Bone scan of somebody else", contrast=False)
    with pytest.raises(Unprocessable):
        on_grid(0)


def test_every_five_minutes_of_free_time_are_found() -> None:
    day = a_day("DX", booked(8.25, 13.75))
    assert starts(places(examination("DX", 10), day, given())) == ["08:00", "08:05", "13:45", "13:50"]


def test_a_fifth_of_each_hour_of_ct_is_kept_until_an_hour_before() -> None:
    """48 of 60 minutes are for routine, so of four examinations of 15 minutes three are."""
    day = a_day("CT", booked(9, 9.25), booked(9.25, 9.5), booked(9.5, 9.75), week=plan(9, 10))
    routine, urgent = examination(), examination(priority=Priority.URGENT)
    assert places(routine, day, given(7)) == []
    assert starts(places(urgent, day, given(7))) == ["09:45"]
    assert starts(places(routine, day, given(8.75))) == ["09:45"]
    assert places(examination("DX"), a_day("DX", *day.booked, week=plan(9, 10)), given(7)), "X-ray keeps nothing"


def test_who_fasts_comes_in_the_morning_and_diabetics_first() -> None:
    day = a_day("US", week=plan(8, 17))
    fasting = places(examination("US", fasting_hours=6), day, given(1))
    diabetic = places(examination("US", fasting_hours=6, diabetic=True), day, given(1))
    assert (starts(fasting)[-1], starts(diabetic)[-1]) == ("11:55", "09:55")
    later = places(examination("US", fasting_hours=6), day, given(5))
    assert starts(later)[0] == "11:00", "there must be time to fast"
    urgent = examination("US", fasting_hours=6, priority=Priority.STAT)
    assert starts(places(urgent, day, given(13)))[0] == "13:00"


def test_one_nurse_gives_contrast_to_one_patient_at_a_time() -> None:
    contrast = examination("MR", 60, contrast=True)
    nurse = (span(8, 12),)
    assert starts(places(contrast, a_day("MR", nurses=nurse, contrast=(span(8, 11),)), given())) == ["11:00"]
    assert places(contrast, a_day("MR", nurses=()), given()) == []
    assert places(contrast, a_day("MR"), given()), "without shifts nobody is waited for"
    assert (
        starts(places(contrast, a_day("MR", nurses=(*nurse, *nurse), contrast=(span(8, 11),)), given()))[0] == "08:00"
    )


def test_who_asks_for_a_woman_waits_for_her() -> None:
    her = plan(operators=(Shift(EVERY_DAY, time(8), time(14)), Shift(EVERY_DAY, time(10), time(11), female=True)))
    found = places(examination("US", 30, female_operator=True), a_day("US", week=her), given())
    assert (starts(found)[0], starts(found)[-1]) == ("10:00", "10:30")
    assert places(examination("US", female_operator=True), a_day("US"), given()) == []


def test_sedation_has_sessions_of_its_own_which_open_to_all_an_hour_before() -> None:
    week = plan(sessions=(Session(EVERY_DAY, time(8), time(9), purpose="sedation"),
                          Session(EVERY_DAY, time(9), time(10))))  # fmt: skip
    day = a_day("MR", week=week)
    assert starts(places(examination("MR", 60, sedation=True), day, given())) == ["08:00"]
    assert starts(places(examination("MR", 60), day, given())) == ["09:00"]
    assert starts(places(examination("MR", 60), day, given(7.5))) == ["08:00", "09:00"]


def test_nobody_comes_after_isolation_but_who_is_urgent() -> None:
    day = a_day("DX", booked(13, 13.25, isolation=True), booked(9, 9.25))
    assert starts(places(examination("DX", 15), day, given()))[-1] == "12:45"
    assert starts(places(examination("DX", 15, isolation=True), day, given()))[0] == "09:15"
    assert starts(places(examination("DX", 15, priority=Priority.STAT), day, given()))[-1] == "13:45"


def test_a_full_session_takes_so_many_more_as_do_not_come() -> None:
    full = [booked(8 + number / 4, 8.25 + number / 4) for number in range(24)]
    eager = a_day("DX", *full, no_show_rate=0.2)
    assert overbooking(24, 0.2) == 3
    found = places(examination("DX", 15), eager, given())
    assert found
    assert {place.lane for place in found} == {1}
    over = [booked(8, 8.25, lane=1, id="a"), booked(8.25, 8.5, lane=2, id="b"), booked(9, 9.25, lane=3, id="c")]
    assert places(examination("DX", 15), a_day("DX", *full, *over, no_show_rate=0.2), given()) == []
    assert places(examination("DX", 15), a_day("DX", *full), given()) == []


@settings(max_examples=100, deadline=None)
@for_all(st.integers(1, 60), st.floats(0.01, 0.6))
def test_overbooking_is_the_most_that_keeps_the_risk(slots: int, rate: float) -> None:
    more = overbooking(slots, rate)
    assert _more_than(slots, slots + more, 1 - rate) <= 0.10
    assert more == slots or _more_than(slots, slots + more + 1, 1 - rate) > 0.10


def test_stat_may_displace_routine_and_nobody_else() -> None:
    day = a_day("CT", booked(8, 10, id="stat", priority=Priority.STAT), booked(10, 10.25, id="r1", movable=True),
                booked(10.25, 14, id="r2", movable=True))  # fmt: skip
    first = displacing(examination(priority=Priority.STAT), day, given(8))[0]
    assert (first.displaces, first.span.begins) == (("r1",), at(10))


def test_what_kept_it_is_said() -> None:
    assert [reason.name for reason in reasons(examination("MR"), a_day("CT"), given())] == ["MODALITY"]
    assert [reason.name for reason in reasons(examination("CT"), a_day("CT", week=plan(sessions=())), given())] == [
        "CLOSED"
    ]


def test_steps_that_are_not_in_the_table_are_refused() -> None:
    refused = {(status, verb) for status in Status for verb in Verb} - set(TRANSITIONS)
    assert (Status.CANCELLED, Verb.ARRIVE) in refused
    assert (Status.ARRIVED, Verb.MISS) in refused
    for status, verb in refused:
        with pytest.raises(TransitionRefused):
            step(status, verb)


bookings = st.lists(
    st.tuples(st.integers(0, 71), st.integers(1, 12)).map(
        lambda pair: booked(8 + pair[0] / 12, 8 + (pair[0] + pair[1]) / 12, id=f"{pair}")
    ),
    max_size=10,
)


@settings(max_examples=150, deadline=None)
@for_all(bookings, st.integers(1, 90), st.sampled_from(["CT", "DX"]), st.floats(0, 12))
def test_what_fits_lies_on_the_grid_in_open_and_free_time(taken, minutes: int, modality: str, now: float) -> None:
    day = a_day(modality, *taken)
    found = places(examination(modality, minutes), day, given(now))
    assert found == places(examination(modality, minutes), day, given(now)), "the same again"
    for place in found:
        assert place.span.begins.minute % 5 == 0
        assert place.span.begins >= at(now)
        assert any(window.span.holds(place.span) for window in day.opening.windows)
        assert not any(each.span.meets(place.span) for each in taken)
