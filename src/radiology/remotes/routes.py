"""Other archives over REST: whether they answer, and fetching a study from one."""

from fastapi import APIRouter, Response

from radiology.access.model import Permission
from radiology.application_entities.actions import Echo
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.remotes.health import actions as health
from radiology.remotes.health import queries
from radiology.remotes.pulls import actions as pulls
from radiology.remotes.pulls.routes import PATH as PULLS
from radiology.remotes.pulls.schemas import PullIn

router = APIRouter(prefix="/api/radiology/remotes", tags=["remotes"], route_class=StrictJSONRoute)


@router.get("", response_model=None)
async def get_remotes(app: CurrentApp, actor: CurrentActor) -> Response:
    """Every application entity that says where it listens, with whether it answers and since when."""
    actor.must(Permission.READ)
    async with app.db.transaction() as tx:
        return Response(b'{"results":' + await queries.all_remotes(tx) + b"}", media_type=JSON)


@router.post("/{ae_title}/check")
async def post_check(ae_title: str, app: CurrentApp, actor: CurrentActor) -> Echo:
    """Ask now whether it is there: by C-ECHO, or by a search for one study over DICOMweb."""
    return await health.check_now(app, actor, ae_title)


@router.post("/{ae_title}/pull", status_code=202, response_model=None)
async def post_pull(ae_title: str, body: PullIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Fetch a study from there. The answer comes at once; `GET` of its Location tells how far it is.

    Only what is not here is fetched. What fails is tried again after 1, 5 and 15 minutes.
    """
    pull_id, answer = await pulls.start_pull(app, actor, ae_title, body.studyInstanceUID, body.priority)
    return Response(answer, 202, {"Location": f"{PULLS}/{pull_id}"}, JSON)
