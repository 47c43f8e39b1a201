"""Bodies of practitioners and delegations."""

from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from radiology.external.practitioners.model import Practitioner, Privilege, registration_number

EXAMPLE: dict[str, Any] = {
    "name": "Dr. Ayesha Rahman",
    "nameBangla": "ডা. আয়েশা রহমান",
    "registration": "A-12345",
    "registeredUntil": "2030-12-31",
    "specialties": ["radiology"],
    "privileges": [{"facilityCode": "10000033", "modalities": ["CT", "DX"], "endsOn": "2027-12-31"}],
}
DELEGATION_EXAMPLE: dict[str, Any] = {
    "to": "Practitioner/222", "facilityCode": "10000033", "endsAt": "2026-02-01T00:00:00+06:00"
}  # fmt: skip

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Modality = Annotated[str, StringConstraints(pattern=r"^([A-Z0-9_]{1,16}|\*)$")]


class PrivilegeIn(BaseModel):
    """What may be read and signed at one facility, and on which days."""

    model_config = ConfigDict(extra="forbid")

    facilityCode: Name  # noqa: N815
    modalities: Annotated[list[Modality], Field(min_length=1, max_length=50)] = Field(
        description="Codes of Modality (0008,0060), or * for all"
    )
    beginsOn: date | None = None  # noqa: N815
    endsOn: date | None = Field(default=None, description="The last day.")  # noqa: N815

    @model_validator(mode="after")
    def _in_order(self) -> "PrivilegeIn":
        if self.beginsOn and self.endsOn and self.endsOn < self.beginsOn:
            raise ValueError("endsOn is before beginsOn")
        return self


class PractitionerIn(BaseModel):
    """A practitioner of the registry of this service."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    name: Name
    nameBangla: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)] = ""  # noqa: N815
    active: bool = True
    registration: Annotated[str, StringConstraints(max_length=20)] | None = Field(
        default=None, description="Of the BMDC: A-12345, of dentists D-12345."
    )
    registeredFrom: date | None = None  # noqa: N815
    registeredUntil: date | None = Field(default=None, description="The last day of its validity.")  # noqa: N815
    specialties: Annotated[list[Code], Field(max_length=20)] = Field(
        default_factory=list[str], description="radiology, diagnostic_radiology, sonology, ..."
    )
    privileges: Annotated[list[PrivilegeIn], Field(max_length=100)] = Field(default_factory=list[PrivilegeIn])

    @field_validator("registration")
    @classmethod
    def _normal(cls, value: str | None) -> str | None:
        if value is None:
            return None
        number = registration_number(value)
        if number is None:
            raise ValueError("must be a BMDC registration, such as A-12345")
        return number

    def practitioner(self, reference: str) -> Practitioner:
        """The practitioner of this reference."""
        return Practitioner(
            reference,
            self.name,
            self.nameBangla,
            self.active,
            self.registration,
            self.registeredFrom,
            self.registeredUntil,
            frozenset(self.specialties),
            tuple(
                Privilege(each.facilityCode, frozenset(each.modalities), each.beginsOn, each.endsOn)
                for each in self.privileges
            ),
        )


class DelegationIn(BaseModel):
    """To whom approval is delegated, at which facility, and until when."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [DELEGATION_EXAMPLE]})

    to: Annotated[str, StringConstraints(max_length=200, pattern=r"^(account:|Practitioner/).+")] = Field(
        description="account:<name> or Practitioner/<id>"
    )
    facilityCode: Name  # noqa: N815
    endsAt: AwareDatetime = Field(description="At most 92 days away, with an offset.")  # noqa: N815


def practitioner_body(practitioner: Practitioner) -> dict[str, Any]:
    """A practitioner as it is shown."""
    return {
        "reference": practitioner.reference,
        "name": practitioner.name,
        "nameBangla": practitioner.name_bangla,
        "active": practitioner.active,
        "registration": practitioner.registration,
        "registeredFrom": practitioner.registered_from,
        "registeredUntil": practitioner.registered_until,
        "specialties": sorted(practitioner.specialties),
        "privileges": [
            {
                "facilityCode": each.facility_code,
                "modalities": sorted(each.modalities),
                "beginsOn": each.begins_on,
                "endsOn": each.ends_on,
            }
            for each in practitioner.privileges
        ],
    }
