"""Work on untrusted data in processes with limits: a decoder that runs wild is ended, and nobody else notices."""

import asyncio
import contextlib
import multiprocessing
import os
import queue
import resource
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, ParamSpec, TypeVar

from radiology.errors import RadiologyError, Unavailable, Unprocessable

P = ParamSpec("P")
T = TypeVar("T")

MEMORY_BYTES = 4 * 1024**3
SECONDS = 120.0
#: A process is followed by a new one after so many calls: what a codec leaks is given back.
CALLS_PER_PROCESS = 10_000
MOST_WAITING = 256
_BROKE = "The data could not be decoded: the decoder broke or needed too much memory."


@dataclass(frozen=True, slots=True)
class _Call:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    future: "Future[Any]"


@dataclass(slots=True)
class LimitedProcesses:
    """A few processes that are started when first needed. Functions, arguments and results must be picklable.

    A call that takes longer than its limit, or more memory, ends its process: that call fails with Unprocessable, and
    those beside it go on. A call that is cancelled while it waits gives its place up.
    """

    count: int = 2
    memory_bytes: int = MEMORY_BYTES
    seconds: float = SECONDS
    most_waiting: int = MOST_WAITING
    _calls: "queue.SimpleQueue[_Call | None]" = field(default_factory=queue.SimpleQueue["_Call | None"])
    _open: int = 0
    _threads: list[threading.Thread] = field(default_factory=list[threading.Thread])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call it in one of the processes and wait. Raises what it raises, Unprocessable over a limit, Unavailable."""
        return self._submit(function, args, kwargs).result()

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same without holding up the event loop."""
        return await asyncio.wrap_future(self._submit(function, args, kwargs))

    @property
    def waiting(self) -> int:
        """How many calls wait for a process."""
        return self._calls.qsize()

    def close(self) -> None:
        """End the processes when they have done what they are doing."""
        with self._lock:
            threads, self._threads = self._threads, []
            for _ in threads:
                self._calls.put(None)

    def _submit(self, function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> "Future[T]":
        if self.waiting >= self.most_waiting:
            raise Unavailable("Too many images are waiting to be decoded. Try again in a moment.")
        future: Future[T] = Future()
        with self._lock:
            self._open += 1
            self._calls.put(_Call(function, args, kwargs, future))
            if len(self._threads) < min(self._open, self.count):
                thread = threading.Thread(target=self._serve, name="limited process", daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def _serve(self) -> None:
        """One of the threads, each of which looks after one process."""
        process: _Process | None = None
        while (call := self._calls.get()) is not None:
            if not call.future.set_running_or_notify_cancel():
                self._done()
                continue
            try:
                process = process if process is not None and process.is_usable() else _Process(self.memory_bytes)
                result = process.do(call, self.seconds)
            except BaseException as error:  # Whatever it is, the one who waits is told.
                self._done()
                call.future.set_exception(error)
            else:
                self._done()  # Before the one who waits may come again, who must not find no process free.
                call.future.set_result(result)
        if process is not None:
            process.end()

    def _done(self) -> None:
        with self._lock:
            self._open -= 1


class _Process:
    """One process, and the pipe to it."""

    def __init__(self, memory_bytes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._left = CALLS_PER_PROCESS
        self._process: SpawnProcess = context.Process(
            target=_work, args=(other, os.getpid(), memory_bytes), daemon=True
        )
        self._process.start()
        other.close()
        self._answer = select.poll()  # Connection.poll makes a new one each time, which costs more than the call.
        self._answer.register(self._pipe.fileno(), select.POLLIN)

    def is_usable(self) -> bool:
        """Whether it can take another call; one that cannot is ended."""
        if self._left > 0 and self._process.is_alive():
            return True
        self.end()
        return False

    def do(self, call: _Call, seconds: float) -> Any:
        """What the function returns. Raises what it raises, Unprocessable over a limit."""
        self._left -= 1
        try:
            self._pipe.send((call.function, call.arguments, call.named))
            if not self._answer.poll(seconds * 1000):
                self.end()
                raise Unprocessable(f"The data could not be decoded in {seconds:g} s.")
            is_result, outcome = self._pipe.recv()
        except (EOFError, OSError) as error:
            self.end()
            raise Unprocessable(_BROKE) from error
        if is_result:
            return outcome
        raise outcome

    def end(self) -> None:
        """End it at once."""
        self._left = 0
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _work(pipe: Connection, parent: int, memory_bytes: int) -> None:
    """What such a process does, until nobody is there any more who asks."""
    _limit(parent, memory_bytes)
    with contextlib.suppress(EOFError, OSError):
        while True:
            function, arguments, named = pipe.recv()
            try:
                outcome = True, function(*arguments, **named)
            except RadiologyError as error:
                outcome = False, error
            except MemoryError:
                outcome = False, Unprocessable(_BROKE)
            except Exception as error:  # It may not be picklable, and is a bug of ours: its name is enough.
                outcome = False, RuntimeError(f"{type(error).__name__}: {error}")
            pipe.send(outcome)


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
