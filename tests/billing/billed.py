"""Charges for tests: what follows orders and studies, and what is charged then."""

from typing import Any
from uuid import UUID

from radiology.app import App
from radiology.billing import queries
from radiology.billing.following import follow_events
from radiology.billing.model import Charge
from radiology.kit import outbox
from radiology.orders.actions import status as orders
from radiology.orders.model import Order
from radiology.orders.model import Status as OrderStatus
from radiology.studies.actions.status import change_status
from radiology.studies.model import Status, StatusChange
from reading import HEAD_OF_DEPARTMENT, images_of, move, order_of

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


async def history(app: App, charge: Charge) -> list[str]:
    """What was done with a charge."""
    async with app.db.transaction() as tx:
        return await tx.values("SELECT verb FROM charge_entries WHERE charge_id = %(id)s ORDER BY number", id=charge.id)


async def completed(app: App, number: int = 1001, **changes: Any) -> Order:
    """An order of which the study has its image and is completed."""
    order = await order_of(app, number, **changes)
    await images_of(app, order)
    await move(app, order.procedures[0].study_instance_uid, Status.COMPLETED)
    return order


async def complete_without_images(app: App, uid: str) -> None:
    """Complete a study of which there are none."""
    change = StatusChange(Status.COMPLETED, reason_no_images="The patient went home.")
    await change_status(app, HEAD_OF_DEPARTMENT, uid, change, [])


async def moved(app: App, order: Order, status: OrderStatus) -> None:
    """Move an order."""
    await orders.change_status(app, HEAD_OF_DEPARTMENT, order.id, status, reason="For the test", version=None)
