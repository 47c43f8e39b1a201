"""Bodies of the worklist over REST. Lengths are those of the value representations they become (PS3.5 6.2)."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from radiology.modality_worklist.model import Status
from radiology.standards.dicom.uids import is_valid_uid

EXAMPLE: dict[str, Any] = {
    "serviceRequest": "ServiceRequest/111",
    "accessionNumber": "A000001234",
    "requestedProcedure": "CT head without contrast",
    "requestedProcedureCode": [{"code": "RPID22", "scheme": "RADLEX", "display": "CT HEAD WO IV CONTRAST"}],
    "modality": "CT",
    "stationAETitles": ["CT1"],
    "start": "2026-01-21T14:00:00+06:00",
    "performingPhysician": "Sultana^Nasrin",
    "referringPhysician": "Hossain^Kamal",
    "priority": "ROUTINE",
    "reason": "Headache for two weeks",
    "patient": {
        "id": "DMC-1001",
        "name": "Karim^Abdul",
        "nameBangla": "করিম^আব্দুল",
        "birthDate": "1980-01-15",
        "sex": "M",
        "weightKg": 62,
        "pregnancyStatus": "unknown",
        "allergies": "Iodine contrast",
    },
}

_PRINTABLE = r"^[^\\\x00-\x1f\x7f]*$"


ShortText = Annotated[str, StringConstraints(min_length=1, max_length=16, strip_whitespace=True, pattern=_PRINTABLE)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True, pattern=_PRINTABLE)]
Comment = Annotated[str, StringConstraints(min_length=1, max_length=1024, strip_whitespace=True, pattern=_PRINTABLE)]
AETitle = Annotated[
    str, StringConstraints(min_length=1, max_length=16, strip_whitespace=True, pattern=r"^[!-\[\]-~ ]+$")
]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True, pattern=r"^[^\\=\x00-\x1f\x7f]*$")
]
Modality = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_ ]{1,16}$")]


class Body(BaseModel):
    """A body says nothing that we do not know."""

    model_config = ConfigDict(extra="forbid")


class Code(Body):
    """A coded entry (PS3.3 8): Code Value, Coding Scheme Designator, Code Meaning."""

    code: ShortText
    scheme: ShortText = Field(description="Coding Scheme Designator (PS3.16 8), as LN, SCT, RADLEX or 99LOCAL.")
    display: LongText | None = None


class WorklistPatient(Body):
    """The patient as the modality shall know him."""

    id: LongText
    issuer: LongText | None = Field(default=None, description="Issuer of Patient ID; the facility, if it is left out.")
    name: Name = Field(
        description="Family^Given^Middle^Prefix^Suffix, or a name as it is spoken; Bangla is transliterated."
    )
    nameBangla: Name | None = None  # noqa: N815
    reference: LongText | None = Field(default=None, description="The patient in the registry, as Patient/12345.")
    birthDate: date | None = None  # noqa: N815
    sex: Literal["M", "F", "O"] | None = None
    weightKg: float | None = Field(default=None, gt=0, lt=1000)  # noqa: N815
    sizeM: float | None = Field(default=None, gt=0, lt=3)  # noqa: N815
    pregnancyStatus: Literal["not-pregnant", "possibly", "definitely", "unknown"] | None = None  # noqa: N815
    allergies: LongText | None = None
    medicalAlerts: LongText | None = None  # noqa: N815
    specialNeeds: LongText | None = None  # noqa: N815
    state: LongText | None = None


class WorklistItemIn(Body):
    """One scheduled procedure step. Numbers and the Study Instance UID are made where they are left out."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    patient: WorklistPatient
    modality: Modality
    start: str = Field(max_length=64, description="ISO 8601; without an offset it is read in the service's zone.")
    requestedProcedure: LongText = Field(description="Requested Procedure Description (0032,1060).")  # noqa: N815
    requestedProcedureCode: list[Code] = Field(default_factory=list[Code], max_length=1)  # noqa: N815
    description: LongText | None = Field(
        default=None, description="Of the step, where it is not that of the procedure."
    )
    protocolCode: list[Code] = Field(default_factory=list[Code], max_length=20)  # noqa: N815
    stationAETitles: list[AETitle] = Field(default_factory=list[AETitle], max_length=20)  # noqa: N815
    stationPool: ShortText | None = Field(default=None, description="Any station of this pool.")  # noqa: N815
    stationName: ShortText | None = None  # noqa: N815
    location: ShortText | None = None
    performingPhysician: Name | None = None  # noqa: N815
    referringPhysician: Name | None = None  # noqa: N815
    requestingPhysician: Name | None = None  # noqa: N815
    requestingService: LongText | None = None  # noqa: N815
    priority: Literal["STAT", "HIGH", "ROUTINE", "MEDIUM", "LOW"] = "ROUTINE"
    reason: LongText | None = None
    admissionId: LongText | None = None  # noqa: N815
    patientLocation: LongText | None = None  # noqa: N815
    contrastAgent: LongText | None = None  # noqa: N815
    premedication: LongText | None = None
    transport: LongText | None = None
    confidentiality: LongText | None = None
    institution: LongText | None = None
    placerOrderNumber: LongText | None = None  # noqa: N815
    fillerOrderNumber: LongText | None = None  # noqa: N815
    comments: Comment | None = None
    procedureComments: Comment | None = None  # noqa: N815
    serviceRequest: LongText | None = Field(default=None, description="The order it belongs to.")  # noqa: N815
    accessionNumber: ShortText | None = None  # noqa: N815
    requestedProcedureId: ShortText | None = None  # noqa: N815
    scheduledProcedureStepId: ShortText | None = None  # noqa: N815
    studyInstanceUID: str | None = None  # noqa: N815
    version: int | None = Field(default=None, description="Of the item that is changed; or the header If-Match.")

    @field_validator("start")
    @classmethod
    def _moment(cls, value: str) -> str:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or len(value) <= len("2026-01-21") or not 1900 <= moment.year <= 2999:
            raise ValueError("must be ISO 8601 with an offset, as 2026-01-21T14:00:00+06:00")
        return value

    @field_validator("studyInstanceUID")
    @classmethod
    def _uid(cls, value: str | None) -> str | None:
        if value is not None and not is_valid_uid(value):
            raise ValueError("must be a DICOM UID: digits and full stops, at most 64 characters (PS3.5 9.1)")
        return value


