"""How an offer ends: taken, declined, not answered in time, or withdrawn since the study went another way."""

from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.errors import Conflict
from radiology.events import (
    ReadingOfferAccepted,
    ReadingOfferDeclined,
    ReadingOfferExpired,
    ReadingOfferWithdrawn,
    emit,
)
from radiology.kit.db import Transaction
from radiology.reading_worklist.actions import claims, offering
from radiology.reading_worklist.items import Item
from radiology.reading_worklist.model import State
from radiology.reading_worklist.offers import queries
from radiology.reading_worklist.offers.queries import Offer
from radiology.reading_worklist.queries import items

LATE = "This offer has ended. Look into the reading worklist whether the study is still free."


async def accept(app: App, actor: Actor, offer_id: UUID) -> Item:
    """Take an offer: the study is claimed. Raises NotFound, Conflict for one that has ended, and what `claim` raises.

    The claim is the act; the offer follows it, at once or by the timetable.
    """
    actor.must(Permission.INTERPRET)
    async with app.db.transaction() as tx:
        offer = await queries.load(tx, offer_id, actor.id)
    if offer.state != "open" or offer.expires_at <= app.clock.now():
        raise Conflict(LATE)
    item = await claims.claim(app, actor, offer.study_instance_uid)
    async with app.db.transaction() as tx:
        await _settle(tx, app, offer.study_id)
    return item


async def decline(app: App, actor: Actor, offer_id: UUID, *, reason_code: str) -> None:
    """Leave a study to the next, and not be asked for it again. Raises NotFound, Conflict for one that has ended."""
    actor.must(Permission.INTERPRET)
    async with app.db.transaction() as tx:
        offer = await queries.load(tx, offer_id, actor.id)
        taken_back = await offering.take_back(tx, offer.study_id, of=actor.id, trigger="decline", by=actor)
        now = app.clock.now()
        if taken_back is None or not await queries.end(
            tx, offer_id, state="declined", now=now, reason_code=reason_code
        ):
            raise Conflict(LATE)
        await emit(tx, ReadingOfferDeclined(**_told(offer), reason_code=reason_code))


async def settle(app: App, *, limit: int) -> int:
    """End the offers of what was claimed, reported or removed meanwhile; returns how many."""
    async with app.db.transaction() as tx:
        gone = await queries.settled(tx, limit=limit)
    count = 0
    for study_id in gone:
        async with app.db.transaction() as tx:
            count += await _settle(tx, app, study_id)
    return count


async def _settle(tx: Transaction, app: App, study_id: UUID) -> bool:
    """The offer of one study as the worklist has it: taken by whom it was made to, or withdrawn."""
    item = await items.lock_one(tx, study_id)
    offer = await queries.open_of(tx, study_id)
    if item is None or offer is None or (item.state == State.OFFERED and item.assigned_to == offer.account):
        return False
    is_taken = offer.account in (item.claimed_by, item.assigned_to)
    await queries.end(tx, offer.id, state="accepted" if is_taken else "withdrawn", now=app.clock.now())
    kind = ReadingOfferAccepted if is_taken else ReadingOfferWithdrawn
    await emit(tx, kind(**_told(offer)))
    return True


async def expire(app: App, *, limit: int) -> int:
    """End the offers that nobody answered in time, so that the next reader is asked; returns how many."""
    async with app.db.transaction() as tx:
        late = await queries.expired(tx, now=app.clock.now(), limit=limit)
    count = 0
    for study_id in late:
        async with app.db.transaction() as tx:
            count += await _expire(tx, app, study_id)
    return count


async def _expire(tx: Transaction, app: App, study_id: UUID) -> bool:
    await items.lock_one(tx, study_id)
    offer, now = await queries.open_of(tx, study_id), app.clock.now()
    if offer is None or offer.expires_at > now:
        return False
    if await offering.take_back(tx, study_id, of=offer.account, trigger="expire") is None:
        return await _settle(tx, app, study_id)
    await queries.end(tx, offer.id, state="expired", now=now)
    await emit(tx, ReadingOfferExpired(**_told(offer)))
    return True


async def withdraw(tx: Transaction, app: App, study_id: UUID) -> None:
    """End the offer of a study whose row is locked, since others are to be asked."""
    offer = await queries.open_of(tx, study_id)
    if offer is None:
        return
    await offering.take_back(tx, study_id, of=offer.account, trigger="withdraw")
    await queries.end(tx, offer.id, state="withdrawn", now=app.clock.now())
    await emit(tx, ReadingOfferWithdrawn(**_told(offer)))


def _told(offer: Offer) -> dict[str, Any]:
    return {
        "facility_code": offer.facility_code,
        "study_id": str(offer.study_id),
        "study_instance_uid": offer.study_instance_uid,
        "offer_id": str(offer.id),
        "reader": offer.reader,
        "step": offer.step,
    }
