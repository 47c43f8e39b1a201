"""SQL of removals: what is proposed, decided, in the recycle bin, restored and purged."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where, as_json
from radiology.kit.ids import uuid7
from radiology.retention.removal_model import ItemState
from radiology.retention.rules import DueStudy


@dataclass(frozen=True, slots=True)
class Batch:
    """What was proposed together."""

    id: UUID
    proposed_by: str
    state: str
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """A study of a batch, and how far it is."""

    id: UUID
    batch_id: UUID
    study_id: UUID
    study_instance_uid: str
    facility_code: str
    kept_elsewhere: str
    state: str
    rejection_id: UUID | None
    key_object_uid: str | None
    due_at: datetime | None
    last_copies: bool
    decided_by: str | None


_ITEM: LiteralString = """
    SELECT item.id, item.batch_id, item.study_id, item.study_instance_uid, item.facility_code, item.kept_elsewhere,
        item.state, item.rejection_id, item.key_object_uid, item.due_at, batch.last_copies, batch.decided_by
    FROM retention_items AS item
    JOIN retention_batches AS batch ON batch.id = item.batch_id
    WHERE """


async def insert_batch(
    tx: Transaction, *, id: UUID, reason: str, by: str, at: datetime, version: int, due: Sequence[DueStudy]
) -> None:
    """Keep what is proposed to be removed."""
    await tx.run(
        """
        INSERT INTO retention_batches (id, reason, proposed_by, proposed_at, rules_version)
        VALUES (%(id)s, %(reason)s, %(by)s, %(at)s, %(version)s)
        """,
        id=id,
        reason=reason,
        by=by,
        at=at,
        version=version,
    )
    for each in due:
        await tx.run(
            """
            INSERT INTO retention_items (id, batch_id, study_id, study_instance_uid, facility_code, size_bytes, verdict,
                kept_elsewhere, changed_at)
            VALUES (%(id)s, %(batch_id)s, %(study_id)s, %(uid)s, %(facility)s, %(size)s, %(verdict)s, %(elsewhere)s,
                %(at)s)
            """,
            id=uuid7(),
            batch_id=id,
            study_id=each.study.id,
            uid=each.study.study_instance_uid,
            facility=each.study.facility_code,
            size=each.study.size_bytes,
            verdict=as_json(each.verdict.as_json() | {"lastCopy": each.is_last_copy}),
            elsewhere=each.verdict.kept_elsewhere,
            at=at,
        )


async def lock_batch(tx: Transaction, id: UUID, *, visible_to: Actor) -> Batch:
    """A batch, locked for a decision. Raises NotFound."""
    where = _batches(visible_to)
    where.add("batch.id = {id}", id=id)
    statement: LiteralString = (
        "SELECT batch.id, batch.proposed_by, batch.state, batch.decided_by FROM retention_batches AS batch WHERE "
    )
    found = await tx.maybe(Batch, statement + where.condition + " FOR UPDATE", **where.parameters)
    if found is None:
        raise NotFound("There is no such removal.")
    return found


async def decide(
    tx: Transaction, id: UUID, *, approved: bool, last_copies: bool, answer: str, by: str, at: datetime
) -> int:
    """What the second person decided. Returns how many studies that is about."""
    state = "approved" if approved else "refused"
    await tx.run(
        """
        UPDATE retention_batches
        SET state = %(state)s, last_copies = %(last_copies)s, answer = %(answer)s, decided_by = %(by)s,
            decided_at = %(at)s
        WHERE id = %(id)s
        """,
        id=id,
        state=state,
        last_copies=last_copies,
        answer=answer,
        by=by,
        at=at,
    )
    return await tx.run(
        """
        UPDATE retention_items
        SET state = %(state)s, due_at = CASE WHEN %(approved)s THEN %(at)s::timestamptz END, changed_at = %(at)s
        WHERE batch_id = %(id)s
          AND state = 'proposed'
        """,
        id=id,
        state=state,
        approved=approved,
        at=at,
    )


async def due_items(tx: Transaction, *, now: datetime, limit: int) -> list[UUID]:
    """What is to be hidden or purged now, the longest due first."""
    return await tx.values(
        """
        SELECT id
        FROM retention_items
        WHERE state IN ('approved', 'binned')
          AND due_at <= %(now)s
        ORDER BY due_at
        LIMIT %(limit)s
        """,
        now=now,
        limit=limit,
    )


async def lock_item(tx: Transaction, id: UUID) -> Item | None:
    """A study of a batch, locked for a change; None where somebody else has it."""
    return await tx.maybe(Item, _ITEM + "item.id = %(id)s FOR UPDATE OF item SKIP LOCKED", id=id)


async def lock_in_bin(tx: Transaction, id: UUID, *, visible_to: Actor) -> Item:
    """What lies in the recycle bin, locked for a change. Raises NotFound."""
    where = Where(["item.state = 'binned'"])
    visible_to.add_facility(where, "item.facility_code")
    where.add("item.id = {id}", id=id)
    found = await tx.maybe(Item, _ITEM + where.condition + " FOR UPDATE OF item", **where.parameters)
    if found is None:
        raise NotFound("There is no such study in the recycle bin.")
    return found


async def change(tx: Transaction, id: UUID, state: ItemState, *, sentence: str = "", at: datetime) -> None:
    """A study of a batch has come to an end: restored, kept or purged."""
    await tx.run(
        """
        UPDATE retention_items
        SET state = %(state)s, sentence = %(sentence)s, due_at = NULL, changed_at = %(at)s
        WHERE id = %(id)s
        """,
        id=id,
        state=state,
        sentence=sentence,
        at=at,
    )


async def postpone(tx: Transaction, id: UUID, *, sentence: str, until: datetime) -> None:
    """Look at it again then."""
    await tx.run(
        "UPDATE retention_items SET sentence = %(sentence)s, due_at = %(until)s WHERE id = %(id)s",
        id=id,
        sentence=sentence,
        until=until,
    )


async def put_into_bin(
    tx: Transaction, id: UUID, *, rejection_id: UUID, key_object_uid: str, until: datetime, at: datetime
) -> None:
    """A study lies in the recycle bin, hidden by a rejection, until then."""
    await tx.run(
        """
        UPDATE retention_items
        SET state = 'binned', sentence = '', rejection_id = %(rejection_id)s, key_object_uid = %(key_object_uid)s,
            due_at = %(until)s, changed_at = %(at)s
        WHERE id = %(id)s
        """,
        id=id,
        rejection_id=rejection_id,
        key_object_uid=key_object_uid,
        until=until,
        at=at,
    )


# --- Hiding -----------------------------------------------------------------------------------------------------------


async def is_hidden_by(tx: Transaction, study_id: UUID, rejection_id: UUID) -> bool:
    """Whether a rejection still hides all of a study: not withdrawn, and nothing was stored since."""
    return await tx.value(
        """
        SELECT NOT EXISTS (SELECT FROM rejection_withdrawals WHERE rejection_id = %(rejection_id)s)
            AND NOT EXISTS (SELECT FROM instances WHERE study_id = %(study_id)s)
        """,
        study_id=study_id,
        rejection_id=rejection_id,
    )


async def is_withdrawn(tx: Transaction, rejection_id: UUID) -> bool:
    """Whether a rejection was withdrawn; else it is locked until the transaction ends."""
    await tx.run("SELECT FROM rejections WHERE id = %(id)s FOR UPDATE", id=rejection_id)
    return await tx.value("SELECT count(*) > 0 FROM rejection_withdrawals WHERE rejection_id = %(id)s", id=rejection_id)


# --- Lists ------------------------------------------------------------------------------------------------------------

_ITEM_BODY: LiteralString = """json_strip_nulls(json_build_object('id', item.id, 'removal', item.batch_id,
        'studyInstanceUID', item.study_instance_uid, 'facilityCode', item.facility_code, 'sizeBytes', item.size_bytes,
        'state', item.state, 'sentence', nullif(item.sentence, ''), 'rejection', item.rejection_id,
        'keyObjectUID', item.key_object_uid, 'dueAt', item.due_at, 'changedAt', item.changed_at,
        'verdict', item.verdict))"""
_BATCH_BODY: LiteralString = """json_strip_nulls(json_build_object('id', batch.id, 'reason', batch.reason,
        'proposedBy', batch.proposed_by, 'proposedAt', batch.proposed_at, 'rulesVersion', batch.rules_version,
        'state', batch.state, 'lastCopies', batch.last_copies, 'decidedBy', batch.decided_by,
        'decidedAt', batch.decided_at, 'answer', nullif(batch.answer, ''),
        'studies', (SELECT count(*) FROM retention_items AS item WHERE item.batch_id = batch.id),
        'sizeBytes', (SELECT sum(size_bytes) FROM retention_items AS item WHERE item.batch_id = batch.id),
        'states', (
            SELECT json_object_agg(state, number)
            FROM (
                SELECT state, count(*) AS number FROM retention_items AS item WHERE item.batch_id = batch.id GROUP BY 1
            ) AS counted
        )))"""


async def batches_page(
    tx: Transaction, *, visible_to: Actor, limit: int, cursor: str | None
) -> tuple[bytes, str | None]:
    """Removals, newest first, and the cursor of the page behind."""
    where = _batches(visible_to)
    if cursor is not None:
        moment, before = pages.read_cursor(cursor)
        where.add("(batch.proposed_at, batch.id) < ({moment}, {before})", moment=moment, before=before)
    statement: LiteralString = (
        "SELECT json_build_array("
        + _BATCH_BODY
        + ", batch.proposed_at AT TIME ZONE 'UTC', batch.id)::text FROM retention_batches AS batch WHERE "
        + where.condition
    )
    rows = await tx.values(
        statement + " ORDER BY batch.proposed_at DESC, batch.id DESC LIMIT %(rows)s", rows=limit + 1, **where.parameters
    )
    return pages.page(rows, limit=limit)


async def batch_body(tx: Transaction, id: UUID, *, visible_to: Actor) -> bytes:
    """One removal with its studies, as JSON. Raises NotFound."""
    where = _batches(visible_to)
    where.add("batch.id = {id}", id=id)
    statement: LiteralString = (
        "SELECT ("
        + _BATCH_BODY
        + "::jsonb || jsonb_build_object('items', (SELECT json_agg("
        + _ITEM_BODY
        + " ORDER BY item.id) FROM retention_items AS item WHERE item.batch_id = batch.id)))::text"
        + " FROM retention_batches AS batch WHERE "
        + where.condition
    )
    found = await tx.value(statement, **where.parameters)
    if found is None:
        raise NotFound("There is no such removal.")
    return str(found).encode()


async def bin_page(tx: Transaction, *, visible_to: Actor, limit: int, cursor: str | None) -> tuple[bytes, str | None]:
    """What lies in the recycle bin, what came last first, and the cursor of the page behind."""
    where = Where(["item.state = 'binned'"])
    visible_to.add_facility(where, "item.facility_code")
    if cursor is not None:
        moment, before = pages.read_cursor(cursor)
        where.add("(item.changed_at, item.id) < ({moment}, {before})", moment=moment, before=before)
    statement: LiteralString = (
        "SELECT json_build_array("
        + _ITEM_BODY
        + ", item.changed_at AT TIME ZONE 'UTC', item.id)::text FROM retention_items AS item WHERE "
        + where.condition
    )
    rows = await tx.values(
        statement + " ORDER BY item.changed_at DESC, item.id DESC LIMIT %(rows)s", rows=limit + 1, **where.parameters
    )
    return pages.page(rows, limit=limit)


def _batches(visible_to: Actor) -> Where:
    """Batches without a study of a facility that is not the actor's."""
    where, inner = Where(["TRUE"]), Where()
    visible_to.add_facility(inner, "item.facility_code")
    if inner.clauses:
        facilities = sorted(visible_to.facility_codes or ())
        where.add(
            "NOT EXISTS (SELECT FROM retention_items AS item"
            " WHERE item.batch_id = batch.id AND item.facility_code <> ALL({facilities}))",
            facilities=facilities,
        )
    return where
