"""How the disk fills: a sample a day, a forecast out of those of a month, and a notice in good time."""

import asyncio
import shutil
from datetime import timedelta
from typing import Any

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.errors import NotFound
from radiology.external.notifications.model import Message
from radiology.kit.db import Transaction
from radiology.kit.log import get_logger
from radiology.retention import forecast_model as model
from radiology.retention import forecast_queries as queries
from radiology.retention.forecast_model import LOOK_BACK_DAYS, Day
from radiology.retention.rules import due_sums, rules_now, today
from radiology.retention.verifying import tell
from radiology.studies.actions.recompress import COMPRESSIBLE
from radiology.studies.queries import recompress

log = get_logger()


async def sample(app: App) -> int:
    """Take the sample of the day, where it is not taken; tell administrators where the disk is full soon."""
    day = today(app)
    async with app.db.transaction() as tx:
        if await queries.is_sampled(tx, day):
            return 0
        rules = await rules_now(tx)
        uncompressed = await recompress.due(tx, COMPRESSIBLE, until=app.clock.now())
    due = await due_sums(app, rules, on=day, facilities=None)
    usage = await asyncio.to_thread(shutil.disk_usage, app.objects.root)
    due_bytes = sum(each.size_bytes for each in due.values())
    async with app.db.transaction() as tx:
        await queries.save(tx, Day(day, usage.free, usage.total, uncompressed.size_bytes, due_bytes))
        left = await days_left(tx, app)
        if left is not None and left < app.settings.disk_forecast_days:
            log.warning("storage.full-soon", limit=left)
            await tell(tx, _notice(left), facility_code=None, now=app.clock.now())
    return 1


async def days_left(tx: Transaction, app: App) -> int | None:
    """Days until only the reserve is free; None where it does not fill, or too little is known."""
    since = today(app) - timedelta(days=LOOK_BACK_DAYS)
    days = await queries.days(tx, since=since)
    parts = await queries.parts(tx, since=since, facilities=None)
    return model.days_left(days, parts, reserve_bytes=app.settings.disk_reserve_bytes) if days else None


async def forecast(app: App, actor: Actor) -> dict[str, Any]:
    """The forecast, with the facilities of the actor. Raises NotFound before the first sample."""
    actor.must(Permission.ADMINISTER)
    since = today(app) - timedelta(days=LOOK_BACK_DAYS)
    async with app.db.transaction() as tx:
        days = await queries.days(tx, since=since)
        parts = await queries.parts(tx, since=since, facilities=None)
    if not days:
        raise NotFound("No sample was taken yet. The worker takes one every day.")
    told = model.as_json(days, parts, reserve_bytes=app.settings.disk_reserve_bytes)
    if actor.facility_codes is not None:
        told["facilities"] = {code: each for code, each in told["facilities"].items() if code in actor.facility_codes}
    return told


def _notice(days: int) -> Message:
    return Message(
        "storage.full-soon",
        "The disk is full soon / ডিস্ক শীঘ্রই পূর্ণ হবে",
        f"In about {days} days only the reserve of the disk is free, and nothing more is stored. "
        "/storage/forecast says what fills it, and what compression and retention would free.\n"
        "কিছুদিনের মধ্যে ডিস্ক পূর্ণ হয়ে যাবে এবং নতুন ছবি রাখা যাবে না। /storage/forecast দেখুন।",
        "Storage/disk",
    )
