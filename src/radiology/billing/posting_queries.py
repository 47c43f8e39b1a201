"""SQL of what the billing service is told, and of what it said."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.kit.db import Transaction


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that is to be told, with what is known of its charge."""

    charge_id: UUID
    number: int
    body: dict[str, Any]
    occurred_at: datetime
    facility_code: str
    item: str
    sensitive: bool
    accession_number: str
    patient_reference: str
    scheme: str


async def waiting(tx: Transaction, entry_id: UUID) -> Entry | None:
    """A line that is to be told; None where it was."""
    return await tx.maybe(
        Entry,
        """
        SELECT e.charge_id, e.number, e.body, e.occurred_at, c.facility_code, c.item,
            c.sensitive OR coalesce(s.sensitive, false) AS sensitive,
            coalesce(o.accession_number, '') AS accession_number, coalesce(p.reference, '') AS patient_reference,
            coalesce(payer.scheme, '') AS scheme
        FROM charge_entries AS e
        JOIN charges AS c ON c.id = e.charge_id
        LEFT JOIN imaging_studies AS s ON s.id = c.study_id
        LEFT JOIN orders AS o ON o.id = c.order_id
        LEFT JOIN patients AS p ON p.id = o.patient_id
        LEFT JOIN order_payers AS payer ON payer.order_id = c.order_id
        WHERE e.id = %(id)s
          AND NOT EXISTS (SELECT FROM charge_postings AS posted WHERE posted.entry_id = e.id)
        """,
        id=entry_id,
    )


async def note(tx: Transaction, entry_id: UUID, *, status: str, reference: str, sentence: str, at: datetime) -> None:
    """What the billing service said to a line."""
    await tx.run(
        """
        INSERT INTO charge_postings (entry_id, status, reference, sentence, at)
        VALUES (%(id)s, %(status)s, %(reference)s, %(sentence)s, %(at)s)
        ON CONFLICT DO NOTHING
        """,
        id=entry_id,
        status=status,
        reference=reference,
        sentence=sentence,
        at=at,
    )
