"""Reject instances, by a key object that comes in or by REST, and withdraw a rejection."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, NotPermitted
from radiology.events import InstancesRejected, RejectionWithdrawn, emit
from radiology.kit.db import Transaction, WriterTransaction
from radiology.kit.ids import uuid7
from radiology.studies.actions import noting
from radiology.studies.queries import noting as notes
from radiology.studies.queries import read
from radiology.studies.queries import rejection as queries
from radiology.studies.queries.rejection import RejectedStudy
from radiology.studies.receive import Arrival
from radiology.studies.rejection import (
    MAY_REJECT,
    MAY_WITHDRAW_REJECTION,
    Category,
    Rejection,
    RejectionNote,
    Title,
    rejection_note,
)


def reject_by_key_objects(tx: WriterTransaction, arrivals: Iterable[Arrival]) -> list[InstancesRejected]:
    """What key objects that have just been indexed reject, where their sender is trusted to; else they are objects.

    Only instances of the patient whose key object it is can be rejected by it.
    """
    told: list[InstancesRejected] = []
    for arrival in arrivals:
        note = rejection_note(arrival.header)
        if note is not None and _is_trusted(tx, arrival):
            told += _reject_by(tx, arrival, note)
    return told


def _is_trusted(tx: WriterTransaction, arrival: Arrival) -> bool:
    source = arrival.source
    return source.may_reject or (source.ae_title != "" and queries.is_trusted(tx, source.ae_title))


def _reject_by(tx: WriterTransaction, arrival: Arrival, note: RejectionNote) -> list[InstancesRejected]:
    studies = tx.all(
        RejectedStudy, queries.STUDIES, uids=sorted(note.references), of_patient_in=arrival.study_instance_uid
    )
    told: list[InstancesRejected] = []
    for study in studies:
        rejection = Rejection(
            id=uuid7(),
            study_instance_uid=study.study_instance_uid,
            facility_code=study.facility_code,
            title=note.title,
            category=note.category,
            reason=note.reason,
            actor=arrival.source.actor,
            sop_instance_uids=note.references[study.study_instance_uid],
            key_object_uid=arrival.sop_instance_uid,
        )
        for statement in (queries.INSERT, queries.INSERT_REFERENCES, *queries.HIDE):
            tx.run(statement, **queries.parameters(rejection, arrival.received_at))
        audit.record_in_batch(tx, rejection.actor, "study.reject", str(study.id), detail=_detail(rejection))
        told.append(_event(study, rejection))
    return told


async def reject(
    app: App,
    actor: Actor,
    study: str,
    *,
    title: Title,
    category: Category,
    reason: str,
    series: Sequence[str],
    instances: Sequence[str],
) -> bytes:
    """Reject series and instances of a study, all of it where none is named. Returns the rejection as JSON."""
    actor.must(Permission.WRITE)
    if actor.role not in MAY_REJECT:
        raise NotPermitted("Only a quality officer or an administrator can reject images.")
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor.beyond_reading)
        uids = await queries.instances_to_reject(tx, study_id, series=list(series), instances=list(instances))
        noted = await notes.instances_of(tx, study_id, uids)
        attributes, uid = await notes.attributes_of(tx, study_id), await _uid_of(tx, study_id)
    written = await noting.write(app, uid, title, reason, noted, attributes)
    async with app.db.transaction() as tx:
        found = await tx.one(RejectedStudy, queries.STUDIES, uids=[uid], of_patient_in=None)
        if not written.names(await notes.instances_of(tx, study_id, uids)):
            raise Conflict("The images of the study have changed meanwhile. Look again.")
        rejection = Rejection(
            uuid7(), uid, found.facility_code, title, category, reason, actor.id, tuple(uids), written.uid
        )
        await hide(tx, actor, found, rejection, at=app.clock.now())
        await noting.keep(tx, written, study_id=study_id, rejection_id=rejection.id)
        return await queries.rejection_body(tx, rejection.id, zone=app.settings.time_zone)


async def hide(tx: Transaction, actor: Actor, study: RejectedStudy, rejection: Rejection, *, at: datetime) -> None:
    """Hide what a rejection names of a study that is locked."""
    for statement in (queries.INSERT, queries.INSERT_REFERENCES, *queries.HIDE):
        await tx.run(statement, **queries.parameters(rejection, at))
    await audit.record(tx, actor, "study.reject", str(study.id), detail=_detail(rejection))
    await emit(tx, _event(study, rejection))


async def withdraw(app: App, actor: Actor, rejection_id: UUID, *, reason: str) -> bytes:
    """Show again what a rejection hides; the rejection stays on record with its withdrawal. Returns its body.

    Raises Conflict where it was withdrawn already.
    """
    actor.must(Permission.WRITE)
    if actor.role not in MAY_WITHDRAW_REJECTION:
        raise NotPermitted("Only an administrator can withdraw a rejection.")
    async with app.db.transaction() as tx:
        held = await queries.lock_rejection(tx, rejection_id, visible_to=actor)
        if held is None:
            raise Conflict("This rejection was withdrawn already.")
        await show(tx, actor, rejection_id, held[0], reason=reason, at=app.clock.now())
        return await queries.rejection_body(tx, rejection_id, zone=app.settings.time_zone)


async def show(
    tx: Transaction, actor: Actor, rejection_id: UUID, study_instance_uid: str, *, reason: str, at: datetime
) -> None:
    """Show again what a rejection hides, which is locked and holds."""
    study = await tx.maybe(RejectedStudy, queries.STUDIES, uids=[study_instance_uid], of_patient_in=None)
    await tx.run(queries.WITHDRAW, id=rejection_id, reason=reason, actor=actor.id, withdrawn_at=at)
    for statement in queries.SHOW:
        await tx.run(statement, id=rejection_id, study_instance_uid=study_instance_uid)
    await tx.run(queries.END_REFERENCES, id=rejection_id)
    await audit.record(tx, actor, "study.withdraw-rejection", str(rejection_id))
    if study is not None:
        shown = RejectionWithdrawn(
            facility_code=study.facility_code,
            study_id=str(study.id),
            study_instance_uid=study.study_instance_uid,
            rejection_id=str(rejection_id),
        )
        await emit(tx, shown)


async def _uid_of(tx: Transaction, study_id: UUID) -> str:
    return await tx.value("SELECT study_instance_uid FROM imaging_studies WHERE id = %(id)s", id=study_id)


def _detail(rejection: Rejection) -> dict[str, str | int | None]:
    return {
        "rejection": str(rejection.id),
        "title": rejection.title,
        "category": rejection.category,
        "instances": len(rejection.sop_instance_uids),
        "keyObject": rejection.key_object_uid,
    }


def _event(study: RejectedStudy, rejection: Rejection) -> InstancesRejected:
    return InstancesRejected(
        facility_code=study.facility_code,
        study_id=str(study.id),
        study_instance_uid=study.study_instance_uid,
        rejection_id=str(rejection.id),
        title=rejection.title,
        category=rejection.category,
        instances=len(rejection.sop_instance_uids),
        final_reports=study.final_reports,
    )
