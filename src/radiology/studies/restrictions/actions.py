"""Restrict a patient, and end it; for privacy officers. The studies are labelled before the answer is given."""

from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotFound
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.relations.queries import patient_of
from radiology.sensitivity import actions as sensitivity
from radiology.sensitivity.queries import lock_for_change
from radiology.studies.restrictions import queries


async def restrict(app: App, actor: Actor, patient: str, *, kind: str, reason: str) -> UUID:
    """The studies of a patient are sensitive from now on, those that come, too. Raises NotFound, NotPermitted."""
    actor.must(Permission.PRIVACY)
    restriction_id = uuid7()
    async with app.db.transaction() as tx:
        patient_id = await _locked(tx, actor, patient)
        await queries.insert(tx, id=restriction_id, patient_id=patient_id, kind=kind, reason=reason, made_by=actor.id)
        await audit.record(tx, actor, "privacy.restrict", str(restriction_id), detail={"kind": kind})
        arguments = await sensitivity.label_anew(tx, app, actor, patient_id=patient_id)
    # The job does it, too, where this process ends here; it finds nothing left to do otherwise.
    await sensitivity.relabel(app, arguments)
    return restriction_id


async def end(app: App, actor: Actor, patient: str, restriction_id: UUID, *, reason: str) -> None:
    """End a restriction, for a reason. Raises NotFound, NotPermitted."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        patient_id = await _locked(tx, actor, patient)
        if not await queries.end(tx, restriction_id, patient_id=patient_id, ended_by=actor.id, reason=reason):
            raise NotFound("There is no such restriction that has not ended.")
        await audit.record(tx, actor, "privacy.end-restriction", str(restriction_id))
        arguments = await sensitivity.label_anew(tx, app, actor, patient_id=patient_id)
    await sensitivity.relabel(app, arguments)


async def listed(app: App, actor: Actor, patient: str) -> bytes:
    """The restrictions of a patient, those that have ended, too. Raises NotFound, NotPermitted."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        return await queries.restrictions_body(tx, await _patient(tx, actor, patient))


async def _locked(tx: Transaction, actor: Actor, patient: str) -> UUID:
    patient_id = await _patient(tx, actor, patient)
    await lock_for_change(tx)
    return patient_id


async def _patient(tx: Transaction, actor: Actor, patient: str) -> UUID:
    patient_id = await patient_of(tx, patient, visible_to=actor)
    if patient_id is None:
        raise NotFound("There is no such patient at your facility.")
    return patient_id
