"""Unintended exposures over REST."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, created, page, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import Unprocessable
from radiology.kit.pages import read_cursor
from radiology.quality.incidents import actions, model, queries
from radiology.quality.incidents.actions import Found, Step
from radiology.quality.incidents.model import Status
from radiology.quality.incidents.schemas import IncidentIn, StepIn
from radiology.quality.schemas import SPAN, span_of
from radiology.studies.moments import read_moment
from radiology.studies.parameters import NAMES, limit_of, openapi_parameters, read_parameters, status_of

PATH = "/api/radiology/quality/incidents"

router = APIRouter(prefix=PATH, tags=["quality"], route_class=StrictJSONRoute)

_LISTED = {
    "status": ("status", f"one of {', '.join(Status)}"),
    "limit": NAMES["limit"],
    "cursor": NAMES["cursor"],
}


@router.post("", status_code=201, response_model=None)
async def post_incident(body: IncidentIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Report an unintended exposure. Quality officers are told at once."""
    facility = body.facilityCode or actor.facility_code or app.settings.facility_code
    if actor.facility_codes is not None and facility not in actor.facility_codes:
        raise Unprocessable(f"facilityCode: {facility} is none of your facilities.")
    occurred_at, _ = read_moment(body.occurredAt, app.settings.zone, "occurredAt")
    found = Found(body.cause, facility, occurred_at, body.description, device_number=body.device)
    incident_id, answer = await actions.report(app, actor, found, study=body.study)
    return created(answer, f"{PATH}/{incident_id}", 1)


@router.get("", response_model=None, openapi_extra={"parameters": openapi_parameters(_LISTED)})
async def get_incidents(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Incidents, the newest first: all for quality, and their own for all others."""
    given = read_parameters(request.query_params, _LISTED)
    status = status_of(given.get("status", ""), set(Status))
    async with app.db.transaction() as tx:
        results, cursor = await queries.listed(
            tx,
            visible_to=actor,
            status=status[0] if status else None,
            after=read_cursor(given["cursor"]) if "cursor" in given else None,
            limit=limit_of(given.get("limit")),
            zone=app.settings.time_zone,
        )
    return page(request, results, cursor)


@router.get("/counts", response_model=None, openapi_extra={"parameters": openapi_parameters(SPAN)})
async def get_counts(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """How many there were in a span of time, by facility, cause and status. Needs `radiology.quality`."""
    actor.must(Permission.QUALITY)
    span = span_of(read_parameters(request.query_params, SPAN), app)
    async with app.db.reading() as tx:
        counted = await queries.counts_body(tx, visible_to=actor, began=span.began, before=span.before)
    return Response(b'{"results":' + counted + b"}", media_type=JSON)


@router.get("/texts")
async def get_texts(actor: CurrentActor) -> dict[str, Any]:
    """What is said of each cause, the request to the physicist, and the letter to the officer, in both languages."""
    _ = actor.staff_reach
    return {
        "causes": {cause: sentence.told() for cause, sentence in model.CAUSES.items()},
        "foetalEstimateRequest": model.FOETAL_REQUEST.told(),
        "letters": {cause: model.letter(cause).told() for cause in model.Cause},
    }


@router.get("/{incident_id}", response_model=None)
async def get_incident(incident_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """One incident with all that was done about it."""
    async with app.db.transaction() as tx:
        body = await queries.body(tx, incident_id, visible_to=actor, zone=app.settings.time_zone)
    return Response(body, media_type=JSON, headers={"Cache-Control": "private, no-store"})


@router.post("/{incident_id}/steps", response_model=None)
async def post_step(
    incident_id: UUID, body: StepIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Assess, notify, close, dismiss or reopen. 409 where it has no such step, or something is still to come."""
    taken = Step(
        body.verb,
        body.text,
        version_asked(request, body.version),
        dose_msv=body.doseMsv,
        foetal_dose_mgy=body.foetalDoseMgy,
        authority_needed=body.authorityNeeded,
        authority_told=body.authorityTold,
    )
    version, answer = await actions.step(app, actor, incident_id, taken)
    return tagged(answer, version)
