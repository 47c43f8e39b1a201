"""SQL of moves."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.delivery.commitment.queries import commitment_of
from radiology.delivery.moves.model import Counts, Move, Status
from radiology.errors import NotFound
from radiology.kit import jobs, pages
from radiology.kit.db import Transaction, Where
from radiology.studies.commitment import Reference
from radiology.studies.queries.retrieve import add_reach


@dataclass(frozen=True, slots=True)
class Due:
    """A move that is to be sent now. `job_failed`: it was to be sent, and its job was given up."""

    id: UUID
    job_failed: bool


_BODY: LiteralString = """json_build_object(
        'jobId', m.id, 'status', m.status, 'studyInstanceUID', s.study_instance_uid,
        'seriesInstanceUID', m.series_instance_uid, 'sopInstanceUID', m.sop_instance_uid,
        'destinationAE', m.destination, 'priority', m.priority, 'attempts', m.attempts, 'sentence', m.sentence,
        'nextAttemptAt', m.next_attempt_at, 'askedBy', m.asked_by, 'askedAt', m.asked_at, 'changedAt', m.changed_at,
        'total', counted.total, 'remaining', counted.remaining, 'completed', counted.completed,
        'warning', counted.warning, 'failed', counted.failed, 'failedSOPInstanceUIDs', counted.failed_uids,
        'commitment', """ + commitment_of("m.id")
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
        SELECT m.id, s.study_instance_uid, m.destination, m.priority, m.status, m.attempts
        FROM moves m
        JOIN imaging_studies s ON s.id = m.study_id
        WHERE m.id = %(id)s
        FOR UPDATE OF m
        """,
        id=id,
    )


async def due(tx: Transaction, *, now: datetime, most_at_once: int) -> list[Due]:
    """Moves whose time has come and that no job is for: those that wait, and those whose job is gone.

    For each destination as many as it takes associations, with those that are sent now; the urgent ones first.
    """
    await tx.run("SELECT pg_advisory_xact_lock(hashtext('moves.start'))")
    statement: LiteralString = (
        "SELECT id, "
        + jobs.has_failed("moves.job")
        + """ AS job_failed
        FROM moves
        WHERE id IN (
            SELECT due.id
            FROM (
                SELECT id, destination, row_number() OVER (
                    PARTITION BY destination
                    ORDER BY array_position(ARRAY['high', 'medium', 'low'], priority), asked_at, id) AS place
                FROM moves
                WHERE status IN ('queued', 'running', 'waiting')
                  AND (next_attempt_at IS NULL OR next_attempt_at <= %(now)s)
                  AND NOT """
        + jobs.is_live("moves.job")
        + """
            ) AS due
            LEFT JOIN application_entities AS entity ON entity.ae_title = due.destination
            WHERE due.place + (
                SELECT count(*)
                FROM moves AS busy
                WHERE busy.destination = due.destination
                  AND busy.status IN ('queued', 'running')
                  AND """
        + jobs.is_live("busy.job")
        + """
            ) <= least(%(most)s, coalesce(entity.outgoing_associations, 1))
        )
        ORDER BY asked_at
        """
    )
    return await tx.all(Due, statement, now=now, most=most_at_once)


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


async def owe_again(tx: Transaction, id: UUID, sop_instance_uids: Sequence[str]) -> None:
    """What failed is to be sent again, and these that the destination had taken and does not keep."""
    await tx.run(
        """
        UPDATE move_instances
        SET result = 'remaining', status = NULL, sentence = '', commitment_asked = false
        WHERE move_id = %(id)s AND (result = 'failed' OR sop_instance_uid = ANY(%(uids)s))
        """,
        id=id,
        uids=list(sop_instance_uids),
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


async def save_job(tx: Transaction, id: UUID, job: int) -> None:
    """A move is queued: the job of this number sends it."""
    await tx.run(
        """
        UPDATE moves
        SET status = 'queued', next_attempt_at = NULL, job = %(job)s, changed_at = now()
        WHERE id = %(id)s
        """,
        id=id,
        job=job,
    )


async def forget_failed_job(tx: Transaction, id: UUID) -> None:
    """A move whose job was given up is to have another one."""
    await tx.run("UPDATE moves SET job = NULL WHERE id = %(id)s AND NOT " + jobs.is_live("moves.job"), id=id)


async def fail(tx: Transaction, id: UUID, sop_instance_uids: Sequence[str], *, status: int, sentence: str) -> None:
    """These instances cannot be sent."""
    await tx.run(
        """
        UPDATE move_instances
        SET result = 'failed', status = %(status)s, sentence = %(sentence)s
        WHERE move_id = %(id)s AND sop_instance_uid = ANY(%(uids)s)
        """,
        id=id,
        uids=list(sop_instance_uids),
        status=status,
        sentence=sentence,
    )


NOTE: LiteralString = """
    UPDATE move_instances
    SET result = %(result)s, status = %(status)s, sentence = %(sentence)s
    FROM moves
    WHERE move_id = %(id)s
      AND move_instances.sop_instance_uid = %(sop_instance_uid)s
      AND moves.id = move_id
    RETURNING moves.status = 'running'
"""
"""What became of an instance; true where the move still runs."""

IS_RUNNING: LiteralString = "SELECT status = 'running' FROM moves WHERE id = %(id)s"


async def counts(tx: Transaction, id: UUID) -> Counts:
    """How many instances there are, how many failed or were not sent, and why the last of those that failed did."""
    return await tx.one(
        Counts,
        """
        SELECT count(*) AS total,
            count(*) FILTER (WHERE result = 'failed') AS failed,
            count(*) FILTER (WHERE result = 'remaining') AS remaining,
            coalesce((array_agg(sentence ORDER BY place DESC) FILTER (WHERE result = 'failed'))[1], '') AS sentence
        FROM move_instances
        WHERE move_id = %(id)s
        """,
        id=id,
    )


async def take_uncommitted(tx: Transaction, id: UUID) -> list[Reference]:
    """What the destination has taken and was not asked to keep yet; it is marked as asked."""
    return await tx.all(
        Reference,
        """
        WITH taken AS (
            UPDATE move_instances
            SET commitment_asked = true
            WHERE move_id = %(id)s AND result IN ('completed', 'warning') AND NOT commitment_asked
            RETURNING sop_instance_uid
        )
        SELECT i.sop_class_uid, i.sop_instance_uid
        FROM taken
        JOIN instances i ON i.sop_instance_uid = taken.sop_instance_uid
        ORDER BY i.sop_instance_uid
        """,
        id=id,
    )


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
    add_reach(where, actor)
    return where
