"""Place a procedure step in the worklist, and change what it says."""

from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, StaleVersion
from radiology.events import ProcedureStepChanged, ProcedureStepScheduled, emit
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.modality_worklist import queries
from radiology.modality_worklist.model import OPEN, ScheduledProcedureStep, Status
from radiology.modality_worklist.schemas import WorklistItemIn, WorklistPatient
from radiology.standards.dicom.names import PersonName, in_two_scripts, match_text, name_keys
from radiology.standards.dicom.uids import new_uid

#: What has a column of its own, or is no part of the item.
_COLUMNS = frozenset(
    ("start", "version", "serviceRequest", "accessionNumber", "requestedProcedureId", "scheduledProcedureStepId",
     "studyInstanceUID")
)  # fmt: skip


async def place_item(app: App, actor: Actor, item: WorklistItemIn) -> tuple[UUID, int, bytes]:
    """Place an item; returns its id, version and body. Raises Conflict where a number belongs to another patient."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        step_id = await place(tx, app, actor, item)
        return step_id, 1, await queries.body(tx, step_id, zone=app.settings.time_zone)


async def place(tx: Transaction, app: App, actor: Actor, item: WorklistItemIn) -> UUID:
    """The same in the transaction of whoever owns the item, such as an order."""
    facility = actor.facility_code or app.settings.facility_code
    number = await queries.next_number(tx)
    columns: dict[str, Any] = _columns(app, item, facility) | {
        "id": uuid7(),
        "facility_code": facility,
        "scheduled_procedure_step_id": item.scheduledProcedureStepId or f"SPS{number:09}",
        "requested_procedure_id": item.requestedProcedureId or f"RP{number:09}",
        "accession_number": item.accessionNumber or f"A{number:09}",
        "study_instance_uid": item.studyInstanceUID or new_uid(),
    }
    await _refuse_taken(tx, columns)
    await queries.insert(tx, columns)
    step_id: UUID = columns["id"]
    await queries.record_transition(
        tx, step_id, from_status=None, to_status=Status.SCHEDULED, trigger="request", actor=actor.id
    )
    await audit.record(tx, actor, "worklist.place", str(step_id))
    await emit(
        tx,
        ProcedureStepScheduled(
            facility_code=facility,
            procedure_step_id=str(step_id),
            study_instance_uid=columns["study_instance_uid"],
            service_request=item.serviceRequest,
        ),
    )
    return step_id


async def change_item(
    app: App, actor: Actor, step_id: UUID | None, item: WorklistItemIn, *, version: int | None
) -> tuple[int, bytes]:
    """Change an item that is not begun; its numbers stay unless others are given. Returns version and body."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        found = await queries.lock(tx, step_id, visible_to=actor)
        _must_be_open(found, version)
        await change(tx, app, actor, found, item)
        return found.version + 1, await queries.body(tx, found.id, zone=app.settings.time_zone)


async def change(tx: Transaction, app: App, actor: Actor, found: ScheduledProcedureStep, item: WorklistItemIn) -> None:
    """The same of an item that is locked and not begun, in the transaction of whoever owns it."""
    columns: dict[str, Any] = _columns(app, item, found.facility_code) | {
        "id": found.id,
        "facility_code": found.facility_code,
        "requested_procedure_id": item.requestedProcedureId or found.requested_procedure_id,
        "accession_number": item.accessionNumber or found.accession_number,
        "study_instance_uid": item.studyInstanceUID or found.study_instance_uid,
    }
    await queries.save(tx, columns)
    await audit.record(tx, actor, "worklist.change", str(found.id))
    await emit(
        tx,
        ProcedureStepChanged(
            facility_code=found.facility_code,
            procedure_step_id=str(found.id),
            study_instance_uid=columns["study_instance_uid"],
            service_request=item.serviceRequest,
        ),
    )


def _must_be_open(found: ScheduledProcedureStep, version: int | None) -> None:
    if version is not None and version != found.version:
        raise StaleVersion(f"The item has version {found.version} by now. Read it again and decide anew.")
    if found.status not in OPEN:
        raise Conflict(f"The item is {found.status}; only what is not begun can be changed.")


async def _refuse_taken(tx: Transaction, columns: dict[str, Any]) -> None:
    taken = await queries.other_patient_with(
        tx,
        accession_number=columns["accession_number"],
        study_instance_uid=columns["study_instance_uid"],
        facility_code=columns["facility_code"],
        patient_id=columns["patient_id"],
        issuer=columns["issuer_of_patient_id"],
    )
    if taken:
        raise Conflict("The accession number or Study Instance UID belongs to an item of another patient.")


def _columns(app: App, item: WorklistItemIn, facility: str) -> dict[str, Any]:
    name = person_name(item.patient)
    start = datetime.fromisoformat(item.start)
    details = item.model_dump(mode="json", exclude_none=True, exclude=set(_COLUMNS))
    return {
        "service_request": item.serviceRequest,
        "modality": item.modality,
        "station_ae_titles": item.stationAETitles,
        "station_pool": item.stationPool,
        "scheduled_start": start if start.tzinfo else start.replace(tzinfo=app.settings.zone),
        "patient_id": item.patient.id,
        "issuer_of_patient_id": item.patient.issuer or facility,
        "patient_name": name.encode(),
        "patient_name_match": _matched(name),
        "patient_name_keys": list(name_keys(name)),
        "performing_physician_match": _matched(in_two_scripts(item.performingPhysician or "")),
        "details": details,
    }


def _matched(name: PersonName) -> list[str]:
    """Its groups as they are compared; none where there is no name."""
    groups = [match_text(group) for group in (name.alphabetic, name.ideographic, name.phonetic)]
    return groups if any(groups) else []


def person_name(patient: WorklistPatient) -> PersonName:
    """The name as a modality shows it."""
    return in_two_scripts(patient.name, patient.nameBangla or "")
