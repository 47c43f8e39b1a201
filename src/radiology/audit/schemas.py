"""Bodies of the audit record over REST."""
# ruff: noqa: N815 - fields are named as in JSON.

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from radiology.audit import texts
from radiology.audit.model import Record, meaning_of


class AuditEventOut(BaseModel):
    """One act. `sequence` is its place in the chain, null for the second until it is sealed."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0199c1f0-0000-7000-8000-000000000000",
                "at": "2026-01-21T08:45:00Z",
                "user": "account:rahim",
                "role": "radiologist",
                "action": "study.retrieve",
                "dicomEvent": "110103",
                "outcome": 0,
                "patient": "Patient/12345",
                "study": "1.2.3",
            }
        }
    )

    id: UUID
    at: datetime
    user: str
    userKind: str
    display: str
    role: str
    onBehalfOf: str | None
    action: str
    dicomEvent: str
    subject: str
    outcome: int
    purposeOfUse: str | None
    patient: str | None
    study: str | None
    address: str | None
    source: str
    requestId: str | None
    connection: dict[str, str] | None
    detail: dict[str, Any] | None
    sequence: int | None

    @classmethod
    def of(cls, record: Record) -> Self:
        """A record as it is told."""
        return cls(
            id=record.id,
            at=record.occurred_at,
            user=record.actor,
            userKind=record.actor_kind,
            display=record.actor_display,
            role=record.actor_role,
            onBehalfOf=record.on_behalf_of or None,
            action=record.action,
            dicomEvent=meaning_of(record.action).event,
            subject=record.subject,
            outcome=record.outcome,
            purposeOfUse=record.purpose or None,
            patient=record.patient_reference or None,
            study=record.study_instance_uid or None,
            address=record.address or None,
            source=record.source,
            requestId=record.request_id or None,
            connection=dict(record.connection) if record.connection else None,
            detail=dict(record.detail) if record.detail else None,
            sequence=record.sequence,
        )


class AuditPage(BaseModel):
    """A page of the record, newest first."""

    results: list[AuditEventOut]
    next: str | None


class AccessOut(BaseModel):
    """Who saw or did something with what is held of a patient, in words. `name` is for the privacy officer only."""

    at: datetime
    who: str
    name: str | None
    what: str
    study: str | None
    emergency: bool
    refused: bool

    @classmethod
    def of(cls, record: Record, language: texts.Language, *, with_name: bool) -> Self:
        """A record in words."""
        return cls(
            at=record.occurred_at,
            who=texts.who(record, language),
            name=(record.actor_display or record.actor) if with_name else None,
            what=texts.what(record, language),
            study=record.study_instance_uid or None,
            emergency=record.purpose == "BTG" or record.action.startswith("break-glass."),
            refused=record.outcome != 0,
        )


class AccessPage(BaseModel):
    """A page of accesses, newest first."""

    patient: str
    results: list[AccessOut]
    next: str | None
