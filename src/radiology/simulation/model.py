"""The model of the country, the policies that are compared, and what becomes of every patient. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from radiology.facilities.choosing.model import Rules, Weights
from radiology.facilities.choosing.travelling import Place
from radiology.facilities.model import Device, Facility, Operator
from radiology.procedures.model import Procedure


@dataclass(frozen=True, slots=True)
class District:
    """A district: latitude and longitude of its town in degrees, and its people in thousands."""

    division: str
    name: str
    latitude: float
    longitude: float
    thousands: int


@dataclass(frozen=True, slots=True)
class TierModel:
    """How facilities of a tier are equipped. works: the share that has a working device of a modality.

    devices: how many of a modality those have that have one. opens, closes: hours of the day for what is not urgent.
    megabits: of the link to others. share: of the patients of its district that first come here.
    """

    tier: str
    ownership: str
    works: Mapping[str, float]
    devices: Mapping[str, int]
    opens: int
    closes: int
    megabits: float
    share: float

    @property
    def open_all_hours(self) -> bool:
        """Whether it never closes."""
        return (self.opens, self.closes) == (0, 24)


TIERS: Final = (
    TierModel("Upazila_Health_Complexes", "public", {"DX": 0.412, "US": 0.118}, {}, 8, 14, 4, 0.30),
    TierModel("District_Hospitals", "public", {"DX": 0.889, "US": 0.556, "CT": 0.2}, {"DX": 2}, 8, 14, 10, 0.25),
    TierModel(
        "Medical_College_Hospitals", "public",
        {"DX": 1, "US": 1, "CT": 0.95, "MR": 0.7, "MG": 0.6, "RF": 0.6, "BMD": 0.3},
        {"DX": 5, "US": 5, "CT": 2, "MR": 1}, 0, 24, 50, 0.20,
    ),
    TierModel(
        "Specialised_Institutes", "public", {"DX": 1, "US": 1, "CT": 1, "MR": 0.9, "MG": 0.5, "RF": 0.5, "PT": 0.2},
        {"DX": 3, "US": 3, "CT": 2}, 0, 24, 100, 0.05,
    ),
    TierModel("Private_Clinics", "private", {"DX": 0.9, "US": 0.95, "CT": 0.3}, {}, 8, 22, 20, 0.10),
    TierModel(
        "Diagnostic_Centres", "private",
        {"DX": 1, "US": 1, "CT": 0.7, "MR": 0.5, "MG": 0.5, "BMD": 0.4, "RF": 0.4, "PT": 0.03},
        {"DX": 2, "US": 3}, 8, 22, 40, 0.10,
    ),
    TierModel(
        "Nuclear_Medicine_Institutes", "public", {"NM": 1, "US": 1, "BMD": 0.7, "PT": 0.3}, {"US": 2}, 8, 15, 20, 0.0
    ),
)  # fmt: skip
"""Upazila complexes and district hospitals work as often as the survey of 2023 found; all else is assumed."""

MEGABYTES: Final[Mapping[str, int]] = MappingProxyType(
    {"DX": 25, "US": 30, "CT": 250, "MR": 150, "MG": 180, "RF": 40, "BMD": 2, "NM": 20, "PT": 400}
)
"""What is sent of an examination of a modality, MB."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated. orders: on the day. stat, urgent: shares of them. reads_minutes: to read one RVU.

    batch_saves: the share of these that is saved from the second study of a batch on.
    seed: the same seed gives the same country, the same patients, and so the same totals. facilities, readers: how many
    there are in the whole country. nearest: so many facilities of a modality are looked at. follows_advice: the share
    of suggestions that the one who orders takes. repeated: the share of orders of what was done a few days before.
    pregnant: of women of 12 to 55. ends_after: what is not read by then after midnight of the day is never read.
    """

    seed: int = 1
    facilities: int = 600
    readers: int = 300
    orders: int = 10_000
    stat: float = 0.06
    urgent: float = 0.14
    reads_minutes: float = 5.0
    batch_saves: float = 0.1
    nearest: int = 60
    follows_advice: float = 0.7
    repeated: float = 0.08
    pregnant: float = 0.03
    assigns_every: timedelta = timedelta(minutes=5)
    ends_after: timedelta = timedelta(hours=96)


@dataclass(frozen=True, slots=True)
class Policy:
    """How a country could work. rules: of the choice of a facility. network: images are read wherever a reader is.

    checks: an order is checked when it is placed.
    """

    name: str
    says: str
    rules: Rules
    network: bool = True
    checks: bool = True


def _only(time: float = 0, cost: float = 0, distance: float = 0) -> Rules:
    weights = Weights(time, cost, distance, 0)
    return Rules(weights=dict.fromkeys(("stat", "urgent", "routine"), weights), tie=0.0, version="simulated")


POLICIES: Final[tuple[Policy, ...]] = (
    Policy("alone", "the nearest facility, read where the images are made, no check", _only(distance=1), False, False),
    Policy("nearest", "the nearest facility, read by the network", _only(distance=1)),
    Policy("cheapest", "the cheapest facility, read by the network", _only(cost=1)),
    Policy("fastest", "the facility with the earliest report, read by the network", _only(time=1)),
    Policy("balanced", "the rules of the service: time, cost, way and quality by urgency", Rules()),
)


@dataclass(frozen=True, slots=True)
class Country:
    """The places, devices and people. by_modality: the facilities that have a device of one, by their position."""

    districts: tuple[District, ...]
    facilities: tuple[Facility, ...]
    tiers: Mapping[str, TierModel]
    devices: Mapping[str, tuple[Device, ...]]
    operators: Mapping[str, tuple[Operator, ...]]
    home: Mapping[str, District]
    procedures: tuple[Procedure, ...] = ()


@dataclass(frozen=True, slots=True)
class Patient:
    """Somebody for whom something is ordered, where and when."""

    number: int
    at: datetime
    place: Place
    district: District
    procedure: Procedure
    priority: str
    age: int
    sex: str
    indication: str


@dataclass(slots=True)
class Journey:
    """What becomes of one order; None is what never came."""

    patient: Patient
    procedure: Procedure | None = None
    facility: str | None = None
    tier: str = ""
    cost: Decimal = field(default_factory=Decimal)
    travel_minutes: float = 0.0
    begins: datetime | None = None
    images: datetime | None = None
    ready: datetime | None = None
    deadline: datetime | None = None
    reader: str | None = None
    report: datetime | None = None
    modality: str = ""
    avoided: bool = False
    replaced: bool = False
    saved: Decimal = field(default_factory=Decimal)
    saved_msv: float = 0.0
    referred: bool = False
