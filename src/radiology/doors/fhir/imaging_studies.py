"""ImagingStudy over FHIR R4: read."""

from typing import Any, Final

import orjson
from fastapi import APIRouter, Response

from radiology.doors.fhir.outcomes import BASE, FHIR_JSON, FHIRRoute, answer
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.errors import NotFound
from radiology.kit.ids import uuid_of
from radiology.procedures.coding import as_others_may_read
from radiology.studies.fhir import imaging_study
from radiology.studies.masking import masked
from radiology.studies.queries import read

router = APIRouter(prefix=f"{BASE}/ImagingStudy", tags=["FHIR"], route_class=FHIRRoute)
_OF_FHIR: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {FHIR_JSON: {"schema": {"type": "object"}}}},
}


@router.get("/{id}", response_model=None, responses=_OF_FHIR)
async def read_imaging_study(id: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """A study by its id, also one that was entered in error; a sensitive one masked for who does not treat."""
    study_id = uuid_of(id)
    if study_id is None:
        raise NotFound("There is no such study. A resource is read by its id.")
    async with app.db.transaction() as tx:
        found = await read.look_up(tx, str(study_id), visible_to=actor)
        study = orjson.loads(await read.study_body(tx, found.id, zone=app.settings.time_zone))
        if found.is_masked:
            hidden = orjson.dumps(as_others_may_read(imaging_study(masked(study), ())))
            return Response(hidden, headers={"Cache-Control": "no-store"}, media_type=FHIR_JSON)
        series = orjson.loads(await read.series_of(tx, found.id))
        return answer(as_others_may_read(imaging_study(study, series)))
