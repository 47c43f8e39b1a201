"""Projects, exports and masked regions over REST."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from radiology.access.model import Permission
from radiology.deidentification import exports, projects, queries, region_queries
from radiology.deidentification.model import MOST_STUDIES
from radiology.deidentification.schemas import ExportIn, ProjectIn, RegionsIn
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import FieldProblem, Invalid
from radiology.standards.dicom.matching import MatchingOptions
from radiology.studies.search import Level, StudySearch, parse_keys

PATH = "/api/radiology"
ZIP = "application/zip"
CHUNK_BYTES = 1024 * 1024

router = APIRouter(prefix=PATH, tags=["de-identification"], route_class=StrictJSONRoute)


@router.post("/projects", status_code=201, response_model=None)
async def post_project(body: ProjectIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """A project: why and how objects are de-identified. It can be used when somebody else has approved it."""
    project_id, answer = await projects.create_project(
        app, actor, name=body.name, purpose=body.purpose, profile=body.profile, options=body.options.model_dump()
    )
    return Response(answer, 201, {"Location": f"{PATH}/projects/{project_id}"}, JSON)


@router.get("/projects", response_model=None)
async def get_projects(app: CurrentApp, actor: CurrentActor) -> Response:
    """All projects, newest first."""
    actor.must(Permission.EXPORT)
    async with app.db.transaction() as tx:
        return Response(await queries.projects_body(tx), media_type=JSON)


@router.get("/projects/{project_id}", response_model=None)
async def get_project(project_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """One project."""
    actor.must(Permission.EXPORT)
    async with app.db.transaction() as tx:
        return Response(await queries.project_body(tx, project_id), media_type=JSON)


@router.post("/projects/{project_id}/approval", response_model=None)
async def post_approval(project_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Approve a project that somebody else has made."""
    return Response(await projects.approve_project(app, actor, project_id), media_type=JSON)


@router.delete("/projects/{project_id}", response_model=None)
async def delete_project(project_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """End a project: no export of it may begin any more."""
    return Response(await projects.end_project(app, actor, project_id), media_type=JSON)


@router.get("/projects/{project_id}/patients/{pseudonym}", response_model=None)
async def get_patient(project_id: UUID, pseudonym: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Who a pseudonym is. For who watches over privacy; every question is recorded."""
    return Response(await projects.who_is(app, actor, project_id, pseudonym), media_type=JSON)


@router.post("/exports", status_code=202, response_model=None)
async def post_export(body: ExportIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Have studies exported. The answer comes at once; `GET` tells how far it is."""
    if bool(body.studyInstanceUIDs) == (body.query is not None):
        raise Invalid("Give studyInstanceUIDs or query, one of them.", fields=[FieldProblem("query", "or UIDs")])
    uids = body.studyInstanceUIDs
    if body.query is not None:
        actor.must(Permission.EXPORT)
        keys = parse_keys(body.query.items(), MatchingOptions())
        uids = await exports.studies_found(app, actor, StudySearch(Level.STUDY, keys, limit=MOST_STUDIES + 1))
    export_id, answer = await exports.start_export(
        app, actor, body.project, uids, leave_out_small_groups=body.leaveOutSmallGroups
    )
    return Response(answer, 202, {"Location": f"{PATH}/exports/{export_id}"}, JSON)


@router.get("/exports", response_model=None)
async def get_exports(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    limit: int = Query(default=50, ge=1, le=200),
    cursor: str | None = None,
) -> Response:
    """Exports, newest first: one's own, and all for who watches over privacy."""
    actor.must(Permission.EXPORT)
    async with app.db.transaction() as tx:
        results, following = await queries.page_of(tx, limit=limit, cursor=cursor, visible_to=actor)
    return page(request, results, following)


@router.get("/exports/{export_id}", response_model=None)
async def get_export(export_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """How far an export is, and what was withheld and why."""
    actor.must(Permission.EXPORT)
    async with app.db.transaction() as tx:
        return Response(await queries.export_body(tx, export_id, visible_to=actor), media_type=JSON)


@router.get("/exports/{export_id}/file", response_model=None)
async def get_file(export_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """The ZIP, for who asked for it, until it expires."""
    path = await exports.file_of(app, actor, export_id)
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="{export_id}.zip"',
        "Content-Length": str(path.stat().st_size),
    }
    return StreamingResponse(_chunks(path), media_type=ZIP, headers=headers)


@router.get("/exports/{export_id}/mapping", response_model=None)
async def get_mapping(export_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Old and new UIDs of each instance. For who watches over privacy; every question is recorded."""
    return Response(await projects.what_was_replaced(app, actor, export_id), media_type=JSON)


@router.delete("/exports/{export_id}", response_model=None)
async def delete_export(export_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Make no more of an export, or remove its file."""
    return Response(await exports.end_export(app, actor, export_id), media_type=JSON)


@router.get("/masked-regions", response_model=None)
async def get_regions(app: CurrentApp, actor: CurrentActor) -> Response:
    """Where devices burn text into their images."""
    actor.must(Permission.EXPORT)
    async with app.db.transaction() as tx:
        return Response(orjson.dumps(await region_queries.regions(tx)), media_type=JSON)


@router.put("/masked-regions", status_code=204, response_model=None)
async def put_regions(body: RegionsIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Say where images of a device and size have text, from the next export on."""
    await projects.set_regions(app, actor, body.regions())
    return Response(status_code=204)


@router.delete("/masked-regions", status_code=204, response_model=None)
async def delete_regions(
    manufacturer: str, model: str, rows: int, columns: int, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Say nothing any more of a device and size: its images are withheld again."""
    await projects.forget_regions(app, actor, manufacturer=manufacturer, model=model, rows=rows, columns=columns)
    return Response(status_code=204)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
