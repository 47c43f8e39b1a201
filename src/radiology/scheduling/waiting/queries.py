"""SQL of the waiting list. `e` is waiting_list, `w` the item."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit.db import Transaction, Where, as_json
from radiology.scheduling.queries.shown import ZONE


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who waits for a time. `booking_id`: what is held until `expires_at`, or was given."""

    id: UUID
    facility_code: str
    step_id: UUID
    priority: str
    facts: dict[str, Any]
    not_before: datetime | None
    mobile: str
    language: str
    status: str
    booking_id: UUID | None
    expires_at: datetime | None


COLUMNS: LiteralString = """
    e.id, e.facility_code, e.step_id, e.priority, e.facts, e.not_before, e.mobile, e.language, e.status, e.booking_id,
    e.expires_at
    FROM waiting_list AS e
    JOIN scheduled_procedure_steps AS w ON w.id = e.step_id
"""


async def insert(tx: Transaction, columns: Mapping[str, Any]) -> None:
    """Add somebody. Raises Conflict where the item waits already. `columns` holds every parameter below."""
    await tx.run(
        """
        INSERT INTO waiting_list (id, facility_code, step_id, priority, facts, not_before, mobile, language, made_by,
            made_at)
        VALUES (%(id)s, %(facility_code)s, %(step_id)s, %(priority)s, %(facts)s, %(not_before)s, %(mobile)s,
            %(language)s, %(made_by)s, %(now)s)
        """,
        **{**columns, "facts": as_json(columns["facts"])},
    )


async def load(tx: Transaction, entry_id: UUID, *, visible_to: Actor) -> Entry:
    """One of the list. Raises NotFound."""
    where = Where()
    where.add("e.id = {entry_id}", entry_id=entry_id)
    visible_to.staff_reach.add_to_row(where, facility="e.facility_code", uid="w.study_instance_uid")
    found = await tx.maybe(Entry, "SELECT " + COLUMNS + " WHERE " + where.condition, **where.parameters)
    if found is None:
        raise NotFound("There is nobody under this id on the waiting list.")
    return found


async def listed(tx: Transaction, *, zone: str, visible_to: Actor) -> bytes:
    """Who waits or has an offer, in the order in which they are offered a time, as a JSON array."""
    where = Where()
    visible_to.staff_reach.add_to_row(where, facility="e.facility_code", uid="w.study_instance_uid")
    return await tx.json(
        ZONE + """
        SELECT coalesce(json_agg(json_strip_nulls(json_build_object('id', e.id, 'item', e.step_id, 'status', e.status,
            'priority', e.priority, 'facts', e.facts, 'notBefore', e.not_before, 'modality', w.modality,
            'accessionNumber', w.accession_number, 'requestedProcedure', w.details->'requestedProcedure',
            'patient', json_build_object('id', w.patient_id, 'name', w.patient_name), 'booking', b.id,
            'start', b.begins, 'device', d.ae_title, 'expiresAt', e.expires_at, 'declined', e.declined,
            'since', e.made_at))
            ORDER BY array_position(ARRAY['stat', 'urgent', 'routine'], e.priority), e.made_at, e.id), '[]')::text
        FROM shown, waiting_list AS e
        JOIN scheduled_procedure_steps AS w ON w.id = e.step_id
        LEFT JOIN bookings AS b ON b.id = e.booking_id AND e.status = 'offered'
        LEFT JOIN devices AS d ON d.number = b.device_number
        WHERE e.status IN ('waiting', 'offered')
          AND """ + where.condition,
        zone=zone,
        **where.parameters,
    )  # fmt: skip


async def to_offer(tx: Transaction, *, limit: int) -> list[Entry]:
    """Who waits, those first for whom was looked longest ago; of those, the most urgent and who waits longest."""
    return await tx.all(
        Entry,
        "SELECT " + COLUMNS + """
        WHERE e.status = 'waiting'
        ORDER BY date_trunc('minute', coalesce(e.looked_at, '-infinity')),
            array_position(ARRAY['stat', 'urgent', 'routine'], e.priority), e.made_at, e.id
        LIMIT %(limit)s
        """,
        limit=limit,
    )  # fmt: skip


async def expired(tx: Transaction, *, now: datetime, limit: int) -> list[Entry]:
    """Who has not answered in time."""
    return await tx.all(
        Entry,
        "SELECT " + COLUMNS + """
        WHERE e.status = 'offered'
          AND e.expires_at < %(now)s
        ORDER BY e.expires_at
        LIMIT %(limit)s
        """,
        now=now,
        limit=limit,
    )  # fmt: skip


async def note_looked(tx: Transaction, entry_id: UUID, *, now: datetime) -> None:
    """It was looked for a time, and none was free."""
    await tx.run("UPDATE waiting_list SET looked_at = %(now)s WHERE id = %(entry_id)s", entry_id=entry_id, now=now)


async def save(
    tx: Transaction, entry_id: UUID, *, status: str, booking_id: UUID | None = None,
    expires_at: datetime | None = None, not_before: datetime | None = None,
) -> None:  # fmt: skip
    """What becomes of somebody on the list; waiting again after an offer is a refusal of it."""
    await tx.run(
        """
        UPDATE waiting_list
        SET declined = declined + (status = 'offered' AND %(status)s = 'waiting')::int,
            status = %(status)s,
            booking_id = %(booking_id)s,
            expires_at = %(expires_at)s,
            not_before = coalesce(%(not_before)s, not_before)
        WHERE id = %(entry_id)s
        """,
        entry_id=entry_id,
        status=status,
        booking_id=booking_id,
        expires_at=expires_at,
        not_before=not_before,
    )
