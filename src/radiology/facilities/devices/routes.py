"""Devices over REST."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from radiology.access.model import Actor, Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, created, page, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.facilities.devices import actions, queries
from radiology.facilities.devices.schemas import DeviceChange, DowntimeIn, OverrideIn, ReasonIn, StateIn
from radiology.facilities.model import DeviceState

PATH = "/api/radiology/devices"

router = APIRouter(prefix=PATH, tags=["devices"], route_class=StrictJSONRoute)

Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the device, its own for good.")]


def must_see_devices(actor: Actor) -> None:
    """Raises NotPermitted for patients and links: serial numbers and licences are the staff's."""
    if not actor.may(Permission.QUALITY):
        _ = actor.staff_reach


@router.get("", response_model=None)
async def get_devices(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    facility: Annotated[str | None, Query(max_length=16)] = None,
    modality: Annotated[str | None, Query(max_length=16)] = None,
    state: DeviceState | None = None,
    blocked: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
) -> Response:
    """Devices of the reader's facilities by number, a page at a time. All criteria that are given must hold."""
    must_see_devices(actor)
    criteria = queries.Criteria(facility, modality, state, blocked, after=cursor, limit=limit)
    async with app.db.reading() as tx:
        results, following = await queries.listed(tx, criteria, visible_to=actor)
    return page(request, results, following)


@router.post("", status_code=201, response_model=None)
async def post_device(body: DeviceChange, app: CurrentApp, actor: CurrentActor) -> Response:
    """Register a device. Needs `radiology.administer`. A room takes it by its AE title."""
    number, version, answer = await actions.add(app, actor, body)
    return created(answer, f"{PATH}/{number}", version)


@router.get("/{number}", response_model=None)
async def get_device(number: Number, app: CurrentApp, actor: CurrentActor) -> Response:
    """One device."""
    must_see_devices(actor)
    async with app.db.reading() as tx:
        found = await queries.load(tx, number, visible_to=actor)
        return tagged(await queries.body(tx, number), found.version)


@router.put("/{number}", response_model=None)
async def put_device(
    number: Number, body: DeviceChange, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Change all that is known of a device. Needs `radiology.administer`. 412 where somebody else changed it first."""
    version, answer = await actions.change(app, actor, number, body, version=version_asked(request, body.version))
    return tagged(answer, version)


@router.get("/{number}/history", response_model=None)
async def get_device_history(number: Number, app: CurrentApp, actor: CurrentActor) -> Response:
    """What became of a device, the newest first: states, blocks and overrides, each with who and why."""
    must_see_devices(actor)
    async with app.db.transaction() as tx:
        await queries.load(tx, number, visible_to=actor)
        found = await queries.history_body(tx, number, zone=app.settings.time_zone)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.post("/{number}/state", response_model=None)
async def post_device_state(number: Number, body: StateIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Say that a device works or does not. Nothing is booked on one that does not, before it is back."""
    version, answer = await actions.set_state(app, actor, number, body)
    return tagged(answer, version)


@router.post("/{number}/block", response_model=None)
async def post_device_block(number: Number, body: ReasonIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Book nothing new on a device, as when its tests have failed. Needs `radiology.administer`."""
    version, answer = await actions.block(app, actor, number, body.reason)
    return tagged(answer, version)


@router.post("/{number}/unblock", response_model=None)
async def post_device_unblock(number: Number, body: ReasonIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Open a device again. Needs `radiology.administer`."""
    version, answer = await actions.unblock(app, actor, number, body.reason)
    return tagged(answer, version)


@router.post("/{number}/override", response_model=None)
async def post_device_override(number: Number, body: OverrideIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Use a device in spite of its block or licence, up to a day; for a consultant or an administrator."""
    version, answer = await actions.override(app, actor, number, until=body.until, reason=body.reason)
    return tagged(answer, version)


@router.post("/{number}/override/end", response_model=None)
async def post_device_override_end(number: Number, body: ReasonIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """The block or the licence counts again."""
    version, answer = await actions.end_override(app, actor, number, body.reason)
    return tagged(answer, version)


@router.get("/{number}/downtimes", response_model=None)
async def get_device_downtimes(number: Number, app: CurrentApp, actor: CurrentActor) -> Response:
    """Planned downtimes that are not over, those of the whole room among them."""
    must_see_devices(actor)
    async with app.db.transaction() as tx:
        await queries.load(tx, number, visible_to=actor)
        found = await queries.downtime_body(tx, number, since=app.clock.now(), zone=app.settings.time_zone)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.post("/{number}/downtimes", status_code=201)
async def post_device_downtime(
    number: Number, body: DowntimeIn, app: CurrentApp, actor: CurrentActor
) -> dict[str, UUID]:
    """Plan a time in which a device does not work, wherever it stands. Needs `radiology.write`."""
    return {"id": await actions.plan_downtime(app, actor, number, body)}


@router.delete("/{number}/downtimes/{blocked_id}", status_code=204)
async def delete_device_downtime(number: Number, blocked_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Take a planned downtime back."""
    await actions.cancel_downtime(app, actor, number, blocked_id)
    return Response(status_code=204)
