"""Record facts of a patient's safety with an order that waits for them."""

from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.errors import FieldProblem, Unprocessable
from radiology.orders import queries
from radiology.orders.actions.change import change_in
from radiology.orders.model import Order
from radiology.orders.safety import Safety
from radiology.orders.schemas import OrderIn

_OF_IMPLANTS = frozenset({"implants", "noImplants"})


async def record(app: App, actor: Actor, order_id: UUID | None, said: Safety, *, version: int | None) -> Order:
    """Add facts to those of an order, and ask the rules again. Raises NotFound, StaleVersion, Conflict.

    What is said anew takes the place of what was said before. A clearance for MR was given for the implants that were
    known then: whoever tells of others takes it back.
    """
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        order = await queries.lock(tx, order_id, visible_to=actor)
        order.must_have_version(version)
        content = await queries.what_is_said(tx, order.id)
        content["procedures"] = [each.said for each in order.procedures]
        content["safety"] = _joined(content.get("safety", {}), said)
        content.pop("status", None)
        return await change_in(tx, app, actor, order, OrderIn.model_validate(content), reason="Facts of safety.")


def _joined(before: dict[str, Any], said: Safety) -> dict[str, Any]:
    new: dict[str, Any] = said.model_dump(mode="json", exclude_unset=True)
    if not new:
        sentence = "says nothing: name at least one fact"
        raise Unprocessable(f"The body {sentence}.", fields=[FieldProblem("", sentence)])
    joined = before | new
    if _OF_IMPLANTS & new.keys():
        joined = {name: value for name, value in joined.items() if name not in _OF_IMPLANTS or name in new}
        if "mrClearance" not in new:
            joined.pop("mrClearance", None)
    if new.get("allergies"):
        joined.pop("noKnownAllergies", None)
    if new.get("noKnownAllergies"):
        joined.pop("allergies", None)
    if "pregnancy" in new and "pregnancyWeeks" not in new:
        joined.pop("pregnancyWeeks", None)
    return joined
