"""Rights of patients over REST. `{reference}` is `Patient/12345`, or a hospital number."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import StreamingResponse

from radiology.data_subjects import copies, erasures, notes
from radiology.data_subjects.notes import NoteState
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute

PATH = "/api/radiology/patients"
_CHUNK_BYTES = 1024 * 1024
_KEPT_NOWHERE = {"Cache-Control": "private, no-store"}

router = APIRouter(prefix=PATH, tags=["data subjects"], route_class=StrictJSONRoute)

Text = Annotated[str, StringConstraints(min_length=10, max_length=4000, strip_whitespace=True)]


class NoteIn(BaseModel):
    """What is to be corrected or restricted. `about`: a Study Instance UID or reportId; empty for the person."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"kind": "correction", "text": "The date of birth is 15 March 1981."}]},
    )

    kind: Literal["correction", "restriction"]
    about: str = Field(default="", max_length=64)
    text: Text


class AnswerIn(BaseModel):
    """What becomes of a note."""

    model_config = ConfigDict(extra="forbid")

    state: Literal[NoteState.ACCEPTED, NoteState.REFUSED, NoteState.ENDED]
    answer: Text


class HoldIn(BaseModel):
    """Why nothing may be erased. `studyInstanceUID`: of this study only."""

    model_config = ConfigDict(extra="forbid")

    studyInstanceUID: str | None = Field(default=None, max_length=64)  # noqa: N815 - as in DICOM JSON.
    reason: Text


class ReasonIn(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: Text


class DecisionIn(BaseModel):
    """What the second person decides. `lastCopies`: also studies that no other archive is known to keep."""

    model_config = ConfigDict(extra="forbid")

    erase: bool
    lastCopies: bool = False  # noqa: N815 - fields are named as in JSON.
    answer: Text


@router.post("/{reference:path}/record", status_code=202, response_model=None)
async def post_record(reference: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Have a copy made of everything that is held of a patient. `GET` of the same address tells when it is there."""
    return _made(await copies.ask(app, actor, reference), 202)


@router.get("/{reference:path}/record", response_model=None)
async def get_records(reference: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """The copies that were asked for."""
    return _listed(await copies.listed(app, actor, reference))


@router.get("/{reference:path}/record/{copy_id}/file", response_model=None)
async def get_file(reference: str, copy_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """The ZIP, for who asked for it, until it expires."""
    path = await copies.file_of(app, actor, reference, copy_id)
    headers = _KEPT_NOWHERE | {
        "Content-Disposition": f'attachment; filename="{copy_id}.zip"',
        "Content-Length": str(path.stat().st_size),
    }
    return StreamingResponse(_chunks(path), media_type="application/zip", headers=headers)


@router.post("/{reference:path}/notes", status_code=201, response_model=None)
async def post_note(reference: str, body: NoteIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Ask for a correction or a restriction."""
    return _made(await notes.make_note(app, actor, reference, kind=body.kind, about=body.about, text=body.text), 201)


@router.get("/{reference:path}/notes", response_model=None)
async def get_notes(reference: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """What was asked for, and what became of it."""
    return _listed(await notes.notes_of(app, actor, reference))


@router.put("/{reference:path}/notes/{note_id}", status_code=204, response_model=None)
async def put_note(reference: str, note_id: UUID, body: AnswerIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Accept, refuse or end what was asked for."""
    await notes.answer_note(app, actor, reference, note_id, state=body.state, answer=body.answer)
    return Response(status_code=204)


@router.post("/{reference:path}/legal-holds", status_code=201, response_model=None)
async def post_hold(reference: str, body: HoldIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Let nothing of it be erased."""
    hold_id = await notes.set_hold(app, actor, reference, study=body.studyInstanceUID, reason=body.reason)
    return _made(hold_id, 201)


@router.get("/{reference:path}/legal-holds", response_model=None)
async def get_holds(reference: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Legal holds, in force and lifted."""
    return _listed(await notes.holds_of(app, actor, reference))


@router.post("/{reference:path}/legal-holds/{hold_id}/lift", status_code=204, response_model=None)
async def post_lift(reference: str, hold_id: UUID, body: ReasonIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """End a legal hold."""
    await notes.lift_hold(app, actor, reference, hold_id, reason=body.reason)
    return Response(status_code=204)


@router.get("/{reference:path}/erasures/dry-run", response_model=None)
async def get_dry_run(reference: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Which studies could be erased now, and which rule keeps the others. Nothing is changed."""
    verdicts = await erasures.try_out(app, actor, reference)
    return _listed(orjson.dumps([verdict.as_json() for verdict in verdicts]))


@router.post("/{reference:path}/erasures", status_code=201, response_model=None)
async def post_erasure(reference: str, body: ReasonIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Ask that what may be erased is. A second person decides."""
    return _made(await erasures.ask(app, actor, reference, reason=body.reason), 201)


@router.get("/{reference:path}/erasures", response_model=None)
async def get_erasures(reference: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Requests for erasure, with the verdict on each study."""
    return _listed(await erasures.listed(app, actor, reference))


@router.post("/{reference:path}/erasures/{erasure_id}/decision", status_code=202, response_model=None)
async def post_decision(
    reference: str, erasure_id: UUID, body: DecisionIn, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Decide as the second person. What may be erased then is, by the worker."""
    await erasures.decide(
        app, actor, reference, erasure_id, erase=body.erase, last_copies=body.lastCopies, answer=body.answer
    )
    return Response(status_code=202)


def _made(id: UUID, status: int) -> Response:
    return Response(orjson.dumps({"id": str(id)}), status, _KEPT_NOWHERE, JSON)


def _listed(results: bytes) -> Response:
    return Response(b'{"results":' + results + b"}", headers=_KEPT_NOWHERE, media_type=JSON)


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk
