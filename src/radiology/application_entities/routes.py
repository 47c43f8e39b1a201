"""The registry of application entities over REST; for administrators."""

from fastapi import APIRouter, Response

from radiology.access.model import Permission
from radiology.application_entities import queries
from radiology.application_entities.actions import Echo, echo, forget, register
from radiology.application_entities.schemas import ApplicationEntityIn, ApplicationEntityOut, shown
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.bodies import StrictJSONRoute

router = APIRouter(
    prefix="/api/radiology/application-entities", tags=["application entities"], route_class=StrictJSONRoute
)


@router.get("")
async def get_application_entities(app: CurrentApp, actor: CurrentActor) -> dict[str, list[ApplicationEntityOut]]:
    """Every known peer."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return {"results": [shown(entity) for entity in await queries.all_application_entities(tx)]}


@router.get("/{ae_title}")
async def get_application_entity(ae_title: str, app: CurrentApp, actor: CurrentActor) -> ApplicationEntityOut:
    """One peer."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return shown(await queries.one_application_entity(tx, ae_title))


@router.put("/{ae_title}")
async def put_application_entity(
    ae_title: str, body: ApplicationEntityIn, app: CurrentApp, actor: CurrentActor
) -> ApplicationEntityOut:
    """Add a peer, or change it."""
    entity = body.entity(ae_title)
    await register(app, actor, entity, keeps_secret=body.dicomweb_secret is None)
    return shown(entity)


@router.delete("/{ae_title}", status_code=204)
async def delete_application_entity(ae_title: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Forget a peer."""
    await forget(app, actor, ae_title)
    return Response(status_code=204)


@router.post("/{ae_title}/echo")
async def post_echo(ae_title: str, app: CurrentApp, actor: CurrentActor) -> Echo:
    """Ask a peer now whether it is there (C-ECHO)."""
    return await echo(app, actor, ae_title)
