"""Removal by two persons: one proposes what is over its time, another decides. One call restores from the bin."""

from collections.abc import Sequence
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, NotPermitted, Unprocessable
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.retention import removal_queries as queries
from radiology.retention import rule_queries
from radiology.retention.removal_model import Step, after
from radiology.retention.removal_queries import Item
from radiology.retention.rules import DueStudy, due_studies, numbered_rules, today
from radiology.studies.actions import reject

MOST_STUDIES = 2_000


async def propose(
    app: App, actor: Actor, *, reason: str, limit: int, facility: str | None, studies: Sequence[str]
) -> UUID:
    """Propose what is over its time; where studies are named, these of it. Raises Conflict, Unprocessable."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        await _must_remove(tx)
        version, rules = await numbered_rules(tx)
    due: list[DueStudy] = []
    async for each in due_studies(app, rules, on=today(app), facilities=facilities_of(actor, facility)):
        if not studies or each.study.study_instance_uid in studies:
            due.append(each)
        if len(due) == limit:
            break
    if not due:
        raise Unprocessable("Nothing of that is over its time. Ask for /retention/due, which says why not.")
    batch_id = uuid7()
    async with app.db.transaction() as tx:
        await queries.insert_batch(
            tx, id=batch_id, reason=reason, by=actor.id, at=app.clock.now(), version=version, due=due
        )
        detail = {"studies": len(due), "sizeBytes": sum(each.study.size_bytes for each in due)}
        await audit.record(tx, actor, "retention.propose", str(batch_id), detail=detail)
    return batch_id


async def decide(app: App, actor: Actor, batch_id: UUID, *, approve: bool, last_copies: bool, answer: str) -> None:
    """Decide as the second person. Raises NotPermitted for who proposed it, Conflict where it was decided."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        batch = await queries.lock_batch(tx, batch_id, visible_to=actor)
        if batch.proposed_by == actor.id:
            raise NotPermitted("Who proposed a removal does not decide about it: a second person must.")
        if batch.state != "proposed":
            raise Conflict(f"This removal is {batch.state} already.")
        if approve:
            await _must_remove(tx)
        studies = await queries.decide(
            tx, batch_id, approved=approve, last_copies=last_copies, answer=answer, by=actor.id, at=app.clock.now()
        )
        detail = {"approved": approve, "lastCopies": last_copies, "studies": studies}
        await audit.record(tx, actor, "retention.decide", str(batch_id), detail=detail)


async def restore(app: App, actor: Actor, item_id: UUID, *, reason: str) -> None:
    """Take a study out of the recycle bin: it is seen again at once. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        item = await queries.lock_in_bin(tx, item_id, visible_to=actor)
        await show_again(tx, app, actor, item, Step.RESTORE, reason)


async def show_again(tx: Transaction, app: App, actor: Actor, item: Item, step: Step, reason: str) -> None:
    """Show what lies in the bin: a person wants it back, or something keeps it after all."""
    now = app.clock.now()
    if item.rejection_id is not None and not await queries.is_withdrawn(tx, item.rejection_id):
        await reject.show(tx, actor, item.rejection_id, item.study_instance_uid, reason=reason, at=now)
    await queries.change(tx, item.id, after(item.state, step), sentence=reason, at=now)
    await audit.record(tx, actor, f"retention.{step}", str(item.study_id), detail={"item": str(item.id)})


def facilities_of(actor: Actor, facility: str | None) -> list[str] | None:
    """The facilities whose studies an actor removes, of these the one that is named; None for all."""
    if facility is None:
        return None if actor.facility_codes is None else sorted(actor.facility_codes)
    if actor.facility_codes is not None and facility not in actor.facility_codes:
        raise NotPermitted(f"{facility} is not a facility of yours.")
    return [facility]


async def _must_remove(tx: Transaction) -> None:
    if not (await rule_queries.state(tx)).removes:
        raise Conflict("Nothing is removed here. An administrator switches that on at /retention/switch.")
