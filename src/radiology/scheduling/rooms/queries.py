"""SQL of rooms, devices, what is blocked, calendars and rules. `r` is rooms."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.facilities.model import Device, DeviceState
from radiology.kit.db import Transaction, Where, as_json
from radiology.scheduling.hours import CalendarDay
from radiology.scheduling.model import Span

BODY: LiteralString = """r.plan || jsonb_build_object('id', r.id, 'version', r.version, 'name', r.name,
    'nameBangla', r.name_bangla, 'active', r.active, 'overbooks', r.overbooks, 'noShowRate', r.no_show_rate,
    'devices', (SELECT coalesce(jsonb_agg(jsonb_build_object('aeTitle', ae_title, 'modality', modality)
        ORDER BY number), '[]') FROM devices WHERE devices.room_id = r.id AND devices.active))"""


@dataclass(frozen=True, slots=True)
class Room:
    """One room. `plan` is its week as the API has it."""

    id: UUID
    facility_code: str
    name: str
    name_bangla: str
    plan: dict[str, Any]
    active: bool
    overbooks: bool
    version: int


COLUMNS: LiteralString = "r.id, r.facility_code, r.name, r.name_bangla, r.plan, r.active, r.overbooks, r.version"


async def room(tx: Transaction, room_id: UUID, *, visible_to: Actor, lock: bool = False) -> Room:
    """One room, locked against changes and other bookings where asked. Raises NotFound."""
    where = Where()
    where.add("r.id = {room_id}", room_id=room_id)
    visible_to.add_facility(where, "r.facility_code")
    locking: LiteralString = " FOR NO KEY UPDATE OF r" if lock else ""
    statement = "SELECT " + COLUMNS + " FROM rooms AS r WHERE " + where.condition + locking
    found = await tx.maybe(Room, statement, **where.parameters)
    if found is None:
        raise NotFound("There is no such room.")
    return found


async def room_of_feed(tx: Transaction, secret_sha256: bytes) -> Room:
    """The room that a secret address belongs to. Raises NotFound."""
    statement = "SELECT " + COLUMNS + " FROM rooms AS r WHERE r.feed_sha256 = %(secret_sha256)s"
    found = await tx.maybe(Room, statement, secret_sha256=secret_sha256)
    if found is None:
        raise NotFound("This address is not known any more. Ask for the new one.")
    return found


async def save_feed(tx: Transaction, room_id: UUID, secret_sha256: bytes) -> None:
    """Give the calendar and the waiting room another address."""
    await tx.run(
        "UPDATE rooms SET feed_sha256 = %(secret_sha256)s WHERE id = %(room_id)s",
        room_id=room_id,
        secret_sha256=secret_sha256,
    )


async def body(tx: Transaction, room_id: UUID) -> bytes:
    """A room that was loaded or written, as JSON."""
    return await tx.json("SELECT (" + BODY + ")::text FROM rooms AS r WHERE r.id = %(room_id)s", room_id=room_id)


async def listed(tx: Transaction, *, visible_to: Actor) -> bytes:
    """All rooms as a JSON array."""
    where = Where()
    visible_to.add_facility(where, "r.facility_code")
    return await tx.json(
        "SELECT coalesce(jsonb_agg(" + BODY + " ORDER BY r.name, r.id), '[]')::text FROM rooms AS r WHERE "
        + where.condition,
        **where.parameters,
    )  # fmt: skip


async def insert(tx: Transaction, columns: Mapping[str, Any]) -> None:
    """Add a room. `columns` holds every parameter below."""
    await tx.run(
        """
        INSERT INTO rooms (id, facility_code, name, name_bangla, plan, active, overbooks, no_show_rate)
        VALUES (%(id)s, %(facility_code)s, %(name)s, %(name_bangla)s, %(plan)s, %(active)s, %(overbooks)s,
            %(no_show_rate)s)
        """,
        **{**columns, "plan": as_json(columns["plan"])},
    )


async def save(tx: Transaction, columns: Mapping[str, Any]) -> None:
    """Change a room that is locked. `columns` holds every parameter below."""
    await tx.run(
        """
        UPDATE rooms
        SET name = %(name)s,
            name_bangla = %(name_bangla)s,
            plan = %(plan)s,
            active = %(active)s,
            overbooks = %(overbooks)s,
            no_show_rate = %(no_show_rate)s,
            version = version + 1
        WHERE id = %(id)s
        """,
        **{**columns, "plan": as_json(columns["plan"])},
    )


async def remove(tx: Transaction, room_id: UUID) -> None:
    """Forget a room. Raises Conflict where something was booked there."""
    await tx.run("DELETE FROM rooms WHERE id = %(room_id)s", room_id=room_id)


async def not_of_facility(tx: Transaction, ae_titles: Sequence[str], *, facility_code: str) -> list[str]:
    """Those that are no application entities of the facility."""
    return await tx.values(
        """
        SELECT given.title
        FROM unnest(%(ae_titles)s::text[]) AS given (title)
        LEFT JOIN application_entities ON ae_title = given.title
        WHERE ae_title IS NULL
           OR coalesce(facility_code, %(facility_code)s) <> %(facility_code)s
        ORDER BY 1
        """,
        ae_titles=list(ae_titles),
        facility_code=facility_code,
    )


# --- What is blocked ---


async def insert_blocked(tx: Transaction, columns: Mapping[str, Any]) -> bool:
    """Block a time; False where the room has no such device."""
    return bool(
        await tx.run(
            """
            INSERT INTO blocked_times (id, facility_code, room_id, device_number, begins, ends, kind, reason, made_by,
                made_at)
            SELECT %(id)s, r.facility_code, r.id, devices.number, %(begins)s, %(ends)s, %(kind)s, %(reason)s,
                %(made_by)s, %(made_at)s
            FROM rooms AS r
            LEFT JOIN devices ON devices.room_id = r.id AND devices.ae_title = %(device)s
            WHERE r.id = %(room_id)s
              AND (%(device)s::text IS NULL OR devices.number IS NOT NULL)
            """,
            **columns,
        )
    )


async def remove_blocked(tx: Transaction, room_id: UUID, blocked_id: UUID) -> bool:
    """Open a time again. False where there is no such one."""
    return bool(
        await tx.run(
            "DELETE FROM blocked_times WHERE id = %(blocked_id)s AND room_id = %(room_id)s",
            blocked_id=blocked_id,
            room_id=room_id,
        )
    )


async def blocked_body(
    tx: Transaction, room_id: UUID, *, since: datetime, zone: str, until: datetime | None = None
) -> bytes:
    """What is blocked from a moment on, up to another where one is given, as a JSON array."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT coalesce(json_agg(json_build_object('id', blocked.id, 'begins', begins, 'ends', ends, 'kind', kind,
            'reason', reason, 'device', ae_title) ORDER BY begins, blocked.id), '[]')::text
        FROM shown, blocked_times AS blocked
        LEFT JOIN devices ON devices.number = blocked.device_number
        WHERE (blocked.room_id = %(room_id)s OR devices.room_id = %(room_id)s)
          AND ends > %(since)s
          AND (%(until)s::timestamptz IS NULL OR begins < %(until)s)
        """,
        room_id=room_id,
        since=since,
        until=until,
        zone=zone,
    )


# --- Calendars and rules ---


@dataclass(frozen=True, slots=True)
class _Day:
    day: date
    kind: Any
    name: str
    name_bangla: str
    iftar: time | None


async def calendar_days(tx: Transaction, facility_code: str, *, first: date, last: date) -> list[CalendarDay]:
    """The days of a facility that are not like others."""
    rows = await tx.all(
        _Day,
        """
        SELECT day, kind, name, name_bangla, iftar
        FROM calendar_days
        WHERE facility_code = %(facility_code)s
          AND day BETWEEN %(first)s AND %(last)s
        ORDER BY day, kind
        """,
        facility_code=facility_code,
        first=first,
        last=last,
    )
    return [CalendarDay(row.day, row.kind, row.name, row.name_bangla, row.iftar) for row in rows]


async def calendar_body(tx: Transaction, facility_code: str, *, year: int) -> bytes:
    """The same of a year, as a JSON array."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_strip_nulls(json_build_object('day', day, 'kind', kind, 'name', name,
            'nameBangla', name_bangla, 'iftar', iftar)) ORDER BY day, kind), '[]')::text
        FROM calendar_days
        WHERE facility_code = %(facility_code)s
          AND extract(year FROM day) = %(year)s
        """,
        facility_code=facility_code,
        year=year,
    )


async def forget_year(tx: Transaction, facility_code: str, *, year: int) -> None:
    """Forget all days of a year."""
    await tx.run(
        "DELETE FROM calendar_days WHERE facility_code = %(facility_code)s AND extract(year FROM day) = %(year)s",
        facility_code=facility_code,
        year=year,
    )


async def save_day(tx: Transaction, facility_code: str, day: CalendarDay) -> None:
    """Add a day, in place of what stood there."""
    await tx.run(
        """
        INSERT INTO calendar_days (facility_code, day, kind, name, name_bangla, iftar)
        VALUES (%(facility_code)s, %(day)s, %(kind)s, %(name)s, %(name_bangla)s, %(iftar)s)
        ON CONFLICT (facility_code, day, kind) DO UPDATE
        SET name = excluded.name,
            name_bangla = excluded.name_bangla,
            iftar = excluded.iftar
        """,
        facility_code=facility_code,
        day=day.day,
        kind=day.kind,
        name=day.name,
        name_bangla=day.name_bangla,
        iftar=day.iftar,
    )


async def rules(tx: Transaction, facility_code: str) -> dict[str, Any]:
    """The rules of a facility as the API has them; empty where it has none of its own."""
    found = await tx.value(
        "SELECT rules FROM scheduling_rules WHERE facility_code = %(facility_code)s", facility_code=facility_code
    )
    return found or {}


async def save_rules(tx: Transaction, facility_code: str, body: Mapping[str, Any]) -> None:
    """Give a facility other rules."""
    await tx.run(
        """
        INSERT INTO scheduling_rules (facility_code, rules)
        VALUES (%(facility_code)s, %(rules)s)
        ON CONFLICT (facility_code) DO UPDATE
        SET rules = excluded.rules,
            version = scheduling_rules.version + 1
        """,
        facility_code=facility_code,
        rules=as_json(dict(body)),
    )


# --- What a search asks ---


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device with the week of its room, and what the registry says of it."""

    number: int
    facility_code: str
    ae_title: str
    modality: str
    room_id: UUID
    room: str
    plan: dict[str, Any]
    no_show_rate: float
    state: str
    back_on: date | None
    licence_until: date | None
    blocked: str | None
    override_until: date | None

    @property
    def registered(self) -> Device:
        """As the registry has it."""
        return Device(
            self.number, self.facility_code, self.ae_title, self.modality, DeviceState(self.state),
            licence_until=self.licence_until, blocked=self.blocked, back_on=self.back_on,
            override_until=self.override_until,
        )  # fmt: skip


