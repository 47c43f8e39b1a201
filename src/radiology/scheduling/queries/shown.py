"""SQL of what is shown of bookings: one, a visit, a list, a room's day. Names are as in `queries/bookings.py`."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit import pages
from radiology.kit.db import Transaction, Where
from radiology.scheduling.queries import bookings

ZONE: LiteralString = "WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true)) "

TIMES: LiteralString = """jsonb_build_object('id', b.id, 'start', b.begins, 'end', b.ends, 'status', b.status,
    'priority', b.priority, 'overbooked', b.lane > 0, 'device', d.ae_title,
    'room', jsonb_build_object('id', r.id, 'name', r.name, 'nameBangla', r.name_bangla))"""
DETAILS: LiteralString = """jsonb_strip_nulls(jsonb_build_object('item', w.id, 'visit', b.visit_id,
    'version', b.version, 'facts', b.facts, 'serviceRequest', w.service_request, 'accessionNumber', w.accession_number,
    'studyInstanceUID', w.study_instance_uid, 'modality', w.modality, 'itemStatus', w.status,
    'requestedProcedure', w.details->'requestedProcedure', 'externalId', b.external_id,
    'patient', jsonb_build_object('id', w.patient_id, 'name', w.patient_name),
    'contact', jsonb_build_object('mobile', v.mobile, 'language', v.language, 'reminders', v.reminders),
    'arrivedAt', b.arrived_at, 'token', (SELECT max(number) FROM queue_tokens WHERE queue_tokens.booking_id = b.id)))"""
BODY: LiteralString = "(" + TIMES + " || " + DETAILS + ")"
HISTORY: LiteralString = """jsonb_build_object('history', (
    SELECT jsonb_agg(jsonb_build_object('verb', verb, 'start', change.begins, 'end', change.ends, 'status',
        change.status, 'device', at.ae_title, 'actor', actor, 'reason', reason, 'at', occurred_at) ORDER BY change.id)
    FROM booking_changes AS change
    JOIN devices AS at ON at.number = change.device_number
    WHERE change.booking_id = b.id))"""
SOURCES: LiteralString = bookings.SOURCES + " JOIN visits AS v ON v.id = b.visit_id "


async def body(tx: Transaction, booking_id: UUID, *, zone: str) -> bytes:
    """A booking that was loaded or written, with its history, as JSON."""
    return await tx.json(
        ZONE + "SELECT (" + BODY + " || " + HISTORY + ")::text FROM shown, " + SOURCES + " WHERE b.id = %(booking_id)s",
        booking_id=booking_id,
        zone=zone,
    )  # fmt: skip


async def visit_body(tx: Transaction, visit_id: UUID, *, zone: str) -> bytes:
    """All bookings of a visit that was made or found, as JSON."""
    return await tx.json(
        ZONE + """SELECT jsonb_build_object('id', %(visit_id)s::text, 'bookings',
            coalesce(jsonb_agg(""" + BODY + """ ORDER BY b.begins, b.id), '[]'))::text
        FROM shown, """ + SOURCES + " WHERE b.visit_id = %(visit_id)s",
        visit_id=visit_id,
        zone=zone,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a list is asked for; all that is given must hold."""

    ids: tuple[UUID, ...] | None = None
    room_id: UUID | None = None
    step_id: UUID | None = None
    patient_id: str | None = None
    status: tuple[str, ...] = ()
    begins_from: datetime | None = None
    begins_before: datetime | None = None
    after: tuple[datetime, UUID] | None = None
    limit: int = 50


async def listed(tx: Transaction, criteria: Criteria, *, zone: str, visible_to: Actor) -> tuple[bytes, str | None]:
    """One page of bookings as a JSON array, earliest first, and the cursor of the page behind it."""
    where = _where(criteria)
    visible_to.staff_reach.add_to_row(where, facility="b.facility_code", uid="w.study_instance_uid")
    rows = await tx.values(
        ZONE + "SELECT json_build_array(" + BODY + """, b.begins AT TIME ZONE 'UTC', b.id)::text
        FROM shown, """ + SOURCES + " WHERE " + where.condition + """
        ORDER BY b.begins, b.id
        LIMIT %(limit)s
        """,
        zone=zone,
        limit=criteria.limit + 1,
        **where.parameters,
    )  # fmt: skip
    return pages.page(rows, limit=criteria.limit)


def _where(criteria: Criteria) -> Where:
    where = Where()
    if criteria.ids is not None:
        where.add("b.id = ANY({ids})", ids=list(criteria.ids))
    if criteria.room_id is not None:
        where.add("b.room_id = {room}", room=criteria.room_id)
    if criteria.step_id is not None:
        where.add("b.step_id = {step}", step=criteria.step_id)
    if criteria.patient_id is not None:
        where.add("w.patient_id = {patient}", patient=criteria.patient_id)
    if criteria.status:
        where.add("b.status = ANY({status}::text[])", status=list(criteria.status))
    if criteria.begins_from is not None:
        where.add("b.begins >= {begins}", begins=criteria.begins_from)
    if criteria.begins_before is not None:
        where.add("b.begins < {before}", before=criteria.begins_before)
    if criteria.after is not None:
        moment, key = criteria.after
        where.add("(b.begins, b.id) > ({moment}, {key})", moment=moment, key=key)
    return where


async def of_room(
    tx: Transaction, room_id: UUID, *, begins: datetime, ends: datetime, zone: str, visible_to: Actor
) -> bytes:
    """The bookings of a room in a time as a JSON array: all times, and what each is for whoever may see it."""
    seen = Where()
    visible_to.staff_reach.add_to_row(seen, facility="b.facility_code", uid="w.study_instance_uid")
    return await tx.json(
        ZONE + "SELECT coalesce(jsonb_agg(" + TIMES + " || CASE WHEN " + seen.condition + " THEN " + DETAILS + """
            ELSE '{}' END ORDER BY b.begins, b.lane, b.id), '[]')::text
        FROM shown, """ + SOURCES + """
        WHERE b.room_id = %(room_id)s
          AND b.status <> 'cancelled'
          AND b.begins < %(ends)s
          AND b.ends > %(begins)s
        """,
        room_id=room_id,
        begins=begins,
        ends=ends,
        zone=zone,
        **seen.parameters,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A booking as a calendar tells of it: nothing of the patient."""

    id: UUID
    begins: datetime
    ends: datetime
    status: str
    version: int
    changed_at: datetime | None
    modality: str
    accession_number: str
    ae_title: str
    token: int | None


async def feed(tx: Transaction, room_id: UUID, *, since: datetime) -> list[FeedRow]:
    """The bookings of a room from a moment on, cancelled ones too, so that calendars take them out."""
    return await tx.all(
        FeedRow,
        """
        SELECT b.id, b.begins, b.ends, b.status, b.version, w.modality, w.accession_number, d.ae_title,
            (SELECT max(occurred_at) FROM booking_changes WHERE booking_changes.booking_id = b.id) AS changed_at,
            (SELECT max(number) FROM queue_tokens WHERE queue_tokens.booking_id = b.id) AS token
        FROM """
        + bookings.SOURCES
        + """
        WHERE b.room_id = %(room_id)s
          AND b.ends >= %(since)s
        ORDER BY b.begins, b.id
        LIMIT 5000
        """,
        room_id=room_id,
        since=since,
    )
