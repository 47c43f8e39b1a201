"""The waiting list over REST."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.kit.validation import Moment
from radiology.scheduling.actions.book import Contact
from radiology.scheduling.schemas import ContactIn, FactsIn
from radiology.scheduling.waiting import actions, queries

router = APIRouter(prefix="/api/radiology/waiting-list", tags=["waiting list"], route_class=StrictJSONRoute)


class WaitingIn(FactsIn):
    """An item that waits for a time; one that is booked waits for an earlier one."""

    item: UUID
    not_before: Moment | None = None
    contact: ContactIn = Field(default_factory=ContactIn)


@router.get("", response_model=None)
async def get_waiting_list(app: CurrentApp, actor: CurrentActor) -> Response:
    """Who waits or has an offer, in the order in which free times are offered."""
    actor.must(Permission.READ)
    async with app.db.transaction() as tx:
        found = await queries.listed(tx, zone=app.settings.time_zone, visible_to=actor)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.post("", status_code=201)
async def post_waiting_list(body: WaitingIn, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Let an item wait: the next time that is free is held for it, and the patient is told."""
    contact = Contact(body.contact.mobile, body.contact.language, body.contact.reminders)
    entry_id = await actions.add(app, actor, body.item, body.facts(), not_before=body.not_before, contact=contact)
    return {"id": str(entry_id)}


@router.post("/{entry_id}/accept")
async def post_accept(entry_id: UUID, app: CurrentApp, actor: CurrentActor) -> dict[str, str]:
    """Take what is held: it is booked, or the present booking is moved there."""
    return {"booking": str(await actions.accept(app, actor, entry_id))}


@router.post("/{entry_id}/decline", status_code=204)
async def post_decline(entry_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Leave it to the next, and wait for a later time."""
    await actions.decline(app, actor, entry_id)
    return Response(status_code=204)


@router.delete("/{entry_id}", status_code=204)
async def delete_entry(entry_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Wait no more."""
    await actions.leave(app, actor, entry_id)
    return Response(status_code=204)
