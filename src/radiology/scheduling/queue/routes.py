"""Queues over REST: arrival, walk-ins, calls, slips, and what the waiting room shows."""

from datetime import datetime
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from radiology.access import sessions
from radiology.access.model import Permission
from radiology.app import App
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.plain_pages import HEADERS, page
from radiology.scheduling.calendar_feed import calendar_of
from radiology.scheduling.queue import actions, queries
from radiology.scheduling.queue.model import Status, Token, in_turn
from radiology.scheduling.queue.queries import Seen
from radiology.scheduling.queue.schemas import QueueOut, TokenIn, TokenOut, WalkInIn
from radiology.scheduling.queue.slips import slip_of
from radiology.scheduling.rooms import queries as rooms

router = APIRouter(prefix="/api/radiology", tags=["queue"], route_class=StrictJSONRoute)
open_to_all = APIRouter(prefix="/open/rooms/{secret}", tags=["queue"])


@router.post("/bookings/{booking_id}/arrive")
async def post_booking_arrive(booking_id: UUID, app: CurrentApp, actor: CurrentActor) -> TokenOut:
    """The patient has come: booking, item and study are ARRIVED, and there is a token for the room's queue."""
    return _shown(app, await actions.arrive(app, actor, booking_id), None)


@router.post("/queue", status_code=201)
async def post_queue(body: WalkInIn, app: CurrentApp, actor: CurrentActor) -> TokenOut:
    """Somebody has come without a booking: a token for the room's queue."""
    return _shown(app, await actions.walk_in(app, actor, body.item, body.room, body.facts()), None)


@router.get("/queue/{room_id}")
async def get_queue(room_id: UUID, app: CurrentApp, actor: CurrentActor) -> QueueOut:
    """The queue of a room today. Whoever is in the room or done is not in it any more."""
    actor.must(Permission.READ)
    async with app.db.transaction() as tx:
        await rooms.room(tx, room_id, visible_to=actor)
        tokens = await queries.present(tx, room_id, actions.today(app))
        seen = await queries.seen(tx, room_id, actions.today(app), visible_to=actor)
    return QueueOut(
        called=[_shown(app, token, seen.get(token.id)) for token in tokens if token.status == Status.CALLED],
        waiting=[_shown(app, token, seen.get(token.id)) for token in in_turn(tokens)],
        missed=[_shown(app, token, seen.get(token.id)) for token in tokens if token.status == Status.MISSED],
    )


@router.post("/queue/{room_id}/next")
async def post_queue_next(room_id: UUID, app: CurrentApp, actor: CurrentActor) -> TokenOut:
    """Call whose turn it is: urgent ones, then who fasts, diabetics first, then by time; isolation is last."""
    return _shown(app, await actions.call_next(app, actor, room_id), None)


@router.put("/queue/{room_id}/tokens/{token_id}")
async def put_token(room_id: UUID, token_id: UUID, body: TokenIn, app: CurrentApp, actor: CurrentActor) -> TokenOut:
    """Call a token again, let it wait again, note that nobody came, or that somebody left."""
    return _shown(app, await actions.set_token(app, actor, room_id, token_id, body.status), None)


@router.get("/queue/{room_id}/tokens/{token_id}/slip", response_model=None)
async def get_slip(room_id: UUID, token_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """The slip of a token to print: number, room, accession number as Code 128 and QR code, in Bangla and English."""
    async with app.db.transaction() as tx:
        token = await queries.load(tx, room_id, token_id, visible_to=actor)
        room = await rooms.room(tx, room_id, visible_to=actor)
        item = await actions.item_of(tx, actor, token)
        rules = await rooms.rules(tx, room.facility_code)
    values, markup = slip_of(token, room, item, rules, zone=app.settings.zone)
    return page("queue-slip.html", values, markup=markup)


def _shown(app: App, token: Token, seen: Seen | None) -> TokenOut:
    def local(moment: datetime | None) -> datetime | None:
        return moment.astimezone(app.settings.zone) if moment else None

    return TokenOut(
        id=token.id,
        number=token.number,
        status=Status(token.status),
        priority=token.priority,
        booked_for=local(token.begins),
        taken_at=token.taken_at.astimezone(app.settings.zone),
        called_at=local(token.called_at),
        calls=token.calls,
        item=token.step_id,
        booking=token.booking_id,
        patient_name=seen.patient_name if seen else None,
        patient_id=seen.patient_id if seen else None,
        accession_number=seen.accession_number if seen else None,
        requested_procedure=seen.requested_procedure if seen else None,
    )


# --- Who has the room's link ---


@open_to_all.get("/waiting-room", response_model=None)
async def get_waiting_room(secret: str, app: CurrentApp) -> Response:
    """What a screen in the waiting room shows: numbers, and no names. Whoever has the room's link may ask."""
    async with app.db.transaction() as tx:
        room = await rooms.room_of_feed(tx, sessions.digest(secret))
        tokens = await queries.present(tx, room.id, actions.today(app))
    called = [token for token in tokens if token.status == Status.CALLED]
    body = {
        "room": {"name": room.name, "nameBangla": room.name_bangla},
        "called": [token.number for token in sorted(called, key=lambda token: (token.called_at, token.number))],
        "waiting": [token.number for token in in_turn(tokens)],
    }
    return Response(orjson.dumps(body), 200, {"Cache-Control": "no-store"}, JSON)


@open_to_all.get("/calendar.ics", response_model=None)
async def get_calendar(secret: str, request: Request, app: CurrentApp) -> Response:
    """The bookings of a room as a calendar (RFC 5545), from a week ago on, without names."""
    async with app.db.transaction() as tx:
        room = await rooms.room_of_feed(tx, sessions.digest(secret))
        text = await calendar_of(tx, app, room, host=request.url.hostname or "radiology")
    headers = {"Cache-Control": HEADERS["Cache-Control"], "Referrer-Policy": "no-referrer"}
    return Response(text, 200, headers, "text/calendar; charset=utf-8")
