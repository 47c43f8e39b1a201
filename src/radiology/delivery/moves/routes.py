"""Moves over REST, as the specification names them."""

from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from radiology.delivery.moves import actions, queries
from radiology.delivery.moves.schemas import MoveIn, MoveOut
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page
from radiology.doors.http.bodies import StrictJSONRoute

PATH = "/api/radiology/dicom/move"

router = APIRouter(prefix=PATH, tags=["dicom"], route_class=StrictJSONRoute)


@router.post("", status_code=202, response_model=None, responses={202: {"model": MoveOut}})
async def post_move(body: MoveIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Send images to another application entity. The answer comes at once; `GET` with its jobId tells how far it is.

    What fails is tried again after 1, 5 and 15 minutes.
    """
    move_id, answer = await actions.start_move(app, actor, body.target(), body.destinationAE, body.priority)
    return Response(answer, 202, {"Location": f"{PATH}/{move_id}"}, JSON)


@router.get("", response_model=None)
async def get_moves(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    limit: int = Query(default=50, ge=1, le=200),
    cursor: str | None = None,
) -> Response:
    """Moves, newest first."""
    async with app.db.transaction() as tx:
        results, following = await queries.page_of(tx, limit=limit, cursor=cursor, visible_to=actor)
    return page(request, results, following)


@router.get("/{job_id}", response_model=None, responses={200: {"model": MoveOut}})
async def get_move(job_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """How far a move has come: the counters, and the result of each instance."""
    async with app.db.transaction() as tx:
        return Response(await queries.body_of(tx, job_id, visible_to=actor), media_type=JSON)


@router.delete("/{job_id}", response_model=None, responses={200: {"model": MoveOut}})
async def delete_move(job_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Send nothing more of a move. An instance that is on its way has a few seconds to arrive."""
    return Response(await actions.cancel_move(app, actor, job_id), media_type=JSON)


@router.post("/{job_id}/retry", status_code=202, response_model=None, responses={202: {"model": MoveOut}})
async def post_retry(job_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Send now what a move still owes, and what the destination does not keep after all (storage commitment)."""
    return Response(await actions.retry_move(app, actor, job_id), 202, media_type=JSON)
