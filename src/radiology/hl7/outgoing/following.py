"""From what happened to orders to what receivers are told."""

from typing import Final

from radiology.app import App
from radiology.hl7.outgoing import queries
from radiology.hl7.outgoing.composing import compose
from radiology.hl7.outgoing.model import News, news_of
from radiology.hl7.outgoing.sending import JOB, lock_of
from radiology.kit import jobs, outbox
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.orders import queries as orders

READER: Final = "hl7"


async def follow_events(app: App) -> int:
    """Read what happened since the last time and make messages of it; returns how many.

    Mark and messages are one transaction: no event is passed over, and none is told twice.
    """
    async with app.db.transaction() as tx:
        events = await outbox.next_for(tx, READER)
        if not events:
            return 0
        count = 0
        if await queries.any_receiver(tx):
            for event in events:
                news = news_of(event.type, event.body)
                count += await _tell(tx, app, news) if news else 0
        await outbox.had(tx, READER, events[-1].position)
    return count


async def _tell(tx: Transaction, app: App, news: News) -> int:
    order = await orders.find(tx, news.order_id)
    if order is None:
        return 0
    count, settings = 0, app.settings
    for receiver in await queries.interested(tx, news.status, facility_code=order.facility_code):
        if await queries.last_told(tx, receiver.name, order.id) == news.status:
            continue
        delivery_id, patient = uuid7(), await orders.patient_of(tx, order.patient_id)
        control_id = delivery_id.hex[-20:].upper()
        content = compose(
            receiver, order, patient, news.status, application=settings.ae_title, control_id=control_id,
            at=app.clock.now(), zone=settings.zone,
        )  # fmt: skip
        await queries.queue(
            tx,
            delivery_id,
            receiver.name,
            order,
            news.status,
            control_id=control_id,
            content=content,
            at=app.clock.now(),
        )
        arguments = {"receiver": receiver.name, "order": str(order.id)}
        await jobs.enqueue(tx, JOB, arguments, lock=lock_of(receiver.name, order.id))
        count += 1
    return count
