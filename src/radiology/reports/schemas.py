"""Bodies of reports over REST, in the shape of the specification."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from radiology.reports.model import INITIAL, Status
from radiology.studies.schemas import Body, CodeableConcept, Moment, Performer, Reference, References

REPORT_EXAMPLE: dict[str, Any] = {
    "studyId": "study-123",
    "status": "preliminary",
    "category": [{"coding": [{"code": "imaging"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "34839-5", "display": "Chest X-ray"}]},
    "subject": {"reference": "Patient/12345"},
    "encounter": {"reference": "Encounter/67890"},
    "effectiveDateTime": "2026-01-21T14:30:00+06:00",
    "performer": [
        {
            "function": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                        "code": "ATND",
                        "display": "Attender",
                    }
                ]
            },
            "actor": {"reference": "Practitioner/111", "display": "Dr. John Doe"},
        }
    ],
    "resultsInterpreter": {"reference": "Practitioner/222", "display": "Dr. Jane Smith"},
    "findings": "Lungs are clear without evidence of acute infiltrate, consolidation, or effusion. Cardiac silhouette "
    "is normal in size and contour. Visualized bony structures are intact without fracture.",
    "impression": "No acute cardiopulmonary abnormality.",
    "recommendation": "Correlate clinically. Consider follow-up chest X-ray in 6-12 months if clinically indicated.",
    "comparison": "Compared to previous chest X-ray from 2025-06-15, no significant interval change.",
    "technique": "Standard PA and lateral chest radiographs obtained with digital technique.",
}
APPROVAL_EXAMPLE: dict[str, Any] = {
    "status": "final",
    "issued": "2026-01-21T16:45:00+06:00",
    "approver": {"reference": "Practitioner/222", "display": "Dr. Jane Smith"},
}

Prose = Annotated[str, StringConstraints(max_length=100_000)]
Category = Annotated[list[CodeableConcept], Field(max_length=20)]


class Texts(Body):
    """The texts of a report. What is left out stays as it is."""

    findings: Prose | None = None
    impression: Prose | None = None
    recommendation: Prose | None = None
    comparison: Prose | None = None
    technique: Prose | None = None
    clinicalInformation: Prose | None = Field(  # noqa: N815
        default=None, description="Without it, the reasons of the study."
    )


class ReportIn(Texts):
    """A report of a study. The server sets its version and time; who wrote it is whoever is signed in."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [REPORT_EXAMPLE]})

    studyId: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(  # noqa: N815
        description="id, studyId or Study Instance UID of the study"
    )
    status: Status = Field(default=Status.PRELIMINARY, description="preliminary or registered")
    category: Category = Field(default_factory=list[CodeableConcept])
    code: CodeableConcept | None = Field(default=None, description="Without it, the study's procedure.")
    subject: Reference | None = Field(default=None, description="Must be the study's patient.")
    encounter: Reference | None = None
    effectiveDateTime: Moment | None = Field(default=None, description="Without it, when the study started.")  # noqa: N815
    performer: Annotated[list[Performer], Field(max_length=50)] | None = None
    resultsInterpreter: References | None = Field(default=None, description="One Reference, or a list.")  # noqa: N815

    @field_validator("status")
    @classmethod
    def _initial(cls, value: Status) -> Status:
        if value not in INITIAL:
            raise ValueError("a report begins as preliminary or registered; POST .../approve makes it final")
        return value


class ReportEdit(Texts):
    """A change of a report that is not signed yet."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"impression": "Normal chest radiograph.", "version": 1}]}
    )

    status: Literal["registered", "preliminary"] | None = Field(
        default=None, description="preliminary presents a draft to others"
    )
    version: int | None = Field(
        default=None, description="The version that was read; the header If-Match says the same."
    )


class Approval(Body):
    """What the client believes; each is optional and must be true. The server sets approver and time."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [APPROVAL_EXAMPLE]})

    status: Literal["final"] | None = None
    issued: Moment | None = Field(default=None, description="Within 5 minutes of the server's time.")
    approver: Reference | None = Field(default=None, description="Must be the practitioner who is signed in.")
    version: int | None = None


class ReportOut(ReportIn):
    """A report as it is answered."""

    id: str
    reportId: str  # noqa: N815
    version: int
    studyInstanceUID: str  # noqa: N815
    issued: str | None = None
    approver: dict[str, Any] | None = None
    selfApproved: bool  # noqa: N815
    sections: list[dict[str, Any]]
    warnings: list[dict[str, str]]
    outdated: dict[str, Any] | None = Field(
        default=None,
        description="Where images came, or were rejected, after it was signed, until somebody has looked again: "
        "cause, instances, since, dueAt.",
    )
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815


class ReportPage(BaseModel):
    """One page of reports, newest first; `next` is the address of the page behind it."""

    results: list[ReportOut]
    next: str | None = None


class VersionOut(BaseModel):
    """One version of a report in its chain (SHA-256 over RFC 8785 canonical JSON)."""

    version: int
    status: str
    sha256: str
    prevSha256: str | None  # noqa: N815
    authors: list[str]
    approver: str | None
    signedAt: str  # noqa: N815
    content: dict[str, Any]


class VersionPage(BaseModel):
    """All versions, oldest first."""

    results: list[VersionOut]


class Verification(BaseModel):
    """Whether a report is what was signed."""

    valid: bool
    versions: int
    problems: list[str]
