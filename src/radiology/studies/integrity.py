"""Whether a stored object is, byte for byte, what was stored. Blocks: for a thread."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from radiology.kit.log import get_logger
from radiology.kit.objects import LocalObjects
from radiology.standards.dicom.part10 import FileMetaError, read_file_meta

CHUNK_BYTES: Final = 1024 * 1024
_HEAD_BYTES: Final = 64 * 1024

log = get_logger()


class Problem(StrEnum):
    """What is wrong with an object."""

    MISSING = "missing"
    TRUNCATED = "truncated"
    ALTERED = "altered"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """What an object was when it was stored: its size, where its data set begins, and the SHA-256 of that.

    data_set_offset: None where only the object itself says it. transfer_syntax_uid: as the file meta information names
    it; empty where that is not looked at.
    """

    object_key: str
    size_bytes: int
    data_set_offset: int | None
    sha256: bytes
    transfer_syntax_uid: str = ""


def problem_of(
    objects: LocalObjects, stored: StoredBytes, *, on_bytes: Callable[[int], None] = lambda _: None
) -> Problem | None:
    """What is wrong, None where all of it is as it was. `on_bytes` is told of what was read, and may wait.

    Preamble and Implementation Version Name are not covered: no digest of them was taken.
    """
    try:
        descriptor = os.open(objects.path(stored.object_key), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Problem.MISSING
    except OSError as error:
        return _unreadable(stored, error)
    try:
        if os.fstat(descriptor).st_size != stored.size_bytes:
            return Problem.TRUNCATED
        # What lies in memory would say nothing of the disk, and should not drive out what readers use.
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        found = _compared(descriptor, stored, on_bytes)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        return found
    except OSError as error:
        return _unreadable(stored, error)
    finally:
        os.close(descriptor)


def _compared(descriptor: int, stored: StoredBytes, on_bytes: Callable[[int], None]) -> Problem | None:
    offset = stored.data_set_offset
    if stored.transfer_syntax_uid or offset is None:
        try:
            meta = read_file_meta(os.pread(descriptor, _HEAD_BYTES, 0))
        except FileMetaError:
            return Problem.ALTERED
        offset = meta.data_set_offset if offset is None else offset
        if offset != meta.data_set_offset or stored.transfer_syntax_uid not in {"", meta.transfer_syntax_uid}:
            return Problem.ALTERED
    digest = hashlib.sha256()
    while chunk := os.pread(descriptor, CHUNK_BYTES, offset):
        digest.update(chunk)
        offset += len(chunk)
        on_bytes(len(chunk))
    return None if digest.digest() == stored.sha256 else Problem.ALTERED


def _unreadable(stored: StoredBytes, error: OSError) -> Problem:
    log.error("object.unreadable", object_id=stored.object_key, exc_info=error)
    return Problem.UNREADABLE
