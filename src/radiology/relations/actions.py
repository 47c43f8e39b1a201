"""Say who treats a patient, end it, and note what people do with a study."""

from datetime import datetime
from uuid import UUID

from radiology.access.model import Actor, Permission, Role
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotFound, NotPermitted, Unprocessable
from radiology.events import CareRelationEnded, emit
from radiology.kit.clock import now
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.relations import queries
from radiology.relations.model import LASTS, LONGEST, Kind


async def add(
    app: App, actor: Actor, patient: str, *, who: str, kind: Kind, study_instance_uid: str | None, ends_at: datetime
) -> tuple[UUID, bytes]:
    """Somebody treats a patient until a moment. Raises NotFound, NotPermitted, Unprocessable."""
    async with app.db.transaction() as tx:
        patient_id = await _patient(tx, actor, patient)
        await _must_decide(tx, actor, patient_id)
        if kind == Kind.SELF and not actor.may(Permission.PRIVACY):
            raise NotPermitted("Only a privacy officer says which account is the patient's own.")
        if not await queries.has_account(tx, who):
            raise Unprocessable("actor is no account that can sign in; name it as account:<name>.")
        if not now() < ends_at <= now() + LONGEST:
            raise Unprocessable(f"endsAt must be in the future, and at most {LONGEST.days} days away.")
        relation_id = uuid7()
        await queries.insert(
            tx,
            id=relation_id,
            actor=who,
            kind=kind,
            patient_id=patient_id,
            facility_code=actor.facility_code,
            study_instance_uid=study_instance_uid,
            ends_at=ends_at,
            source="manual",
            made_by=actor.id,
        )
        await audit.record(tx, actor, "care-relation.add", str(relation_id), detail={"actor": who, "kind": kind})
        return relation_id, await queries.relation_body(tx, relation_id)


async def end(app: App, actor: Actor, patient: str, relation_id: UUID) -> None:
    """End a relation before its time. Raises NotFound, NotPermitted."""
    async with app.db.transaction() as tx:
        patient_id = await _patient(tx, actor, patient)
        relation = await queries.lock(tx, relation_id, patient_id)
        if relation is None:
            raise NotFound("There is no such relation that has not ended.")
        if relation.kind == "break-glass":
            raise NotPermitted("Break-glass is ended by DELETE /api/radiology/break-glass/<id>.")
        if relation.actor != actor.id:
            await _must_decide(tx, actor, patient_id)
        await queries.end(tx, relation_id)
        await emit(tx, CareRelationEnded(facility_code=actor.facility_code, relation_id=str(relation_id)))
        await audit.record(tx, actor, "care-relation.end", str(relation_id), detail={"actor": relation.actor})


async def listed(app: App, actor: Actor, patient: str) -> bytes:
    """Who treats a patient, and who did. Raises NotFound, NotPermitted."""
    async with app.db.transaction() as tx:
        patient_id = await _patient(tx, actor, patient)
        await _must_decide(tx, actor, patient_id)
        return await queries.relations_of(tx, patient_id)


async def note(tx: Transaction, actor: Actor, kind: Kind, study_id: UUID, *, source: str) -> None:
    """What somebody with an account does with a study makes a relation to it."""
    if actor.id.startswith("account:"):
        await queries.note(
            tx,
            id=uuid7(),
            actor=actor.id,
            kind=kind,
            study_id=study_id,
            lasts=LASTS[kind],
            source=source,
            made_by=actor.id,
        )


async def note_named(tx: Transaction, actor: Actor, study_id: UUID) -> None:
    """Who is named by a study as referrer, performer or interpreter, and has an account, treats its patient."""
    for kind, who in await queries.people_of(tx, study_id):
        await queries.note(
            tx,
            id=uuid7(),
            actor=who,
            kind=kind,
            study_id=study_id,
            lasts=LASTS[Kind(kind)],
            source="study",
            made_by=actor.id,
        )


async def _patient(tx: Transaction, actor: Actor, patient: str) -> UUID:
    patient_id = await queries.patient_of(tx, patient, visible_to=actor)
    if patient_id is None:
        raise NotFound("There is no such patient at your facility.")
    return patient_id


async def _must_decide(tx: Transaction, actor: Actor, patient_id: UUID) -> None:
    """Privacy officers, the programs of the hospital that know its wards, and who treats the patient."""
    if actor.may(Permission.PRIVACY) or actor.role == Role.SERVICE:
        return
    if not await queries.treats(tx, actor, patient_id):
        raise NotPermitted("Only who treats the patient, or a privacy officer, may see and change who does.")
