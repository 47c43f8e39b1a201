"""A country made by a seed: 64 districts with their people, facilities, devices and operators. Pure."""

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib import resources
from random import Random
from typing import Final

from radiology.facilities.model import Device, Facility, Operator, Ownership
from radiology.simulation.model import TIERS, Country, District, Plan, TierModel

#: How many of 600 facilities are of a tier; one hospital for each district, complexes and private ones by its people.
_OF_600: Final[Mapping[str, int]] = {
    "Upazila_Health_Complexes": 330,
    "District_Hospitals": 64,
    "Medical_College_Hospitals": 32,
    "Specialised_Institutes": 12,
    "Private_Clinics": 90,
    "Diagnostic_Centres": 58,
    "Nuclear_Medicine_Institutes": 14,
}
_SPREAD: Final = 0.25
"""Facilities of a district lie within so many degrees of its town."""
_LICENSED: Final = 0.95
_WOMEN: Final = 0.4
_VALID: Final = date(2099, 12, 31)
_EXPIRED: Final = date(2020, 12, 31)
_IN_CITIES: Final = frozenset({"Medical_College_Hospitals", "Diagnostic_Centres", "Nuclear_Medicine_Institutes"})
_BY_TIER: Final = {tier.tier: tier for tier in TIERS}


@cache
def districts() -> tuple[District, ...]:
    """The 64 districts with approximate coordinates and people."""
    with resources.files("radiology.simulation").joinpath("districts.csv").open(encoding="utf-8") as lines:
        return tuple(
            District(row["division"], row["district"], float(row["latitude"]), float(row["longitude"]),
                     int(row["thousands"]))
            for row in csv.DictReader(lines)
        )  # fmt: skip


def make_country(plan: Plan) -> Country:
    """The country of a plan's seed. The same plan gives the same country."""
    random = Random(f"country {plan.seed}")  # noqa: S311
    facilities, home = list[Facility](), dict[str, District]()
    for number, (district, tier) in enumerate(_places(plan, random), start=1):
        made = _facility(f"S{number:05d}", number, district, tier, random)
        facilities.append(made)
        home[made.code] = district
    devices, operators = dict[str, tuple[Device, ...]](), dict[str, tuple[Operator, ...]]()
    first = 1
    for facility in facilities:
        of = tuple(_devices(facility, _BY_TIER[facility.tier], random, first))
        first += len(of)
        devices[facility.code] = of
        operators[facility.code] = tuple(_operators(facility, of, random))
    return Country(
        districts=districts(),
        facilities=tuple(facilities),
        tiers={each.code: _BY_TIER[each.tier] for each in facilities},
        devices=devices,
        operators=operators,
        home=home,
    )


def _places(plan: Plan, random: Random) -> Iterator[tuple[District, TierModel]]:
    """Where the facilities are: the first 64 are the hospitals of the districts, as far as there are so many."""
    scale = plan.facilities / sum(_OF_600.values())
    yield from ((district, _BY_TIER["District_Hospitals"]) for district in districts()[: plan.facilities])
    left = max(plan.facilities - len(districts()), 0)
    others = [
        _BY_TIER[name]
        for name, number in _OF_600.items()
        if name != "District_Hospitals"
        for _ in range(round(number * scale) + 1)
    ]
    random.shuffle(others)
    for tier in others[:left]:
        yield _district_of(tier, random), tier


def _district_of(tier: TierModel, random: Random) -> District:
    """Specialised institutes are in the capital; all others by the people, teaching hospitals where there are most."""
    all_of_them = districts()
    if tier.tier == "Specialised_Institutes":
        return next(each for each in all_of_them if each.name == "Dhaka")
    power = (
        1.6 if tier.tier in ("Medical_College_Hospitals", "Diagnostic_Centres", "Nuclear_Medicine_Institutes") else 1
    )
    return random.choices(all_of_them, [each.thousands**power for each in all_of_them])[0]


def _facility(code: str, number: int, district: District, tier: TierModel, random: Random) -> Facility:
    in_town = tier.tier != "Upazila_Health_Complexes"
    spread = _SPREAD / 5 if in_town else _SPREAD
    return Facility(
        code=code,
        name=f"{district.name} {tier.tier.replace('_', ' ')} {number}",
        tier=tier.tier,
        ownership=Ownership(tier.ownership),
        division=district.division,
        district=district.name,
        latitude=round(district.latitude + random.uniform(-spread, spread), 4),
        longitude=round(district.longitude + random.uniform(-spread, spread), 4),
        open_all_hours=tier.open_all_hours,
        sedation=tier.open_all_hours,
    )


def _devices(facility: Facility, tier: TierModel, random: Random, first: int) -> Iterator[Device]:
    number = first
    for modality, works in tier.works.items():
        if random.random() >= works:
            continue
        for _ in range(tier.devices.get(modality, 1)):
            yield Device(
                number=number,
                facility_code=facility.code,
                name=f"{modality} {number}",
                modality=modality,
                contrast=modality in ("CT", "MR", "RF", "US") and tier.tier != "Private_Clinics",
                mr_conditional=tier.open_all_hours,
                max_weight_kg=150.0 if modality in ("CT", "MR") else None,
                licence_number=f"SIM-{number}",
                licence_until=_VALID if random.random() < _LICENSED else _EXPIRED,
            )
            number += 1


def _operators(facility: Facility, devices: tuple[Device, ...], random: Random) -> Iterator[Operator]:
    for modality in sorted({each.modality for each in devices}):
        for shift in range(2):
            sex = "F" if random.random() < _WOMEN else "M"
            yield Operator(facility.code, f"Operator {facility.code} {modality} {shift}", frozenset({modality}), sex)
