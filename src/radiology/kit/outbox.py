"""Events in PostgreSQL, written in the transaction of what they tell of, and read in one order that never changes.

Transactions commit in another order than they took their sequence numbers, so a reader that remembers the last number
would miss what commits later. A row gets its `position` only after it is committed, by `place`, one at a time.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from radiology.kit.db import Transaction, as_json
from radiology.kit.ids import uuid7

CHANNEL: LiteralString = "outbox"

INSERT: LiteralString = """
    WITH told AS (SELECT pg_notify('outbox', ''))
    INSERT INTO outbox (id, type, key, body, facility_code)
    SELECT %(id)s, %(type)s, %(key)s, %(body)s, %(facility_code)s
    FROM told
"""

PLACE: LiteralString = """
    UPDATE outbox
    SET position = placed.position
    FROM (
        SELECT sequence, nextval('outbox_position') AS position
        FROM (SELECT sequence FROM outbox WHERE position IS NULL ORDER BY sequence LIMIT 1000) AS unplaced
    ) AS placed
    WHERE outbox.sequence = placed.sequence
"""

READ: LiteralString = """
    SELECT coalesce(json_agg(json_build_object(
        'position', position, 'id', id, 'type', type, 'key', key, 'occurredAt', occurred_at, 'body', body
    ) ORDER BY position), '[]')::text
    FROM (
        SELECT position, id, type, key, occurred_at, body
        FROM outbox
        WHERE position > %(after)s
          AND (%(facility_codes)s::text[] IS NULL OR facility_code = ANY(%(facility_codes)s))
        ORDER BY position
        LIMIT %(limit)s
    ) AS page
"""


def row(*, type: str, key: str, body: Mapping[str, Any], facility_code: str | None) -> dict[str, Any]:
    """Parameters of INSERT."""
    return {"id": uuid7(), "type": type, "key": key, "body": as_json(dict(body)), "facility_code": facility_code}


async def place(tx: Transaction) -> int:
    """Give committed events their place in the feed. One transaction at a time; returns how many."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtext('outbox.place'))")
    return await tx.run(PLACE)


async def read(tx: Transaction, *, after: int, limit: int, facility_codes: Collection[str] | None) -> bytes:
    """Events behind a position, as a JSON array in order; those of some facilities, or all."""
    wanted = None if facility_codes is None else sorted(facility_codes)
    return await tx.json(READ, after=after, limit=limit, facility_codes=wanted)


@dataclass(frozen=True, slots=True)
class Placed:
    """An event that has its place in the feed."""

    position: int
    type: str
    facility_code: str | None
    body: dict[str, Any]


async def next_for(tx: Transaction, reader: str, *, limit: int = 500) -> list[Placed]:
    """The events that a reader has not had yet, in order; `had` remembers them. One transaction at a time reads."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtext(%(name)s))", name=f"outbox {reader}")
    return await tx.all(
        Placed,
        """
        SELECT position, type, facility_code, body
        FROM outbox
        WHERE position > coalesce((SELECT position FROM worker_marks WHERE name = %(reader)s), 0)
        ORDER BY position
        LIMIT %(limit)s
        """,
        reader=reader,
        limit=limit,
    )


async def begin_at_end(tx: Transaction, reader: str) -> None:
    """Let a reader that has had no event yet begin behind those that have their place, as if it had had them."""
    await tx.run(
        """
        INSERT INTO worker_marks (name, position)
        SELECT %(reader)s, (SELECT coalesce(max(position), 0) FROM outbox)
        WHERE NOT EXISTS (SELECT 1 FROM worker_marks WHERE name = %(reader)s)
        ON CONFLICT (name) DO NOTHING
        """,
        reader=reader,
    )


async def had(tx: Transaction, reader: str, position: int) -> None:
    """A reader has had all events up to this one."""
    await tx.run(
        """
        INSERT INTO worker_marks (name, position)
        VALUES (%(reader)s, %(position)s)
        ON CONFLICT (name) DO UPDATE SET position = excluded.position
        """,
        reader=reader,
        position=position,
    )


async def position_of(tx: Transaction, reader: str) -> int:
    """The position of the last event that a reader has had, 0 before the first."""
    return await tx.value(
        "SELECT coalesce((SELECT position FROM worker_marks WHERE name = %(reader)s), 0)", reader=reader
    )


async def last_position(tx: Transaction) -> int:
    """The position of the newest event, 0 where there is none."""
    return await tx.value("SELECT coalesce(max(position), 0) FROM outbox")


async def oldest_unplaced_seconds(tx: Transaction) -> float:
    """Age of the oldest event that has no place yet, in seconds."""
    return await tx.value(
        "SELECT coalesce(extract(epoch FROM now() - min(occurred_at)), 0)::float FROM outbox WHERE position IS NULL"
    )
