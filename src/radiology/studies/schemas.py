"""Bodies of studies over REST, in the shape of the specification, and the FHIR R4 data types they are made of."""

from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator

from radiology.standards.dicom.uids import is_valid_uid
from radiology.studies.model import INITIAL, Status
from radiology.studies.rejection import Category, Title

DCM = "http://dicom.nema.org/resources/ontology/DCM"
MODALITY_ALIASES = {"MRI": "MR"}

STUDY_EXAMPLE: dict[str, Any] = {
    "status": "registered",
    "modality": [{"coding": [{"system": DCM, "code": "DX", "display": "Digital Radiography"}]}],
    "subject": {"reference": "Patient/12345"},
    "encounter": {"reference": "Encounter/67890"},
    "started": "2026-01-21T14:00:00+06:00",
    "basedOn": [{"reference": "ServiceRequest/111"}],
    "referrer": {"reference": "Practitioner/222", "display": "Dr. Jane Smith"},
    "interpreter": {"reference": "Practitioner/333", "display": "Dr. John Doe"},
    "location": {"reference": "Location/444", "display": "Radiology Department"},
    "reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": "267036007", "display": "Chest pain"}]}],
    "procedureCode": [{"coding": [{"system": "http://loinc.org", "code": "34839-5", "display": "Chest X-ray"}]}],
    "studyDescription": "Chest PA and Lateral",
    "accessionNumber": "ACC-2026-001234",
    "studyInstanceUID": "1.2.840.113619.2.55.3.604688237.621.1233964439.625",
}
STATUS_EXAMPLE: dict[str, Any] = {"status": "completed", "completed": "2026-01-21T14:45:00+06:00"}

Text = Annotated[str, StringConstraints(max_length=4000)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
#: Flags that the service itself sets have an underscore, so nobody else can.
Flag = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f_]{1,60}$", strip_whitespace=True)]
Moment = Annotated[str, StringConstraints(max_length=64), Field(examples=["2026-01-21T14:00:00+06:00"])]


class Body(BaseModel):
    """A body says nothing that we do not know."""

    model_config = ConfigDict(extra="forbid")


class Coding(Body):
    """FHIR R4 Coding."""

    system: Line | None = None
    version: Line | None = None
    code: Code
    display: Line | None = None
    userSelected: bool | None = None  # noqa: N815  # FHIR's name.


class CodeableConcept(Body):
    """FHIR R4 CodeableConcept: at least one coding, or a text."""

    coding: list[Coding] = Field(default_factory=list[Coding], max_length=50)
    text: Line | None = None

    @model_validator(mode="after")
    def _something(self) -> "CodeableConcept":
        if not self.coding and not self.text:
            raise ValueError("needs a coding or a text")
        return self

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return self.model_dump(exclude_none=True, exclude_defaults=True)


class Reference(Body):
    """FHIR R4 Reference, such as Patient/12345; resources of other services are never looked up here."""

    reference: Line | None = None
    type: Line | None = None
    identifier: dict[str, Any] | None = None
    display: Line | None = None


class Performer(Body):
    """Who took part, and as what."""

    function: CodeableConcept | None = None
    actor: Reference


def _as_concepts(value: Any) -> Any:
    """Take Coding[] (as FHIR R4 has it) as well as CodeableConcept[] (as the specification has it)."""
    if not isinstance(value, list):
        return value
    items = cast("list[Any]", value)
    return [{"coding": [item]} if isinstance(item, dict) and "code" in item else item for item in items]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


Concepts = Annotated[list[CodeableConcept], BeforeValidator(_as_concepts), Field(max_length=50)]
References = Annotated[list[Reference], BeforeValidator(_as_list), Field(max_length=50)]


