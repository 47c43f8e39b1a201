"""What is chosen from, by which rules, and what was chosen. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from radiology.facilities.capability import Filter
from radiology.facilities.model import Device, Facility, Figures, Operator
from radiology.kit.bilingual import Sentence
from radiology.kit.explaining import Factor
from radiology.procedures.model import Procedure, Terms

RULE_SET_VERSION: Final = "choice-1"
MOST_OPTIONS: Final = 5
UNKNOWN: Final = Terms(price=None, turnaround_hours=24, priority="routine")
"""The terms of a facility that has told none."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much time, cost, distance and quality count; their sum is 1."""

    time: float
    cost: float
    distance: float
    quality: float


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures of the choice; priorities are stat, urgent (and asap) and routine.

    time_constant_hours: after so long a result is worth 1/e. What a facility has not told is taken as the `assumed`
    figures, which are none that anybody would hide behind. daily_wage, travel_cost_per_km: BDT.
    """

    weights: Mapping[str, Weights] = field(
        default_factory=lambda: {
            "stat": Weights(0.70, 0.05, 0.15, 0.10),
            "urgent": Weights(0.45, 0.20, 0.20, 0.15),
            "asap": Weights(0.45, 0.20, 0.20, 0.15),
            "routine": Weights(0.20, 0.45, 0.20, 0.15),
        }
    )
    time_constant_hours: Mapping[str, float] = field(
        default_factory=lambda: {"stat": 2.0, "urgent": 8.0, "asap": 8.0, "routine": 48.0}
    )
    distance_constant_minutes: float = 90.0
    daily_wage: Decimal = Decimal(600)
    travel_cost_per_km: Decimal = Decimal(3)
    assumed_wait_minutes: float = 240.0
    assumed_reject_rate: float = 0.10
    assumed_sla_met: float = 0.5
    tie: float = 0.5
    version: str = RULE_SET_VERSION


@dataclass(frozen=True, slots=True)
class Need:
    """What is to be done for whom, and what it asks of a place.

    deadline: the examination begins before it. budget: the most that the patient can pay for the examination, BDT.
    from_tier: the tier of the facility that asks, for a referral upwards.
    """

    procedure: Procedure
    priority: str = "routine"
    deadline: datetime | None = None
    contrast: bool = False
    sedation: bool = False
    mr_conditional: bool = False
    weight_kg: float | None = None
    age_months: int | None = None
    female_operator: bool = False
    budget: Decimal | None = None
    from_tier: str = ""


@dataclass(frozen=True, slots=True)
class Travel:
    """The way to a facility: minutes and kilometres of one direction, BDT there and back; None is not known."""

    minutes: float | None = None
    km: float | None = None
    cost: Decimal | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A facility that could do it, with all that is known of it. `devices` are those of the modality, the
    preferred first.

    terms: on which it is done there.
    """

    facility: Facility
    devices: tuple[Device, ...]
    operators: tuple[Operator, ...]
    figures: Figures = field(default_factory=Figures)
    terms: Terms = UNKNOWN
    travel: Travel = field(default_factory=Travel)


@dataclass(frozen=True, slots=True)
class Option:
    """A facility and a device that can do it, and what it comes to. Hours until the report, BDT, minutes of travel."""

    facility: Facility
    device: Device
    hours: float
    cost: Decimal | None
    travel_minutes: float
    quality: float
    score: float
    explain: tuple[Factor, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A facility that cannot do it, and the filter that says so."""

    facility: Facility
    filter: Filter


@dataclass(frozen=True, slots=True)
class Referral:
    """Where the patient is sent where nothing meets the deadline, and what to see to on the way."""

    facility: Facility
    device: Device
    hours: float
    travel_minutes: float
    note: Sentence


@dataclass(frozen=True, slots=True)
class Choice:
    """The best options, the best first; what was left out and why; where to refer if there is no option."""

    options: tuple[Option, ...]
    rejected: tuple[Rejected, ...]
    referral: Referral | None = None
    suitable: int = 0
    rule_set_version: str = RULE_SET_VERSION
