"""Move a scheduled procedure step by the table in `model.py`."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import StaleVersion, TransitionRefused
from radiology.events import ProcedureStepStatusChanged, emit
from radiology.kit.db import Transaction
from radiology.modality_worklist import model, queries
from radiology.modality_worklist.model import ScheduledProcedureStep, Status, Verb

AT_ONCE: Final = 200


async def change_status(
    app: App, actor: Actor, step_id: UUID | None, status: Status, *, reason: str | None, version: int | None
) -> tuple[int, bytes]:
    """Move an item to a status; returns its new version and body."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        found = await queries.lock(tx, step_id, visible_to=actor)
        if version is not None and version != found.version:
            raise StaleVersion(f"The item has version {found.version} by now. Read it again and decide anew.")
        if found.status == status:
            raise TransitionRefused(f"The item is {status} already.")
        await move(tx, actor, found, model.VERB_TOWARDS[status], reason=reason)
        return found.version + 1, await queries.body(tx, found.id, zone=app.settings.time_zone)


async def move(
    tx: Transaction,
    actor: Actor,
    item: ScheduledProcedureStep,
    verb: Verb,
    *,
    reason: str | None = None,
    reason_code: str | None = None,
) -> Status:
    """Move an item that is locked; returns its new status. Raises TransitionRefused. Row, history, audit, event."""
    after = model.step(Status(item.status), verb)
    told = reason or reason_code
    await queries.save_status(tx, item.id, status=after, trigger=verb, reason=told)
    await queries.record_transition(
        tx, item.id, from_status=item.status, to_status=after, trigger=verb, actor=actor.id, reason=told
    )
    await audit.record(tx, actor, f"worklist.{verb}", str(item.id))
    await emit(
        tx,
        ProcedureStepStatusChanged(
            facility_code=item.facility_code,
            procedure_step_id=str(item.id),
            study_instance_uid=item.study_instance_uid,
            service_request=item.service_request,
            from_status=item.status,
            to_status=after,
            trigger=verb,
            reason_code=reason_code,
        ),
    )
    return after


async def close_for_study(tx: Transaction, actor: Actor, study_instance_uid: str) -> None:
    """A study is complete, so nothing is left to be done for it: its items leave the worklist."""
    for item in await queries.lock_open_of_study(tx, study_instance_uid):
        await move(tx, actor, item, Verb.COMPLETE)


async def expire(app: App) -> int:
    """Close what was left over: its day is long past, and neither a modality nor a person has said what became of it.

    Some at a time, the oldest first; returns how many. Who reinstates an item has as long again.
    """
    days = app.settings.worklist_expires_days
    async with app.db.transaction() as tx:
        left_over = await queries.lock_left_over(tx, before=app.clock.now() - timedelta(days=days), limit=AT_ONCE)
        for item in left_over:
            await move(
                tx, SYSTEM, item, Verb.EXPIRE, reason=f"Nothing was heard of it for {days} days after its start."
            )
    return len(left_over)
