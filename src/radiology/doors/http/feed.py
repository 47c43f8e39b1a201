"""Events as they come: one LISTEN for the process wakes every stream; each reads the outbox at its own pace.

Nothing is queued for a client, so a slow one costs no memory: it reads on from where it is.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson

from radiology.app import App
from radiology.errors import Unavailable
from radiology.kit import outbox
from radiology.kit.log import get_logger

HEARTBEAT_SECONDS = 15.0
PAGE = 200
MOST_STREAMS = 500
LISTEN_AGAIN_AFTER_SECONDS = 2.0


class Feed:
    """The streams of one process."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._woken = asyncio.Event()
        self._streams = 0
        self._task: asyncio.Task[None] | None = None
        self.closing = False

    async def open(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen())

    def stop_streams(self) -> None:
        """Let every stream end now, so that a stopping server does not wait for them."""
        self.closing = True
        self._wake()

    async def close(self) -> None:
        """Stop listening."""
        self.stop_streams()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def woken(self) -> asyncio.Event:
        """What is set by the next event: taken before one looks, it misses none that comes after that."""
        return self._woken

    async def stream(self, *, after: int | None, facility_codes: frozenset[str] | None) -> AsyncIterator[bytes]:
        """Server-sent events behind a position (None: from now on), with heartbeats, until the server stops."""
        if self._streams >= MOST_STREAMS:
            raise Unavailable("Too many streams of events are open. Read /api/radiology/changes instead.")
        self._streams += 1
        try:
            position = await self._newest() if after is None else after
            yield b"retry: 2000\n\n"
            while not self.closing:
                woken = self._woken
                events = await self._page(position, facility_codes)
                for event in events:
                    position = event["position"]
                    yield _frame(event)
                if not events and not await set_within(woken, HEARTBEAT_SECONDS):
                    yield b": still here\n\n"
        finally:
            self._streams -= 1

    async def _listen(self) -> None:
        while True:
            try:
                async for _ in self._app.db.notifications(outbox.CHANNEL):
                    self._wake()
            except Exception as error:  # The database may be away for a while; streams go on after it.
                get_logger().warning("listening to events failed", exc_info=error)
            await asyncio.sleep(LISTEN_AGAIN_AFTER_SECONDS)

    def _wake(self) -> None:
        self._woken.set()
        self._woken = asyncio.Event()

    async def _newest(self) -> int:
        async with self._app.db.transaction() as tx:
            await outbox.place(tx)
            return await outbox.last_position(tx)

    async def _page(self, after: int, facility_codes: frozenset[str] | None) -> list[dict[str, Any]]:
        async with self._app.db.transaction() as tx:
            await outbox.place(tx)
            events = await outbox.read(tx, after=after, limit=PAGE, facility_codes=facility_codes)
            return orjson.loads(events)


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, at most so long; whether it came."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _frame(event: dict[str, Any]) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event["position"], str(event["type"]).encode(), orjson.dumps(event))
