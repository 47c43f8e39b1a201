"""Move an order by the table in `model.py`: activate, hold, resume, cancel, reinstate, complete, reopen, withdraw."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict
from radiology.events import OrderStatusChanged, emit
from radiology.kit.db import Transaction
from radiology.orders import model, queries
from radiology.orders.actions import fulfilment
from radiology.orders.checking.actions import check, keep, note_cancelled
from radiology.orders.checking.model import HELD, Checked, Override
from radiology.orders.model import Order, Status, Verb
from radiology.studies.queries import performed

CHECKED: Final = frozenset({Verb.ACTIVATE, Verb.RESUME, Verb.REINSTATE})
"""After these an order is carried out."""


async def change_status(
    app: App,
    actor: Actor,
    order_id: UUID | None,
    status: Status,
    *,
    reason: str | None,
    version: int | None,
    overrides: Sequence[Override] = (),
) -> Order:
    """Move an order to a status.

    Raises NotFound, StaleVersion, TransitionRefused, Conflict, Unprocessable, OrderBlocked.
    """
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        order = await queries.lock(tx, order_id, visible_to=actor)
        order.must_have_version(version)
        verb = model.verb_towards(Status(order.status), status)
        return await move_in(tx, app, actor, order, verb, reason=reason, overrides=overrides)


async def activate_in(tx: Transaction, app: App, actor: Actor, order: Order) -> Order:
    """A draft is ordered: its studies are registered and its items placed."""
    return await move_in(tx, app, actor, order, Verb.ACTIVATE)


async def hold_in(tx: Transaction, app: App, actor: Actor, order: Order, *, reason: str) -> Order:
    """Let an order wait: what is not begun leaves the worklist."""
    return await move_in(tx, app, actor, order, Verb.HOLD, reason=reason)


async def hold_blocked(tx: Transaction, app: App, actor: Actor, order: Order, checked: Checked) -> Order:
    """Let an order wait because a rule blocks it: it goes on by itself when none does any more."""
    relocked = await queries.relock(tx, order.id)
    why = f"Held by the check of the order. {checked.sentence}"[: model.LONGEST_REASON]
    return await move_in(tx, app, actor, relocked, Verb.HOLD, reason=why, reason_code=HELD)


async def resume_in(tx: Transaction, app: App, actor: Actor, order: Order, *, reason: str | None = None) -> Order:
    """Let an order that was held go on: what left the worklist is back."""
    return await move_in(tx, app, actor, order, Verb.RESUME, reason=reason)


async def cancel_in(tx: Transaction, app: App, actor: Actor, order: Order, *, reason: str) -> Order:
    """Revoke an order of which nothing is begun: its items leave the worklist, its studies are cancelled."""
    return await move_in(tx, app, actor, order, Verb.CANCEL, reason=reason)


async def reinstate_in(tx: Transaction, app: App, actor: Actor, order: Order, *, reason: str) -> Order:
    """Let a revoked order be active again, with its numbers, its studies and its items."""
    return await move_in(tx, app, actor, order, Verb.REINSTATE, reason=reason)


async def withdraw_in(tx: Transaction, app: App, actor: Actor, order: Order, *, reason: str) -> Order:
    """An order was entered in error. Images that came for it are kept, and wait for a person to find their order."""
    return await move_in(tx, app, actor, order, Verb.WITHDRAW, reason=reason)


async def move_in(
    tx: Transaction,
    app: App,
    actor: Actor,
    order: Order,
    verb: Verb,
    *,
    reason: str | None = None,
    reason_code: str | None = None,
    overrides: Sequence[Override] = (),
) -> Order:
    """Move an order that is locked, with all that was made of it; returns it as it is then.

    State, items, studies, history, audit and event are one transaction. What begins or goes on is checked again: raises
    OrderBlocked where a rule blocks it, and nobody overrides that.
    """
    actor.must(Permission.WRITE)
    after = model.step(Status(order.status), verb)
    model.must_have_reason(verb, reason)
    if verb in CHECKED:
        await _must_pass(tx, app, actor, order, verb, overrides)
    elif verb == Verb.CANCEL:
        await note_cancelled(tx, app, order)
    released = await _follow(tx, app, actor, order, verb, reason)
    moved = await queries.save(tx, replace(order, status=after, released=released))
    await queries.record(
        tx, moved, verb, actor=actor.id, from_status=order.status, reason=reason, reason_code=reason_code
    )
    await audit.record(tx, actor, f"order.{verb}", str(order.id))
    await emit(tx, OrderStatusChanged(**moved.told, from_status=order.status, trigger=verb))
    return await queries.relock(tx, order.id)


async def _must_pass(
    tx: Transaction, app: App, actor: Actor, order: Order, verb: Verb, overrides: Sequence[Override]
) -> None:
    patient = await queries.patient_of(tx, order.patient_id)
    checked = await check(tx, app, actor, order, patient, overrides)
    if checked.blocking:
        raise checked.refusal()
    await keep(tx, app, actor, order, checked, trigger=verb)


async def _follow(tx: Transaction, app: App, actor: Actor, order: Order, verb: Verb, reason: str | None) -> list[UUID]:
    """What a verb does to items and studies; returns the items that are taken out of the worklist from now on."""
    match verb:
        case Verb.ACTIVATE | Verb.RESUME | Verb.REINSTATE:
            await fulfilment.put_back(tx, app, actor, order, reason=reason)
            return []
        case Verb.HOLD:
            return await fulfilment.take_out(tx, actor, order.procedures, reason=reason)
        case Verb.CANCEL:
            fulfilment.must_not_have_begun(order.procedures, "be cancelled")
            taken = await fulfilment.take_out(tx, actor, order.procedures, reason=reason)
            await fulfilment.cancel_studies(tx, app, actor, order.procedures, reason=reason)
            return [*order.released, *taken]
        case Verb.WITHDRAW:
            await _withdraw(tx, app, actor, order, reason)
            return []
        case Verb.COMPLETE:
            _must_be_done(order)
            return []
        case Verb.REOPEN:
            return []


async def _withdraw(tx: Transaction, app: App, actor: Actor, order: Order, reason: str | None) -> None:
    with_images = [each.study_id for each in order.procedures if each.study_id and each.number_of_instances]
    if with_images:
        actor.must(Permission.RECONCILE)
    await fulfilment.take_out(tx, actor, order.procedures, reason=reason)
    await fulfilment.cancel_studies(tx, app, actor, order.procedures, reason=reason)
    for study_id in with_images:
        await performed.detach(tx, study_id, flag=fulfilment.ORDER_WITHDRAWN)


def _must_be_done(order: Order) -> None:
    if order.is_done:
        return
    waiting = [each.study_instance_uid for each in order.procedures if each.study_status not in model.DONE]
    named = f"study {waiting[0]} is not" if waiting else "none of them is"
    raise Conflict(f"An order is completed when its studies are; {named}.")
