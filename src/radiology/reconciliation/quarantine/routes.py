"""Decisions about what is held in quarantine, over REST."""

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field, StringConstraints

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.reconciliation.quarantine import actions
from radiology.reconciliation.quarantine.actions import Decided
from radiology.reconciliation.routes import IdempotencyKey, asked_of, made
from radiology.reconciliation.schemas import RepairIn
from radiology.reconciliation.waiting.model import Decision
from radiology.studies.rejection import Category

router = APIRouter(
    prefix="/api/radiology/reconciliation/quarantine", tags=["reconciliation"], route_class=StrictJSONRoute
)


class DecisionIn(RepairIn):
    """What is decided about an object that is held, or about all that is alike."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"decision": "attach", "reason": "Name typed wrong.", "allAlike": True}]},
    )

    decision: Decision
    study: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = Field(
        default=None, description="attach: to this study, where that is another than the object names"
    )
    allAlike: bool = Field(  # noqa: N815
        default=False, description="all that is held of the same study, for the same reason and from the same place"
    )
    category: Category = Category.WRONG_PATIENT


@router.post("/{quarantine_id}/decide", status_code=201, response_model=None)
async def post_decision(
    quarantine_id: UUID, body: DecisionIn, request: Request, app: CurrentApp, actor: CurrentActor,
    key: IdempotencyKey = None,
) -> Response:  # fmt: skip
    """Attach, split off, keep, take, discard, or try the index again. All but the last can be undone as a repair."""
    if body.decision == Decision.RETRY:
        study = await actions.retry(request.app.state.archive, actor, quarantine_id, reason=body.reason)
        return Response(orjson.dumps({"studyInstanceUID": study}), 201, media_type=JSON)
    decided = Decided(body.decision, body.study, body.allAlike, body.category)
    return made(await actions.decide(app, actor, quarantine_id, asked_of(request, body, key), decided))
