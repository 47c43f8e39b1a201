"""Compress a stored object without loss, and give back what it was, byte for byte. For a process with limits.

All that is not pixel data stays as its bytes are; an implicit header becomes explicit, as compression wants it (PS3.5
A.4). What is given back has to have the digest that was stored: that proves every pixel, and all the rest.
"""

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from radiology.errors import NotSupported, RadiologyError, Unprocessable
from radiology.pixels import lossless
from radiology.pixels.decode import Array, Layout, decode
from radiology.pixels.frames import samples
from radiology.standards.dicom.part10 import encode_file_meta
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from radiology.studies.compression import PIXEL_DATA_HEAD, encoded, layout_of, write_fragments
from radiology.studies.elements import Elements
from radiology.studies.transcoding import Source

CHUNK_BYTES = 1024 * 1024
_PIXEL_DATA: Final = b"\xe0\x7f\x10\x00"
_GROUP_LENGTH = (0x7FE0, 0x0000)
_END_BYTES = 8  # Of the sequence delimitation item behind the fragments (PS3.5 A.4).


@dataclass(frozen=True, slots=True)
class Compressed:
    """Places in the new file, and what the head of the pixel data was: tag, VR and length (PS3.5 7.1)."""

    original_pixel_data_head: bytes
    data_set_offset: int
    pixel_data_offset: int


@dataclass(frozen=True, slots=True)
class Proof:
    """SHA-256 of the data set that is given back, and of the data set in the new file."""

    original_sha256: bytes
    object_sha256: bytes


def compress(
    source: Source, sop_class_uid: str, sop_instance_uid: str, target_path: str, transfer_syntax_uid: str
) -> Compressed:
    """Write the PS3.10 file of a native object, compressed, into a file that is there already.

    Raises NotSupported for an image that is not held as it is, Unprocessable for one that makes no sense.
    """
    try:
        with open(source.path, "rb") as file, open(target_path, "r+b") as target, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _compress(source, file, target, sop_class_uid, sop_instance_uid, transfer_syntax_uid)
    except RadiologyError:
        raise
    except Exception as error:  # Encoders raise whatever they like.
        raise Unprocessable(f"The object cannot be compressed: {error}.") from error


def _compress(
    source: Source,
    file: BinaryIO,
    target: BinaryIO,
    sop_class_uid: str,
    sop_instance_uid: str,
    transfer_syntax_uid: str,
) -> Compressed:
    implicit = TRANSFER_SYNTAXES[source.transfer_syntax_uid].implicit_vr
    head_bytes = 8 if implicit else 12
    header = _read(file, source.data_set_offset, source.pixel_data_offset - head_bytes)
    head = file.read(head_bytes)
    elements = _elements(header, implicit=implicit)
    layout, count = _checked(elements, head, source)
    meta = encode_file_meta(sop_class_uid, sop_instance_uid, transfer_syntax_uid, "")
    target.write(meta + (encoded(elements, EXPLICIT_VR_LITTLE_ENDIAN) if implicit else header) + PIXEL_DATA_HEAD)
    pixel_data_offset = target.tell()
    write_fragments(target, _frames(file, source, layout, count), layout, transfer_syntax_uid, count)
    behind = _read(file, source.pixel_data_offset + (source.pixel_data_length or 0), source.size_bytes)
    target.write(encoded(_elements(behind, implicit=True), EXPLICIT_VR_LITTLE_ENDIAN) if implicit else behind)
    return Compressed(head, len(meta), pixel_data_offset)


def _checked(elements: Dataset, head: bytes, source: Source) -> tuple[Layout, int]:
    """How the image lies, and how many frames it has. Raises NotSupported."""
    layout, count = layout_of(elements), int(elements.get("NumberOfFrames") or 1)
    lossless.check(layout, lossless.HTJ2K_LOSSLESS)
    layout.check()
    length = source.pixel_data_length or 0
    if not head.startswith(_PIXEL_DATA) or _GROUP_LENGTH in elements:
        raise NotSupported("The pixel data is not the kind that is compressed.")
    if layout.samples_per_pixel > 1 and layout.planar_configuration:
        raise NotSupported("The colours lie in planes, which compression does not keep.")
    if count < 1 or not 0 <= length - layout.frame_bytes * count <= 1:
        raise NotSupported("The pixel data is not as long as its attributes say.")
    return layout, count


def _frames(file: BinaryIO, source: Source, layout: Layout, count: int) -> Iterator[Array]:
    shape = (layout.rows, layout.columns, layout.samples_per_pixel)[: 3 if layout.samples_per_pixel > 1 else 2]
    file.seek(source.pixel_data_offset)
    dtype = np.dtype(f"<{'i' if layout.is_signed else 'u'}{layout.bits_allocated // 8}")
    for _ in range(count):
        frame = np.frombuffer(file.read(layout.frame_bytes), dtype).reshape(shape)
        if lossless.has_unused_bits(frame, layout):
            raise NotSupported("Something lies in bits beside the values.")
        yield frame


def prove(source: Source, head: bytes, original_transfer_syntax_uid: str) -> Proof:
    """What the new file gives back. Raises Unprocessable."""
    try:
        with open(source.path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            original = hashlib.sha256()
            for chunk in _rebuilt(source, file, head, original_transfer_syntax_uid):
                original.update(chunk)
            file.seek(source.data_set_offset)
            return Proof(original.digest(), hashlib.file_digest(file, "sha256").digest())
    except RadiologyError:
        raise
    except Exception as error:
        raise Unprocessable(f"The compressed object does not give back what it was: {error}.") from error


def rebuild(source: Source, target_path: str, head: bytes, original_transfer_syntax_uid: str) -> None:
    """Write the data set that was stored into a file that is there already. Raises Unprocessable."""
    try:
        with open(source.path, "rb") as file, open(target_path, "r+b") as target, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target.writelines(_rebuilt(source, file, head, original_transfer_syntax_uid))
    except RadiologyError:
        raise
    except Exception as error:
        raise Unprocessable(f"The stored object is damaged: {error}. Restore it from a copy.") from error


def _rebuilt(source: Source, file: BinaryIO, head: bytes, original: str) -> Iterator[bytes]:
    """The data set in its original transfer syntax, frame by frame."""
    implicit = TRANSFER_SYNTAXES[original].implicit_vr
    header = _read(file, source.data_set_offset, source.pixel_data_offset - len(PIXEL_DATA_HEAD))
    elements = _elements(header, implicit=False)
    yield (encoded(elements, original) if implicit else header) + head
    layout, left = layout_of(elements), int.from_bytes(head[-4:], "little")
    end = source.pixel_data_offset

    def read_at(offset: int, length: int) -> bytes:
        return _read(file, offset, offset + length)

    for place, fragment in enumerate(
        Elements(read_at, source.size_bytes, source.transfer_syntax_uid).fragments(source.pixel_data_offset)
    ):
        end = fragment.start + fragment.length
        if place:
            frame = decode(read_at(fragment.start, fragment.length), layout, source.transfer_syntax_uid, as_rgb=False)
            data = samples(frame.pixels, layout).tobytes()
            left -= len(data)
            yield data
    if not 0 <= left <= 1:
        raise ValueError("it has another number of frames than it had")
    yield bytes(left)
    behind = _read(file, end + _END_BYTES, source.size_bytes)
    yield encoded(_elements(behind, implicit=False), original) if implicit else behind


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)


def _elements(data: bytes, *, implicit: bool) -> Dataset:
    return read_dataset(BytesIO(data), is_implicit_VR=implicit, is_little_endian=True)
