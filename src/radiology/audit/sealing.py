"""Seal what has arrived: give each record its place in the chain and its hash. One at a time; nobody waits for it."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.audit import actions, queries
from radiology.audit.chain import BEGINNING, links
from radiology.audit.queries import Head
from radiology.kit.db import Transaction

BATCH: Final = 500
MOST_AT_ONCE: Final = 20_000
CHECKPOINT_EVERY: Final = 10_000
DAYS_A_YEAR: Final = 365.25


async def seal_arrivals(app: App) -> int:
    """Seal all that is committed by now, up to a limit; the hash of the last record is written out beside it."""
    sealed = 0
    while sealed < MOST_AT_ONCE:
        async with app.db.transaction() as tx:
            count, head = await _seal_batch(tx, app)
        sealed += count
        if head is not None:
            write_head(head_file(app), head)
        if count < BATCH:
            break
    return sealed


async def _seal_batch(tx: Transaction, app: App) -> tuple[int, Head | None]:
    await queries.become_sealer(tx)
    records = await queries.arrivals(tx, limit=BATCH)
    if not records:
        return 0, None
    last = await queries.head(tx)
    # A clock that was set back must not put a record into a month that is already closed.
    sealed_at = max(app.clock.now(), last.sealed_at) if last else app.clock.now()
    after = (last.sequence, last.hash) if last else (0, BEGINNING)
    chained = links(records, after=after, sealed_at=sealed_at)
    await queries.seal(tx, records, chained, sealed_at)
    sequence, _, own = chained[-1]
    head = Head(sequence, own, sealed_at)
    if sequence // CHECKPOINT_EVERY != after[0] // CHECKPOINT_EVERY:
        await queries.make_checkpoint(tx, head, reason="regular")
    return len(records), head


def head_file(app: App) -> Path:
    """Where the last hash is written out, so that a chain whose end was cut off is noticed."""
    return app.settings.audit_head_file or app.settings.audit_dir / "head.json"


def write_head(path: Path, head: Head) -> None:
    """Replace the file at once, so that it is never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(f".{os.getpid()}.part")
    text = {"sequence": head.sequence, "hash": head.hash.hex(), "sealedAt": head.sealed_at}
    part.write_bytes(orjson.dumps(text, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))
    part.replace(path)


def read_head(path: Path) -> tuple[int, bytes] | None:
    """Sequence and hash that were written out last; None where there is no such file. Raises ValueError."""
    try:
        text = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return int(text["sequence"]), bytes.fromhex(text["hash"])


async def drop_old_months(app: App) -> int:
    """Remove months that are older than the retention; where the chain goes on is kept as a checkpoint."""
    before = app.clock.now() - timedelta(days=DAYS_A_YEAR * app.settings.audit_retention_years)
    async with app.db.transaction() as tx:
        await queries.become_sealer(tx)
        months = await queries.old_months(tx, before=before)
        for name in months:
            last = await queries.last_sealed_before(tx, await queries.month_ends_at(tx, name))
            if last is not None:
                await queries.make_checkpoint(tx, last, reason="retention")
            await queries.drop_month(tx, name)
            detail = {"last_sequence": last.sequence if last else None}
            await actions.record(tx, SYSTEM, "audit.drop", name, detail=detail)
    return len(months)
