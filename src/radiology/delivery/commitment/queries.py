"""SQL of storage commitment that is asked of peers."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where
from radiology.studies.commitment import Reference


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One request of ours to one peer."""

    id: UUID
    transaction_uid: str
    ae_title: str
    state: str
    attempts: int
    caused_at: datetime
    asked_at: datetime | None


_INQUIRY: LiteralString = """
    SELECT id, transaction_uid, ae_title, state, attempts, caused_at, asked_at
    FROM commitment_inquiries
    WHERE """


async def insert(
    tx: Transaction, *, id: UUID, transaction_uid: str, ae_title: str, references: Sequence[Reference],
    cause_id: UUID | None, at: datetime,
) -> None:  # fmt: skip
    """A request that is to be made, and the instances that it names."""
    await tx.run(
        """
        INSERT INTO commitment_inquiries (id, transaction_uid, ae_title, cause_id, caused_at)
        VALUES (%(id)s, %(transaction_uid)s, %(ae_title)s, %(cause_id)s, %(at)s)
        """,
        id=id,
        transaction_uid=transaction_uid,
        ae_title=ae_title,
        cause_id=cause_id,
        at=at,
    )
    await tx.run(
        """
        INSERT INTO commitment_outcomes (inquiry_id, sop_class_uid, sop_instance_uid)
        SELECT %(id)s, sop_class_uid, sop_instance_uid
        FROM unnest(%(classes)s::text[], %(instances)s::text[]) AS named (sop_class_uid, sop_instance_uid)
        """,
        id=id,
        classes=[reference.sop_class_uid for reference in references],
        instances=[reference.sop_instance_uid for reference in references],
    )


async def find(tx: Transaction, id: UUID) -> Inquiry | None:
    """A request of ours, None where there is none."""
    return await tx.maybe(Inquiry, _INQUIRY + "id = %(id)s", id=id)


async def lock_by_transaction(tx: Transaction, ae_title: str, transaction_uid: str) -> Inquiry | None:
    """The request that a result of a peer belongs to, locked; None where we have asked it no such thing."""
    return await tx.maybe(
        Inquiry,
        _INQUIRY + "transaction_uid = %(transaction_uid)s AND ae_title = %(ae_title)s FOR UPDATE",
        transaction_uid=transaction_uid,
        ae_title=ae_title,
    )


async def references_of(tx: Transaction, id: UUID) -> list[Reference]:
    """The instances that a request names."""
    return await tx.all(
        Reference,
        """
        SELECT sop_class_uid, sop_instance_uid
        FROM commitment_outcomes
        WHERE inquiry_id = %(id)s
        ORDER BY sop_instance_uid
        """,
        id=id,
    )


async def save_asked(tx: Transaction, id: UUID, *, at: datetime) -> None:
    """The peer has taken the request; its result may have been quicker than this."""
    await tx.run(
        """
        UPDATE commitment_inquiries
        SET state = 'asked', sentence = '', asked_at = %(at)s, changed_at = %(at)s
        WHERE id = %(id)s
          AND state = 'open'
        """,
        id=id,
        at=at,
    )


async def save_failed(tx: Transaction, id: UUID, *, sentence: str, gives_up: bool, at: datetime) -> bool:
    """The request could not be made. False where the peer has it after all."""
    return bool(
        await tx.run(
            """
            UPDATE commitment_inquiries
            SET state = CASE WHEN %(gives_up)s THEN 'given-up' ELSE state END,
                attempts = attempts + 1,
                sentence = %(sentence)s,
                changed_at = %(at)s
            WHERE id = %(id)s
              AND state = 'open'
            """,
            id=id,
            sentence=sentence,
            gives_up=gives_up,
            at=at,
        )
    )


async def save_unanswered(tx: Transaction, id: UUID, *, sentence: str, at: datetime) -> bool:
    """The result has not come in time. False where it has."""
    return bool(
        await tx.run(
            """
            UPDATE commitment_inquiries
            SET state = 'given-up', sentence = %(sentence)s, changed_at = %(at)s
            WHERE id = %(id)s
              AND state = 'asked'
            """,
            id=id,
            sentence=sentence,
            at=at,
        )
    )


async def save_result(
    tx: Transaction, id: UUID, *, committed: Sequence[str], failures: Mapping[str, int], at: datetime
) -> None:
    """What the peer says of each instance; what it does not name stays awaited."""
    await tx.run(
        """
        UPDATE commitment_outcomes
        SET outcome = 'committed', failure_reason = NULL
        WHERE inquiry_id = %(id)s
          AND sop_instance_uid = ANY(%(committed)s)
        """,
        id=id,
        committed=list(committed),
    )
    await tx.run(
        """
        UPDATE commitment_outcomes
        SET outcome = 'failed', failure_reason = said.reason
        FROM unnest(%(uids)s::text[], %(reasons)s::integer[]) AS said (sop_instance_uid, reason)
        WHERE inquiry_id = %(id)s
          AND commitment_outcomes.sop_instance_uid = said.sop_instance_uid
        """,
        id=id,
        uids=list(failures),
        reasons=list(failures.values()),
    )
    await tx.run(
        "UPDATE commitment_inquiries SET state = 'answered', sentence = '', changed_at = %(at)s WHERE id = %(id)s",
        id=id,
        at=at,
    )


