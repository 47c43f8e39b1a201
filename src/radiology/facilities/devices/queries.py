"""SQL of the registry of devices. `d` is devices."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where

NAME: LiteralString = "coalesce(nullif(d.name, ''), d.ae_title, '')"
BODY: LiteralString = (
    """jsonb_strip_nulls(jsonb_build_object('number', d.number, 'version', d.version, 'facilityCode', d.facility_code,
    'name', """
    + NAME
    + """, 'modality', d.modality, 'aeTitle', d.ae_title, 'room', d.room_id, 'manufacturer', d.manufacturer,
    'model', d.model, 'serialNumber', d.serial_number, 'installedOn', d.installed_on, 'procedures', d.procedures,
    'contrast', d.contrast, 'mrConditional', d.mr_conditional, 'maxWeightKg', d.max_weight_kg,
    'youngestMonths', d.youngest_months, 'licenceNumber', d.licence_number, 'licenceUntil', d.licence_until,
    'radiationControlOfficer', d.radiation_control_officer, 'testedOn', d.tested_on, 'state', d.state,
    'stateReason', d.state_reason, 'stateSince', d.state_since, 'backOn', d.back_on, 'blocked', d.blocked,
    'blockedSince', d.blocked_since, 'override', CASE WHEN d.override_until IS NOT NULL THEN
        jsonb_build_object('until', d.override_until, 'reason', d.override_reason, 'by', d.override_by) END))"""
)


@dataclass(frozen=True, slots=True)
class Registered:
    """A device that is about to change."""

    number: int
    facility_code: str
    name: str
    modality: str
    ae_title: str | None
    state: str
    blocked: str | None
    override_until: date | None
    version: int


_REGISTERED: LiteralString = (
    "d.number, d.facility_code, " + NAME + " AS name, d.modality, d.ae_title, d.state, d.blocked, d.override_until, "
    "d.version"
)


async def load(tx: Transaction, number: int, *, visible_to: Actor, lock: bool = False) -> Registered:
    """A device of the actor's facilities; `lock`: kept from all others until the transaction ends. Raises NotFound."""
    where = Where()
    where.add("d.number = {number}", number=number)
    visible_to.add_facility(where, "d.facility_code")
    locking: LiteralString = " FOR NO KEY UPDATE" if lock else ""
    statement = "SELECT " + _REGISTERED + " FROM devices AS d WHERE " + where.condition + locking
    found = await tx.maybe(Registered, statement, **where.parameters)
    if found is None:
        raise NotFound("There is no such device.")
    return found


async def named(tx: Transaction, facility_code: str, name: str) -> Registered | None:
    """The device of a facility with this name, kept from all others until the transaction ends."""
    return await tx.maybe(
        Registered,
        "SELECT " + _REGISTERED + " FROM devices AS d WHERE d.facility_code = %(facility_code)s AND " + NAME
        + " = %(name)s FOR NO KEY UPDATE",
        facility_code=facility_code,
        name=name,
    )  # fmt: skip


