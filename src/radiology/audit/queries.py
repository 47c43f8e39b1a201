"""SQL of the audit record."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from radiology.kit.db import Transaction, WriterTransaction, as_json
from radiology.kit.ids import uuid7

INSERT: LiteralString = """
    INSERT INTO audit_events (id, actor, action, subject, detail)
    VALUES (%(id)s, %(actor)s, %(action)s, %(subject)s, %(detail)s)
"""


INSERT_MANY: LiteralString = """
    INSERT INTO audit_events (id, actor, action, subject, detail)
    SELECT id, actor, action, subject, detail
    FROM unnest(%(ids)s::uuid[], %(actors)s::text[], %(actions)s::text[], %(subjects)s::text[], %(details)s::jsonb[])
        AS read (id, actor, action, subject, detail)
"""


def row(*, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None) -> dict[str, Any]:
    """Parameters of INSERT."""
    return {"id": uuid7(), "actor": actor, "action": action, "subject": subject, "detail": as_json(detail)}


def insert_many(tx: WriterTransaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add records, each as `row` gives it."""
    names = {"ids": "id", "actors": "actor", "actions": "action", "subjects": "subject", "details": "detail"}
    tx.run(INSERT_MANY, **{many: [each[one] for each in rows] for many, one in names.items()})


async def insert(tx: Transaction, *, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None) -> None:
    """Add one record."""
    await tx.run(INSERT, **row(actor=actor, action=action, subject=subject, detail=detail))
