"""SQL of restrictions."""

from typing import LiteralString
from uuid import UUID

from radiology.kit.db import Transaction

_BODY: LiteralString = """json_build_object('id', id, 'kind', kind, 'reason', reason, 'madeBy', made_by,
        'madeAt', made_at, 'endedAt', ended_at, 'endedBy', ended_by, 'endReason', end_reason)"""


async def insert(tx: Transaction, *, id: UUID, patient_id: UUID, kind: str, reason: str, made_by: str) -> None:
    """A patient is restricted from now on."""
    await tx.run(
        """
        INSERT INTO patient_restrictions (id, patient_id, kind, reason, made_by, made_at)
        VALUES (%(id)s, %(patient_id)s, %(kind)s, %(reason)s, %(made_by)s, now())
        """,
        id=id,
        patient_id=patient_id,
        kind=kind,
        reason=reason,
        made_by=made_by,
    )


async def end(tx: Transaction, restriction_id: UUID, *, patient_id: UUID, ended_by: str, reason: str) -> bool:
    """End a restriction of a patient. False where there is none that runs."""
    return bool(
        await tx.run(
            """
            UPDATE patient_restrictions
            SET ended_at = now(), ended_by = %(ended_by)s, end_reason = %(reason)s
            WHERE id = %(restriction_id)s
              AND patient_id = %(patient_id)s
              AND ended_at IS NULL
            """,
            restriction_id=restriction_id,
            patient_id=patient_id,
            ended_by=ended_by,
            reason=reason,
        )
    )


async def restrictions_body(tx: Transaction, patient_id: UUID) -> bytes:
    """Every restriction of a patient, the newest first, as a JSON array."""
    return await tx.json(
        "SELECT coalesce(json_agg("  # noqa: S608 - a literal, by its type.
        + _BODY
        + """ ORDER BY made_at DESC, id DESC), '[]')::text
        FROM patient_restrictions
        WHERE patient_id = %(patient_id)s
        """,
        patient_id=patient_id,
    )
