"""One day of a country under a policy: orders, examinations and reports in the order of time. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from radiology.facilities.choosing.model import Choice
from radiology.procedures.appropriateness.ruleset import RuleSet
from radiology.procedures.model import Procedure
from radiology.simulation.checking import Advised, Checking
from radiology.simulation.country import make_country
from radiology.simulation.examining import Examining, Nearness
from radiology.simulation.model import Country, Journey, Patient, Plan, Policy
from radiology.simulation.patients import orders_of_a_day
from radiology.simulation.reading import Reading, loads

Progress = Callable[[int, int], None]
"""Told how many of how many orders were placed."""


@dataclass(frozen=True, slots=True)
class World:
    """What is the same under every policy: the country, the patients, the catalogue and the rules of the check."""

    plan: Plan
    country: Country
    patients: Sequence[Patient]
    procedures: Mapping[str, Procedure]
    rules: RuleSet
    begins: datetime
    nearness: Nearness


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy came to. loads: RVU by reader, the least first. used: the share of their hours that devices
    work. batched: studies that followed another one of their batch.
    """

    policy: Policy
    journeys: Sequence[Journey]
    loads: Sequence[float]
    used: float
    batched: int


def make_world(plan: Plan, procedures: Sequence[Procedure], rules: RuleSet, begins: datetime) -> World:
    """The world of a plan. begins: midnight of the day, aware."""
    country = make_country(plan)
    patients = orders_of_a_day(plan, country, procedures, begins)
    known = {each.key: each for each in procedures}
    return World(plan, country, patients, known, rules, begins, Nearness(plan, country))


def run(world: World, policy: Policy, on_progress: Progress | None = None) -> Outcome:
    """A day under a policy, and as long as it takes until all is read that can be. Deterministic."""
    plan = world.plan
    examining = Examining(world.country, policy, world.nearness)
    reading = Reading(plan, world.country, policy, world.begins, examining.told)
    checking = Checking(plan, world.rules, world.procedures) if policy.checks else None
    journeys, left, now = list[Journey](), list(reversed(world.patients)), world.begins
    ends = world.begins + plan.ends_after
    while now < ends and (left or not reading.is_done):
        now += plan.assigns_every
        while left and left[-1].at < now:
            journeys.append(_placed(left.pop(), examining, reading, checking))
        reading.advance(now)
        if on_progress:
            on_progress(len(journeys), len(world.patients))
    desks = reading.desks.values()
    batched = sum(desk.batched for desk in desks)
    return Outcome(policy, journeys, loads(desks), _used(world.country, examining), batched)


def _placed(patient: Patient, examining: Examining, reading: Reading, checking: Checking | None) -> Journey:
    advised = checking.advise(patient) if checking else Advised(patient.procedure)
    if advised.procedure is None:
        journey = Journey(patient, modality=patient.procedure.modality, avoided=True)
    else:
        journey, choice = examining.order(patient, advised.procedure)
        journey.procedure, journey.replaced = advised.procedure, advised.replaced
        journey.referred = _is_referred(journey, choice)
        if journey.images is not None:
            reading.images(journey)
    journey.saved, journey.saved_msv = advised.saved, advised.saved_msv
    return journey


def _is_referred(journey: Journey, choice: Choice) -> bool:
    """Whether the patient goes elsewhere than where he or she was seen."""
    return bool(choice.options) and journey.facility != journey.patient.place.facility_code


def _used(country: Country, examining: Examining) -> float:
    hours = sum(
        (country.tiers[code].closes - country.tiers[code].opens) * len(devices)
        for code, devices in country.devices.items()
    )
    busy = sum(examining.busy.values(), timedelta())
    return busy.total_seconds() / 3600 / hours if hours else 0.0
