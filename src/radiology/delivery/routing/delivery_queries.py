"""SQL of deliveries: what is sent where by a routing rule."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.delivery.commitment.queries import commitment_of
from radiology.delivery.routing.model import Rule, Subject
from radiology.kit import jobs, pages
from radiology.kit.db import Transaction, Where
from radiology.studies.commitment import Reference
from radiology.studies.queries.retrieve import CORRECTIONS, StoredInstance

_COLUMNS: LiteralString = """
    id, study_id, study_instance_uid, facility_code, ae_title, rule_id, state, attempts, caused_at, next_attempt_at
    """
_LISTED: LiteralString = (
    """
    SELECT json_build_array(json_build_object(
        'id', d.id, 'studyInstanceUid', d.study_instance_uid, 'destination', d.ae_title, 'rule', d.rule_name,
        'state', d.state, 'sent', c.sent, 'failed', c.failed, 'remaining', c.remaining, 'attempts', d.attempts,
        'lastError', d.sentence, 'causedAt', d.caused_at,
        'nextAttemptAt', CASE WHEN d.state = 'waiting' THEN d.next_attempt_at END,
        'commitment', """
    + commitment_of("d.id")
    + """
    ), d.caused_at AT TIME ZONE 'UTC', d.id)::text
    FROM deliveries AS d
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE state = 'sent') AS sent, count(*) FILTER (WHERE state = 'failed') AS failed,
            count(*) FILTER (WHERE state = 'waiting') AS remaining
        FROM delivery_instances
        WHERE delivery_id = d.id
    ) AS c
    WHERE """
)
_NEWEST_FIRST: LiteralString = " ORDER BY d.caused_at DESC, d.id DESC LIMIT %(most)s"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A study on its way to a destination."""

    id: UUID
    study_id: UUID
    study_instance_uid: str
    facility_code: str
    ae_title: str
    rule_id: UUID | None
    state: str
    attempts: int
    caused_at: datetime
    next_attempt_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How many instances of a delivery are in which state, and what was wrong with one of them."""

    sent: int
    failed: int
    waiting: int
    sentence: str


async def place(tx: Transaction, delivery: Delivery, rule: Rule) -> UUID:
    """The delivery of a study to a destination, made where there is none. Locks it; returns its id."""
    return await tx.value(
        """
        INSERT INTO deliveries (id, study_id, study_instance_uid, facility_code, ae_title, rule_id, rule_name, priority,
            caused_at, next_attempt_at)
        VALUES (%(id)s, %(study_id)s, %(study_instance_uid)s, %(facility_code)s, %(ae_title)s, %(rule_id)s,
            %(rule_name)s, %(priority)s, %(caused_at)s, %(next_attempt_at)s)
        ON CONFLICT (study_id, ae_title) DO UPDATE
        SET changed_at = deliveries.changed_at
        RETURNING id
        """,
        id=delivery.id,
        study_id=delivery.study_id,
        study_instance_uid=delivery.study_instance_uid,
        facility_code=delivery.facility_code,
        ae_title=delivery.ae_title,
        rule_id=rule.id,
        rule_name=rule.name,
        priority=rule.priority,
        caused_at=delivery.caused_at,
        next_attempt_at=delivery.next_attempt_at,
    )


async def add_instances(tx: Transaction, delivery_id: UUID, subject: Subject, rule: Rule) -> int:
    """What of a subject is to be sent and was not listed yet; returns how many."""
    return await tx.run(
        """
        INSERT INTO delivery_instances (delivery_id, sop_instance_uid)
        SELECT %(delivery_id)s, sop_instance_uid
        FROM instances
        WHERE series_id = %(series_id)s
          AND source_ae_title = %(source)s
          AND date_trunc('minute', stored_at) = %(minute)s
          AND stored_at >= %(since)s
        ON CONFLICT (delivery_id, sop_instance_uid) DO NOTHING
        """,
        delivery_id=delivery_id,
        series_id=subject.series_id,
        source=subject.source_ae_title,
        minute=subject.minute,
        since=rule.created_at,
    )


async def wake(tx: Transaction, delivery_id: UUID, *, opens_at: datetime, now: datetime) -> None:
    """More has come: what was sent or had failed waits again. What is cancelled stays so."""
    await tx.run(
        """
        UPDATE deliveries
        SET state = 'waiting', attempts = 0, caused_at = %(now)s, next_attempt_at = %(opens_at)s, changed_at = %(now)s
        WHERE id = %(id)s
          AND state IN ('sent', 'failed')
        """,
        id=delivery_id,
        opens_at=opens_at,
        now=now,
    )


async def discard_empty(tx: Transaction, delivery_id: UUID) -> None:
    """Forget a delivery for which nothing is listed."""
    await tx.run(
        """
        DELETE FROM deliveries
        WHERE id = %(id)s
          AND NOT EXISTS (SELECT 1 FROM delivery_instances WHERE delivery_id = %(id)s)
        """,
        id=delivery_id,
    )


async def take_back(tx: Transaction, *, now: datetime, sentence: str) -> list[Delivery]:
    """Deliveries that no job sends any more, although one should: they wait again, or fail where it was given up."""
    statement: LiteralString = (
        "UPDATE deliveries SET state = CASE WHEN "
        + jobs.has_failed("deliveries.job")
        + " THEN 'failed' ELSE 'waiting' END, sentence = CASE WHEN "
        + jobs.has_failed("deliveries.job")
        + " THEN %(sentence)s ELSE sentence END, changed_at = %(now)s WHERE state = 'sending' AND NOT "
        + jobs.is_live("deliveries.job")
        + " RETURNING "
        + _COLUMNS
    )
    return await tx.all(Delivery, statement, now=now, sentence=sentence)


async def take_due(tx: Transaction, *, now: datetime, most_at_once: int) -> list[Delivery]:
    """Those that may be sent now: for each destination as many as it takes associations, the urgent ones first.

    One that was cancelled and is to be sent after all waits until the job before it is over; one that is cancelled in
    this moment stays so.
    """
    await tx.run("SELECT pg_advisory_xact_lock(hashtext('deliveries.take'))")
    statement: LiteralString = (
        """
        UPDATE deliveries
        SET state = 'sending', changed_at = %(now)s
        WHERE id IN (
            SELECT due.id
            FROM (
                SELECT id, ae_title,
                    row_number() OVER (PARTITION BY ae_title ORDER BY priority DESC, caused_at, id) AS place
                FROM deliveries
                WHERE state = 'waiting'
                  AND next_attempt_at <= %(now)s
                  AND NOT """
        + jobs.is_live("deliveries.job")
        + """
            ) AS due
            LEFT JOIN application_entities AS entity ON entity.ae_title = due.ae_title
            WHERE due.place + (
                SELECT count(*) FROM deliveries AS busy WHERE busy.state = 'sending' AND busy.ae_title = due.ae_title
            ) <= least(%(most)s, coalesce(entity.outgoing_associations, 1))
        )
          AND state = 'waiting'
        RETURNING """
        + _COLUMNS
    )
    return await tx.all(Delivery, statement, now=now, most=most_at_once)


async def save_job(tx: Transaction, id: UUID, job: int) -> None:
    """The number of the job that sends a delivery."""
    await tx.run("UPDATE deliveries SET job = %(job)s WHERE id = %(id)s", id=id, job=job)


async def find(tx: Transaction, id: UUID) -> Delivery | None:
    """A delivery, None where there is none."""
    return await tx.maybe(Delivery, "SELECT " + _COLUMNS + "FROM deliveries WHERE id = %(id)s", id=id)


async def lock(tx: Transaction, id: UUID) -> Delivery:
    """A delivery that this transaction changes. Raises NotFound."""
    return await tx.one(Delivery, "SELECT " + _COLUMNS + "FROM deliveries WHERE id = %(id)s FOR UPDATE", id=id)


async def waiting_instances(tx: Transaction, id: UUID) -> list[StoredInstance]:
    """What is still to be sent and still shown."""
    return await tx.all(
        StoredInstance,
        """
        SELECT s.study_instance_uid, e.series_instance_uid, i.sop_instance_uid, i.sop_class_uid, i.transfer_syntax_uid,
            i.number_of_frames, i.object_key, i.size_bytes, i.data_set_offset, i.pixel_data_offset,
            i.pixel_data_length, i.data_set_sha256, i.original_transfer_syntax_uid, i.original_pixel_data_head,
            """
        + CORRECTIONS
        + """ AS corrections
        FROM delivery_instances AS listed
        JOIN instances AS i ON i.sop_instance_uid = listed.sop_instance_uid
        JOIN imaging_series AS e ON e.id = i.series_id
        JOIN imaging_studies AS s ON s.id = e.study_id
        WHERE listed.delivery_id = %(id)s
          AND listed.state = 'waiting'
          AND s.findable
        ORDER BY e.series_number NULLS LAST, e.series_instance_uid, i.instance_number NULLS LAST, i.sop_instance_uid
        """,
        id=id,
    )


async def drop_hidden(tx: Transaction, id: UUID) -> None:
    """Forget what was to be sent and has been rejected since."""
    await tx.run(
        """
        DELETE FROM delivery_instances AS listed
        WHERE delivery_id = %(id)s
          AND state = 'waiting'
          AND NOT EXISTS (SELECT 1 FROM instances WHERE instances.sop_instance_uid = listed.sop_instance_uid)
        """,
        id=id,
    )


NOTE: LiteralString = """
    UPDATE delivery_instances
    SET state = %(state)s, sentence = %(sentence)s
    FROM deliveries
    WHERE delivery_id = %(delivery_id)s
      AND sop_instance_uid = %(sop_instance_uid)s
      AND deliveries.id = delivery_id
    RETURNING deliveries.state = 'sending'
