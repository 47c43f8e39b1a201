"""Add and change operators. Row and audit are one transaction."""

from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import StaleVersion
from radiology.facilities import queries as facilities
from radiology.facilities.actions import must_reach, refused
from radiology.facilities.operators import queries
from radiology.facilities.operators.schemas import OperatorIn
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.kit.taking import Outcome


async def add(app: App, actor: Actor, body: OperatorIn) -> tuple[UUID, int, bytes]:
    """Add an operator; returns id, version and body. Raises Conflict for a licence that is there, Unprocessable."""
    actor.must(Permission.ADMINISTER)
    operator_id = uuid7()
    async with app.db.transaction() as tx:
        await facilities.begin_change(tx)
        await _must_fit(tx, actor, body)
        await queries.insert(tx, operator_id, body.columns())
        await audit.record(tx, actor, "operator.save", str(operator_id))
        return operator_id, 1, await queries.body(tx, operator_id)


async def change(
    app: App, actor: Actor, operator_id: UUID, body: OperatorIn, *, version: int | None
) -> tuple[int, bytes]:
    """Change all of an operator; returns version and body. Raises NotFound, StaleVersion, Conflict, Unprocessable."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        await facilities.begin_change(tx)
        found = await queries.load(tx, operator_id, visible_to=actor, lock=True)
        if version is not None and version != found.version:
            raise StaleVersion(f"The operator has version {found.version} by now. Read it again and decide anew.")
        await _must_fit(tx, actor, body)
        changed = await queries.save(tx, operator_id, body.columns())
        if changed:
            await audit.record(tx, actor, "operator.save", str(operator_id))
        return found.version + changed, await queries.body(tx, operator_id)


async def put(tx: Transaction, actor: Actor, body: OperatorIn) -> Outcome:
    """Add the operator of a facility with this licence, or change him or her, in a transaction that began a change.

    Raises NotPermitted, Unprocessable.
    """
    await _must_fit(tx, actor, body)
    operator_id = await queries.licensed(tx, body.facility_code, body.licence_number)
    if operator_id is None:
        await queries.insert(tx, uuid7(), body.columns())
        return "added"
    return "changed" if await queries.save(tx, operator_id, body.columns()) else "same"


async def _must_fit(tx: Transaction, actor: Actor, body: OperatorIn) -> None:
    must_reach(actor, body.facility_code)
    if not await facilities.exist(tx, [body.facility_code]):
        raise refused("facilityCode", f"there is no facility {body.facility_code}; register it first")
