"""Assignment: the score, its ties, every hard filter, and what holds for any readers and studies."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from bench.assigning import NOW, case
from hypothesis import given
from hypothesis import strategies as st

from radiology.external.practitioners.model import Practitioner, Privilege
from radiology.practitioners.readers.model import (
    GENERAL,
    GROUP_OF,
    GROUPS,
    Absence,
    Contract,
    Home,
    Reader,
    Recusals,
    Scope,
    Shift,
)
from radiology.procedures.model import SUBSPECIALTIES
from radiology.reading_worklist.assigning import assign as module
from radiology.reading_worklist.assigning.assign import assign
from radiology.reading_worklist.assigning.model import (
    SENTENCES,
    Candidate,
    Decision,
    Exclusion,
    OnCall,
    Round,
    Rules,
    Weights,
)
from radiology.reading_worklist.model import AgeGroup, Place, Priority, Waiting

HERE = Place("10000033", "3026", "30")
TODAY = date(2026, 1, 21)
PATIENT = UUID(int=7)
seeds = st.integers(0, 10**6)


def study(number: int = 1, **changes: Any) -> Waiting:
    """A head CT of an hour ago, due in seven."""
    done = NOW - timedelta(hours=1)
    given = Waiting(
        UUID(int=number), HERE, Priority.ROUTINE, "CT", done, 8.0, done, done + timedelta(hours=8),
        modalities=frozenset({"CT", "SR"}), subspecialty="neuro", rvu=4.0, patient_id=PATIENT,
    )  # fmt: skip
    return replace(given, **changes)


def person(number: int = 1, **changes: Any) -> Candidate:
    """A neuroradiologist of the hospital, on shift, with nothing to do. Changes go to whichever has the field."""
    practitioner = Practitioner(
        f"Practitioner/{number}", f"Reader {number}", registration="A-1", registered_until=TODAY,
        specialties=frozenset({"radiology"}), privileges=(Privilege("10000033", frozenset({"CT"})),),
    )  # fmt: skip
    reader = Reader(
        practitioner, f"account:{number}", frozenset({"neuro"}), contracts=(Contract(Scope.FACILITY, "10000033"),),
        home=Home(*(HERE.facility_code, HERE.district, HERE.division)),
    )  # fmt: skip
    candidate = Candidate(reader, on_shift=True, discrepancy_rate=0.0)
    known = {name: value for name, value in changes.items() if name in Practitioner.__dataclass_fields__}
    of_reader = {name: value for name, value in changes.items() if name in Reader.__dataclass_fields__}
    rest = {name: value for name, value in changes.items() if name not in known and name not in of_reader}
    if known and "active" in known:
        of_reader.pop("active", None)
    return replace(candidate, reader=replace(reader, practitioner=replace(practitioner, **known), **of_reader), **rest)


def decided(waiting: Waiting, *candidates: Candidate, round: Round | None = None, **rules: Any) -> Decision:
    rounds = {waiting.study_id: round} if round else {}
    return assign([waiting], candidates, NOW, Rules(**rules), rounds)[0]


def test_the_score_is_what_the_formula_says() -> None:
    chosen = decided(study(), person(open_rvu=15.0)).chosen
    assert chosen is not None
    parts = {each.factor: each.contribution for each in chosen.explain}
    minutes = 7 * 60 - (15 + 4) * 5
    assert minutes > 4 * 60, "more than half of the eight hours is left, so time is no question"
    assert parts == {
        "subspecialty": 35, "load": pytest.approx(20 * 0.75), "deadline": 20, "continuity": 0, "nearness": 10,
        "quality": 5,
    }  # fmt: skip
    assert chosen.score == pytest.approx(85)


@pytest.mark.parametrize(
    ("candidate", "factor", "normalised"),
    [
        (person(subspecialties=frozenset({"musculoskeletal"})), "subspecialty", 0.6),
        (person(subspecialties=frozenset({"body"})), "subspecialty", 0.3),
        (person(subspecialties=frozenset()), "subspecialty", 0.3),
        (person(home=Home("2", "3026", "30")), "nearness", 0.8),
        (person(home=Home("2", "3033", "30")), "nearness", 0.6),
        (person(home=Home()), "nearness", 0.4),
        (person(home=Home(abroad=True), abroad_approval="DPO-1"), "nearness", 0.1),
        (person(discrepancy_rate=0.04), "quality", 0.6),
        (person(discrepancy_rate=0.2), "quality", 0.0),
        (person(discrepancy_rate=None), "quality", 0.5),
        (person(open_rvu=30.0), "load", 0.5),
        (person(cap_rvu=200.0, open_rvu=56.0), "deadline", 0.5),
        (person(cap_rvu=200.0, open_rvu=150.0), "deadline", 0.0),
    ],
)
def test_each_factor(candidate: Candidate, factor: str, normalised: float) -> None:
    chosen = decided(study(), candidate).chosen
    assert chosen is not None
    assert {each.factor: each.normalised for each in chosen.explain}[factor] == pytest.approx(normalised)


def test_who_read_a_prior_is_preferred_and_more_so_of_the_same_region() -> None:
    first, second, third = person(1), person(2), person(3)
    read = study(
        readers_of_patient=frozenset({"Practitioner/2", "account:3"}), readers_of_region=frozenset({"account:3"})
    )
    assert [each.reader for each in decided(read, first, second, third).options] == [
        "Practitioner/3", "Practitioner/2", "Practitioner/1"
    ]  # fmt: skip


def test_a_stat_study_does_not_wait_behind_what_lies_open() -> None:
    urgent = study(priority=Priority.STAT, sla_hours=1.0, completed_at=NOW, deadline=NOW + timedelta(hours=1))
    options = decided(urgent, person(open_rvu=50.0)).options
    assert {each.factor: each.normalised for each in options[0].explain}["deadline"] == 1.0


@pytest.mark.parametrize(
    ("candidate", "waiting", "reason"),
    [
        (person(works_at=frozenset({"2"})), study(), Exclusion.NO_ACCOUNT),
        (person(works_at=frozenset()), study(), Exclusion.NO_ACCOUNT),
        (person(known=False), study(), Exclusion.UNKNOWN),
        (person(active=False), study(), Exclusion.INACTIVE),
        (person(registered_until=TODAY - timedelta(days=1)), study(), Exclusion.NOT_REGISTERED),
        (person(registration=None), study(), Exclusion.NOT_REGISTERED),
        (person(specialties=frozenset({"sonology"})), study(), Exclusion.NO_SPECIALTY),
        (person(), study(modalities=frozenset({"CT", "MR"})), Exclusion.NO_PRIVILEGE),
        (person(), study(modality="MR", modalities=frozenset()), Exclusion.NO_PRIVILEGE),
        (person(), study(place=Place("2", "3026", "30")), Exclusion.NO_PRIVILEGE),
        (person(), study(age_group=AgeGroup.CHILD), Exclusion.AGE_GROUP),
        (person(), study(certificates=frozenset({"cardiac-ct"})), Exclusion.NO_CERTIFICATE),
        (person(contracts=()), study(), Exclusion.NO_CONTRACT),
        (person(contracts=(Contract(Scope.NATIONAL, ends_on=date(2026, 1, 20)),)), study(), Exclusion.NO_CONTRACT),
        (person(contracts=(Contract(Scope.DISTRICT, "3033"),)), study(), Exclusion.NO_CONTRACT),
        (person(home=Home(abroad=True)), study(), Exclusion.ABROAD),
        (
            person(home=Home(abroad=True), abroad_approval="DPO-1", reads_sensitive=True),
            study(sensitive=True),
            Exclusion.ABROAD,
        ),
        (person(recusals=Recusals(frozenset({PATIENT}))), study(), Exclusion.RECUSED),
        (person(recusals=Recusals(facilities=frozenset({"10000033"}))), study(), Exclusion.RECUSED),
        (person(), study(author="account:1", approver_differs=True), Exclusion.AUTHOR),
        (person(), study(author="Practitioner/1", approver_differs=True), Exclusion.AUTHOR),
        (person(), study(sensitive=True), Exclusion.SENSITIVE),
        (person(sex="M"), study(reader_sex="F"), Exclusion.SEX),
        (person(on_shift=False), study(), Exclusion.OFF_DUTY),
        (person(on_shift=False, on_call=(OnCall("neuro"),)), study(), Exclusion.OFF_DUTY),
        (person(on_shift=False, on_call=(OnCall("body"),)), study(priority=Priority.STAT), Exclusion.OFF_DUTY),
        (
            person(on_shift=False, on_call=(OnCall("neuro", facility_codes=frozenset({"2"})),)),
            study(priority=Priority.STAT),
            Exclusion.OFF_DUTY,
        ),
        (person(open_rvu=60.0), study(), Exclusion.AT_CAP),
    ],
)
def test_every_filter_says_why(candidate: Candidate, waiting: Waiting, reason: Exclusion) -> None:
    decision = decided(waiting, candidate)
    assert decision.chosen is None
    assert decision.excluded == {reason: ("Practitioner/1",)}
    assert decision.is_for_now == (reason in (Exclusion.OFF_DUTY, Exclusion.AT_CAP))


@pytest.mark.parametrize(
    ("candidate", "waiting"),
    [
        (person(contracts=(Contract(Scope.DISTRICT, "3026"),)), study()),
        (person(contracts=(Contract(Scope.DIVISION, "30"),)), study()),
        (person(contracts=(Contract(Scope.NATIONAL),)), study()),
        (person(privileges=(Privilege("*", frozenset({"*"})),)), study(modalities=frozenset({"CT", "MR"}))),
        (person(), study(author="account:1")),
        (person(reads_sensitive=True), study(sensitive=True)),
        (person(sex="F"), study(reader_sex="F")),
        (person(on_shift=False, on_call=(OnCall("neuro"),)), study(priority=Priority.STAT)),
        (person(on_shift=False, on_call=(OnCall(GENERAL),)), study(priority=Priority.URGENT)),
        (person(specialties=frozenset({"sonology"}), privileges=(Privilege("*", frozenset({"US"})),)),
         study(modality="US", modalities=frozenset({"US"}))),
    ],
)  # fmt: skip
def test_who_may(candidate: Candidate, waiting: Waiting) -> None:
    assert decided(waiting, candidate).chosen is not None


def test_who_did_not_take_it_is_not_asked_again_and_who_is_called_is_asked_off_duty_and_at_the_cap() -> None:
    asked = decided(study(), person(1), person(2), round=Round(asked=frozenset({"Practitioner/1"})))
    assert [each.reader for each in asked.options] == ["Practitioner/2"]
    assert asked.excluded == {Exclusion.ASKED: ("Practitioner/1",)}
    busy = person(1, on_shift=False, open_rvu=60.0)
    assert decided(study(), busy, round=Round(called=frozenset({"Practitioner/1"}))).chosen is not None
    lapsed = person(1, registered_until=date(2026, 1, 20))
    called = decided(study(), lapsed, round=Round(called=frozenset({"Practitioner/1"})))
    assert called.excluded == {Exclusion.NOT_REGISTERED: ("Practitioner/1",)}, "nothing lifts a credential"


def test_at_the_end_readers_for_the_whole_country_are_asked_off_duty_too() -> None:
    national = person(1, on_shift=False, contracts=(Contract(Scope.NATIONAL),))
    local = person(2, on_shift=False)
    assert [each.reader for each in decided(study(), national, local, round=Round(widened=True)).options] == [
        "Practitioner/1"
    ]


def test_ties_go_to_fewer_rvu_today_then_to_the_longest_wait_then_to_the_reference() -> None:
    long_ago, just_now = NOW - timedelta(hours=5), NOW - timedelta(hours=1)
    several = [
        person(1, rvu_today=4.0), person(2, last_assigned_at=just_now), person(3, last_assigned_at=long_ago),
        person(5), person(4),
    ]  # fmt: skip
    order = [each.reader.removeprefix("Practitioner/") for each in decided(study(), *several).options]
    assert order == ["4", "5", "3", "2", "1"]


def test_what_is_given_is_load_for_what_follows() -> None:
    several = assign([study(number) for number in range(1, 5)], [person(1), person(2)], NOW)
    assert [each.chosen and each.chosen.reader for each in several] == [
        "Practitioner/1", "Practitioner/2", "Practitioner/1", "Practitioner/2"
    ]  # fmt: skip
    full = assign([study(1), study(2)], [person(1, cap_rvu=4.0)], NOW)
    assert [bool(each.options) for each in full] == [True, False]
    assert full[1].excluded == {Exclusion.AT_CAP: ("Practitioner/1",)}


def test_the_most_urgent_study_is_given_first() -> None:
    waiting = [study(1), study(2, priority=Priority.STAT), study(3, inpatient=True)]
    assert [each.waiting.study_id.int for each in assign(waiting, [person()], NOW)] == [2, 3, 1]


def test_nobody_and_nothing() -> None:
    assert decided(study()).options == ()
    assert assign([], [person()], NOW) == ()


def test_every_reason_has_a_sentence_and_weights_are_a_hundred() -> None:
    assert set(SENTENCES) == set(Exclusion)
    assert sum(getattr(Weights(), name) for name in Weights.__dataclass_fields__) == 100


def test_every_subspecialty_of_the_catalogue_belongs_to_one_group() -> None:
    assert set(GROUP_OF) == set(SUBSPECIALTIES)
    assert sum(len(members) for members in GROUPS.values()) == len(SUBSPECIALTIES)


# --- What holds for any readers and studies ---


@given(seeds)
def test_nobody_without_credentials_is_ever_an_option(seed: int) -> None:
    waiting, candidates = case(8, 12, seed=seed)
    by_reference = {each.reader.reference: each.reader for each in candidates}
    everybody = Round(called=frozenset(by_reference), widened=True)
    for decision in assign(waiting, candidates, NOW, Rules(), {each.study_id: everybody for each in waiting}):
        given_ = decision.waiting
        for option in decision.options:
            reader = by_reference[option.reader]
            on = NOW.astimezone(ZoneInfo("Asia/Dhaka")).date()
            assert reader.practitioner.is_registered(on)
            assert given_.modalities <= reader.practitioner.modalities_at(given_.facility_code, on)
            assert given_.age_group in reader.age_groups
            assert given_.certificates <= reader.certificates
            assert reader.reads_sensitive or not given_.sensitive
            assert given_.reader_sex in ("", reader.sex)
            assert any(_covers(contract, given_.place) for contract in reader.contracts)


def _covers(contract: Contract, place: Place) -> bool:
    if contract.scope == Scope.NATIONAL:
        return True
    return contract.place in {Scope.FACILITY: [place.facility_code], Scope.DISTRICT: [place.district],
                              Scope.DIVISION: [place.division]}[contract.scope]  # fmt: skip


@given(seeds, st.randoms(use_true_random=False))
def test_the_same_input_gives_the_same_output_in_any_order(seed: int, dice: Any) -> None:
    waiting, candidates = case(8, 12, seed=seed)
    first = assign(waiting, candidates, NOW)
    dice.shuffle(waiting)
    dice.shuffle(candidates)
    assert assign(waiting, candidates, NOW) == first


@given(seeds)
def test_everybody_is_told_of_and_the_best_are_in_order(seed: int) -> None:
    waiting, candidates = case(6, 9, seed=seed)
    for decision in assign(waiting, candidates, NOW):
        scores = [option.score for option in decision.options]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 100 for score in scores)
        out = [reader for readers in decision.excluded.values() for reader in readers]
        assert len(out) == len(set(out))
        options = {option.reader for option in decision.options}
        assert not options & set(out)
        assert len(options) == min(5, len(candidates) - len(out))


@given(seeds, st.lists(st.integers(0, 59), min_size=2, max_size=5, unique=True))
def test_who_has_less_is_never_passed_over_for_an_equal_one_with_more(seed: int, loads: list[int]) -> None:
    waiting, _ = case(1, 1, seed=seed)
    fitting = replace(waiting[0], certificates=frozenset(), reader_sex="", sensitive=False, age_group=AgeGroup.ADULT,
                      readers_of_patient=frozenset(), readers_of_region=frozenset())  # fmt: skip
    equal = [
        person(number, open_rvu=float(load), privileges=(Privilege("*", frozenset({"*"})),),
               contracts=(Contract(Scope.NATIONAL),))
        for number, load in enumerate(loads)
    ]  # fmt: skip
    chosen = decided(fitting, *equal).chosen
    assert chosen is not None
    assert chosen.reader == f"Practitioner/{loads.index(min(loads))}"


def test_what_depends_on_a_facility_or_subspecialty_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, candidates = case(200, 30)
    counted = {"nearest": 0, "fit": 0}
    nearest, fit = module._nearest, Reader.fit

    def counting_nearest(candidate: Candidate, place: Place) -> str:
        counted["nearest"] += 1
        return nearest(candidate, place)

    def counting_fit(self: Reader, subspecialty: str) -> str:
        counted["fit"] += 1
        return fit(self, subspecialty)

    monkeypatch.setattr(module, "_nearest", counting_nearest)
    monkeypatch.setattr(Reader, "fit", counting_fit)
    decisions = assign(waiting, candidates, NOW)
    shown = sum(len(each.options) for each in decisions)
    places = len({each.place for each in waiting})
    assert counted["nearest"] <= places * len(candidates) + shown
    assert counted["fit"] <= len(SUBSPECIALTIES) * len(candidates) + shown


# --- Hours of readers ---

DHAKA = ZoneInfo("Asia/Dhaka")
NIGHT = Shift(frozenset({3}), time(20), time(8))


@pytest.mark.parametrize(
    ("moment", "works"),
    [
        ("2026-01-21T19:59", False),
        ("2026-01-21T20:00", True),
        ("2026-01-22T07:59", True),
        ("2026-01-22T08:00", False),
        ("2026-01-21T02:00", False),
    ],
)
def test_a_shift_of_wednesday_night_ends_on_thursday(moment: str, works: bool) -> None:
    reader = replace(person().reader, shifts=(NIGHT,))
    assert reader.is_on_shift(datetime.fromisoformat(moment).replace(tzinfo=DHAKA).astimezone(UTC), DHAKA) == works


def test_who_is_on_leave_is_not_on_shift() -> None:
    reader = replace(person().reader, shifts=(NIGHT,), absences=(Absence(TODAY, TODAY),))
    assert not reader.is_on_shift(datetime(2026, 1, 21, 21, tzinfo=DHAKA), DHAKA)
