"""Routing rules of tests, and what the timetable does with them."""

from datetime import UTC, datetime
from uuid import uuid4

from node import Node
from radiology.delivery.routing import following, queries, sending
from radiology.delivery.routing.model import Conditions, Rule
from radiology.kit import outbox

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def a_rule(*destinations: str, conditions: Conditions | None = None, **fields: object) -> Rule:
    """A rule that sends everything; fields by keyword replace the defaults."""
    given = {
        "id": uuid4(),
        "name": "Everything",
        "enabled": True,
        "priority": 0,
        "conditions": conditions or Conditions(),
        "destinations": list(destinations),
        "send_when": "instances-stored",
        "send_from": None,
        "send_until": None,
        "time_zone": "Asia/Dhaka",
        "bandwidth_kib_per_second": None,
        "give_up_after_days": 7,
        "created_at": LONG_AGO,
    }
    return Rule(**given | fields)  # type: ignore[arg-type]


def add_rule(node: Node, *destinations: str, conditions: Conditions | None = None, **fields: object) -> Rule:
    """The same, kept in the node."""
    rule = a_rule(*destinations, conditions=conditions, **fields)

    async def save() -> None:
        async with node.app.db.transaction() as tx:
            await queries.save_rule(tx, rule)

    node.wait(save())
    return rule


def follow(node: Node) -> int:
    """What the timetable does; returns how many deliveries were started."""

    async def do() -> int:
        async with node.app.db.transaction() as tx:
            await outbox.place(tx)
        await following.follow_events(node.app)
        return await sending.start_due(node.app)

    return node.wait(do())
