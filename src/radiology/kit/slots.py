"""A limited number of places that all processes of one data folder share; the kernel frees those of who died.

A place is a byte of one file, written or not, that the process locks (POSIX record locks), and needs no descriptor of
its own. Such locks do not tell the threads of a process from each other, so which places are its own is kept here.
"""

import fcntl
import hashlib
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

LOOK_AGAIN_SECONDS = 0.05
NAMES_APART = 1 << 20
"""So many bytes of the file belong to each name; where they begin is drawn from its digest."""


@dataclass(slots=True)
class _Held:
    """The places that this process holds, and the file that is open while it holds any."""

    descriptor: int
    numbers: set[int] = field(default_factory=set[int])


_lock = threading.Lock()
_held: dict[Path, _Held] = {}
# Locks are not inherited, and closing the file in a child does not touch those of its parent.
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=lambda: _begin_anew())


@dataclass(slots=True)
class Slot:
    """One place that is held until it is given back."""

    _path: Path
    _number: int
    _is_held: bool = True

    def give_back(self) -> None:
        """Let somebody else have the place."""
        with _lock:
            held = _held.get(self._path)
            if held is None or not self._is_held:  # In a child that was forked meanwhile, or for the second time.
                return
            self._is_held = False
            held.numbers.remove(self._number)
            if held.numbers:
                fcntl.lockf(held.descriptor, fcntl.LOCK_UN, 1, self._number)
            else:
                del _held[self._path]
                os.close(held.descriptor)


def take(folder: Path, name: str, count: int, *, wait_seconds: float = 0.0) -> Slot | None:
    """One of `count` places of a name, or None when all stay taken for this long. Raises OSError."""
    until = time.monotonic() + wait_seconds
    begin = int.from_bytes(hashlib.sha256(name.encode()).digest()[:5]) * NAMES_APART
    while (slot := _try(folder / "places", begin, count)) is None:
        if time.monotonic() >= until:
            return None
        time.sleep(LOOK_AGAIN_SECONDS)
    return slot


def _try(path: Path, begin: int, count: int) -> Slot | None:
    with _lock:
        held = _held.get(path) or _Held(_open(path))
        first = time.monotonic_ns() % count  # Anywhere, so that few of the places that others hold are tried.
        numbers = (begin + number % count for number in range(first, first + count))
        number = next((number for number in numbers if number not in held.numbers and _locks(held, number)), None)
        if number is not None:
            held.numbers.add(number)
            _held[path] = held
            return Slot(path, number)
        if not held.numbers:
            os.close(held.descriptor)
        return None


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)


def _locks(held: _Held, number: int) -> bool:
    try:
        fcntl.lockf(held.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _begin_anew() -> None:
    for held in _held.values():
        os.close(held.descriptor)
    _held.clear()
    _lock.release()
