"""The best facility and device for an examination, and why. Pure and deterministic.

Whoever cannot do it is left out with the filter that says so. Of the others each has a score of 0 to 100 from the time
until the report, the cost to the patient, the way there and the quality of the work. Scores that differ by no more than
the tie are equal: then the cheaper, the earlier, the public, the nearer one is better, and at last the lower code.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from radiology.facilities.capability import Filter
from radiology.facilities.choosing.fitting import fitting
from radiology.facilities.choosing.model import MOST_OPTIONS, Candidate, Choice, Need, Referral, Rejected, Rules
from radiology.facilities.choosing.weighing import Weighed, explained, total_cost, total_hours, weighed
from radiology.facilities.model import Device, Ownership
from radiology.facilities.tiers import level
from radiology.kit.bilingual import Sentence

_ORDER: Final = {each: number for number, each in enumerate(Filter)}
_Able = tuple[Candidate, Device]


def choose(need: Need, candidates: Iterable[Candidate], now: datetime, rules: Rules | None = None) -> Choice:
    """The best options for a need at a moment, the best first, and what was left out.

    The same input gives the same output, in whatever order the candidates come. Where nothing begins before the
    deadline, the nearest facility of a higher level that can do it at all is named instead.
    """
    rules = rules or Rules()
    fit, late, rejected = list[_Able](), list[_Able](), list[Rejected]()
    for candidate in candidates:
        device, why = fitting(candidate, need, now, rules)
        if device is not None and why is None:
            fit.append((candidate, device))
            continue
        rejected.append(Rejected(candidate.facility, why or Filter.NO_DEVICE))
        if device is not None and why is Filter.AFTER_DEADLINE:
            late.append((candidate, device))
    rejected.sort(key=lambda each: (_ORDER[each.filter], each.facility.code))
    return Choice(
        options=tuple(explained(each, need, rules) for each in _best(need, fit, rules)),
        rejected=tuple(rejected),
        referral=None if fit else _referral(need, late, rules),
        suitable=len(fit),
        rule_set_version=rules.version,
    )


def _best(need: Need, fit: Sequence[_Able], rules: Rules) -> list[Weighed]:
    """The first few, each the best by the ties among those whose score is as good as the highest that is left."""
    costs = [total_cost(candidate, rules) for candidate, _ in fit]
    cheapest = min((each for each in costs if each is not None), default=None)
    left: list[Weighed] = [
        weighed(need, candidate, device, cost, cheapest, rules)
        for (candidate, device), cost in zip(fit, costs, strict=True)
    ]
    best = list[Weighed]()
    while left and len(best) < MOST_OPTIONS:
        highest = max(each.score for each in left)
        chosen = min((each for each in left if each.score >= highest - rules.tie), key=_among_equals)
        left = [each for each in left if each is not chosen]
        best.append(chosen)
    return best


def _among_equals(each: Weighed) -> tuple[Decimal, float, bool, float, str]:
    facility = each.candidate.facility
    return (
        Decimal("Infinity") if each.cost is None else each.cost,
        each.hours,
        facility.ownership != Ownership.PUBLIC,
        each.travel_minutes,
        facility.code,
    )


def _referral(need: Need, late: Sequence[_Able], rules: Rules) -> Referral | None:
    """The nearest facility of a higher level that can do it, too late as it is."""
    higher = [each for each in late if level(each[0].facility.tier) > level(need.from_tier)]
    if not higher:
        return None
    candidate, device = min(higher, key=lambda each: (each[0].travel.minutes or 0, each[0].facility.code))
    return Referral(
        facility=candidate.facility,
        device=device,
        hours=total_hours(need, candidate, rules),
        travel_minutes=candidate.travel.minutes or 0,
        note=_transport(need, candidate),
    )


def _transport(need: Need, candidate: Candidate) -> Sentence:
    hours = (candidate.travel.minutes or 0) / 60
    name, bangla = candidate.facility.name, candidate.facility.name_bangla or candidate.facility.name
    if need.priority == "stat":
        return Sentence(
            f"Nothing begins before the deadline. Call {name} now and send the patient by ambulance with an escort, "
            f"about {hours:.1f} hours on the way.",
            f"নির্ধারিত সময়ের আগে কোথাও শুরু করা যাবে না। এখনই {bangla}-এ ফোন করুন এবং সঙ্গীসহ অ্যাম্বুলেন্সে রোগী পাঠান।",
        )
    return Sentence(
        f"Nothing begins before the deadline. Call {name} and ask when the patient can come, about {hours:.1f} hours "
        "on the way.",
        f"নির্ধারিত সময়ের আগে কোথাও শুরু করা যাবে না। {bangla}-এ ফোন করে রোগী কখন আসবে জেনে নিন।",
    )
