"""Exposure indices over REST."""

from typing import Any

from fastapi import APIRouter, Request, Response

from radiology.access.model import Permission
from radiology.app import App
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import CSV, of_kind
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.sheets import given
from radiology.dose.exposure_index import TOLD, colour
from radiology.kit.sheets import write
from radiology.quality.exposure import queries
from radiology.quality.exposure.queries import Deviations, Exposed
from radiology.quality.schemas import SPAN, span_of
from radiology.studies.parameters import openapi_parameters, read_parameters
from radiology.studies.queries import read

PATH = "/api/radiology/quality/exposure"
LAST = 50

router = APIRouter(prefix=PATH, tags=["quality"], route_class=StrictJSONRoute)

_NAMES = {**SPAN, "facility": ("facility", "of this facility only")}
_COLUMNS = ("facility", "device", "modality", "body part", "view", "images", "with index", "within 1", "within 3",
            "median deviation index")  # fmt: skip


@router.get("/studies/{study}")
async def get_study_exposures(study: str, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Exposure index, target and deviation of each image of a study, with the colour that it has."""
    _ = actor.staff_reach
    async with app.db.transaction() as tx:
        found = await queries.of_study(tx, await read.resolve(tx, study, visible_to=actor))
    return {"results": [_image(each, app) for each in found], "texts": _texts()}


@router.get("/devices/{ae_title}/last")
async def get_last(ae_title: str, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """The last 50 images of a machine that have a deviation index, the newest first."""
    async with app.db.transaction() as tx:
        found = await queries.last_of(tx, ae_title, visible_to=actor, limit=LAST)
    return {"results": [_image(each, app) for each in found], "texts": _texts()}


@router.get("/deviations", openapi_extra={"parameters": openapi_parameters(_NAMES)})
async def get_deviations(request: Request, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Which share of images is within 1 and within 3, and the median, by machine and projection.

    Needs `radiology.quality`.
    """
    window, found = await _deviations(request, app, actor)
    return {"window": window, "results": [_told(each) for each in found]}


@router.get(
    "/deviations.csv",
    response_model=None,
    responses=of_kind(CSV),
    openapi_extra={"parameters": openapi_parameters(_NAMES)},
)
async def get_deviations_sheet(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """The same as CSV."""
    _, found = await _deviations(request, app, actor)
    rows = [
        (each.facility_code, each.ae_title, each.modality, each.body_part, each.view, each.images, each.told,
         _share(each.within_1, each.told), _share(each.within_3, each.told), each.median)
        for each in found
    ]  # fmt: skip
    return given(write("csv", _COLUMNS, rows), "deviation-indices")


async def _deviations(
    request: Request, app: CurrentApp, actor: CurrentActor
) -> tuple[dict[str, str], list[Deviations]]:
    actor.must(Permission.QUALITY)
    given = read_parameters(request.query_params, _NAMES)
    span = span_of(given, app)
    async with app.db.reading() as tx:
        return span.told(), await queries.deviations(tx, span, visible_to=actor, facility=given.get("facility"))


def _told(each: Deviations) -> dict[str, Any]:
    return {
        "facilityCode": each.facility_code,
        "aeTitle": each.ae_title,
        "modality": each.modality,
        "bodyPart": each.body_part,
        "view": each.view,
        "images": each.images,
        "n": each.told,
        "within1": _share(each.within_1, each.told),
        "within3": _share(each.within_3, each.told),
        "median": None if each.median is None else round(each.median, 2),
    }


def _image(each: Exposed, app: App) -> dict[str, Any]:
    return {
        "sopInstanceUID": each.sop_instance_uid,
        "modality": each.modality,
        "bodyPart": each.body_part,
        "laterality": each.laterality,
        "view": each.view,
        "takenAt": each.taken_at.astimezone(app.settings.zone).isoformat(),
        "rejected": each.rejected or None,
        "exposureIndex": each.exposure_index,
        "targetExposureIndex": each.target_exposure_index,
        "deviationIndex": each.deviation_index,
        "colour": None if each.deviation_index is None else colour(each.deviation_index),
    }


def _texts() -> dict[str, Any]:
    return {shade: sentence.told() for shade, sentence in TOLD.items()}


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