"""
"""What became of an instance; true where the delivery is still being sent."""

IS_SENDING: LiteralString = "SELECT state = 'sending' FROM deliveries WHERE id = %(id)s"


async def progress(tx: Transaction, id: UUID) -> Progress:
    """How far a delivery has come."""
    return await tx.one(
        Progress,
        """
        SELECT count(*) FILTER (WHERE state = 'sent') AS sent, count(*) FILTER (WHERE state = 'failed') AS failed,
            count(*) FILTER (WHERE state = 'waiting') AS waiting,
            coalesce(max(sentence) FILTER (WHERE state <> 'sent'), '') AS sentence
        FROM delivery_instances
        WHERE delivery_id = %(id)s
        """,
        id=id,
    )


async def change(
    tx: Transaction,
    id: UUID,
    *,
    state: str,
    sentence: str,
    attempts: int,
    caused_at: datetime,
    next_attempt_at: datetime,
    at: datetime,
) -> None:
    """What became of a delivery; the sentence says why it waits or has failed."""
    await tx.run(
        """
        UPDATE deliveries
        SET state = %(state)s, sentence = %(sentence)s, attempts = %(attempts)s, caused_at = %(caused_at)s,
            next_attempt_at = %(next_attempt_at)s, changed_at = %(at)s
        WHERE id = %(id)s
        """,
        id=id,
        state=state,
        sentence=sentence,
        attempts=attempts,
        caused_at=caused_at,
        next_attempt_at=next_attempt_at,
        at=at,
    )


async def owe_again(tx: Transaction, id: UUID, sop_instance_uids: Sequence[str]) -> None:
    """What the destination refused is to be sent again, and these that it had taken and does not keep."""
    await tx.run(
        """
        UPDATE delivery_instances
        SET state = 'waiting', commitment_asked = false
        WHERE delivery_id = %(id)s
          AND (state = 'failed' OR sop_instance_uid = ANY(%(uids)s))
        """,
        id=id,
        uids=list(sop_instance_uids),
    )


async def take_uncommitted(tx: Transaction, id: UUID) -> list[Reference]:
    """What the destination has taken and was not asked to keep yet; it is marked as asked."""
    return await tx.all(
        Reference,
        """
        WITH taken AS (
            UPDATE delivery_instances
            SET commitment_asked = true
            WHERE delivery_id = %(id)s AND state = 'sent' AND NOT commitment_asked
            RETURNING sop_instance_uid
        )
        SELECT i.sop_class_uid, i.sop_instance_uid
        FROM taken
        JOIN instances i ON i.sop_instance_uid = taken.sop_instance_uid
        ORDER BY i.sop_instance_uid
        """,
        id=id,
    )


async def page_of(
    tx: Transaction, *, ae_title: str | None, state: str | None, limit: int, cursor: str | None, visible_to: Actor
) -> tuple[bytes, str | None]:
    """Deliveries, newest first, as JSON, and the cursor of the next page."""
    where = Where()
    visible_to.staff_reach.add_to_row(where, facility="d.facility_code", uid="d.study_instance_uid")
    if ae_title is not None:
        where.add("d.ae_title = {ae_title}", ae_title=ae_title)
    if state is not None:
        where.add("d.state = {state}", state=state)
    if cursor is not None:
        at, key = pages.read_cursor(cursor)
        where.add("(d.caused_at, d.id) < ({at}, {key})", at=at, key=key)
    rows = await tx.values(_LISTED + where.condition + _NEWEST_FIRST, **where.parameters, most=limit + 1)
    return pages.page(rows, limit=limit)


async def counts(tx: Transaction) -> bytes:
    """How many deliveries of each destination are in which state, as JSON."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('destination', ae_title, 'state', state, 'deliveries', number)
            ORDER BY ae_title, state), '[]')::text
        FROM (SELECT ae_title, state, count(*) AS number FROM deliveries GROUP BY ae_title, state) AS counted
        """
    )


async def number_waiting(tx: Transaction) -> int:
    """How many deliveries wait or are being sent."""
    return await tx.value("SELECT count(*) FROM deliveries WHERE state IN ('waiting', 'sending')")
