"""Bodies of devices over REST, and the rows of their spreadsheet."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from radiology.facilities.model import DeviceState
from radiology.facilities.schemas import CONFIGURATION, Body, FacilityCode, Modality, Name, Note
from radiology.kit.sheets import several
from radiology.kit.validation import Moment

EXAMPLE: dict[str, Any] = {
    "facilityCode": "10000033",
    "name": "CT 1",
    "modality": "CT",
    "aeTitle": "CT1",
    "manufacturer": "Siemens Healthineers",
    "model": "SOMATOM go.Up",
    "contrast": True,
    "maxWeightKg": 227,
    "licenceNumber": "BAERA-2026-0117",
    "licenceUntil": "2027-06-30",
}

AETitle = Annotated[str, StringConstraints(pattern=r"^[\x20-\x5b\x5d-\x7e]{0,16}$", strip_whitespace=True)]
Word = Annotated[str, StringConstraints(max_length=100, strip_whitespace=True)]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Day = Annotated[date, Field(ge=date(1950, 1, 1), le=date(2999, 12, 31))]
Reason = Annotated[str, StringConstraints(min_length=3, max_length=400, strip_whitespace=True)]


class DeviceIn(Body):
    """What is known of a device. What becomes of it (state, block, override) is said on its own."""

    model_config = CONFIGURATION | ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    facility_code: FacilityCode
    name: Name = Field(description="What it is called at the facility, where no other device is called so.")
    modality: Modality
    ae_title: AETitle = Field(default="", description="Empty for a device that is no application entity.")
    manufacturer: Word = ""
    model: Word = ""
    serial_number: Word = ""
    installed_on: Day | None = None
    procedures: Annotated[list[Key] | None, BeforeValidator(several)] = Field(
        default=None, min_length=1, max_length=500, description="Keys of the catalogue; left out: all of its modality."
    )
    contrast: bool = Field(default=False, description="Whether contrast can be given.")
    mr_conditional: bool = Field(default=False, description="Whether patients with MR-conditional implants may come.")
    max_weight_kg: float | None = Field(default=None, gt=0, le=1000)
    youngest_months: int | None = Field(default=None, ge=0, le=1200, description="The youngest patients it takes.")
    licence_number: Word = Field(default="", description="Of the Bangladesh Atomic Energy Regulatory Authority.")
    licence_until: Day | None = Field(default=None, description="The last day on which the licence is valid.")
    radiation_control_officer: Word = ""
    tested_on: Day | None = Field(default=None, description="When it last passed its tests.")

    def columns(self) -> dict[str, Any]:
        """As the database has it."""
        found = self.model_dump(include=set(DeviceIn.model_fields))
        procedures = None if self.procedures is None else sorted(set(self.procedures))
        return {**found, "ae_title": self.ae_title or None, "procedures": procedures}


class DeviceChange(DeviceIn):
    """A device that is added or changed."""

    version: int | None = Field(default=None, description="Of the device that is changed; or the header If-Match.")


class StateIn(Body):
    """What state a device is in now."""

    model_config = CONFIGURATION | ConfigDict(
        json_schema_extra={"examples": [{"state": "down", "reason": "Tube failed", "backOn": "2026-01-28"}]}
    )

    state: DeviceState
    reason: Note = ""
    back_on: Day | None = Field(default=None, description="From which day it is expected to work again.")

    @model_validator(mode="after")
    def _told(self) -> "StateIn":
        if self.state != DeviceState.UP and not self.reason:
            raise ValueError("reason must say why the device does not work")
        if self.back_on is not None and self.state not in (DeviceState.DOWN, DeviceState.MAINTENANCE):
            raise ValueError("backOn is for a device that is down or in maintenance")
        return self


class ReasonIn(Body):
    """Why."""

    reason: Reason


class OverrideIn(Body):
    """Use a device in spite of its block or its licence."""

    model_config = CONFIGURATION | ConfigDict(
        json_schema_extra={
            "examples": [{"until": "2026-01-31", "reason": "Licence is renewed, the letter is on its way"}]
        }
    )

    until: Day = Field(description="The last day, at most 90 days from now.")
    reason: Reason


class DowntimeIn(Body):
    """A time in which a device is planned not to work."""

    model_config = CONFIGURATION | ConfigDict(
        json_schema_extra={
            "examples": [
                {"begins": "2026-01-25T10:00:00+06:00", "ends": "2026-01-25T12:00:00+06:00", "kind": "maintenance"}
            ]
        }
    )

    begins: Moment
    ends: Moment
    kind: Literal["maintenance", "power-cut", "quality-control", "staff", "other"]
    reason: Note = ""

    @model_validator(mode="after")
    def _ordered(self) -> "DowntimeIn":
        if self.begins >= self.ends:
            raise ValueError("ends must lie behind begins")
        return self
