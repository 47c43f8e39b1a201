"""Write the header of an object anew: in its own transfer syntax to change it, or in that which every reader takes.

An uncompressed object is given as Explicit VR Little Endian (PS3.5 10.1).

Pixel data is passed through piece by piece, so memory does not grow with the object.
"""

import os
import warnings
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from tempfile import TemporaryFile
from typing import BinaryIO

import numpy as np
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from radiology.errors import NotFound, Unavailable
from radiology.kit.objects import LocalObjects
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES, TransferSyntax
from radiology.studies.elements import Elements
from radiology.studies.queries.retrieve import StoredInstance

CHUNK_BYTES = 1024 * 1024
_EXPLICIT = TRANSFER_SYNTAXES[EXPLICIT_VR_LITTLE_ENDIAN]
_SWAPPED_WIDTH = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}


def can_become_explicit(transfer_syntax_uid: str) -> bool:
    """Whether an object of this syntax is uncompressed, so that it can be given as Explicit VR Little Endian."""
    syntax = TRANSFER_SYNTAXES.get(transfer_syntax_uid)
    return syntax is not None and not syntax.encapsulated


def little_endian(objects: LocalObjects, instance: StoredInstance, transfer_syntax_uid: str) -> Iterator[bytes]:
    """The data set of an uncompressed object in Explicit or Implicit VR Little Endian, in chunks.

    Raises Unavailable where the stored object is damaged.
    """
    syntax, target = TRANSFER_SYNTAXES[instance.transfer_syntax_uid], TRANSFER_SYNTAXES[transfer_syntax_uid]
    with objects.path(instance.object_key).open("rb") as file:
        if not syntax.deflated:
            yield from _written_anew(file, instance, syntax, target)
        elif target.implicit_vr:
            yield from _inflated_and_implicit(file, instance, target)
        else:
            # What is deflated is Explicit VR Little Endian already (PS3.5 A.5).
            yield from _inflated(file, instance.data_set_offset)


def header(
    objects: LocalObjects, instance: StoredInstance, transfer_syntax_uid: str, *, strip: Callable[[Dataset], None]
) -> bytes:
    """The elements before the pixel data in a little endian syntax, after `strip` has taken out what is not wanted.

    Raises Unavailable where the stored object is damaged.
    """
    syntax, target = TRANSFER_SYNTAXES[instance.transfer_syntax_uid], TRANSFER_SYNTAXES[transfer_syntax_uid]
    with objects.path(instance.object_key).open("rb") as file:
        if not syntax.deflated:
            end = _before_pixels(instance, syntax)
            return _elements(file, instance.data_set_offset, end, syntax, target, strip)
        with _inflated_file(file, instance) as (whole, explicit):
            syntax = TRANSFER_SYNTAXES[EXPLICIT_VR_LITTLE_ENDIAN]
            return _elements(whole, 0, _before_pixels(explicit, syntax), syntax, target, strip)


def edited(objects: LocalObjects, instance: StoredInstance, edit: Callable[[Dataset], None]) -> Iterator[bytes]:
    """The data set in its own syntax with its header edited: first all that precedes the pixel data, then the rest.

    A deflated data set is inflated for it and deflated again. Raises Unavailable where the stored object is damaged.
    """
    syntax = TRANSFER_SYNTAXES.get(instance.transfer_syntax_uid, _EXPLICIT)
    with objects.path(instance.object_key).open("rb") as file:
        if not syntax.deflated:
            yield from _edited(file, instance, syntax, edit)
            return
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        with _inflated_file(file, instance) as (whole, explicit):
            for chunk in _edited(whole, explicit, _EXPLICIT, edit):
                yield deflate.compress(chunk)
        yield deflate.flush()


def bytes_before_value(instance: StoredInstance) -> int:
    """How long tag, VR and length of its pixel data are."""
    return _head_bytes(TRANSFER_SYNTAXES.get(instance.transfer_syntax_uid, _EXPLICIT))


def _edited(
    file: BinaryIO, instance: StoredInstance, syntax: TransferSyntax, edit: Callable[[Dataset], None]
) -> Iterator[bytes]:
    end = _before_pixels(instance, syntax)
    yield _elements(file, instance.data_set_offset, end, syntax, syntax, edit)
    file.seek(end)
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _inflated_and_implicit(file: BinaryIO, instance: StoredInstance, target: TransferSyntax) -> Iterator[bytes]:
    with _inflated_file(file, instance) as (whole, explicit):
        yield from _written_anew(whole, explicit, TRANSFER_SYNTAXES[EXPLICIT_VR_LITTLE_ENDIAN], target)


