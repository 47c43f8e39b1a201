"""Practitioners and delegations over REST."""

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Response

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import NotFound
from radiology.external.practitioners import local
from radiology.practitioners import actions, queries
from radiology.practitioners.schemas import DelegationIn, PractitionerIn, practitioner_body

practitioners = APIRouter(prefix="/api/radiology/practitioners", tags=["practitioners"], route_class=StrictJSONRoute)
delegations = APIRouter(prefix="/api/radiology/delegations", tags=["practitioners"], route_class=StrictJSONRoute)

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9.-]{1,64}$", description="the id of Practitioner/<id>")]
Limit = Annotated[int, Query(ge=1, le=200)]


@practitioners.get("", response_model=None)
async def get_practitioners(
    app: CurrentApp, actor: CurrentActor, limit: Limit = 50, after: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """The practitioners that this service keeps, in the order of their references; for administrators.

    `after` is the reference of the last one of the page before.
    """
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        found = await local.page(tx, after=after, limit=limit)
    return Response(orjson.dumps({"results": [practitioner_body(each) for each in found]}), media_type=JSON)


@practitioners.get("/{practitioner}", response_model=None)
async def get_practitioner(practitioner: Id, app: CurrentApp, actor: CurrentActor) -> Response:
    """What the registry in use knows of a practitioner; for administrators."""
    actor.must(Permission.ADMINISTER)
    found = await app.practitioners.find(f"Practitioner/{practitioner}")
    if found is None:
        raise NotFound("There is no such practitioner.")
    return Response(orjson.dumps(practitioner_body(found)), media_type=JSON)


@practitioners.put("/{practitioner}", status_code=204)
async def put_practitioner(practitioner: Id, body: PractitionerIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Add a practitioner, or change all of it. It holds at once."""
    await actions.save(app, actor, body.practitioner(f"Practitioner/{practitioner}"))
    return Response(status_code=204)


@practitioners.post("/{practitioner}/disable", status_code=204)
async def post_disable(practitioner: Id, app: CurrentApp, actor: CurrentActor) -> Response:
    """A practitioner works no more: neither reads nor signs from now on."""
    await actions.disable(app, actor, f"Practitioner/{practitioner}")
    return Response(status_code=204)


@delegations.get("", response_model=None)
async def get_delegations(app: CurrentApp, actor: CurrentActor, limit: Limit = 50) -> Response:
    """Delegations that you gave or have, newest first; for administrators and auditors all of their facilities."""
    sees_all = actor.may(Permission.ADMINISTER) or actor.may(Permission.AUDIT)
    async with app.db.transaction() as tx:
        found = await queries.delegations_body(tx, visible_to=actor, sees_all=sees_all, limit=limit)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@delegations.post("", status_code=201, response_model=None)
async def post_delegation(body: DelegationIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Let a radiologist approve at a facility until a moment, on your responsibility; for consultants."""
    delegation, answer = await actions.delegate(
        app, actor, to=body.to, facility_code=body.facilityCode, ends_at=body.endsAt
    )
    return Response(answer, 201, {"Location": f"/api/radiology/delegations/{delegation}"}, JSON)


@delegations.delete("/{delegation_id}", status_code=204)
async def delete_delegation(delegation_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """End a delegation before its time."""
    await actions.end_delegation(app, actor, delegation_id)
    return Response(status_code=204)
