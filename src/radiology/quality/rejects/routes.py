"""Rejected and repeated exposures over REST."""

from typing import Any

from fastapi import APIRouter, Request, Response

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import CSV, of_kind
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.sheets import given
from radiology.kit.sheets import Cell, write
from radiology.quality.rejects import queries
from radiology.quality.rejects.model import Exposures, Repeats, analysis, is_same_person
from radiology.quality.schemas import SPAN, Span, span_of
from radiology.studies.parameters import openapi_parameters, read_parameters

PATH = "/api/radiology/quality/rejects"

router = APIRouter(prefix=PATH, tags=["quality"], route_class=StrictJSONRoute)

_NAMES = {**SPAN, "facility": ("facility", "of this facility only")}
_COLUMNS = ("month", "device", "radiographer", "category", "images")


@router.get("", openapi_extra={"parameters": openapi_parameters(_NAMES)})
async def get_rejects(request: Request, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Reject and repeat rate by reason, machine, month and radiographer. Needs `radiology.quality`."""
    actor.must(Permission.QUALITY)
    span, exposures, repeats = await _read(request, app, actor)
    return {"window": span.told(), **analysis(exposures, repeats, with_operators=True)}


@router.get("/mine", openapi_extra={"parameters": openapi_parameters(_NAMES)})
async def get_own_rejects(request: Request, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """The same of the images that name the reader as their radiographer, beside the rate of all. Nobody else's."""
    _ = actor.staff_reach
    span, exposures, repeats = await _read(request, app, actor)
    own = [each for each in exposures if is_same_person(each.operator, actor.display)]
    repeated = [each for each in repeats if is_same_person(each.operator, actor.display)]
    everybody = analysis(exposures, repeats, with_operators=False)
    return {
        "window": span.told(),
        "mine": analysis(own, repeated, with_operators=False),
        "all": {name: everybody[name] for name in ("rejected", "exposures", "rate", "goal")},
    }


@router.get(
    "/rejects.csv",
    response_model=None,
    responses=of_kind(CSV),
    openapi_extra={"parameters": openapi_parameters(_NAMES)},
)
async def get_rejects_sheet(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """The counts behind the analysis as CSV. Needs `radiology.quality`."""
    actor.must(Permission.QUALITY)
    _, exposures, _ = await _read(request, app, actor)
    rows: list[list[Cell]] = [
        [each.month, each.ae_title, each.operator, each.category or "accepted", each.instances] for each in exposures
    ]
    return given(write("csv", _COLUMNS, rows), "rejects")


async def _read(request: Request, app: App, actor: Actor) -> tuple[Span, list[Exposures], list[Repeats]]:
    given = read_parameters(request.query_params, _NAMES)
    span, zone, facility = span_of(given, app), app.settings.time_zone, given.get("facility")
    async with app.db.reading() as tx:
        exposures = await queries.exposures(tx, span, visible_to=actor, facility=facility, zone=zone)
        repeats = await queries.repeats(tx, span, visible_to=actor, facility=facility, zone=zone)
    return span, exposures, repeats
