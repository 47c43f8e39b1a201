"""SQL of the audit record."""

from collections.abc import Mapping
from typing import Any

from radiology.kit.db import Transaction, as_json
from radiology.kit.ids import uuid7


async def insert(tx: Transaction, *, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None) -> None:
    """Add one record."""
    await tx.run(
        """
        INSERT INTO audit_events (id, actor, action, subject, detail)
        VALUES (%(id)s, %(actor)s, %(action)s, %(subject)s, %(detail)s)
        """,
        id=uuid7(),
        actor=actor,
        action=action,
        subject=subject,
        detail=as_json(detail),
    )
