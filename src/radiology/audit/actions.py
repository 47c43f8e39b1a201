"""Write an audit record in the transaction of what it tells of."""

from collections.abc import Mapping
from typing import Any

from radiology.access.model import Actor
from radiology.audit import queries
from radiology.kit.db import Transaction, WriterTransaction


async def record(
    tx: Transaction, actor: Actor, action: str, subject: str, *, detail: Mapping[str, Any] | None = None
) -> None:
    """One act: who, what, on what. `detail` holds ids and codes only."""
    await queries.insert(tx, actor=actor.id, action=action, subject=subject, detail=detail)


def record_in_batch(
    tx: WriterTransaction, actor_id: str, action: str, subject: str, *, detail: Mapping[str, Any] | None = None
) -> None:
    """The same for a writing thread, which knows its actor by id."""
    tx.run(queries.INSERT, **queries.row(actor=actor_id, action=action, subject=subject, detail=detail))
