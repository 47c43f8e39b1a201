"""Studies over REST, as the specification names them."""

import asyncio
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, created, page, tagged, unchanged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.searching import Searcher
from radiology.kit.pages import read_cursor
from radiology.studies.actions import reject
from radiology.studies.actions.register import register_study
from radiology.studies.actions.status import change_status
from radiology.studies.model import StatusChange
from radiology.studies.moments import read_from, read_moment, read_until
from radiology.studies.parameters import NAMES, criteria_of, limit_of, openapi_parameters, read_parameters
from radiology.studies.queries import noting as notes
from radiology.studies.queries import read, rejection
from radiology.studies.queries.reject_rate import exposures
from radiology.studies.reject_rate import reject_rate
from radiology.studies.schemas import RejectionIn, StatusIn, StudyIn, StudyOut, StudyPage, WithdrawalIn

PATH = "/api/radiology/studies"

router = APIRouter(prefix=PATH, tags=["studies"], route_class=StrictJSONRoute)


@router.post("", status_code=201, response_model=None, responses={201: {"model": StudyOut}})
async def post_study(body: StudyIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Register a study. Codes that are not known are accepted; what is strange about them stands in `warnings`."""
    study_id, version, answer = await register_study(app, actor, body)
    return created(answer, f"{PATH}/{study_id}", version)


@router.get(
    "",
    response_model=None,
    responses={200: {"model": StudyPage}},
    openapi_extra={"parameters": openapi_parameters(NAMES)},
)
async def get_studies(request: Request, app: CurrentApp, actor: Searcher) -> Response:
    """Search studies. All criteria that are given must hold; newest first, a page at a time."""
    criteria = criteria_of(request.query_params, app.settings.zone)
    async with app.db.transaction() as tx:
        results, cursor = await read.search_studies(tx, criteria, visible_to=actor)
    return page(request, results, cursor)


REJECTION_NAMES = {
    "study_instance_uid": NAMES["study_instance_uid"],
    "limit": NAMES["limit"],
    "cursor": NAMES["cursor"],
}


@router.get("/rejections", response_model=None, openapi_extra={"parameters": openapi_parameters(REJECTION_NAMES)})
async def get_rejections(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """What was rejected, by whom and why, with its withdrawal where there was one; newest first."""
    given = read_parameters(request.query_params, REJECTION_NAMES)
    async with app.db.transaction() as tx:
        results, cursor = await rejection.rejections(
            tx,
            visible_to=actor,
            study_instance_uid=given.get("study_instance_uid"),
            after=read_cursor(given["cursor"]) if "cursor" in given else None,
            limit=limit_of(given.get("limit")),
            zone=app.settings.time_zone,
        )
    return page(request, results, cursor)


RATE_NAMES = {"date_from": NAMES["date_from"], "date_to": NAMES["date_to"]}


@router.get("/rejections/rate", response_model=None, openapi_extra={"parameters": openapi_parameters(RATE_NAMES)})
async def get_reject_rate(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Which share of the exposures of CR, DX and MG was rejected for quality, by reason and machine; for quality."""
    given = read_parameters(request.query_params, RATE_NAMES)
    zone = app.settings.zone
    began = read_from(given["date_from"], zone, "date_from") if "date_from" in given else None
    before, until = read_until(given["date_to"], zone, "date_to") if "date_to" in given else (None, None)
    async with app.db.transaction() as tx:
        counted = await exposures(tx, began=began, before=before or until, visible_to=actor)
    return Response(orjson.dumps(reject_rate(counted)), headers={"Cache-Control": "no-store"}, media_type=JSON)


@router.post("/rejections/{rejection_id}/withdraw", response_model=None)
async def post_withdrawal(rejection_id: UUID, body: WithdrawalIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Show again what a rejection hides; for administrators. The rejection stays on record."""
    return Response(await reject.withdraw(app, actor, rejection_id, reason=body.reason), media_type=JSON)


@router.get("/rejections/{rejection_id}/note", response_class=Response)
async def get_rejection_note(rejection_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """The key object of a rejection (IHE RAD-66), as a DICOM file."""
    async with app.db.transaction() as tx:
        note = await notes.note_of(tx, rejection_id, visible_to=actor.beyond_reading)
    content = await asyncio.to_thread(app.objects.read, note.object_key)
    headers = {"Content-Disposition": f'attachment; filename="{note.sop_instance_uid}.dcm"'}
    return Response(content, media_type="application/dicom", headers=headers)


@router.post("/{study}/reject", status_code=201, response_model=None)
async def post_rejection(study: str, body: RejectionIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Hide series and instances of a study everywhere, and refuse them when they come again (IHE RAD-66)."""
    answer = await reject.reject(
        app,
        actor,
        study,
        title=body.title,
        category=body.category,
        reason=body.reason,
        series=body.series,
        instances=body.instances,
    )
    return Response(answer, 201, media_type=JSON)


@router.get("/{study}", response_model=None, responses={200: {"model": StudyOut}, 304: {"description": "Unchanged"}})
async def get_study(study: str, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """A study by its id, its studyId or its Study Instance UID; a sensitive one masked for who does not treat."""
    async with app.db.transaction() as tx:
        found = await read.look_up(tx, study, visible_to=actor)
        if found.is_masked:
            body = await read.study_body(tx, found.id, zone=app.settings.time_zone)
            return Response(read.masked_body(body), headers={"Cache-Control": "no-store"}, media_type=JSON)
        version = await read.version_of(tx, found.id)
        if unchanged(request, version):
            return tagged(b"", version, status=304)
        return tagged(await read.study_body(tx, found.id, zone=app.settings.time_zone), version)


@router.put("/{study}/status", response_model=None, responses={200: {"model": StudyOut}})
async def put_status(study: str, body: StatusIn, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Change the status. 409 where the state machine has no such step, 412 where somebody else changed it first.

    A study that has a signed report is entered in error by two persons: until the second asks for it too, the answer
    shows the study as it is, with the flag `withdrawal_asked`.
    """
    completed, warnings = (
        (None, []) if body.completed is None else read_moment(body.completed, app.settings.zone, "completed")
    )
    version = version_asked(request, body.version)
    change = StatusChange(body.status, completed, body.reason, body.reasonNoImages, version)
    new_version, answer = await change_status(app, actor, study, change, warnings)
    return tagged(answer, new_version)
