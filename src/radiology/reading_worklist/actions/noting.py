"""Write a row of the worklist, and tell of it: one way for all that changes it."""

from dataclasses import replace

from radiology.events import ReadingChanged, emit
from radiology.kit.db import Transaction
from radiology.reading_worklist.items import Item
from radiology.reading_worklist.queries import items


async def save(tx: Transaction, before: Item | None, after: Item, trigger: str) -> Item:
    """Write a row as it is now. Where somebody sees a difference, it has a new version and is told of.

    `trigger` is the verb; `before` is the row that is locked, None for a new one.
    """
    if after == before:
        return after
    if before is not None and _seen(after) == _seen(before):
        await items.save(tx, after)
        return after
    saved = after if before is None else replace(after, version=before.version + 1)
    await items.save(tx, saved)
    await emit(tx, changed(saved, trigger))
    return saved


def _seen(item: Item) -> Item:
    return replace(item, version=0, half_told_at=None, breach_told_at=None, locked_until=None)


def changed(item: Item, trigger: str) -> ReadingChanged:
    """What is told of a row."""
    return ReadingChanged(
        facility_code=item.facility_code,
        study_id=str(item.study_id),
        study_instance_uid=item.study_instance_uid,
        state=item.state,
        priority=item.priority,
        arriving=item.arriving,
        assigned_to=item.assigned_to,
        version=item.version,
        trigger=trigger,
    )
