"""Change what an order asks for, as long as it is not at its end; what has begun stays as it was ordered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict
from radiology.events import OrderChanged, emit
from radiology.kit.db import Transaction
from radiology.modality_worklist import queries as worklist
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.orders import queries
from radiology.orders.actions import fulfilment
from radiology.orders.actions.place import all_of, demographics, moment, numbered, procedure_content
from radiology.orders.actions.status import hold_blocked, resume_in
from radiology.orders.checking.actions import check, keep, must_clear, note_replaced
from radiology.orders.checking.model import overrides_of
from radiology.orders.checking.queries import why_held
from radiology.orders.coding import coded
from radiology.orders.items import study_of
from radiology.orders.model import Order, RequestedProcedure, Status
from radiology.orders.schemas import OrderIn, ProcedureIn
from radiology.patients.actions.register import find_or_register
from radiology.patients.model import Patient
from radiology.studies.actions.register import revise


@dataclass(frozen=True, slots=True)
class _Difference:
    """What a change makes of procedures: those that stay as `(before, after)`, those that go, those that come."""

    kept: list[tuple[RequestedProcedure, RequestedProcedure]]
    removed: list[RequestedProcedure]
    added: list[ProcedureIn]


async def change_order(
    app: App, actor: Actor, order_id: UUID | None, said: OrderIn, *, reason: str | None, version: int | None
) -> Order:
    """Change an order. Raises NotFound, StaleVersion, TransitionRefused, Conflict."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        order = await queries.lock(tx, order_id, visible_to=actor)
        order.must_have_version(version)
        return await change_in(tx, app, actor, order, said, reason=reason)


async def change_in(
    tx: Transaction, app: App, actor: Actor, order: Order, said: OrderIn, *, reason: str | None = None
) -> Order:
    """Let an order that is locked say something else; returns it as it is then, `repeated` where it said so before.

    A procedure is known by its Study Instance UID or its Requested Procedure ID, where the change names them, otherwise
    by its place. Raises Conflict for what cannot be changed: patient, numbers, and what has begun.
    """
    actor.must(Permission.WRITE)
    if await queries.is_said(tx, order.id, all_of(said)):
        return replace(order, repeated=True)
    order.must_be_changeable()
    await _must_be_same(tx, order, said)
    patient = await queries.patient_of(tx, order.patient_id)
    right, warnings = await coded(app, said)
    content = right.content() | warnings
    must_clear(actor, order.content.get("safety", {}).get("mrClearance"), content.get("safety", {}).get("mrClearance"))
    difference = _difference(order, right)
    _must_not_have_begun(difference)
    changed = _changed(app, order, said, content)
    number, after = await queries.next_number(tx), await queries.last_position(tx, order.id)
    added = numbered(difference.added, number, after=after)
    await queries.insert_procedures(tx, order.id, added)
    changed = replace(changed, procedures=(*(after for _, after in difference.kept), *added))
    await _remove(tx, app, actor, difference.removed, reason)
    for before, after in difference.kept:
        await _revise(tx, app, actor, changed, before, after, patient, moved=changed.occurrence != order.occurrence)
    if order.status != Status.DRAFT:
        await fulfilment.begin(tx, app, actor, changed, added, patient)
    if order.status == Status.ON_HOLD:
        fresh = await queries.relock(tx, order.id)
        taken = await fulfilment.take_out(tx, actor, fresh.procedures, reason=reason)
        changed = replace(changed, released=[*order.released, *taken])
    saved = await queries.save(tx, changed)
    await queries.record(
        tx, saved, "change", actor=actor.id, from_status=order.status, content=all_of(said), reason=reason
    )
    await audit.record(tx, actor, "order.change", str(order.id), detail={"version": saved.version})
    await emit(tx, OrderChanged(**saved.told))
    return await _checked(
        tx, app, actor, await queries.relock(tx, order.id), patient, said, _exchange(difference, added)
    )


def _changed(app: App, order: Order, said: OrderIn, content: dict[str, Any]) -> Order:
    """What is said of the order as a whole from now on."""
    return replace(
        order,
        placer_number=order.placer_number or said.placerNumber,
        placer=order.placer if order.placer_number else said.placer or order.placer,
        intent=said.intent,
        priority=said.priority,
        occurrence=moment(app, said.occurrence, "occurrence"),
        authored_on=moment(app, said.authoredOn, "authoredOn") or order.authored_on,
        content=content,
    )


