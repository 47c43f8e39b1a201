"""What is sensitive about one study, over REST."""

from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.sensitivity import queries
from radiology.sensitivity.model import SensitiveClass, security_labels
from radiology.studies.actions import label as actions
from radiology.studies.actions.claim import claim_study
from radiology.studies.queries import read

router = APIRouter(prefix="/api/radiology/studies", tags=["sensitivity"], route_class=StrictJSONRoute)

Reason = Annotated[str, StringConstraints(min_length=1, max_length=1_000, strip_whitespace=True)]
Classes = Annotated[list[SensitiveClass], Field(max_length=7)]


class RaiseIn(BaseModel):
    """In which classes a study is sensitive, and how confidential it is at least."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"classes": ["S4"], "reason": "Police case."}]}
    )

    classes: Classes = Field(default_factory=list[SensitiveClass])
    confidentiality: Literal["R", "V"] | None = None
    reason: Reason


class ClearIn(BaseModel):
    """In which classes a study is not sensitive, and why. A level that was set by hand is cleared, too."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"classes": ["S1"], "reason": "The code was a mistake."}]}
    )

    classes: Classes = Field(min_length=1)
    reason: Reason


@router.get("/{study}/labels", response_model=None)
async def get_labels(study: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """The classes, meta.security and marks of a study, with the history of its label."""
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor)
        (facts,) = await queries.facts(tx, [study_id])
        marks = await queries.label_body(tx, study_id)
    label = facts.label
    said = {
        "classes": label.classes,
        "confidentiality": label.confidentiality,
        "security": security_labels(label.confidentiality, label.policies),
    }
    return Response(
        orjson.dumps(said)[:-1] + b"," + marks[1:], media_type=JSON, headers={"Cache-Control": "private, no-cache"}
    )


@router.post("/{study}/claim", status_code=204)
async def post_claim(study: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Become the reader of a study of your facility, and see it in full if it is sensitive; never a forensic one.

    The care relation `reader` that this makes ends after 30 days without reading.
    """
    await claim_study(app, actor, study)
    return Response(status_code=204)


@router.post("/{study}/labels/raise", status_code=204)
async def post_raise(study: str, body: RaiseIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Say that a study is sensitive. No rule lowers it again."""
    await actions.raise_label(
        app, actor, study, classes=body.classes, at_least=body.confidentiality, reason=body.reason
    )
    return Response(status_code=204)


@router.post("/{study}/labels/clear", status_code=204)
async def post_clear(study: str, body: ClearIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Say that a study is not sensitive in these classes, for a reason; for privacy officers."""
    await actions.clear_label(app, actor, study, classes=body.classes, reason=body.reason)
    return Response(status_code=204)
