"""A stored object in another transfer syntax, for C-STORE and DICOMweb alike: as chunks, or in a file without a name.

Pixel data is coded anew by a process with limits; what needs no decoder is written anew where it is asked for.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from radiology.errors import NotAcceptable, NotSupported, Unavailable, Unprocessable
from radiology.kit import cpu
from radiology.kit.objects import LocalObjects
from radiology.standards.dicom.part10 import encode_file_meta
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from radiology.studies.explicit_vr import little_endian
from radiology.studies.queries.retrieve import StoredInstance
from radiology.studies.recompression import rebuild
from radiology.studies.served import as_served
from radiology.studies.transcoding import Source, transcode

CHUNK_BYTES = 256 * 1024

Coding = Callable[[], None]


def needs_codec(instance: StoredInstance, transfer_syntax_uid: str) -> bool:
    """Whether pixel data has to be coded anew, and not only the data set around it."""
    if transfer_syntax_uid == instance.transfer_syntax_uid:
        return False
    either = (TRANSFER_SYNTAXES[instance.transfer_syntax_uid], TRANSFER_SYNTAXES[transfer_syntax_uid])
    return instance.pixel_data_offset is not None and any(syntax.encapsulated for syntax in either)


def without_codec(objects: LocalObjects, instance: StoredInstance, transfer_syntax_uid: str) -> Iterator[bytes]:
    """The data set in chunks, where `needs_codec` says no. Blocks: for a thread.

    What has no pixel data to be encapsulated is the same in all encapsulated syntaxes (PS3.5 A.4).
    """
    native = not TRANSFER_SYNTAXES[transfer_syntax_uid].encapsulated
    with as_served(objects, instance) as served:
        yield from little_endian(objects, served, transfer_syntax_uid if native else EXPLICIT_VR_LITTLE_ENDIAN)


def as_stored(objects: LocalObjects, instance: StoredInstance) -> Iterator[bytes]:
    """The file of an instance in the transfer syntax that it is stored in, in chunks. Blocks: for a thread."""
    with as_served(objects, instance) as served, objects.path(served.object_key).open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def converted(objects: LocalObjects, instance: StoredInstance, transfer_syntax_uid: str) -> BinaryIO:
    """The data set with its pixel data coded anew, in a file that the caller closes. Blocks: for a thread.

    Raises NotSupported, Unprocessable, Unavailable.
    """
    with _nameless(objects) as (file, name), as_served(objects, instance) as served:
        cpu.processes.run(_coding(objects, served, name, transfer_syntax_uid))
    return file


async def converted_chunks(
    objects: LocalObjects, instance: StoredInstance, transfer_syntax_uid: str
) -> AsyncIterator[bytes]:
    """The same as a PS3.10 file in chunks, without holding up the event loop. Who goes away gives the place up.

    Raises NotAcceptable, Unavailable.
    """
    try:
        with _nameless(objects) as (file, name), ExitStack() as stack:
            served = await asyncio.to_thread(stack.enter_context, as_served(objects, instance))
            await cpu.processes.call(_coding(objects, served, name, transfer_syntax_uid))
    except (NotSupported, Unprocessable) as error:
        raise NotAcceptable(error.sentence) from error
    with closing(file):
        yield encode_file_meta(instance.sop_class_uid, instance.sop_instance_uid, transfer_syntax_uid, "")
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk


@dataclass(frozen=True, slots=True)
class Received:
    """A PS3.10 file: its first bytes, and then a file that the caller closes. `size_bytes` is that of both."""

    head: bytes
    file: BinaryIO
    size_bytes: int

    def chunks(self, most_bytes: int) -> Iterator[bytes]:
        """Its bytes, from the beginning, in chunks of at most so many. Blocks: for a thread."""
        if self.head:
            yield self.head
        for at in range(0, self.size_bytes - len(self.head), most_bytes):
            yield os.pread(self.file.fileno(), most_bytes, at)


def received(objects: LocalObjects, instance: StoredInstance) -> Received:
    """An object as it was received, also where it was compressed at rest since; its header as it was put right.

    Blocks: for a thread. Raises NotFound, Unavailable where the stored object is damaged, Unprocessable.
    """
    syntax = instance.original_transfer_syntax_uid
    if syntax is not None:
        file = converted(objects, instance, syntax)
        head = encode_file_meta(instance.sop_class_uid, instance.sop_instance_uid, syntax, "")
        return Received(head, file, len(head) + os.fstat(file.fileno()).st_size)
    with as_served(objects, instance) as served:
        file = os.fdopen(objects.open(served.object_key), "rb")
        if os.fstat(file.fileno()).st_size != served.size_bytes:
            file.close()
            raise Unavailable("The stored object is shorter than it was. Look at the disk, and restore the object.")
        return Received(b"", file, served.size_bytes)


def source_of(objects: LocalObjects, instance: StoredInstance) -> Source:
    """What a process with limits has to know of a stored object. Raises NotSupported where it has no pixel data."""
    if instance.pixel_data_offset is None:
        raise NotSupported("The object has no pixel data.")
    return Source(
        str(objects.path(instance.object_key)),
        instance.transfer_syntax_uid,
        instance.data_set_offset,
        instance.pixel_data_offset,
        instance.pixel_data_length,
        instance.size_bytes,
    )


def _coding(objects: LocalObjects, instance: StoredInstance, name: str, transfer_syntax_uid: str) -> Coding:
    """What writes the data set into the file of this name: what was compressed at rest becomes what it was."""
    source, head = source_of(objects, instance), instance.original_pixel_data_head
    if head is not None and transfer_syntax_uid == instance.original_transfer_syntax_uid:
        return partial(rebuild, source, name, head, transfer_syntax_uid)
    return partial(transcode, source, name, transfer_syntax_uid)


@contextmanager
def _nameless(objects: LocalObjects) -> Generator[tuple[BinaryIO, str]]:
    """A file to be written by its name, which it loses when the block ends; closed where the block fails.

    What a crash leaves of it is removed like all that was begun and never finished.
    """
    with objects.create(write_behind=False) as writer:
        name = str(writer.path)
        file = open(name, "rb")  # noqa: SIM115 - it is given to the caller.
        try:
            yield file, name
        except BaseException:
            file.close()
            raise
