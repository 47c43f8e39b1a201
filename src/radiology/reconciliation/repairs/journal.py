"""Make a repair, and undo one. Everything of it is in the transaction of whoever makes it, or nothing is.

A repair begins with the studies that it is about, locked as the index locks them; keeps each row before it is changed;
and ends by keeping what became of the rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, StaleVersion, TransitionRefused
from radiology.events import ProcedureStepStatusChanged, RepairMade, RepairUndone, StudyCorrected, emit
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.modality_worklist import queries as worklist
from radiology.reconciliation.repairs import queries
from radiology.reconciliation.repairs.model import Asked, Kind, Repair
from radiology.reconciliation.repairs.relations import ITEMS, STUDIES
from radiology.reconciliation.studies import queries as studies
from radiology.reconciliation.studies.model import HeldStudy
from radiology.sensitivity.labelling import label
from radiology.studies.actions import reject
from radiology.studies.queries import rejection


async def repeated(tx: Transaction, app: App, actor: Actor, asked: Asked) -> bytes | None:
    """The repair that was made for the same request before. Raises Conflict where the key was used for another."""
    if asked.key is None:
        return None
    before = await queries.with_key(tx, actor.id, asked.key)
    if before is None:
        return None
    if before.request_sha256 != asked.digest:
        raise Conflict("This Idempotency-Key was used for another request. Use a new one for each repair.")
    return await queries.body(tx, before.id, zone=app.settings.time_zone)


async def begin(
    tx: Transaction, app: App, actor: Actor, kind: Kind, asked: Asked, facility_code: str, uids: Sequence[str]
) -> Repair:
    """A repair of these studies, which are locked."""
    repair = Repair(uuid7(), kind, facility_code, list(uids))
    await queries.insert(tx, repair, asked, actor=actor.id, at=app.clock.now())
    return repair


async def end(
    tx: Transaction,
    app: App,
    actor: Actor,
    repair: Repair,
    *,
    uids: Sequence[str] = (),
    detail: Mapping[str, Any] | None = None,
) -> bytes:
    """The repair is made: what became of the rows is kept, audited and told. Returns its body.

    uids: all studies that it is about, where more became known since it began. Raises Conflict where nothing changed.
    """
    told = list(uids) or repair.study_instance_uids
    if not await queries.finish(tx, repair.id, study_instance_uids=told, detail=dict(detail or {})):
        raise Conflict("This changes nothing: it is so already.")
    await audit.record(tx, actor, "repair.make", str(repair.id), detail={"kind": repair.kind, "studies": told})
    made = RepairMade(
        facility_code=repair.facility_code, repair_id=str(repair.id), kind=repair.kind, study_instance_uids=told
    )
    await emit(tx, made)
    return await queries.body(tx, repair.id, zone=app.settings.time_zone)


async def undo(app: App, actor: Actor, repair_id: UUID, *, reason: str, version: int | None) -> bytes:
    """Let everything be as before a repair; it stays on record as undone. Returns its body.

    Raises TransitionRefused where it was undone already, Conflict where a later repair or something else changed the
    same since, StaleVersion.
    """
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        repair, present = await queries.lock_repair(tx, repair_id, visible_to=actor.beyond_reading)
        if version is not None and version != present:
            raise StaleVersion(f"The repair has version {present} by now. Read it again and decide anew.")
        if repair.is_undone:
            raise TransitionRefused("This repair was undone already.")
        held = await studies.lock_by_uid(tx, repair.study_instance_uids)
        await _must_be_undoable(tx, repair)
        await _give_back(tx, app, actor, repair, held, reason)
        await queries.save_undone(tx, repair_id, actor=actor.id, reason=reason, at=app.clock.now())
        await audit.record(tx, actor, "repair.undo", str(repair_id), detail={"kind": repair.kind})
        undone = RepairUndone(
            facility_code=repair.facility_code,
            repair_id=str(repair_id),
            kind=repair.kind,
            study_instance_uids=repair.study_instance_uids,
        )
        await emit(tx, undone)
        return await queries.body(tx, repair_id, zone=app.settings.time_zone)


async def _must_be_undoable(tx: Transaction, repair: Repair) -> None:
    later = await queries.blocking(tx, repair.id)
    if later is not None:
        raise Conflict(later.sentence)
    if changed := await queries.changed_since(tx, repair.id):
        raise Conflict(f"This was changed since by other ways: {', '.join(changed)}. Put that back first.")
    since = await queries.what_came_since(tx, repair.id)
    if since.instances:
        raise Conflict(f"{since.instances} images came since for the study that the repair made. Move them away first.")
    if since.reports:
        raise Conflict("The study that the repair made has a report. A radiologist withdraws that first.")
    if since.gone:
        raise Conflict(f"{since.gone} images of the repair were rejected since. Withdraw that rejection first.")
    if since.used:
        await queries.leave_made_study(tx, repair.id)


async def _give_back(
    tx: Transaction, app: App, actor: Actor, repair: Repair, held: Sequence[HeldStudy], reason: str
) -> None:
    corrected = {row["id"] for row in await queries.rows_of(tx, repair.id, STUDIES) if "corrections" in row["before"]}
    items = await queries.rows_of(tx, repair.id, ITEMS)
    await queries.give_back(tx, repair.id)
    for rejection_id in await queries.rejections_of(tx, repair.id):
        await _show(tx, app, actor, rejection_id, reason)
    await studies.count_anew(tx, [study.study_instance_uid for study in held])
    remaining = await studies.lock_by_uid(tx, repair.study_instance_uids)
    await label(tx, actor, [study.id for study in remaining], cause="repaired", reason=reason)
    for row in items:
        await _tell_of_item(tx, actor, row, reason)
    for study in remaining:
        if str(study.id) in corrected:
            await emit(
                tx,
                StudyCorrected(
                    facility_code=study.facility_code,
                    study_id=str(study.id),
                    study_instance_uid=study.study_instance_uid,
                ),
            )


async def _show(tx: Transaction, app: App, actor: Actor, rejection_id: UUID, reason: str) -> None:
    held = await rejection.lock_rejection(tx, rejection_id, visible_to=actor.beyond_reading)
    if held is None:
        raise Conflict("What the repair rejected was shown again already, by withdrawing its rejection.")
    await reject.show(tx, actor, rejection_id, held[0], reason=reason, at=app.clock.now())


async def _tell_of_item(tx: Transaction, actor: Actor, row: dict[str, Any], reason: str) -> None:
    """The history of a worklist item that is again what it was, and its event."""
    before, after = row["before"]["status"], row["after"]["status"]
    item = await worklist.lock(tx, UUID(row["id"]), visible_to=actor.beyond_reading)
    await worklist.record_transition(
        tx, item.id, from_status=after, to_status=before, trigger="undo", actor=actor.id, reason=reason
    )
    await emit(
        tx,
        ProcedureStepStatusChanged(
            facility_code=item.facility_code,
            procedure_step_id=str(item.id),
            study_instance_uid=item.study_instance_uid,
            service_request=item.service_request,
            from_status=after,
            to_status=before,
            trigger="undo",
            reason_code=None,
        ),
    )
