"""Make the charges of an order say what order, studies and prices say: made anew from the truth, never added up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from radiology.access.model import SYSTEM, Actor
from radiology.app import App
from radiology.audit import actions as audit
from radiology.billing import queries
from radiology.billing.model import Charge, Payer, State, Verb, Waived, step, verb_towards, wanted
from radiology.billing.money import told
from radiology.billing.pricing import Asked, Priced, Reductions, price_of
from radiology.billing.queries import Facts
from radiology.billing.rules import Rules, rules_of
from radiology.events import ChargeChanged, emit
from radiology.facilities import known as facilities
from radiology.kit import jobs
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.procedures.lookup import codings_of

JOB: Final = "billing.post"


@dataclass(frozen=True, slots=True)
class Known(facilities.Known):
    """What charges are made with: prices and the rate of VAT, too."""

    @property
    def vat_percent(self) -> Decimal:
        """The rate of VAT, per cent."""
        return Decimal(str(self.settings.vat_percent))

    def price(self, key: str, facility_code: str, on: date) -> Decimal | None:
        """The price of a procedure at a facility on a day, BDT; None where nobody has said one."""
        if not key:
            return None
        facility = self.facilities.facility(facility_code)
        ownership = facility.ownership if facility else "public"
        return self.procedures.terms(key, facility_code, on, ownership=ownership).price

    def public_price(self, key: str, on: date) -> Decimal | None:
        """What the government asks for it."""
        return self.procedures.terms(key, "", on, ownership="public").price if key else None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why charges change, and by whom: `verb` names it where their state stays what it is."""

    verb: str = "reprice"
    actor: Actor = SYSTEM
    reason: str = ""


FOLLOWING: Final = Cause()


async def known(app: App) -> Known:
    """All of that as it is now. Asked before a transaction begins."""
    found = await facilities.known(app)
    return Known(found.procedures, found.facilities, found.settings, found.now)


async def refresh(
    tx: Transaction, known: Known, order_id: UUID, cause: Cause = FOLLOWING, changed: Charge | None = None
) -> int:
    """Make the charges of an order right; returns how many changed.

    `changed` is one of them as somebody wants it. Charges are held before anything is read, so that two who do this
    at once do it one after the other.
    """
    await queries.hold(tx, order_id)
    there = {each.procedure_id: each for each in await queries.charges_of(tx, order_id)}
    before = dict(there)
    if changed is not None:
        there[changed.procedure_id] = changed
    told_of = await queries.facts(tx, order_id)
    after = [each for facts in told_of if (each := _followed(there.get(facts.procedure_id), facts, order_id, known))]
    after = [await _repeating(tx, each, told_of) for each in after]
    after = _priced(after, known, *await _payer_and_rules(tx, order_id, after, known))
    count = 0
    for charge in after:
        was = before.get(charge.procedure_id)
        if charge != was:
            await _save(tx, was, charge, known, cause)
            count += 1
    return count


def _followed(charge: Charge | None, facts: Facts, order_id: UUID, known: Known) -> Charge | None:
    """A charge as its order and its study want it; None where there is to be none."""
    before = State(charge.state) if charge else None
    after = wanted(before, order=facts.order_status, study=facts.study_status, removed=facts.removed)
    if after is None:
        return charge
    base = charge or _new(facts, order_id, known)
    if before is not None and after != before:
        after = step(before, verb_towards(after))
    captured_at = known.now if after == State.CAPTURED and base.captured_at is None else base.captured_at
    current = replace(base, state=after, study_id=facts.study_id, sensitive=facts.sensitive, captured_at=captured_at)
    return current if State(base.state) == State.CAPTURED and charge else _named(current, facts, known)


def _new(facts: Facts, order_id: UUID, known: Known) -> Charge:
    return Charge(
        id=uuid7(),
        order_id=order_id,
        procedure_id=facts.procedure_id,
        position=facts.position,
        facility_code=facts.facility_code,
        study_id=facts.study_id,
        state=State.PLANNED,
        version=0,
        procedure_key="",
        modality=facts.modality,
        item="",
        item_bangla="",
        sensitive=facts.sensitive,
        priced_on=known.today,
    )