class WorklistStatusIn(Body):
    """A change of status. To return a canceled or discontinued step into the list, ask for SCHEDULED."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"status": "ARRIVED"}]})

    status: Status
    reason: LongText | None = None
    version: int | None = None


class WorklistItemOut(WorklistItemIn):
    """An item as it is answered."""

    id: str
    version: int  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    status: Status
    statusTrigger: str = Field(description="What gave the status: request, or a verb as `expire`.")  # noqa: N815
    statusReason: str | None = None  # noqa: N815
    facilityCode: str  # noqa: N815
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815


class WorklistPage(BaseModel):
    """One page of items, latest start first; `next` is the address of the page behind it."""

    results: list[WorklistItemOut]
    next: str | None = None


class StationPoolIn(Body):
    """Stations that take each other's work."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"modality": "CT", "aeTitles": ["CT1", "CT2"]}]}
    )

    modality: Modality
    aeTitles: list[AETitle] = Field(max_length=200)  # noqa: N815


class Said(BaseModel):
    """One sentence in English and in Bangla."""

    english: str
    bangla: str


class Shown(BaseModel):
    """Whether a station's query without date and station shows an item, and if not, why.

    `remarks` tell what the station asked for last, where that differs from the item, and what it cannot show.
    """

    shown: bool
    english: str | None = None
    bangla: str | None = None
    remarks: list[Said] = Field(default_factory=list[Said])
