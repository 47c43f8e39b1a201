"""Merge a patient into another, and undo it. Everything of it is one transaction, or nothing is (2.6, IHE PIR)."""

from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, TransitionRefused
from radiology.events import PatientMerged, PatientUnmerged, emit
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.patients.model import Demographics, lock_keys, number_name
from radiology.patients.queries import read
from radiology.patients.record import Record
from radiology.reconciliation.patients import fan, queries
from radiology.reconciliation.patients.model import Asked, Journal, Kind, Repair, cover_of
from radiology.sensitivity.labelling import label
from radiology.studies.batch import lock_key

STUDIES = "imaging_studies"


async def merge(app: App, actor: Actor, patient: str, into: str, asked: Asked) -> dict[str, Any]:
    """A patient is found to be another, who survives. Returns the repair. Raises NotFound, Conflict."""
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        merged, survivor = [await read.named(tx, each, visible_to=actor) for each in (patient, into)]
        return await queries.body(tx, await merge_in(tx, app, actor, merged, survivor, asked))


async def merge_in(tx: Transaction, app: App, actor: Actor, merged_id: UUID, survivor_id: UUID, asked: Asked) -> UUID:
    """The same in the transaction of a message; who was merged before stands for the survivor of that merge.

    Asked again, or the other way round, it changes nothing and gives the repair of the first time. Raises Conflict
    where both are one patient and never were two, or where the one is to be erased.
    """
    if asked.message_key and (before := await queries.of_message(tx, asked.message_key)):
        return before
    ends = await queries.survivor(tx, merged_id), await queries.survivor(tx, survivor_id)
    if ends[0] == ends[1]:
        return await _standing(tx, merged_id, survivor_id)
    merged, survivor = await _held(tx, *ends)
    if await queries.is_being_erased(tx, merged.id):
        raise Conflict("The erasure of this patient was asked for. It is decided and done first, or refused.")
    kind = Kind.IDENTIFY if merged.temporary and not survivor.temporary else Kind.MERGE
    journal = await _move(tx, app, merged, survivor, asked)
    repair_id = uuid7()
    await queries.insert(
        tx, repair_id, kind, asked, journal, patient_id=survivor.id, other_id=merged.id, actor=actor.id
    )  # fmt: skip
    await _relabel(tx, actor, survivor.id)
    detail = {"merged": merged.reference, "repair": str(repair_id)}
    await audit.record(tx, actor, f"patient.{kind}", survivor.reference, detail=detail)
    await audit.record(tx, actor, f"patient.{kind}", merged.reference, detail={"into": survivor.reference})
    await emit(
        tx,
        PatientMerged(
            facility_code=survivor.facility_code or None,
            patient_id=str(survivor.id),
            merged_patient_id=str(merged.id),
            repair_id=str(repair_id),
            studies=len(journal.moved.get(STUDIES, ())),
            identified=kind == Kind.IDENTIFY,
        ),
    )
    return repair_id


async def unmerge(app: App, actor: Actor, patient: str, asked: Asked) -> dict[str, Any]:
    """Let a patient who was merged stand alone again, with exactly what was moved. `patient`: the merged one's id.

    Returns the repair, and what came since and stays with the survivor. Raises NotFound, TransitionRefused.
    """
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        merged = await read.named(tx, patient, visible_to=actor)
        return await unmerge_in(tx, app, actor, merged, asked)


async def unmerge_in(tx: Transaction, app: App, actor: Actor, merged_id: UUID, asked: Asked) -> dict[str, Any]:
    """The same in the transaction of a message."""
    repair = await queries.lock_merge(tx, merged_id)
    if repair is None:
        raise TransitionRefused("This patient is not merged into another.")
    survivor = await queries.survivor(tx, repair.patient_id)
    await _hold(tx, merged_id, survivor)
    restored = await _restore(tx, app, repair, merged_id, survivor, asked)
    await queries.save_undone(tx, repair.id, actor=actor.id, reason=asked.reason, at=app.clock.now())
    await _relabel(tx, actor, merged_id, survivor)
    record = await read.record(tx, merged_id)
    stays = await queries.came_since(tx, survivor, repair.made_at)
    await audit.record(tx, actor, "patient.unmerge", record.reference, detail={"repair": str(repair.id)})
    await emit(
        tx,
        PatientUnmerged(
            facility_code=record.facility_code or None,
            patient_id=str(survivor),
            restored_patient_id=str(merged_id),
            repair_id=str(repair.id),
            studies=len(restored.get(STUDIES, ())),
            stayed=len(stays["studies"]),
        ),
    )
    return await queries.body(tx, repair.id) | {"restored": restored, "stays": stays}


async def _standing(tx: Transaction, *patients: UUID) -> UUID:
    """The merge by which two who are one patient became one. Raises Conflict where they never were two."""
    for patient_id in patients:
        repair = await queries.lock_merge(tx, patient_id)
        if repair is not None:
            return repair.id
    raise Conflict("Both are the same patient.")


async def _held(tx: Transaction, merged_id: UUID, survivor_id: UUID) -> tuple[Record, Record]:
    """Both patients, locked with their studies and numbers. Raises Conflict where one was merged meanwhile."""
    await _hold(tx, merged_id, survivor_id)
    return await read.lock(tx, merged_id), await read.lock(tx, survivor_id)


async def _hold(tx: Transaction, *patients: UUID) -> None:
    """Keep the index from the studies and the numbers of these patients, in the order in which it takes them."""
    records = (await read.records(tx, patients)).values()
    keys = [key for record in records for key in lock_keys_of(record)]
    for patient_id in patients:
        keys += [lock_key(f"study {each.study_instance_uid}") for each in await queries.studies_of(tx, patient_id)]
    await queries.hold(tx, keys, patients)


def lock_keys_of(record: Record) -> list[int]:
    """The locks of whoever looks for a patient by one of the numbers."""
    said = Demographics(reference=record.reference, identifiers=record.identifiers)
    return [*said.lock_keys, *lock_keys([number_name(each["value"], each["issuer"]) for each in record.numbers])]


async def _move(tx: Transaction, app: App, merged: Record, survivor: Record, asked: Asked) -> Journal:
    now = app.clock.now()
    studies = await queries.studies_of(tx, merged.id)
    covered = await queries.cover_reports(tx, merged.id, cover_of(merged.patient, at=now.isoformat()))
    moved = await queries.move(tx, from_patient=merged.id, to_patient=survivor.id)
    fields = fan.identity_fields(survivor.patient)
    served = await fan.serve_studies(tx, app, studies, survivor.patient, fields, asked)
    items = await fan.show_items(tx, fan.numbers_of(merged.patient, merged.numbers), survivor.patient)
    await queries.lead_to(tx, merged.id, survivor.id)
    return Journal(moved, served, items, covered)


async def _restore(
    tx: Transaction, app: App, repair: Repair, merged_id: UUID, survivor: UUID, asked: Asked
) -> dict[str, list[str]]:
    journal = repair.journal
    await queries.lead_to(tx, merged_id, None)
    record = await read.record(tx, merged_id)
    back = await queries.move_back(tx, journal.moved, from_patient=survivor, to_patient=merged_id)
    await fan.serve_as_before(tx, app, journal, back.get(STUDIES, ()), record.patient, asked)
    await queries.uncover_reports(tx, journal.covered)
    return back


async def _relabel(tx: Transaction, actor: Actor, *patients: UUID) -> None:
    """What is restricted about a person came with the merge, or went."""
    ids = [each.id for patient_id in patients for each in await queries.studies_of(tx, patient_id)]
    if ids:
        await label(tx, actor, ids, cause="restriction")
