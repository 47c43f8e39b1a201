"""Move, cancel and displace bookings; their history stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.errors import Conflict, StaleVersion
from radiology.kit.db import Transaction
from radiology.modality_worklist import queries as worklist
from radiology.modality_worklist.model import OPEN
from radiology.procedures.catalogue import catalogue
from radiology.scheduling import asking, model, openings
from radiology.scheduling.actions import item as items
from radiology.scheduling.actions.put import Wanted, find_place, note, settle
from radiology.scheduling.fitting import Booked, Circumstances, Place
from radiology.scheduling.model import Examination, Priority, Status, Verb
from radiology.scheduling.planning import offers
from radiology.scheduling.queries import bookings as queries
from radiology.scheduling.queries import shown
from radiology.scheduling.queries.bookings import Booking
from radiology.scheduling.reminders import actions as reminders
from radiology.scheduling.reminders.messages import Moment

#: Who makes room for STAT is given a time within so many days.
DAYS_AHEAD: Final = 30


@dataclass(frozen=True, slots=True)
class Change:
    """Another time of a booking. `said`: what is known of the examination now; the rest as for a new one."""

    ae_title: str
    begins: datetime
    reason: str | None = None
    said: Mapping[str, Any] | None = None
    displaces: bool = False
    checked: bool = True


async def reschedule(
    app: App, actor: Actor, booking_id: UUID, change: Change, *, version: int | None
) -> tuple[int, bytes]:
    """Move a booking; returns its new version and body. Raises StaleVersion, and as `reschedule_in` does."""
    async with app.db.transaction() as tx:
        booking = await queries.lock(tx, booking_id, visible_to=actor)
        _must_be(booking, version)
        await reschedule_in(tx, app, actor, booking, change)
        return booking.version + 1, await shown.body(tx, booking_id, zone=app.settings.time_zone)


async def reschedule_in(tx: Transaction, app: App, actor: Actor, booking: Booking, change: Change) -> None:
    """Move a booking that is locked, in the transaction of whoever moves it; one that was missed is booked again.

    Raises TransitionRefused, Conflict where the time is not free or not allowed, NotFound for the device.
    """
    actor.must(Permission.WRITE)
    model.step(Status(booking.status), Verb.RESCHEDULE)
    item = await items.lock_open(tx, actor, booking.step_id)
    rules = await openings.rules_of(tx, booking.facility_code)
    said = {**booking.facts, **(change.said or {})}
    examination, facts = asking.of_item(item, said, rules.minutes, await catalogue(app))
    wanted = Wanted(item.id, change.ae_title, change.begins, displaces=change.displaces)
    place = await find_place(tx, app, item, examination, wanted, checked=change.checked, moving=booking.id)
    await make_room(tx, app, actor, place)
    await _save(tx, app, booking.id, place, facts)
    await settle(tx, app, actor, booking.id, item, place, verb=Verb.RESCHEDULE, reason=change.reason)
    await reminders.tell(tx, app, booking.id, Moment.MOVED)


async def _save(tx: Transaction, app: App, booking_id: UUID, place: Place, facts: Mapping[str, Any]) -> None:
    columns = {
        "room_id": UUID(place.device.room_id), "device_number": place.device.number, "begins": place.span.begins,
        "ends": place.span.ends, "lane": place.lane, "facts": dict(facts), "priority": facts["priority"],
        "now": app.clock.now(),
    }  # fmt: skip
    await queries.save_place(tx, booking_id, columns)


def _must_be(booking: Booking, version: int | None) -> None:
    if version is not None and version != booking.version:
        raise StaleVersion(f"The booking has version {booking.version} by now. Read it again and decide anew.")


async def cancel(
    app: App, actor: Actor, booking_id: UUID, *, reason: str | None, version: int | None
) -> tuple[int, bytes]:
    """Cancel a booking; returns its new version and body. Raises StaleVersion, TransitionRefused."""
    async with app.db.transaction() as tx:
        booking = await queries.lock(tx, booking_id, visible_to=actor)
        _must_be(booking, version)
        await cancel_in(tx, app, actor, booking, reason=reason)
        return booking.version + 1, await shown.body(tx, booking_id, zone=app.settings.time_zone)


async def cancel_in(tx: Transaction, app: App, actor: Actor, booking: Booking, *, reason: str | None) -> None:
    """Cancel a booking that is locked; its item stays in the worklist as it was before, since it is still to be done.

    Whoever wants the item to be cancelled cancels it, or its order: the booking follows.
    """
    actor.must(Permission.WRITE)
    after = model.step(Status(booking.status), Verb.CANCEL)
    await queries.save_status(tx, booking.id, status=after, now=app.clock.now())
    item = await worklist.lock(tx, booking.step_id, visible_to=actor)
    if item.status in OPEN and booking.status != Status.HELD:
        before = booking.unbooked
        start = datetime.fromisoformat(before["start"])
        await items.set_time(
            tx, app, actor, item, start=start, stations=before["stations"], location=before["location"]
        )
    await note(tx, app, actor, booking.id, item, verb=Verb.CANCEL, status=after, reason=reason)
    await reminders.drop(tx, app, booking.id)


# --- Making room ---


async def make_room(tx: Transaction, app: App, actor: Actor, place: Place) -> None:
    """Move the routine bookings that a STAT examination displaces, each to the best time there is, and tell them.

    Raises Conflict where one of them cannot be moved.
    """
    arriving = Booked("arriving", place.span, priority=Priority.STAT)
    reason = "displaced by a STAT examination"
    for booking_id in place.displaces:
        booking = await queries.load(tx, UUID(booking_id), visible_to=SYSTEM)
        if not await move_away(tx, app, actor, booking, reason=reason, taken=(place.device.number, arriving)):
            raise Conflict(
                f"The booking at {booking.begins.astimezone(app.settings.zone):%H:%M} cannot be moved: nothing is free "
                f"within {DAYS_AHEAD} days."
            )


async def move_away(
    tx: Transaction, app: App, actor: Actor, booking: Booking, *, reason: str, taken: tuple[int, Booked] | None = None
) -> bool:
    """Move a booking that is locked to the best time after its own, and tell the patient; False where nothing is free.

    taken: a time of a device, by its number, that somebody else is about to have.
    """
    item = await worklist.lock(tx, booking.step_id, visible_to=SYSTEM)
    examination = asking.from_facts(str(item.id), item.modality, booking.facts)
    place = await _best_place(tx, app, booking, examination, taken)
    if place is None:
        return False
    await _save(tx, app, booking.id, place, booking.facts)
    await settle(tx, app, actor, booking.id, item, place, verb=Verb.RESCHEDULE, reason=reason)
    await reminders.tell(tx, app, booking.id, Moment.MOVED)
    return True


async def _best_place(
    tx: Transaction, app: App, booking: Booking, examination: Examination, taken: tuple[int, Booked] | None
) -> Place | None:
    now = app.clock.now()
    today = now.astimezone(app.settings.zone).date()
    asked = openings.Asked(
        booking.facility_code, [examination.modality], today, today + timedelta(days=DAYS_AHEAD), [booking.id]
    )
    calendar = await openings.look(tx, app, asked)
    if taken is not None:
        calendar = openings.occupied_by(calendar, *taken)
    step = await worklist.load(tx, booking.step_id, visible_to=SYSTEM)
    busy = await queries.elsewhere(tx, patient_id=step.patient_id, issuer=step.issuer_of_patient_id, but=[step.id])
    # Who was to come at a certain time cannot be told in time of an earlier one.
    given = Circumstances(now, app.settings.zone, tuple(busy), not_before=booking.begins)
    found = [each.appointments[0].place for each in offers([examination], calendar, given)]
    return next((place for place in found if not place.displaces), None)
