"""Bodies of doses over REST."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from radiology.dose.model import ADULT, PATIENT_GROUPS
from radiology.errors import Unprocessable
from radiology.quality.dose.model import Level
from radiology.quality.schemas import Code, FacilityCode, Words

Quantity = Literal["DLP", "CTDIvol", "DAP", "RAK", "MGD", "ESD", "ESD_PA", "ESD_AP", "ESD_LAT", "FLUORO"]


class LevelIn(BaseModel):
    """A diagnostic reference level that holds from a day on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "procedureKey": "CT_HEAD_WO",
                    "quantity": "DLP",
                    "value": 900,
                    "validFrom": "2026-02-01",
                    "source": "National survey of doses, 2025",
                }
            ]
        },
    )

    procedureKey: Code  # noqa: N815 - fields are named as in JSON.
    quantity: Quantity
    value: float | None = Field(gt=0, lt=1e6, description="null takes the level back from that day on.")
    validFrom: date  # noqa: N815
    source: Words
    facilityCode: FacilityCode | None = Field(default=None, description="None for the whole country.")  # noqa: N815
    patientGroup: str = Field(default=ADULT, description="adult, or a group of children by weight or age.")  # noqa: N815

    def level(self) -> Level:
        """The level that it describes. Raises Unprocessable."""
        if self.patientGroup not in PATIENT_GROUPS:
            raise Unprocessable(f"patientGroup is one of: {', '.join(PATIENT_GROUPS)}.")
        return Level(
            self.procedureKey,
            self.quantity,
            self.patientGroup,
            self.facilityCode,
            self.validFrom,
            self.value,
            self.source,
        )


class NoteIn(BaseModel):
    """Why an examination is as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"comment": "Patient of 140 kg."}]})

    comment: Words
