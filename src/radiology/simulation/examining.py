"""From orders to images: facility and device are chosen by the service's own rules, and devices have queues. Pure."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from radiology.facilities.choosing.choose import choose
from radiology.facilities.choosing.model import Candidate, Choice, Need, Option, Rules, Travel
from radiology.facilities.choosing.travelling import Place, travel
from radiology.facilities.model import Device, Facility, Figures
from radiology.procedures.model import Procedure, Terms
from radiology.simulation.model import MEGABYTES, Country, Journey, Patient, Plan, Policy

SMOOTHING: Final = 0.2
"""The newest turnaround counts so much in what a facility is known for."""
_RULES: Final = Rules()
EXAMINATION_OVERHEAD: Final = timedelta(minutes=5)
"""Between two patients."""


class Nearness:
    """Which facilities are near to which, with the way there: the same under every policy, and looked up once."""

    def __init__(self, plan: Plan, country: Country) -> None:
        self._plan, self._country = plan, country
        self._near: dict[tuple[str, str], list[tuple[Facility, Travel]]] = {}

    def of(self, place: Place, modality: str) -> list[tuple[Facility, Travel]]:
        """The nearest facilities that have a device of a modality at all."""
        key = (place.facility_code, modality)
        if key not in self._near:
            having = [
                (facility, travel(place, facility, {}, _RULES))
                for facility in self._country.facilities
                if any(device.modality == modality for device in self._country.devices[facility.code])
            ]
            having.sort(key=lambda each: (each[1].minutes or 0, each[0].code))
            self._near[key] = having[: self._plan.nearest]
        return self._near[key]


class Examining:
    """The devices of a country on one day, under one policy. Call `order` in the order of time."""

    def __init__(self, country: Country, policy: Policy, nearness: Nearness) -> None:
        self._country, self._policy, self._nearness = country, policy, nearness
        self._free: dict[int, datetime] = {}
        self._turnaround: dict[tuple[str, str], float] = {}
        self.busy: dict[int, timedelta] = defaultdict(timedelta)

    def order(self, patient: Patient, procedure: Procedure) -> tuple[Journey, Choice]:
        """Choose for a patient what is to be done where, and do it there."""
        need = Need(procedure, patient.priority, from_tier=self._country.tiers[patient.place.facility_code].tier)
        choice = choose(need, self._candidates(patient, procedure), patient.at, self._policy.rules)
        journey = Journey(patient, modality=procedure.modality)
        if choice.options:
            self._examine(journey, choice.options[0], procedure)
        return journey, choice

    def told(self, journey: Journey) -> None:
        """A report came: its turnaround is what the facility is known for from now on."""
        if journey.facility is None or journey.images is None or journey.report is None:
            return
        key = (journey.facility, journey.modality)
        hours = (journey.report - journey.images).total_seconds() / 3600
        before = self._turnaround.get(key, hours)
        self._turnaround[key] = before + SMOOTHING * (hours - before)

    def _candidates(self, patient: Patient, procedure: Procedure) -> list[Candidate]:
        return [
            self._candidate(patient, procedure, facility, way)
            for facility, way in self._nearness.of(patient.place, procedure.modality)
        ]

    def _candidate(self, patient: Patient, procedure: Procedure, facility: Facility, way: Travel) -> Candidate:
        arrives = patient.at + timedelta(minutes=way.minutes or 0)
        devices = sorted(
            (each for each in self._country.devices[facility.code] if each.modality == procedure.modality),
            key=lambda device: (self._begins(device, arrives, patient.priority), device.number),
        )
        waits = (self._begins(devices[0], arrives, patient.priority) - arrives).total_seconds() / 60
        known = self._turnaround.get((facility.code, procedure.modality))
        return Candidate(
            facility=facility,
            devices=tuple(devices),
            operators=self._country.operators[facility.code],
            figures=Figures(wait_minutes=waits, turnaround_hours=known),
            terms=Terms(procedure.price_at(facility.ownership), procedure.turnaround_hours, procedure.priority),
            travel=way,
        )

    def _begins(self, device: Device, arrives: datetime, priority: str) -> datetime:
        """When a device can begin: after who is on it, in its hours; STAT is the next, at any hour."""
        free = self._free.get(device.number, arrives)
        if priority == "stat":
            return max(arrives, min(free, arrives + timedelta(minutes=20)))
        return self._opened(device, max(arrives, free))

    def _opened(self, device: Device, moment: datetime) -> datetime:
        tier = self._country.tiers[device.facility_code]
        if tier.open_all_hours or tier.opens <= moment.hour < tier.closes:
            return moment
        day = moment if moment.hour < tier.opens else moment + timedelta(days=1)
        return day.replace(hour=tier.opens, minute=0, second=0, microsecond=0)

    def _examine(self, journey: Journey, option: Option, procedure: Procedure) -> None:
        patient, device = journey.patient, option.device
        arrives = patient.at + timedelta(minutes=option.travel_minutes)
        length = timedelta(minutes=procedure.minutes)
        begins = self._begins(device, arrives, patient.priority)
        # What is on the device already goes on after a STAT examination that came between.
        waiting = max(self._free.get(device.number, begins), begins)
        self._free[device.number] = waiting + length + EXAMINATION_OVERHEAD
        self.busy[device.number] += length
        journey.facility, journey.tier = option.facility.code, option.facility.tier
        journey.cost = option.cost or Decimal()
        journey.travel_minutes = option.travel_minutes
        journey.begins, journey.images = begins, begins + length
        journey.ready = journey.images + self._sent(option.facility.code, procedure.modality)

    def _sent(self, facility_code: str, modality: str) -> timedelta:
        """How long the images are on their way to whoever reads them; none where they are read on the spot."""
        if not self._policy.network:
            return timedelta()
        seconds = 8 * MEGABYTES[modality] / self._country.tiers[facility_code].megabits
        return timedelta(seconds=seconds)
