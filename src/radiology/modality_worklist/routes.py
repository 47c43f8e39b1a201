"""The modality worklist over REST."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, created, page, tagged, unchanged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.kit.ids import uuid_of
from radiology.kit.pages import read_cursor
from radiology.modality_worklist import performed_queries, queries
from radiology.modality_worklist.actions.place import change_item, place_item
from radiology.modality_worklist.actions.pools import remove_pool, save_pool
from radiology.modality_worklist.actions.status import change_status
from radiology.modality_worklist.criteria import Criteria
from radiology.modality_worklist.explaining import remarks, station_of
from radiology.modality_worklist.model import Status, Verb, why_not_shown
from radiology.modality_worklist.schemas import (
    AETitle,
    Said,
    Shown,
    StationPoolIn,
    WorklistItemIn,
    WorklistItemOut,
    WorklistPage,
    WorklistStatusIn,
)

PATH = "/api/radiology/worklist"

router = APIRouter(prefix=PATH, tags=["modality worklist"], route_class=StrictJSONRoute)


@router.post("", status_code=201, response_model=None, responses={201: {"model": WorklistItemOut}})
async def post_item(body: WorklistItemIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Place a procedure step in the worklist."""
    step_id, version, answer = await place_item(app, actor, body)
    return created(answer, f"{PATH}/{step_id}", version)


@router.get("", response_model=None, responses={200: {"model": WorklistPage}})
async def get_items(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    status: Annotated[list[Status] | None, Query()] = None,
    trigger: Annotated[Verb | None, Query(description="What gave the status; `expire`: nobody told the end.")] = None,
    modality: str | None = None,
    station: str | None = None,
    patient_id: Annotated[str | None, Query(alias="patientId")] = None,
    accession_number: Annotated[str | None, Query(alias="accessionNumber")] = None,
    study_instance_uid: Annotated[str | None, Query(alias="studyInstanceUID")] = None,
    service_request: Annotated[str | None, Query(alias="serviceRequest")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: str | None = None,
) -> Response:
    """Items, latest start first, a page at a time. All criteria that are given must hold."""
    criteria = Criteria(
        status=status or (),
        trigger=trigger,
        modality=modality,
        station=station,
        patient_id=patient_id,
        accession_number=accession_number,
        study_instance_uid=study_instance_uid,
        service_request=service_request,
        after=read_cursor(cursor) if cursor else None,
        limit=limit,
    )
    async with app.db.transaction() as tx:
        results, following = await queries.listed(tx, criteria, zone=app.settings.time_zone, visible_to=actor)
    return page(request, results, following)


@router.get("/pools", response_model=None)
async def get_pools(app: CurrentApp, actor: CurrentActor) -> Response:
    """The pools of stations of the facility."""
    actor.must(Permission.READ)
    async with app.db.transaction() as tx:
        found = await queries.pools(tx, facility_code=actor.facility_code or app.settings.facility_code)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.put("/pools/{name}", status_code=204)
async def put_pool(name: str, body: StationPoolIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Add a pool, or change which stations are in it."""
    await save_pool(app, actor, name, modality=body.modality, ae_titles=body.aeTitles)
    return Response(status_code=204)


@router.delete("/pools/{name}", status_code=204)
async def delete_pool(name: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Forget a pool; its items are then for no station until they are changed."""
    await remove_pool(app, actor, name)
    return Response(status_code=204)


@router.get("/{item}", response_model=None, responses={200: {"model": WorklistItemOut}, 304: {"description": "Same"}})
async def get_item(item: str, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """One item."""
    async with app.db.transaction() as tx:
        found = await queries.load(tx, uuid_of(item), visible_to=actor)
        if unchanged(request, found.version):
            return tagged(b"", found.version, status=304)
        return tagged(await queries.body(tx, found.id, zone=app.settings.time_zone), found.version)


@router.put("/{item}", response_model=None, responses={200: {"model": WorklistItemOut}})
async def put_item(item: str, body: WorklistItemIn, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Change an item that is not begun: 409 for one that is, 412 where somebody else changed it first."""
    version = version_asked(request, body.version)
    new_version, answer = await change_item(app, actor, uuid_of(item), body, version=version)
    return tagged(answer, new_version)


@router.put("/{item}/status", response_model=None, responses={200: {"model": WorklistItemOut}})
async def put_status(
    item: str, body: WorklistStatusIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Move an item: ARRIVED, READY, CANCELED, or back to SCHEDULED. 409 where the state machine has no such step."""
    version = version_asked(request, body.version)
    new_version, answer = await change_status(
        app, actor, uuid_of(item), body.status, reason=body.reason, version=version
    )
    return tagged(answer, new_version)


@router.get("/{item}/performed", response_model=None)
async def get_performed(item: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """What modalities reported of an item (MPPS)."""
    async with app.db.transaction() as tx:
        found = await queries.load(tx, uuid_of(item), visible_to=actor)
        answer = await performed_queries.of_item(tx, found.id, visible_to=actor)
    return Response(b'{"results":' + answer + b"}", media_type=JSON)


@router.get("/{item}/shown/{ae_title}")
async def get_shown(item: str, ae_title: AETitle, app: CurrentApp, actor: CurrentActor) -> Shown:
    """Whether a station sees an item, and if not, why."""
    async with app.db.transaction() as tx:
        found = await queries.load(tx, uuid_of(item), visible_to=actor)
        station = await station_of(tx, app, ae_title)
        said = await remarks(tx, found, station, zone=app.settings.zone)
    reason = why_not_shown(found, station, at=app.clock.now(), zone=app.settings.zone)
    return Shown(
        shown=reason is None,
        english=reason and reason.english,
        bangla=reason and reason.bangla,
        remarks=[Said(english=each.english, bangla=each.bangla) for each in said],
    )
