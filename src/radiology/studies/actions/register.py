"""Register a study before its images come."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Unprocessable
from radiology.events import StudyRegistered, emit
from radiology.kit.db import Transaction, as_json
from radiology.kit.ids import uuid7
from radiology.patients.actions.register import find_or_register
from radiology.patients.model import Demographics, Patient
from radiology.procedures.catalogue import catalogue
from radiology.procedures.coding import CodingWarning, all_corrected
from radiology.procedures.lookup import Catalogue
from radiology.relations import actions as relations
from radiology.sensitivity.labelling import label
from radiology.standards.dicom.names import name_search_text
from radiology.standards.dicom.uids import new_uid
from radiology.studies.moments import read_moment
from radiology.studies.queries import read, write
from radiology.studies.schemas import CodeableConcept, Reference, StudyIn

LARGEST_CHOSEN_NUMBER = 999_999_999


async def register_study(app: App, actor: Actor, body: StudyIn) -> tuple[UUID, int, bytes]:
    """Register a study; returns its id, version and body. Raises Conflict where its UID or studyId is taken."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        study_id = await register(tx, app, actor, body)
        return study_id, 1, await read.study_body(tx, study_id, zone=app.settings.time_zone)


async def register(tx: Transaction, app: App, actor: Actor, body: StudyIn, *, patient: Patient | None = None) -> UUID:
    """The same in the transaction of whoever asks for the study, such as an order, which knows the patient already."""
    facility = actor.facility_code or app.settings.facility_code
    columns, warnings = _columns(app, await catalogue(app), body)
    await write.refuse_taken(tx, study_id=body.studyId, study_instance_uid=columns["study_instance_uid"])
    await _keep_numbers_apart(tx, body.studyId)
    patient = patient or await find_or_register(tx, Demographics.of_reference(body.subject.reference or "", facility))
    metadata = _metadata(body, warnings)
    await write.insert_study(
        tx, {**columns, **_patient_columns(patient), "facility_code": facility, "metadata": as_json(metadata)}
    )
    await write.record_transition(
        tx, columns["id"], from_status=None, to_status=body.status, trigger="request", actor=actor.id
    )
    await audit.record(tx, actor, "study.register", str(columns["id"]))
    uid = columns["study_instance_uid"]
    await emit(tx, StudyRegistered(facility_code=facility, study_id=str(columns["id"]), study_instance_uid=uid))
    await label(tx, actor, [columns["id"]], cause="registered")
    await relations.note_named(tx, actor, columns["id"])
    return columns["id"]


async def revise(tx: Transaction, app: App, actor: Actor, study_id: UUID, body: StudyIn) -> None:
    """Let a study say what its order says now, as long as no images came; who is named takes part in the care."""
    columns, _ = _columns(app, await catalogue(app), body)
    if await write.revise_study(tx, study_id, columns):
        await audit.record(tx, actor, "study.revise", str(study_id))
        await label(tx, actor, [study_id], cause="registered")
        await relations.note_named(tx, actor, study_id)


def _columns(app: App, known: Catalogue, body: StudyIn) -> tuple[dict[str, Any], list[CodingWarning]]:
    started, warnings = _moment(app, body.started)
    reason_code, reason_warnings = _concepts(known, body.reasonCode, "reasonCode")
    procedure_code, procedure_warnings = _concepts(known, body.procedureCode, "procedureCode")
    columns = {
        "id": uuid7(),
        "study_id": body.studyId,
        "encounter_id": body.encounter.reference if body.encounter else None,
        "status": body.status,
        "modality": as_json([concept.as_json() for concept in body.modality]),
        "started": started,
        "based_on": _references(body.basedOn),
        "referrer": _reference(body.referrer),
        "interpreter": _references(body.interpreter),
        "endpoint": _references(body.endpoint),
        "location": _reference(body.location),
        "reason_code": as_json(reason_code),
        "reason_reference": _references(body.reasonReference),
        "procedure_code": as_json(procedure_code),
        "study_description": body.studyDescription,
        "accession_number": body.accessionNumber,
        "study_instance_uid": body.studyInstanceUID or new_uid(),
        "modalities_in_study": _codes([concept.as_json() for concept in body.modality]),
        "procedure_codes": _codes(procedure_code or []),
        "performers": _names([performer.actor for performer in body.performer or []]),
        "interpreters": _names(body.interpreter or []),
        "flags": list(dict.fromkeys(body.flags)),
    }
    return columns, [*warnings, *reason_warnings, *procedure_warnings]


def _patient_columns(patient: Patient) -> dict[str, Any]:
    return {
        "patient_id": patient.id,
        "dicom_patient_id": patient.patient_id,
        "issuer_of_patient_id": patient.issuer_of_patient_id,
        "patient_name": patient.patient_name,
        "patient_name_search": name_search_text(patient.patient_name),
        "patient_birth_date": patient.birth_date,
        "patient_sex": patient.sex,
    }


def _metadata(body: StudyIn, warnings: list[CodingWarning]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"warnings": [warning.as_json() for warning in warnings]}
    if body.encounter and body.encounter.display:
        metadata["encounter"] = body.encounter.model_dump(exclude_none=True)
    if body.performer:
        metadata["performer"] = [performer.model_dump(exclude_none=True) for performer in body.performer]
    return metadata


def _moment(app: App, text: str | None) -> tuple[datetime | None, list[CodingWarning]]:
    return (None, []) if text is None else read_moment(text, app.settings.zone, "started")


def _concepts(
    known: Catalogue, concepts: list[CodeableConcept] | None, field: str
) -> tuple[list[dict[str, Any]] | None, list[CodingWarning]]:
    if concepts is None:
        return None, []
    return all_corrected(known, [concept.as_json() for concept in concepts], field)


def _codes(concepts: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(coding["code"] for concept in concepts for coding in concept.get("coding", ())))


def _names(references: list[Reference]) -> list[str]:
    return [reference.reference for reference in references if reference.reference]


def _reference(reference: Reference | None) -> Any:
    return as_json(reference.model_dump(exclude_none=True) if reference else None)


def _references(references: list[Reference] | None) -> Any:
    return as_json(None if references is None else [each.model_dump(exclude_none=True) for each in references])


async def _keep_numbers_apart(tx: Transaction, study_id: str | None) -> None:
    """A client may choose `study-123`; our own numbering must never give it again."""
    chosen = re.fullmatch(r"study-(\d+)", study_id or "")
    if chosen is None:
        return
    number = int(chosen[1])
    if not 0 < number <= LARGEST_CHOSEN_NUMBER:
        raise Unprocessable(f"studyId of the form study-<n> takes an n from 1 to {LARGEST_CHOSEN_NUMBER}.")
    await write.step_over_number(tx, number)
