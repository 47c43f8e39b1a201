"""The catalogue of today, kept in the memory of each process until it is changed, and for four hours at most."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.kit.db import Transaction
from radiology.procedures import queries
from radiology.procedures.entries import SINCE_EVER, procedure_of, shipped, shipped_sha256
from radiology.procedures.lookup import Catalogue
from radiology.procedures.queries import Entry

LONGEST_AGE: Final = timedelta(hours=4)
_MOST_KEPT: Final = 4

_kept: OrderedDict[tuple[UUID, date], tuple[datetime, Catalogue]] = OrderedDict()
"""By the generation of the database and the day, so nothing is kept that was changed, by whichever process."""


async def catalogue(app: App) -> Catalogue:
    """The catalogue as it is today; what comes with the service is loaded first, where need be. Raises Unavailable."""
    async with app.db.reading() as tx:
        standing = await queries.standing(tx, shipped_sha256())
    if not standing.is_loaded:
        await follow_shipped(app)
    now = app.clock.now()
    key = (standing.generation, now.astimezone(app.settings.zone).date())
    kept = _kept.get(key)
    if standing.is_loaded and kept is not None and timedelta() <= now - kept[0] < LONGEST_AGE:
        _kept.move_to_end(key)
        return kept[1]
    return await _read(app, now)


async def follow_shipped(app: App) -> int:
    """Load the catalogue that comes with the service, where it is another one than before; returns how many entries.

    What a hospital has changed stays as it is.
    """
    async with app.db.transaction() as tx:
        await queries.lock_for_change(tx)
        if not await queries.note_shipped(tx, shipped_sha256(), at=app.clock.now()):
            return 0
        return await _load(tx, app)


async def _load(tx: Transaction, app: App) -> int:
    there: dict[str, list[Entry]] = {}
    for entry in await queries.entries(tx):
        there.setdefault(entry.key, []).append(entry)
    now = app.clock.now()
    new = {key: body for key, body in shipped().items() if _is_new(body, there.get(key, ()))}
    for key, body in new.items():
        before = there.get(key, ())
        await queries.save_entry(
            tx,
            key,
            body,
            version=len(before) + 1,
            effective_from=now.astimezone(app.settings.zone).date() if before else SINCE_EVER,
            is_shipped=True,
            reason="",
            changed_by=SYSTEM.id,
            changed_at=now,
        )
    return len(new)


def _is_new(body: Mapping[str, Any], before: Sequence[Entry]) -> bool:
    """Whether a shipped entry is to be loaded: nobody has changed it here, and it is not as it was."""
    return all(entry.is_shipped for entry in before) and (not before or dict(before[-1].body) != dict(body))


async def _read(app: App, now: datetime) -> Catalogue:
    """Read it anew. The generation is read before the rest, so it is never newer than they are."""
    async with app.db.transaction() as tx:
        generation = (await queries.standing(tx, shipped_sha256())).generation
        entries, agreed = await queries.entries(tx), await queries.agreed(tx)
    today = now.astimezone(app.settings.zone).date()
    versions = [
        procedure_of(each.key, each.body, version=each.version, effective_from=each.effective_from) for each in entries
    ]
    found = Catalogue(versions, agreed, on=today, generation=str(generation))
    _kept[generation, today] = (now, found)
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    return found
