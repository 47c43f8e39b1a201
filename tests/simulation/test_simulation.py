"""A simulated country: the same by the same seed, sums that add up, and nothing that the rules do not allow."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from command_line import radi
from radiology.facilities.capability import why_not_offered
from radiology.procedures.appropriateness.ruleset import shipped as rules
from radiology.procedures.entries import procedure_of, shipped
from radiology.simulation import telling
from radiology.simulation.country import districts, make_country
from radiology.simulation.model import POLICIES, Plan
from radiology.simulation.reading import make_readers
from radiology.simulation.running import Outcome, World, make_world, run
from radiology.simulation.totals import GROUPS, by, total

PLAN = Plan(seed=7, facilities=90, readers=40, orders=150, nearest=20)
BEGINS = datetime(2026, 3, 4, tzinfo=ZoneInfo("Asia/Dhaka"))
PROCEDURES = [procedure_of(key, body) for key, body in shipped().items()]


def world(plan: Plan = PLAN) -> World:
    """The world of a plan."""
    return make_world(plan, PROCEDURES, rules(), BEGINS)


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """All policies over one world."""
    made = world()
    return [run(made, policy) for policy in POLICIES]


def test_the_country_has_64_districts_of_8_divisions() -> None:
    assert len(districts()) == 64
    assert len({each.division for each in districts()}) == 8
    country = make_country(Plan())
    assert len(country.facilities) == 600
    assert {each.district for each in country.facilities} == {each.name for each in districts()}


def test_upazila_complexes_have_working_x_ray_as_often_as_the_survey_found() -> None:
    country = make_country(Plan(facilities=2000))
    upazila = [each.code for each in country.facilities if each.tier == "Upazila_Health_Complexes"]
    working = sum(any(device.modality == "DX" for device in country.devices[code]) for code in upazila)
    assert working / len(upazila) == pytest.approx(0.412, abs=0.05)


def test_the_same_seed_gives_the_same_figures_and_another_seed_others(outcomes: list[Outcome]) -> None:
    again = run(world(), POLICIES[-1])
    assert telling.as_csv([again]) == telling.as_csv([outcomes[-1]])
    other = run(world(replace(PLAN, seed=8)), POLICIES[-1])
    assert telling.as_csv([other]) != telling.as_csv([again])


@pytest.mark.parametrize("group", GROUPS)
def test_the_parts_add_up_to_the_whole(outcomes: list[Outcome], group: str) -> None:
    for outcome in outcomes:
        whole, parts = total(outcome.journeys), by(group, outcome.journeys).values()
        for name in ("orders", "avoided", "replaced", "referred", "examined", "nowhere", "reported", "in_time"):
            assert sum(getattr(part, name) for part in parts) == getattr(whole, name), name
        assert sum((part.cost for part in parts), Decimal()) == whole.cost
        assert sum(part.travel_minutes for part in parts) == pytest.approx(whole.travel_minutes)
        assert sum((part.saved for part in parts), Decimal()) == whole.saved
        assert sorted(hour for part in parts for hour in part.turnaround_hours) == sorted(whole.turnaround_hours)


def test_every_order_ends_somewhere(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        sums = total(outcome.journeys)
        assert sums.orders == PLAN.orders
        assert sums.avoided + sums.nowhere + sums.examined == sums.orders
        assert sums.in_time <= sums.reported <= sums.examined


def test_the_load_of_readers_is_what_was_given_to_them(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        given = sum(each.procedure.rvu for each in outcome.journeys if each.reader and each.procedure)
        assert sum(outcome.loads) == pytest.approx(given)


def test_nobody_is_examined_where_it_cannot_be_done(outcomes: list[Outcome]) -> None:
    country = make_country(PLAN)
    for outcome in outcomes:
        for each in outcome.journeys:
            if each.facility is None or each.procedure is None:
                continue
            devices, operators = country.devices[each.facility], country.operators[each.facility]
            assert why_not_offered(each.procedure, devices, operators, BEGINS.date()) is None


def test_time_never_runs_backwards(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        for each in outcome.journeys:
            if each.begins is not None and each.images is not None and each.ready is not None:
                assert each.patient.at <= each.begins < each.images <= each.ready
                assert each.report is None or each.report > each.ready


def test_without_a_network_images_are_read_at_home_only(outcomes: list[Outcome]) -> None:
    (alone,) = [each for each in outcomes if each.policy.name == "alone"]
    homes = {each.reference: each.home.facility_code for each in make_readers(PLAN, make_country(PLAN), alone.policy)}
    assert all(homes[each.reader] == each.facility for each in alone.journeys if each.reader)


def test_policies_do_what_they_are_called(outcomes: list[Outcome]) -> None:
    sums = {each.policy.name: total(each.journeys) for each in outcomes}
    assert sums["cheapest"].mean_cost <= min(each.mean_cost for each in sums.values())
    assert sums["nearest"].mean_travel <= min(sums[name].mean_travel for name in ("cheapest", "fastest", "balanced"))
    assert sums["alone"].avoided == 0
    assert sums["nearest"].reported > sums["alone"].reported


def test_the_command_compares_policies(settings, tmp_path) -> None:
    file = tmp_path / "figures.csv"
    sizes = ["--orders", "60", "--facilities", "70", "--readers", "20", "--seed", "3"]
    wanted = ["--policy", "nearest", "--policy", "balanced", "--by", "division", "--csv", str(file)]
    answer = radi(settings, "simulate", *sizes, *wanted)
    assert answer.code == 0, answer.err
    assert "balanced by division" in answer.out
    assert "Dhaka" in answer.out
    lines = file.read_text().splitlines()
    assert lines[0].startswith("policy,group,name,orders")
    assert any(line.startswith("nearest,all,all,60,") for line in lines)
    assert radi(settings, "simulate", "--policy", "free-for-all").code == 2
