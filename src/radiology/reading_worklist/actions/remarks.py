"""Notes beside a study, which may say that it looks critical; and the filters that people keep for themselves."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotFound, Unprocessable
from radiology.events import emit
from radiology.kit.ids import uuid7
from radiology.reading_worklist.actions.noting import changed, save
from radiology.reading_worklist.actions.opinions import seen
from radiology.reading_worklist.items import Item
from radiology.reading_worklist.queries import beside


async def write_note(app: App, actor: Actor, study: str, *, text: str, critical: bool | None) -> Item:
    """Write a note; `critical` True lets the study be read sooner, False takes that back. Raises NotFound."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        item = await seen(tx, actor, study)
        note_id = uuid7()
        await beside.insert_note(
            tx, note_id, item.study_id, author=actor.id, display=actor.display, at=app.clock.now(), text=text
        )
        detail = {"note": str(note_id), "critical": critical}
        await audit.record(tx, actor, "reading.note", str(item.study_id), detail=detail)
        noted = item if critical is None else replace(item, critical=critical)
        if noted == item:
            await emit(tx, changed(item, "note"))
        return await save(tx, item, noted, "note")


async def keep_filter(app: App, actor: Actor, name: str, kept: Mapping[str, Any]) -> None:
    """Keep a filter under a name of one's own. Raises Unprocessable beyond 50."""
    async with app.db.transaction() as tx:
        if await beside.count_filters(tx, actor.id, but=name) >= beside.MOST_FILTERS:
            raise Unprocessable(f"You keep {beside.MOST_FILTERS} filters already. Forget one first.")
        await beside.save_filter(tx, actor.id, name, kept, at=app.clock.now())


async def forget_filter(app: App, actor: Actor, name: str) -> None:
    """Forget a filter of one's own. Raises NotFound."""
    async with app.db.transaction() as tx:
        if not await beside.delete_filter(tx, actor.id, name):
            raise NotFound("You keep no filter of this name.")
