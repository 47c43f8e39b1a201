"""Facilities and devices are chosen as the rules say: what is left out and why, the scores, ties, and referral."""

import math
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.facilities.capability import Filter
from radiology.facilities.choosing.choose import choose
from radiology.facilities.choosing.model import Candidate, Choice, Need, Rules, Travel
from radiology.facilities.model import Device, DeviceState, Facility, Figures, Operator, Ownership
from radiology.procedures.model import Procedure, Terms

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=ZoneInfo("Asia/Dhaka"))
CHEST = Procedure(
    "XR_CHEST_PA", "Chest X-ray PA", "বুকের এক্স-রে", "DX", effective_dose_msv=0.02, turnaround_hours=4, minutes=10
)
CONTRAST_CT = Procedure("CT_HEAD_W", "CT head", "মাথার সিটি", "CT", contrast="iv", effective_dose_msv=2, minutes=30)


def candidate(code: str = "F1", *, modality: str = "DX", **changes: object) -> Candidate:
    """A facility that can do it."""
    facility = Facility(code, f"Facility {code}", tier="District_Hospitals")
    device = Device(1, code, "Room 1", modality, contrast=True, licence_until=date(2027, 1, 1))
    figures = Figures(wait_minutes=60, turnaround_hours=4, reject_rate=0.05, sla_met=0.9, dose_ratio=0.8)
    made = Candidate(
        facility,
        (device,),
        (Operator(code, "Operator", frozenset({modality}), "F"),),
        figures,
        terms=Terms(Decimal(200), 4, "routine"),
        travel=Travel(30.0, 12.0, Decimal(72), "network table"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def with_device(**changes: object) -> Candidate:
    """A facility whose device differs."""
    made = candidate()
    return replace(made, devices=(replace(made.devices[0], **changes),))  # type: ignore[arg-type]


def only(choice: Choice) -> Filter:
    """Why the only candidate was left out."""
    assert not choice.options
    (rejected,) = choice.rejected
    return rejected.filter


@pytest.mark.parametrize(
    ("unfit", "need", "why"),
    [
        (with_device(modality="CT"), Need(CHEST), Filter.NO_DEVICE),
        (with_device(procedures=frozenset({"XR_KNEE"})), Need(CHEST), Filter.NO_DEVICE),
        (candidate(devices=()), Need(CHEST), Filter.NO_DEVICE),
        (with_device(state=DeviceState.DOWN), Need(CHEST), Filter.DEVICE_DOWN),
        (with_device(state=DeviceState.RETIRED), Need(CHEST), Filter.DEVICE_DOWN),
        (with_device(blocked="the output test failed"), Need(CHEST), Filter.DEVICE_BLOCKED),
        (with_device(licence_until=date(2026, 3, 3)), Need(CHEST), Filter.NO_LICENCE),
        (with_device(licence_until=None), Need(CHEST), Filter.NO_LICENCE),
        (candidate(operators=()), Need(CHEST), Filter.NO_OPERATOR),
        (
            candidate(operators=(Operator("F1", "A", frozenset({"DX"}), "M", date(2026, 3, 3)),)),
            Need(CHEST),
            Filter.NO_OPERATOR,
        ),
        (
            candidate(operators=(Operator("F1", "A", frozenset({"DX"}), "M"),)),
            Need(CHEST, female_operator=True),
            Filter.NO_FEMALE_OPERATOR,
        ),
        (with_device(contrast=False), Need(CHEST, contrast=True), Filter.NO_CONTRAST),
        (with_device(contrast=False, modality="CT"), Need(CONTRAST_CT), Filter.NO_CONTRAST),
        (candidate(), Need(CHEST, sedation=True), Filter.NO_SEDATION),
        (candidate(), Need(CHEST, mr_conditional=True), Filter.NO_MR_CONDITIONAL),
        (with_device(max_weight_kg=120.0), Need(CHEST, weight_kg=121), Filter.PATIENT_TOO_HEAVY),
        (with_device(youngest_months=12), Need(CHEST, age_months=11), Filter.PATIENT_TOO_YOUNG),
        (candidate(), Need(CHEST, budget=Decimal(199)), Filter.OVER_BUDGET),
        (candidate(terms=Terms(None, 4, "routine")), Need(CHEST, budget=Decimal(5000)), Filter.OVER_BUDGET),
        (candidate(), Need(CHEST, deadline=NOW + timedelta(minutes=90)), Filter.AFTER_DEADLINE),
    ],
)
def test_who_cannot_do_it_is_left_out_with_the_filter_that_says_so(
    unfit: Candidate, need: Need, why: Filter
) -> None:  # fmt: skip
    if need.procedure is CONTRAST_CT:
        unfit = replace(unfit, operators=(Operator("F1", "A", frozenset({"CT"})),))
    assert only(choose(need, [unfit], NOW)) is why


@pytest.mark.parametrize(
    "need",
    [
        Need(CHEST, weight_kg=120, age_months=12, budget=Decimal(200), female_operator=True, contrast=True),
        Need(CHEST, deadline=NOW + timedelta(minutes=91)),
    ],
)
def test_who_meets_every_limit_is_offered(need: Need) -> None:
    fit = with_device(max_weight_kg=120.0, youngest_months=12)
    assert [each.facility.code for each in choose(need, [fit], NOW).options] == ["F1"]


def test_the_score_is_what_the_formula_says() -> None:
    """By hand, for routine and two options; travel days are those of a working day of eight hours."""
    cheap = candidate("F1")
    dear = candidate(
        "F2", terms=Terms(Decimal(800), 4, "routine"), travel=Travel(90.0, 30.0, Decimal(180), "network table")
    )
    options = {each.facility.code: each for each in choose(Need(CHEST), [dear, cheap], NOW).options}
    cost_1, cost_2 = 200 + 72 + 0.5 * 600 * (60 / 480), 800 + 180 + 0.5 * 600 * (180 / 480)
    hours_1, hours_2 = 1 + 10 / 60 + 4 + 0.5, 1 + 10 / 60 + 4 + 1.5
    quality = 0.4 * (1 - 0.05 / 0.15) + 0.3 * 0.9 + 0.2 + 0.1
    assert float(options["F1"].cost or 0) == pytest.approx(cost_1)
    assert float(options["F2"].cost or 0) == pytest.approx(cost_2)
    assert options["F1"].quality == pytest.approx(quality)
    assert options["F1"].score == pytest.approx(
        100 * (0.20 * math.exp(-hours_1 / 48) + 0.45 + 0.20 * math.exp(-30 / 90) + 0.15 * quality)
    )
    assert options["F2"].score == pytest.approx(
        100 * (0.20 * math.exp(-hours_2 / 48) + 0.45 * cost_1 / cost_2 + 0.20 * math.exp(-1) + 0.15 * quality)
    )


def test_the_four_terms_add_up_to_the_score() -> None:
    (option,) = choose(Need(CHEST, "urgent"), [candidate()], NOW).options
    terms = option.explain[:4]
    assert [each.weight for each in terms] == [0.45, 0.20, 0.20, 0.15]
    assert sum(each.contribution or 0 for each in terms) == pytest.approx(option.score)
    parts = [each for each in option.explain if each.factor.startswith("quality: ")]
    assert sum(each.contribution or 0 for each in parts) == pytest.approx(option.quality)


def test_what_is_not_known_never_counts_for_a_place() -> None:
    known, unknown = candidate("F1"), candidate("F2", figures=Figures())
    first, second = choose(Need(CHEST), [unknown, known], NOW).options
    assert (first.facility.code, second.facility.code) == ("F1", "F2")
    assert "assumed" in next(each.source for each in second.explain if each.factor == "hours: waiting")


def test_a_free_examination_has_the_full_term_of_cost() -> None:
    free = candidate("F1", terms=Terms(Decimal(0), 4, "routine"), travel=Travel(0.0, 0.0, Decimal(0), "same place"))
    (option, other) = choose(Need(CHEST), [free, candidate("F2")], NOW).options
    assert option.explain[1].normalised == 1.0
    assert (option.facility.code, other.explain[1].normalised) == ("F1", 0.0)


def test_a_subsidy_never_makes_it_cheaper_than_free() -> None:
    paid = candidate(figures=Figures(subsidy=Decimal(500)), travel=Travel(0.0, 0.0, Decimal(0)))
    assert choose(Need(CHEST), [paid], NOW).options[0].cost == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (candidate("F2", terms=Terms(Decimal(199), 4, "routine")), candidate("F1")),
        (candidate("F2", figures=Figures(59.9, 4, 0.05, 0.9, 0.8)), candidate("F1")),
        (candidate("F2"), candidate("F1", facility=Facility("F1", "Private", ownership=Ownership.PRIVATE))),
        (candidate("F1"), candidate("F2")),
    ],
)
def test_ties_go_to_the_cheaper_the_earlier_the_public_and_the_lower_code(first: Candidate, second: Candidate) -> None:
    for order in ([first, second], [second, first]):
        assert choose(Need(CHEST), order, NOW).options[0].facility.code == first.facility.code


