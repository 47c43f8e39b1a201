"""The catalogue of today, kept in the memory of each process until it is changed, and for four hours at most."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.kit.db import Transaction
from radiology.procedures import queries
from radiology.procedures.entries import SINCE_EVER, procedure_of, shipped, shipped_sha256
from radiology.procedures.lookup import Catalogue
from radiology.procedures.queries import Standing, Version

LONGEST_AGE: Final = timedelta(hours=4)
_MOST_KEPT: Final = 4

_kept: OrderedDict[tuple[UUID, bool, date], tuple[datetime, Catalogue]] = OrderedDict()
"""By the generation of the database and the day, so nothing is kept that was changed, by whichever process."""


async def catalogue(app: App) -> Catalogue:
    """The catalogue as it is today. It may be asked for within a transaction. Raises Unavailable."""
    now = app.clock.now()
    today = now.astimezone(app.settings.zone).date()
    async with app.db.reading() as tx:
        standing = await queries.standing(tx, shipped_sha256())
        key = (standing.generation, standing.is_loaded, today)
        kept = _kept.get(key)
        if kept is not None and timedelta() <= now - kept[0] < LONGEST_AGE:
            _kept.move_to_end(key)
            return kept[1]
        # The generation was read before the rest, so it is never newer than they are.
        found = await _read(tx, standing, today)
    _kept[key] = (now, found)
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    return found


async def follow_shipped(app: App) -> int:
    """Load the catalogue that comes with the service, where it is another one than before; returns how many entries.

    What a hospital has changed stays as it is.
    """
    async with app.db.reading() as tx:
        if (await queries.standing(tx, shipped_sha256())).is_loaded:
            return 0
    async with app.db.transaction() as tx:
        await queries.lock_for_change(tx)
        if not await queries.note_shipped(tx, shipped_sha256(), at=app.clock.now()):
            return 0
        now = app.clock.now()
        new = _new(await queries.entries(tx), now.astimezone(app.settings.zone).date())
        for each in new:
            await queries.save_entry(
                tx,
                each.key,
                each.body,
                version=each.version,
                effective_from=each.effective_from,
                is_shipped=True,
                reason="",
                changed_by=SYSTEM.id,
                changed_at=now,
            )
    return len(new)


async def _read(tx: Transaction, standing: Standing, today: date) -> Catalogue:
    """Read it anew. What comes with the service counts before it is loaded, too."""
    entries: list[Version] = [*await queries.entries(tx)]
    if not standing.is_loaded:
        entries += _new(entries, today)
    versions = [
        procedure_of(each.key, each.body, version=each.version, effective_from=each.effective_from) for each in entries
    ]
    return Catalogue(versions, await queries.agreed(tx), on=today, generation=str(standing.generation))


def _new(there: Sequence[Version], today: date) -> list[Version]:
    """The shipped entries that are to be loaded: nobody has changed them here, and they are not as they were."""
    before: dict[str, list[Version]] = {}
    for entry in there:
        before.setdefault(entry.key, []).append(entry)
    return [
        Version(key, len(known) + 1, today if known else SINCE_EVER, dict(body), is_shipped=True)
        for key, body in shipped().items()
        for known in [before.get(key, [])]
        if all(entry.is_shipped for entry in known) and (not known or known[-1].body != dict(body))
    ]
