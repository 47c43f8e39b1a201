"""Change what the registry says of a patient, and with it everything that shows it (HL7 ADT A08, PUT of a patient)."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, StaleVersion
from radiology.events import PatientUpdated, emit
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.patients.identifiers import Identifier
from radiology.patients.identifiers import Kind as Number
from radiology.patients.model import Demographics, Patient
from radiology.patients.queries import read, registry
from radiology.patients.record import Record, phone_number, said_in
from radiology.patients.schemas import PatientIn
from radiology.reconciliation.patients import fan, queries
from radiology.reconciliation.patients.merge import lock_keys_of
from radiology.reconciliation.patients.model import Asked, Columns, Journal, Kind, changed_identity, cover_of
from radiology.standards.dicom.names import name_keys
from radiology.studies.batch import lock_key


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a patient now. phone, details: None where they stay.

    is_whole: what is not said is not known; otherwise it stays, as with a message that carries only some fields.
    """

    demographics: Demographics
    phone: str | None = None
    details: dict[str, Any] | None = None
    is_whole: bool = False


async def update(app: App, actor: Actor, patient: str, body: PatientIn, asked: Asked, *, version: int | None) -> Record:
    """Let the registry say of a patient what the body says. Raises NotFound, StaleVersion, Conflict, Unprocessable."""
    actor.must(Permission.WRITE)
    facility = actor.facility_code or app.settings.facility_code
    today = app.clock.now().astimezone(app.settings.zone).date()
    demographics = said_in(body, facility_code=facility, today=today)
    phone = phone_number(body.phone) if body.phone else ""
    async with app.db.transaction() as tx:
        patient_id = await read.find(tx, patient, visible_to=actor)
        said = Said(demographics, phone, body.details, is_whole=True)
        await update_in(tx, app, actor, patient_id, said, asked, version=version)
        return await read.record(tx, patient_id)


async def update_in(
    tx: Transaction, app: App, actor: Actor, patient_id: UUID, said: Said, asked: Asked, *, version: int | None = None
) -> UUID | None:
    """The same in the transaction of a message, for the survivor of who was merged; returns the repair.

    None where nothing changed. A message that was followed already changes nothing.
    """
    if asked.message_key and (before := await queries.of_message(tx, asked.message_key)):
        return before
    record = await _held(tx, await queries.survivor(tx, patient_id), said)
    if version is not None and version != record.version:
        raise StaleVersion(f"The patient has version {record.version} by now. Read it again and decide anew.")
    await _refuse_numbers_of_others(tx, record, said.demographics)
    after = _after(record, said)
    journal = await _save(tx, app, record, after, said, asked)
    if journal is None:
        return None
    repair_id = uuid7()
    await queries.insert(
        tx, repair_id, Kind.UPDATE, asked, journal, patient_id=record.id, other_id=None, actor=actor.id
    )  # fmt: skip
    await audit.record(tx, actor, "patient.update", record.reference, detail={"repair": str(repair_id)})
    await emit(
        tx,
        PatientUpdated(
            facility_code=record.facility_code or None,
            patient_id=str(record.id),
            repair_id=str(repair_id),
            studies=len(journal.studies),
        ),
    )
    return repair_id


async def _held(tx: Transaction, patient_id: UUID, said: Said) -> Record:
    record = await read.record(tx, patient_id)
    studies = [lock_key(f"study {each.study_instance_uid}") for each in await queries.studies_of(tx, patient_id)]
    await queries.hold(tx, [*lock_keys_of(record), *said.demographics.lock_keys, *studies], [patient_id])
    return await read.lock(tx, patient_id)


async def _refuse_numbers_of_others(tx: Transaction, record: Record, said: Demographics) -> None:
    known = set(record.identifiers)
    number = Identifier(Number.HOSPITAL, said.patient_id, said.issuer)
    new = tuple(each for each in (number, *said.identifiers) if each.value and each not in known)
    others = {each.id for each in await registry.candidates(tx, Demographics(identifiers=new))} - {record.id}
    if others:
        raise Conflict("A number belongs to another patient. Merge the two, if they are one person.")


def _after(record: Record, said: Said) -> Patient:
    """Who the patient is by now. The hospital number stays unless another one of the same issuer is said."""
    told, known = said.demographics, record.patient
    renumbered = told.patient_id and told.issuer in ("", known.issuer_of_patient_id)
    return replace(
        known,
        patient_id=told.patient_id if renumbered or not known.patient_id else known.patient_id,
        issuer_of_patient_id=known.issuer_of_patient_id or told.issuer,
        patient_name=told.name or known.patient_name,
        birth_date=told.birth_date if said.is_whole else told.birth_date or known.birth_date,
        sex=told.sex if said.is_whole else told.sex or known.sex,
    )


async def _save(tx: Transaction, app: App, record: Record, after: Patient, said: Said, asked: Asked) -> Journal | None:
    phone = record.phone if said.phone is None else said.phone
    details = record.details if said.details is None else said.details
    told = said.demographics
    keeps_birth_date = not told.birth_date and not said.is_whole
    estimated = record.birth_date_estimated if keeps_birth_date else told.birth_date_estimated
    numbers = _numbers(record, after, said)
    known = (record.patient, record.phone, record.details, record.birth_date_estimated, _distinct(record.numbers))
    if (after, phone, details, estimated, numbers) == known:
        return None
    await queries.save_record(
        tx,
        record.id,
        after,
        birth_date_estimated=estimated,
        phone=phone,
        details=details,
        name_keys=name_keys(after.patient_name),
    )
    await queries.save_numbers(tx, record.id, numbers)
    return await _fan_out(tx, app, record, after, asked)


async def _fan_out(tx: Transaction, app: App, record: Record, after: Patient, asked: Asked) -> Journal:
    before = {
        name: value
        for name, value in record.body.items()
        if name not in ("createdAt", "updatedAt", "registryCheckedAt")
    }
    fields = changed_identity(record.patient, after)
    if not fields:
        return Journal(patient=before)
    covered = await queries.cover_reports(tx, record.id, cover_of(record.patient, at=app.clock.now().isoformat()))
    served = await fan.serve_studies(tx, app, await queries.studies_of(tx, record.id), after, fields, asked)
    items = await fan.show_items(tx, fan.numbers_of(record.patient, record.numbers), after)
    return Journal({}, served, items, covered, before)


def _numbers(record: Record, after: Patient, said: Said) -> list[Columns]:
    """The numbers beside the first. A hospital number that was, stays one by which the patient is found."""
    demographics = said.demographics
    told = [
        *map(_column, demographics.identifiers),
        _column(Identifier(Number.HOSPITAL, demographics.patient_id, demographics.issuer)),
        _column(Identifier(Number.HOSPITAL, record.patient_id, record.issuer_of_patient_id)),
    ]
    replaced = {each["kind"] for each in told} if not said.is_whole else set(Number)
    kept = [each for each in record.numbers if each["kind"] == Number.HOSPITAL or each["kind"] not in replaced]
    first = _column(Identifier(Number.HOSPITAL, after.patient_id, after.issuer_of_patient_id))
    return [each for each in _distinct([*kept, *told]) if each["value"] and each != first]


def _column(number: Identifier) -> Columns:
    return {"kind": str(number.kind), "value": number.value, "issuer": number.issuer}


def _distinct(numbers: list[Columns]) -> list[Columns]:
    """Each once, in one order, so that they can be compared."""
    by_key = {(each["kind"], each["value"], each["issuer"]): each for each in numbers}
    return [by_key[key] for key in sorted(by_key)]
