"""Pulls over REST."""

from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.remotes.pulls import actions, queries

PATH = "/api/radiology/pulls"

router = APIRouter(prefix=PATH, tags=["remotes"], route_class=StrictJSONRoute)


@router.get("", response_model=None)
async def get_pulls(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    limit: int = Query(default=50, ge=1, le=200),
    cursor: str | None = None,
) -> Response:
    """Pulls, newest first."""
    async with app.db.transaction() as tx:
        results, following = await queries.page_of(tx, limit=limit, cursor=cursor, visible_to=actor)
    return page(request, results, following)


@router.get("/{job_id}", response_model=None)
async def get_pull(job_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """How far a pull has come."""
    async with app.db.transaction() as tx:
        return Response(await queries.body_of(tx, job_id, visible_to=actor), media_type=JSON)


@router.delete("/{job_id}", response_model=None)
async def delete_pull(job_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Fetch nothing more; what has come stays."""
    return Response(await actions.cancel_pull(app, actor, job_id), media_type=JSON)
