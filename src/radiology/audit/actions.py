"""Write an audit record in the transaction of what it tells of."""

from collections.abc import Mapping
from typing import Any

from radiology.access.model import Actor
from radiology.audit import queries
from radiology.kit.db import Transaction


async def record(
    tx: Transaction, actor: Actor, action: str, subject: str, *, detail: Mapping[str, Any] | None = None
) -> None:
    """One act: who, what, on what. `detail` holds ids and codes only."""
    await queries.insert(tx, actor=actor.id, action=action, subject=subject, detail=detail)
