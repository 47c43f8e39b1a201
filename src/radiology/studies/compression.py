"""Write a data set with its pixel data compressed without loss, one fragment for each frame (PS3.5 A.4)."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import numpy as np
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from radiology.errors import NotSupported
from radiology.pixels import lossless
from radiology.pixels.decode import Array, Layout
from radiology.standards.dicom.uids import IMPLICIT_VR_LITTLE_ENDIAN

PIXEL_DATA_HEAD: Final = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff"
_ITEM: Final = b"\xfe\xff\x00\xe0"
_END: Final = b"\xfe\xff\xdd\xe0\0\0\0\0"
_LARGEST_OFFSET = 0xFFFFFFFF
_EXTENDED_OFFSETS = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "EncapsulatedPixelDataValueTotalLength")


def write(
    target: BinaryIO, header: Dataset, frames: Iterator[tuple[Any, dict[str, Any]]], transfer_syntax_uid: str
) -> None:
    """Header and pixel data. Raises NotSupported for images that these syntaxes do not hold as they are."""
    layout = layout_of(header)
    lossless.check(layout, transfer_syntax_uid)
    first, properties = next(frames)
    describe(header, properties, first.itemsize * 8)
    target.write(encoded(header, transfer_syntax_uid) + PIXEL_DATA_HEAD)

    def pixels() -> Iterator[Array]:
        yield first
        for frame, _ in frames:
            yield frame

    write_fragments(target, pixels(), layout_of(header), transfer_syntax_uid, int(header.get("NumberOfFrames") or 1))


def write_fragments(
    target: BinaryIO, frames: Iterator[Array], layout: Layout, transfer_syntax_uid: str, count: int
) -> None:
    """A Basic Offset Table, so that one frame is found without looking at all others, and a fragment for each frame.

    Raises ValueError where there are not as many frames as were told.
    """
    target.write(_ITEM + (4 * count).to_bytes(4, "little"))
    table, offsets = target.tell(), list[int]()
    target.write(bytes(4 * count))
    first = target.tell()
    for frame in frames:
        offsets.append(target.tell() - first)
        fragment = lossless.encode(frame, layout, transfer_syntax_uid)
        fragment += b"\0" * (len(fragment) % 2)
        target.write(_ITEM + len(fragment).to_bytes(4, "little") + fragment)
    if len(offsets) != count:
        raise ValueError("there are fewer frames than the header says")
    if offsets[-1] > _LARGEST_OFFSET:
        raise NotSupported("The pixel data is longer than 4 GiB even when it is compressed; take it as it is stored.")
    target.write(_END)
    end = target.tell()
    target.seek(table)
    target.write(np.array(offsets, "<u4").tobytes())
    target.seek(end)


def layout_of(header: Dataset) -> Layout:
    """How the samples of an image lie (PS3.3 C.7.6.3)."""
    bits = header.get("BitsAllocated") or 0
    stored = header.get("BitsStored") or bits
    return Layout(
        rows=header.get("Rows") or 0,
        columns=header.get("Columns") or 0,
        samples_per_pixel=header.get("SamplesPerPixel") or 1,
        photometric_interpretation=header.get("PhotometricInterpretation") or "MONOCHROME2",
        bits_allocated=bits,
        bits_stored=stored,
        high_bit=header.get("HighBit", stored - 1),
        is_signed=header.get("PixelRepresentation") == 1,
        planar_configuration=header.get("PlanarConfiguration") or 0,
    )


def describe(header: Dataset, properties: dict[str, Any], bits_allocated: int) -> None:
    """Say of the image what the decoder made of it."""
    header.PhotometricInterpretation = str(properties["photometric_interpretation"])
    header.BitsAllocated = bits_allocated
    if properties["samples_per_pixel"] > 1:
        header.PlanarConfiguration = properties["planar_configuration"]
    for keyword in _EXTENDED_OFFSETS:
        if keyword in header:
            delattr(header, keyword)


def encoded(elements: Dataset, transfer_syntax_uid: str) -> bytes:
    """Elements in the encoding of a little endian transfer syntax."""
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = transfer_syntax_uid == IMPLICIT_VR_LITTLE_ENDIAN
    buffer.is_little_endian = True
    with disable_value_validation():
        write_dataset(buffer, elements)
    return buffer.getvalue()
