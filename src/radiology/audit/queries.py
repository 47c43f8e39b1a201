"""SQL of the audit record."""

from collections.abc import Mapping
from typing import Any, LiteralString

from radiology.kit.db import Transaction, as_json
from radiology.kit.ids import uuid7

INSERT: LiteralString = """
    INSERT INTO audit_events (id, actor, action, subject, detail)
    VALUES (%(id)s, %(actor)s, %(action)s, %(subject)s, %(detail)s)
"""


def row(*, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None) -> dict[str, Any]:
    """Parameters of INSERT."""
    return {"id": uuid7(), "actor": actor, "action": action, "subject": subject, "detail": as_json(detail)}


async def insert(tx: Transaction, *, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None) -> None:
    """Add one record."""
    await tx.run(INSERT, **row(actor=actor, action=action, subject=subject, detail=detail))
