"""Wait for a time; be offered what is free; take it or leave it to the next."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.modality_worklist import queries as worklist
from radiology.modality_worklist.model import OPEN, ScheduledProcedureStep
from radiology.procedures.catalogue import catalogue
from radiology.scheduling import asking, model, openings
from radiology.scheduling.actions import item as items
from radiology.scheduling.actions.book import Contact, Visit, insert_visit
from radiology.scheduling.actions.change import Change, cancel_in, reschedule_in
from radiology.scheduling.actions.put import Made, insert, note, settle
from radiology.scheduling.fitting import Circumstances, Device, Place
from radiology.scheduling.model import Status, Verb
from radiology.scheduling.planning import offers
from radiology.scheduling.queries import bookings
from radiology.scheduling.queries.bookings import Booking
from radiology.scheduling.reminders import actions as reminders
from radiology.scheduling.reminders.messages import Moment
from radiology.scheduling.waiting import queries
from radiology.scheduling.waiting.queries import Entry

DAYS_AHEAD: Final = 14
AT_ONCE: Final = 20
LEAD: Final = timedelta(hours=2)
"""Who waits at home cannot come sooner than that."""


async def add(
    app: App, actor: Actor, step_id: UUID, said: Mapping[str, Any], *, not_before: datetime | None, contact: Contact
) -> UUID:
    """Let somebody wait, who may be booked for later; returns the id. Raises NotFound, Conflict for who waits."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        item = await items.lock_open(tx, actor, step_id)
        rules = await openings.rules_of(tx, item.facility_code)
        _, facts = asking.of_item(item, said, rules.minutes, await catalogue(app))
        entry_id = uuid7()
        columns = {
            "id": entry_id, "facility_code": item.facility_code, "step_id": step_id, "priority": facts["priority"],
            "facts": facts, "not_before": not_before, "mobile": contact.mobile, "language": contact.language,
            "made_by": actor.id, "now": app.clock.now(),
        }  # fmt: skip
        await queries.insert(tx, columns)
        await audit.record(tx, actor, "waiting-list.add", str(step_id), detail={"entry": str(entry_id)})
    return entry_id


async def leave(app: App, actor: Actor, entry_id: UUID) -> None:
    """Wait no more; what was held is free. Raises NotFound, Conflict for who does not wait."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        entry = await _locked(tx, actor, entry_id, ("waiting", "offered"))
        await _let_go(tx, app, actor, entry)
        await queries.save(tx, entry_id, status="left")
        await audit.record(tx, actor, "waiting-list.leave", str(entry.step_id), detail={"entry": str(entry_id)})


async def decline(app: App, actor: Actor, entry_id: UUID) -> None:
    """Leave an offer to the next, and wait for a later time. Raises NotFound, Conflict for who has no offer."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        entry = await _locked(tx, actor, entry_id, ("offered",))
        await _wait_on(tx, app, actor, entry)
        await audit.record(tx, actor, "waiting-list.decline", str(entry.step_id), detail={"entry": str(entry_id)})


