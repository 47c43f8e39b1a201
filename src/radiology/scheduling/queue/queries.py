"""SQL of queue tokens. `t` is queue_tokens, `b` the booking, `w` the item."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit.db import Transaction, Where, as_json
from radiology.scheduling.queue.model import Token

COLUMNS: LiteralString = """
    t.id, t.room_id, t.number, t.status, t.priority, t.facts, t.step_id, t.booking_id, b.begins, t.taken_at,
    t.called_at, t.calls
    FROM queue_tokens AS t
    JOIN scheduled_procedure_steps AS w ON w.id = t.step_id
    LEFT JOIN bookings AS b ON b.id = t.booking_id
"""
PRESENT: LiteralString = "t.status <> 'left' AND w.status IN ('SCHEDULED', 'ARRIVED', 'READY')"
"""Whose examination has not begun."""


async def next_number(tx: Transaction, room_id: UUID, day: date) -> int:
    """The next number of a room's day; the room is locked."""
    return await tx.value(
        "SELECT coalesce(max(number), 0) + 1 FROM queue_tokens WHERE room_id = %(room_id)s AND day = %(day)s",
        room_id=room_id,
        day=day,
    )


async def insert(tx: Transaction, columns: Mapping[str, Any]) -> None:
    """Give a token out. `columns` holds every parameter below."""
    await tx.run(
        """
        INSERT INTO queue_tokens (id, facility_code, room_id, day, number, step_id, booking_id, priority, facts,
            taken_at)
        VALUES (%(id)s, %(facility_code)s, %(room_id)s, %(day)s, %(number)s, %(step_id)s, %(booking_id)s,
            %(priority)s, %(facts)s, %(now)s)
        """,
        **{**columns, "facts": as_json(columns["facts"])},
    )


async def of_step(tx: Transaction, step_id: UUID, day: date) -> Token | None:
    """The token that an item has on a day."""
    return await tx.maybe(
        Token,
        "SELECT " + COLUMNS + """
        WHERE t.step_id = %(step_id)s
          AND t.day = %(day)s
          AND t.status <> 'left'
        ORDER BY t.number DESC
        LIMIT 1
        """,
        step_id=step_id,
        day=day,
    )  # fmt: skip


async def present(tx: Transaction, room_id: UUID, day: date) -> list[Token]:
    """Everybody who has arrived and whose examination has not begun."""
    return await tx.all(
        Token,
        "SELECT " + COLUMNS + " WHERE t.room_id = %(room_id)s AND t.day = %(day)s AND " + PRESENT
        + " ORDER BY t.number",
        room_id=room_id,
        day=day,
    )  # fmt: skip


async def load(tx: Transaction, room_id: UUID, token_id: UUID, *, visible_to: Actor) -> Token:
    """One token of a room. Raises NotFound."""
    where = Where()
    where.add("t.id = {token_id}", token_id=token_id)
    where.add("t.room_id = {room_id}", room_id=room_id)
    visible_to.staff_reach.add_to_row(where, facility="t.facility_code", uid="w.study_instance_uid")
    found = await tx.maybe(Token, "SELECT " + COLUMNS + " WHERE " + where.condition, **where.parameters)
    if found is None:
        raise NotFound("There is no such token in this room.")
    return found


async def save_status(tx: Transaction, token_id: UUID, *, status: str, now: datetime) -> None:
    """A new status of a token whose room is locked."""
    await tx.run(
        """
        UPDATE queue_tokens
        SET status = %(status)s,
            called_at = CASE WHEN %(status)s = 'called' THEN %(now)s ELSE called_at END,
            calls = calls + (%(status)s = 'called')::int
        WHERE id = %(token_id)s
        """,
        token_id=token_id,
        status=status,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What staff see of somebody with a token; nothing but the number of a patient whose study is hidden from them."""

    id: UUID
    patient_name: str | None
    patient_id: str | None
    accession_number: str | None
    requested_procedure: str | None


async def seen(tx: Transaction, room_id: UUID, day: date, *, visible_to: Actor) -> dict[UUID, Seen]:
    """Who stands behind the tokens of a day, for whoever may see that."""
    where = Where()
    visible_to.staff_reach.add_to_row(where, facility="t.facility_code", uid="w.study_instance_uid")
    rows = await tx.all(
        Seen,
        """
        SELECT t.id, w.patient_name, w.patient_id, w.accession_number, w.details->>'requestedProcedure'
            AS requested_procedure
        FROM queue_tokens AS t
        JOIN scheduled_procedure_steps AS w ON w.id = t.step_id
        WHERE t.room_id = %(room_id)s
          AND t.day = %(day)s
          AND """
        + where.condition,
        room_id=room_id,
        day=day,
        **where.parameters,
    )
    return {row.id: row for row in rows}
