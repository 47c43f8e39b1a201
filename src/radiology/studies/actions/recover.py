"""Index what a crash left without rows. Nothing acknowledged is lost: the bytes were durable before it was said so."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from itertools import groupby

from radiology.errors import RadiologyError
from radiology.kit.log import get_logger
from radiology.studies.archive import Archive
from radiology.studies.index import Stored
from radiology.studies.queries import upkeep as queries
from radiology.studies.receive import arrival_of

MARK = "recovery"
LOOK_BACK = timedelta(days=1)
LONGEST_RECEPTION = timedelta(hours=12)
AT_ONCE = 500

log = get_logger()


async def recover(archive: Archive, *, older_than_seconds: float) -> int:
    """Index whole objects that no row names, begun since the last time (less a day). Returns how many there were.

    Objects younger than `older_than_seconds` are left alone: whoever brought them is about to index them.
    """
    app, began = archive.app, archive.app.clock.now()
    async with app.db.transaction() as tx:
        mark = await queries.mark(tx, MARK)
    since = mark - LOOK_BACK if mark else None
    found = 0
    for folder, keys in await asyncio.to_thread(_by_folder, archive, since, older_than_seconds):
        found += await _recover_folder(archive, folder, keys)
    async with app.db.transaction() as tx:
        await queries.set_mark(tx, MARK, began)
    return found


def _by_folder(archive: Archive, since: datetime | None, older_than_seconds: float) -> list[tuple[str, list[str]]]:
    limit = archive.app.clock.now().timestamp() - older_than_seconds
    old = _older(archive, archive.app.objects.keys(since=since), limit)
    return [(folder, list(keys)) for folder, keys in groupby(old, lambda key: key.rpartition("/")[0])]


def _older(archive: Archive, keys: Iterator[str], limit: float) -> Iterator[str]:
    return (key for key in keys if archive.app.objects.path(key).stat().st_mtime < limit)


async def _recover_folder(archive: Archive, folder: str, keys: list[str]) -> int:
    hour = datetime.strptime(folder, "%Y/%m/%d/%H").replace(tzinfo=UTC)
    async with archive.app.db.transaction() as tx:
        named = await queries.named_keys(tx, folder, since=hour - timedelta(hours=1), until=hour + LONGEST_RECEPTION)
    lost = [key for key in keys if key not in named]
    for start in range(0, len(lost), AT_ONCE):
        await _index(archive, lost[start : start + AT_ONCE])
    return len(lost)


async def _index(archive: Archive, keys: list[str]) -> None:
    futures = [future for key in keys if (future := await asyncio.to_thread(_submit, archive, key))]
    archive.arrivals.flush()
    await asyncio.gather(*map(asyncio.wrap_future, futures))
    log.info("recovery.indexed", count=len(futures))


def _submit(archive: Archive, key: str) -> Future[Stored] | None:
    try:
        arrival = arrival_of(archive.app.objects, key, facility_code=archive.app.settings.facility_code)
    except RadiologyError as error:
        log.error("recovery.unreadable", object_id=key, exc_info=error)
        return None
    return archive.arrivals.submit(arrival)
