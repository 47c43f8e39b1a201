"""Issue a receipt: what is due for an order is paid, or given back, at once."""

from decimal import Decimal
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.billing import queries as charges
from radiology.billing.receipts import queries
from radiology.billing.receipts.model import Receipt, body_of, due, total_of
from radiology.events import ReceiptIssued, emit
from radiology.kit.ids import uuid7


async def issue(app: App, actor: Actor, order_id: UUID, *, method: str, total: Decimal | None) -> Receipt:
    """Take what is due for an order, or give it back. Who asks twice is told that nothing is due.

    Raises NotFound, Conflict where nothing is due or a price is missing, Unprocessable where `total` is not the sum.
    """
    actor.must(Permission.BILL)
    now = app.clock.now()
    async with app.db.transaction() as tx:
        await charges.must_have_charges(tx, order_id, visible_to=actor)
        await charges.hold(tx, order_id)
        open_ones = due(await charges.charges_of(tx, order_id))
        exact, whole = total_of(open_ones, total)
        facility, year = open_ones[0].facility_code, now.astimezone(app.settings.zone).year
        number = await queries.next_number(tx, facility, year)
        receipt = Receipt(
            id=uuid7(),
            number=f"{facility}-{year}-{number:06d}",
            order_id=order_id,
            facility_code=facility,
            method=method,
            exact=exact,
            total=whole,
            body=body_of(open_ones),
            issued_by=actor.id,
            issued_at=now,
        )
        await queries.insert(tx, receipt)
        await queries.insert_lines(tx, receipt.id, open_ones)
        await audit.record(tx, actor, "billing.receipt", str(receipt.id), detail={"orderId": str(order_id)})
        event = ReceiptIssued(
            facility_code=facility, receipt_id=str(receipt.id), order_id=str(order_id), refund=exact < 0
        )
        await emit(tx, event)
    return receipt
