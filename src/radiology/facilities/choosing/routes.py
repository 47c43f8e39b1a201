"""The choice of a facility over REST."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.facilities.choosing import actions, queries
from radiology.facilities.choosing.schemas import FiguresIn, NeedIn, WaysIn, choice_body

router = APIRouter(prefix="/api/radiology/facilities", tags=["facilities"], route_class=StrictJSONRoute)

FacilityCode = Annotated[str, Path(max_length=64)]


@router.post("/choose", response_model=None)
async def post_choose(body: NeedIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Where an examination is done best: up to five places with what their scores are made of, and who was left out."""
    procedure, choice = await actions.answer(app, actor, body)
    told = choice_body(choice, procedure=procedure.key, priority=body.priority)
    return Response(orjson.dumps(told), media_type=JSON)


@router.put("/{code}/figures/{modality}", status_code=204)
async def put_figures(
    code: FacilityCode,
    modality: Annotated[str, Path(pattern="^[A-Z]{2,4}$")],
    body: FiguresIn,
    app: CurrentApp,
    actor: CurrentActor,
) -> Response:
    """What a facility without this service tells of its waits, turnaround, rejects and dose, and who else pays."""
    await actions.tell_figures(app, actor, code, modality, body)
    return Response(status_code=204)


@router.get("/{code}/figures", response_model=None)
async def get_figures(code: FacilityCode, app: CurrentApp, actor: CurrentActor) -> Response:  # noqa: ARG001
    """What is known of a facility, by modality."""
    async with app.db.reading() as tx:
        found = await queries.figures_body(tx, code, zone=app.settings.time_zone)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.get("/{code}/ways", response_model=None)
async def get_ways(code: FacilityCode, app: CurrentApp, actor: CurrentActor) -> Response:  # noqa: ARG001
    """The measured ways that begin at a facility."""
    async with app.db.reading() as tx:
        found = await queries.ways_body(tx, code)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.put("/{code}/ways", status_code=204)
async def put_ways(code: FacilityCode, body: WaysIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """The measured ways that begin at a facility, all of them."""
    await actions.tell_ways(app, actor, code, body)
    return Response(status_code=204)