class StudyIn(Body):
    """A study as it is registered before its images come."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [STUDY_EXAMPLE]})

    studyId: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,50}$")] | None = Field(  # noqa: N815
        default=None, description="A name for it; without one the service gives `study-<n>`."
    )
    status: Status = Field(default=Status.REGISTERED, description="registered, scheduled or arrived")
    modality: Concepts = Field(description="CodeableConcept[] or Coding[]; MRI is taken as MR.")
    subject: Reference = Field(description="Patient/<id>")
    encounter: Reference | None = None
    started: Moment | None = Field(default=None, description="Without an offset it is read in the service's zone.")
    basedOn: References | None = None  # noqa: N815
    referrer: Reference | None = None
    interpreter: References | None = Field(default=None, description="One Reference, or a list.")
    performer: Annotated[list[Performer], Field(max_length=50)] | None = None
    endpoint: References | None = None
    location: Reference | None = None
    reasonCode: Concepts | None = None  # noqa: N815
    reasonReference: References | None = None  # noqa: N815
    procedureCode: Concepts | None = None  # noqa: N815
    studyDescription: Text | None = None  # noqa: N815
    accessionNumber: Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True)] | None = None  # noqa: N815
    flags: Annotated[list[Flag], Field(max_length=20)] = Field(
        default_factory=list[str],
        description="What the order says of privacy, such as `police case`; rules of sensitive studies look at it.",
    )
    studyInstanceUID: str | None = Field(  # noqa: N815
        default=None, description="(0020,000D); without one the service makes one below 2.25."
    )

    @field_validator("status")
    @classmethod
    def _initial(cls, value: Status) -> Status:
        if value not in INITIAL:
            raise ValueError("a study begins as registered, scheduled or arrived; change it with PUT .../status")
        return value

    @field_validator("modality")
    @classmethod
    def _one_modality(cls, value: list[CodeableConcept]) -> list[CodeableConcept]:
        if not value or any(not concept.coding for concept in value):
            raise ValueError("needs at least one coding, such as DX (PS3.3 C.7.3.1.1.1)")
        for coding in (coding for concept in value for coding in concept.coding):
            coding.code = MODALITY_ALIASES.get(coding.code, coding.code)
            coding.system = coding.system or DCM
            if len(coding.code) > 16 or coding.code != coding.code.upper():
                raise ValueError("is a code string of at most 16 capitals and digits, such as DX (PS3.5 6.2)")
        return value

    @field_validator("subject")
    @classmethod
    def _patient(cls, value: Reference) -> Reference:
        kind, _, patient_id = (value.reference or "").partition("/")
        if kind != "Patient" or not patient_id or "/" in patient_id or len(patient_id) > 64:
            raise ValueError('must be a reference to a patient, as {"reference": "Patient/12345"}')
        return value

    @field_validator("studyInstanceUID")
    @classmethod
    def _uid(cls, value: str | None) -> str | None:
        if value is not None and not is_valid_uid(value):
            raise ValueError("must be a DICOM UID: digits and full stops, at most 64 characters (PS3.5 9.1)")
        return value


class StatusIn(Body):
    """A change of status. `version` (or the header If-Match) makes sure that nobody else changed it meanwhile."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [STATUS_EXAMPLE]})

    status: Status
    completed: Moment | None = Field(default=None, description="When acquisition ended; now, where it is left out.")
    reason: Text | None = None
    reasonNoImages: Text | None = Field(default=None, description="Why a completed study has no images.")  # noqa: N815
    version: int | None = None


class RejectionIn(BaseModel):
    """What is rejected, and why: series and instances of the study, all of it where neither is named."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"title": "113001", "category": "motion", "reason": "The patient moved."}]},
    )

    title: Title = Field(description="Code of the key object's title: 113001, 113037, 113038 or 113039 of DCM.")
    category: Category
    reason: Line
    series: list[Line] = Field(default_factory=list[str], max_length=10_000)
    instances: list[Line] = Field(default_factory=list[str], max_length=100_000)


class WithdrawalIn(BaseModel):
    """Why a rejection is withdrawn."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "The wrong series."}]})

    reason: Line


class StudyOut(StudyIn):
    """A study as it is answered: what was sent, and what the service knows."""

    id: str
    version: int
    completed: str | None = None
    facilityCode: str  # noqa: N815
    modalitiesInStudy: list[str]  # noqa: N815
    numberOfSeries: int  # noqa: N815
    numberOfInstances: int  # noqa: N815
    sizeBytes: int  # noqa: N815
    reasonNoImages: str | None = None  # noqa: N815
    match: str | None = Field(
        default=None,
        description="How sure its order is: exact, probable, none or confirmed. Until a person has confirmed a study "
        "whose order is probable or unknown, no report of it is approved.",
    )
    plannedStudyInstanceUID: str | None = Field(  # noqa: N815
        default=None, description="Of the worklist item, where the images came under another UID."
    )
    studyGroupId: str | None = Field(  # noqa: N815
        default=None, description="studies that are one examination, read and reported together, have the same"
    )
    reportOutdated: bool | None = Field(  # noqa: N815
        default=None,
        description="True where images changed after a report was signed, until somebody has looked again.",
    )
    warnings: list[dict[str, str]]
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815


class StudyPage(BaseModel):
    """One page of studies, newest first; `next` is the address of the page behind it."""

    results: list[StudyOut]
    next: str | None = None
