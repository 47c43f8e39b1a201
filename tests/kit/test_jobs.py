"""Jobs: done once they are committed, again when they fail or their worker dies, one after the other under one lock."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from radiology.app import App
from radiology.kit import jobs

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def working(dsn: str, handlers: Mapping[str, jobs.Handler]) -> AsyncIterator[None]:
    stopped = asyncio.Event()
    worker = asyncio.create_task(jobs.work(jobs.queue(dsn, handlers), stopped, concurrency=4, drain_seconds=5))
    try:
        yield
    finally:
        stopped.set()
        await worker


async def enqueue(app: App, name: str, number: int, **options: Any) -> int:
    async with app.db.transaction() as tx:
        return await jobs.enqueue(tx, name, {"number": number}, **options)


def left(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM jobs.procrastinate_jobs").fetchone()
        assert row
        return row[0]


async def test_a_job_is_done_once_and_forgotten(app: App, dsn: str) -> None:
    done: asyncio.Queue[int] = asyncio.Queue()

    async def handle(arguments: Mapping[str, Any]) -> None:
        await done.put(arguments["number"])

    await enqueue(app, "count", 1)
    async with working(dsn, {"count": handle}):
        assert await asyncio.wait_for(done.get(), 10) == 1
        await enqueue(app, "count", 2)  # Comes while the worker waits: it is told.
        assert await asyncio.wait_for(done.get(), 3) == 2
    assert done.empty()
    assert left(dsn) == 0


async def test_what_is_rolled_back_is_no_job(app: App, dsn: str) -> None:
    async def enqueue_and_fail() -> None:
        async with app.db.transaction() as tx:
            await jobs.enqueue(tx, "count", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await enqueue_and_fail()
    assert left(dsn) == 0


async def test_a_job_that_asks_for_later_or_fails_is_done_again(
    app: App, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "POLLING_SECONDS", 0.1)
    monkeypatch.setattr(jobs, "FIRST_DELAY_SECONDS", 0.05)
    tries: list[int] = []
    done = asyncio.Event()

    async def handle(arguments: Mapping[str, Any]) -> None:
        tries.append(arguments["number"])
        if len(tries) == 1:
            raise jobs.Later(0.05)
        if len(tries) == 2:
            raise RuntimeError("the peer is away")
        done.set()

    await enqueue(app, "try", 7)
    async with working(dsn, {"try": handle}):
        await asyncio.wait_for(done.wait(), 10)
    assert tries == [7, 7, 7]


async def test_a_job_waits_for_its_time(app: App, dsn: str) -> None:
    async def handle(arguments: Mapping[str, Any]) -> None:
        pytest.fail("too early")

    await enqueue(app, "count", 1, run_at=datetime.now(UTC) + timedelta(hours=1))
    async with working(dsn, {"count": handle}):
        await asyncio.sleep(0.2)
    assert left(dsn) == 1


async def test_jobs_under_one_lock_are_done_in_order_and_alone(app: App, dsn: str) -> None:
    running, order = 0, list[int]()
    done = asyncio.Event()

    async def handle(arguments: Mapping[str, Any]) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0.02)
        running -= 1
        order.append(arguments["number"])
        if len(order) == 4:
            done.set()

    for number in range(4):
        await enqueue(app, "one", number, lock="AE1")
    async with working(dsn, {"one": handle}):
        await asyncio.wait_for(done.wait(), 10)
    assert order == [0, 1, 2, 3]


async def test_a_job_whose_worker_died_is_done_again(app: App, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "STALLED_SECONDS", 0.3)
    monkeypatch.setattr(jobs, "HEARTBEAT_SECONDS", 0.1)
    number = await enqueue(app, "count", 1)
    with psycopg.connect(dsn, autocommit=True) as connection:
        # What a worker leaves that was killed in the middle: a job that is being done, and no heartbeat.
        worker = connection.execute(
            "INSERT INTO jobs.procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id"
        ).fetchone()
        assert worker
        connection.execute(
            "UPDATE jobs.procrastinate_jobs SET status = 'doing', worker_id = %s, attempts = 1 WHERE id = %s",
            (worker[0], number),
        )
    done = asyncio.Event()

    async def handle(arguments: Mapping[str, Any]) -> None:
        done.set()

    async with working(dsn, {"count": handle}):
        await asyncio.wait_for(done.wait(), 10)
