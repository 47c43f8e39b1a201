"""Offer a study to one reader, and take an offer back: what assignment does in its own transaction."""

from datetime import datetime
from uuid import UUID

from radiology.access.model import SYSTEM, Actor
from radiology.audit import actions as audit
from radiology.kit.db import Transaction
from radiology.reading_worklist.actions import people
from radiology.reading_worklist.actions.noting import save
from radiology.reading_worklist.items import Item
from radiology.reading_worklist.model import ALWAYS_RUNNING, State
from radiology.reading_worklist.queries import items

OFFERABLE = frozenset({State.WAITING, State.OFFERED})


async def offer(tx: Transaction, study_id: UUID, *, to: str, until: datetime, by: Actor = SYSTEM) -> Item | None:
    """Ask `account:<name>` whether he or she takes a study; None where it is not free any more.

    Whoever is asked sees it in full, and is told of it unless it is routine. A claim accepts the offer, whoever
    claims.
    """
    item = await items.lock_one(tx, study_id)
    if item is None or State(item.state) not in OFFERABLE or (item.assigned_to and item.offer_expires_at is None):
        return None
    offered = await save(tx, item, item.offered(to, until=until), "offer")
    await people.make_reader(tx, to, study_id, by=by)
    await audit.record(tx, by, "reading.offer", str(study_id), detail={"to": to, "until": until.isoformat()})
    # Twenty messages of a morning's routine would bury the one that matters: routine stands in the worklist alone.
    if item.priority in ALWAYS_RUNNING:
        await people.tell(
            tx, to, "reading.offered", "A study is offered to you to read", "পড়ার জন্য আপনাকে একটি পরীক্ষা দেওয়া হয়েছে",
            item.study_instance_uid,
        )  # fmt: skip
    return offered


async def take_back(tx: Transaction, study_id: UUID, *, of: str, trigger: str, by: Actor = SYSTEM) -> Item | None:
    """An offer ends: `trigger` is `decline`, `expire` or `withdraw`. None where it is not offered to `of` any more."""
    item = await items.lock_one(tx, study_id)
    if item is None or State(item.state) != State.OFFERED or item.assigned_to != of:
        return None
    await audit.record(tx, by, f"reading.{trigger}", str(study_id), detail={"of": of})
    return await save(tx, item, item.declined(), trigger)
