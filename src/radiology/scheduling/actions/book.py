"""Book items of the worklist. Booking, item, study, history, audit and event are one transaction.

All bookings of a facility are made one after the other, so what was looked at is still so when it is written; and the
table itself lets nobody have a device at the time of somebody else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.errors import Conflict, Unprocessable
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.procedures.catalogue import catalogue
from radiology.scheduling import asking, openings
from radiology.scheduling.actions import item as items
from radiology.scheduling.actions.change import make_room
from radiology.scheduling.actions.put import Made, Wanted, find_place, insert, settle
from radiology.scheduling.model import Status
from radiology.scheduling.queries import bookings as queries
from radiology.scheduling.queries import shown
from radiology.scheduling.reminders import actions as reminders
from radiology.scheduling.reminders.messages import Moment


@dataclass(frozen=True, slots=True)
class Contact:
    """How the patient is told: a mobile number (empty: the registry's), bn or en, and whether he or she wants to be."""

    mobile: str = ""
    language: str = "bn"
    reminders: bool = True


@dataclass(frozen=True, slots=True)
class Visit:
    """What one patient comes for. `key`: the same key again books nothing anew; `checked`: False for another system's
    booking, which obeys its own rules and may break ours, though never the time of somebody else.
    """

    appointments: Sequence[Wanted]
    contact: Contact = Contact()
    key: str | None = None
    request_sha256: bytes | None = None
    external_id: str | None = None
    checked: bool = True


async def book(app: App, actor: Actor, visit: Visit) -> tuple[UUID, bytes]:
    """Book all items of a visit or none; returns the visit's id and body. Raises as `book_in` does."""
    async with app.db.transaction() as tx:
        visit_id = await book_in(tx, app, actor, visit)
        return visit_id, await shown.visit_body(tx, visit_id, zone=app.settings.time_zone)


async def book_in(tx: Transaction, app: App, actor: Actor, visit: Visit) -> UUID:
    """The same in the transaction of whoever books; returns the visit's id.

    Raises NotFound for an item or a device, Conflict where the time is not free or not allowed, or the item is booked
    or begun, Unprocessable for what is no time of the grid or of another patient.
    """
    actor.must(Permission.WRITE)
    facility = actor.facility_code or app.settings.facility_code
    await queries.lock_facility(tx, facility)
    if (known := await _known(tx, actor, facility, visit)) is not None:
        return known
    found = [await items.lock_open(tx, actor, each.step_id) for each in visit.appointments]
    if len({(item.patient_id, item.issuer_of_patient_id) for item in found}) > 1:
        raise Unprocessable("A visit is of one patient. Book each patient for itself.")
    visit_id = await insert_visit(tx, app, actor, facility, visit)
    pairs = zip(found, visit.appointments, strict=True)
    made = {wanted.begins: await _book(tx, app, actor, visit_id, item, wanted, visit) for item, wanted in pairs}
    if made:
        await reminders.tell(tx, app, made[min(made)], Moment.BOOKED)
    return visit_id


async def _known(tx: Transaction, actor: Actor, facility: str, visit: Visit) -> UUID | None:
    """The visit that the same request has booked before. Raises Conflict where it was another request."""
    if visit.key is None:
        return None
    known = await queries.visit_of_key(tx, facility_code=facility, made_by=actor.id, key=visit.key)
    if known is not None and known.request_sha256 != visit.request_sha256:
        raise Conflict("This Idempotency-Key was used for another booking. Send a new one.")
    return known.id if known else None


async def insert_visit(tx: Transaction, app: App, actor: Actor, facility: str, visit: Visit) -> UUID:
    """Add the visit that bookings belong to."""
    visit_id = uuid7()
    columns = {
        "id": visit_id, "facility_code": facility, "idempotency_key": visit.key,
        "request_sha256": visit.request_sha256, "mobile": visit.contact.mobile, "language": visit.contact.language,
        "reminders": visit.contact.reminders, "made_by": actor.id, "made_at": app.clock.now(),
    }  # fmt: skip
    await queries.insert_visit(tx, columns)
    return visit_id


async def _book(
    tx: Transaction, app: App, actor: Actor, visit_id: UUID, item: ScheduledProcedureStep, wanted: Wanted, visit: Visit
) -> UUID:
    last = await queries.of_step(tx, item.id)
    if last is not None and last.status != Status.NO_SHOW:
        raise Conflict("The item is booked already. Move that booking, or cancel it first.")
    rules = await openings.rules_of(tx, item.facility_code)
    examination, facts = asking.of_item(item, wanted.said, rules.minutes, await catalogue(app))
    place = await find_place(tx, app, item, examination, wanted, checked=visit.checked)
    await make_room(tx, app, actor, place)
    made = Made(visit_id, Status.BOOKED, visit.external_id)
    booking_id = await insert(tx, app, actor, item, place, facts, made)
    await settle(tx, app, actor, booking_id, item, place)
    return booking_id
