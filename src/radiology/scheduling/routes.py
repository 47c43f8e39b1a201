"""Slots and bookings over REST."""

import hashlib
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.kit.pages import read_cursor
from radiology.scheduling import openings
from radiology.scheduling.actions.book import Contact, Visit, book
from radiology.scheduling.actions.change import Change, cancel, reschedule
from radiology.scheduling.actions.put import Wanted
from radiology.scheduling.model import Status
from radiology.scheduling.queries import bookings as queries
from radiology.scheduling.queries import shown
from radiology.scheduling.queries.shown import Criteria
from radiology.scheduling.reminders import actions as reminders
from radiology.scheduling.reminders import queries as told
from radiology.scheduling.rooms.schemas import Day
from radiology.scheduling.schemas import (
    AppointmentIn,
    BookingIn,
    MobileIn,
    OffersOut,
    ReasonIn,
    RescheduleIn,
    SearchIn,
)
from radiology.scheduling.searching import search

PATH = "/api/radiology/bookings"

router = APIRouter(prefix="/api/radiology", tags=["scheduling"], route_class=StrictJSONRoute)

Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


@router.post("/slots/search")
async def post_slots_search(body: SearchIn, app: CurrentApp, actor: CurrentActor) -> OffersOut:
    """Up to three times for the examinations of one patient, the best first, each with its reasons.

    The best meets all deadlines, then needs the fewest visits, then begins earliest, then leaves the smallest gap.
    """
    async with app.db.transaction() as tx:
        return await search(tx, app, actor, body)


@router.post("/bookings", status_code=201, response_model=None)
async def post_booking(
    body: BookingIn, request: Request, app: CurrentApp, actor: CurrentActor, idempotency_key: Key = None
) -> Response:
    """Book all items of a visit, or none: 409 where a time is not free any more, or not allowed, with what keeps it.

    The same Idempotency-Key with the same body books nothing anew and is answered as the first one was.
    """
    visit = Visit(
        [_wanted(each) for each in body.appointments],
        Contact(body.contact.mobile, body.contact.language, body.contact.reminders),
        key=idempotency_key,
        request_sha256=hashlib.sha256(await request.body()).digest() if idempotency_key else None,
    )
    _, answer = await book(app, actor, visit)
    return Response(answer, 201, {"Cache-Control": "private, no-cache"}, JSON)


def _wanted(body: AppointmentIn) -> Wanted:
    return Wanted(body.item, body.device, body.start, body.facts(), body.displaces)


@router.get("/bookings", response_model=None)
async def get_bookings(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    day: Day | None = None,
    room: UUID | None = None,
    item: UUID | None = None,
    patient_id: Annotated[str | None, Query(alias="patientId")] = None,
    status: Annotated[list[Status] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: str | None = None,
) -> Response:
    """Bookings, earliest first, a page at a time. All criteria that are given must hold."""
    begins = openings.midnight(day, app.settings.zone) if day else None
    criteria = Criteria(
        room_id=room,
        step_id=item,
        patient_id=patient_id,
        status=tuple(status or ()),
        begins_from=begins,
        begins_before=openings.midnight(day + openings.DAY, app.settings.zone) if day else None,
        after=read_cursor(cursor) if cursor else None,
        limit=limit,
    )
    async with app.db.transaction() as tx:
        results, following = await shown.listed(tx, criteria, zone=app.settings.time_zone, visible_to=actor)
    return page(request, results, following)


@router.get("/bookings/{booking_id}", response_model=None)
async def get_booking(booking_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """One booking with its history."""
    async with app.db.transaction() as tx:
        found = await queries.load(tx, booking_id, visible_to=actor)
        return tagged(await shown.body(tx, found.id, zone=app.settings.time_zone), found.version)


@router.put("/bookings/{booking_id}", response_model=None)
async def put_booking(
    booking_id: UUID, body: RescheduleIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Move a booking; its history stays. 409 where the time is not free, 412 where somebody else changed it first."""
    change = Change(body.device, body.start, body.reason or None, body.facts(), body.displaces)
    version, answer = await reschedule(app, actor, booking_id, change, version=version_asked(request, body.version))
    return tagged(answer, version)


@router.post("/bookings/{booking_id}/cancel", response_model=None)
async def post_booking_cancel(
    booking_id: UUID, body: ReasonIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Cancel a booking. Its item stays in the worklist without a time of its own; cancel the order to end that, too."""
    asked = version_asked(request, body.version)
    version, answer = await cancel(app, actor, booking_id, reason=body.reason or None, version=asked)
    return tagged(answer, version)


@router.get("/bookings/{booking_id}/messages", response_model=None)
async def get_booking_messages(booking_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """What the patient was told of a booking by short message, and what became of it."""
    async with app.db.transaction() as tx:
        found = await queries.load(tx, booking_id, visible_to=actor)
        answer = await told.body(tx, found.id, zone=app.settings.time_zone)
    return Response(b'{"results":' + answer + b"}", media_type=JSON)


@router.post("/bookings/messages/refuse")
async def post_messages_refuse(body: MobileIn, app: CurrentApp, actor: CurrentActor) -> dict[str, str]:
    """Send no messages to a number any more."""
    return {"mobile": await reminders.refuse(app, actor, body.mobile)}


@router.post("/bookings/messages/allow")
async def post_messages_allow(body: MobileIn, app: CurrentApp, actor: CurrentActor) -> dict[str, str]:
    """Send messages to a number again."""
    return {"mobile": await reminders.allow(app, actor, body.mobile)}
