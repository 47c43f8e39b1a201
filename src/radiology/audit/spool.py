"""A file of one process that only grows, in which what was read waits until the database has it.

A line is in the file when `append` returns, so that a process may be killed at any moment; `flush` makes it survive the
machine as well. Who holds the lock of a file lives; a file without one was left by a process that died.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from radiology.errors import Unavailable
from radiology.kit.ids import uuid7

ENDING: Final = ".spool"
READ_BYTES: Final = 1024**2


class Spool:
    """One spool file, open and locked."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.size = os.fstat(descriptor).st_size
        self._descriptor = descriptor
        self._flushed = self.size

    @classmethod
    def new(cls, folder: Path) -> Self:
        """A new file, whose name is never used again. Raises Unavailable."""
        path = folder / f"{uuid7().hex}{ENDING}"
        unlocked = path.with_suffix(".new")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(unlocked, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unlocked.rename(path)
            _flush_folder(folder)
        except OSError as error:
            raise Unavailable("The audit of what is read cannot be kept: its folder cannot be written.") from error
        return cls(path, descriptor)

    @classmethod
    def abandoned(cls, folder: Path) -> Iterator[Self]:
        """The files whose process is gone, oldest first, each locked by us now."""
        for path in sorted(folder.glob(f"*{ENDING}")):
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                continue
            if not os.fstat(descriptor).st_nlink:  # Somebody else took it just now.
                os.close(descriptor)
                continue
            yield cls(path, descriptor)

    @property
    def name(self) -> str:
        """The name by which the database remembers how far this file was taken."""
        return self.path.name

    def append(self, line: bytes) -> None:
        """Add a line, which ends with a newline. Raises OSError; what was written of it then is taken back."""
        written = os.write(self._descriptor, line)
        if written != len(line):
            os.ftruncate(self._descriptor, self.size)
            raise OSError("the disk is full")
        self.size += written

    def flush(self) -> None:
        """Make what is in the file survive a power cut. Raises OSError."""
        if self._flushed < (size := self.size):
            os.fdatasync(self._descriptor)
            self._flushed = size

    def lines(self, position: int) -> tuple[list[bytes], int]:
        """Whole lines from a position on, up to a limit, and the position behind them."""
        data = os.pread(self._descriptor, READ_BYTES, position)
        end = data.rfind(b"\n") + 1
        return data[:end].splitlines(), position + end

    def close(self) -> None:
        """Let go of the file; it stays."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """The database has all of it."""
        self.path.unlink(missing_ok=True)
        self.close()

    def set_aside(self) -> None:
        """Keep a file that cannot be read to its end, for whoever looks into it."""
        self.path.rename(self.path.with_suffix(".damaged"))
        self.close()


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
