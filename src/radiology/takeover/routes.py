"""Foreign archives that are copied, over REST; for administrators."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.takeover import queries
from radiology.takeover.actions import answer_queries
from radiology.takeover.sources import source_of

router = APIRouter(prefix="/api/radiology/takeover", tags=["takeover"], route_class=StrictJSONRoute)


class SourceIn(BaseModel):
    """A foreign archive, and whether it is asked for studies that have not come from it yet."""

    model_config = ConfigDict(
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        json_schema_extra={"examples": [{"source": "PACS1", "answersQueries": True}]},
    )

    source: Annotated[str, StringConstraints(min_length=1, max_length=2048, strip_whitespace=True)] = Field(
        description="Its AE title here, or the URL of its DICOMweb, as it is given to `radi migrate-from`."
    )
    answers_queries: bool


class SourceOut(SourceIn):
    """The same, with how many of its studies are in each state, and how many parts are not proven to be listed."""

    waiting: int
    copied: int
    differs: int
    failed: int
    incomplete: int


@router.get("/sources")
async def get_sources(app: CurrentApp, actor: CurrentActor) -> dict[str, list[SourceOut]]:
    """Every foreign archive, and how far copying it has come."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        found = await queries.all_sources(tx)
    return {"results": [SourceOut.model_validate(each, from_attributes=True) for each in found]}


@router.put("/sources")
async def put_source(body: SourceIn, app: CurrentApp, actor: CurrentActor) -> SourceIn:
    """Have a foreign archive asked for studies that have not come from it yet, or not any more."""
    source = source_of(body.source)
    await answer_queries(app, actor, source, answers=body.answers_queries)
    return SourceIn(source=source, answers_queries=body.answers_queries)
