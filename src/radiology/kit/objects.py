"""Bytes on a local disk: written once, at a key that is never used again, and durable before anybody is told so.

A key is `YYYY/MM/DD/HH/<uuid7>-<size>.dcm`. The hour folders let recovery look at what is recent; the size in the name
tells a whole object from one that a power cut left short. While it is written an object is called `<uuid7>.part`.
"""

import ctypes
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from radiology.errors import NotFound, Unavailable
from radiology.kit.ids import uuid7

SYNC_FILE_RANGE_WRITE = 2
PART = ".part"
WHOLE = ".dcm"
WRITE_BEHIND_BYTES = 128 * 1024
MOST_FRAGMENTS = 1_024  # IOV_MAX of Linux.
FREE_SPACE_ASKED_EVERY_SECONDS = 1.0


class LocalObjects:
    """A folder of objects. Safe to use from many threads and processes at once."""

    def __init__(self, root: Path, *, reserve_bytes: int = 0) -> None:
        """`reserve_bytes` is the free space below which nothing new is begun."""
        self.root = root
        self.reserve_bytes = reserve_bytes
        self._hour = 0
        self._folder = ""
        self._free = (0.0, 0)
        root.mkdir(parents=True, exist_ok=True)

    def create(self, *, write_behind: bool = True) -> "ObjectWriter":
        """Begin a new object. Raises Unavailable where the disk is full or cannot be written.

        `write_behind` lets the disk begin while more comes in, so that one who waits for `commit` waits less; where
        several are committed side by side it only costs.
        """
        if self.free_bytes() < self.reserve_bytes:
            raise Unavailable("The disk is full to its reserve. Free some space and send again.")
        hour = int(time.time()) // 3600
        try:
            if hour != self._hour:
                self._folder = self._make_folder(hour)
                self._hour = hour
            name = f"{self._folder}/{uuid7().hex}"
            path = f"{self.root}/{name}{PART}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
            return ObjectWriter(self, name, descriptor, write_behind=write_behind)
        except OSError as error:
            raise self._unavailable(error) from error

    def open(self, key: str) -> int:
        """A file descriptor open for reading; the caller closes it. Raises NotFound."""
        try:
            return os.open(self.path(key), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise NotFound("The stored object is not there.") from error

    def read(self, key: str, offset: int = 0, length: int = -1) -> bytes:
        """`length` bytes from `offset`, or all that follow. Raises NotFound."""
        descriptor = self.open(key)
        try:
            if length < 0:
                length = os.fstat(descriptor).st_size - offset
            return os.pread(descriptor, length, offset)
        finally:
            os.close(descriptor)

    def read_from_memory(self, key: str, offset: int, length: int) -> bytearray | None:
        """`length` bytes from `offset` where the page cache has them; None where the disk would be waited for.

        For an event loop: what takes longer than the change to another thread is not done on it. Raises NotFound.
        """
        descriptor = self.open(key)
        data = bytearray(length)
        try:
            return data if os.preadv(descriptor, [data], offset, os.RWF_NOWAIT) == length else None
        except OSError:  # Not there, or a file system that cannot tell.
            return None
        finally:
            os.close(descriptor)

    def delete(self, key: str) -> None:
        """Remove an object; that it is gone already is no error."""
        self.path(key).unlink(missing_ok=True)

    def path(self, key: str) -> Path:
        """Where the object lies."""
        return self.root / key

    def size_of(self, key: str) -> int:
        """The size in bytes that a whole object of this key has."""
        return int(key.rsplit("-", 1)[1].removesuffix(WHOLE))

    def keys(self, *, since: datetime | None = None) -> Iterator[str]:
        """Keys of whole objects in order of their hour, from the hour of `since` on."""
        first = f"{since.astimezone(UTC):%Y/%m/%d/%H}" if since else ""
        for folder in self._hours():
            if folder >= first:
                yield from self._whole_objects(folder)

    def discard_parts(self, *, older_than_seconds: float) -> int:
        """Remove what was begun and never finished, such as by a crash. Returns how many there were."""
        limit = time.time() - older_than_seconds
        removed = 0
        for folder in self._hours():
            for part in (self.root / folder).glob(f"*{PART}"):
                if part.stat().st_mtime < limit:
                    part.unlink(missing_ok=True)
                    removed += 1
        return removed

    def free_bytes(self) -> int:
        """Free space in bytes for an ordinary user, asked of the system at most once a second."""
        asked_at, free = self._free
        if time.monotonic() - asked_at > FREE_SPACE_ASKED_EVERY_SECONDS:
            free = shutil.disk_usage(self.root).free
            self._free = (time.monotonic(), free)
        return free

    def forget_free_bytes(self) -> None:
        """Ask the system again at the next object, as after a write that failed."""
        self._free = (0.0, 0)

    def _hours(self) -> list[str]:
        return sorted(str(path.relative_to(self.root)) for path in self.root.glob("*/*/*/*") if path.is_dir())

    def _whole_objects(self, folder: str) -> Iterator[str]:
        for entry in sorted(os.listdir(self.root / folder)):
            key = f"{folder}/{entry}"
            if entry.endswith(WHOLE) and self.path(key).stat().st_size == self.size_of(key):
                yield key

    def _make_folder(self, hour: int) -> str:
        folder = f"{datetime.fromtimestamp(hour * 3600, UTC):%Y/%m/%d/%H}"
        path = self.root / folder
        path.mkdir(parents=True, exist_ok=True)
        for made in (path, *path.parents):
            _fsync_folder(made)
            if made == self.root:
                break
        return folder

    def _unavailable(self, error: OSError) -> Unavailable:
        self.forget_free_bytes()
        return Unavailable(f"The object store cannot be written: {error.strerror}. Send again when that is mended.")


class ObjectWriter:
    """One object while it is written. `commit` makes it durable; leaving the block without it discards it."""

    def __init__(self, objects: LocalObjects, name: str, descriptor: int, *, write_behind: bool = True) -> None:
        self.size_bytes = 0
        self.key: str | None = None
        self._on_its_way = 0
        self._write_behind_bytes = WRITE_BEHIND_BYTES if write_behind else sys.maxsize
        self._objects = objects
        self._name = name
        self._descriptor = descriptor

    def write(self, fragment: bytes | bytearray | memoryview) -> None:
        """Append. Raises Unavailable where the disk is full."""
        try:
            written = os.write(self._descriptor, fragment)
            while written < len(fragment):
                written += os.write(self._descriptor, memoryview(fragment)[written:])
        except OSError as error:
            raise self._objects._unavailable(error) from error  # pyright: ignore[reportPrivateUsage]
        self.size_bytes += written
        if self.size_bytes - self._on_its_way >= self._write_behind_bytes:
            self.write_behind()

    def write_all(self, fragments: list[memoryview]) -> None:
        """Append several fragments in one call of the system. Raises Unavailable where the disk is full."""
        size = sum(map(len, fragments))
        try:
            written = os.writev(self._descriptor, fragments) if len(fragments) <= MOST_FRAGMENTS else 0
        except OSError as error:
            raise self._objects._unavailable(error) from error  # pyright: ignore[reportPrivateUsage]
        self.size_bytes += written
        if written < size:
            self.write(b"".join(fragments)[written:])
        if self.size_bytes - self._on_its_way >= self._write_behind_bytes:
            self.write_behind()

    def write_behind(self) -> None:
        """Let the disk begin with what was written: by the time of `commit` most of it is there already."""
        if self.size_bytes > self._on_its_way:
            _begin_writing(self._descriptor, self._on_its_way, self.size_bytes - self._on_its_way)
            self._on_its_way = self.size_bytes

    def overwrite(self, offset: int, data: bytes) -> None:
        """Replace bytes that were written before; the size stays."""
        os.pwrite(self._descriptor, data, offset)

    def read(self, offset: int, length: int) -> bytes:
        """Read back what was written."""
        return os.pread(self._descriptor, length, offset)

    @property
    def path(self) -> Path:
        """Where it lies until `commit`, for another process that writes it."""
        return self._objects.root / f"{self._name}{PART}"

    def take_note(self) -> str:
        """Look how much another process has written. Returns the key that `commit` will give."""
        self.size_bytes = os.fstat(self._descriptor).st_size
        return self._key()

    def commit(self) -> str:
        """Give the object its key and wait until name and bytes would survive a power cut. Returns the key.

        The name is changed before the fsync, so that one journal commit covers both.
        """
        key = self._key()
        try:
            os.rename(f"{self._objects.root}/{self._name}{PART}", f"{self._objects.root}/{key}")
            self.key = key
            os.fsync(self._descriptor)
        except OSError as error:
            self.discard()
            raise self._objects._unavailable(error) from error  # pyright: ignore[reportPrivateUsage]
        self._close()
        return key

    def discard(self) -> None:
        """Leave nothing behind. May be called twice, and after a failed commit."""
        if self._descriptor >= 0:
            self._close()
            name = self.key or f"{self._name}{PART}"
            (self._objects.root / name).unlink(missing_ok=True)
            self.key = None

    def _key(self) -> str:
        return f"{self._name}-{self.size_bytes}{WHOLE}"

    def _close(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


def _write_behind() -> Callable[[int, int, int], None]:
    """sync_file_range(2) of Linux, which starts writing without waiting for it; nothing where there is none."""
    try:
        call = ctypes.CDLL(None).sync_file_range
    except (AttributeError, OSError):
        return lambda _descriptor, _offset, _length: None
    call.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return lambda descriptor, offset, length: call(descriptor, offset, length, SYNC_FILE_RANGE_WRITE)


_begin_writing = _write_behind()


def _fsync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
