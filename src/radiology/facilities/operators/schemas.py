"""Bodies of operators over REST, and the rows of their spreadsheet."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from radiology.facilities.devices.schemas import Day
from radiology.facilities.schemas import CONFIGURATION, Body, FacilityCode, Modality, Name
from radiology.kit.sheets import several

EXAMPLE: dict[str, Any] = {
    "facilityCode": "10000033",
    "name": "Rokeya Sultana",
    "sex": "F",
    "modalities": ["DX", "MG"],
    "licenceNumber": "RT-20417",
    "licenceUntil": "2027-12-31",
}

Licence = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]


class OperatorIn(Body):
    """Who works devices at a facility."""

    model_config = CONFIGURATION | ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    facility_code: FacilityCode
    licence_number: Licence = Field(description="One operator of a facility has it.")
    name: Name
    sex: Literal["F", "M", ""] = Field(default="", description="For patients who ask to be examined by a woman.")
    modalities: Annotated[list[Modality], BeforeValidator(several)] = Field(min_length=1, max_length=20)
    licence_until: Day | None = Field(
        default=None, description="The last day on which the licence is valid; left out: it has no end."
    )
    active: bool = True

    def columns(self) -> dict[str, Any]:
        """As the database has it."""
        found = self.model_dump(include=set(OperatorIn.model_fields))
        return {**found, "modalities": sorted(set(self.modalities))}


class OperatorChange(OperatorIn):
    """An operator who is added or changed."""

    version: int | None = Field(default=None, description="Of the operator that is changed; or the header If-Match.")
