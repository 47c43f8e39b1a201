"""SQL of visits and bookings. `b` is bookings, `w` the item, `r` the room, `d` the device."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit.db import Transaction, Where, as_json
from radiology.scheduling.fitting import Booked
from radiology.scheduling.model import Priority, Span


@dataclass(frozen=True, slots=True)
class Booking:
    """One booking. `unbooked` is the start and the stations to which its item returns."""

    id: UUID
    facility_code: str
    visit_id: UUID
    step_id: UUID
    room_id: UUID
    room: str
    device_number: int
    ae_title: str
    modality: str
    begins: datetime
    ends: datetime
    lane: int
    status: str
    priority: str
    facts: dict[str, Any]
    unbooked: dict[str, Any]
    external_id: str | None
    version: int

    @property
    def span(self) -> Span:
        """Its time."""
        return Span(self.begins, self.ends)


COLUMNS: LiteralString = """
    b.id, b.facility_code, b.visit_id, b.step_id, b.room_id, r.name AS room, b.device_number, d.ae_title, w.modality,
    b.begins, b.ends, b.lane, b.status, b.priority, b.facts, b.unbooked, b.external_id, b.version
"""
SOURCES: LiteralString = """
    bookings AS b
    JOIN scheduled_procedure_steps AS w ON w.id = b.step_id
    JOIN rooms AS r ON r.id = b.room_id
    JOIN devices AS d ON d.number = b.device_number
"""


async def lock_facility(tx: Transaction, facility_code: str) -> None:
    """Let the bookings of a facility be made one after the other, since a nurse, too, can be booked only once."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))", name=f"scheduling {facility_code}")


async def load(tx: Transaction, booking_id: UUID, *, visible_to: Actor) -> Booking:
    """One booking. Raises NotFound."""
    where = Where()
    where.add("b.id = {booking_id}", booking_id=booking_id)
    visible_to.staff_reach.add_to_row(where, facility="b.facility_code", uid="w.study_instance_uid")
    found = await tx.maybe(
        Booking, "SELECT " + COLUMNS + " FROM " + SOURCES + " WHERE " + where.condition, **where.parameters
    )
    if found is None:
        raise NotFound("There is no such booking.")
    return found


async def lock(tx: Transaction, booking_id: UUID, *, visible_to: Actor) -> Booking:
    """One booking, kept from all others until the transaction ends, with all of its facility. Raises NotFound."""
    found = await load(tx, booking_id, visible_to=visible_to)
    await lock_facility(tx, found.facility_code)
    await tx.run("SELECT 1 FROM bookings WHERE id = %(booking_id)s FOR UPDATE", booking_id=booking_id)
    return await load(tx, booking_id, visible_to=visible_to)


async def of_step(tx: Transaction, step_id: UUID) -> Booking | None:
    """The booking that an item has now, a missed one where there is no other."""
    return await tx.maybe(
        Booking,
        "SELECT " + COLUMNS + " FROM " + SOURCES + """
        WHERE b.step_id = %(step_id)s
          AND b.status IN ('booked', 'arrived', 'no-show')
        ORDER BY b.status = 'no-show', b.moved_at DESC
        LIMIT 1
        """,
        step_id=step_id,
    )  # fmt: skip


async def of_external(tx: Transaction, external_id: str, *, facility_code: str) -> Booking | None:
    """The booking that another system knows by this number."""
    return await tx.maybe(
        Booking,
        "SELECT " + COLUMNS + " FROM " + SOURCES + """
        WHERE b.external_id = %(external_id)s
          AND b.facility_code = %(facility_code)s
          AND b.status <> 'cancelled'
        """,
        external_id=external_id,
        facility_code=facility_code,
    )  # fmt: skip


