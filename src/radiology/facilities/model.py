"""Facilities, devices and operators: what is where, and what is fit for work. Pure."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Ownership(StrEnum):
    """Whose it is: it decides which price list holds."""

    PUBLIC = "public"
    PRIVATE = "private"
    NGO = "ngo"


class DeviceState(StrEnum):
    """Whether a device works."""

    UP = "up"
    DOWN = "down"
    MAINTENANCE = "maintenance"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Facility:
    """A facility. `code` is that of the national facility registry; places are codes of the list of geocodes.

    latitude, longitude: degrees, WGS 84. A tier is a default for planning only, and never says what can be done.
    """

    code: str
    name: str
    name_bangla: str = ""
    tier: str = ""
    ownership: Ownership = Ownership.PUBLIC
    division: str = ""
    district: str = ""
    upazila: str = ""
    latitude: float | None = None
    longitude: float | None = None
    open_all_hours: bool = False
    sedation: bool = False
    active: bool = True
    test: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """A device that makes images.

    procedures: keys of the catalogue that it can do; None for all of its modality. mr_conditional: patients with an
    MR-conditional implant are examined on it. blocked: why nothing new is booked
    on it (licence, tests), None where nothing speaks against it. licence_until: the last valid day of its licence.
    back_on: from which day it is expected to work again. override_until: the last day on which it is used in spite of
    a block or of its licence. ae_title: empty for a device that is no application entity.
    """

    number: int
    facility_code: str
    name: str
    modality: str
    state: DeviceState = DeviceState.UP
    procedures: frozenset[str] | None = None
    contrast: bool = False
    mr_conditional: bool = False
    max_weight_kg: float | None = None
    youngest_months: int | None = None
    licence_number: str = ""
    licence_until: date | None = None
    blocked: str | None = None
    back_on: date | None = None
    override_until: date | None = None
    ae_title: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """Who may work devices of some modalities at a facility, and until which day the licence is valid."""

    facility_code: str
    name: str
    modalities: frozenset[str]
    sex: str = ""
    licence_until: date | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of how a facility does a class of procedures now; what is None is not known.

    wait_minutes: until the next free time. turnaround_hours: expected from images to report. reject_rate, sla_met:
    shares from 0 to 1. dose_ratio: median over the reference level. price, subsidy: BDT.
    """

    wait_minutes: float | None = None
    turnaround_hours: float | None = None
    reject_rate: float | None = None
    sla_met: float | None = None
    dose_ratio: float | None = None
    price: Decimal | None = None
    subsidy: Decimal = field(default_factory=Decimal)
