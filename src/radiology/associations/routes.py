"""What happened at the DICOM port, over REST and as a stream; for administrators."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Header, Query, Request, Response
from starlette.responses import StreamingResponse

from radiology.access.model import Permission
from radiology.app import App
from radiology.associations import queries, stream
from radiology.associations.actions import diagnosis_of, known
from radiology.associations.diagnosis import diagnose
from radiology.associations.model import from_json
from radiology.associations.schemas import AssociationOut, AssociationPage, DiagnosisOut, association_out
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.studies.moments import read_from
from radiology.studies.parameters import limit_of, openapi_parameters, read_parameters

LOOKED_EVERY_SECONDS = 1.0
HEARTBEAT_EVERY_LOOKS = 15

router = APIRouter(prefix="/api/radiology", tags=["associations"])

NAMES = {
    "ae_title": ("ae_title aeTitle", "calling or called AE title, exactly"),
    "host": ("host address", "the address that called"),
    "outcome": ("outcome", "open, rejected, released, aborted by peer, closed by peer, timed out, protocol error, ..."),
    "opened_from": ("opened_from openedFrom", "opened at or after: a date or a moment"),
    "opened_until": ("opened_until openedUntil", "opened at or before: a moment"),
    "limit": ("limit", "1 to 200, 50 where it is left out"),
    "cursor": ("cursor", "from `next` of the page before"),
}


@router.get("/associations", openapi_extra={"parameters": openapi_parameters(NAMES)})
async def get_associations(request: Request, app: CurrentApp, actor: CurrentActor) -> AssociationPage:
    """What happened at the DICOM port, newest first, each with what was wrong and what to change."""
    actor.must(Permission.ADMINISTER)
    given, zone = read_parameters(request.query_params, NAMES), app.settings.zone
    criteria = queries.Criteria(
        ae_title=given.get("ae_title"),
        host=given.get("host"),
        outcome=given.get("outcome"),
        opened_from=read_from(given["opened_from"], zone, "opened_from") if "opened_from" in given else None,
        opened_until=read_from(given["opened_until"], zone, "opened_until") if "opened_until" in given else None,
        limit=limit_of(given.get("limit")),
        after=pages.read_cursor(given["cursor"]) if "cursor" in given else None,
    )
    async with app.db.transaction() as tx:
        bodies, following = pages.page(await queries.search(tx, criteria), limit=criteria.limit)
        traces = [from_json(body) for body in orjson.loads(bodies)]
        knowledge = await known(tx, app, traces)
    shown = [association_out(trace, diagnose(trace, knowledge)) for trace in traces]
    return AssociationPage(results=shown, next=following)


@router.get("/associations/stream", response_model=None)
async def get_association_stream(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    after: Annotated[int | None, Query(ge=0, description="Position to go on behind; without it: from now on.")] = None,
    last_event_id: Annotated[int | None, Header(ge=0, description="The same, from a browser that resumes.")] = None,
) -> Response:
    """Associations as they open, are refused and end, as server-sent events; each with what was wrong."""
    actor.must(Permission.ADMINISTER)
    resumed = after if last_event_id is None else last_event_id
    position = await stream.newest_position(app) if resumed is None else resumed
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_frames(request, app, position), media_type="text/event-stream", headers=headers)


@router.get("/associations/{association_id}")
async def get_association(association_id: UUID, app: CurrentApp, actor: CurrentActor) -> AssociationOut:
    """One association."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        body = await queries.read(tx, association_id)
        if body is None:
            raise NotFound("There is no such association, or it was too long ago.")
        trace = from_json(body)
        return association_out(trace, diagnose(trace, await known(tx, app, [trace])))


@router.get("/application-entities/{title}/diagnosis", tags=["application entities"])
async def get_diagnosis(title: str, app: CurrentApp, actor: CurrentActor) -> DiagnosisOut:
    """The last associations of an application entity, what was wrong, and what to change on which side."""
    actor.must(Permission.ADMINISTER)
    return await diagnosis_of(app, title)


async def _frames(request: Request, app: App, position: int) -> AsyncIterator[bytes]:
    looks = 0
    yield b"retry: 2000\n\n"
    while not request.app.state.feed.closing:
        async for place, association in stream.read_on(app, position):
            position = place
            yield b"id: %d\nevent: association\ndata: %s\n\n" % (place, association.model_dump_json().encode())
        looks += 1
        if looks % HEARTBEAT_EVERY_LOOKS == 0:
            yield b": still here\n\n"
        await asyncio.sleep(LOOKED_EVERY_SECONDS)
