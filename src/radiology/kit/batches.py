"""Many small writes as few large ones: what arrives while a batch is written is the next batch.

Submitting gives a future. While nobody waits, a batch lingers a little to grow; `flush` ends the lingering,
so that whoever must know that everything is written waits no longer than writing takes.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from radiology.errors import Unavailable

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

RETRY_SECONDS = (0.1, 0.5, 1, 2, 5)


class BatchWriter(Generic[Item, Outcome]):
    """One thread that writes batches, in the order of their arrival.

    `write` takes the items of a batch and returns an outcome for each. Where it raises Unavailable the batch is tried
    again until it succeeds; what it raises otherwise is the outcome of all.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Sequence[Outcome | Exception]],
        *,
        name: str,
        batch_items: int = 200,
        linger_seconds: float = 0.1,
        waiting_limit: int = 5_000,
    ) -> None:
        self.healthy = True
        self._write = write
        self._batch_items = batch_items
        self._linger_seconds = linger_seconds
        self._waiting_limit = waiting_limit
        self._waiting: list[tuple[float, Item, Future[Outcome]]] = []
        self._in_hand: tuple[float, int] = (0.0, 0)
        self._changed = threading.Condition()
        self._flush = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, *, timeout_seconds: float = 10) -> None:
        """Write what is waiting, then end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout_seconds)

    def submit(self, item: Item) -> Future[Outcome]:
        """Hand over one item. Its future ends when the batch with it is committed."""
        future: Future[Outcome] = Future()
        with self._changed:
            self._waiting.append((time.monotonic(), item, future))
            if len(self._waiting) == 1 or len(self._waiting) >= self._batch_items:
                self._changed.notify_all()
        return future

    def flush(self) -> None:
        """Let nothing that is waiting linger."""
        with self._changed:
            self._flush = True
            self._changed.notify_all()

    def check(self) -> None:
        """Raise Unavailable where nothing new should be taken: what waits cannot be written, or is too much."""
        if not self.healthy:
            raise Unavailable("The database cannot be written. Send again in a moment.")
        if len(self._waiting) >= self._waiting_limit:
            raise Unavailable("Too much is waiting to be written. Send again in a moment.")

    def wait_for_room(self, limit_seconds: float) -> None:
        """Where too much waits, wait until it is less: who sends is slowed down, not refused. Raises Unavailable.

        For a thread that may be held up.
        """
        if self.healthy and len(self._waiting) >= self._waiting_limit:
            with self._changed:
                self._changed.wait_for(
                    lambda: not self.healthy or len(self._waiting) < self._waiting_limit, limit_seconds
                )
        self.check()

    @property
    def waiting(self) -> int:
        """How many items are not yet written."""
        return len(self._waiting) + self._in_hand[1]

    @property
    def lag_seconds(self) -> float:
        """Age of the oldest item that is not yet written, in seconds."""
        oldest = self._in_hand[0] or (self._waiting[0][0] if self._waiting else 0.0)
        return time.monotonic() - oldest if oldest else 0.0

    def _run(self) -> None:
        while batch := self._next_batch():
            self._write_until_done(batch)

    def _next_batch(self) -> list[tuple[float, Item, Future[Outcome]]]:
        with self._changed:
            while not self._waiting and not self._stopping:
                self._flush = False
                self._changed.wait()
            while self._lingers():
                self._changed.wait(self._linger_left())
            batch = self._waiting[: self._batch_items]
            del self._waiting[: self._batch_items]
            self._changed.notify_all()
            self._flush = self._flush and bool(self._waiting)
            self._in_hand = (batch[0][0], len(batch)) if batch else (0.0, 0)
            return batch

    def _lingers(self) -> bool:
        grown = len(self._waiting) >= self._batch_items
        return bool(self._waiting) and not (self._flush or self._stopping or grown) and self._linger_left() > 0

    def _linger_left(self) -> float:
        return self._waiting[0][0] + self._linger_seconds - time.monotonic()

    def _write_until_done(self, batch: list[tuple[float, Item, Future[Outcome]]]) -> None:
        outcomes: Sequence[Outcome | Exception]
        for attempt in range(1_000_000):
            try:
                outcomes = self._write([item for _, item, _ in batch])
                self.healthy = True
                break
            except Unavailable as error:
                self.healthy = False
                if self._stopping:
                    outcomes = [error] * len(batch)
                    break
                time.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            except Exception as error:  # Whoever waits must learn of it; the thread goes on.
                outcomes = [error] * len(batch)
                break
        else:
            return
        self._in_hand = (0.0, 0)
        for (_, _, future), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
