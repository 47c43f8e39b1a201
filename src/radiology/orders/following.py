"""From what happened at the modality to orders: complete those that are done, and note what was given up, and why."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.audit import actions as audit
from radiology.events import (
    OrderStepDiscontinued,
    ProcedureStepStatusChanged,
    RepairMade,
    RepairUndone,
    StudyStatusChanged,
    emit,
)
from radiology.kit import outbox
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid_of
from radiology.modality_worklist.model import Status as StepStatus
from radiology.modality_worklist.performed import DISCONTINUATION_REASONS
from radiology.orders import queries
from radiology.orders.actions.fulfilment import take_out
from radiology.orders.actions.status import move_in
from radiology.orders.model import Order, Status, Verb
from radiology.studies.model import Status as StudyStatus

READER: Final = "orders"
ENDED: Final = frozenset({StudyStatus.CANCELLED, StudyStatus.ENTERED_IN_ERROR})


async def follow_events(app: App) -> int:
    """Read what happened since the last time; returns how many orders were touched.

    Mark and orders are one transaction: no event is passed over, and none counts twice.
    """
    async with app.db.transaction() as tx:
        events = await outbox.next_for(tx, READER)
        if not events:
            return 0
        count = 0
        for event in events:
            if event.type == StudyStatusChanged.type:
                count += await _follow_study(tx, app, event.body)
            elif event.type == ProcedureStepStatusChanged.type:
                count += await _follow_step(tx, event.body)
            elif event.type in (RepairMade.type, RepairUndone.type):
                count += await _follow_repair(tx, app, event.body)
        await outbox.had(tx, READER, events[-1].position)
    return count


async def _follow_study(tx: Transaction, app: App, body: Mapping[str, Any]) -> bool:
    """A study was completed, or is not done: so may be its order, and an item of it waits for nobody."""
    after = StudyStatus(body["to_status"])
    if after != StudyStatus.COMPLETED and after not in ENDED:
        return False
    order_id = await queries.order_of_study(tx, UUID(body["study_id"]))
    if order_id is None:
        return False
    order = await queries.relock(tx, order_id)
    if after in ENDED:
        ended = [each for each in order.procedures if str(each.study_id) == body["study_id"]]
        await take_out(tx, SYSTEM, ended, reason=f"The study is {after}.")
        order = await queries.relock(tx, order_id)
    return await _settle(tx, app, order)


async def _follow_repair(tx: Transaction, app: App, body: Mapping[str, Any]) -> int:
    """Studies belong elsewhere, or for sure: their orders are done by that, or are not."""
    about = await queries.orders_about(tx, body["study_instance_uids"])
    return sum([await _settle(tx, app, await queries.relock(tx, order_id)) for order_id in about])


async def _settle(tx: Transaction, app: App, order: Order) -> bool:
    """Complete an order that is done, reopen one that is not after all; whether that was so."""
    if order.is_done and Status(order.status) in (Status.ACTIVE, Status.ON_HOLD):
        await move_in(tx, app, SYSTEM, order, Verb.COMPLETE)
    elif order.status == Status.COMPLETED and not order.is_done:
        await move_in(tx, app, SYSTEM, order, Verb.REOPEN, reason="Its images belong elsewhere, or should not exist.")
    else:
        return False
    return True


async def _follow_step(tx: Transaction, body: Mapping[str, Any]) -> bool:
    """A modality gave a step up: its reason stands in the history of the order (PS3.16 CID 9300)."""
    given_up = body["to_status"] == StepStatus.DISCONTINUED or body["trigger"] == "release"
    order_id = uuid_of((body["service_request"] or "").removeprefix("ServiceRequest/"))
    order = await queries.find(tx, order_id) if given_up and order_id else None
    if order is None:
        return False
    await _note_discontinued(tx, order, body["study_instance_uid"], body["reason_code"])
    return True


async def _note_discontinued(tx: Transaction, order: Order, study_instance_uid: str, code: str | None) -> None:
    await queries.record(
        tx,
        order,
        "discontinued",
        actor=SYSTEM.id,
        from_status=order.status,
        reason=DISCONTINUATION_REASONS.get(code or "", "Discontinued at the modality"),
        reason_code=code,
    )
    await audit.record(tx, SYSTEM, "order.discontinued", str(order.id), detail={"code": code})
    told: dict[str, Any] = {**order.told, "study_instance_uids": [study_instance_uid]}
    await emit(tx, OrderStepDiscontinued(**told, reason_code=code))
