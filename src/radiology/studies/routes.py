"""Studies over REST, as the specification names them."""

from fastapi import APIRouter, Request, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import created, page, tagged, unchanged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.studies.actions.register import register_study
from radiology.studies.actions.status import change_status
from radiology.studies.model import StatusChange
from radiology.studies.moments import read_moment
from radiology.studies.parameters import NAMES, criteria_of, openapi_parameters
from radiology.studies.queries import read
from radiology.studies.schemas import StatusIn, StudyIn, StudyOut, StudyPage

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
async def get_studies(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Search studies. All criteria that are given must hold; newest first, a page at a time."""
    criteria = criteria_of(request.query_params, app.settings.zone)
    async with app.db.transaction() as tx:
        results, cursor = await read.search_studies(tx, criteria, visible_to=actor)
    return page(request, results, cursor)


@router.get("/{study}", response_model=None, responses={200: {"model": StudyOut}, 304: {"description": "Unchanged"}})
async def get_study(study: str, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """A study by its id, its studyId or its Study Instance UID."""
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor)
        version = await read.version_of(tx, study_id)
        if unchanged(request, version):
            return tagged(b"", version, status=304)
        return tagged(await read.study_body(tx, study_id, zone=app.settings.time_zone), version)


@router.put("/{study}/status", response_model=None, responses={200: {"model": StudyOut}})
async def put_status(study: str, body: StatusIn, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Change the status. 409 where the state machine has no such step, 412 where somebody else changed it first."""
    completed, warnings = (
        (None, []) if body.completed is None else read_moment(body.completed, app.settings.zone, "completed")
    )
    version = version_asked(request, body.version)
    change = StatusChange(body.status, completed, body.reason, body.reasonNoImages, version)
    new_version, answer = await change_status(app, actor, study, change, warnings)
    return tagged(answer, new_version)
