"""Doses over REST: of studies and patients, against reference levels, and what is to be looked at."""

from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import CSV, JSON, of_kind, page
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.sheets import given
from radiology.kit.pages import read_cursor
from radiology.kit.sheets import Cell, write
from radiology.procedures.catalogue import catalogue
from radiology.quality.dose import actions, queries
from radiology.quality.dose.model import TOLD
from radiology.quality.dose.queries import Window
from radiology.quality.dose.schemas import LevelIn, NoteIn
from radiology.quality.schemas import SPAN, span_of
from radiology.studies.parameters import NAMES, limit_of, openapi_parameters, read_parameters
from radiology.studies.queries import read

PATH = "/api/radiology/quality/dose"
KEPT_NOWHERE = {"Cache-Control": "private, no-store"}

router = APIRouter(prefix=PATH, tags=["quality"], route_class=StrictJSONRoute)

_COMPARED = {
    **SPAN,
    "facility": ("facility", "of this facility only"),
    "protocol": ("protocol", "a key of the catalogue, or a protocol that it does not know"),
    "device": ("device", "of the machine with this AE title only"),
}
_NOTES = {
    "open": ("open", "false: also those that somebody has looked at"),
    "limit": NAMES["limit"],
    "cursor": NAMES["cursor"],
}
_COLUMNS = (
    "facility", "protocol", "patient group", "quantity", "unit", "n", "status", "median", "third quartile",
    "reference", "scope", "ratio", "share above reference", "over twice reference", "from", "before",
)  # fmt: skip


@router.get("/studies/{study}", response_model=None)
async def get_study_dose(study: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """What a study exposed its patient to, event by event, with how it is known; null where nothing is."""
    _ = actor.staff_reach
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor)
        body = await queries.study_body(tx, study_id, zone=app.settings.time_zone)
    return Response(body, media_type=JSON, headers=KEPT_NOWHERE)


@router.get("/patients/{patient:path}")
async def get_patient_dose(patient: str, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """The doses of a patient in the last 12 months and of all time, with an estimate of the effective dose."""
    return await actions.history(app, actor, patient)


@router.get("/comparison", response_model=None, openapi_extra={"parameters": openapi_parameters(_COMPARED)})
async def get_comparison(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Medians of at least 20 patients of standard size against reference levels. Needs `radiology.quality`."""
    window, told = await _compare(request, app, actor)
    body = {"window": window, "needed": 20, "results": told}
    return Response(orjson.dumps(body), media_type=JSON, headers=KEPT_NOWHERE)


@router.get(
    "/comparison.csv",
    response_model=None,
    responses=of_kind(CSV),
    openapi_extra={"parameters": openapi_parameters(_COMPARED)},
)
async def get_comparison_sheet(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """The same as CSV."""
    window, told = await _compare(request, app, actor)
    return given(write("csv", _COLUMNS, [_row(each, window) for each in told]), "doses")


async def _compare(
    request: Request, app: CurrentApp, actor: CurrentActor
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    given = read_parameters(request.query_params, _COMPARED)
    span = span_of(given, app)
    window = Window(span.began, span.before, given.get("facility"), given.get("protocol"), given.get("device"))
    return span.told(), await actions.comparison(app, actor, window)


def _row(told: dict[str, Any], window: dict[str, str]) -> list[Cell]:
    reference: dict[str, Any] = told["reference"] or {}
    return [
        told["facilityCode"], told["protocol"], told["patientGroup"], told["quantity"], told["unit"], told["n"],
        told["status"], told["median"], told["thirdQuartile"], reference.get("value"), reference.get("scope"),
        told["ratio"], told.get("aboveReference"), told.get("overTwiceReference"), window["from"], window["before"],
    ]  # fmt: skip


@router.get("/levels", response_model=None)
async def get_levels(app: CurrentApp, actor: CurrentActor, procedure: str | None = None) -> Response:
    """Reference levels that were set, and those of the catalogue that hold behind them."""
    actor.must(Permission.QUALITY)
    known = await catalogue(app)
    async with app.db.reading() as tx:
        body = await queries.levels_body(tx, visible_to=actor, procedure_key=procedure)
    behind = {
        each.key: each.reference_levels
        for each in known.procedures
        if each.reference_levels and procedure in (None, each.key)
    }
    return Response(b'{"set":' + body + b',"catalogue":' + orjson.dumps(behind) + b"}", media_type=JSON)


@router.put("/levels", status_code=204, response_model=None)
async def put_level(body: LevelIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Let a national level, or one of a facility, hold from a day on. Needs `radiology.quality`."""
    await actions.set_level(app, actor, body.level())
    return Response(status_code=204)


@router.get("/notes", response_model=None, openapi_extra={"parameters": openapi_parameters(_NOTES)})
async def get_notes(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Examinations far above what is usual, the newest first. Needs `radiology.quality`, and to see the study."""
    actor.must(Permission.QUALITY)
    given = read_parameters(request.query_params, _NOTES)
    async with app.db.transaction() as tx:
        results, cursor = await queries.notes(
            tx,
            visible_to=actor,
            still_open=given.get("open") != "false",
            after=read_cursor(given["cursor"]) if "cursor" in given else None,
            limit=limit_of(given.get("limit")),
            zone=app.settings.time_zone,
        )
    return page(request, results, cursor)


@router.get("/notes/texts")
async def get_texts(actor: CurrentActor) -> dict[str, Any]:
    """What each kind of note asks for, in English and Bangla."""
    actor.must(Permission.QUALITY)
    return {kind: sentence.told() for kind, sentence in TOLD.items()}


@router.post("/notes/{dose_note_id}/close", status_code=204, response_model=None)
async def post_note_close(dose_note_id: UUID, body: NoteIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Say why an examination is as it is. 409 where somebody has done so."""
    await actions.close_note(app, actor, dose_note_id, comment=body.comment)
    return Response(status_code=204)
