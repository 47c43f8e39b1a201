"""Operators over REST, for administrators."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import created, page, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.facilities.operators import actions, queries
from radiology.facilities.operators.schemas import OperatorChange

PATH = "/api/radiology/operators"

router = APIRouter(prefix=PATH, tags=["operators"], route_class=StrictJSONRoute)


@router.get("", response_model=None)
async def get_operators(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    facility: Annotated[str | None, Query(max_length=16)] = None,
    modality: Annotated[str | None, Query(max_length=16)] = None,
    active: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: UUID | None = None,
) -> Response:
    """Operators of the reader's facilities, a page at a time. All criteria that are given must hold."""
    actor.must(Permission.ADMINISTER)
    criteria = queries.Criteria(facility, modality, active, after=cursor, limit=limit)
    async with app.db.reading() as tx:
        results, following = await queries.listed(tx, criteria, visible_to=actor)
    return page(request, results, following)


@router.post("", status_code=201, response_model=None)
async def post_operator(body: OperatorChange, app: CurrentApp, actor: CurrentActor) -> Response:
    """Add an operator."""
    operator_id, version, answer = await actions.add(app, actor, body)
    return created(answer, f"{PATH}/{operator_id}", version)


@router.get("/{operator_id}", response_model=None)
async def get_operator(operator_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """One operator."""
    actor.must(Permission.ADMINISTER)
    async with app.db.reading() as tx:
        found = await queries.load(tx, operator_id, visible_to=actor)
        return tagged(await queries.body(tx, operator_id), found.version)


@router.put("/{operator_id}", response_model=None)
async def put_operator(
    operator_id: UUID, body: OperatorChange, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Change all that is known of an operator. 412 where somebody else changed it first."""
    asked = version_asked(request, body.version)
    version, answer = await actions.change(app, actor, operator_id, body, version=asked)
    return tagged(answer, version)
