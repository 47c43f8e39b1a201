"""What an option comes to: hours until the report, BDT, the way, the quality, and the score of these. Pure."""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from radiology.facilities.choosing.model import Candidate, Need, Option, Rules
from radiology.facilities.model import Device
from radiology.kit.explaining import Factor

SOURCE: Final = "docs/choosing-a-facility.md"
PAISA: Final = Decimal("0.01")
MINUTES_OF_A_DAY: Final = 480
"""A working day, which travelling takes away."""
HIGHEST_REJECT_RATE: Final = 0.15
REJECTS, IN_TIME, CURRENT, DOSE = 0.4, 0.3, 0.2, 0.1
"""How much the parts of the quality count; current: licence and tests are."""
_ASSUMED: Final = "assumed, since it is not known of this facility"
_MEASURED: Final = "figures of this facility"


@dataclass(frozen=True, slots=True)
class Weighed:
    """A facility and a device with what they come to. The terms are those of the score, each from 0 to 1."""

    candidate: Candidate
    device: Device
    hours: float
    cost: Decimal | None
    quality: float
    terms: tuple[float, float, float, float]
    score: float

    @property
    def travel_minutes(self) -> float:
        """Minutes of the way there; none where it is not known."""
        return self.candidate.travel.minutes or 0.0


def weighed(
    need: Need, candidate: Candidate, device: Device, cost: Decimal | None, cheapest: Decimal | None, rules: Rules
) -> Weighed:
    """What it comes to. cheapest: the lowest cost of all options, BDT."""
    weights = rules.weights[need.priority]
    hours, quality = total_hours(need, candidate, rules), sum(_quality(candidate, rules))
    terms = (
        math.exp(-hours / rules.time_constant_hours[need.priority]),
        _cheapness(cost, cheapest),
        math.exp(-(candidate.travel.minutes or 0.0) / rules.distance_constant_minutes),
        quality,
    )
    time, cheapness, nearness, _ = terms
    score = 100 * (
        weights.time * time + weights.cost * cheapness + weights.distance * nearness + weights.quality * quality
    )
    return Weighed(candidate, device, hours, cost, quality, terms, score)


def charge(candidate: Candidate) -> Decimal | None:
    """What the patient pays for the examination, BDT; None where nobody has told the price."""
    price = candidate.terms.price
    return None if price is None else max(price - candidate.figures.subsidy, Decimal())


def total_cost(candidate: Candidate, rules: Rules) -> Decimal | None:
    """What it costs the patient, BDT: the charge, the way there and back, and half a wage for each day on the way."""
    charged = charge(candidate)
    if charged is None:
        return None
    days = Decimal(2 * (candidate.travel.minutes or 0) / MINUTES_OF_A_DAY)
    whole = charged + (candidate.travel.cost or Decimal()) + rules.daily_wage / 2 * days
    return whole.quantize(PAISA)


def wait_minutes(candidate: Candidate, rules: Rules) -> float:
    """Minutes until it can begin there."""
    told = candidate.figures.wait_minutes
    return rules.assumed_wait_minutes if told is None else told


def turnaround_hours(need: Need, candidate: Candidate) -> float:
    """Hours from images to report there; what its terms promise where nothing is known."""
    told = candidate.figures.turnaround_hours
    return float(candidate.terms.hours_for(need.priority)) if told is None else told


def total_hours(need: Need, candidate: Candidate, rules: Rules) -> float:
    """Hours from now until the report: waiting, examination, turnaround and the way there."""
    minutes = wait_minutes(candidate, rules) + need.procedure.minutes + (candidate.travel.minutes or 0)
    return minutes / 60 + turnaround_hours(need, candidate)


def _cheapness(cost: Decimal | None, cheapest: Decimal | None) -> float:
    if cost is None or cheapest is None:
        return 0.0
    return 1.0 if cost == 0 else float(cheapest / cost)


def _quality(candidate: Candidate, rules: Rules) -> tuple[float, float, float, float]:
    """The parts of the quality as they count. What is not known never counts for a place."""
    figures = candidate.figures
    rejects = rules.assumed_reject_rate if figures.reject_rate is None else figures.reject_rate
    in_time = rules.assumed_sla_met if figures.sla_met is None else figures.sla_met
    # Whoever has passed the filters has a device whose licence and tests are current.
    return (
        REJECTS * _clamped(1 - rejects / HIGHEST_REJECT_RATE),
        IN_TIME * _clamped(in_time),
        CURRENT,
        DOSE if figures.dose_ratio is not None and figures.dose_ratio <= 1 else 0.0,
    )


def _clamped(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def explained(each: Weighed, need: Need, rules: Rules) -> Option:
    """An option with all that its score is made of: the four terms, and below them what they are made of."""
    return Option(
        facility=each.candidate.facility,
        device=each.device,
        hours=each.hours,
        cost=each.cost,
        travel_minutes=each.travel_minutes,
        quality=each.quality,
        score=each.score,
        explain=(*_terms(each, need, rules), *_of_hours(each, need, rules), *_of_quality(each, rules)),
    )


def _terms(each: Weighed, need: Need, rules: Rules) -> list[Factor]:
    weights, travel = rules.weights[need.priority], each.candidate.travel.minutes
    raws: list[tuple[str, float | None, float]] = [
        ("hours until the report", round(each.hours, 2), weights.time),
        ("cost to the patient, BDT", None if each.cost is None else float(round(each.cost, 2)), weights.cost),
        ("minutes of travel", None if travel is None else round(travel, 1), weights.distance),
        ("quality", round(each.quality, 4), weights.quality),
    ]
    return [
        Factor(name, raw, term, weight, 100 * weight * term, SOURCE)
        for (name, raw, weight), term in zip(raws, each.terms, strict=True)
    ]


def _of_hours(each: Weighed, need: Need, rules: Rules) -> list[Factor]:
    figures, travel = each.candidate.figures, each.candidate.travel
    parts = [
        ("hours: waiting", wait_minutes(each.candidate, rules) / 60, _source(figures.wait_minutes, _ASSUMED)),
        ("hours: examination", need.procedure.minutes / 60, "catalogue"),
        ("hours: turnaround", turnaround_hours(need, each.candidate), _source(figures.turnaround_hours, "catalogue")),
        ("hours: travel", (travel.minutes or 0) / 60, travel.source or _ASSUMED),
    ]
    return [Factor(name, round(value, 2), source=source) for name, value, source in parts]


def _of_quality(each: Weighed, rules: Rules) -> list[Factor]:
    figures, parts = each.candidate.figures, _quality(each.candidate, rules)
    told: list[tuple[str, float | bool | None, float, str]] = [
        ("reject rate", figures.reject_rate, REJECTS, _source(figures.reject_rate, _ASSUMED)),
        ("share of reports in time", figures.sla_met, IN_TIME, _source(figures.sla_met, _ASSUMED)),
        ("licence and tests are current", True, CURRENT, "registry of devices"),
        ("dose over its reference level", figures.dose_ratio, DOSE, _source(figures.dose_ratio, _ASSUMED)),
    ]
    return [
        Factor(f"quality: {name}", raw, part / weight, weight, part, source)
        for (name, raw, weight, source), part in zip(told, parts, strict=True)
    ]


def _source(known: float | None, otherwise: str) -> str:
    return otherwise if known is None else _MEASURED
