"""Repairs of patients over REST. `{patient}` is an id, `Patient/12345`, or a hospital number that one patient has."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.patients.identifiers import Kind as Number
from radiology.patients.queries import read
from radiology.patients.schemas import PatientIn, PatientOut
from radiology.reconciliation.patients import queries
from radiology.reconciliation.patients.link import LinkKind, link
from radiology.reconciliation.patients.lookup import look_up
from radiology.reconciliation.patients.merge import merge, unmerge
from radiology.reconciliation.patients.model import Asked
from radiology.reconciliation.patients.update import update

PATH = "/api/radiology/patients"
KEPT_NOWHERE = {"Cache-Control": "private, no-store"}

router = APIRouter(prefix=PATH, tags=["patients"], route_class=StrictJSONRoute)

Reason = Annotated[str, StringConstraints(min_length=5, max_length=1000, strip_whitespace=True)]
Named = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class MergeIn(BaseModel):
    """Into whom, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"into": "Patient/12345", "reason": "Registered twice"}]}
    )

    into: Named = Field(description="The patient who survives: an id, Patient/12345, or a hospital number.")
    reason: Reason


class UnmergeIn(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class LinkIn(BaseModel):
    """With whom, and what a person found: `seealso` perhaps one person, `different` not the same."""

    model_config = ConfigDict(extra="forbid")

    other: Named
    kind: LinkKind


class LookUpIn(BaseModel):
    """A number. `issuer`: of a hospital number; the own facility, where it is left out."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"type": "NID", "value": "1990123456789"}]}
    )

    type: Number
    value: Named
    issuer: Named | None = None


@router.post("/lookup", response_model=None)
async def post_lookup(body: LookUpIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Look up who has a number in the patient registry that the settings name, and keep what it says.

    `source` is `registry`; `copy` where it is away, with the age of what it said last, and `stale` where that is too
    old; `local` where there is none.
    """
    found = await look_up(app, actor, body.type, body.value, issuer=body.issuer)
    fresh = app.settings.patient_registry_fresh_seconds
    return _answer(found.body(app.clock.now(), fresh_seconds=fresh), 200)


@router.post("/{patient:path}/merge", status_code=201, response_model=None)
async def post_merge(patient: str, body: MergeIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Merge this patient into another, who survives; or say who it is that nobody knew.

    Studies, orders, reports, visits and all else belong to the survivor from now on, on every outlet; the old numbers
    find the survivor. Asked again, it changes nothing.
    """
    return _answer(await merge(app, actor, patient, body.into, Asked(body.reason)), 201)


@router.post("/{patient:path}/unmerge", response_model=None)
async def post_unmerge(patient: str, body: UnmergeIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Let a patient who was merged stand alone again. Exactly what was moved comes back; what came since is listed."""
    return _answer(await unmerge(app, actor, patient, Asked(body.reason)), 200)


@router.put("/{patient:path}/links", response_model=None)
async def put_link(patient: str, body: LinkIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Say of two patients that they are perhaps one, or are not, without merging them."""
    return _answer({"results": await link(app, actor, patient, body.other, body.kind)}, 200)


@router.get("/{patient:path}/repairs", response_model=None)
async def get_repairs(
    patient: str, app: CurrentApp, actor: CurrentActor, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> Response:
    """What was put right about a patient, newest first: changes, merges and what undid them; and the links."""
    async with app.db.transaction() as tx:
        patient_id = await read.find(tx, patient, visible_to=actor)
        made = [await queries.body(tx, each) for each in await queries.history(tx, patient_id, limit=limit)]
        links = await queries.links_of(tx, patient_id)
    return _answer({"results": made, "links": links}, 200)


@router.put("/{patient:path}", response_model=None, responses={200: {"model": PatientOut}})
async def put_patient(
    patient: str, body: PatientIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Change what is known of a patient: all of it but hospital numbers that were, which go on to find the patient.

    Studies on every outlet, worklist items and orders show it at once. 412 where somebody else changed it first.
    """
    version = version_asked(request, body.version)
    record = await update(app, actor, patient, body, Asked("changed"), version=version)
    return tagged(orjson.dumps(record.body), record.version)


def _answer(body: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(body), status, KEPT_NOWHERE, JSON)
