"""What receivers were asked to keep, and what they said, over REST; for administrators."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from radiology.access.model import Permission
from radiology.delivery.commitment import queries
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page
from radiology.doors.http.bodies import StrictJSONRoute

router = APIRouter(prefix="/api/radiology/commitments", tags=["storage commitment"], route_class=StrictJSONRoute)


@router.get("", response_model=None)
async def get_commitments(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    ae_title: Annotated[str | None, Query(alias="aeTitle")] = None,
    state: Literal["open", "asked", "answered", "given-up"] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> Response:
    """Storage commitment that receivers were asked for, newest first."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        results, following = await queries.page_of(tx, ae_title=ae_title, state=state, limit=limit, cursor=cursor)
    return page(request, results, following)


@router.get("/{commitment_id}", response_model=None)
async def get_commitment(commitment_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """One request, and what the receiver said of each instance."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return Response(await queries.body_of(tx, commitment_id), media_type=JSON)
