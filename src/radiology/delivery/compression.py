"""Write a data set with its pixel data compressed without loss, one fragment for each frame (PS3.5 A.4)."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import UID

from radiology.errors import NotSupported
from radiology.standards.dicom.uids import IMPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES

_BITS_ALLOCATED: Final = (8, 16)
_PIXEL_DATA: Final = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff"
_ITEM: Final = b"\xfe\xff\x00\xe0"
_END: Final = b"\xfe\xff\xdd\xe0\0\0\0\0"
_EMPTY_OFFSET_TABLE: Final = _ITEM + b"\0\0\0\0"
_EXTENDED_OFFSETS = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "EncapsulatedPixelDataValueTotalLength")


def write(
    target: BinaryIO, header: Dataset, frames: Iterator[tuple[Any, dict[str, Any]]], transfer_syntax_uid: str
) -> None:
    """Header and pixel data. Raises NotSupported for images that these syntaxes do not hold as they are."""
    if header.get("BitsAllocated") not in _BITS_ALLOCATED or header.get("PhotometricInterpretation") == "YBR_FULL_422":
        name = TRANSFER_SYNTAXES[transfer_syntax_uid].name
        raise NotSupported(f"An image of this kind is not compressed as {name}; the receiver must take it as stored.")
    encoder = get_encoder(UID(transfer_syntax_uid))
    for number, (frame, properties) in enumerate(frames):
        if number == 0:
            describe(header, properties, frame.itemsize * 8)
            target.write(encoded(header, transfer_syntax_uid) + _PIXEL_DATA + _EMPTY_OFFSET_TABLE)
        fragment = encoder.encode(frame, **_options(header))
        fragment += b"\0" * (len(fragment) % 2)
        target.write(_ITEM + len(fragment).to_bytes(4, "little") + fragment)
    target.write(_END)


def _options(header: Dataset) -> dict[str, Any]:
    return {
        "rows": header.Rows,
        "columns": header.Columns,
        "number_of_frames": 1,
        "samples_per_pixel": header.get("SamplesPerPixel", 1),
        "photometric_interpretation": header.PhotometricInterpretation,
        "bits_allocated": header.BitsAllocated,
        "bits_stored": header.get("BitsStored", header.BitsAllocated),
        "pixel_representation": header.get("PixelRepresentation", 0),
        "planar_configuration": 0,
    }


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
