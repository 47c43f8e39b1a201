"""Reports that somebody must look at again, over REST."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import page, tagged
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.searching import Searcher
from radiology.kit.pages import read_cursor
from radiology.reports.outdated import actions, queries
from radiology.reports.schemas import ReportOut
from radiology.studies.parameters import NAMES, limit_of, openapi_parameters, read_parameters

router = APIRouter(prefix="/api/radiology/reports", tags=["reports"], route_class=StrictJSONRoute)

_LISTED = {
    "mine": ("mine", "true: those that I signed"),
    "limit": NAMES["limit"],
    "cursor": NAMES["cursor"],
}


class ReviewIn(BaseModel):
    """That nothing of a report changes, though its images did."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"comment": "A repeated localizer.", "instances": 1}]}
    )

    comment: Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]
    instances: int | None = Field(default=None, description="How many changed images were looked at.")


@router.get("/outdated", response_model=None, openapi_extra={"parameters": openapi_parameters(_LISTED)})
async def get_outdated(request: Request, app: CurrentApp, actor: Searcher) -> Response:
    """Signed reports whose images changed since, by when somebody must have looked: within 1 h, 4 h or 24 h."""
    actor.must(Permission.INTERPRET)
    given = read_parameters(request.query_params, _LISTED)
    async with app.db.transaction() as tx:
        results, cursor = await queries.open_tasks(
            tx,
            visible_to=actor.beyond_reading,
            assigned_to=actor.id if given.get("mine") == "true" else None,
            now=app.clock.now(),
            after=read_cursor(given["cursor"]) if "cursor" in given else None,
            limit=limit_of(given.get("limit")),
            zone=app.settings.time_zone,
        )
    return page(request, results, cursor)


@router.post("/{report}/outdated/review", response_model=None, responses={200: {"model": ReportOut}})
async def post_review(report: str, body: ReviewIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Sign that a report stays as it is. 409 where it is not outdated, 412 where more images have changed meanwhile."""
    version, answer = await actions.review(app, actor, report, comment=body.comment, instances=body.instances)
    return tagged(answer, version)
