"""Verify the chain in the database, and name the first record that was tampered with."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.audit import actions, queries, sealing
from radiology.audit.chain import BEGINNING, Break, Broken, Walk
from radiology.audit.model import SERIOUS_FAILURE, Sealed
from radiology.audit.queries import Head
from radiology.events import AuditChainBroken, emit
from radiology.kit import metrics, outbox
from radiology.kit.db import Transaction
from radiology.kit.log import get_logger

PAGE: Final = 500
EVERY_SECONDS: Final = 30 * 24 * 3600
MARK: Final = "audit.verify"

log = get_logger()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was verified: how many records, from which on, up to which hash, and what is broken, if anything."""

    records: int
    first: int
    last: int
    last_hash: bytes
    broken: Broken | None


async def verify(app: App, *, from_checkpoint: bool = False) -> Verdict:
    """Go along the chain from its beginning, or from the last checkpoint, to its end as it was written out."""
    async with app.db.reading() as tx:
        known = {point.sequence: point.hash for point in await queries.checkpoints(tx)}
        start = await _start(tx, from_checkpoint=from_checkpoint)
    walk, count = Walk(start.sequence, start.hash) if start else Walk(0, BEGINNING), 0
    first = walk.sequence + 1
    broken: Broken | None = None
    async for row, following in _rows(app, first):
        broken = await _step(app, walk, row, following)
        if broken is None and known.get(row.sequence, row.hash) != row.hash:
            broken = Broken(Break.CHANGED, row.sequence, f"Record {row.sequence} is not what its checkpoint says.")
        if broken is not None:
            break
        count += 1
    return Verdict(count, first, walk.sequence, walk.hash, broken or _cut(app, walk, known))


async def _start(tx: Transaction, *, from_checkpoint: bool) -> Head | None:
    """The checkpoint behind which to begin: the newest, or where dropped months ended; None for the beginning."""
    if from_checkpoint:
        return await queries.last_checkpoint(tx)
    return await queries.retention_checkpoint(tx)


async def _rows(app: App, first: int) -> AsyncIterator[tuple[Sealed, Sealed | None]]:
    """Each row of the chain with the one behind it."""
    before: Sealed | None = None
    while True:
        async with app.db.reading() as tx:
            page = await queries.sealed_behind(tx, before, first=first, limit=PAGE)
        for row in page:
            if before is not None:
                yield before, row
            before = row
        if len(page) < PAGE:
            break
    if before is not None:
        yield before, None


async def _step(app: App, walk: Walk, row: Sealed, following: Sealed | None) -> Broken | None:
    follows_later = False
    if row.previous_hash != walk.hash:
        async with app.db.reading() as tx:
            follows_later = await queries.is_hash(tx, row.previous_hash, after=row.sequence)
    broken = walk.step(row, follows_later=follows_later)
    if broken and following and _twice(row, following):
        return Broken(Break.INSERTED, row.sequence, f"Record {row.sequence} was put in later.")
    return broken


def _twice(row: Sealed, following: Sealed) -> bool:
    """Whether two rows claim one place."""
    return following.sequence == row.sequence or following.previous_hash == row.previous_hash


def _cut(app: App, walk: Walk, known: dict[int, bytes]) -> Broken | None:
    """Whether the end is missing, or another one: by the hash that was written out, and by the checkpoints."""
    try:
        written = sealing.read_head(sealing.head_file(app))
    except (OSError, ValueError, KeyError):
        return Broken(Break.CUT, walk.sequence, "The file of the last hash cannot be read.")
    end = max([*known, written[0] if written else 0], default=0)
    if end > walk.sequence:
        return Broken(Break.CUT, walk.sequence + 1, f"Records {walk.sequence + 1} to {end} are gone from the end.")
    if written and written[0] == walk.sequence and written[1] != walk.hash:
        return Broken(Break.CUT, walk.sequence, f"Record {walk.sequence} is not the one that was written out.")
    return None


async def verify_monthly(app: App) -> int:
    """Verify the whole chain once a month; what is broken is an event, a metric, a log line and a record."""
    at = int(app.clock.now().timestamp())
    async with app.db.transaction() as tx:
        if at - await queries.mark(tx, MARK) < EVERY_SECONDS:
            return 0
        await outbox.had(tx, MARK, at)
    verdict = await verify(app)
    await tell(app, verdict)
    return verdict.records


async def tell(app: App, verdict: Verdict) -> None:
    """Record the verdict, and raise the alarm where something is broken."""
    broken = verdict.broken
    metrics.audit_verification("broken" if broken else "intact").inc()
    detail = {"first": verdict.first, "last": verdict.last, "records": verdict.records}
    async with app.db.transaction() as tx:
        if broken is None:
            if verdict.records:
                head = await queries.sealed_at(tx, verdict.last)
                await queries.make_checkpoint(tx, head, reason="verified")
            await actions.record(tx, SYSTEM, "audit.verify", str(verdict.last), detail=detail)
            return
        log.error("audit.broken", kind=broken.kind.value, error=broken.sentence)
        detail = {**detail, "kind": broken.kind.value}
        subject = str(broken.sequence)
        await actions.record(tx, SYSTEM, "audit.broken", subject, detail=detail, outcome=SERIOUS_FAILURE)
        await emit(tx, AuditChainBroken(facility_code=None, kind=broken.kind.value, sequence=broken.sequence))