@contextmanager
def _inflated_file(file: BinaryIO, instance: StoredInstance) -> Generator[tuple[BinaryIO, StoredInstance]]:
    """The data set of a deflated object in a file of its own, and where its pixel data lies there."""
    with TemporaryFile() as whole:
        whole.writelines(_inflated(file, instance.data_set_offset))
        size = whole.tell()
        whole.flush()
        explicit = replace(instance, data_set_offset=0, size_bytes=size, pixel_data_offset=None, pixel_data_length=None)
        elements = Elements(lambda offset, length: os.pread(whole.fileno(), length, offset), size,
                            EXPLICIT_VR_LITTLE_ENDIAN)  # fmt: skip
        with suppress(NotFound):
            pixels = elements.find("7FE00010", 0)
            explicit = replace(explicit, pixel_data_offset=pixels.start, pixel_data_length=pixels.length)
        yield whole, explicit


def inflated(objects: LocalObjects, instance: StoredInstance) -> Iterator[bytes]:
    """The data set of a deflated object, in chunks."""
    with objects.path(instance.object_key).open("rb") as file:
        yield from _inflated(file, instance.data_set_offset)


def _inflated(file: BinaryIO, offset: int) -> Iterator[bytes]:
    file.seek(offset)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    while chunk := inflate.unconsumed_tail or file.read(CHUNK_BYTES):
        try:
            if data := inflate.decompress(chunk, CHUNK_BYTES):
                yield data
        except zlib.error as error:
            raise Unavailable("The stored data set is damaged and cannot be inflated.") from error
        if inflate.eof:
            return
    yield inflate.flush()


def _written_anew(
    file: BinaryIO, instance: StoredInstance, syntax: TransferSyntax, target: TransferSyntax
) -> Iterator[bytes]:
    head_bytes = _head_bytes(syntax)
    end = _before_pixels(instance, syntax)
    yield _elements(file, instance.data_set_offset, end, syntax, target)
    if instance.pixel_data_offset is None or instance.pixel_data_length is None:
        return
    file.seek(end)
    group, element, vr = _pixel_data_head(file.read(head_bytes), syntax)
    length = instance.pixel_data_length
    padding = length % 2
    yield (
        group
        + element
        + (b"" if target.implicit_vr else vr.encode() + b"\0\0")
        + (length + padding).to_bytes(4, "little")
    )
    yield from _values(file, length, _SWAPPED_WIDTH.get(vr, 1) if syntax.big_endian else 1)
    yield b"\0" * padding
    if instance.pixel_data_offset + length < instance.size_bytes:
        yield _elements(file, instance.pixel_data_offset + length, instance.size_bytes, syntax, target)


def _head_bytes(syntax: TransferSyntax) -> int:
    """How long tag, VR and length of pixel data are."""
    return 8 if syntax.implicit_vr else 12


def _before_pixels(instance: StoredInstance, syntax: TransferSyntax) -> int:
    """Where the pixel data begins with its tag; the end where there is none."""
    offset = instance.pixel_data_offset
    return instance.size_bytes if offset is None else offset - _head_bytes(syntax)


def _pixel_data_head(head: bytes, syntax: TransferSyntax) -> tuple[bytes, bytes, str]:
    group, element = head[:2], head[2:4]
    if syntax.big_endian:
        group, element = group[::-1], element[::-1]
    # In implicit VR pixel data is OW (PS3.5 A.1), the float forms OF and OD.
    implied = {0x08: "OF", 0x09: "OD"}.get(element[0], "OW")
    return group, element, implied if syntax.implicit_vr else head[4:6].decode("latin-1")


def _values(file: BinaryIO, length: int, width: int) -> Iterator[bytes]:
    left = length
    while left > 0 and (data := file.read(min(left, CHUNK_BYTES))):
        left -= len(data)
        yield swapped(data, width)


def swapped(data: bytes, width: int) -> bytes:
    """Values of `width` bytes with their byte order turned round; an odd rest stays as it is."""
    if width == 1:
        return data
    whole = len(data) - len(data) % width
    return np.frombuffer(data[:whole], f"u{width}").byteswap().tobytes() + data[whole:]


def _elements(
    file: BinaryIO,
    start: int,
    end: int,
    syntax: TransferSyntax,
    target: TransferSyntax,
    edit: Callable[[Dataset], None] = lambda _: None,
) -> bytes:
    """Elements between two places of the file, written in the target's encoding after they were edited."""
    file.seek(start)
    with warnings.catch_warnings():
        # What is odd about a value was remarked when it was stored; here it is passed on.
        warnings.simplefilter("ignore")
        elements = read_dataset(
            BytesIO(file.read(end - start)), syntax.implicit_vr, not syntax.big_endian, bytelength=end - start
        )
        edit(elements)
        if syntax.big_endian and not target.big_endian:
            _swap_words(elements)
        buffer = DicomBytesIO()
        buffer.is_implicit_VR, buffer.is_little_endian = target.implicit_vr, not target.big_endian
        with disable_value_validation():
            write_dataset(buffer, elements)
        return buffer.getvalue()


def _swap_words(elements: Dataset) -> None:
    for element in elements:
        if element.VR == "SQ":
            for item in element.value:
                _swap_words(item)
        elif element.VR in _SWAPPED_WIDTH and isinstance(element.value, bytes):
            element.value = swapped(element.value, _SWAPPED_WIDTH[element.VR])
