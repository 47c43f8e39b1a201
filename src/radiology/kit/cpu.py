"""Work on untrusted data in processes with limits: a decoder that runs wild is ended, and nobody else notices."""

import asyncio
import multiprocessing
import os
import resource
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from radiology.errors import Unprocessable

P = ParamSpec("P")
T = TypeVar("T")

MEMORY_BYTES = 4 * 1024**3
SECONDS = 120.0
TASKS_PER_PROCESS = 500


@dataclass(slots=True)
class LimitedProcesses:
    """A few processes that are started when first needed. Functions and arguments must be picklable.

    A call that takes longer than its limit, or more memory, ends its process: that call fails with Unprocessable, and
    calls that ran beside it are done again once in new processes.
    """

    count: int = 2
    memory_bytes: int = MEMORY_BYTES
    _pool: ProcessPoolExecutor | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call it in one of the processes and wait. Raises what it raises, and Unprocessable over a limit."""
        for again in (True, False):
            pool = self._open()
            try:
                future = pool.submit(function, *args, **kwargs)
            except RuntimeError:  # Broken, or ended for a call beside this one.
                self._end(pool)
                continue
            try:
                return future.result(SECONDS)
            except TimeoutError:
                self._end(pool)
                raise Unprocessable(f"The data could not be decoded in {SECONDS:g} s.") from None
            except (BrokenProcessPool, CancelledError):
                self._end(pool)
                if not again:
                    break
        raise Unprocessable("The data could not be decoded: the decoder broke or needed too much memory.")

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same without holding up the event loop."""
        return await asyncio.to_thread(self.run, function, *args, **kwargs)

    def _open(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(
                    self.count,
                    mp_context=multiprocessing.get_context("spawn"),
                    initializer=_limit,
                    initargs=(os.getpid(), self.memory_bytes),
                    max_tasks_per_child=TASKS_PER_PROCESS,
                )
            return self._pool

    def _end(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        running: dict[int, Any] = getattr(pool, "_processes", None) or {}
        for process in list(running.values()):
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)


def _limit(parent: int, memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Not by PR_SET_PDEATHSIG: that fires when the thread ends that happened to start this process.
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


processes = LimitedProcesses()
"""Those of this process."""
