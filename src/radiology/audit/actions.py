"""Write an audit record in the transaction of what it tells of."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from radiology.access.model import Actor
from radiology.audit import queries
from radiology.audit.context import Circumstances, current
from radiology.audit.model import SUCCESS, kind_of
from radiology.kit.clock import now
from radiology.kit.db import Transaction, WriterTransaction
from radiology.kit.ids import uuid7


async def record(
    tx: Transaction,
    actor: Actor,
    action: str,
    subject: str,
    *,
    detail: Mapping[str, Any] | None = None,
    outcome: int = SUCCESS,
    purpose: str = "",
) -> None:
    """One act: who, what, on what. `detail` holds ids and codes only; from where is known by the door.

    purpose: a code of PurposeOfUse (HL7 v3), as BTG, where it is not that of the whole request.
    """
    circumstances = current()
    row = row_of(circumstances, actor.id, action, subject, detail, outcome=outcome, actor=actor, purpose=purpose)
    await queries.insert(tx, row)
    circumstances.recorded += 1


def record_in_batch(
    tx: WriterTransaction, actor_id: str, action: str, subject: str, *, detail: Mapping[str, Any] | None = None
) -> None:
    """The same for a writing thread, which knows its actor by id."""
    queries.insert_in_batch(tx, row_of(current(), actor_id, action, subject, detail))


def row_of(
    circumstances: Circumstances,
    actor_id: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None,
    *,
    outcome: int = SUCCESS,
    actor: Actor | None = None,
    purpose: str = "",
    at: datetime | None = None,
) -> dict[str, Any]:
    """A row of audit_arrivals. Who acts is known in full by the given actor, or by the one of the door."""
    if actor is None and circumstances.actor is not None and circumstances.actor.id == actor_id:
        actor = circumstances.actor
    role = actor.role if actor else ""
    return {
        "id": uuid7(),
        "occurred_at": at or now(),
        "actor": actor_id,
        "actor_kind": kind_of(actor_id, role),
        "actor_display": actor.display if actor else "",
        "actor_role": role,
        "on_behalf_of": circumstances.on_behalf_of,
        "action": action,
        "subject": subject,
        "outcome": outcome,
        "purpose": purpose or circumstances.purpose,
        "address": circumstances.address,
        "source": circumstances.source,
        "request_id": circumstances.request_id,
        "connection": circumstances.connection,
        "detail": detail,
    }
