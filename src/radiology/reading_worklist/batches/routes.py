"""Batches over REST, for readers of the network."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.reading_worklist.batches import actions, queries
from radiology.reading_worklist.batches.model import Alike
from radiology.reading_worklist.model import UNREPORTED

router = APIRouter(prefix="/api/radiology/reading-batches", tags=["readers"], route_class=StrictJSONRoute)

EXAMPLE: dict[str, Any] = {"facilityCode": "10000033", "modality": "DX", "region": "chest", "procedure": "XR_CHEST_PA"}
Word = Annotated[str, StringConstraints(max_length=64)]


class BatchIn(BaseModel):
    """What the studies of a batch have in common, as the list of batches says it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    facilityCode: Word  # noqa: N815
    modality: Word
    region: Word = ""
    procedure: Word = ""


@router.get("")
async def get_batches(app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """The batches that you could begin now, that with the earliest deadline first."""
    found = await actions.offered(app, actor)
    return {
        "results": [
            {
                "facilityCode": batch.alike.facility_code,
                "modality": batch.alike.modality,
                "region": batch.alike.region,
                "procedure": batch.alike.procedure_key,
                "studies": len(batch.studies),
                "minutes": batch.minutes,
                "dueAt": batch.studies[0].deadline,
            }
            for batch in found
        ]
    }


@router.post("", status_code=201)
async def post_batch(body: BatchIn, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Claim the studies of a batch. 409 while you have one that has not ended."""
    alike = Alike(body.facilityCode, body.modality, body.region, body.procedure)
    return {"id": str(await actions.begin(app, actor, alike))}


@router.get("/{batch_id}", response_model=None)
async def get_batch(batch_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Its studies in order, which one is next, and STAT studies that are offered to you, which come before it."""
    actor.must(Permission.INTERPRET)
    async with app.db.transaction() as tx:
        batch = await queries.lock(tx, batch_id, actor.id)
        held = await queries.held(tx, batch_id)
        interrupts = await queries.interrupts(tx, actor.id)
    return Response(
        b'{"batch":' + _told(batch, held, actor.id) + b',"interruptedBy":' + interrupts + b"}", media_type=JSON
    )


@router.post("/{batch_id}/renew", response_model=None)
async def post_renew(batch_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Keep your studies for 30 minutes more; without it they are released. Tells of STAT studies that come before."""
    count = await actions.renew(app, actor, batch_id)
    async with app.db.transaction() as tx:
        interrupts = await queries.interrupts(tx, actor.id)
    return Response(b'{"renewed":%d,"interruptedBy":' % count + interrupts + b"}", media_type=JSON)


@router.post("/{batch_id}/end", status_code=204)
async def post_end(batch_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Release what nothing is written of, and end the batch."""
    await actions.end(app, actor, batch_id)
    return Response(status_code=204)


def _told(batch: queries.Batch, held: Sequence[queries.Held], account: str) -> bytes:
    mine = [each for each in held if each.claimed_by == account and each.state in UNREPORTED]
    return orjson.dumps(
        {
            "id": batch.id,
            "endedAt": batch.ended_at,
            "next": mine[0].study_instance_uid if mine else None,
            "studies": [
                {
                    "study": each.study_instance_uid,
                    "state": each.state,
                    "isYours": each.claimed_by == account,
                    "lockedUntil": each.locked_until if each.claimed_by == account else None,
                }
                for each in held
            ],
        }
    )
