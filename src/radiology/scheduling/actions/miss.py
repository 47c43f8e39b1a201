"""What becomes of bookings by themselves: nobody comes, the order is cancelled, the modality was faster."""

from typing import Final
from uuid import UUID

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.events import ProcedureStepChanged, ProcedureStepStatusChanged
from radiology.kit import outbox
from radiology.kit.db import Transaction
from radiology.modality_worklist import queries as worklist
from radiology.modality_worklist.model import OPEN, ScheduledProcedureStep
from radiology.modality_worklist.model import Status as ItemStatus
from radiology.modality_worklist.model import Verb as ItemVerb
from radiology.scheduling import model
from radiology.scheduling.actions import item as items
from radiology.scheduling.actions.change import cancel_in
from radiology.scheduling.actions.put import note
from radiology.scheduling.model import Status, Verb
from radiology.scheduling.queries import bookings as queries
from radiology.scheduling.queries.bookings import Booking
from radiology.scheduling.reminders import actions as reminders
from radiology.studies.model import Status as StudyStatus

READER: Final = "scheduling"
AT_ONCE: Final = 100
REASON: Final = "no-show"
FOLLOWED: Final = frozenset({ProcedureStepStatusChanged.type, ProcedureStepChanged.type})


async def mark_missed(app: App) -> int:
    """Note where nobody came within the grace: the time is free again, and item and study are cancelled until later."""
    async with app.db.transaction() as tx:
        found = await queries.overdue(tx, now=app.clock.now(), limit=AT_ONCE)
    for booking_id, facility in found:
        async with app.db.transaction() as tx:
            await queries.lock_facility(tx, facility)
            booking = await queries.lock(tx, booking_id, visible_to=SYSTEM)
            if booking.status == Status.BOOKED:
                await _judge(tx, app, booking)
    return len(found)


async def _judge(tx: Transaction, app: App, booking: Booking) -> None:
    """A booking that is overdue: missed, unless the item says that the patient came, or is not wanted any more."""
    item = await worklist.lock(tx, booking.step_id, visible_to=SYSTEM)
    if item.status in (ItemStatus.CANCELED, ItemStatus.DISCONTINUED):
        await cancel_in(tx, app, SYSTEM, booking, reason="the item is cancelled")
    elif item.status != ItemStatus.SCHEDULED:
        await _came(tx, app, booking)
    else:
        after = model.step(Status(booking.status), Verb.MISS)
        await queries.save_status(tx, booking.id, status=after, now=app.clock.now())
        await items.move_if_possible(tx, SYSTEM, item.id, ItemVerb.CANCEL, reason=REASON)
        await items.follow(tx, app, SYSTEM, item, StudyStatus.CANCELLED, reason=REASON)
        await note(tx, app, SYSTEM, booking.id, item, verb=Verb.MISS, status=after, reason=REASON)
        await reminders.drop(tx, app, booking.id)


async def _came(tx: Transaction, app: App, booking: Booking) -> None:
    after = model.step(Status(booking.status), Verb.ARRIVE)
    await queries.save_status(tx, booking.id, status=after, now=app.clock.now())
    item = await worklist.load(tx, booking.step_id, visible_to=SYSTEM)
    await note(tx, app, SYSTEM, booking.id, item, verb=Verb.ARRIVE, status=after, reason="noted by the item")


async def follow_events(app: App) -> int:
    """Let bookings follow their items: one that is cancelled frees its time, one that has begun was come to.

    One that was changed by its order keeps the time and the station that it is booked for.
    """
    async with app.db.transaction() as tx:
        events = await outbox.next_for(tx, READER)
        if not events:
            return 0
        changed = [event for event in events if event.type in FOLLOWED]
        count = sum([await _follow(tx, app, UUID(event.body["procedure_step_id"])) for event in changed])
        await outbox.had(tx, READER, events[-1].position)
    return count


async def _follow(tx: Transaction, app: App, step_id: UUID) -> int:
    """By what the item is now, which may be more than the event told."""
    found = await queries.of_step(tx, step_id)
    if found is None or found.status not in (Status.BOOKED, Status.ARRIVED):
        return 0
    booking = await queries.lock(tx, found.id, visible_to=SYSTEM)
    item = await worklist.lock(tx, step_id, visible_to=SYSTEM)
    if item.status == ItemStatus.CANCELED and booking.status in (Status.BOOKED, Status.ARRIVED):
        await cancel_in(tx, app, SYSTEM, booking, reason="the item is cancelled")
    elif item.status in (ItemStatus.STARTED, ItemStatus.COMPLETED) and booking.status == Status.BOOKED:
        await _came(tx, app, booking)
    elif item.status in OPEN and _strays(item, booking):
        start = booking.begins.astimezone(app.settings.zone)
        await items.set_time(tx, app, SYSTEM, item, start=start, stations=[booking.ae_title], location=booking.room)
    else:
        return 0
    return 1


def _strays(item: ScheduledProcedureStep, booking: Booking) -> bool:
    return item.scheduled_start != booking.begins or item.station_ae_titles != [booking.ae_title]
