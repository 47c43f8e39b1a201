"""Bodies of unintended exposures over REST."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.quality.incidents.model import Cause, Verb
from radiology.quality.schemas import FacilityCode, Words

Moment = Annotated[str, StringConstraints(min_length=11, max_length=40)]


class IncidentIn(BaseModel):
    """An exposure that was not as it was meant to be."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "cause": "wrong-side",
                    "study": "1.2.840.113619.2.1",
                    "occurredAt": "2026-01-21T10:05:00+06:00",
                    "description": "The left knee was exposed, the right one was ordered.",
                }
            ]
        },
    )

    cause: Cause
    occurredAt: Moment  # noqa: N815 - fields are named as in JSON.
    description: Words = Field(description="What happened, without names.")
    study: str | None = Field(default=None, max_length=64, description="Its id, studyId or Study Instance UID.")
    facilityCode: FacilityCode | None = None  # noqa: N815
    device: int | None = Field(default=None, ge=1, le=2**63 - 1, description="Number of the device.")


class StepIn(BaseModel):
    """What was done about an incident, and found out by it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"verb": "assess", "text": "Dose as of one view.", "doseMsv": 0.02, "authorityNeeded": False}]
        },
    )

    verb: Verb
    text: Words
    doseMsv: float | None = Field(default=None, ge=0, lt=1e5)  # noqa: N815
    foetalDoseMgy: float | None = Field(default=None, ge=0, lt=1e5, description="As a physicist says.")  # noqa: N815
    authorityNeeded: bool | None = Field(default=None, description="Whether the licence asks for a report.")  # noqa: N815
    authorityTold: bool = Field(default=False, description="With `notify`: BAERA was told now.")  # noqa: N815
    version: int | None = Field(default=None, ge=1)
