"""Ask every archive and workstation of the registry again and again whether it is there."""

import asyncio
from datetime import timedelta
from typing import Final

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.application_entities.actions import Echo, check
from radiology.application_entities.queries import find_application_entity
from radiology.errors import NotFound, RadiologyError
from radiology.events import RemoteStateChanged, emit
from radiology.kit.log import get_logger
from radiology.remotes.health import queries

AT_ONCE: Final = 8

log = get_logger()


async def check_due(app: App) -> int:
    """Check those whose time has come, some at once; returns how many. Off where the interval is 0."""
    interval = app.settings.remote_check_seconds
    if not interval:
        return 0
    now = app.clock.now()
    async with app.db.transaction() as tx:
        await queries.follow_registry(tx)
        due = await queries.take_due(tx, now=now, following=now + timedelta(seconds=interval), limit=AT_ONCE)
    await asyncio.gather(*(_check(app, ae_title) for ae_title in due))
    return len(due)


async def check_now(app: App, actor: Actor, ae_title: str) -> Echo:
    """Ask one now. Raises NotFound, Unprocessable for a record that says nowhere to call."""
    actor.must(Permission.READ)
    found = await _check(app, ae_title)
    if found is None:
        raise NotFound(f"No application entity is called {ae_title!r}.")
    return found


async def _check(app: App, ae_title: str) -> Echo | None:
    async with app.db.transaction() as tx:
        entity = await find_application_entity(tx, ae_title)
    if entity is None:
        return None
    try:
        found = await asyncio.to_thread(check, app.settings, entity)
    except RadiologyError as error:
        found = Echo(False, error.sentence, 0)
    async with app.db.transaction() as tx:
        await queries.follow_registry(tx)
        checked = await queries.save(
            tx, ae_title, answered=found.answered, sentence=found.sentence, milliseconds=found.milliseconds,
            at=app.clock.now(),
        )  # fmt: skip
        if checked is None or checked.answered == checked.answered_before:
            return found
        if not checked.answered or checked.answered_before is not None:
            await emit(
                tx,
                RemoteStateChanged(
                    facility_code=entity.facility_code or app.settings.facility_code,
                    ae_title=ae_title,
                    answers=checked.answered,
                ),
            )
    if not checked.answered:
        log.warning("remote.silent", ae_title=ae_title, reason=found.sentence)
    return found
