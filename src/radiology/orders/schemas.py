"""Bodies of orders over REST, and the value that HL7 and FHIR make: the words are those of FHIR R4 ServiceRequest."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from radiology.modality_worklist.schemas import AETitle, LongText, Modality, ShortText, Shown
from radiology.modality_worklist.schemas import Name as PersonName
from radiology.orders.model import INITIAL, Intent, Priority, Progress, Status
from radiology.orders.safety import Safety
from radiology.patients.identifiers import Kind
from radiology.standards.dicom.uids import is_valid_uid
from radiology.studies.schemas import MODALITY_ALIASES, Body, CodeableConcept, Concepts, Flag, Line, Moment, Reference

EXAMPLE: dict[str, Any] = {
    "placerNumber": "OP-2026-000817",
    "patient": {
        "id": "DMC-1001",
        "name": "Karim^Abdul",
        "nameBangla": "করিম^আব্দুল",
        "birthDate": "1980-01-15",
        "sex": "M",
    },
    "priority": "urgent",
    "occurrence": "2026-01-21T14:00:00+06:00",
    "requester": {"reference": "Practitioner/222", "display": "Dr. Kamal Hossain"},
    "reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": "25064002", "display": "Headache"}]}],
    "reason": "Headache for two weeks, vomiting since yesterday",
    "safety": {
        "weightKg": 62,
        "allergies": [{"text": "Iohexol", "contrast": True, "severity": "moderate"}],
        "renalFunction": {"measuredOn": "2026-01-20", "egfr": 74},
        "mobility": "wheelchair",
    },
    "procedures": [
        {
            "modality": "CT",
            "code": {"coding": [{"system": "http://loinc.org", "code": "30799-1", "display": "CT Head WO contrast"}]},
            "stationAETitles": ["CT1"],
        }
    ],
}
STATUS_EXAMPLE: dict[str, Any] = {"status": "on-hold", "reason": "The creatinine is not there yet."}

MOST_PROCEDURES = 20
Prose = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]


class PatientIdentifier(Body):
    """A number of the patient: national (NID, BRN, UHID), or of a hospital (MR)."""

    type: Kind
    value: LongText
    issuer: LongText | None = Field(default=None, description="Of MR: the facility; this one, if it is left out.")


class OrderPatient(Body):
    """Whom it is for: by reference, or by numbers. Who is not known yet is registered with what stands here."""

    reference: LongText | None = Field(default=None, description="Patient/<id>")
    id: LongText | None = Field(default=None, description="The hospital's number, (0010,0020).")
    issuer: LongText | None = Field(default=None, description="Whose number `id` is; this facility's, if left out.")
    identifiers: list[PatientIdentifier] = Field(default_factory=list[PatientIdentifier], max_length=20)
    name: PersonName | None = Field(default=None, description="Family^Given, or as it is spoken.")
    nameBangla: PersonName | None = None  # noqa: N815
    birthDate: date | None = None  # noqa: N815
    birthDateEstimated: bool = False  # noqa: N815
    sex: Literal["M", "F", "O"] | None = None

    @model_validator(mode="after")
    def _named(self) -> "OrderPatient":
        if not (self.reference or self.id or self.identifiers):
            raise ValueError("needs a reference, an id or an identifier")
        if self.reference and (not self.reference.startswith("Patient/") or self.reference.count("/") != 1):
            raise ValueError("reference must be Patient/<id>")
        return self


class ProcedureIn(Body):
    """One requested procedure (PS3.3 C.4.11): what is one study. Its numbers are made where they are left out."""

    code: CodeableConcept = Field(description="What is to be done: a code, a text, or both.")
    modality: Modality = Field(description="CT, MR, US, ...; MRI is taken as MR.")
    bodySite: CodeableConcept | None = None  # noqa: N815
    laterality: Literal["L", "R", "B"] | None = None
    contrastAgent: LongText | None = None  # noqa: N815
    protocolCode: Concepts = Field(default_factory=list[CodeableConcept])  # noqa: N815
    stationAETitles: list[AETitle] = Field(default_factory=list[AETitle], max_length=20)  # noqa: N815
    stationPool: ShortText | None = None  # noqa: N815
    location: ShortText | None = None
    performingPhysician: PersonName | None = None  # noqa: N815
    note: Prose | None = None
    requestedProcedureId: ShortText | None = None  # noqa: N815
    scheduledProcedureStepId: ShortText | None = None  # noqa: N815
    studyInstanceUID: str | None = None  # noqa: N815

    @field_validator("modality", mode="before")
    @classmethod
    def _alias(cls, value: Any) -> Any:
        return MODALITY_ALIASES.get(value, value) if isinstance(value, str) else value

    @field_validator("studyInstanceUID")
    @classmethod
    def _uid(cls, value: str | None) -> str | None:
        if value is not None and not is_valid_uid(value):
            raise ValueError("must be a DICOM UID: digits and full stops, at most 64 characters (PS3.5 9.1)")
        return value


class OverrideIn(Body):
    """Why an order is placed although a rule blocks it. The rule says which roles may do that."""

    rule: ShortText
    reason: Annotated[str, StringConstraints(min_length=10, max_length=400, strip_whitespace=True)]


Overrides = Annotated[list[OverrideIn], Field(max_length=20)]


class OrderIn(Body):
    """An order as it is placed, or as it shall be from now on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    patient: OrderPatient
    procedures: list[ProcedureIn] = Field(min_length=1, max_length=MOST_PROCEDURES)
    placer: LongText | None = Field(default=None, description="Whose number placerNumber is; this facility's.")
    placerNumber: LongText | None = Field(  # noqa: N815
        default=None, description="Number of whoever orders. The same order under the same number is placed once."
    )
    accessionNumber: ShortText | None = Field(  # noqa: N815
        default=None, description="(0008,0050), where it has one already; otherwise the service makes it."
    )
    status: Status = Field(default=Status.ACTIVE, description="draft or active")
    intent: Intent = Intent.ORDER
    priority: Priority = Priority.ROUTINE
    authoredOn: Moment | None = None  # noqa: N815
    occurrence: Moment | None = Field(default=None, description="For when it is asked; as soon as can be, otherwise.")
    requester: Reference | None = Field(default=None, description="Practitioner/<id>, or the name as display.")
    requestingService: LongText | None = Field(default=None, description="Ward or department.")  # noqa: N815
    encounter: Reference | None = None
    admissionId: LongText | None = Field(default=None, description="(0038,0010)")  # noqa: N815
    patientLocation: LongText | None = None  # noqa: N815
    reasonCode: Concepts = Field(default_factory=list[CodeableConcept])  # noqa: N815
    reason: Prose | None = Field(default=None, description="The indication in words.")
    safety: Safety | None = None
    note: Prose | None = None
    flags: Annotated[list[Flag], Field(max_length=20)] = Field(
        default_factory=list[str],
        description="What is said of privacy, such as `police case`; rules of sensitive studies look at it.",
    )
    overrides: Overrides = Field(
        default_factory=list[OverrideIn], description="Of rules that block it; no part of what the order says."
    )
    version: int | None = Field(default=None, description="Of the order that is changed; or the header If-Match.")

    @field_validator("status")
    @classmethod
    def _initial(cls, value: Status) -> Status:
        if value not in INITIAL:
            raise ValueError("an order begins as draft or active; change it with PUT .../status")
        return value

    def content(self) -> dict[str, Any]:
        """What is kept as it was said: all that has no column and no row of its own."""
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude=_KEPT_ELSEWHERE)


