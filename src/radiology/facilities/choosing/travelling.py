"""The way from one place to another: as the table of travel says, otherwise estimated from the distance. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from radiology.facilities.choosing.model import Rules, Travel
from radiology.facilities.model import Facility

EARTH_RADIUS_KM: Final = 6371.0
DETOUR: Final = 1.4
"""Roads are so much longer than the great circle."""
SPEED_KM_H: Final = 25.0
TABLE, ESTIMATE, HERE = "table of travel", "1.4 times the great circle at 25 km/h", "the same facility"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a patient is: at a facility, or somewhere by latitude and longitude in degrees (WGS 84), or both."""

    facility_code: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A way that somebody has measured: minutes and km of one direction, BDT there and back where it is known."""

    minutes: float
    km: float
    cost: Decimal | None = None


Ways = Mapping[tuple[str, str], Way]
"""By the codes of the facilities that it leads from and to."""


def great_circle_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """The great circle between two places, by the haversine formula; degrees in, kilometres out."""
    here, there = math.radians(latitude), math.radians(other_latitude)
    across = math.radians(other_longitude - longitude)
    half = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(across / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(half, 1.0)))


def travel(place: Place, facility: Facility, ways: Ways, rules: Rules) -> Travel:
    """The way from a place to a facility; all is None where nothing is known of either."""
    if place.facility_code and place.facility_code == facility.code:
        return Travel(0.0, 0.0, Decimal(), HERE)
    way = ways.get((place.facility_code, facility.code)) or ways.get((facility.code, place.facility_code))
    if way is not None:
        return Travel(way.minutes, way.km, _fare(way.km, rules) if way.cost is None else way.cost, TABLE)
    if place.latitude is None or place.longitude is None or facility.latitude is None or facility.longitude is None:
        return Travel()
    km = DETOUR * great_circle_km(place.latitude, place.longitude, facility.latitude, facility.longitude)
    return Travel(60 * km / SPEED_KM_H, km, _fare(km, rules), ESTIMATE)


def _fare(km: float, rules: Rules) -> Decimal:
    return (2 * Decimal(km) * rules.travel_cost_per_km).quantize(Decimal("0.01"))
