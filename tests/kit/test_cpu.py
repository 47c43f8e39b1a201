"""Limited processes: what runs wild is ended with a sentence, and others go on."""

import os
import time

import pytest

from radiology.errors import NotFound, Unprocessable
from radiology.kit import cpu


def add(a: int, b: int) -> int:
    return a + b


def refuse() -> None:
    raise NotFound("There is no such frame.")


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


def test_a_call_that_does_not_end_is_ended(processes: cpu.LimitedProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    processes.run(add, 1, 1)
    monkeypatch.setattr(cpu, "SECONDS", 0.3)
    with pytest.raises(Unprocessable, match="could not be decoded in"):
        processes.run(time.sleep, 60)
