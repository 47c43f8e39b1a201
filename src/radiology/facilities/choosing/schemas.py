"""Bodies of the choice of a facility, of what a facility tells of itself, and of measured ways."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from radiology.facilities.capability import SENTENCES
from radiology.facilities.choosing.model import Choice, Option, Referral
from radiology.facilities.model import Facility
from radiology.kit.explaining import told
from radiology.kit.validation import CONFIGURATION, Body, Moment

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
Degrees = Annotated[float, Field(ge=-180, le=180)]
Money = Annotated[Decimal, Field(ge=0, lt=10**9, decimal_places=2)]
Share = Annotated[float, Field(ge=0, le=1)]


EXAMPLE: dict[str, Any] = {
    "procedure": "CT_HEAD_WO",
    "priority": "urgent",
    "from": {"facilityCode": "10000033"},
    "deadline": "2026-01-22T18:00:00+06:00",
    "weightKg": 62,
    "budget": "3000.00",
}


class FromIn(Body):
    """Where the patient is: at a facility, at a place of the list of geocodes, or by degrees (WGS 84)."""

    facility_code: Code | None = None
    place: Code | None = Field(default=None, description="A code of the list of geocodes.")
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Degrees | None = None

    @model_validator(mode="after")
    def _both(self) -> "FromIn":
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude are told together")
        return self


class CodeIn(Body):
    """A code of a procedure, and its system."""

    system: Annotated[str, StringConstraints(max_length=255)] = ""
    code: Code
    display: Annotated[str, StringConstraints(max_length=255)] = ""


class NeedIn(Body):
    """What is to be done for whom. What is left out is not asked for, or not known."""

    model_config = CONFIGURATION | ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    procedure: Code | None = Field(default=None, description="A key of the catalogue.")
    code: CodeIn | None = Field(default=None, description="Or a code that the catalogue knows.")
    priority: Literal["stat", "urgent", "asap", "routine"] = "routine"
    origin: FromIn | None = Field(default=None, alias="from", description="This facility, if it is left out.")
    deadline: Moment | None = Field(default=None, description="The examination begins before it.")
    contrast: bool = False
    sedation: bool = False
    mr_conditional: bool = Field(default=False, description="The patient has an MR-conditional implant.")
    weight_kg: Annotated[float, Field(gt=0, lt=1000)] | None = None
    age_months: Annotated[int, Field(ge=0, le=1800)] | None = None
    female_operator: bool = Field(default=False, description="A woman examines.")
    budget: Money | None = Field(default=None, description="The most that the patient can pay for it, BDT.")

    @model_validator(mode="after")
    def _one(self) -> "NeedIn":
        if (self.procedure is None) == (self.code is None):
            raise ValueError("either procedure or code is needed")
        return self


class FiguresIn(Body):
    """What a facility tells of its examinations of a modality; what is left out is not known."""

    model_config = CONFIGURATION | ConfigDict(
        json_schema_extra={"examples": [{"waitMinutes": 90, "turnaroundHours": 6, "subsidy": "200.00"}]},
    )

    wait_minutes: Annotated[float, Field(ge=0, le=10**6)] | None = None
    turnaround_hours: Annotated[float, Field(ge=0, le=10**4)] | None = None
    reject_rate: Share | None = None
    sla_met: Share | None = None
    dose_ratio: Annotated[float, Field(ge=0, le=1000)] | None = None
    subsidy: Money = Decimal()


class WayIn(Body):
    """A measured way: minutes and km of one direction; BDT there and back."""

    to: Code
    minutes: Annotated[float, Field(ge=0, le=10_000)]
    km: Annotated[float, Field(ge=0, le=5_000)]
    cost: Money | None = None


class WaysIn(Body):
    """All measured ways that begin at a facility."""

    model_config = CONFIGURATION | ConfigDict(
        json_schema_extra={"examples": [{"ways": [{"to": "10000033", "minutes": 75, "km": 31.5, "cost": "180.00"}]}]},
    )

    ways: list[WayIn] = Field(max_length=5000)


def choice_body(choice: Choice, *, procedure: str, priority: str) -> dict[str, Any]:
    """A choice as it is answered."""
    return {
        "procedure": procedure,
        "priority": priority,
        "ruleSetVersion": choice.rule_set_version,
        "suitable": choice.suitable,
        "options": [_option(each) for each in choice.options],
        "rejected": [
            {**_facility(each.facility), "filter": each.filter, "sentence": SENTENCES[each.filter].told()}
            for each in choice.rejected
        ],
        "referral": choice.referral and _referral(choice.referral),
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        **_facility(option.facility),
        "device": {"number": option.device.number, "name": option.device.name, "aeTitle": option.device.ae_title},
        "score": round(option.score, 2),
        "hours": round(option.hours, 2),
        "cost": None if option.cost is None else f"{option.cost:.2f}",
        "travelMinutes": round(option.travel_minutes, 1),
        "quality": round(option.quality, 4),
        "explain": told(option.explain),
    }


def _referral(referral: Referral) -> dict[str, Any]:
    return {
        **_facility(referral.facility),
        "device": {"number": referral.device.number, "name": referral.device.name},
        "hours": round(referral.hours, 2),
        "travelMinutes": round(referral.travel_minutes, 1),
        "note": referral.note.told(),
    }


def _facility(facility: Facility) -> dict[str, Any]:
    return {
        "facilityCode": facility.code,
        "name": facility.name,
        "nameBangla": facility.name_bangla,
        "ownership": facility.ownership,
    }
