"""Offers over REST: what is offered to you, what became of a study's offers, and what nobody can be offered."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict

from radiology.access.model import Actor, Permission, Role
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import NotPermitted
from radiology.reading_worklist.assigning.model import SENTENCES, Exclusion
from radiology.reading_worklist.offers import endings, queries
from radiology.studies.queries import read

router = APIRouter(prefix="/api/radiology/reading-offers", tags=["readers"], route_class=StrictJSONRoute)

Limit = Annotated[int, Query(ge=1, le=200)]
MAY_LOOK = frozenset({Role.CONSULTANT, Role.ADMINISTRATOR, Role.QA})


class DeclineIn(BaseModel):
    """Why a study is left to the next."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "busy"}]})

    reason: Literal["busy", "not-my-field", "conflict-of-interest", "technical", "other"]


@router.get("", response_model=None)
async def get_offers(
    app: CurrentApp,
    actor: CurrentActor,
    past: Annotated[bool, Query(description="Those that have ended, too.")] = False,
    limit: Limit = 50,
) -> Response:
    """What is offered to you, with what your score is made of; those that end first before."""
    actor.must(Permission.INTERPRET)
    async with app.db.reading() as tx:
        found = await queries.own_body(tx, visible_to=actor, open_only=not past, limit=limit)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.get("/reasons")
async def get_reasons(actor: CurrentActor) -> dict[str, Any]:  # noqa: ARG001 - whoever has signed in may ask.
    """Why readers are not asked, in two languages."""
    return {"results": [{"reason": reason, "text": SENTENCES[reason].told()} for reason in Exclusion]}


@router.get("/unassignable", response_model=None)
async def get_unassignable(app: CurrentApp, actor: CurrentActor, limit: Limit = 50) -> Response:
    """What waits and nobody can be offered now: by how many readers which reason excludes."""
    _must_look(actor)
    async with app.db.reading() as tx:
        found = await queries.unassignable_body(tx, visible_to=actor, limit=limit)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.get("/studies/{study}")
async def get_of_study(study: str, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Who was asked for a study, why, and what became of it; the escalation. What peer review says is left out."""
    _must_look(actor)
    async with app.db.reading() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor)
        offers = await queries.history(tx, study_id)
        return {
            "offers": [_without_quality(each, actor) for each in offers],
            "escalation": await queries.escalation(tx, study_id),
        }


@router.post("/{offer_id}/accept")
async def post_accept(offer_id: UUID, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Take it: the study is claimed, as by the reading worklist. 409 where the offer has ended."""
    item = await endings.accept(app, actor, offer_id)
    return {"study": item.study_instance_uid, "state": item.state, "lockedUntil": item.locked_until}


@router.post("/{offer_id}/decline", status_code=204)
async def post_decline(offer_id: UUID, body: DeclineIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Leave it to the next reader; you are not asked for it again. 409 where the offer has ended."""
    await endings.decline(app, actor, offer_id, reason_code=body.reason)
    return Response(status_code=204)


def _must_look(actor: Actor) -> None:
    actor.must(Permission.READ)
    if actor.role not in MAY_LOOK:
        raise NotPermitted("Consultants, administrators and quality look after assignment.")


def _without_quality(offer: dict[str, Any], actor: Actor) -> dict[str, Any]:
    """An offer as others than its reader see it: individual results of peer review are not for them."""
    if offer["reader"] == actor.practitioner_reference:
        return offer
    kept = [factor for factor in offer["explain"] if factor["factor"] != "quality"]
    return {**offer, "explain": kept, "score": round(sum(factor["contribution"] or 0 for factor in kept), 4)}
