"""Bodies of patients. Names of fields are those of FHIR Patient, where it has them."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from radiology.patients.identifiers import Kind
from radiology.patients.visits import Class, Status, Verb, VisitSaid
from radiology.standards.dicom.names import in_two_scripts

EXAMPLE: dict[str, Any] = {
    "identifiers": [{"type": "MR", "value": "DMC-1001"}, {"type": "NID", "value": "১২৩৪৫৬৭৮৯০"}],
    "name": "Karim^Abdul",
    "nameBangla": "করিম^আব্দুল",
    "birthDate": "1980-01-15",
    "sex": "M",
    "phone": "01712345678",
    "address": {"text": "House 7, Road 3, Dhanmondi", "division": "30", "district": "3026"},
    "guardians": [{"name": "Rahima Begum", "relationship": "mother", "phone": "01812345678"}],
    "allergies": [{"text": "Iodine contrast", "criticality": "high"}],
    "flags": [{"category": "infection", "text": "MRSA"}],
}

_PRINTABLE = r"^[^\\\x00-\x1f\x7f]*$"
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True, pattern=_PRINTABLE)]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True, pattern=r"^[^\\=\x00-\x1f\x7f]*$")
]
Phone = Annotated[str, StringConstraints(min_length=6, max_length=20, strip_whitespace=True)]
Geocode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,10}$")]


class Body(BaseModel):
    """A body says nothing that we do not know."""

    model_config = ConfigDict(extra="forbid")


class IdentifierIn(Body):
    """A number. `issuer` is the facility of a hospital number; the own one, where it is left out."""

    type: Kind
    value: Short
    issuer: Short | None = None


class Code(Body):
    """A coded entry: code and system together."""

    system: Short
    code: Short
    display: Text | None = None


class Address(Body):
    """Where the patient lives. Geocodes are codes of the national list, taken as they are.

    (https://fhir.dghs.gov.bd/core/CodeSystem/bd-geocodes)
    """

    text: Text | None = None
    division: Literal["10", "20", "30", "40", "45", "50", "55", "60"] | None = None
    district: Geocode | None = None
    upazila: Geocode | None = None
    union: Geocode | None = None
    postalCode: Geocode | None = None  # noqa: N815 - fields are named as in JSON.
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,3}$")] | None = None


class Guardian(Body):
    """Who speaks for the patient."""

    name: Text
    relationship: Short | None = None
    phone: Phone | None = None


class Allergy(Body):
    """As FHIR AllergyIntolerance has it."""

    text: Text
    code: Code | None = None
    criticality: Literal["low", "high", "unable-to-assess"] | None = None


class Flag(Body):
    """What staff must know before they come near: as FHIR Flag has it."""

    category: Literal["infection", "safety", "behavioural", "implant", "other"]
    text: Text
    code: Code | None = None


class PatientIn(Body):
    """A patient as he or she is registered. Without a hospital number the registry gives one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    identifiers: list[IdentifierIn] = Field(default_factory=list[IdentifierIn], max_length=20)
    name: Name = Field(description="Family^Given^Middle, or a name as it is spoken, in either script.")
    nameBangla: Name | None = None  # noqa: N815
    birthDate: date | None = None  # noqa: N815
    birthDateEstimated: bool = False  # noqa: N815
    ageYears: int | None = Field(  # noqa: N815
        default=None, ge=0, le=130, description="Instead of a birth date: its year is estimated, as 1 January."
    )
    sex: Literal["M", "F", "O"] | None = None
    phone: Phone | None = None
    address: Address | None = None
    guardians: list[Guardian] = Field(default_factory=list[Guardian], max_length=10)
    allergies: list[Allergy] = Field(default_factory=list[Allergy], max_length=50)
    flags: list[Flag] = Field(default_factory=list[Flag], max_length=50)
    version: int | None = Field(default=None, description="Of the patient that is changed; or the header If-Match.")

    @model_validator(mode="after")
    def _one_age(self) -> "PatientIn":
        if self.birthDate and self.ageYears is not None:
            raise ValueError("give birthDate or ageYears, not both")
        if self.birthDate and not date(1890, 1, 1) <= self.birthDate:
            raise ValueError("birthDate is too long ago")
        if any(len(group) > 64 for group in self.encoded_name.split("=")):
            raise ValueError("name has more than 64 characters in one script")
        return self

    @property
    def encoded_name(self) -> str:
        """The name as a PN with its two groups."""
        return in_two_scripts(self.name, self.nameBangla or "").encode()

    @property
    def details(self) -> dict[str, Any]:
        """What has no column of its own."""
        kept = {"address", "guardians", "allergies", "flags"}
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=True, include=kept)


class UnknownIn(Body):
    """Patients nobody knows yet. `count`: so many temporary identities at once, as after an accident."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"kind": "male", "ageYears": 40}]})

    kind: Literal["male", "female", "child"]
    ageYears: int | None = Field(default=None, ge=0, le=130, description="As it seems.")  # noqa: N815
    count: int = Field(default=1, ge=1, le=100)


VISIT_EXAMPLE: dict[str, Any] = {
    "class": "IMP", "number": "ADM-2026-17", "ward": "Neurosurgery", "bed": "12", "attending": "Practitioner/222",
    "beganAt": "2026-01-21T09:00:00+06:00",
}  # fmt: skip


class VisitIn(Body):
    """A visit. `class`: IMP inpatient, AMB outpatient, EMER emergency. Without a number it gets one."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, json_schema_extra={"examples": [VISIT_EXAMPLE]})

    visit_class: Class = Field(alias="class")
    number: Short | None = Field(default=None, description="Admission ID (0038,0010), unique in the facility.")
    ward: Short | None = None
    bed: Short | None = None
    attending: Annotated[str, StringConstraints(pattern=r"^Practitioner/[A-Za-z0-9.-]{1,64}$")] | None = None
    reason: Text | None = None
    beganAt: AwareDatetime | None = None  # noqa: N815
    version: int | None = None

    @property
    def said(self) -> VisitSaid:
        """What is said of the visit."""
        return VisitSaid(
            self.visit_class,
            self.number or "",
            self.ward or "",
            self.bed or "",
            self.attending or "",
            self.reason or "",
            self.beganAt,
        )


class VisitStatusIn(Body):
    """End a visit, or open it again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"status": "finished"}]})

    status: Status
    endedAt: AwareDatetime | None = None  # noqa: N815
    version: int | None = None

    @property
    def verb(self) -> Verb:
        """What is to be done."""
        verbs = {Status.FINISHED: Verb.FINISH, Status.CANCELLED: Verb.CANCEL, Status.IN_PROGRESS: Verb.REOPEN}
        return verbs[self.status]


class IdentifierOut(IdentifierIn):
    """A number as it is answered. `use` old: of a patient that was merged into this one."""

    system: str
    use: Literal["official", "old"]


class PatientOut(PatientIn):
    """A patient as he or she is answered."""

    id: str
    reference: str
    version: int  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    identifiers: list[IdentifierOut]  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    facilityCode: str  # noqa: N815
    temporary: bool = Field(description="Nobody knows yet who it is.")
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815
    registryCheckedAt: str | None = Field(  # noqa: N815
        default=None, description="When the patient registry elsewhere last said what is known here."
    )


class FoundPatient(BaseModel):
    """A patient that a search found. `score`: how well he or she answers it, 0 to 1; `foundBy`: number, phone, name."""

    score: float
    foundBy: Literal["number", "phone", "name"]  # noqa: N815
    patient: PatientOut


class PatientsFound(BaseModel):
    """What a search found, the best first."""

    results: list[FoundPatient]