async def body(tx: Transaction, number: int) -> bytes:
    """A device that was loaded or written, as JSON."""
    return await tx.json("SELECT " + BODY + "::text FROM devices AS d WHERE d.number = %(number)s", number=number)


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a list is asked for; all that is given must hold."""

    facility_code: str | None = None
    modality: str | None = None
    state: str | None = None
    blocked: bool | None = None
    after: int | None = None
    limit: int = 100


async def listed(tx: Transaction, criteria: Criteria, *, visible_to: Actor) -> tuple[bytes, str | None]:
    """One page of devices as a JSON array, by number, and the key it ends with where there is another."""
    where = Where()
    visible_to.add_facility(where, "d.facility_code")
    if criteria.facility_code is not None:
        where.add("d.facility_code = {facility}", facility=criteria.facility_code)
    if criteria.modality is not None:
        where.add("d.modality = {modality}", modality=criteria.modality)
    if criteria.state is not None:
        where.add("d.state = {state}", state=criteria.state)
    if criteria.blocked is not None:
        where.add("(d.blocked IS NOT NULL) = {blocked}", blocked=criteria.blocked)
    if criteria.after is not None:
        where.add("d.number > {after}", after=criteria.after)
    rows = await tx.all(
        pages.Keyed,
        "SELECT " + BODY + "::text AS body, d.number::text AS key FROM devices AS d WHERE " + where.condition
        + " ORDER BY d.number LIMIT %(limit)s",
        limit=criteria.limit + 1,
        **where.parameters,
    )  # fmt: skip
    return pages.keyed(rows, limit=criteria.limit)


_COLUMNS: LiteralString = """facility_code, name, modality, ae_title, manufacturer, model, serial_number, installed_on,
    procedures, contrast, mr_conditional, max_weight_kg, youngest_months, licence_number, licence_until,
    radiation_control_officer, tested_on"""
_VALUES: LiteralString = """%(facility_code)s, %(name)s, %(modality)s, %(ae_title)s, %(manufacturer)s, %(model)s,
    %(serial_number)s, %(installed_on)s, %(procedures)s, %(contrast)s, %(mr_conditional)s, %(max_weight_kg)s,
    %(youngest_months)s, %(licence_number)s, %(licence_until)s, %(radiation_control_officer)s, %(tested_on)s"""


async def insert(tx: Transaction, columns: Mapping[str, Any]) -> int:
    """Add a device; returns its number. `columns` holds every parameter above. Raises Conflict for what is taken."""
    return await tx.value("INSERT INTO devices (" + _COLUMNS + ") VALUES (" + _VALUES + ") RETURNING number", **columns)


async def save(tx: Transaction, number: int, columns: Mapping[str, Any]) -> bool:
    """Change a device that is locked; False where it says so already. `columns` holds every parameter above."""
    return bool(
        await tx.run(
            "UPDATE devices SET (" + _COLUMNS + ", version) = (" + _VALUES + ", version + 1) "
            "WHERE number = %(number)s AND (" + _COLUMNS + ") IS DISTINCT FROM (" + _VALUES + ")",
            number=number,
            **columns,
        )
    )


async def number_of_title(tx: Transaction, facility_code: str, ae_title: str) -> int | None:
    """The device of a facility that is this application entity."""
    return await tx.value(
        "SELECT number FROM devices WHERE facility_code = %(facility_code)s AND ae_title = %(ae_title)s",
        facility_code=facility_code,
        ae_title=ae_title,
    )


async def is_in_use(tx: Transaction, number: int) -> bool:
    """Whether a device is booked in a room."""
    return await tx.value("SELECT active AND room_id IS NOT NULL FROM devices WHERE number = %(number)s", number=number)


# --- What becomes of a device ---


async def set_state(
    tx: Transaction, number: int, *, state: str, reason: str, back_on: date | None, now: datetime
) -> None:
    """The state of a device that is locked."""
    await tx.run(
        """
        UPDATE devices
        SET state_since = CASE WHEN state = %(state)s THEN state_since ELSE %(now)s END,
            state = %(state)s,
            state_reason = %(reason)s,
            back_on = %(back_on)s,
            version = version + 1
        WHERE number = %(number)s
        """,
        number=number,
        state=state,
        reason=reason,
        back_on=back_on,
        now=now,
    )


async def set_blocked(tx: Transaction, number: int, *, reason: str | None, now: datetime) -> None:
    """Block a device that is locked, or open it again, which ends an override, too."""
    await tx.run(
        """
        UPDATE devices
        SET blocked = %(reason)s,
            blocked_since = CASE WHEN %(reason)s::text IS NOT NULL THEN coalesce(blocked_since, %(now)s) END,
            override_until = CASE WHEN %(reason)s::text IS NOT NULL THEN override_until END,
            override_reason = CASE WHEN %(reason)s::text IS NOT NULL THEN override_reason END,
            override_by = CASE WHEN %(reason)s::text IS NOT NULL THEN override_by END,
            version = version + 1
        WHERE number = %(number)s
        """,
        number=number,
        reason=reason,
        now=now,
    )


async def set_override(tx: Transaction, number: int, *, until: date | None, reason: str | None, by: str | None) -> None:
    """Use a device that is locked in spite of its block or licence, up to a day; or not any more."""
    await tx.run(
        """
        UPDATE devices
        SET override_until = %(until)s,
            override_reason = %(reason)s,
            override_by = %(by)s,
            version = version + 1
        WHERE number = %(number)s
        """,
        number=number,
        until=until,
        reason=reason,
        by=by,
    )


async def record(
    tx: Transaction, number: int, *, verb: str, reason: str, until: date | None, actor: str, now: datetime
) -> None:
    """What was done to a device, as one line of its history."""
    await tx.run(
        """
        INSERT INTO device_history (device_number, verb, state, reason, until, actor, occurred_at)
        SELECT number, %(verb)s, state, %(reason)s, %(until)s, %(actor)s, %(now)s
        FROM devices
        WHERE number = %(number)s
        """,
        number=number,
        verb=verb,
        reason=reason,
        until=until,
        actor=actor,
        now=now,
    )


async def history_body(tx: Transaction, number: int, *, zone: str) -> bytes:
    """What was done to a device, the newest first, as a JSON array."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT coalesce(json_agg(json_strip_nulls(json_build_object('verb', verb, 'state', state, 'reason', reason,
            'until', until, 'actor', actor, 'at', occurred_at)) ORDER BY id DESC), '[]')::text
        FROM shown, device_history
        WHERE device_number = %(number)s
        """,
        number=number,
        zone=zone,
    )


# --- Planned downtime ---


async def insert_downtime(tx: Transaction, columns: Mapping[str, Any]) -> None:
    """Plan a time in which a device does not work. `columns` holds every parameter below."""
    await tx.run(
        """
        INSERT INTO blocked_times (id, facility_code, device_number, begins, ends, kind, reason, made_by, made_at)
        VALUES (%(id)s, %(facility_code)s, %(number)s, %(begins)s, %(ends)s, %(kind)s, %(reason)s, %(made_by)s,
            %(made_at)s)
        """,
        **columns,
    )


async def remove_downtime(tx: Transaction, number: int, blocked_id: UUID) -> bool:
    """Take back a downtime of a device. False where there is no such one."""
    return bool(
        await tx.run(
            "DELETE FROM blocked_times WHERE id = %(blocked_id)s AND device_number = %(number)s",
            blocked_id=blocked_id,
            number=number,
        )
    )


async def downtime_body(tx: Transaction, number: int, *, since: datetime, zone: str) -> bytes:
    """The downtimes of a device that end after a moment, those of its room among them, as a JSON array."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT coalesce(json_agg(json_build_object('id', t.id, 'begins', t.begins, 'ends', t.ends, 'kind', t.kind,
            'reason', t.reason, 'wholeRoom', t.device_number IS NULL) ORDER BY t.begins, t.id), '[]')::text
        FROM shown, blocked_times AS t
        JOIN devices AS d ON d.number = t.device_number OR (t.device_number IS NULL AND d.room_id = t.room_id)
        WHERE d.number = %(number)s
          AND t.ends > %(since)s
        """,
        number=number,
        since=since,
        zone=zone,
    )


# --- Rooms ---


async def set_in_room(
    tx: Transaction, room_id: UUID, *, facility_code: str, ae_titles: Sequence[str], modalities: Sequence[str]
) -> None:
    """Exactly these are in use in the room; others that were stay as bookings know them. May come from other rooms."""
    await tx.run(
        "UPDATE devices SET active = false WHERE room_id = %(room_id)s AND NOT ae_title = ANY(%(ae_titles)s)",
        room_id=room_id,
        ae_titles=list(ae_titles),
    )
    await tx.run(
        """
        INSERT INTO devices (facility_code, room_id, ae_title, name, modality)
        SELECT %(facility_code)s, %(room_id)s, given.ae_title, given.ae_title, given.modality
        FROM unnest(%(ae_titles)s::text[], %(modalities)s::text[]) AS given (ae_title, modality)
        ON CONFLICT (facility_code, ae_title) DO UPDATE
        SET room_id = excluded.room_id,
            modality = excluded.modality,
            active = true
        """,
        room_id=room_id,
        facility_code=facility_code,
        ae_titles=list(ae_titles),
        modalities=list(modalities),
    )


async def numbers_in(tx: Transaction, room_id: UUID) -> list[int]:
    """The numbers of the devices that are in use in a room."""
    return await tx.values(
        "SELECT number FROM devices WHERE room_id = %(room_id)s AND active ORDER BY ae_title", room_id=room_id
    )


async def titles_in(tx: Transaction, room_id: UUID, *, modality: str) -> list[str]:
    """The application entities in use of a room that can do it."""
    return await tx.values(
        """
        SELECT ae_title
        FROM devices
        WHERE room_id = %(room_id)s
          AND modality = %(modality)s
          AND active
        ORDER BY ae_title
        """,
        room_id=room_id,
        modality=modality,
    )
