"""Traces and findings as they are answered."""
# ruff: noqa: N815 - the names of the REST interface.

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from radiology.associations.diagnosis import Finding
from radiology.associations.model import Trace
from radiology.associations.texts import Language


class Sentences(BaseModel):
    """A finding in one language; a side where nothing is to be done is empty."""

    happened: str
    modalitySide: str
    ourSide: str


class FindingOut(BaseModel):
    """One thing that was wrong, and what to change."""

    code: str
    english: Sentences
    bangla: Sentences


class ContextOut(BaseModel):
    """A presentation context; `result` as PS3.8 table 9-18 has it: 0 accepted, 1, 3 and 4 refused."""

    abstractSyntax: str
    transferSyntaxes: list[str]
    result: int | None
    transferSyntax: str


class OperationOut(BaseModel):
    """Requests of one kind with one status."""

    operation: str
    sopClass: str
    status: str
    count: int
    seconds: float


class AssociationOut(BaseModel):
    """What happened at the DICOM port, once."""

    id: UUID
    openedAt: datetime
    endedAt: datetime | None
    callingAETitle: str
    calledAETitle: str
    host: str
    port: int
    tls: str
    certificateSubject: str
    implementationClassUID: str
    implementationVersionName: str
    maxPDULength: int
    userIdentityType: int | None
    roles: list[str]
    contexts: list[ContextOut]
    operations: list[OperationOut]
    outcome: str
    reason: str
    refusal: str
    times: int
    findings: list[FindingOut]


class AssociationPage(BaseModel):
    """One page, newest first; `next` is the cursor of the page behind it."""

    results: list[AssociationOut]
    next: str | None = None


class DiagnosisOut(BaseModel):
    """The last associations of an application entity. `findings` are those of the newest, so they may be open still."""

    aeTitle: str
    findings: list[FindingOut]
    associations: list[AssociationOut]


def diagnosis_out(ae_title: str, diagnosed: Sequence[tuple[Trace, Sequence[Finding]]]) -> DiagnosisOut:
    """The last associations, newest first, as they are answered."""
    shown = [association_out(trace, findings) for trace, findings in diagnosed]
    return DiagnosisOut(aeTitle=ae_title, findings=shown[0].findings if shown else [], associations=shown)


def association_out(trace: Trace, findings: Sequence[Finding]) -> AssociationOut:
    """A trace with what was wrong, as it is answered."""
    return AssociationOut(
        id=trace.id,
        openedAt=trace.opened_at,
        endedAt=trace.ended_at,
        callingAETitle=trace.calling_ae_title,
        calledAETitle=trace.called_ae_title,
        host=trace.host,
        port=trace.port,
        tls=trace.tls,
        certificateSubject=trace.certificate_subject,
        implementationClassUID=trace.implementation_class_uid,
        implementationVersionName=trace.implementation_version_name,
        maxPDULength=trace.max_pdu_length,
        userIdentityType=trace.identity_kind,
        roles=trace.roles,
        contexts=[
            ContextOut(
                abstractSyntax=each.abstract_syntax_uid,
                transferSyntaxes=list(each.transfer_syntax_uids),
                result=each.result,
                transferSyntax=each.transfer_syntax_uid,
            )
            for each in trace.contexts
        ],
        operations=[
            OperationOut(
                operation=each.operation,
                sopClass=each.sop_class_uid,
                status=f"{each.status:04X}",
                count=each.count,
                seconds=round(each.seconds, 4),
            )
            for each in trace.operations
        ],
        outcome=trace.outcome,
        reason=trace.sentence,
        refusal=trace.refusal,
        times=trace.times,
        findings=[_finding_out(finding) for finding in findings],
    )


def _finding_out(finding: Finding) -> FindingOut:
    return FindingOut(code=finding.code, english=_sentences(finding, "en"), bangla=_sentences(finding, "bn"))


def _sentences(finding: Finding, language: Language) -> Sentences:
    return Sentences(
        happened=finding.happened(language),
        modalitySide=finding.modality_side(language),
        ourSide=finding.our_side(language),
    )
