"""The chain: sealed in order, whoever writes; what is done to it afterwards is found and named."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.audit import actions, sealing
from radiology.audit.chain import Break
from radiology.audit.verifying import Verdict, verify, verify_monthly

pytestmark = pytest.mark.anyio


async def write(app: App, count: int, *, first: int = 0) -> None:
    for number in range(first, first + count):
        async with app.db.transaction() as tx:
            await actions.record(tx, SYSTEM, "study.register", f"1.2.{number}", detail={"n": number, "a": [1, "ক"]})


async def sealed(app: App, count: int = 8) -> App:
    await write(app, count)
    assert await sealing.seal_arrivals(app) == count
    return app


def as_superuser(app: App, *statements: str) -> None:
    """Change the table as whoever owns the machine can: with the triggers off."""
    with psycopg.connect(app.settings.database_dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            assert connection.execute(statement).rowcount != 0  # type: ignore[call-overload]


async def broken(app: App) -> tuple[Break, int]:
    verdict = await verify(app)
    assert verdict.broken is not None
    return verdict.broken.kind, verdict.broken.sequence


async def test_what_several_write_at_once_is_one_chain(app: App) -> None:
    await asyncio.gather(*(write(app, 10, first=100 * number) for number in range(5)), sealing.seal_arrivals(app))
    await asyncio.gather(sealing.seal_arrivals(app), sealing.seal_arrivals(app))
    verdict = await verify(app)
    assert (verdict.records, verdict.first, verdict.last, verdict.broken) == (50, 1, 50, None)
    assert sealing.read_head(sealing.head_file(app)) == (50, verdict.last_hash)
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM audit_arrivals") == 0
        assert await tx.value("SELECT count(DISTINCT id) FROM audit_events") == 50


async def test_a_transaction_that_commits_late_is_sealed_later_and_not_lost(app: App) -> None:
    async with app.db.transaction() as late:
        await actions.record(late, SYSTEM, "study.register", "1.2.999")
        await write(app, 2)
        assert await sealing.seal_arrivals(app) == 2
    assert await sealing.seal_arrivals(app) == 1
    assert (await verify(app)).broken is None


@pytest.mark.parametrize("table", ["audit_records", "audit_arrivals", "audit_checkpoints"])
@pytest.mark.parametrize("act", ["UPDATE {} SET sealed_at = now()", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_database_refuses_every_change(app: App, table: str, act: str) -> None:
    await sealed(app)
    await write(app, 1)
    async with app.db.transaction() as tx:
        await sealing.queries.make_checkpoint(tx, await sealing.queries.sealed_at(tx, 3), reason="regular")
    statement = act.format(table).replace("sealed_at", "occurred_at" if table == "audit_arrivals" else "sealed_at")
    with (
        psycopg.connect(app.settings.database_dsn) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"),
    ):
        connection.execute(statement)  # type: ignore[call-overload]
    assert (await verify(app)).broken is None


CHANGED = "UPDATE audit_records SET actor = 'somebody else' WHERE sequence = 4"
CHANGED_DETAIL = "UPDATE audit_records SET detail = detail || '{\"n\": 7}' WHERE sequence = 4"
CHANGED_MOMENT = "UPDATE audit_records SET occurred_at = occurred_at + interval '1 us' WHERE sequence = 4"
CHANGED_HASH = "UPDATE audit_records SET hash = sha256('x') WHERE sequence = 4"
REMOVED = "DELETE FROM audit_records WHERE sequence = 4"
CLOSED_UP = "UPDATE audit_records SET sequence = sequence - 1 WHERE sequence > 4"
COLUMNS = (
    "sealed_at, id, occurred_at, actor, actor_kind, actor_display, actor_role, on_behalf_of, action, subject, outcome,"
    " purpose, address, source, request_id, connection, detail, study_instance_uid, patient_reference, previous_hash"
)
COPIED = f"INSERT INTO audit_records (sequence, hash, {COLUMNS}) SELECT 4, sha256('x'), {COLUMNS} FROM audit_records "  # noqa: S608
TWICE = COPIED.replace("SELECT 4, sha256('x'), sealed_at", "SELECT 4, sha256('x'), sealed_at + interval '1 us'")
MADE_ROOM = (
    "UPDATE audit_records SET sequence = sequence + 1001 WHERE sequence > 3",
    "UPDATE audit_records SET sequence = sequence - 1000 WHERE sequence > 1000",
)
SWAPPED = (
    "UPDATE audit_records SET sequence = 99 WHERE sequence = 4",
    "UPDATE audit_records SET sequence = 4 WHERE sequence = 5",
    "UPDATE audit_records SET sequence = 5 WHERE sequence = 99",
)
CUT = "DELETE FROM audit_records WHERE sequence > 6"


@pytest.mark.parametrize(
    ("statements", "kind", "sequence"),
    [
        ((CHANGED,), Break.CHANGED, 4),
        ((CHANGED_DETAIL,), Break.CHANGED, 4),
        ((CHANGED_MOMENT,), Break.CHANGED, 4),
        ((CHANGED_HASH,), Break.CHANGED, 4),
        ((REMOVED,), Break.REMOVED, 4),
        ((REMOVED, CLOSED_UP), Break.REMOVED, 4),
        ((TWICE + "WHERE sequence = 4",), Break.INSERTED, 4),
        ((*MADE_ROOM, COPIED + "WHERE sequence = 5"), Break.INSERTED, 4),
        (SWAPPED, Break.REORDERED, 4),
        ((CUT,), Break.CUT, 7),
    ],
)
async def test_what_was_done_to_the_chain_is_found_and_named(
    app: App, statements: tuple[str, ...], kind: Break, sequence: int
) -> None:
    await sealed(app)
    as_superuser(app, *statements)
    assert await broken(app) == (kind, sequence)


async def test_an_end_that_was_cut_off_is_noticed_after_more_was_sealed(app: App) -> None:
    await sealed(app)
    head = sealing.head_file(app).read_bytes()
    as_superuser(app, CUT)
    await write(app, 2)
    await sealing.seal_arrivals(app)
    assert (await verify(app)).broken is None  # Nothing in the database can show it,
    sealing.head_file(app).write_bytes(head)  # but what was written out before does.
    assert await broken(app) == (Break.CUT, 8)


async def test_verification_may_begin_at_a_checkpoint(app: App) -> None:
    await sealed(app)
    async with app.db.transaction() as tx:
        await sealing.queries.make_checkpoint(tx, await sealing.queries.sealed_at(tx, 5), reason="regular")
    assert await brief(verify(app, from_checkpoint=True)) == (3, 6, None)
    as_superuser(app, CHANGED)
    assert await brief(verify(app, from_checkpoint=True)) == (3, 6, None)
    assert await broken(app) == (Break.CHANGED, 4)


async def brief(verdict: Any) -> tuple[int, int, Any]:
    done: Verdict = await verdict
    return done.records, done.first, done.broken


async def test_the_monthly_verification_raises_the_alarm(app: App) -> None:
    await sealed(app)
    assert await verify_monthly(app) == 8
    assert await verify_monthly(app) == 0
    as_superuser(app, CHANGED)
    app.clock.advance(31 * 24 * 3600)  # type: ignore[attr-defined]
    await verify_monthly(app)
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT body->>'kind' FROM outbox WHERE type LIKE '%%chain-broken%%'") == "changed"
        assert await tx.value("SELECT outcome FROM audit_events WHERE action = 'audit.broken'") == 8
        assert await tx.value("SELECT count(*) FROM audit_events WHERE action = 'audit.verify'") == 1


async def test_months_that_are_too_old_go_and_the_chain_stays_verifiable(app: App) -> None:
    began: datetime = app.clock.now()
    await sealed(app, 5)
    app.clock.advance(40 * 24 * 3600)  # type: ignore[attr-defined]
    await write(app, 4)
    await sealing.seal_arrivals(app)
    assert await sealing.drop_old_months(app) == 0
    app.clock.at = began + timedelta(days=365.25 * 10 + 35)  # type: ignore[attr-defined]
    assert await sealing.drop_old_months(app) == 1
    await sealing.seal_arrivals(app)
    assert await brief(verify(app)) == (5, 6, None)
    as_superuser(app, "DELETE FROM audit_records WHERE sequence = 6")
    assert await broken(app) == (Break.REMOVED, 6)
