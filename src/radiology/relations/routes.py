"""Who treats a patient, over REST."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.relations import actions
from radiology.relations.model import Kind

router = APIRouter(prefix="/api/radiology/patients", tags=["care relations"], route_class=StrictJSONRoute)

EXAMPLE: dict[str, Any] = {"actor": "account:rahim", "kind": "ward", "endsAt": "2026-02-01T00:00:00+06:00"}


class RelationIn(BaseModel):
    """Who treats the patient, as what, and until when."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    actor: Annotated[str, StringConstraints(min_length=9, max_length=200, pattern=r"^account:")] = Field(
        description="account:<name>"
    )
    kind: Kind
    endsAt: AwareDatetime = Field(description="At most a year away, with an offset.")  # noqa: N815
    studyInstanceUID: Annotated[str, StringConstraints(max_length=64, pattern=r"^[0-9.]+$")] | None = Field(  # noqa: N815
        default=None, description="This study only; without it, all of the patient."
    )

    @property
    def ends_at(self) -> datetime:
        """The moment that it ends."""
        return self.endsAt


@router.get("/{patient:path}/relations", response_model=None)
async def get_relations(patient: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Who treats a patient and who did, newest first; for who treats the patient and for privacy officers."""
    return Response(b'{"results":' + await actions.listed(app, actor, patient) + b"}", media_type=JSON)


@router.post("/{patient:path}/relations", status_code=201, response_model=None)
async def post_relation(patient: str, body: RelationIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Somebody treats the patient until a moment, and sees the sensitive studies."""
    _, answer = await actions.add(
        app,
        actor,
        patient,
        who=body.actor,
        kind=body.kind,
        study_instance_uid=body.studyInstanceUID,
        ends_at=body.ends_at,
    )
    return Response(answer, 201, media_type=JSON)


@router.delete("/{patient:path}/relations/{relation_id}", status_code=204)
async def delete_relation(patient: str, relation_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """End a relation before its time."""
    await actions.end(app, actor, patient, relation_id)
    return Response(status_code=204)
