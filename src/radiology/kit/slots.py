"""A limited number of places that all processes of one data folder share; the kernel frees those of who died."""

import fcntl
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

LOOK_AGAIN_SECONDS = 0.05


@dataclass(slots=True)
class Slot:
    """One place that is held until it is given back."""

    _descriptor: int

    def give_back(self) -> None:
        """Let somebody else have the place."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def take(folder: Path, name: str, count: int, *, wait_seconds: float = 0.0) -> Slot | None:
    """One of `count` places of a name, or None when all stay taken for this long. Raises OSError."""
    until = time.monotonic() + wait_seconds
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem = hashlib.sha256(name.encode()).hexdigest()[:16]
    while True:
        for number in range(count):
            if (slot := _try(folder / f"{stem}.{number}")) is not None:
                return slot
        if time.monotonic() >= until:
            return None
        time.sleep(LOOK_AGAIN_SECONDS)


def _try(path: Path) -> Slot | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Slot(descriptor)
