"""Change rooms, what is blocked, calendars and rules."""

import secrets
from typing import Any
from uuid import UUID

from radiology.access import sessions
from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotFound, StaleVersion, Unprocessable
from radiology.facilities.devices import queries as registry
from radiology.facilities.queries import begin_change
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.scheduling.hours import CalendarDay
from radiology.scheduling.queries import bookings
from radiology.scheduling.rooms import queries
from radiology.scheduling.rooms.schemas import BlockedIn, CalendarIn, PlanIn, RoomIn, RulesIn

_PLAN = frozenset(PlanIn.model_fields)


async def add_room(app: App, actor: Actor, body: RoomIn) -> tuple[UUID, int, bytes]:
    """Add a room; returns its id, version and body. Raises Conflict for a name or a device that is taken."""
    actor.must(Permission.ADMINISTER)
    facility, room_id = actor.facility_code or app.settings.facility_code, uuid7()
    async with app.db.transaction() as tx:
        await queries.insert(tx, _columns(room_id, facility, body))
        await _set_devices(tx, room_id, facility, body)
        await audit.record(tx, actor, "room.save", str(room_id))
        return room_id, 1, await queries.body(tx, room_id)


async def change_room(app: App, actor: Actor, room_id: UUID, body: RoomIn, *, version: int | None) -> tuple[int, bytes]:
    """Change a room and all of its week; what is booked stays. Returns version and body. Raises StaleVersion."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        found = await queries.room(tx, room_id, visible_to=actor, lock=True)
        if version is not None and version != found.version:
            raise StaleVersion(f"The room has version {found.version} by now. Read it again and decide anew.")
        await queries.save(tx, _columns(room_id, found.facility_code, body))
        await _set_devices(tx, room_id, found.facility_code, body)
        await audit.record(tx, actor, "room.save", str(room_id))
        return found.version + 1, await queries.body(tx, room_id)


async def remove_room(app: App, actor: Actor, room_id: UUID) -> None:
    """Forget a room in which nothing was ever booked. Raises NotFound, Conflict for any other."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        await queries.room(tx, room_id, visible_to=actor, lock=True)
        await queries.remove(tx, room_id)
        await audit.record(tx, actor, "room.remove", str(room_id))


def _columns(room_id: UUID, facility: str, body: RoomIn) -> dict[str, Any]:
    return {
        "id": room_id,
        "facility_code": facility,
        "name": body.name,
        "name_bangla": body.name_bangla,
        "plan": body.model_dump(mode="json", by_alias=True, exclude_none=True, include=set(_PLAN)),
        "active": body.active,
        "overbooks": body.overbooks,
        "no_show_rate": body.no_show_rate,
    }


async def _set_devices(tx: Transaction, room_id: UUID, facility: str, body: RoomIn) -> None:
    titles = [device.ae_title for device in body.devices]
    if len(set(titles)) < len(titles):
        raise Unprocessable("An application entity stands in the room once.")
    if strange := await queries.not_of_facility(tx, titles, facility_code=facility):
        raise Unprocessable(
            f"{', '.join(strange)} is no application entity of facility {facility}. Register it there first."
        )
    modalities = [device.modality for device in body.devices]
    await begin_change(tx)
    await registry.set_in_room(tx, room_id, facility_code=facility, ae_titles=titles, modalities=modalities)


async def block(app: App, actor: Actor, room_id: UUID, body: BlockedIn) -> tuple[UUID, list[UUID]]:
    """Block a time; returns its id and the bookings that lie in it and are to be moved. Raises NotFound."""
    actor.must(Permission.WRITE)
    blocked_id = uuid7()
    async with app.db.transaction() as tx:
        await queries.room(tx, room_id, visible_to=actor, lock=True)
        columns = {
            "id": blocked_id, "room_id": room_id, "device": body.device, "begins": body.begins, "ends": body.ends,
            "kind": body.kind, "reason": body.reason, "made_by": actor.id, "made_at": app.clock.now(),
        }  # fmt: skip
        if not await queries.insert_blocked(tx, columns):
            raise NotFound(f"There is no device {body.device} in this room.")
        await audit.record(tx, actor, "room.block", str(room_id), detail={"blocked": str(blocked_id)})
        return blocked_id, await bookings.within(tx, room_id, body.span, device=body.device)


async def unblock(app: App, actor: Actor, room_id: UUID, blocked_id: UUID) -> None:
    """Open a time again. Raises NotFound."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        await queries.room(tx, room_id, visible_to=actor)
        if not await queries.remove_blocked(tx, room_id, blocked_id):
            raise NotFound("There is no such blocked time in this room.")
        await audit.record(tx, actor, "room.unblock", str(room_id), detail={"blocked": str(blocked_id)})


async def import_calendar(app: App, actor: Actor, body: CalendarIn) -> int:
    """Take over holidays and days of Ramadan; returns how many."""
    actor.must(Permission.ADMINISTER)
    facility = actor.facility_code or app.settings.facility_code
    async with app.db.transaction() as tx:
        if body.replace_year is not None:
            await queries.forget_year(tx, facility, year=body.replace_year)
        for each in body.days:
            day = CalendarDay(each.day, each.kind, each.name, each.name_bangla, each.iftar)
            await queries.save_day(tx, facility, day)
        await audit.record(tx, actor, "room.calendar", facility, detail={"days": len(body.days)})
    return len(body.days)


async def save_rules(app: App, actor: Actor, body: RulesIn) -> None:
    """Give the actor's facility other rules."""
    actor.must(Permission.ADMINISTER)
    facility = actor.facility_code or app.settings.facility_code
    async with app.db.transaction() as tx:
        await queries.save_rules(tx, facility, body.model_dump(mode="json", by_alias=True, exclude_none=True))
        await audit.record(tx, actor, "room.rules", facility)


async def renew_feed(app: App, actor: Actor, room_id: UUID) -> str:
    """A new secret for the addresses of a room's calendar and waiting room; the old ones end. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    secret = secrets.token_urlsafe(24)
    async with app.db.transaction() as tx:
        await queries.room(tx, room_id, visible_to=actor, lock=True)
        await queries.save_feed(tx, room_id, sessions.digest(secret))
        await audit.record(tx, actor, "room.feed", str(room_id))
    return secret
