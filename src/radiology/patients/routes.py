"""Patients over REST. `{patient}` is an id, `Patient/12345`, or a hospital number that one patient has."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, created, tagged, unchanged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.patients import likeness, search
from radiology.patients.actions.register import register_patient
from radiology.patients.actions.unknown import register_unknown
from radiology.patients.actions.visit import change_visit, move_visit, open_visit
from radiology.patients.queries import read, visits
from radiology.patients.queries.search import Narrowing
from radiology.patients.schemas import PatientIn, PatientOut, PatientsFound, UnknownIn, VisitIn, VisitStatusIn

PATH = "/api/radiology/patients"
KEPT_NOWHERE = {"Cache-Control": "private, no-store"}

router = APIRouter(prefix=PATH, tags=["patients"], route_class=StrictJSONRoute)
visits_router = APIRouter(prefix=PATH, tags=["patients"], route_class=StrictJSONRoute)
"""Before all others of patients: a reference such as `Patient/12345` takes the rest of a path."""

Limit = Annotated[int, Query(ge=1, le=100)]


@router.post(
    "", status_code=201, response_model=None, responses={201: {"model": PatientOut}, 200: {"model": PatientOut}}
)
async def post_patient(body: PatientIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Register a patient. One who is known by a number already is answered with 200, and keeps what is known.

    409 where a number belongs to somebody else.
    """
    record, is_new = await register_patient(app, actor, body)
    answer = orjson.dumps(record.body)
    return created(answer, f"{PATH}/{record.id}", record.version) if is_new else tagged(answer, record.version)


@router.get("", response_model=None, responses={200: {"model": PatientsFound}})
async def get_patients(
    app: CurrentApp,
    actor: CurrentActor,
    query: Annotated[str, Query(min_length=2, max_length=200)],
    birth_date: Annotated[date | None, Query(alias="birthDate")] = None,
    sex: Literal["M", "F", "O"] | None = None,
    limit: Limit = 20,
) -> Response:
    """Search by name in either script, telephone, or any number; the best first, each with its score (0 to 1).

    Spellings of one name are one, honorifics do not count, and Bangla digits are digits. Who was merged into another
    is found by the old name and numbers.
    """
    narrowing = Narrowing(actor, f"{birth_date:%Y%m%d}" if birth_date else None, sex)
    async with app.db.transaction() as tx:
        found = await search.search(tx, query, narrowing, limit=limit)
    return _results([{"score": each.score, "foundBy": each.found_by, "patient": each.record.body} for each in found])


@router.get("/{patient:path}/duplicates", response_model=None)
async def get_duplicates(patient: str, app: CurrentApp, actor: CurrentActor, limit: Limit = 20) -> Response:
    """Who is perhaps the same person: `score` from 0 to 1, of name, birth date, sex and numbers. Nothing is merged."""
    async with app.db.transaction() as tx:
        asked = await read.find(tx, patient, visible_to=actor)
        found = await likeness.duplicates_of(tx, asked, visible_to=actor, limit=limit)
    results = [{"score": each.score, "sharesNumber": each.shares_number, "patient": each.record.body} for each in found]
    return _results(results)


@router.post("/unknown", status_code=201, response_model=None)
async def post_unknown(body: UnknownIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Register who nobody knows yet, as UNK-<facility>-<day>-<number>; several at once after an accident."""
    made = await register_unknown(app, actor, body)
    return Response(orjson.dumps({"results": [each.body for each in made]}), 201, KEPT_NOWHERE, JSON)


@visits_router.post("/{patient:path}/visits", status_code=201, response_model=None)
async def post_visit(patient: str, body: VisitIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Open a visit at your facility."""
    visit_id, answer = await open_visit(app, actor, patient, body.said)
    return created(answer, f"{PATH}/{patient}/visits/{visit_id}", 1)


@visits_router.get("/{patient:path}/visits", response_model=None)
async def get_visits(patient: str, app: CurrentApp, actor: CurrentActor, limit: Limit = 20) -> Response:
    """The visits of a patient at your facilities, newest first."""
    async with app.db.transaction() as tx:
        patient_id = await read.find(tx, patient, visible_to=actor)
        found = await visits.of_patient(tx, patient_id, visible_to=actor, limit=limit)
    return Response(b'{"results":' + found + b"}", headers=KEPT_NOWHERE, media_type=JSON)


@visits_router.put("/{patient:path}/visits/{visit_id}", response_model=None)
async def put_visit(
    patient: str, visit_id: UUID, body: VisitIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Change an open visit: all of it but its number. 409 for one that has ended, 412 where it changed meanwhile."""
    version = version_asked(request, body.version)
    return _answered(await change_visit(app, actor, patient, visit_id, body.said, version=version))


@visits_router.put("/{patient:path}/visits/{visit_id}/status", response_model=None)
async def put_visit_status(
    patient: str, visit_id: UUID, body: VisitStatusIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Finish a visit, cancel it, or open it again."""
    version = version_asked(request, body.version)
    answer = await move_visit(app, actor, patient, visit_id, body.verb, at=body.endedAt, version=version)
    return _answered(answer)


@router.get(
    "/{patient:path}",
    response_model=None,
    responses={200: {"model": PatientOut}, 304: {"description": "Same"}},
)
async def get_patient(patient: str, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """One patient; of one who was merged into another, that other."""
    async with app.db.transaction() as tx:
        record = await read.record(tx, await read.find(tx, patient, visible_to=actor))
    if unchanged(request, record.version):
        return tagged(b"", record.version, status=304)
    return tagged(orjson.dumps(record.body), record.version)


def _answered(body: bytes) -> Response:
    return Response(body, headers=KEPT_NOWHERE, media_type=JSON)


def _results(results: list[dict[str, Any]]) -> Response:
    return Response(orjson.dumps({"results": results}), headers=KEPT_NOWHERE, media_type=JSON)
