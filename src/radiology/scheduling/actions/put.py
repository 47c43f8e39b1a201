"""Find a place for an examination, put a booking there, and let item, study, history, audit and event follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.access.model import Actor
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, NotFound, Unprocessable
from radiology.events import BookingChanged, emit
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.scheduling import openings
from radiology.scheduling.actions import item as items
from radiology.scheduling.fitting import Circumstances, DeviceDay, Place, Reason, displacing, place_at
from radiology.scheduling.model import GRID, Examination, Priority, Span, Status
from radiology.scheduling.queries import bookings as queries
from radiology.studies.model import Status as StudyStatus


@dataclass(frozen=True, slots=True)
class Wanted:
    """One item at one time. `said`: what is known of the examination; `displaces`: routine bookings may be moved."""

    step_id: UUID
    ae_title: str
    begins: datetime
    said: Mapping[str, Any] = field(default_factory=dict[str, Any])
    displaces: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """To which visit a booking belongs, and as what it is made."""

    visit_id: UUID
    status: Status
    external_id: str | None = None


async def insert(
    tx: Transaction, app: App, actor: Actor, item: ScheduledProcedureStep, place: Place, facts: Mapping[str, Any],
    made: Made,
) -> UUID:  # fmt: skip
    """Add a booking at a place that was found, and is free by now; returns its id."""
    booking_id = uuid7()
    columns = {
        "id": booking_id, "facility_code": item.facility_code, "visit_id": made.visit_id, "step_id": item.id,
        "room_id": UUID(place.device.room_id), "device_number": place.device.number, "begins": place.span.begins,
        "ends": place.span.ends, "lane": place.lane, "status": made.status, "priority": facts["priority"],
        "facts": dict(facts), "unbooked": items.as_placed(item), "external_id": made.external_id, "made_by": actor.id,
        "now": app.clock.now(),
    }  # fmt: skip
    await queries.insert(tx, columns)
    return booking_id


async def settle(
    tx: Transaction, app: App, actor: Actor, booking_id: UUID, item: ScheduledProcedureStep, place: Place, *,
    verb: str = "book", reason: str | None = None,
) -> None:  # fmt: skip
    """What follows from a booking's new place: item, study, history, audit, event."""
    device = place.device
    start = place.span.begins.astimezone(app.settings.zone)
    await items.set_time(tx, app, actor, item, start=start, stations=[device.ae_title], location=device.room)
    await items.follow(tx, app, actor, item, StudyStatus.SCHEDULED, reason=reason)
    await note(tx, app, actor, booking_id, item, verb=verb, status=Status.BOOKED, reason=reason)


async def note(
    tx: Transaction, app: App, actor: Actor, booking_id: UUID, item: ScheduledProcedureStep, *, verb: str,
    status: Status, reason: str | None = None,
) -> None:  # fmt: skip
    """History, audit and event of what was done to a booking."""
    await queries.record_change(tx, booking_id, verb=verb, actor=actor.id, reason=reason, now=app.clock.now())
    await audit.record(tx, actor, f"booking.{verb}", str(item.id), detail={"booking": str(booking_id)})
    await emit(
        tx,
        BookingChanged(
            facility_code=item.facility_code,
            procedure_step_id=str(item.id),
            study_instance_uid=item.study_instance_uid,
            service_request=item.service_request,
            booking_id=str(booking_id),
            verb=verb,
            status=status,
        ),
    )


async def find_place(
    tx: Transaction, app: App, item: ScheduledProcedureStep, examination: Examination, wanted: Wanted, *,
    checked: bool = True, moving: UUID | None = None,
) -> Place:  # fmt: skip
    """The place that is wanted. Raises Conflict with what keeps the examination from it, NotFound for the device."""
    if wanted.begins.timestamp() % GRID.total_seconds():
        raise Unprocessable("A booking begins on a full five minutes.")
    day = wanted.begins.astimezone(app.settings.zone).date()
    asked = openings.Asked(
        item.facility_code, [examination.modality], day - openings.DAY, day, [moving] if moving else []
    )
    calendar = await openings.look(tx, app, asked)
    days = [each for devices in calendar.values() for each in devices if each.device.ae_title == wanted.ae_title]
    if not days:
        raise NotFound(
            f"No room of facility {item.facility_code} has {wanted.ae_title} for {examination.modality}, or it is out "
            "of use."
        )
    if not checked:
        return Place(days[-1].device, Span(wanted.begins, wanted.begins + examination.length))
    busy = await queries.elsewhere(tx, patient_id=item.patient_id, issuer=item.issuer_of_patient_id, but=[item.id])
    given = Circumstances(app.clock.now(), app.settings.zone, tuple(busy), any_hour=True)
    return _best([_at(examination, each, wanted, given) for each in days])


def _at(examination: Examination, day: DeviceDay, wanted: Wanted, given: Circumstances) -> Place | Reason:
    found = place_at(examination, day, wanted.begins, given)
    if found == Reason.TAKEN and wanted.displaces and examination.priority == Priority.STAT:
        places = displacing(examination, day, given)
        return next((place for place in places if place.span.begins == wanted.begins), found)
    return found


def _best(found: Sequence[Place | Reason]) -> Place:
    """A place; otherwise the reason of the day that the time belongs to, since the night before is closed then."""
    reasons: list[Reason] = []
    for each in found:
        if isinstance(each, Place):
            return each
        reasons.append(each)
    reason = next((each for each in reasons if each != Reason.CLOSED), Reason.CLOSED)
    raise Conflict(f"This time cannot be booked. {reason.value.english} ({reason.value.bangla})")