def _named(charge: Charge, facts: Facts, known: Known) -> Charge:
    """With what is to be done, by the catalogue, and its price. Once it was done, that stays what it was."""
    code: dict[str, Any] = facts.content.get("code") or {}
    text = str(code.get("text") or "")
    found = known.procedures.find(codings_of([code]), facts.modality, text)
    key = found.key if found else ""
    price = charge.list_price
    if price is None or key != charge.procedure_key:
        price = known.price(key, charge.facility_code, charge.priced_on)
    words = text or next((coding.display for coding in codings_of([code])), "") or facts.modality
    return replace(
        charge,
        procedure_key=key,
        modality=facts.modality,
        item=found.display if found else words,
        item_bangla=found.display_bangla if found else "",
        list_price=price,
    )


async def _repeating(tx: Transaction, charge: Charge, told_of: Sequence[Facts]) -> Charge:
    """With what it repeats. What was captured for nothing stays so, though a rejection is withdrawn later."""
    if charge.state == State.CREDITED or charge.waived == Waived.EXEMPTED:
        return charge
    found = await queries.repeated(tx, charge, patient_id=told_of[0].patient_id)
    if found is None and charge.state == State.CAPTURED:
        return charge
    return replace(charge, repeats=found, waived=Waived.REPEAT if found else Waived.NO)


async def _payer_and_rules(
    tx: Transaction, order_id: UUID, charges: Sequence[Charge], known: Known
) -> tuple[Payer, Rules]:
    row = await queries.payer_of(tx, order_id)
    day = row.rules_on if row else min((each.priced_on for each in charges), default=known.today)
    return row.payer if row else Payer(), rules_of(await queries.rules_said(tx), day)


def _priced(charges: Sequence[Charge], known: Known, payer: Payer, rules: Rules) -> list[Charge]:
    """With their amounts. What was credited keeps its own, and is no part of a package any more."""
    open_ones = [each for each in charges if each.state != State.CREDITED]
    asked = [
        Asked(
            each.procedure_key,
            each.modality,
            each.list_price if each.own_price is None else each.own_price,
            known.public_price(each.procedure_key, each.priced_on),
            each.waived,
        )
        for each in open_ones
    ]
    packages = rules.packages_at(open_ones[0].facility_code) if open_ones else ()
    concession, scheme = rules.concessions.get(payer.concession), rules.schemes.get(payer.scheme)
    lines = price_of(asked, Reductions(concession, scheme, packages, known.vat_percent))
    amounts = {each.id: line for each, line in zip(open_ones, lines, strict=True)}
    return [_with(each, amounts.get(each.id)) for each in charges]


def _with(charge: Charge, line: Priced | None) -> Charge:
    if line is None:
        return charge
    return replace(
        charge,
        package=line.package,
        discount=line.discount,
        vat=line.vat,
        scheme_share=line.scheme_share,
        patient_share=line.patient_share,
    )


async def _save(tx: Transaction, was: Charge | None, charge: Charge, known: Known, cause: Cause) -> None:
    """Charge, line of its history, what is told of it and the record of who did it are one transaction."""
    saved = replace(charge, version=charge.version + 1)
    verb = cause.verb
    if was is None:
        verb = "plan" if saved.state == State.PLANNED else Verb.CAPTURE
    elif was.state != saved.state:
        verb = verb_towards(State(saved.state))
    entry_id = uuid7()
    await queries.save(tx, saved)
    await queries.add_entry(
        tx, entry_id, saved, verb, amounts_of(saved), actor=cause.actor.id, reason=cause.reason, at=known.now
    )
    await jobs.enqueue(tx, JOB, {"entry_id": str(entry_id)}, lock=f"billing {saved.id}")
    await audit.record(tx, cause.actor, f"billing.{verb}", str(saved.id), detail={"version": saved.version})
    await emit(
        tx,
        ChargeChanged(
            facility_code=saved.facility_code,
            charge_id=str(saved.id),
            order_id=str(saved.order_id),
            version=saved.version,
            state=saved.state,
            trigger=verb,
        ),
    )


def amounts_of(charge: Charge) -> dict[str, Any]:
    """A charge with its amounts, as its history keeps it."""
    return {
        "state": charge.state,
        "procedureKey": charge.procedure_key,
        "listPrice": told(charge.list_price),
        "ownPrice": told(charge.own_price),
        "package": charge.package,
        "discount": told(charge.discount),
        "vat": told(charge.vat),
        "schemeShare": told(charge.scheme_share),
        "patientShare": told(charge.patient_share),
        "waived": charge.waived,
    }
