"""Restricted persons over REST; for privacy officers."""

from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.studies.restrictions import actions

router = APIRouter(prefix="/api/radiology/patients", tags=["sensitivity"], route_class=StrictJSONRoute)

Reason = Annotated[str, StringConstraints(min_length=1, max_length=1_000, strip_whitespace=True)]


class RestrictionIn(BaseModel):
    """Why the record of a patient is kept closer than others."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "staff", "reason": "Works in the department."}]}
    )

    kind: Literal["staff", "vip", "patient-request", "safeguarding"]
    reason: Reason


class EndIn(BaseModel):
    """Why a restriction ends."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "The patient asked for it."}]})

    reason: Reason


@router.get("/{patient:path}/restrictions", response_model=None)
async def get_restrictions(patient: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """The restrictions of a patient, newest first."""
    found = await actions.listed(app, actor, patient)
    return Response(b'{"results":' + found + b"}", media_type=JSON, headers={"Cache-Control": "private, no-store"})


@router.post("/{patient:path}/restrictions", status_code=201, response_model=None)
async def post_restriction(patient: str, body: RestrictionIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Restrict a patient: all studies are sensitive (class S7), those that come, too."""
    restriction_id = await actions.restrict(app, actor, patient, kind=body.kind, reason=body.reason)
    return Response(orjson.dumps({"id": restriction_id}), 201, media_type=JSON)


@router.post("/{patient:path}/restrictions/{restriction_id}/end", status_code=204)
async def post_end(patient: str, restriction_id: UUID, body: EndIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """End a restriction; what makes studies sensitive otherwise stays."""
    await actions.end(app, actor, patient, restriction_id, reason=body.reason)
    return Response(status_code=204)
