"""Moves over REST, as the specification names them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.delivery.moves import actions, queries
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.studies.queries.retrieve import Target

PATH = "/api/radiology/dicom/move"
EXAMPLE: dict[str, Any] = {"studyInstanceUID": "1.2.840.113619.2.55.3.1", "destinationAE": "WORKSTATION1"}

router = APIRouter(prefix=PATH, tags=["dicom"], route_class=StrictJSONRoute)

UID = Annotated[str, StringConstraints(pattern=r"^[0-9.]{1,64}$")]


class MoveIn(BaseModel):
    """What is to be moved, and where to."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    studyInstanceUID: UID  # noqa: N815
    seriesInstanceUID: UID | None = None  # noqa: N815
    sopInstanceUID: UID | None = None  # noqa: N815
    destinationAE: Annotated[str, StringConstraints(min_length=1, max_length=16)] = Field(  # noqa: N815
        description="The AE title of a registered application entity that is a move destination."
    )
    priority: Literal["low", "medium", "high"] = "medium"

    def target(self) -> Target:
        """What is to be moved."""
        return Target(self.studyInstanceUID, self.seriesInstanceUID, self.sopInstanceUID)


@router.post("", status_code=202, response_model=None)
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


@router.get("/{job_id}", response_model=None)
async def get_move(job_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """How far a move has come: the counters, and the result of each instance."""
    async with app.db.transaction() as tx:
        return Response(await queries.body_of(tx, job_id, visible_to=actor), media_type=JSON)


@router.delete("/{job_id}", response_model=None)
async def delete_move(job_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Send nothing more of a move."""
    return Response(await actions.cancel_move(app, actor, job_id), media_type=JSON)
