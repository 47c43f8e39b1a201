"""Repairs over REST: what was put right, by whom and why, and undoing it."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.kit.pages import read_cursor
from radiology.reconciliation.repairs import journal, queries
from radiology.reconciliation.repairs.model import Kind
from radiology.reconciliation.schemas import UndoIn
from radiology.studies.parameters import NAMES, limit_of, openapi_parameters, read_parameters

router = APIRouter(prefix="/api/radiology/repairs", tags=["reconciliation"], route_class=StrictJSONRoute)

_NAMES = {
    "study_instance_uid": NAMES["study_instance_uid"],
    "kind": ("kind", f"one of: {', '.join(Kind)}"),
    "limit": NAMES["limit"],
    "cursor": NAMES["cursor"],
}


@router.get("", response_model=None, openapi_extra={"parameters": openapi_parameters(_NAMES)})
async def get_repairs(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """What was put right, newest first."""
    actor.must(Permission.RECONCILE)
    given = read_parameters(request.query_params, _NAMES)
    async with app.db.transaction() as tx:
        results, cursor = await queries.listed(
            tx,
            visible_to=actor.beyond_reading,
            study_instance_uid=given.get("study_instance_uid"),
            kind=given.get("kind"),
            after=read_cursor(given["cursor"]) if "cursor" in given else None,
            limit=limit_of(given.get("limit")),
            zone=app.settings.time_zone,
        )
    return page(request, results, cursor)


@router.get("/{repair_id}", response_model=None)
async def get_repair(repair_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """A repair, with what each row was before it and after it."""
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        await queries.must_be_visible(tx, repair_id, visible_to=actor.beyond_reading)
        body = await queries.body(tx, repair_id, zone=app.settings.time_zone)
    return Response(body, media_type=JSON, headers={"Cache-Control": "private, no-store"})


@router.post("/{repair_id}/undo", response_model=None)
async def post_undo(repair_id: UUID, body: UndoIn, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Let everything be served as before a repair. 409 where a later repair, or something else, changed the same."""
    version = version_asked(request, body.version)
    return Response(await journal.undo(app, actor, repair_id, reason=body.reason, version=version), media_type=JSON)