# What a receiver said last of each instance that one move or delivery has sent. Of those that a result does not name
# nothing is known, so they are not kept.
_LATEST: LiteralString = """
    SELECT DISTINCT ON (o.sop_instance_uid) o.sop_instance_uid, inquiry.sentence,
        o.outcome = 'committed' AS kept,
        o.outcome = 'failed' OR (o.outcome = 'awaited' AND inquiry.state IN ('answered', 'given-up')) AS not_kept
    FROM commitment_inquiries AS inquiry
    JOIN commitment_outcomes AS o ON o.inquiry_id = inquiry.id
    WHERE inquiry.cause_id = """
_NEWEST: LiteralString = " ORDER BY o.sop_instance_uid, inquiry.caused_at DESC, inquiry.id DESC"


def commitment_of(cause_id: LiteralString) -> LiteralString:
    """SQL: what is shown of storage commitment with the move or delivery whose id stands in this column."""
    return (
        """(SELECT json_build_object(
            'state', CASE WHEN count(*) = 0 THEN 'none' WHEN bool_or(said.not_kept) THEN 'failed'
                WHEN bool_and(said.kept) THEN 'committed' ELSE 'asked' END,
            'sentence', coalesce(max(nullif(said.sentence, '')), CASE WHEN bool_or(said.not_kept) THEN format(
                'The receiver does not keep %%s of %%s instances. Retry sends them again.',
                count(*) FILTER (WHERE said.not_kept), count(*)) ELSE '' END),
            'failedSOPInstanceUIDs', coalesce(json_agg(said.sop_instance_uid) FILTER (WHERE said.not_kept), '[]'))
        FROM ("""
        + _LATEST
        + cause_id
        + _NEWEST
        + ") AS said)"
    )


async def not_kept(tx: Transaction, cause_id: UUID) -> list[str]:
    """The instances of a move or delivery that its receiver, asked last, does not keep."""
    return await tx.values(
        "SELECT sop_instance_uid FROM (" + _LATEST + "%(cause_id)s" + _NEWEST + ") AS said WHERE not_kept",
        cause_id=cause_id,
    )


_BODY: LiteralString = """json_build_object(
    'id', inquiry.id, 'transactionUID', inquiry.transaction_uid, 'aeTitle', inquiry.ae_title, 'state', inquiry.state,
    'attempts', inquiry.attempts, 'sentence', inquiry.sentence, 'causedAt', inquiry.caused_at,
    'askedAt', inquiry.asked_at, 'changedAt', inquiry.changed_at,
    'committed', (SELECT count(*) FROM commitment_outcomes AS o
        WHERE o.inquiry_id = inquiry.id AND o.outcome = 'committed'),
    'failed', (SELECT count(*) FROM commitment_outcomes AS o
        WHERE o.inquiry_id = inquiry.id AND o.outcome = 'failed'),
    'awaited', (SELECT count(*) FROM commitment_outcomes AS o
        WHERE o.inquiry_id = inquiry.id AND o.outcome = 'awaited'))"""
_INSTANCES: LiteralString = """json_build_object('instances', (
    SELECT json_agg(json_build_object('sopClassUID', o.sop_class_uid, 'sopInstanceUID', o.sop_instance_uid,
        'outcome', o.outcome, 'failureReason', lpad(upper(to_hex(o.failure_reason)), 4, '0'))
        ORDER BY o.sop_instance_uid)
    FROM commitment_outcomes AS o
    WHERE o.inquiry_id = inquiry.id))"""


async def body_of(tx: Transaction, id: UUID) -> bytes:
    """One request of ours with the outcome of each instance, as JSON. Raises NotFound."""
    statement: LiteralString = (
        "SELECT (" + _BODY + "::jsonb || " + _INSTANCES + "::jsonb)::text FROM commitment_inquiries AS inquiry"
    )
    found = await tx.value(statement + " WHERE inquiry.id = %(id)s", id=id)
    if found is None:
        raise NotFound("There is no such commitment.")
    return str(found).encode()


async def page_of(
    tx: Transaction, *, ae_title: str | None, state: str | None, limit: int, cursor: str | None
) -> tuple[bytes, str | None]:
    """Requests of ours, newest first, and the cursor of the page behind."""
    where = Where(["true"])
    if ae_title is not None:
        where.add("inquiry.ae_title = {ae_title}", ae_title=ae_title)
    if state is not None:
        where.add("inquiry.state = {state}", state=state)
    if cursor is not None:
        moment, before = pages.read_cursor(cursor)
        where.add("(inquiry.caused_at, inquiry.id) < ({moment}, {before})", moment=moment, before=before)
    statement: LiteralString = (
        "SELECT json_build_array("
        + _BODY
        + ", inquiry.caused_at AT TIME ZONE 'UTC', inquiry.id)::text FROM commitment_inquiries AS inquiry WHERE "
        + where.condition
    )
    rows = await tx.values(
        statement + " ORDER BY inquiry.caused_at DESC, inquiry.id DESC LIMIT %(rows)s",
        rows=limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=limit)
