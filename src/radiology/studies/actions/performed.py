"""What modalities report with MPPS, and what becomes of the study (IHE RAD-6, RAD-7). One transaction a message."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from radiology.access.model import Actor
from radiology.app import App
from radiology.events import ProcedureStepChanged, StudyReceived, StudyRegistered, StudyStatusChanged, emit
from radiology.kit.db import Transaction, as_json
from radiology.kit.ids import uuid7
from radiology.modality_worklist.actions import perform
from radiology.modality_worklist.actions.perform import Ended
from radiology.modality_worklist.actions.status import close_for_study
from radiology.modality_worklist.model import Modality, ScheduledProcedureStep
from radiology.modality_worklist.performed import PerformedStatus
from radiology.modality_worklist.performed_queries import others_in_progress, plan_anew
from radiology.patients.actions.register import find_or_register
from radiology.patients.model import Demographics
from radiology.sensitivity.labelling import label
from radiology.standards.dicom.names import name_search_text
from radiology.standards.dicom.uids import new_uid
from radiology.studies import model
from radiology.studies.model import Flag, Status, Study, Verb
from radiology.studies.queries import performed as queries
from radiology.studies.queries import read, write
from radiology.studies.schemas import DCM


async def begin_performed_step(
    app: App, actor: Actor, modality: Modality, sop_instance_uid: str, attributes: dict[str, Any]
) -> None:
    """N-CREATE: record the step; the studies it is for are in progress. Raises as `perform.begin` does."""
    async with app.db.transaction() as tx:
        items = await perform.begin(tx, app, actor, modality, sop_instance_uid, attributes)
        for item in items:
            study_id = await queries.study_of(tx, item.study_instance_uid, facility_code=item.facility_code)
            study_id = study_id or await _register(tx, actor, item)
            await _move(tx, app, actor, await read.lock_study(tx, study_id), Verb.START)


async def change_performed_step(
    app: App, actor: Actor, modality: Modality, sop_instance_uid: str, changes: dict[str, Any]
) -> None:
    """N-SET: take the changes; where the step ends, its studies follow. Raises as `perform.change` does."""
    async with app.db.transaction() as tx:
        ended = await perform.change(tx, app, actor, modality, sop_instance_uid, changes)
        if ended is None:
            return
        for uid in ended.step.study_instance_uids:
            study_id = await queries.study_of(tx, uid, facility_code=modality.facility_code)
            if study_id is not None:
                await _end(tx, app, actor, await read.lock_study(tx, study_id), ended)


async def performed_step_attributes(
    app: App, actor: Actor, modality: Modality, sop_instance_uid: str
) -> dict[str, Any]:
    """N-GET: all attributes of a step. Raises NotFound."""
    async with app.db.transaction() as tx:
        return await perform.attributes_of(tx, actor, modality, sop_instance_uid)


async def _end(tx: Transaction, app: App, actor: Actor, study: Study, ended: Ended) -> None:
    """A step of the study is over (2.4): complete where all is there, cancelled where nothing was kept."""
    if ended.wrong_entry:
        await _release(tx, app, actor, study, ended)
        return
    if await others_in_progress(tx, study.scheduled_as, but=ended.step.id):
        return
    if ended.status == PerformedStatus.DISCONTINUED:
        if study.number_of_instances:
            await queries.add_flag(tx, study.id, Flag.INCOMPLETE)
            await complete(tx, app, actor, study)
        else:
            await _move(tx, app, actor, study, Verb.CANCEL, reason=ended.discontinuation_code)
    elif study.number_of_instances and not ended.compared.number_missing and ended.compared.number_of_instances:
        await complete(tx, app, actor, study)


async def complete(tx: Transaction, app: App, actor: Actor, study: Study) -> None:
    """A study that is locked is whole: all that its modality made is here, or nothing more will come."""
    if not await _move(tx, app, actor, study, Verb.COMPLETE):
        return
    await close_for_study(tx, actor, study.scheduled_as)
    await emit(
        tx,
        StudyReceived(
            facility_code=study.facility_code,
            study_id=str(study.id),
            study_instance_uid=study.study_instance_uid,
            number_of_instances=study.number_of_instances,
        ),
    )


async def _release(tx: Transaction, app: App, actor: Actor, study: Study, ended: Ended) -> None:
    """The wrong item had been selected: images need a person, and without any the study waits for its own turn.

    What the item asks for is still to be done, under another Study Instance UID than the images that are not its own.
    """
    if study.number_of_instances:
        await queries.detach(tx, study.id, flag=Flag.WRONG_WORKLIST_ENTRY)
        for item in ended.scheduled:
            if item.study_instance_uid == study.scheduled_as:
                await _plan_anew(tx, actor, replace(item, study_instance_uid=new_uid()))
    elif await _move(tx, app, actor, study, Verb.CANCEL, reason="wrong worklist entry"):
        cancelled = await read.lock_study(tx, study.id)
        await _move(tx, app, actor, cancelled, Verb.REINSTATE, reason="wrong worklist entry")


async def _plan_anew(tx: Transaction, actor: Actor, item: ScheduledProcedureStep) -> None:
    await plan_anew(tx, item.id, item.study_instance_uid)
    if item.service_request is not None:
        await _register(tx, actor, item)
    await emit(
        tx,
        ProcedureStepChanged(
            facility_code=item.facility_code,
            procedure_step_id=str(item.id),
            study_instance_uid=item.study_instance_uid,
            service_request=item.service_request,
        ),
    )


async def _move(
    tx: Transaction, app: App, actor: Actor, study: Study, verb: Verb, *, reason: str | None = None
) -> bool:
    """Move a study that is locked, where the table has such a step; what a modality did is recorded anyway."""
    before = Status(study.status)
    if (before, verb) not in model.TRANSITIONS:
        return False
    after = model.step(before, verb)
    await write.record_transition(
        tx, study.id, from_status=before, to_status=after, trigger="mpps", actor=actor.id, reason=reason
    )
    await write.save_status(
        tx, study.id, status=after, completed=None, now=app.clock.now(), reason_no_images=None, warnings=[]
    )
    await emit(
        tx,
        StudyStatusChanged(
            facility_code=study.facility_code,
            study_id=str(study.id),
            study_instance_uid=study.study_instance_uid,
            from_status=before,
            to_status=after,
            trigger="mpps",
        ),
    )
    return True


async def _register(tx: Transaction, actor: Actor, item: ScheduledProcedureStep) -> UUID:
    """The study of an item, before its first image."""
    reference = item.patient.get("reference") or f"Patient/{item.patient_id}"
    identity = {
        "name": item.patient_name,
        "birth_date": item.patient.get("birthDate", "").replace("-", ""),
        "sex": item.patient.get("sex", ""),
    }
    said = Demographics(
        item.patient_id,
        item.issuer_of_patient_id,
        reference,
        identity["name"],
        identity["birth_date"],
        identity["sex"],
        facility_code=item.facility_code,
    )
    patient = await find_or_register(tx, said)
    study_id = uuid7()
    await write.insert_study(tx, _columns(item, study_id, patient.id, identity))
    await write.record_transition(
        tx, study_id, from_status=None, to_status=Status.REGISTERED, trigger="mpps", actor=actor.id
    )
    await emit(
        tx,
        StudyRegistered(
            facility_code=item.facility_code, study_id=str(study_id), study_instance_uid=item.study_instance_uid
        ),
    )
    await label(tx, actor, [study_id], cause="registered")
    return study_id


def _columns(
    item: ScheduledProcedureStep, study_id: UUID, patient_id: UUID, identity: dict[str, str]
) -> dict[str, Any]:
    unknown = ("study_id", "encounter_id", "started", "referrer", "interpreter", "endpoint", "location", "reason_code",
               "reason_reference", "procedure_code", "metadata")  # fmt: skip
    order = [{"reference": item.service_request}] if item.service_request else None
    return {
        **dict.fromkeys(unknown),
        "id": study_id,
        "patient_id": patient_id,
        "status": Status.REGISTERED,
        "modality": as_json([{"coding": [{"system": DCM, "code": item.modality}]}]),
        "based_on": as_json(order),
        "study_description": item.details["requestedProcedure"],
        "accession_number": item.accession_number,
        "study_instance_uid": item.study_instance_uid,
        "facility_code": item.facility_code,
        "modalities_in_study": [item.modality],
        "procedure_codes": [],
        "performers": [],
        "interpreters": [],
        "flags": [],
        "dicom_patient_id": item.patient_id,
        "issuer_of_patient_id": item.issuer_of_patient_id,
        "patient_name": identity["name"],
        "patient_name_search": name_search_text(identity["name"]),
        "patient_birth_date": identity["birth_date"],
        "patient_sex": identity["sex"],
    }
