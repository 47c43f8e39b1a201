"""Charges for tests: what follows orders and studies, and what is charged then."""

from typing import Any
from uuid import UUID

from radiology.app import App
from radiology.billing import queries
from radiology.billing.following import follow_events
from radiology.billing.model import Charge
from radiology.kit import outbox
from radiology.orders.model import Order
from reading import images_of, order_of

PATH = "/api/radiology/billing"
CHEST = {"modality": "DX", "code": {"coding": [{"system": "http://loinc.org", "code": "36643-5"}]}}


async def follow(app: App) -> int:
    """Let charges follow all that has happened."""
    async with app.db.transaction() as tx:
        await outbox.place(tx)
    return await follow_events(app)


async def charges_of(app: App, order: Order | UUID) -> list[Charge]:
    """The charges of an order after everything was followed."""
    await follow(app)
    async with app.db.transaction() as tx:
        return await queries.charges_of(tx, order if isinstance(order, UUID) else order.id)


async def one_of(app: App, order: Order | UUID) -> Charge:
    """The only charge of an order."""
    (charge,) = await charges_of(app, order)
    return charge


async def done(app: App, number: int = 1001, **changes: Any) -> Order:
    """An order of which the study has its image."""
    order = await order_of(app, number, **changes)
    await images_of(app, order)
    return order