async def overdue(tx: Transaction, *, now: datetime, limit: int) -> list[tuple[UUID, str]]:
    """Bookings that have begun and where nobody has arrived, with their facility: earliest first."""
    rows = await tx.all(
        _Overdue,
        """
        SELECT id, facility_code
        FROM bookings
        WHERE status = 'booked'
          AND begins < %(now)s - make_interval(mins => coalesce((
              SELECT (rules->>'graceMinutes')::int
              FROM scheduling_rules
              WHERE scheduling_rules.facility_code = bookings.facility_code), 30))
        ORDER BY begins, id
        LIMIT %(limit)s
        """,
        now=now,
        limit=limit,
    )
    return [(row.id, row.facility_code) for row in rows]


@dataclass(frozen=True, slots=True)
class _Overdue:
    id: UUID
    facility_code: str


# --- What a search asks ---


@dataclass(frozen=True, slots=True)
class Occupied:
    """A booking on its device, as a search needs it."""

    id: UUID
    device_number: int
    begins: datetime
    ends: datetime
    lane: int
    status: str
    priority: str
    isolation: bool
    contrast: bool

    @property
    def booked(self) -> Booked:
        """As the model has it."""
        movable = self.status == "booked" and self.priority == Priority.ROUTINE
        return Booked(
            str(self.id), Span(self.begins, self.ends), self.lane, Priority(self.priority), self.isolation,
            self.contrast, movable,
        )  # fmt: skip


async def occupied(tx: Transaction, facility_code: str, *, begins: datetime, ends: datetime) -> list[Occupied]:
    """All bookings of a facility that occupy a device in a time."""
    return await tx.all(
        Occupied,
        """
        SELECT id, device_number, begins, ends, lane, status, priority, (facts->>'isolation')::boolean AS isolation,
            (facts->>'contrast')::boolean AS contrast
        FROM bookings
        WHERE facility_code = %(facility_code)s
          AND status IN ('held', 'booked', 'arrived')
          AND begins < %(ends)s
          AND begins > %(begins)s - interval '1 day'
          AND bookings.ends > %(begins)s
        ORDER BY begins, id
        """,
        facility_code=facility_code,
        begins=begins,
        ends=ends,
    )


@dataclass(frozen=True, slots=True)
class _Time:
    begins: datetime
    ends: datetime


async def elsewhere(tx: Transaction, *, patient_id: str, issuer: str, but: Sequence[UUID]) -> list[Span]:
    """When a patient is booked for other items than these."""
    rows = await tx.all(
        _Time,
        """
        SELECT b.begins, b.ends
        FROM scheduled_procedure_steps AS w
        JOIN bookings AS b ON b.step_id = w.id
        WHERE w.patient_id = %(patient_id)s
          AND w.issuer_of_patient_id = %(issuer)s
          AND b.status IN ('held', 'booked', 'arrived')
          AND NOT w.id = ANY(%(but)s)
        ORDER BY b.begins
        """,
        patient_id=patient_id,
        issuer=issuer,
        but=list(but),
    )
    return [Span(row.begins, row.ends) for row in rows]


async def within(tx: Transaction, room_id: UUID, span: Span, *, device: str | None) -> list[UUID]:
    """The bookings of a room, or of one device of it, that lie in a time."""
    return await tx.values(
        """
        SELECT b.id
        FROM bookings AS b
        JOIN devices AS d ON d.number = b.device_number
        WHERE b.room_id = %(room_id)s
          AND b.status IN ('held', 'booked', 'arrived')
          AND b.begins < %(ends)s
          AND b.ends > %(begins)s
          AND d.ae_title = coalesce(%(device)s, d.ae_title)
        ORDER BY b.begins, b.id
        """,
        room_id=room_id,
        begins=span.begins,
        ends=span.ends,
        device=device,
    )


# --- Changes ---


@dataclass(frozen=True, slots=True)
class Visit:
    """What was booked by one request, and by which."""

    id: UUID
    request_sha256: bytes | None


async def visit_of_key(tx: Transaction, *, facility_code: str, made_by: str, key: str) -> Visit | None:
    """The visit that somebody booked with an idempotency key."""
    return await tx.maybe(
        Visit,
        """
        SELECT id, request_sha256
        FROM visits
        WHERE facility_code = %(facility_code)s
          AND made_by = %(made_by)s
          AND idempotency_key = %(key)s
        """,
        facility_code=facility_code,
        made_by=made_by,
        key=key,
    )