def test_where_nothing_meets_the_deadline_the_nearest_of_a_higher_level_is_named() -> None:
    tiers = {"F1": "District_Hospitals", "F2": "Medical_College_Hospitals", "F3": "Upazila_Health_Complexes"}
    minutes = {"F1": 60.0, "F2": 120.0, "F3": 5.0}
    late = [
        candidate(code, facility=Facility(code, code, tier=tier), travel=Travel(minutes[code], 1.0, Decimal(1)))
        for code, tier in tiers.items()
    ]
    need = Need(CHEST, "stat", deadline=NOW + timedelta(minutes=30), from_tier="Upazila_Health_Complexes")
    choice = choose(need, late, NOW)
    assert choice.options == ()
    assert choice.referral is not None
    assert choice.referral.facility.code == "F1"
    assert "ambulance" in choice.referral.note.english
    assert "অ্যাম্বুলেন্স" in choice.referral.note.bangla


def test_nobody_is_referred_to_a_place_that_cannot_do_it() -> None:
    broken = replace(with_device(state=DeviceState.DOWN), facility=Facility("F1", "F1", tier="District_Hospitals"))
    need = Need(CHEST, "stat", deadline=NOW + timedelta(minutes=30), from_tier="Upazila_Health_Complexes")
    assert choose(need, [broken], NOW).referral is None


