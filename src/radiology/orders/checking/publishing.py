"""Publish, try and withdraw sets of rules. A set is never changed: another one takes its place."""

from collections.abc import Mapping, Sequence
from typing import Any

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, FieldProblem, NotFound, Unprocessable
from radiology.kit.db import Transaction, as_json
from radiology.orders import queries as orders
from radiology.orders.checking import rules
from radiology.orders.checking.actions import ask, asked_of
from radiology.orders.checking.model import ProcedureChecked
from radiology.orders.checking.schemas import RulesIn, TryIn
from radiology.orders.model import Order
from radiology.procedures.appropriateness import golden
from radiology.procedures.appropriateness.model import Decision
from radiology.procedures.appropriateness.ruleset import RuleSet, compiled, shipped
from radiology.procedures.catalogue import catalogue


async def publish(app: App, actor: Actor, said: RulesIn) -> RuleSet:
    """Let a set of rules hold from its day on.

    Raises Conflict where the version is taken, Unprocessable where the day has passed or a golden case is answered
    otherwise that was not accepted.
    """
    actor.must(Permission.ADMINISTER)
    new = compiled(said.rules)
    today = app.clock.now().astimezone(app.settings.zone).date()
    if said.rules.effective_from < today:
        _refuse("rules.effective_from", f"has passed: rules hold from today, {today}, or later")
    failed = await _failures(app, new)
    others = failed.keys() - set(said.acceptedCases)
    if others:
        told = "; ".join(f"{name} ({' '.join(failed[name])})" for name in sorted(others)[:5])
        _refuse("acceptedCases", f"does not name {len(others)} golden cases that are answered otherwise: {told}")
    async with app.db.transaction() as tx:
        if new.version == shipped().version or not await rules.insert(
            tx,
            version=new.version,
            effective_from=said.rules.effective_from,
            content=as_json(said.rules.model_dump(mode="json")),
            reason=said.reason,
            accepted_cases=sorted(failed),
            by=actor.id,
            at=app.clock.now(),
        ):
            raise Conflict(f"There are rules of version {new.version} already: give these another version.")
        detail = {"effective_from": said.rules.effective_from.isoformat(), "accepted_cases": sorted(failed)}
        await audit.record(tx, actor, "order.rules-publish", new.version, detail=detail)
    return new


async def withdraw(app: App, actor: Actor, version: str) -> None:
    """Let a set hold no more: the one before it does. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        if not await rules.withdraw(tx, version, by=actor.id, at=app.clock.now()):
            raise NotFound("There is no such published version. Those that come with the product cannot be withdrawn.")
        await audit.record(tx, actor, "order.rules-withdraw", version)


async def try_out(app: App, actor: Actor, said: TryIn) -> dict[str, Any]:
    """What a set of rules would answer: on the golden cases, and on the last orders, with what is known today."""
    actor.must(Permission.ADMINISTER)
    new = compiled(said.rules)
    failed = await _failures(app, new)
    changed: list[dict[str, Any]] = []
    async with app.db.transaction() as tx:
        last = await rules.last_orders(tx, said.orders, visible_to=actor) if said.orders else []
        for order_id in last:
            changed += await _differences(tx, app, actor, await orders.load(tx, order_id, visible_to=actor), new)
    return {"cases": len(golden.cases()), "failed": failed, "orders": len(last), "changed": changed}


async def _failures(app: App, new: RuleSet) -> Mapping[str, Sequence[str]]:
    known = await catalogue(app)
    return golden.failures(new, {each.key: each for each in known.procedures})


async def _differences(tx: Transaction, app: App, actor: Actor, order: Order, new: RuleSet) -> list[dict[str, Any]]:
    patient = await orders.patient_of(tx, order.patient_id)
    asked = asked_of(order, patient, order.procedures)
    now, then = await ask(tx, app, actor, asked), await ask(tx, app, actor, asked, by=new)
    return [
        {"order": str(order.id), "requestedProcedureId": before.requested_procedure_id,
         "procedure": before.procedure.key or None, "now": _short(before), "then": _short(after)}
        for before, after in zip(now.procedures, then.procedures, strict=True)
        if _short(before) != _short(after)
    ]  # fmt: skip


def _short(checked: ProcedureChecked) -> dict[str, Any]:
    answer = checked.answer
    spoken = sorted(each.rule for each in answer.findings if each.effect != Decision.PROCEED)
    return {"decision": answer.decision, "score": answer.score, "rules": spoken}


def _refuse(field: str, sentence: str) -> None:
    raise Unprocessable(f"{field} {sentence}.", fields=[FieldProblem(field, sentence)])
