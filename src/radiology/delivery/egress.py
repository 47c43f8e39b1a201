"""The data set that goes out for a stored object, in the transfer syntax that the receiver accepted (PS3.5 annex A).

As stored it goes from its own file. Else it is written anew: lossless stays lossless, and what was compressed with loss
is decompressed and goes on saying so. Video is never converted. What is small is held in memory, the rest in a file.
"""

import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager

from radiology.dicom_network.connection import FileSlice
from radiology.errors import Unavailable
from radiology.kit.objects import LocalObjects
from radiology.studies.archive import Archive
from radiology.studies.converting import converted, needs_codec, without_codec
from radiology.studies.queries.retrieve import StoredInstance
from radiology.studies.served import as_served

HELD_IN_MEMORY_BYTES = 16 * 1024 * 1024


@contextmanager
def outgoing(archive: Archive, instance: StoredInstance, transfer_syntax_uid: str) -> Generator[bytes | FileSlice]:
    """The data set of an instance, without Part 10 header, in a syntax that `transcoding.sendable_syntaxes` gives.

    Raises NotFound, NotSupported, Unprocessable or Unavailable where the stored object is damaged, OSError.
    """
    objects = archive.app.objects
    if transfer_syntax_uid == instance.transfer_syntax_uid:
        with as_served(objects, instance) as served:
            yield from _slice(objects, served)
    elif needs_codec(instance, transfer_syntax_uid):
        with closing(converted(objects, instance, transfer_syntax_uid)) as file:
            yield FileSlice(file.fileno(), 0, os.fstat(file.fileno()).st_size)
    else:
        yield from _held(without_codec(objects, instance, transfer_syntax_uid), objects)


def _slice(objects: LocalObjects, instance: StoredInstance) -> Generator[FileSlice]:
    """The data set as a part of its file."""
    descriptor = objects.open(instance.object_key)
    try:
        if os.fstat(descriptor).st_size != instance.size_bytes:
            raise Unavailable("The stored object is shorter than it was. Look at the disk, and restore the object.")
        yield FileSlice(descriptor, instance.data_set_offset, instance.size_bytes - instance.data_set_offset)
    finally:
        os.close(descriptor)


def _held(chunks: Iterator[bytes], objects: LocalObjects) -> Generator[bytes | FileSlice]:
    """The chunks as one: joined, or in a file without a name when they are many."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size > HELD_IN_MEMORY_BYTES:
            break
    else:
        yield b"".join(held)
        return
    with tempfile.TemporaryFile(dir=objects.root) as file:
        file.writelines(held)
        held.clear()
        file.writelines(chunks)
        file.flush()
        yield FileSlice(file.fileno(), 0, file.tell())