async def accept(app: App, actor: Actor, entry_id: UUID) -> UUID:
    """Take an offer; returns the booking. Raises NotFound, Conflict for who has none any more."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        entry = await _locked(tx, actor, entry_id, ("offered",))
        held = await _held(tx, entry)
        earlier = await bookings.of_step(tx, entry.step_id)
        if earlier is not None and earlier.status == Status.BOOKED:
            await cancel_in(tx, app, actor, held, reason="taken by moving the booking")
            change = Change(held.ae_title, held.begins, "waiting list", held.facts)
            await reschedule_in(tx, app, actor, earlier, change)
            booking_id = earlier.id
        else:
            await _book(tx, app, actor, held)
            booking_id = held.id
        await queries.save(tx, entry_id, status="booked", booking_id=booking_id)
        await audit.record(tx, actor, "waiting-list.accept", str(entry.step_id), detail={"entry": str(entry_id)})
    return booking_id


async def _book(tx: Transaction, app: App, actor: Actor, held: Booking) -> None:
    after = model.step(Status(held.status), Verb.ACCEPT)
    item = await items.lock_open(tx, actor, held.step_id)
    await bookings.save_status(tx, held.id, status=after, now=app.clock.now())
    device = Device(held.ae_title, held.device_number, held.modality, str(held.room_id), held.room)
    await settle(tx, app, actor, held.id, item, Place(device, held.span), reason="waiting list")
    await reminders.tell(tx, app, held.id, Moment.BOOKED)


async def _locked(tx: Transaction, actor: Actor, entry_id: UUID, wanted: tuple[str, ...]) -> Entry:
    entry = await queries.load(tx, entry_id, visible_to=actor)
    await bookings.lock_facility(tx, entry.facility_code)
    entry = await queries.load(tx, entry_id, visible_to=actor)
    if entry.status not in wanted:
        raise Conflict(f"This entry of the waiting list is {entry.status} by now.")
    return entry


async def _held(tx: Transaction, entry: Entry) -> Booking:
    if entry.booking_id is None:
        raise Conflict("Nothing is held for this entry of the waiting list.")
    return await bookings.load(tx, entry.booking_id, visible_to=SYSTEM)


async def _let_go(tx: Transaction, app: App, actor: Actor, entry: Entry) -> datetime | None:
    """Free what is held for somebody; returns when it would have ended."""
    if entry.status != "offered":
        return None
    held = await _held(tx, entry)
    await cancel_in(tx, app, actor, held, reason="not taken")
    return held.ends


async def _wait_on(tx: Transaction, app: App, actor: Actor, entry: Entry) -> None:
    """Back to the list: the same time is not offered to the same person again."""
    await queries.save(tx, entry.id, status="waiting", not_before=await _let_go(tx, app, actor, entry))


# --- By the timetable ---


async def offer_free(app: App) -> int:
    """Free what nobody took in time, and offer what is free to who waits; returns how many offers were made."""
    async with app.db.transaction() as tx:
        expired = await queries.expired(tx, now=app.clock.now(), limit=AT_ONCE)
    for entry in expired:
        async with app.db.transaction() as tx:
            now = await _still(tx, entry, "offered")
            if now is not None:
                await _wait_on(tx, app, SYSTEM, now)
    async with app.db.transaction() as tx:
        waiting = await queries.to_offer(tx, limit=AT_ONCE)
    count = 0
    for entry in waiting:
        async with app.db.transaction() as tx:
            now = await _still(tx, entry, "waiting")
            count += now is not None and await _offer(tx, app, now)
    return count


async def _still(tx: Transaction, entry: Entry, status: str) -> Entry | None:
    await bookings.lock_facility(tx, entry.facility_code)
    found = await queries.load(tx, entry.id, visible_to=SYSTEM)
    return found if found.status == status else None


async def _offer(tx: Transaction, app: App, entry: Entry) -> bool:
    """Hold the best time for somebody who waits, if there is one that is earlier than what he or she has."""
    item = await worklist.lock(tx, entry.step_id, visible_to=SYSTEM)
    booked = await bookings.of_step(tx, entry.step_id)
    if item.status not in OPEN or (booked is not None and booked.status == Status.ARRIVED):
        await queries.save(tx, entry.id, status="left")
        return False
    place = await _free(tx, app, entry, item)
    if place is None or (booked is not None and booked.status == Status.BOOKED and place.span.begins >= booked.begins):
        await queries.note_looked(tx, entry.id, now=app.clock.now())
        return False
    rules = await openings.rules_of(tx, entry.facility_code)
    contact = Contact(entry.mobile, entry.language)
    visit_id = await insert_visit(tx, app, SYSTEM, entry.facility_code, Visit([], contact))
    held = await insert(tx, app, SYSTEM, item, place, entry.facts, Made(visit_id, Status.HELD))
    await note(tx, app, SYSTEM, held, item, verb="offer", status=Status.HELD, reason="waiting list")
    expires_at = min(app.clock.now() + timedelta(minutes=rules.offer_minutes), place.span.begins)
    await queries.save(tx, entry.id, status="offered", booking_id=held, expires_at=expires_at)
    await reminders.tell(tx, app, held, Moment.OFFERED)
    return True


async def _free(tx: Transaction, app: App, entry: Entry, item: ScheduledProcedureStep) -> Place | None:
    zone, now = app.settings.zone, app.clock.now()
    first = max(now + LEAD, entry.not_before or now)
    day = first.astimezone(zone).date()
    examination = asking.from_facts(str(item.id), item.modality, entry.facts)
    asked = openings.Asked(entry.facility_code, [item.modality], day, day + timedelta(days=DAYS_AHEAD))
    busy = await bookings.elsewhere(tx, patient_id=item.patient_id, issuer=item.issuer_of_patient_id, but=[item.id])
    given = Circumstances(now, zone, tuple(busy), not_before=first)
    found = offers([examination], await openings.look(tx, app, asked), given)
    place = found[0].appointments[0].place if found else None
    return place if place is not None and not place.displaces else None
