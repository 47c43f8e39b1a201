"""The jobs of the worker, done in a node of the test."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from node import Node
from radiology.doors.worker.jobs import handlers
from radiology.kit import jobs


@contextmanager
def worker(node: Node) -> Iterator[None]:
    """Jobs are done until the block ends."""

    async def start() -> tuple[asyncio.Event, asyncio.Task[None]]:
        stopped = asyncio.Event()
        queue = jobs.queue(node.app.settings.database_dsn, handlers(node.archive))
        return stopped, asyncio.create_task(jobs.work(queue, stopped, concurrency=4, drain_seconds=5))

    stopped, task = node.wait(start())

    async def stop() -> None:
        stopped.set()
        await task

    try:
        yield
    finally:
        node.wait(stop())
