"""What people do with charges: name who pays, exempt, say a price; and what they say of rules and holds."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.billing import queries
from radiology.billing.model import Charge, Payer, State, Waived
from radiology.billing.refreshing import Cause, Known, known, refresh
from radiology.billing.rules import Kind, Said, rule_of, rules_of
from radiology.billing.schemas import PayerIn
from radiology.errors import Conflict, FieldProblem, NotFound, StaleVersion, Unprocessable
from radiology.facilities.model import Ownership
from radiology.kit.db import Transaction

_FIELDS: Mapping[str, frozenset[str]] = {
    Kind.CONCESSION: frozenset({"percent", "price_list"}),
    Kind.PACKAGE: frozenset({"procedures", "price_bdt", "facilities"}),
    Kind.SCHEME: frozenset(
        {"procedures", "modalities", "discount_percent", "copayment_percent", "copayment_bdt", "ceiling_bdt"}
    ),
}
_OF_ALL = frozenset({"name", "name_bangla", "active"})
_NEEDED: Mapping[str, frozenset[str]] = {Kind.PACKAGE: frozenset({"procedures", "price_bdt"})}


async def name_payer(app: App, actor: Actor, order_id: UUID, said: PayerIn) -> None:
    """Say who pays for an order, by the rules of today. Raises NotFound, StaleVersion, Unprocessable."""
    actor.must(Permission.BILL)
    compared = await known(app)
    async with app.db.transaction() as tx:
        await queries.must_have_charges(tx, order_id, visible_to=actor)
        await queries.hold(tx, order_id)
        rules = rules_of(await queries.rules_said(tx), compared.today)
        for find, code in ((rules.concession, said.concession), (rules.scheme, said.scheme)):
            find(code)
        row = await queries.payer_of(tx, order_id)
        version = row.version if row else 0
        if said.version is not None and said.version != version:
            raise StaleVersion(f"Who pays has version {version} by now. Read it again and decide anew.")
        payer = Payer(said.concession, said.scheme, said.member_number, version + 1)
        await queries.save_payer(
            tx, order_id, payer, rules_on=compared.today, reason=said.reason, actor=actor.id, at=compared.now
        )
        detail = {"concession": said.concession, "scheme": said.scheme}
        await audit.record(tx, actor, "billing.payer", str(order_id), detail=detail)
        await refresh(tx, compared, order_id, Cause("payer", actor, said.reason))


async def exempt(
    app: App, actor: Actor, charge_id: UUID, *, exempted: bool, reason: str, version: int | None
) -> Charge:
    """Ask nothing for a charge, or ask for it after all: a person decides, with a reason for the record.

    Raises NotFound, StaleVersion, Conflict for one that is credited.
    """
    waived, why = (Waived.EXEMPTED, reason) if exempted else (Waived.NO, "")
    verb = "exempt" if exempted else "end-exemption"

    def decided(charge: Charge) -> Charge:
        return replace(charge, waived=waived, waived_reason=why, repeats=None)

    return await _change(app, actor, charge_id, version, Cause(verb, actor, reason), decided)


async def say_price(
    app: App, actor: Actor, charge_id: UUID, price: Decimal, *, reason: str, version: int | None
) -> Charge:
    """Say what one charge costs, in place of the list. Raises NotFound, StaleVersion, Conflict."""

    def decided(charge: Charge) -> Charge:
        return replace(charge, own_price=price)

    return await _change(app, actor, charge_id, version, Cause("price", actor, reason), decided)


async def _change(
    app: App, actor: Actor, charge_id: UUID, version: int | None, cause: Cause, decided: Callable[[Charge], Charge]
) -> Charge:
    actor.must(Permission.BILL)
    compared = await known(app)
    async with app.db.transaction() as tx:
        order_id = await queries.order_of_charge(tx, charge_id, visible_to=actor)
        await queries.hold(tx, order_id)
        charge = await _one_of(tx, order_id, charge_id)
        charge.must_have_version(version)
        if charge.state == State.CREDITED:
            raise Conflict("The charge is credited: nothing is asked for it any more.")
        await refresh(tx, compared, order_id, cause, decided(charge))
        return await _one_of(tx, order_id, charge_id)


async def _one_of(tx: Transaction, order_id: UUID, charge_id: UUID) -> Charge:
    return next(each for each in await queries.charges_of(tx, order_id) if each.id == charge_id)


async def save_rule(
    app: App, actor: Actor, kind: Kind, code: str, body: Mapping[str, Any], *, effective_from: date | None,
    reason: str, version: int | None,
) -> Said:  # fmt: skip
    """Say what a rule is from a day on. What held before stays on record. Raises StaleVersion, Unprocessable."""
    actor.must(Permission.ADMINISTER)
    compared = await known(app)
    begins = effective_from or compared.today
    _must_be_right(kind, body, begins, compared)
    async with app.db.transaction() as tx:
        last = max(
            (each.version for each in await queries.rules_said(tx) if (each.kind, each.code) == (kind, code)), default=0
        )
        if version is not None and version != last:
            raise StaleVersion(f"It has version {last} by now. Read it again and decide anew.")
        said = Said(kind, code, last + 1, begins, body)
        rule_of(said)
        await queries.save_rule(tx, said, reason=reason, actor=actor.id, at=compared.now)
        await audit.record(tx, actor, "billing.rule", f"{kind}/{code}", detail={"version": said.version})
    return said


def _must_be_right(kind: Kind, body: Mapping[str, Any], begins: date, known: Known) -> None:
    problems = [
        FieldProblem(name, f"is nothing that a {kind} has") for name in sorted(body.keys() - _FIELDS[kind] - _OF_ALL)
    ]
    problems += [
        FieldProblem(name, f"is required of a {kind}") for name in sorted(_NEEDED.get(kind, frozenset()) - body.keys())
    ]
    problems += [
        FieldProblem("procedures", f"names {key}, which the catalogue does not have")
        for key in body.get("procedures", ())
        if known.procedures.by_key(key) is None
    ]
    if begins < known.today:
        problems.append(FieldProblem("effective_from", f"must not be before today, {known.today.isoformat()}"))
    if problems:
        raise Unprocessable(f"{problems[0].field} {problems[0].message}.", fields=problems)


async def hold_release(app: App, actor: Actor, facility_code: str, *, hold: bool, reason: str) -> None:
    """Keep reports of a private facility from patients until they have paid, or stop that.

    STAT, critical results and those of inpatients are never kept. Raises NotFound, Unprocessable.
    """
    actor.must(Permission.ADMINISTER)
    compared = await known(app)
    facility = compared.facilities.facility(facility_code)
    if facility is None:
        raise NotFound(f"There is no facility {facility_code}.")
    if hold and facility.ownership != Ownership.PRIVATE:
        raise Unprocessable(
            f"{facility_code} is {facility.ownership}: only private facilities may keep a report until it is paid.",
            fields=[FieldProblem("hold", "must be false for a facility that is not private")],
        )
    async with app.db.transaction() as tx:
        await queries.save_hold(tx, facility_code, hold=hold, reason=reason, actor=actor.id, at=compared.now)
        await audit.record(tx, actor, "billing.hold-release", facility_code, detail={"hold": hold})
