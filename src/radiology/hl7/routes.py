"""HL7 over REST, for administrators: senders and their mappings, messages, and those that wait for a person."""

from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response

from radiology.access.model import Permission
from radiology.audit import actions as audit
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import NotFound
from radiology.hl7 import actions, queries
from radiology.hl7.schemas import DismissIn, Name, Replayed, ReplayIn, SenderIn, SenderOut, Tried, TryIn, sender_shown

router = APIRouter(prefix="/api/radiology/hl7", tags=["HL7"], route_class=StrictJSONRoute)


@router.get("/senders")
async def get_senders(app: CurrentApp, actor: CurrentActor) -> dict[str, list[SenderOut]]:
    """The systems that may send messages."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return {"results": [sender_shown(each) for each in await queries.senders(tx, visible_to=actor)]}


@router.get("/senders/{name}")
async def get_sender(name: Name, app: CurrentApp, actor: CurrentActor) -> SenderOut:
    """One sender, with its mappings."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return sender_shown(await queries.sender(tx, name, visible_to=actor))


@router.put("/senders/{name}")
async def put_sender(name: Name, body: SenderIn, app: CurrentApp, actor: CurrentActor) -> SenderOut:
    """Register a sender, or change it and its mappings."""
    sender = body.sender(name)
    await actions.save_sender(app, actor, sender)
    return sender_shown(sender)


@router.delete("/senders/{name}", status_code=204)
async def delete_sender(name: Name, app: CurrentApp, actor: CurrentActor) -> Response:
    """Forget a sender. What it sent stays."""
    await actions.remove_sender(app, actor, name)
    return Response(status_code=204)


@router.post("/senders/{name}/try")
async def post_try(name: Name, body: TryIn, app: CurrentApp, actor: CurrentActor) -> Tried:
    """How a message of the sender would be understood, and what would become of it. Nothing is kept."""
    content = body.message.replace("\r\n", "\r").replace("\n", "\r").encode()
    return await actions.try_message(app, actor, name, content)


@router.get("/messages", response_model=None)
async def get_messages(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    sender: str | None = None,
    state: Literal["processed", "failed", "quarantined", "dismissed"] | None = None,
    control_id: Annotated[str | None, Query(alias="controlId", description="MSH-10.")] = None,
    type: Annotated[str | None, Query(description="As `ORM^O01`.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> Response:
    """The messages that came, newest first, without what they say. Those that failed or are quarantined wait."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        results, following = await queries.page_of(
            tx, sender=sender, state=state, control_id=control_id, type=type, limit=limit, cursor=cursor,
            visible_to=actor,
        )  # fmt: skip
    return page(request, results, following)


@router.get("/messages/{message_id}", response_model=None)
async def get_message(message_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """One message with all that it says, to be corrected or not; that it was read is recorded."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        found = await queries.body_of(tx, message_id, visible_to=actor)
        if found is None:
            raise NotFound("There is no such HL7 message.")
        await audit.record(tx, actor, "hl7.read", str(message_id))
    body, corrected, content = found
    texts = {"message": content.decode(errors="replace"), "corrected": corrected and corrected.decode()}
    return Response(body[:-1] + b"," + orjson.dumps(texts)[1:], media_type=JSON, headers={"Cache-Control": "no-store"})


@router.post("/messages/{message_id}/replay")
async def post_replay(message_id: UUID, body: ReplayIn, app: CurrentApp, actor: CurrentActor) -> Replayed:
    """Do what the message asks for, as it came or as it is corrected. 422 says what is still wrong."""
    return await actions.replay(app, actor, message_id, corrected=body.message, reason=body.reason)


@router.post("/messages/{message_id}/dismiss", status_code=204)
async def post_dismiss(message_id: UUID, body: DismissIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Decide that the message is not used."""
    await actions.dismiss(app, actor, message_id, reason=body.reason)
    return Response(status_code=204)
