"""Let studies be complete, and have the worker's tasks read their doses, without waiting for any time to pass."""

from typing import Any

import orjson

from radiology.app import App
from radiology.dose import following
from radiology.kit import outbox
from radiology.quality.dose import actions as notes


async def settle(app: App) -> int:
    """Every study is complete, and what follows is done. Returns of how many the dose is another than before."""
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET status = 'completed', completed = now() WHERE status = 'in-progress'")
        rows = await tx.values("SELECT json_build_array(id, study_instance_uid)::text FROM imaging_studies")
        for row in rows:
            study_id, uid = orjson.loads(row)
            body: dict[str, Any] = {
                "facility_code": "LOCAL",
                "study_id": study_id,
                "study_instance_uid": uid,
                "from_status": "in-progress",
                "to_status": "completed",
                "trigger": "quiet",
            }
            await tx.run(
                outbox.INSERT,
                **outbox.row(type="radiology.study.status-changed.v1", key=uid, body=body, facility_code="LOCAL"),
            )
    await place(app)
    count = 0
    while await behind(app, following.READER):
        count += await following.follow_events(app)
    await place(app)
    while await behind(app, notes.READER):
        await notes.follow_events(app)
    return count


async def behind(app: App, reader: str) -> bool:
    """Whether a reader of events has not had all of them yet."""
    async with app.db.transaction() as tx:
        last = await outbox.last_position(tx)
        return last > (await tx.value("SELECT position FROM worker_marks WHERE name = %(name)s", name=reader) or 0)


async def place(app: App) -> None:
    """Let what happened be read by all that follow it."""
    async with app.db.transaction() as tx:
        await outbox.place(tx)
