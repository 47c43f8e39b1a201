"""The orders of one day, made by a seed: where, when, for whom, what, how urgent and why. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from radiology.facilities.choosing.travelling import Place
from radiology.procedures.model import Procedure
from radiology.simulation.model import Country, Patient, Plan

#: How often something of a modality is ordered, in parts of a hundred.
_MODALITIES: Final[Mapping[str, float]] = {
    "DX": 52, "US": 32, "CT": 8, "MR": 3, "MG": 1.5, "RF": 1.5, "BMD": 1, "NM": 0.8, "PT": 0.2,
}  # fmt: skip
#: What is not urgent is ordered in these hours, so often in each.
_HOURS: Final[Mapping[int, float]] = {
    8: 8, 9: 16, 10: 19, 11: 17, 12: 13, 13: 8, 14: 3, 15: 2, 16: 3, 17: 4, 18: 4, 19: 2, 20: 1,
}  # fmt: skip
_WITHOUT_DEVICE: Final = 0.2
"""The weight of a facility of a district that has no device at all: patients are seen there, too."""


def orders_of_a_day(plan: Plan, country: Country, procedures: Sequence[Procedure], begins: datetime) -> list[Patient]:
    """The patients of a plan's day in the order of their orders. begins: midnight, aware."""
    random = Random(f"patients {plan.seed}")  # noqa: S311
    of_modality = {
        modality: [each for each in procedures if each.modality == modality] for modality in _MODALITIES
    }  # fmt: skip
    modalities = [modality for modality, of in of_modality.items() if of]
    weights = [_MODALITIES[modality] for modality in modalities]
    homes = list(country.facilities)
    pull = [_pull(country, each.code) for each in homes]
    made = list[Patient]()
    for number in range(plan.orders):
        priority = _priority(plan, random)
        facility = random.choices(homes, pull)[0]
        of = of_modality[random.choices(modalities, weights)[0]]
        procedure = random.choices(of, [3 if each.common else 1 for each in of])[0]
        made.append(
            Patient(
                number=number,
                at=begins + _moment(priority, random),
                place=Place(facility.code, facility.latitude, facility.longitude),
                district=country.home[facility.code],
                procedure=procedure,
                priority=priority,
                age=_age(random),
                sex=_sex(procedure, random),
                indication=random.choice(procedure.indications or ("",)),
            )
        )
    return sorted(made, key=lambda each: (each.at, each.number))


def _pull(country: Country, code: str) -> float:
    """How many patients a facility draws: its tier's share of its district's people, over its like there."""
    tier, district = country.tiers[code], country.home[code]
    return district.thousands * tier.share * (1.0 if country.devices[code] else _WITHOUT_DEVICE)


def _priority(plan: Plan, random: Random) -> str:
    drawn = random.random()
    return "stat" if drawn < plan.stat else "urgent" if drawn < plan.stat + plan.urgent else "routine"


def _moment(priority: str, random: Random) -> timedelta:
    if priority == "routine":
        hour = random.choices(list(_HOURS), list(_HOURS.values()))[0]
        return timedelta(hours=hour, seconds=random.randrange(3600))
    return timedelta(seconds=random.randrange(24 * 3600))


def _age(random: Random) -> int:
    return min(int(random.triangular(0, 90, 32)), 95)


def _sex(procedure: Procedure, random: Random) -> str:
    words = procedure.key
    if any(word in words for word in ("OB", "TVS", "MG_", "HSG", "BREAST")):
        return "F"
    if any(word in words for word in ("PROSTATE", "SCROT")):
        return "M"
    return "F" if random.random() < 0.5 else "M"
