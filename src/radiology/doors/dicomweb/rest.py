"""The specification's own DICOM operations: store, query and metadata, below /api/radiology."""

import asyncio
from typing import Any, cast

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.application_entities.asking import ask
from radiology.application_entities.queries import find_application_entity
from radiology.audit import actions as audit
from radiology.doors.dicomweb.foreign import ForeignSearch
from radiology.doors.dicomweb.media_types import DICOM_JSON, JSON, accepted, choose
from radiology.doors.dicomweb.parameters import base_url
from radiology.doors.dicomweb.stow import store
from radiology.doors.dicomweb.wado import metadata_answer
from radiology.doors.dicomweb.zipped import zip_answer
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.searching import Searcher
from radiology.errors import FieldProblem, Invalid, Unprocessable
from radiology.settings import Settings
from radiology.standards.dicom.matching import MatchingOptions
from radiology.studies.queries import read
from radiology.studies.queries.retrieve import Target, study_instance_uid_of
from radiology.studies.queries.search import Found, Origin, find
from radiology.studies.search import Level, StudySearch, parse_keys, parse_level

PATH = "/api/radiology"

router = APIRouter(tags=["dicom"], route_class=StrictJSONRoute)


class Query(BaseModel):
    """What `POST /api/radiology/dicom/query` asks, the matching keys of a C-FIND by keyword or tag."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"level": "STUDY", "query": {"PatientID": "12345", "StudyDate": "20260121", "Modality": "DX"}}]
        },
    )

    level: str = Field(description="PATIENT, STUDY, SERIES or IMAGE (also INSTANCE).")
    query: dict[str, Any] = Field(
        default_factory=dict[str, Any],
        description="Keyword or tag: value to match (PS3.4 C.2.2.2). An empty value asks for the attribute's return.",
    )
    root: str | None = Field(default=None, description="Accepted and not needed: every level is searched relationally.")
    limit: int | None = Field(default=None, ge=1)
    offset: int = Field(default=0, ge=0)
    fuzzy: bool = False
    remote: str | None = Field(
        default=None, description="Title of a registered archive to ask instead of this one, by C-FIND or QIDO-RS."
    )


# The body is a stream of DICOM, which FastAPI must not read.
router.add_api_route(
    PATH + "/dicom/store",
    store,
    methods=["POST"],
    status_code=201,
    response_model=None,
    openapi_extra={"requestBody": {"content": {"application/dicom": {}, "multipart/related": {}}, "required": True}},
)


@router.post(PATH + "/dicom/query", response_model=None)
async def query(body: Query, request: Request, app: CurrentApp, actor: Searcher) -> Response:
    """Find patients, studies, series or instances as C-FIND does. No match is an empty list, never an error."""
    if body.remote is not None:
        return await _ask_remote(body, body.remote, app, actor)
    search = _search(body, app.settings)
    origin = Origin(base_url(request), app.settings.ae_title)
    found = await find(app.db, search, visible_to=actor, origin=origin)
    pairs = [(name, _text(name, value)) for name, value in body.query.items()]
    foreign = ForeignSearch(request.app.state.proxy, search, pairs, base_url(request))
    found = await foreign.merged(found, visible_to=actor)
    return Response(_page(search, found), media_type=JSON)


async def _ask_remote(body: Query, remote: str, app: App, actor: Actor) -> Response:
    """The same query, answered by another archive. Raises Unprocessable for one that is not registered, PeerFailed."""
    actor.must(Permission.READ)
    level = parse_level(body.level)
    pairs = [(name, _text(name, value)) for name, value in body.query.items()]
    limit = min(body.limit or app.settings.qido_default_limit, app.settings.qido_max_limit)
    async with app.db.transaction() as tx:
        entity = await find_application_entity(tx, remote)
        await audit.record(tx, actor, "remote.query", remote, detail={"level": level.value})
    if entity is None or not entity.is_callable:
        sentence = "an application entity with host and port, or with dicomwebUrl"
        raise Unprocessable(
            f"{remote} is no archive that can be asked. Register it as {sentence}.",
            fields=[FieldProblem("remote", sentence)],
        )
    found, is_all = await asyncio.to_thread(ask, app.settings, entity, level.value, pairs, limit=limit)
    page = {"results": found, "total": len(found), "totalIsExact": is_all, "next": None, "remote": remote}
    return Response(orjson.dumps(page), media_type=JSON)


@router.get(PATH + "/studies/{study}/dicom/metadata", response_model=None)
async def metadata(
    study: str, request: Request, app: CurrentApp, actor: CurrentActor, level: str = "instance"
) -> Response:
    """All attributes of every instance of a study as DICOM JSON; `level=series` gives those of its series."""
    if level not in ("study", "series", "instance"):
        raise Invalid("level must be series or instance.", fields=(FieldProblem("level", "series or instance"),))
    async with app.db.transaction() as tx:
        uid = await study_instance_uid_of(tx, await read.resolve(tx, study, visible_to=actor))
    if level != "series":
        return await metadata_answer(request, Target(uid), actor)
    most = app.settings.qido_max_limit
    search = StudySearch(Level.SERIES, study_instance_uid=uid, include_all=True, limit=most)
    found = await find(app.db, search, visible_to=actor, origin=Origin(base_url(request), app.settings.ae_title))
    return Response(found.json, media_type=choose(accepted(request), (DICOM_JSON, JSON)))


@router.get(PATH + "/studies/{study}/dicom/zip", response_model=None)
async def zipped(study: str, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """All objects of a study as a ZIP with a DICOMDIR, and a page that shows its images in any browser."""
    async with app.db.transaction() as tx:
        uid = await study_instance_uid_of(tx, await read.resolve(tx, study, visible_to=actor.beyond_reading))
    return await zip_answer(request, actor, Target(uid))


def _search(body: Query, settings: Settings) -> StudySearch:
    options = MatchingOptions(comma_lists=True, empty_value=True, multiple_values=True)
    return StudySearch(
        level=parse_level(body.level),
        keys=parse_keys(((name, _text(name, value)) for name, value in body.query.items()), options),
        fuzzy=body.fuzzy,
        limit=min(body.limit or settings.qido_default_limit, settings.qido_max_limit),
        offset=body.offset,
    )


def _text(name: str, value: Any) -> str:
    """The value of a key as DICOM writes it; a list is several values."""
    if value is None:
        return ""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return "\\".join(_text(name, one) for one in cast("list[Any]", value))
    raise Invalid(f"{name}: a value must be text.", fields=(FieldProblem(f"query.{name}", "text, or a list of texts"),))


def _page(search: StudySearch, found: Found) -> bytes:
    following = search.offset + len(found.answers)
    rest = {
        "total": found.total,
        "totalIsExact": found.total_is_exact,
        "next": following if following < found.total and found.answers else None,
    }
    return b'{"results":' + found.json + b"," + orjson.dumps(rest)[1:]