async def insert_visit(tx: Transaction, columns: Mapping[str, Any]) -> None:
    """Add a visit. `columns` holds every parameter below."""
    await tx.run(
        """
        INSERT INTO visits (id, facility_code, idempotency_key, request_sha256, mobile, language, reminders, made_by,
            made_at)
        VALUES (%(id)s, %(facility_code)s, %(idempotency_key)s, %(request_sha256)s, %(mobile)s, %(language)s,
            %(reminders)s, %(made_by)s, %(made_at)s)
        """,
        **columns,
    )


async def insert(tx: Transaction, columns: Mapping[str, Any]) -> None:
    """Add a booking. `columns` holds every parameter below. Raises Conflict where the device is taken."""
    await tx.run(
        """
        INSERT INTO bookings (id, facility_code, visit_id, step_id, room_id, device_number, begins, ends, lane, status,
            priority, facts, unbooked, external_id, made_by, made_at, moved_at)
        VALUES (%(id)s, %(facility_code)s, %(visit_id)s, %(step_id)s, %(room_id)s, %(device_number)s, %(begins)s,
            %(ends)s, %(lane)s, %(status)s, %(priority)s, %(facts)s, %(unbooked)s, %(external_id)s, %(made_by)s,
            %(now)s, %(now)s)
        """,
        **{**columns, "facts": as_json(columns["facts"]), "unbooked": as_json(columns["unbooked"])},
    )


async def save_place(tx: Transaction, booking_id: UUID, columns: Mapping[str, Any]) -> None:
    """Move a booking that is locked. `columns` holds every parameter below. Raises Conflict where it is taken."""
    await tx.run(
        """
        UPDATE bookings
        SET room_id = %(room_id)s,
            device_number = %(device_number)s,
            begins = %(begins)s,
            ends = %(ends)s,
            lane = %(lane)s,
            facts = %(facts)s,
            priority = %(priority)s,
            status = 'booked',
            arrived_at = NULL,
            version = version + 1,
            moved_at = %(now)s
        WHERE id = %(booking_id)s
        """,
        booking_id=booking_id,
        **{**columns, "facts": as_json(columns["facts"])},
    )


async def put_beside(tx: Transaction, booking_id: UUID) -> None:
    """Move a booking to a lane of its own, since its time may be somebody else's by now."""
    await tx.run(
        """
        UPDATE bookings AS b
        SET lane = 1 + coalesce((
            SELECT max(other.lane)
            FROM bookings AS other
            WHERE other.device_number = b.device_number
              AND other.during && b.during
        ), 0)
        WHERE b.id = %(booking_id)s
        """,
        booking_id=booking_id,
    )


async def save_status(tx: Transaction, booking_id: UUID, *, status: str, now: datetime) -> None:
    """A new status of a booking that is locked."""
    await tx.run(
        """
        UPDATE bookings
        SET status = %(status)s,
            arrived_at = CASE WHEN %(status)s = 'arrived' THEN %(now)s ELSE arrived_at END,
            version = version + 1
        WHERE id = %(booking_id)s
        """,
        booking_id=booking_id,
        status=status,
        now=now,
    )


async def record_change(
    tx: Transaction, booking_id: UUID, *, verb: str, actor: str, reason: str | None, now: datetime
) -> None:
    """What the booking is now, as one line of its history."""
    await tx.run(
        """
        INSERT INTO booking_changes (booking_id, verb, room_id, device_number, begins, ends, status, actor, reason,
            occurred_at)
        SELECT id, %(verb)s, room_id, device_number, begins, ends, status, %(actor)s, %(reason)s, %(now)s
        FROM bookings
        WHERE id = %(booking_id)s
        """,
        booking_id=booking_id,
        verb=verb,
        actor=actor,
        reason=reason or "",
        now=now,
    )
