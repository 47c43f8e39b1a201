"""Ask the rules of an order, refuse it or keep what they say with it."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from radiology.access.model import SYSTEM, Actor, Role
from radiology.app import App
from radiology.audit import actions as audit
from radiology.dose import queries as doses
from radiology.dose.model import cumulative
from radiology.errors import NotPermitted
from radiology.events import OrderChecked, emit
from radiology.kit.db import Transaction
from radiology.orders.checking import model, queries, rules
from radiology.orders.checking.model import Asked, Checked, Earlier, Override, ProcedureChecked
from radiology.orders.checking.question import (
    priors_of,
    procedure_of,
    question_of,
    typical_dose,
    without_confidential,
)
from radiology.orders.model import Order, RequestedProcedure
from radiology.patients.model import Patient
from radiology.procedures.appropriateness.evaluate import evaluate
from radiology.procedures.appropriateness.model import Choice, Question
from radiology.procedures.appropriateness.ruleset import RuleSet
from radiology.procedures.catalogue import catalogue
from radiology.procedures.lookup import Catalogue

YEAR: Final = timedelta(days=365)
PRIORS: Final = timedelta(days=730)
"""How far back earlier examinations count."""
PLACE: Final = "place"
"""Trigger of the first check that is kept."""
CLEARS: Final = frozenset({Role.RADIOGRAPHER, Role.RADIOLOGIST, Role.CONSULTANT, Role.RESIDENT})
"""Who may say that a patient with an implant may enter the magnet."""


async def ask(tx: Transaction, app: App, actor: Actor, asked: Asked, *, by: RuleSet | None = None) -> Checked:
    """What the rules of today, or other ones, say of an order. Asks only."""
    known = await catalogue(app)
    on = app.clock.now().astimezone(app.settings.zone).date()
    held = by or await rules.effective(tx, on)
    studies = await queries.earlier(
        tx,
        asked.patient.id,
        since=on - PRIORS,
        but_of=asked.order_reference,
        zone=app.settings.time_zone,
        visible_to=actor,
    )
    dose_msv = await _dose(tx, app, asked.patient, studies, known)
    around = await queries.circumstances(tx, asked.patient.id, asked.facility_code)
    priors = priors_of(studies, known)
    checked: list[ProcedureChecked] = []
    for procedure in asked.procedures:
        choices = _choices(known, asked, procedure, held, around.ownership)
        question = question_of(
            asked, procedure, catalogue=known, priors=priors, dose_msv=dose_msv, inpatient=around.inpatient,
            choices=choices, on=on, examined_on=_later(app, asked, on),
        )  # fmt: skip
        checked.append(_checked(procedure, question, held))
    return Checked(tuple(checked), held.version)


async def check(
    tx: Transaction,
    app: App,
    actor: Actor,
    order: Order,
    patient: Patient,
    overrides: Sequence[Override] = (),
    *,
    is_new: bool = False,
) -> Checked:
    """The same of an order, of what is not begun, with what somebody overrides now or overrode before.

    is_new: it is not written yet. Raises NotPermitted for an override by who may not.
    """
    open_ones = [each for each in order.procedures if not each.has_begun]
    asked = asked_of(order, patient, open_ones)
    checked = await ask(tx, app, actor, asked)
    before = None if is_new else await queries.last(tx, order.id)
    if before is not None:
        checked = model.carried_on(checked, [Override(**each) for each in before.overrides])
    return model.overridden(checked, overrides, role=actor.role, by=actor.id)


async def keep(
    tx: Transaction, app: App, actor: Actor, order: Order, checked: Checked, *, trigger: str, held: bool = False
) -> None:
    """Keep what was answered with an order that is written, count its alerts, and tell of them."""
    now = app.clock.now()
    await queries.insert_check(tx, order, checked, trigger=trigger, held=held, by=actor.id, at=now)
    if trigger != PLACE:
        await queries.end_alerts(tx, order.id, at=now)
    alerts = checked.alerts
    if not alerts:
        return
    await queries.insert_alerts(
        tx,
        alerts,
        order_id=order.id,
        facility_code=order.facility_code,
        priority=order.priority,
        rule_set_version=checked.rule_set_version,
        stopped="held" if held else "shown",
        at=now,
    )
    if checked.made:
        detail = {"rules": list(checked.made), "rule_set_version": checked.rule_set_version}
        await audit.record(tx, actor, "order.override", str(order.id), detail=detail)
    told = OrderChecked(
        **order.told,
        decision=checked.decision,
        rule_set_version=checked.rule_set_version,
        rules=sorted({each.rule for each in alerts}),
        overridden=sorted({each.rule for each in checked.overrides}),
        held=held,
    )
    await emit(tx, told)


async def note_refused(app: App, actor: Actor, answer: Mapping[str, Any], *, facility_code: str, priority: str) -> None:
    """Count an order that was refused: it was rolled back, so this is a transaction of its own."""
    async with app.db.transaction() as tx:
        alerts = model.alerts_of(answer)
        await queries.insert_alerts(
            tx,
            alerts,
            order_id=None,
            facility_code=facility_code,
            priority=priority,
            rule_set_version=answer["ruleSetVersion"],
            stopped="refused",
            at=app.clock.now(),
        )
        detail = {"decision": answer["decision"], "rules": sorted({each.rule for each in alerts})}
        await audit.record(tx, actor, "order.refuse", facility_code, detail=detail)


async def note_cancelled(tx: Transaction, app: App, order: Order) -> None:
    """An order was cancelled: what was advised against it was accepted."""
    await queries.accept_alerts(tx, order.id, at=app.clock.now())


async def note_replaced(
    tx: Transaction, app: App, order: Order, checked: Checked, replaced: Sequence[str], added: Sequence[str]
) -> None:
    """Procedures were left out or replaced; what is ordered in their place costs, too, and may irradiate."""
    if not replaced:
        return
    new = [each for each in checked.procedures if each.requested_procedure_id in added]
    await queries.accept_alerts(
        tx,
        order.id,
        at=app.clock.now(),
        procedures=replaced,
        less_bdt=sum((each.choice.cost_bdt or Decimal(0) for each in new), Decimal(0)),
        less_msv=sum(each.procedure.effective_dose_msv for each in new),
    )


def must_clear(actor: Actor, before: object, after: object) -> None:
    """Raises NotPermitted where somebody says that MR is safe who may not."""
    if after is not None and before != after and actor.role not in CLEARS:
        raise NotPermitted(
            "safety.mrClearance is recorded by a radiographer or a radiologist who has seen the data of the device or "
            "the X-ray of the orbits."
        )


def asked_of(order: Order, patient: Patient, procedures: Sequence[RequestedProcedure]) -> Asked:
    """Procedures of an order as the check sees them."""
    return Asked(
        order.facility_code, order.priority, order.content, patient, procedures, order.occurrence, order.reference
    )


def _later(app: App, asked: Asked, on: date) -> date | None:
    """The day of the examination, where it is asked for one that is to come."""
    day = asked.occurrence and asked.occurrence.astimezone(app.settings.zone).date()
    return day if day is not None and day > on else None


def _checked(procedure: RequestedProcedure, question: Question, held: RuleSet) -> ProcedureChecked:
    answer = evaluate(question, held)
    has_confidential = any(each.confidential for each in question.priors)
    kept = evaluate(without_confidential(question), held) if has_confidential else answer
    choice = question.choices.get(question.procedure.key, Choice(question.procedure))
    return ProcedureChecked(procedure.requested_procedure_id, question.procedure, choice, answer, kept)


def _choices(
    known: Catalogue, asked: Asked, procedure: RequestedProcedure, held: RuleSet, ownership: str
) -> dict[str, Choice]:
    """What is ordered and what could be suggested instead, with their prices at the facility."""
    ordered = procedure_of(procedure, known)
    found = [each for key in held.suggests if (each := known.by_key(key)) is not None and each.active]
    return {
        each.key: Choice(each, known.terms(each.key, asked.facility_code, ownership=ownership).price)
        for each in (*found, *([ordered] if ordered else ()))
    }


async def _dose(tx: Transaction, app: App, patient: Patient, studies: Sequence[Earlier], known: Catalogue) -> float:
    """What the patient received in a year, mSv: as recorded, else as such an examination typically gives."""
    since = app.clock.now() - YEAR
    recorded = await doses.received(tx, patient.id, since=since, visible_to=SYSTEM)
    with_record = {each.study_id for each in recorded}
    others = [each for each in studies if each.on >= since.date() and each.id not in with_record]
    return cumulative(recorded).msv + typical_dose(others, known)