money = st.integers(0, 5000).map(Decimal)
known = st.none() | st.floats(0, 1)
figures = st.builds(
    Figures,
    st.none() | st.floats(0, 5000),
    st.none() | st.floats(0.1, 200),
    known,
    known,
    st.none() | st.floats(0, 3),
    subsidy=money,
)
candidates = st.builds(
    lambda code, figures, price, minutes: candidate(
        f"F{code}",
        figures=figures,
        terms=Terms(price, 4, "routine"),
        travel=Travel(minutes, minutes, Decimal(int(minutes)), "table"),
    ),
    st.integers(0, 10**6),
    figures,
    st.none() | money,
    st.floats(0, 600),
)
needs = st.builds(
    Need, st.just(CHEST), st.sampled_from(["stat", "urgent", "routine"]), budget=st.none() | money
)  # fmt: skip
several = st.lists(candidates, min_size=1, max_size=12, unique_by=lambda each: each.facility.code)


@given(needs, several, st.randoms(use_true_random=False))
def test_the_same_input_gives_the_same_output_in_whatever_order(
    need: Need, them: list[Candidate], random: object
) -> None:
    first = choose(need, them, NOW)
    random.shuffle(them)  # type: ignore[attr-defined]
    assert choose(need, them, NOW) == first


@given(needs, several, st.floats(0, 1))
def test_a_cheaper_equal_facility_never_makes_the_choice_dearer(
    need: Need, them: list[Candidate], share: float
) -> None:
    before = choose(need, them, NOW).options
    if not before or before[0].cost is None:
        return
    chosen = next(each for each in them if each.facility.code == before[0].facility.code)
    assert chosen.terms.price is not None
    facility = replace(chosen.facility, code="cheaper")
    cheaper = replace(
        chosen,
        facility=facility,
        terms=replace(chosen.terms, price=(chosen.terms.price * Decimal(share)).quantize(Decimal("0.01"))),
    )
    after = choose(need, [*them, cheaper], NOW).options
    assert after[0].cost is not None
    assert after[0].cost <= before[0].cost


@given(needs, several)
def test_every_candidate_is_either_suitable_or_left_out(need: Need, them: list[Candidate]) -> None:
    choice = choose(need, them, NOW)
    assert choice.suitable + len(choice.rejected) == len(them)
    assert len(choice.options) == min(choice.suitable, 5)
    left_out = {each.facility.code for each in choice.rejected}
    assert not left_out & {each.facility.code for each in choice.options}


@given(needs, several)
def test_every_score_is_from_0_to_100(need: Need, them: list[Candidate]) -> None:
    assert all(0 <= each.score <= 100.0001 for each in choose(need, them, NOW).options)


def test_stat_prefers_time_and_routine_prefers_cost() -> None:
    fast = candidate("F1", terms=Terms(Decimal(900), 4, "routine"), figures=Figures(5, 1, 0.05, 0.9, 0.8))
    cheap = candidate("F2", terms=Terms(Decimal(100), 4, "routine"), figures=Figures(1000, 4, 0.05, 0.9, 0.8))
    assert choose(Need(CHEST, "stat"), [fast, cheap], NOW).options[0].facility.code == "F1"
    assert choose(Need(CHEST, "routine"), [fast, cheap], NOW).options[0].facility.code == "F2"
    assert sum(vars_of(Rules(), "stat")) == pytest.approx(1)


def vars_of(rules: Rules, priority: str) -> list[float]:
    """The weights of a priority."""
    weights = rules.weights[priority]
    return [weights.time, weights.cost, weights.distance, weights.quality]
