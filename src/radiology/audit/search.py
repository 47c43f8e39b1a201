"""Search the audit record. Everything is found at once, sealed or not; the patient and the study once it is sealed."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.audit.model import Record
from radiology.kit.db import Transaction, Where


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is looked for; all that is given must hold. action: one, or a family with `*` at its end."""

    patient: str | None = None
    study: str | None = None
    user: str | None = None
    action: str | None = None
    outcome: int | None = None
    address: str | None = None
    before: datetime | None = None
    since: datetime | None = None
    after: tuple[datetime, UUID] | None = None
    limit: int = 50

    def where(self) -> Where:
        """The condition."""
        where = Where()
        if self.patient is not None:
            where.add("patient_reference = {patient}", patient=self.patient)
        if self.study is not None:
            where.add("study_instance_uid = {study}", study=self.study)
        if self.user is not None:
            where.add("actor = {actor}", actor=self.user)
        if self.action is not None:
            where.add("action LIKE {action}", action=_pattern(self.action))
        if self.outcome is not None:
            where.add("outcome = {outcome}", outcome=self.outcome)
        if self.address is not None:
            where.add("address = {address}", address=self.address)
        if self.since is not None:
            where.add("occurred_at >= {since}", since=self.since)
        if self.before is not None:
            where.add("occurred_at < {before}", before=self.before)
        if self.after is not None:
            where.add("(occurred_at, id) < ({moment}, {id})", moment=self.after[0], id=self.after[1])
        return where


def _pattern(action: str) -> str:
    escaped = action.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.removesuffix("*") + "%" if action.endswith("*") else escaped


FIND: LiteralString = """
    SELECT id, occurred_at, actor, actor_kind, actor_display, actor_role, on_behalf_of, action, subject, outcome,
        purpose, address, source, request_id, connection, detail, study_instance_uid, patient_reference, sequence
    FROM audit_events
    WHERE """


async def find(tx: Transaction, criteria: Criteria) -> list[Record]:
    """Newest first, one more than the limit where there are more."""
    where = criteria.where()
    statement: LiteralString = FIND + where.condition + " ORDER BY occurred_at DESC, id DESC LIMIT %(limit)s"
    return await tx.all(Record, statement, limit=criteria.limit + 1, **where.parameters)


async def find_patient(tx: Transaction, reference: str) -> str | None:
    """The reference of a patient, by it or by the hospital number (0010,0020)."""
    return await tx.value(
        """
        SELECT reference
        FROM patients
        WHERE reference = %(reference)s
           OR patient_id = %(reference)s
        ORDER BY reference
        LIMIT 1
        """,
        reference=reference,
    )


async def is_self(tx: Transaction, actor_id: str, reference: str) -> bool:
    """Whether an account belongs to this patient."""
    return await tx.value(
        """
        SELECT EXISTS (
            SELECT FROM care_relations
            JOIN patients ON patients.id = care_relations.patient_id
            WHERE actor = %(actor)s
              AND kind = 'self'
              AND reference = %(reference)s
              AND ended_at IS NULL
              AND now() >= begins_at
              AND now() < ends_at
        )
        """,
        actor=actor_id,
        reference=reference,
    )
