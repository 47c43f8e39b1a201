"""Write an audit record in the transaction of what it tells of."""

from collections.abc import Mapping
from typing import Any

from radiology.access.model import Actor
from radiology.kit.db import Transaction, as_json
from radiology.kit.ids import uuid7


async def record(
    tx: Transaction, actor: Actor, action: str, subject: str, *, detail: Mapping[str, Any] | None = None
) -> None:
    """One act: who, what, on what. `detail` holds ids and codes only."""
    await tx.run(
        """
        INSERT INTO audit_events (id, actor, action, subject, detail)
        VALUES (%(id)s, %(actor)s, %(action)s, %(subject)s, %(detail)s)
        """,
        id=uuid7(),
        actor=actor.id,
        action=action,
        subject=subject,
        detail=as_json(detail),
    )
