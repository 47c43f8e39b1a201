"""What is offered for the examinations of one patient, and in which order."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from radiology.scheduling.model import Priority
from radiology.scheduling.planning import in_order, offers, what_kept
from scheduling.days import DAY, ZONE, a_day, at, booked, examination, given, plan

TOMORROW = DAY + timedelta(days=1)


def calendar(*days):
    found = {}
    for day in days:
        found.setdefault(day.day, []).append(day)
    return found


def shown(offer) -> list[tuple[str, str]]:
    return [(each.examination.key, f"{each.place.span.begins:%d %H:%M}") for each in offer.appointments]


US = examination("US", fasting_hours=6)
CT = examination("CT")
CHEST = examination("DX", 10)
BARIUM = examination("RF", 30, barium=True)


def test_ultrasound_of_who_fasts_comes_first_and_barium_last() -> None:
    assert [each.key for each in in_order([BARIUM, CHEST, CT, US])] == ["US", "CT", "DX", "RF"]
    best = offers([BARIUM, CHEST, CT, US], calendar(*(a_day(each) for each in ("RF", "DX", "CT", "US"))), given(1))[0]
    assert shown(best) == [("US", "21 08:00"), ("CT", "21 08:20"), ("DX", "21 08:40"), ("RF", "21 08:55")]
    assert any("Barium" in sentence.english for sentence in best.why)


def test_three_offers_at_different_times_the_earliest_first() -> None:
    found = offers([CHEST], calendar(a_day("DX"), a_day("DX", title="DX2")), given(8))
    assert [shown(offer) for offer in found] == [[("DX", "21 08:00")], [("DX", "21 08:10")], [("DX", "21 08:20")]]
    assert found[0].why[0].english == "The earliest that is possible."


def test_the_deadline_comes_before_the_number_of_visits() -> None:
    """Both fit together tomorrow; today CT alone meets its deadline."""
    urgent = examination("CT", priority=Priority.URGENT, deadline=at(12))
    days = calendar(a_day("CT"), a_day("CT", day=TOMORROW), a_day("DX", day=TOMORROW))
    best = offers([urgent, CHEST], days, given(8))[0]
    assert shown(best) == [("CT", "21 08:00"), ("DX", "22 08:00")]
    assert best.visits(ZONE) == 2
    assert shown(offers([CT, CHEST], days, given(6))[0])[0] == ("CT", "22 08:00"), (
        "one visit comes before an early start"
    )


def test_the_smaller_gap_decides_between_equal_starts() -> None:
    idle = a_day("DX", title="A", week=plan(7, 14))
    busy = a_day("DX", booked(7, 8), title="B", week=plan(7, 14))
    best = offers([CHEST], calendar(idle, busy), given(8))[0]
    assert best.appointments[0].place.device.ae_title == "B"


def test_isolation_is_the_last_of_the_day_with_all_its_examinations() -> None:
    isolated = [examination("CT", isolation=True), examination("DX", 10, isolation=True)]
    best = offers(isolated, calendar(a_day("CT"), a_day("DX")), given(8))[0]
    assert shown(best) == [("CT", "21 13:30"), ("DX", "21 13:50")]


def test_stat_makes_routine_move_only_where_nothing_else_meets_the_deadline() -> None:
    stat = examination("CT", priority=Priority.STAT, deadline=at(9))
    full = a_day("CT", *(booked(8 + n / 4, 8.25 + n / 4, movable=True, id=f"r{n}") for n in range(24)))
    best = offers([stat], calendar(full), given(8))[0]
    assert best.appointments[0].place.displaces == ("r0",)
    assert any("moved" in sentence.english for sentence in best.why)
    free = offers([stat], calendar(full, a_day("CT", title="CT2")), given(8))[0]
    assert free.appointments[0].place.displaces == ()
    routine = examination("CT", deadline=at(9))
    assert offers([routine], calendar(full), given(8)) == []


def test_who_fasts_is_offered_the_afternoon_only_where_no_morning_is_left() -> None:
    evenings = calendar(a_day("US", week=plan(17, 20)))
    best = offers([US], evenings, given(8))[0]
    assert shown(best) == [("US", "21 17:00")]


def test_why_nothing_is_offered_is_said_in_two_languages() -> None:
    sentence = what_kept([examination("MR")], calendar(a_day("CT")), given(8))
    assert "No room" in sentence.english
    assert sentence.bangla
    full = a_day("DX", booked(8, 14))
    assert what_kept([CHEST], calendar(full), given(7)).english == "Everything is booked."


PICK = st.sampled_from([US, CT, CHEST, BARIUM])


@settings(max_examples=15, deadline=None)
@for_all(
    st.lists(PICK, min_size=1, max_size=4, unique_by=lambda each: each.key),
    st.lists(st.tuples(st.sampled_from(["US", "CT", "DX", "RF"]), st.integers(0, 60), st.integers(1, 12)), max_size=12),
    st.floats(0, 10),
)
def test_offers_keep_their_rules(wanted, taken, now: float) -> None:
    days: list[date] = [DAY, TOMORROW]
    rows = []
    for day in days:
        for modality in ("US", "CT", "DX", "RF"):
            mine = [booked(8 + begin / 12, 8 + (begin + length) / 12, day=day, id=f"{modality}{begin}")
                    for kind, begin, length in taken if kind == modality]  # fmt: skip
            rows.append(a_day(modality, *mine, day=day))
    found = offers(wanted, calendar(*rows), given(now))
    assert found == offers(list(reversed(wanted)), calendar(*reversed(rows)), given(now)), (
        "order of asking is no reason"
    )
    ranks = [offer.rank(ZONE) for offer in found]
    assert ranks == sorted(ranks)
    assert len(found) <= 3
    for offer in found:
        assert sorted(each.examination.key for each in offer.appointments) == sorted(each.key for each in wanted)
        spans = [each.place.span for each in offer.appointments]
        assert all(one.ends < two.begins for one, two in pairwise(spans))
        for each in offer.appointments:
            row = next(
                row for row in rows if row.device == each.place.device and row.day == each.place.span.begins.date()
            )
            assert not any(other.span.meets(each.place.span) for other in row.booked)
        if offer.visits(ZONE) == 1:
            keys = [each.examination.key for each in offer.appointments]
            assert keys == [each.key for each in in_order(wanted)]
