"""SQL of moves."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.delivery.moves.model import Move, Result, Status
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where
from radiology.studies.queries.retrieve import add_facility

_BODY: LiteralString = """json_build_object(
        'jobId', m.id, 'status', m.status, 'studyInstanceUID', s.study_instance_uid,
        'seriesInstanceUID', m.series_instance_uid, 'sopInstanceUID', m.sop_instance_uid,
        'destinationAE', m.destination, 'priority', m.priority, 'attempts', m.attempts, 'sentence', m.sentence,
        'nextAttemptAt', m.next_attempt_at, 'askedBy', m.asked_by, 'askedAt', m.asked_at, 'changedAt', m.changed_at,
        'total', counted.total, 'remaining', counted.remaining, 'completed', counted.completed,
        'warning', counted.warning, 'failed', counted.failed, 'failedSOPInstanceUIDs', counted.failed_uids"""
_COUNTED: LiteralString = """
    CROSS JOIN LATERAL (
        SELECT count(*) AS total,
            count(*) FILTER (WHERE result = 'remaining') AS remaining,
            count(*) FILTER (WHERE result = 'completed') AS completed,
            count(*) FILTER (WHERE result = 'warning') AS warning,
            count(*) FILTER (WHERE result = 'failed') AS failed,
            coalesce(json_agg(sop_instance_uid ORDER BY place) FILTER (WHERE result = 'failed'), '[]') AS failed_uids
        FROM move_instances
        WHERE move_id = m.id
    ) counted
    WHERE """
_INSTANCES: LiteralString = """, 'instances', (
        SELECT coalesce(json_agg(json_build_object('sopInstanceUID', i.sop_instance_uid, 'result', i.result,
            'status', upper(lpad(to_hex(i.status), 4, '0')), 'sentence', i.sentence) ORDER BY i.place), '[]')
        FROM move_instances i
        WHERE i.move_id = m.id
    )"""
_COUNTED_MOVES: LiteralString = """
    FROM moves m
    JOIN imaging_studies s ON s.id = m.study_id"""


async def insert(
    tx: Transaction, *, id: UUID, study_instance_uid: str, series_instance_uid: str | None,
    sop_instance_uid: str | None, destination: str, priority: str, asked_by: str, instances: Sequence[str],
) -> None:  # fmt: skip
    """A new move of these instances, queued."""
    await tx.run(
        """
        INSERT INTO moves (id, study_id, series_instance_uid, sop_instance_uid, destination, priority, asked_by)
        SELECT %(id)s, s.id, %(series_instance_uid)s, %(sop_instance_uid)s, %(destination)s, %(priority)s, %(asked_by)s
        FROM imaging_studies s
        WHERE s.study_instance_uid = %(study_instance_uid)s
        """,
        id=id,
        study_instance_uid=study_instance_uid,
        series_instance_uid=series_instance_uid,
        sop_instance_uid=sop_instance_uid,
        destination=destination,
        priority=priority,
        asked_by=asked_by,
    )
    await tx.run(
        """
        INSERT INTO move_instances (move_id, place, sop_instance_uid)
        SELECT %(id)s, place, uid
        FROM unnest(%(uids)s::text[]) WITH ORDINALITY AS asked (uid, place)
        """,
        id=id,
        uids=list(instances),
    )


async def take(tx: Transaction, id: UUID) -> Move | None:
    """A move, locked for a change; None where there is none."""
    return await tx.maybe(
        Move,
        """
        SELECT m.id, s.study_instance_uid, m.destination, m.status, m.attempts
        FROM moves m
        JOIN imaging_studies s ON s.id = m.study_id
        WHERE m.id = %(id)s
        FOR UPDATE OF m
        """,
        id=id,
    )


async def owed(tx: Transaction, id: UUID) -> list[str]:
    """The instances that the destination does not have yet."""
    return await tx.values(
        """
        SELECT sop_instance_uid
        FROM move_instances
        WHERE move_id = %(id)s AND result IN ('remaining', 'failed')
        ORDER BY place
        """,
        id=id,
    )


async def change(
    tx: Transaction, id: UUID, *, status: Status, attempts: int, sentence: str = "", next_at: datetime | None = None
) -> None:
    """Another status, and the sentence that says why."""
    await tx.run(
        """
        UPDATE moves
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


async def note(tx: Transaction, id: UUID, results: Sequence[Result]) -> bool:
    """Keep results of instances. False when the move is not running any more, as when it was cancelled."""
    await tx.run(
        """
        UPDATE move_instances i
        SET result = told.result, status = told.status, sentence = told.sentence
        FROM unnest(%(uids)s::text[], %(results)s::text[], %(statuses)s::int[], %(sentences)s::text[])
            AS told (uid, result, status, sentence)
        WHERE i.move_id = %(id)s AND i.sop_instance_uid = told.uid
        """,
        id=id,
        uids=[one.sop_instance_uid for one in results],
        results=[one.result for one in results],
        statuses=[one.status for one in results],
        sentences=[one.sentence for one in results],
    )
    return await tx.value("UPDATE moves SET changed_at = now() WHERE id = %(id)s RETURNING status = 'running'", id=id)


async def failures(tx: Transaction, id: UUID) -> tuple[int, int, str]:
    """How many instances there are, how many of them failed, and why the last of these did."""
    total, failed, sentence = await tx.value(
        """
            SELECT array[count(*)::text, count(*) FILTER (WHERE result = 'failed')::text,
                coalesce((array_agg(sentence ORDER BY place DESC) FILTER (WHERE result = 'failed'))[1], '')]
            FROM move_instances
            WHERE move_id = %(id)s
            """,
        id=id,
    )
    return int(total), int(failed), sentence


async def body_of(tx: Transaction, id: UUID, *, visible_to: Actor) -> bytes:
    """One move with the result of each instance, as JSON. Raises NotFound."""
    where = _visible(visible_to)
    where.add("m.id = {id}", id=id)
    statement: LiteralString = "SELECT " + _BODY + _INSTANCES + ")::text" + _COUNTED_MOVES + _COUNTED
    found = await tx.value(statement + where.condition, **where.parameters)
    if found is None:
        raise NotFound("There is no such move.")
    return str(found).encode()


async def page_of(tx: Transaction, *, limit: int, cursor: str | None, visible_to: Actor) -> tuple[bytes, str | None]:
    """Moves, newest first, and the cursor of the page behind."""
    where = _visible(visible_to)
    if cursor is not None:
        moment, before = pages.read_cursor(cursor)
        where.add("(m.asked_at, m.id) < ({moment}, {before})", moment=moment, before=before)
    statement: LiteralString = "SELECT json_build_array(" + _BODY + "), m.asked_at AT TIME ZONE 'UTC', m.id)::text"
    rows = await tx.values(
        statement + _COUNTED_MOVES + _COUNTED + where.condition + " ORDER BY m.asked_at DESC, m.id DESC LIMIT %(rows)s",
        rows=limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=limit)


def _visible(actor: Actor) -> Where:
    where = Where(["true"])
    add_facility(where, actor)
    return where
