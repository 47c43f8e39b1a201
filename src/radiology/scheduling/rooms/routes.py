"""Rooms over REST, and what holds for all rooms of a facility."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.addresses import origin_of
from radiology.doors.http.answers import JSON, created, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.scheduling.rooms import actions, queries
from radiology.scheduling.rooms.reading import day_of
from radiology.scheduling.rooms.schemas import BlockedIn, CalendarIn, Day, RoomIn, RoomOut, RulesIn

PATH = "/api/radiology/rooms"

router = APIRouter(prefix=PATH, tags=["rooms"], route_class=StrictJSONRoute)


@router.get("", response_model=None)
async def get_rooms(app: CurrentApp, actor: CurrentActor) -> Response:
    """All rooms with their devices and weeks."""
    actor.must(Permission.READ)
    async with app.db.transaction() as tx:
        found = await queries.listed(tx, visible_to=actor)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.post("", status_code=201, response_model=None, responses={201: {"model": RoomOut}})
async def post_room(body: RoomIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Add a room. Its devices are application entities of the facility. Needs `radiology.administer`."""
    room_id, version, answer = await actions.add_room(app, actor, body)
    return created(answer, f"{PATH}/{room_id}", version)


@router.get("/rules")
async def get_rules(app: CurrentApp, actor: CurrentActor) -> RulesIn:
    """What holds for all rooms of the facility."""
    actor.must(Permission.READ)
    async with app.db.transaction() as tx:
        return RulesIn.model_validate(await queries.rules(tx, actor.facility_code or app.settings.facility_code))


@router.put("/rules", status_code=204)
async def put_rules(body: RulesIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Change them all: breaks, nurses, minutes, grace, reminders."""
    await actions.save_rules(app, actor, body)
    return Response(status_code=204)


@router.get("/calendar", response_model=None)
async def get_calendar(
    app: CurrentApp, actor: CurrentActor, year: Annotated[int | None, Query(ge=2000, le=2999)] = None
) -> Response:
    """Holidays and days of Ramadan of a year."""
    actor.must(Permission.READ)
    facility = actor.facility_code or app.settings.facility_code
    year = year or app.clock.now().astimezone(app.settings.zone).year
    async with app.db.transaction() as tx:
        found = await queries.calendar_body(tx, facility, year=year)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.put("/calendar")
async def put_calendar(body: CalendarIn, app: CurrentApp, actor: CurrentActor) -> dict[str, int]:
    """Take over holidays and days of Ramadan, each in place of what stood on its day; the whole year where asked."""
    return {"days": await actions.import_calendar(app, actor, body)}


@router.get("/{room_id}", response_model=None, responses={200: {"model": RoomOut}})
async def get_room(room_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """One room."""
    actor.must(Permission.READ)
    async with app.db.transaction() as tx:
        found = await queries.room(tx, room_id, visible_to=actor)
        return tagged(await queries.body(tx, room_id), found.version)


@router.put("/{room_id}", response_model=None, responses={200: {"model": RoomOut}})
async def put_room(room_id: UUID, body: RoomIn, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Change a room and its week; what is booked stays booked."""
    asked = version_asked(request, body.version)
    version, answer = await actions.change_room(app, actor, room_id, body, version=asked)
    return tagged(answer, version)


@router.delete("/{room_id}", status_code=204)
async def delete_room(room_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Forget a room in which nothing was booked; make any other one inactive."""
    await actions.remove_room(app, actor, room_id)
    return Response(status_code=204)


@router.get("/{room_id}/day", response_model=None)
async def get_room_day(room_id: UUID, app: CurrentApp, actor: CurrentActor, day: Day | None = None) -> Response:
    """When the room is open on a day (today), what is blocked, and its bookings; what they are for, for who may see."""
    async with app.db.transaction() as tx:
        return Response(await day_of(tx, app, actor, room_id, day), media_type=JSON)


@router.get("/{room_id}/blocked", response_model=None)
async def get_blocked(room_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """What is blocked and not over."""
    actor.must(Permission.READ)
    async with app.db.transaction() as tx:
        await queries.room(tx, room_id, visible_to=actor)
        found = await queries.blocked_body(tx, room_id, since=app.clock.now(), zone=app.settings.time_zone)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.post("/{room_id}/blocked", status_code=201)
async def post_blocked(room_id: UUID, body: BlockedIn, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Block a time for maintenance, a power cut or else. `affected` are bookings that lie in it and are to be moved."""
    blocked_id, affected = await actions.block(app, actor, room_id, body)
    return {"id": str(blocked_id), "affected": [str(booking) for booking in affected]}


@router.delete("/{room_id}/blocked/{blocked_id}", status_code=204)
async def delete_blocked(room_id: UUID, blocked_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Open a time again."""
    await actions.unblock(app, actor, room_id, blocked_id)
    return Response(status_code=204)


@router.post("/{room_id}/links")
async def post_room_links(room_id: UUID, request: Request, app: CurrentApp, actor: CurrentActor) -> dict[str, str]:
    """New addresses of the room's calendar (RFC 5545) and waiting room, which need no signing in; the old ones end.

    Neither tells a name. Needs `radiology.administer`.
    """
    secret = await actions.renew_feed(app, actor, room_id)
    address = f"{origin_of(request)}/open/rooms/{secret}"
    return {"calendar": f"{address}/calendar.ics", "waitingRoom": f"{address}/waiting-room"}
