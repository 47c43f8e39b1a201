"""Side by side over REST."""

import asyncio
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from radiology.access.model import Permission
from radiology.app import App
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import NotFound, RadiologyError
from radiology.kit.cpu import LimitedProcesses
from radiology.pixels.encode import JPEG
from radiology.pixels.geometry import Viewport
from radiology.pixels.render import Material, Rendering, picture
from radiology.reconciliation.comparing import queries
from radiology.reconciliation.comparing.model import Came, ranked, shown
from radiology.reconciliation.comparing.queries import ComparedStudy, Held
from radiology.reconciliation.waiting.model import DECISIONS, REPAIRS, SENTENCES, Kind
from radiology.standards.dicom.header import Header
from radiology.standards.dicom.identity import PatientIdentity
from radiology.studies import pictures
from radiology.studies.queries import read
from radiology.studies.queries.retrieve import StoredInstance
from radiology.studies.receive import arrival_of

THUMBNAIL = Viewport(256, 256, enlarge=False)

router = APIRouter(prefix="/api/radiology/reconciliation", tags=["reconciliation"], route_class=StrictJSONRoute)


@router.get("/studies/{study}", response_model=None)
async def get_study_side_by_side(study: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """What came and how it is served, beside the items and studies that it may belong to, the likeliest first."""
    actor.must(Permission.RECONCILE)
    reader = actor.beyond_reading
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=reader)
        found = await queries.study(tx, study_id)
        first = _header(orjson.loads(await queries.first_attributes(tx, study_id)))
        came = Came.of(first, facility_code=found.facility_code)
        series = await queries.series_of(tx, study_id)
        candidates = await queries.candidates(
            tx, came, facility_code=found.facility_code, moment=found.moment, but=study_id, visible_to=reader
        )
    body = {
        "subject": _subject(found),
        "came": {**came.body(), "series": series, "numberOfInstances": found.number_of_instances},
        "served": _served(found),
        "candidates": [candidate.body(came) for candidate in ranked(candidates, came)],
    }
    return _private(body)


@router.get("/quarantine/{quarantine_id}", response_model=None)
async def get_held_side_by_side(quarantine_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """The same of an object that is held in quarantine; with its study, where there is one, among the candidates."""
    actor.must(Permission.RECONCILE)
    reader = actor.beyond_reading
    async with app.db.transaction() as tx:
        held = await queries.held(tx, quarantine_id, visible_to=reader)
    came = await asyncio.to_thread(_read, app, held)
    async with app.db.transaction() as tx:
        candidates = await queries.candidates(
            tx, came, facility_code=held.facility_code, moment=held.received_at, but=None, visible_to=reader
        )
    body = {
        "subject": _of_held(held),
        "came": came.body(),
        "candidates": [candidate.body(came) for candidate in ranked(candidates, came)],
    }
    return _private(body)


@router.get("/quarantine/{quarantine_id}/thumbnail", response_class=Response)
async def get_held_thumbnail(quarantine_id: UUID, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """A small picture of an object that is held, for who decides about it. 404 where it is no image."""
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        held = await queries.held(tx, quarantine_id, visible_to=actor.beyond_reading)
    shown = await asyncio.to_thread(_material, app, held)
    decoders: LimitedProcesses = request.app.state.decoders
    content = await decoders.call(picture, shown, Rendering(JPEG, viewport=THUMBNAIL))
    return Response(content, media_type=JPEG, headers={"Cache-Control": "private, no-store"})


def _material(app: App, held: Held) -> Material:
    """The middle frame of an object, ready to be shown. Blocks: for a thread. Raises NotFound, CannotUnderstand."""
    arrival = arrival_of(app.objects, held.object_key, facility_code=held.facility_code)
    header = arrival.header
    if header.pixel_data_offset is None and header.pixel_data_length is None:
        raise NotFound("This object is no image, so there is no thumbnail of it.")
    instance = StoredInstance(
        arrival.study_instance_uid,
        arrival.series_instance_uid,
        arrival.sop_instance_uid,
        arrival.text("00080016"),
        header.transfer_syntax_uid,
        None,
        arrival.object_key,
        arrival.size_bytes,
        arrival.data_set_offset,
        header.pixel_data_offset,
        header.pixel_data_length,
        arrival.data_set_sha256,
    )
    attributes = header.json()
    return pictures.material(app.objects, instance, attributes, pictures.frames_of(attributes, None))


def _read(app: App, held: Held) -> Came:
    """What an object says; of one that cannot be read only what was known when it was held. Blocks: for a thread."""
    try:
        header = arrival_of(app.objects, held.object_key, facility_code=held.facility_code).header
    except RadiologyError:
        header = _header({"0020000D": {"vr": "UI", "Value": [held.study_instance_uid]}})
    return Came.of(header, facility_code=held.facility_code)


def _header(attributes: dict[str, Any]) -> Header:
    return Header("", (), attributes, None, None, frozenset())


def _subject(found: ComparedStudy) -> dict[str, Any]:
    return {
        "kind": "study",
        "id": found.id,
        "version": found.version,
        "facilityCode": found.facility_code,
        "match": found.match,
        "flags": found.flags,
        "serviceRequest": found.service_request,
    }


def _of_held(held: Held) -> dict[str, Any]:
    kind = Kind(held.reason.replace("_", "-"))
    return {
        "kind": kind,
        "id": held.id,
        "facilityCode": held.facility_code,
        "reason": held.reason,
        "detail": held.detail,
        "sentence": SENTENCES[kind].told(),
        "decisions": DECISIONS[held.reason] if held.resolved_at is None else (),
        "sopInstanceUID": held.sop_instance_uid,
        "seriesInstanceUID": held.series_instance_uid,
        "sourceAETitle": held.source_ae_title,
        "receivedAt": held.received_at,
        "resolution": held.resolution,
        "others": held.others,
        "thumbnail": f"{REPAIRS}/quarantine/{held.id}/thumbnail",
    }


def _served(found: ComparedStudy) -> dict[str, Any]:
    identity = PatientIdentity(
        found.patient_id, found.issuer_of_patient_id, found.patient_name, found.birth_date, found.sex
    )
    return {
        "patient": shown(identity),
        "accessionNumber": found.accession_number or "",
        "studyDescription": found.study_description or "",
    }


def _private(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type=JSON, headers={"Cache-Control": "private, no-store"})
