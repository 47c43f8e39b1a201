"""Viewing over REST."""

import orjson
from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.addresses import origin_of
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.studies.queries import read
from radiology.viewing import queries
from radiology.viewing.schemas import ViewerOut

MOST_PRIORS = 3

router = APIRouter(prefix="/api/radiology/studies", tags=["studies"], route_class=StrictJSONRoute)


@router.get("/{study}/viewer", response_model=None, responses={200: {"model": ViewerOut}})
async def get_viewer(study: str, request: Request, app: CurrentApp, actor: CurrentActor, priors: int = 1) -> Response:
    """Where to look at a study. A browser is led there; programs get the addresses as JSON.

    `priors` is how many earlier studies of the patient are opened beside it, 0 to 3; one with a modality in common.
    """
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor)
        found = await queries.looked_at(tx, study_id)
        most = min(max(priors, 0), MOST_PRIORS)
        earlier = await queries.priors_of(tx, study_id, limit=most, visible_to=actor) if most else []
    path = "/viewer/viewer?StudyInstanceUIDs=" + ",".join([found.study_instance_uid, *earlier])
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(path, 302)
    body = {
        "studyInstanceUID": found.study_instance_uid,
        "priors": earlier,
        "url": origin_of(request) + path,
        "lightUrl": origin_of(request) + f"/light/{found.study_instance_uid}",
    }
    return Response(orjson.dumps(body), media_type=JSON)
