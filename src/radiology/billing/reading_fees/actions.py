"""Book fees: of reports that became final, by a follower; and corrections, by people, as counter-entries."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.billing.money import NOTHING
from radiology.billing.reading_fees import queries
from radiology.billing.reading_fees.model import Fee, Rate, Reading, contract_at, rate_for
from radiology.billing.reading_fees.queries import Finished, Line
from radiology.errors import Conflict, FieldProblem, NotPermitted, Unprocessable
from radiology.events import ReportFinalized
from radiology.facilities.network import Network, network
from radiology.kit import outbox
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.practitioners.readers import queries as readers

READER: Final = "reading-fees"


async def follow_events(app: App) -> int:
    """Book the fee of each report that became final for the first time; returns how many.

    Mark and fees are one transaction, and a report is booked once, so that nothing is paid twice. A report for which
    there is no rate is booked with nothing, for a person to correct.
    """
    facilities = await network(app)
    async with app.db.transaction() as tx:
        events = await outbox.next_for(tx, READER)
        if not events:
            return 0
        final = [event for event in events if event.type == ReportFinalized.type]
        count = sum([await _book(tx, app, facilities, UUID(event.body["report_id"])) for event in final])
        await outbox.had(tx, READER, events[-1].position)
    return count


async def _book(tx: Transaction, app: App, facilities: Network, report_id: UUID) -> bool:
    found = await queries.finished(tx, report_id)
    if found is None:
        return False
    day = found.first.astimezone(app.settings.zone).date()
    contract = await _contract(tx, facilities, found, day)
    reading = Reading(found.practitioner, contract, found.procedure_key, found.modality, day)
    rate = rate_for(await queries.rates(tx), reading)
    fee = Fee(
        id=uuid7(),
        report_id=found.report_id,
        study_id=found.study_id,
        corrects=None,
        kind="fee",
        account=found.approver,
        practitioner=found.practitioner,
        facility_code=found.facility_code,
        procedure_key=found.procedure_key,
        modality=found.modality,
        rvu=found.rvu,
        rate_id=rate.id if rate else None,
        amount_bdt=rate.earns(found.rvu) if rate else NOTHING,
    )
    return await queries.book(tx, fee, earned_at=found.first, booked_at=app.clock.now(), booked_by=SYSTEM.id)


async def _contract(tx: Transaction, facilities: Network, found: Finished, day: date) -> str:
    row = await readers.one(tx, found.practitioner)
    if row is None:
        return ""
    return contract_at(row.reader(None).contracts, facilities.facility(found.facility_code), day)


async def correct(app: App, actor: Actor, fee_id: UUID, amount: Decimal, *, reason: str) -> list[Line]:
    """Take a fee back by a counter-entry, and book another in its place, in this month. What was booked stays.

    Raises NotFound, Conflict for a counter-entry and for a fee that is corrected already, NotPermitted for one's own.
    """
    actor.must(Permission.BILL)
    now = app.clock.now()
    async with app.db.transaction() as tx:
        line = await queries.load(tx, fee_id, visible_to=actor)
        if line.account == actor.id:
            raise NotPermitted("Nobody corrects fees of his or her own.")
        if line.kind != "fee":
            raise Conflict("This is a counter-entry. Correct the fee that stands in its place.")
        fee = Fee(**{name: getattr(line, name) for name in Fee.__slots__})
        counter = replace(fee, id=uuid7(), kind="counter", corrects=fee.id, amount_bdt=-fee.amount_bdt)
        another = replace(fee, id=uuid7(), corrects=fee.id, amount_bdt=amount, rate_id=None)
        for each in (counter, another):
            done = await queries.book(
                tx, each, earned_at=line.earned_at, booked_at=now, booked_by=actor.id, reason=reason
            )
            if not done:
                raise Conflict("This fee is corrected already. Correct the one that stands in its place.")
        await audit.record(tx, actor, "billing.fee-correction", str(fee.id), detail={"report": str(fee.report_id)})
        return [await queries.load(tx, each.id, visible_to=actor) for each in (counter, another)]


async def say_rate(app: App, actor: Actor, rate: Rate, *, reason: str) -> int:
    """Say what reports earn from a day on; earlier fees stay. Raises Unprocessable for a day that is over."""
    actor.must(Permission.ADMINISTER)
    today = app.clock.now().astimezone(app.settings.zone).date()
    if rate.effective_from < today:
        sentence = f"must not be before today, {today.isoformat()}"
        raise Unprocessable(f"effective_from {sentence}.", fields=[FieldProblem("effective_from", sentence)])
    async with app.db.transaction() as tx:
        number = await queries.add_rate(tx, rate, reason=reason, actor=actor.id, at=app.clock.now())
        await audit.record(tx, actor, "billing.rate", str(number))
    return number


@dataclass(frozen=True, slots=True)
class Month:
    """The lines that were booked in a month. Corrections stand in the month in which they were made."""

    begins: date
    lines: list[Line]

    @property
    def total(self) -> Decimal:
        """Their sum, BDT."""
        return sum((each.amount_bdt for each in self.lines), NOTHING)


async def month_of(app: App, actor: Actor, month: date, *, account: str | None) -> Month:
    """The ledger of a month: of all readers for who keeps accounts, of oneself for every reader."""
    is_own = account is not None and account == actor.id
    if not is_own:
        actor.must(Permission.BILL)
    begins = month.replace(day=1)
    ends = date(begins.year + begins.month // 12, begins.month % 12 + 1, 1)
    began, before = (datetime.combine(day, time(), app.settings.zone) for day in (begins, ends))
    async with app.db.transaction() as tx:
        lines = await queries.booked(tx, began, before, account=account, visible_to=None if is_own else actor)
    return Month(begins, lines)
