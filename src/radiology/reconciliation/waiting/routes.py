"""The reconciliation worklist over REST."""

from datetime import datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.searching import Searcher
from radiology.errors import FieldProblem, Invalid
from radiology.kit.pages import cursor_behind, read_cursor
from radiology.reconciliation.waiting import queries
from radiology.reconciliation.waiting.model import Kind
from radiology.reconciliation.waiting.queries import Criteria
from radiology.studies.parameters import NAMES, limit_of, openapi_parameters, read_parameters

router = APIRouter(prefix="/api/radiology/reconciliation", tags=["reconciliation"], route_class=StrictJSONRoute)

_COUNTED = {
    "facility": ("facility facility_code facilityCode", "of this facility"),
    "modality": ("modality", "of studies: DX"),
    "study_instance_uid": NAMES["study_instance_uid"],
}
_LISTED = {
    "kind": ("kind", f"one or more with commas between, of: {', '.join(Kind)}"),
    **_COUNTED,
    "limit": NAMES["limit"],
    "cursor": NAMES["cursor"],
}


@router.get("", response_model=None, openapi_extra={"parameters": openapi_parameters(_LISTED)})
async def get_waiting(request: Request, app: CurrentApp, actor: Searcher) -> Response:
    """What waits for a person, in the order of when it is due, each with what can be done about it."""
    actor.must(Permission.RECONCILE)
    given = read_parameters(request.query_params, _LISTED)
    limit, now = limit_of(given.get("limit")), app.clock.now()
    async with app.db.transaction() as tx:
        found = await queries.waiting(
            tx,
            _criteria(given, now),
            visible_to=actor.beyond_reading,
            after=read_cursor(given["cursor"]) if "cursor" in given else None,
            limit=limit,
        )
    shown = found[:limit]
    cursor = cursor_behind(shown[-1].due, shown[-1].id) if len(found) > limit else None
    return page(request, orjson.dumps([each.body(now) for each in shown]), cursor)


@router.get("/counts", response_model=None, openapi_extra={"parameters": openapi_parameters(_COUNTED)})
async def get_counts(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """How many wait, by kind and in all, for a badge."""
    actor.must(Permission.RECONCILE)
    given = read_parameters(request.query_params, _COUNTED)
    async with app.db.transaction() as tx:
        found = await queries.counts(tx, _criteria(given, app.clock.now()), visible_to=actor.beyond_reading)
    body: dict[str, Any] = {"total": sum(found.values()), "kinds": found}
    return Response(orjson.dumps(body), media_type=JSON, headers={"Cache-Control": "private, no-store"})


def _criteria(given: dict[str, str], now: datetime) -> Criteria:
    names = [name.strip() for name in given.get("kind", "").split(",") if name.strip()]
    if unknown := [name for name in names if name not in set(Kind)]:
        sentence = f"{unknown[0]!r} is none; there are: {', '.join(Kind)}"
        raise Invalid(f"kind: {sentence}.", fields=[FieldProblem("kind", sentence)])
    kinds = [Kind(name) for name in names] or list(Kind)
    return Criteria(kinds, now, given.get("facility"), given.get("modality"), given.get("study_instance_uid"))
