"""From what happened to orders, studies and images to charges, on a timetable."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from radiology.app import App
from radiology.billing import queries
from radiology.billing.refreshing import known, refresh
from radiology.events import (
    InstancesRejected,
    OrderChanged,
    OrderPlaced,
    OrderStatusChanged,
    RejectionWithdrawn,
    RepairMade,
    RepairUndone,
    StudyLabelled,
    StudyStatusChanged,
)
from radiology.kit import outbox
from radiology.kit.db import Transaction
from radiology.kit.outbox import Placed
from radiology.orders.queries import orders_about

READER: Final = "billing"
REPEATED_WITHIN: Final = timedelta(days=30)
"""An examination that was rejected for quality is repeated for nothing, where the repeat is ordered so soon."""

_OF_ORDERS: Final = frozenset(event.type for event in (OrderPlaced, OrderChanged, OrderStatusChanged))
_OF_STUDIES: Final = frozenset(event.type for event in (StudyStatusChanged, StudyLabelled))
_OF_REJECTS: Final = frozenset(event.type for event in (InstancesRejected, RejectionWithdrawn))
_OF_REPAIRS: Final = frozenset(event.type for event in (RepairMade, RepairUndone))


async def follow_events(app: App) -> int:
    """Read what happened since the last time and put charges right; returns how many changed.

    Mark and charges are one transaction: no event is passed over, and doing one twice changes nothing.
    """
    compared = await known(app)
    async with app.db.transaction() as tx:
        events = await outbox.next_for(tx, READER)
        if not events:
            return 0
        orders = await _orders_of(tx, app, events)
        count = sum([await refresh(tx, compared, order_id) for order_id in orders])
        await outbox.had(tx, READER, events[-1].position)
    return count


async def _orders_of(tx: Transaction, app: App, events: Iterable[Placed]) -> list[UUID]:
    """The orders of all these events, each once, and always in the same sequence."""
    found: set[UUID] = set()
    for event in events:
        if event.type in _OF_ORDERS:
            found.add(UUID(event.body["order_id"]))
        elif event.type in _OF_STUDIES | _OF_REJECTS | _OF_REPAIRS:
            about = await orders_about(tx, _studies_of(event.body))
            found.update(about)
            if event.type in _OF_REJECTS:
                since = app.clock.now() - REPEATED_WITHIN
                found.update(await queries.orders_of_patient(tx, about, since=since))
    return sorted(found)


def _studies_of(body: Mapping[str, Any]) -> list[str]:
    return body.get("study_instance_uids") or [body["study_instance_uid"]]
