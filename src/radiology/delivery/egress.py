"""The data set that goes out for a stored object, in the transfer syntax that the receiver accepted (PS3.5 annex A).

As stored it goes from its own file. Else it is written anew: lossless stays lossless, and what was compressed with loss
is decompressed and goes on saying so. Video is never converted. What is small is held in memory, the rest in a file.
"""

import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from typing import BinaryIO

from radiology.delivery.transcoding import Source, transcode
from radiology.dicom_network.connection import FileSlice
from radiology.errors import NotSupported, Unavailable
from radiology.kit import cpu
from radiology.kit.objects import LocalObjects
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from radiology.studies.archive import Archive
from radiology.studies.explicit_vr import little_endian
from radiology.studies.queries.retrieve import StoredInstance

HELD_IN_MEMORY_BYTES = 16 * 1024 * 1024


@contextmanager
def outgoing(archive: Archive, instance: StoredInstance, transfer_syntax_uid: str) -> Generator[bytes | FileSlice]:
    """The data set of an instance, without Part 10 header, in a syntax that `contexts.sendable_syntaxes` gives.

    Raises NotFound, NotSupported, Unprocessable or Unavailable where the stored object is damaged, OSError.
    """
    objects = archive.app.objects
    if transfer_syntax_uid == instance.transfer_syntax_uid:
        descriptor = objects.open(instance.object_key)
        try:
            if os.fstat(descriptor).st_size != instance.size_bytes:
                raise Unavailable("The stored object is shorter than it was. Look at the disk, and restore the object.")
            yield FileSlice(descriptor, instance.data_set_offset, instance.size_bytes - instance.data_set_offset)
        finally:
            os.close(descriptor)
    elif _needs_codec(instance, transfer_syntax_uid):
        with _transcoded(objects, instance, transfer_syntax_uid) as file:
            yield FileSlice(file.fileno(), 0, os.fstat(file.fileno()).st_size)
    else:
        # What has no pixel data to be encapsulated is the same in all encapsulated syntaxes (PS3.5 A.4).
        native = not TRANSFER_SYNTAXES[transfer_syntax_uid].encapsulated
        yield from _held(
            little_endian(objects, instance, transfer_syntax_uid if native else EXPLICIT_VR_LITTLE_ENDIAN), objects
        )


def _needs_codec(instance: StoredInstance, transfer_syntax_uid: str) -> bool:
    either = (TRANSFER_SYNTAXES[instance.transfer_syntax_uid], TRANSFER_SYNTAXES[transfer_syntax_uid])
    return instance.pixel_data_offset is not None and any(syntax.encapsulated for syntax in either)


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


@contextmanager
def _transcoded(objects: LocalObjects, instance: StoredInstance, transfer_syntax_uid: str) -> Generator[BinaryIO]:
    """The data set with its pixel data coded anew, in a file that has lost its name. A process with limits does it."""
    if instance.pixel_data_offset is None:
        raise NotSupported("The object has no pixel data.")
    source = Source(
        str(objects.path(instance.object_key)),
        instance.transfer_syntax_uid,
        instance.data_set_offset,
        instance.pixel_data_offset,
        instance.pixel_data_length,
        instance.size_bytes,
    )
    descriptor, name = tempfile.mkstemp(prefix="egress-", dir=objects.root)
    with closing(os.fdopen(descriptor, "rb")) as file:
        try:
            cpu.processes.run(transcode, source, name, transfer_syntax_uid)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)
        yield file
