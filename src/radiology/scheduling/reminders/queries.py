"""SQL of what patients are told of their bookings. Names are as in `queries/bookings.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.kit.db import Transaction


@dataclass(frozen=True, slots=True)
class Told:
    """A booking as its patient is told of it. `mobile` is that of the visit, or of the registry; empty: none."""

    booking_id: UUID
    facility_code: str
    visit_id: UUID
    begins: datetime
    room: str
    room_bangla: str
    accession_number: str
    preparations: list[str]
    mobile: str
    language: str
    reminders: bool
    refused: bool
    status: str


async def told(tx: Transaction, booking_id: UUID) -> Told | None:
    """A booking with how its patient is reached, and the preparations for all of the same visit and day."""
    return await tx.maybe(
        Told,
        """
        SELECT b.id AS booking_id, b.facility_code, b.visit_id, b.begins, r.name AS room, r.name_bangla AS room_bangla,
            w.accession_number, reach.mobile, v.language, v.reminders, b.status,
            ARRAY(
                SELECT DISTINCT jsonb_array_elements_text(other.facts->'preparations')
                FROM bookings AS other
                WHERE other.visit_id = b.visit_id
                  AND other.status IN ('booked', 'arrived')
                  AND other.begins BETWEEN b.begins AND b.begins + interval '12 hours'
                ORDER BY 1
            ) AS preparations,
            EXISTS (
                SELECT 1
                FROM reminder_refusals AS refusal
                WHERE refusal.facility_code = b.facility_code
                  AND refusal.mobile = reach.mobile
            ) AS refused
        FROM bookings AS b
        JOIN visits AS v ON v.id = b.visit_id
        JOIN rooms AS r ON r.id = b.room_id
        JOIN scheduled_procedure_steps AS w ON w.id = b.step_id
        CROSS JOIN LATERAL (
            SELECT coalesce(nullif(v.mobile, ''), (
                SELECT phone
                FROM patients
                WHERE patients.patient_id = w.patient_id
                  AND patients.issuer_of_patient_id = w.issuer_of_patient_id
                  AND phone <> ''
                ORDER BY merged_into NULLS FIRST, id
                LIMIT 1
            ), '') AS mobile
        ) AS reach
        WHERE b.id = %(booking_id)s
        """,
        booking_id=booking_id,
    )


@dataclass(frozen=True, slots=True)
class Due:
    """A booking whose patient is to be told now, and how long before it begins."""

    booking_id: UUID
    hours: int


async def due(tx: Transaction, *, now: datetime, limit: int) -> list[Due]:
    """Bookings that a reminder is due for and has none yet: of a visit's day the first, and not in the past.

    A moment that had passed when the booking was made or moved is left out; of several that are due, the last counts.
    """
    return await tx.all(
        Due,
        """
        SELECT b.id AS booking_id, min(moment.hours) AS hours
        FROM bookings AS b
        JOIN visits AS v ON v.id = b.visit_id AND v.reminders
        LEFT JOIN scheduling_rules AS own ON own.facility_code = b.facility_code
        CROSS JOIN LATERAL (
            SELECT value::int AS hours
            FROM jsonb_array_elements_text(coalesce(own.rules->'reminderHours', '[24, 3]'))
        ) AS moment
        WHERE b.status = 'booked'
          AND b.begins > %(now)s
          AND b.begins - make_interval(hours => moment.hours) <= %(now)s
          AND b.begins - make_interval(hours => moment.hours) >= b.moved_at
          AND NOT EXISTS (
              SELECT 1
              FROM bookings AS earlier
              WHERE earlier.visit_id = b.visit_id
                AND earlier.status IN ('booked', 'arrived')
                AND earlier.begins BETWEEN b.begins - interval '12 hours' AND b.begins
                AND (earlier.begins, earlier.id) < (b.begins, b.id)
          )
          AND NOT EXISTS (
              SELECT 1
              FROM reminders
              WHERE reminders.booking_id = b.id
                AND reminders.begins = b.begins
                AND reminders.moment IN (
                    SELECT value || 'h'
                    FROM jsonb_array_elements_text(coalesce(own.rules->'reminderHours', '[24, 3]'))
                    WHERE value::int <= moment.hours
                )
          )
        GROUP BY b.id, b.begins
        ORDER BY b.begins, b.id
        LIMIT %(limit)s
        """,
        now=now,
        limit=limit,
    )


async def insert(tx: Transaction, columns: Mapping[str, Any]) -> bool:
    """Add a message; False where this booking, moment and start has one. `columns` holds every parameter below."""
    return bool(
        await tx.run(
            """
            INSERT INTO reminders (id, facility_code, booking_id, moment, begins, mobile, language, made_at)
            VALUES (%(id)s, %(facility_code)s, %(booking_id)s, %(moment)s, %(begins)s, %(mobile)s, %(language)s,
                %(now)s)
            ON CONFLICT (booking_id, moment, begins) DO NOTHING
            """,
            **columns,
        )
    )


@dataclass(frozen=True, slots=True)
class Reminder:
    """A message to a patient."""

    id: UUID
    booking_id: UUID
    moment: str
    begins: datetime
    mobile: str
    language: str
    status: str


async def lock(tx: Transaction, reminder_id: UUID) -> Reminder | None:
    """A message, kept from all others until the transaction ends."""
    return await tx.maybe(
        Reminder,
        """
        SELECT id, booking_id, moment, begins, mobile, language, status
        FROM reminders
        WHERE id = %(reminder_id)s
        FOR UPDATE
        """,
        reminder_id=reminder_id,
    )


async def save_attempt(tx: Transaction, reminder_id: UUID, *, text: str) -> None:
    """What is being sent."""
    await tx.run(
        "UPDATE reminders SET text = %(text)s, attempts = attempts + 1 WHERE id = %(reminder_id)s",
        reminder_id=reminder_id,
        text=text,
    )


async def end(
    tx: Transaction, reminder_id: UUID, *, status: str, now: datetime, reference: str = "", reason: str = ""
) -> None:
    """How a message ended."""
    await tx.run(
        """
        UPDATE reminders
        SET status = %(status)s,
            reference = %(reference)s,
            reason = %(reason)s,
            ended_at = %(now)s
        WHERE id = %(reminder_id)s
          AND status = 'due'
        """,
        reminder_id=reminder_id,
        status=status,
        reference=reference,
        reason=reason,
        now=now,
    )


async def drop_of(tx: Transaction, booking_id: UUID, *, now: datetime) -> None:
    """Nothing that waits to be sent of a booking is sent any more."""
    await tx.run(
        """
        UPDATE reminders
        SET status = 'dropped',
            reason = 'the booking is cancelled',
            ended_at = %(now)s
        WHERE booking_id = %(booking_id)s
          AND status = 'due'
        """,
        booking_id=booking_id,
        now=now,
    )


async def body(tx: Transaction, booking_id: UUID, *, zone: str) -> bytes:
    """What a booking's patient was told, as a JSON array."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT coalesce(json_agg(json_build_object('id', reminders.id, 'moment', moment, 'start', begins, 'mobile',
            mobile, 'language', language, 'text', text, 'status', status, 'attempts', attempts, 'reason', reason,
            'reference', reference, 'madeAt', made_at, 'endedAt', ended_at) ORDER BY made_at, reminders.id), '[]')::text
        FROM shown, reminders
        WHERE booking_id = %(booking_id)s
        """,
        booking_id=booking_id,
        zone=zone,
    )


async def refuse(tx: Transaction, *, facility_code: str, mobile: str, refused_by: str, now: datetime) -> None:
    """Somebody wants no messages."""
    await tx.run(
        """
        INSERT INTO reminder_refusals (facility_code, mobile, refused_by, refused_at)
        VALUES (%(facility_code)s, %(mobile)s, %(refused_by)s, %(now)s)
        ON CONFLICT (facility_code, mobile) DO NOTHING
        """,
        facility_code=facility_code,
        mobile=mobile,
        refused_by=refused_by,
        now=now,
    )


async def allow(tx: Transaction, *, facility_code: str, mobile: str) -> None:
    """Somebody wants messages again."""
    await tx.run(
        "DELETE FROM reminder_refusals WHERE facility_code = %(facility_code)s AND mobile = %(mobile)s",
        facility_code=facility_code,
        mobile=mobile,
    )
