"""Limited processes: what runs wild is ended with a sentence, and others go on."""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from radiology.errors import NotFound, Unavailable, Unprocessable
from radiology.kit import cpu


def add(a: int, b: int) -> int:
    return a + b


def refuse() -> None:
    raise NotFound("There is no such frame.")


def slowly(value: int) -> int:
    time.sleep(0.5)
    return value


def die() -> None:
    os._exit(11)


def take(count: int) -> int:
    return len(bytearray(count))


@pytest.fixture
def processes() -> cpu.LimitedProcesses:
    return cpu.LimitedProcesses(1, memory_bytes=1024**3)


def test_a_call_gives_what_it_returns_and_raises_what_it_raises(processes: cpu.LimitedProcesses) -> None:
    assert processes.run(add, 2, 3) == 5
    with pytest.raises(NotFound, match="no such frame"):
        processes.run(refuse)


def test_a_process_that_dies_is_replaced(processes: cpu.LimitedProcesses) -> None:
    with pytest.raises(Unprocessable, match="broke"):
        processes.run(die)
    assert processes.run(add, 1, 1) == 2


def test_too_much_memory_is_refused(processes: cpu.LimitedProcesses) -> None:
    with pytest.raises((Unprocessable, MemoryError)):
        processes.run(take, 2 * 1024**3)
    assert processes.run(take, 1024) == 1024


def test_a_call_that_does_not_end_is_ended() -> None:
    processes = cpu.LimitedProcesses(1, memory_bytes=1024**3, seconds=5.0)
    assert processes.run(add, 1, 1) == 2
    processes.seconds = 0.3
    with ThreadPoolExecutor(1) as threads:
        stuck = threads.submit(processes.run, time.sleep, 60)
        with pytest.raises(Unprocessable, match="could not be decoded in"):
            stuck.result()
    processes.seconds = 5.0
    assert processes.run(add, 2, 2) == 4


def test_one_that_breaks_takes_nobody_with_it() -> None:
    processes = cpu.LimitedProcesses(2, memory_bytes=1024**3)
    with ThreadPoolExecutor(2) as threads:
        beside = threads.submit(processes.run, slowly, 7)
        with pytest.raises(Unprocessable, match="broke"):
            processes.run(die)
        assert beside.result() == 7


@pytest.mark.anyio
async def test_who_has_gone_gives_its_place_up() -> None:
    processes = cpu.LimitedProcesses(1, memory_bytes=1024**3, most_waiting=2)
    first = asyncio.create_task(processes.call(slowly, 1))
    await asyncio.sleep(0)
    gone = asyncio.create_task(processes.call(time.sleep, 60))
    await asyncio.sleep(0)
    gone.cancel()
    assert await processes.call(add, 1, 1) == 2
    assert await first == 1


def test_too_many_that_wait_are_told_to_come_again() -> None:
    processes = cpu.LimitedProcesses(1, memory_bytes=1024**3, most_waiting=0)
    with pytest.raises(Unavailable, match="Try again"):
        processes.run(add, 1, 1)
