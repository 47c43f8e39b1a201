"""Compress without loss what has been stored uncompressed for long, and delete the old object when that is proven.

Each instance is a step of its own: new object written, read back to the digest that was received, made durable, then
one transaction lets the row name it. The old object stays for a day, for whoever is reading it. What cannot be proven
stays as it is.
"""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from radiology.app import App
from radiology.errors import Conflict, NotFound, NotSupported, Unprocessable
from radiology.kit import cpu, metrics
from radiology.kit.clock import monotonic_seconds
from radiology.kit.log import get_logger
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from radiology.studies.queries import recompress as queries
from radiology.studies.queries import upkeep
from radiology.studies.queries.recompress import Candidate, Due, Switch
from radiology.studies.recompression import compress, prove
from radiology.studies.transcoding import Source

MARK: Final = "recompression"
COMPRESSIBLE: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
OLD_OBJECT_KEPT: Final = timedelta(days=1)
PASS_SECONDS = 30.0
AT_ONCE = 100
#: What was refused must not be met for ever.
MOMENT: Final = timedelta(microseconds=1)
BEHIND: Final = timedelta(minutes=1)
WINDOW: Final = timedelta(hours=1)
COMPRESSED, KEPT = "compressed", "kept"

log = get_logger()


async def due(app: App) -> Due:
    """How much is stored uncompressed and old enough."""
    async with app.db.transaction() as tx:
        return await queries.due(tx, COMPRESSIBLE, until=_old_enough(app))


async def is_behind(app: App) -> bool:
    """Whether there are instances that are old enough and were not looked at."""
    async with app.db.transaction() as tx:
        at = await upkeep.mark(tx, MARK) or await queries.oldest(tx)
    # A pass ends a moment before what has become old enough meanwhile.
    return at is not None and at < _old_enough(app) - BEHIND


async def recompress_due(app: App, *, seconds: float = PASS_SECONDS, gently: bool = True) -> int:
    """Go on where the last pass ended, for so long. Returns how many instances were compressed.

    `gently` rests after each instance for as long as it took, so that half of a core is left at least.
    """
    if not app.settings.recompress_after_days:
        return 0
    until, ends_at = _old_enough(app), monotonic_seconds() + seconds
    async with app.db.transaction() as tx:
        at = await upkeep.mark(tx, MARK) or await queries.oldest(tx)
    outcomes = Counter[str]()
    span = WINDOW
    while at is not None and at < until and monotonic_seconds() < ends_at:
        before = outcomes.total()
        at = await _window(app, at, min(at + span, until), ends_at, outcomes, gently=gently)
        span = WINDOW if outcomes.total() > before else 2 * span  # Where there is nothing, long steps.
        async with app.db.transaction() as tx:
            await upkeep.set_mark(tx, MARK, at)
    if outcomes:
        log.info("recompression.pass", instances=outcomes[COMPRESSED], refused=outcomes[KEPT])
    return outcomes[COMPRESSED]


async def _window(
    app: App, since: datetime, until: datetime, ends_at: float, outcomes: Counter[str], *, gently: bool
) -> datetime:
    """Compress what was stored in this span, or a part of it; up to when it is done."""
    async with app.db.transaction() as tx:
        found = await queries.candidates(tx, COMPRESSIBLE, since=since, until=until, limit=AT_ONCE)
    for candidate in found:
        began = monotonic_seconds()
        outcomes[await recompress(app, candidate)] += 1
        if monotonic_seconds() >= ends_at:
            return candidate.stored_at + MOMENT
        if gently:
            await asyncio.sleep(monotonic_seconds() - began)
    return found[-1].stored_at + MOMENT if len(found) == AT_ONCE else until


async def recompress(app: App, candidate: Candidate) -> str:
    """Compress one instance, or keep it as it is. Returns which. Raises Unavailable where nothing can be written."""
    try:
        await _replaced(app, candidate)
    except (NotSupported, NotFound, Unprocessable, Conflict) as error:
        log.info("recompression.kept", sop_instance_uid=candidate.sop_instance_uid, reason=error.sentence)
        metrics.recompression(KEPT).inc()
        return KEPT
    metrics.recompression(COMPRESSED).inc()
    return COMPRESSED


async def _replaced(app: App, candidate: Candidate) -> None:
    transfer_syntax_uid = app.settings.recompress_transfer_syntax
    source = Source(
        str(app.objects.path(candidate.object_key)),
        candidate.transfer_syntax_uid,
        candidate.data_set_offset,
        candidate.pixel_data_offset,
        candidate.pixel_data_length,
        candidate.size_bytes,
    )
    with app.objects.create(write_behind=False) as writer:
        names = candidate.sop_class_uid, candidate.sop_instance_uid
        made = await cpu.processes.call(compress, source, *names, str(writer.path), transfer_syntax_uid)
        key = writer.take_note()
        compressed = Source(
            str(writer.path),
            transfer_syntax_uid,
            made.data_set_offset,
            made.pixel_data_offset,
            None,
            writer.size_bytes,
        )
        object_sha256 = await _proven(candidate, compressed, made.original_pixel_data_head)
        new = Switch(
            key,
            writer.size_bytes,
            made.data_set_offset,
            made.pixel_data_offset,
            transfer_syntax_uid,
            made.original_pixel_data_head,
            object_sha256,
        )
        if new.size_bytes >= candidate.size_bytes:
            raise NotSupported("It does not become smaller.")
        # From its name on it looks like an object that was received: it is written down before that it is none.
        async with app.db.transaction() as tx:
            delete_at = app.clock.now() + OLD_OBJECT_KEPT
            await queries.supersede(tx, key, candidate.sop_instance_uid, delete_at=delete_at)
        await asyncio.to_thread(writer.commit)
    await _switch(app, candidate, new)
    metrics.recompression_saved_bytes.inc(candidate.size_bytes - new.size_bytes)


async def _proven(candidate: Candidate, new: Source, head: bytes) -> bytes:
    """SHA-256 of the new data set, which gives back what was received. Raises Unprocessable where it does not."""
    proof = await cpu.processes.call(prove, new, head, candidate.transfer_syntax_uid)
    if proof.original_sha256 != candidate.data_set_sha256:
        raise Unprocessable("The compressed object does not give back byte for byte what was received.")
    return proof.object_sha256


async def _switch(app: App, candidate: Candidate, new: Switch) -> None:
    async with app.db.transaction() as tx:
        await queries.shrink_study(tx, candidate.study_id, saved_bytes=candidate.size_bytes - new.size_bytes)
        await queries.switch(tx, candidate, new)
        await queries.keep(tx, [new.object_key])
        delete_at = app.clock.now() + OLD_OBJECT_KEPT
        await queries.supersede(tx, candidate.object_key, candidate.sop_instance_uid, delete_at=delete_at)


async def delete_superseded(app: App) -> int:
    """Delete objects that were replaced, or whose instance was never switched. Returns how many."""
    deleted = 0
    while True:
        async with app.db.transaction() as tx:
            found = await queries.superseded(tx, now=app.clock.now(), limit=AT_ONCE)
        unnamed = [key for key, is_named in found if not is_named]
        for key in unnamed:
            await asyncio.to_thread(app.objects.delete, key)
        async with app.db.transaction() as tx:
            await queries.keep(tx, [key for key, _ in found])
        deleted += len(unnamed)
        if len(found) < AT_ONCE:
            return deleted


def _old_enough(app: App) -> datetime:
    return app.clock.now() - timedelta(days=app.settings.recompress_after_days)
