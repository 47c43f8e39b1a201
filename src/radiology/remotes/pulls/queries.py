"""SQL of pulls."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where
from radiology.remotes.pulls.model import Pull, Status

_BODY: LiteralString = """json_build_object(
        'jobId', p.id, 'status', p.status, 'remote', p.remote, 'studyInstanceUID', p.study_instance_uid,
        'priority', p.priority, 'total', p.total, 'came', p.came, 'attempts', p.attempts, 'sentence', p.sentence,
        'nextAttemptAt', p.next_attempt_at, 'reason', p.reason, 'askedBy', p.asked_by, 'askedAt', p.asked_at,
        'changedAt', p.changed_at)"""


async def insert(tx: Transaction, columns: dict[str, Any]) -> UUID:
    """A new pull, queued, or the one that is under way for the same study: its id. `columns` are those below."""
    return await tx.value(
        """
        INSERT INTO pulls (id, remote, study_instance_uid, facility_code, priority, reason, asked_by)
        VALUES (%(id)s, %(remote)s, %(study_instance_uid)s, %(facility_code)s, %(priority)s, %(reason)s, %(asked_by)s)
        ON CONFLICT (remote, study_instance_uid) WHERE status IN ('queued', 'running', 'waiting')
        DO UPDATE SET changed_at = now()
        RETURNING id
        """,
        **columns,
    )


async def take(tx: Transaction, id: UUID) -> Pull | None:
    """A pull, locked for a change; None where there is none."""
    return await tx.maybe(
        Pull,
        "SELECT id, remote, study_instance_uid, status, attempts FROM pulls WHERE id = %(id)s FOR UPDATE",
        id=id,
    )


async def change(
    tx: Transaction, id: UUID, *, status: Status, attempts: int, sentence: str = "", next_at: datetime | None = None
) -> None:
    """Another status, and the sentence that says why."""
    await tx.run(
        """
        UPDATE pulls
        SET status = %(status)s, attempts = %(attempts)s, sentence = %(sentence)s, next_attempt_at = %(next_at)s,
            changed_at = now()
        WHERE id = %(id)s
        """,
        id=id,
        status=status,
        attempts=attempts,
        sentence=sentence,
        next_at=next_at,
    )


async def note(tx: Transaction, id: UUID, *, total: int, came: int) -> bool:
    """How far it has come. False when it is not running any more, as when it was cancelled."""
    return await tx.value(
        """
        UPDATE pulls SET total = %(total)s, came = %(came)s, changed_at = now()
        WHERE id = %(id)s
        RETURNING status = 'running'
        """,
        id=id,
        total=total,
        came=came,
    )


async def body_of(tx: Transaction, id: UUID, *, visible_to: Actor) -> bytes:
    """One pull as JSON. Raises NotFound."""
    where = _visible(visible_to)
    where.add("p.id = {id}", id=id)
    statement: LiteralString = "SELECT " + _BODY + "::text FROM pulls AS p WHERE "
    found = await tx.value(statement + where.condition, **where.parameters)
    if found is None:
        raise NotFound("There is no such pull.")
    return str(found).encode()


async def page_of(tx: Transaction, *, limit: int, cursor: str | None, visible_to: Actor) -> tuple[bytes, str | None]:
    """Pulls, newest first, and the cursor of the page behind."""
    where = _visible(visible_to)
    if cursor is not None:
        moment, before = pages.read_cursor(cursor)
        where.add("(p.asked_at, p.id) < ({moment}, {before})", moment=moment, before=before)
    statement: LiteralString = (
        "SELECT json_build_array(" + _BODY + ", p.asked_at AT TIME ZONE 'UTC', p.id)::text FROM pulls AS p WHERE "
    )
    rows = await tx.values(
        statement + where.condition + " ORDER BY p.asked_at DESC, p.id DESC LIMIT %(rows)s",
        rows=limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=limit)


def _visible(actor: Actor) -> Where:
    where = Where(["true"])
    actor.staff_reach.add_to_row(where, facility="p.facility_code", uid="p.study_instance_uid")
    return where