async def _checked(
    tx: Transaction,
    app: App,
    actor: Actor,
    order: Order,
    patient: Patient,
    said: OrderIn,
    exchange: tuple[list[str], list[str]],
) -> Order:
    """Ask the rules again. What they block by now waits, and what they blocked before goes on.

    A change is not refused: it may be that somebody tells the very thing that makes the examination dangerous.
    """
    checked = await check(tx, app, actor, order, patient, overrides_of(said.overrides))
    was_held = order.status == Status.ON_HOLD and await why_held(tx, order.id) is not None
    is_held = order.status == Status.ACTIVE and any(each.waits for each in order.procedures)
    await note_replaced(tx, app, order, checked, *exchange)
    held = bool(checked.blocking) and (is_held or was_held)
    await keep(tx, app, actor, order, checked, trigger="change", held=held)
    if checked.blocking and is_held:
        return await hold_blocked(tx, app, actor, order, checked)
    if was_held and not checked.blocking:
        return await resume_in(tx, app, actor, order, reason="No rule blocks the order any more.")
    return order


def _exchange(difference: _Difference, added: Sequence[RequestedProcedure]) -> tuple[list[str], list[str]]:
    """The procedures that are left out or are another examination from now on, and what comes in their place."""
    others = [before for before, after in difference.kept if before.content["code"] != after.content["code"]]
    gone, new = (*difference.removed, *others), (*added, *others)
    return [each.requested_procedure_id for each in gone], [each.requested_procedure_id for each in new]


async def _must_be_same(tx: Transaction, order: Order, said: OrderIn) -> None:
    """Raises Conflict where a change means another patient, or gives an order another number."""
    patient = await find_or_register(tx, demographics(said.patient, order.facility_code))
    if patient.id != order.patient_id:
        raise Conflict(
            f"The order is for {order.patient_reference}, and stays so. Cancel it and place one for the other patient; "
            "where both are one, merge the patients."
        )
    if said.accessionNumber not in (None, order.accession_number):
        raise Conflict(f"The order has the accession number {order.accession_number}, and keeps it.")
    if order.placer_number and (said.placerNumber or order.placer_number) != order.placer_number:
        raise Conflict(f"The order has the placer number {order.placer_number}, and keeps it.")
    if "status" in said.model_fields_set and said.status != order.status:
        raise Conflict(f"The order is {order.status}: its status is changed by itself, not with what it says.")


def _difference(order: Order, said: OrderIn) -> _Difference:
    left = list(order.procedures)
    kept: list[tuple[RequestedProcedure, RequestedProcedure]] = []
    added: list[ProcedureIn] = []
    named = [_named(left, each) for each in said.procedures]
    unnamed = [each for each in left if each not in named]
    for each, found in zip(said.procedures, named, strict=True):
        is_named = each.studyInstanceUID is not None or each.requestedProcedureId is not None
        before = found if is_named else next((one for one in unnamed if one.modality == each.modality), None)
        if before is None:
            added.append(each)
            continue
        if not is_named:
            unnamed.remove(before)
        left.remove(before)
        kept.append((before, replace(before, modality=each.modality, content=procedure_content(each))))
    return _Difference(kept, left, added)


def _named(procedures: Sequence[RequestedProcedure], said: ProcedureIn) -> RequestedProcedure | None:
    return next(
        (
            each
            for each in procedures
            if (said.studyInstanceUID or said.requestedProcedureId)
            and said.studyInstanceUID in (None, each.study_instance_uid)
            and said.requestedProcedureId in (None, each.requested_procedure_id)
        ),
        None,
    )


def _must_not_have_begun(difference: _Difference) -> None:
    fulfilment.must_not_have_begun(difference.removed, "leave it out")
    others = [
        before
        for before, after in difference.kept
        if (before.content, before.modality) != (after.content, after.modality)
    ]
    fulfilment.must_not_have_begun(others, "ask for something else")


async def _remove(
    tx: Transaction, app: App, actor: Actor, removed: Sequence[RequestedProcedure], reason: str | None
) -> None:
    why = reason or "The order was changed, and leaves it out."
    await fulfilment.take_out(tx, actor, removed, reason=why)
    await fulfilment.cancel_studies(tx, app, actor, removed, reason=why)
    for each in removed:
        await queries.remove_procedure(tx, each.id)


async def _revise(
    tx: Transaction,
    app: App,
    actor: Actor,
    order: Order,
    before: RequestedProcedure,
    after: RequestedProcedure,
    patient: Patient,
    *,
    moved: bool,
) -> None:
    """A procedure that stays: its row, its study and its item say what the order says now, unless it has begun."""
    await queries.save_procedure(tx, after)
    if before.has_begun:
        return
    if before.study_id is not None:
        await revise(tx, app, actor, before.study_id, study_of(order, after))
    if before.step_id is None:
        return
    item = await worklist.lock(tx, before.step_id, visible_to=SYSTEM)
    if before.waits or item.id in order.released:
        start = order.occurrence if moved and _is_ours(item, before) else None
        await fulfilment.tell_anew(tx, app, actor, order, after, patient, item, start=start)


def _is_ours(item: ScheduledProcedureStep, procedure: RequestedProcedure) -> bool:
    """Whether nobody booked another time for the item than the order gave it."""
    return item.scheduled_start == procedure.asked_start
