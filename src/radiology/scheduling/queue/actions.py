"""Arrive, come without a booking, be called. Token, booking, item, study, audit and event are one transaction."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, NotFound, Unprocessable
from radiology.facilities.devices import queries as registry
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.modality_worklist import queries as worklist
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.modality_worklist.model import Status as ItemStatus
from radiology.modality_worklist.model import Verb as ItemVerb
from radiology.procedures.catalogue import catalogue
from radiology.scheduling import asking, model, openings
from radiology.scheduling.actions import item as items
from radiology.scheduling.actions.put import note
from radiology.scheduling.model import Status, Verb
from radiology.scheduling.queries import bookings
from radiology.scheduling.queries.bookings import Booking
from radiology.scheduling.queue import queries
from radiology.scheduling.queue.model import Status as TokenStatus
from radiology.scheduling.queue.model import Token, in_turn, must_be_possible
from radiology.scheduling.rooms import queries as rooms
from radiology.scheduling.rooms.queries import Room
from radiology.studies.model import Status as StudyStatus


def today(app: App) -> date:
    """The day of the facility, whose tokens count."""
    return app.clock.now().astimezone(app.settings.zone).date()


async def arrive(app: App, actor: Actor, booking_id: UUID) -> Token:
    """The patient of a booking has come; returns the token. Raises NotFound, TransitionRefused."""
    async with app.db.transaction() as tx:
        booking = await bookings.lock(tx, booking_id, visible_to=actor)
        return await arrive_in(tx, app, actor, booking)


async def arrive_in(tx: Transaction, app: App, actor: Actor, booking: Booking) -> Token:
    """The same of a booking that is locked, in the transaction of whoever notes it. Late is better than never."""
    actor.must(Permission.WRITE)
    after = model.step(Status(booking.status), Verb.ARRIVE)
    item = await items.lock_open(tx, actor, booking.step_id)
    if booking.status == Status.NO_SHOW:
        await bookings.put_beside(tx, booking.id)
    await bookings.save_status(tx, booking.id, status=after, now=app.clock.now())
    await _arrived(tx, app, actor, item)
    await note(tx, app, actor, booking.id, item, verb=Verb.ARRIVE, status=after)
    room = await rooms.room(tx, booking.room_id, visible_to=actor, lock=True)
    return await _give(tx, app, actor, room, item, booking.facts, booking_id=booking.id)


async def walk_in(app: App, actor: Actor, step_id: UUID, room_id: UUID, said: Mapping[str, Any]) -> Token:
    """Somebody has come without a booking and waits for a room; returns the token.

    Raises NotFound, Unprocessable where the room cannot do it, Conflict for who is booked, waits already, or is done.
    """
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        room = await rooms.room(tx, room_id, visible_to=actor, lock=True)
        item = await items.lock_open(tx, actor, step_id)
        booking = await bookings.of_step(tx, step_id)
        if booking is not None and booking.status != Status.NO_SHOW:
            raise Conflict("The item is booked. Note that the patient of the booking has arrived.")
        if await queries.of_step(tx, step_id, today(app)) is not None:
            raise Conflict("The patient has a token for this item today.")
        stations = await registry.titles_in(tx, room_id, modality=item.modality)
        if not stations or not room.active:
            raise Unprocessable(f"Room {room.name} has no device for {item.modality}, or it is out of use.")
        rules = await openings.rules_of(tx, item.facility_code)
        _, facts = asking.of_item(item, {"minutes": 15, **said}, rules.minutes, await catalogue(app))
        now = app.clock.now().astimezone(app.settings.zone)
        await items.set_time(tx, app, actor, item, start=now, stations=stations, location=room.name)
        await _arrived(tx, app, actor, item)
        return await _give(tx, app, actor, room, item, facts)


async def _arrived(tx: Transaction, app: App, actor: Actor, item: ScheduledProcedureStep) -> None:
    if item.status == ItemStatus.SCHEDULED:
        await items.move_if_possible(tx, actor, item.id, ItemVerb.ARRIVE)
    await items.follow(tx, app, actor, item, StudyStatus.ARRIVED)


async def _give(
    tx: Transaction, app: App, actor: Actor, room: Room, item: ScheduledProcedureStep, facts: Mapping[str, Any], *,
    booking_id: UUID | None = None,
) -> Token:  # fmt: skip
    """Give the next number of the room, which is locked; who has one today keeps it."""
    day = today(app)
    known = await queries.of_step(tx, item.id, day)
    if known is not None and known.room_id == room.id:
        return known
    token_id = uuid7()
    columns = {
        "id": token_id, "facility_code": item.facility_code, "room_id": room.id, "day": day,
        "number": await queries.next_number(tx, room.id, day), "step_id": item.id, "booking_id": booking_id,
        "priority": facts["priority"], "facts": dict(facts), "now": app.clock.now(),
    }  # fmt: skip
    await queries.insert(tx, columns)
    await audit.record(tx, actor, "queue.token", str(item.id), detail={"token": str(token_id)})
    return await queries.load(tx, room.id, token_id, visible_to=actor)


async def call_next(app: App, actor: Actor, room_id: UUID) -> Token:
    """Call whose turn it is. Two who call at once call two. Raises NotFound where nobody waits."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        await rooms.room(tx, room_id, visible_to=actor, lock=True)
        waiting = in_turn(await queries.present(tx, room_id, today(app)))
        if not waiting:
            raise NotFound("Nobody waits for this room.")
        return await _set(tx, app, actor, waiting[0], TokenStatus.CALLED)


async def set_token(app: App, actor: Actor, room_id: UUID, token_id: UUID, status: TokenStatus) -> Token:
    """Call a token again, let it wait again, note that nobody came, or that somebody left. Raises TransitionRefused."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        await rooms.room(tx, room_id, visible_to=actor, lock=True)
        token = await queries.load(tx, room_id, token_id, visible_to=actor)
        return await _set(tx, app, actor, token, status)


async def _set(tx: Transaction, app: App, actor: Actor, token: Token, status: TokenStatus) -> Token:
    must_be_possible(token.status, status)
    await queries.save_status(tx, token.id, status=status, now=app.clock.now())
    await audit.record(tx, actor, f"queue.{status}", str(token.step_id), detail={"token": str(token.id)})
    found = [each for each in await queries.present(tx, token.room_id, today(app)) if each.id == token.id]
    return found[0] if found else token


async def item_of(tx: Transaction, actor: Actor, token: Token) -> ScheduledProcedureStep:
    """The item that somebody has a token for."""
    return await worklist.load(tx, token.step_id, visible_to=actor)