async def devices(
    tx: Transaction, facility_code: str, *, modalities: Sequence[str], numbers: Sequence[int] = (), now: datetime
) -> list[DeviceRow]:
    """The devices in use that can do one of these, or those of these numbers whether in use or not."""
    return await tx.all(
        DeviceRow,
        """
        SELECT devices.number, devices.facility_code, devices.ae_title, devices.modality, r.id AS room_id,
            r.name AS room, r.plan, devices.state, devices.back_on, devices.licence_until, devices.blocked,
            devices.override_until,
            CASE WHEN r.overbooks THEN coalesce(r.no_show_rate, past.rate, 0) ELSE 0 END AS no_show_rate
        FROM devices
        JOIN rooms AS r ON r.id = devices.room_id
        LEFT JOIN LATERAL (
            SELECT avg((status = 'no-show')::int)::float AS rate
            FROM bookings
            WHERE r.overbooks
              AND bookings.room_id = r.id
              AND bookings.status IN ('arrived', 'no-show')
              AND bookings.begins BETWEEN %(now)s - interval '90 days' AND %(now)s
            HAVING count(*) >= 50
        ) AS past ON true
        WHERE devices.facility_code = %(facility_code)s
          AND ((devices.active AND r.active AND devices.modality = ANY(%(modalities)s))
            OR devices.number = ANY(%(numbers)s))
        ORDER BY devices.ae_title
        """,
        facility_code=facility_code,
        modalities=list(modalities),
        numbers=list(numbers),
        now=now,
    )


@dataclass(frozen=True, slots=True)
class BlockedRow:
    """A time that is blocked for a device."""

    number: int
    begins: datetime
    ends: datetime

    @property
    def span(self) -> Span:
        """The time."""
        return Span(self.begins, self.ends)


async def blocked(tx: Transaction, numbers: Sequence[int], *, begins: datetime, ends: datetime) -> list[BlockedRow]:
    """What is blocked for these devices in a time."""
    return await tx.all(
        BlockedRow,
        """
        SELECT devices.number, blocked.begins, blocked.ends
        FROM blocked_times AS blocked
        JOIN devices ON devices.number = blocked.device_number
          OR (blocked.device_number IS NULL AND devices.room_id = blocked.room_id)
        WHERE devices.number = ANY(%(numbers)s)
          AND blocked.ends > %(begins)s
          AND blocked.begins < %(ends)s
        """,
        numbers=list(numbers),
        begins=begins,
        ends=ends,
    )