_KEPT_ELSEWHERE: Any = {
    "procedures", "placer", "placerNumber", "accessionNumber", "status", "intent", "priority", "authoredOn",
    "occurrence", "version", "overrides",
}  # fmt: skip


class OrderStatusIn(Body):
    """A change of status: active (also to resume, or to reinstate), on-hold, revoked, entered-in-error."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [STATUS_EXAMPLE]})

    status: Status
    reason: Line | None = None
    version: int | None = None
    overrides: Overrides = Field(default_factory=list[OverrideIn])


class ProcedureOut(ProcedureIn):
    """A procedure as it is answered, with what has become of it."""

    progress: Progress
    worklistItem: str | None = None  # noqa: N815
    worklistStatus: str | None = None  # noqa: N815
    start: str | None = None
    studyStatus: str | None = None  # noqa: N815
    numberOfInstances: int | None = None  # noqa: N815
    imagesStudyInstanceUID: str | None = Field(  # noqa: N815
        default=None, description="Of the study that holds the images, where the modality gave it another UID."
    )


class OrderOut(OrderIn):
    """An order as it is answered. `progress` is derived from its procedures, and has no part in its version."""

    id: str
    procedures: list[ProcedureOut]  # pyright: ignore[reportIncompatibleVariableOverride]
    progress: Progress
    warnings: list[dict[str, str]] = Field(
        default_factory=list[dict[str, str]], description="Of its codes: code, field, message. Left out where none."
    )
    facilityCode: str  # noqa: N815
    check: dict[str, Any] | None = Field(default=None, description="What the rules said of it last; not in lists.")
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815


class OrderPage(BaseModel):
    """One page of orders, newest first; `next` is the address of the page behind it."""

    results: list[OrderOut]
    next: str | None = None


class ProcedureShown(Shown):
    """Whether a station is shown a procedure, and if not, why."""

    requestedProcedureId: str  # noqa: N815
    studyInstanceUID: str  # noqa: N815
    worklistItem: str | None = None  # noqa: N815
