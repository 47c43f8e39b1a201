"""Who is told by HL7 how orders fare, and what became of it, over REST; for administrators."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import page
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.hl7.outgoing import queries, sending
from radiology.hl7.schemas import Name, ReceiverIn, ReceiverOut, receiver_shown

router = APIRouter(prefix="/api/radiology/hl7", tags=["HL7"], route_class=StrictJSONRoute)


@router.get("/receivers")
async def get_receivers(app: CurrentApp, actor: CurrentActor) -> dict[str, list[ReceiverOut]]:
    """The systems that are told how orders fare."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return {"results": [receiver_shown(each) for each in await queries.receivers(tx, visible_to=actor)]}


@router.get("/receivers/{name}")
async def get_receiver(name: Name, app: CurrentApp, actor: CurrentActor) -> ReceiverOut:
    """One receiver."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return receiver_shown(await queries.receiver(tx, name, visible_to=actor))


@router.put("/receivers/{name}")
async def put_receiver(name: Name, body: ReceiverIn, app: CurrentApp, actor: CurrentActor) -> ReceiverOut:
    """Register a receiver, or change it. It is told what happens from now on."""
    receiver = body.receiver(name)
    await sending.save_receiver(app, actor, receiver)
    return receiver_shown(receiver)


@router.delete("/receivers/{name}", status_code=204)
async def delete_receiver(name: Name, app: CurrentApp, actor: CurrentActor) -> Response:
    """Forget a receiver, and what waits for it."""
    await sending.remove_receiver(app, actor, name)
    return Response(status_code=204)


@router.get("/outgoing", response_model=None)
async def get_outgoing(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    receiver: str | None = None,
    state: Literal["open", "sent", "refused", "given-up", "dismissed"] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> Response:
    """What receivers were told or are to be told, newest first. What was refused or given up waits for a person."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        results, following = await queries.page_of(
            tx, receiver=receiver, state=state, limit=limit, cursor=cursor, visible_to=actor
        )
    return page(request, results, following)


@router.post("/outgoing/{outgoing_id}/retry", status_code=204)
async def post_retry(outgoing_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Send again what was refused, given up or dismissed."""
    await sending.retry(app, actor, outgoing_id)
    return Response(status_code=204)


@router.post("/outgoing/{outgoing_id}/dismiss", status_code=204)
async def post_dismiss(outgoing_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Nobody has to look any more at what was refused or given up."""
    await sending.dismiss(app, actor, outgoing_id)
    return Response(status_code=204)
