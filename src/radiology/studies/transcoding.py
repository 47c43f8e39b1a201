"""Decompress the pixel data of a stored object, or compress it: for a process with limits, bytes are not to be trusted.

Values of pixels stay what they were, bit by bit, where the stored form had no loss. Frames are decoded one after the
other, so memory grows with the frame and not with the object.
"""

import os
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO, Final

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from radiology.errors import NotFound, NotSupported, RadiologyError, Unprocessable
from radiology.pixels.decode import Array, Layout, decode, without_unused_bits
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from radiology.studies import compression
from radiology.studies.compression import describe, encoded, layout_of
from radiology.studies.elements import Elements
from radiology.studies.frame_bytes import bits_of, frames_of_fragments

PROCESSING_FAILURE = 0x0110
RLE_LOSSLESS = "1.2.840.10008.1.2.5"
UNCOMPRESSED: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
LOSSLESS: Final = (
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    RLE_LOSSLESS,
)
"""JPEG-LS, JPEG 2000, HTJ2K, RLE: what we compress with."""
LONGEST_VALUE_BYTES = 0xFFFFFFFE
#: Lossy Image Compression Method (0028,2114) of what a lossy transfer syntax holds (PS3.3 C.7.6.1.1.5.1).
METHODS: Final = {
    "1.2.840.10008.1.2.4.50": "ISO_10918_1",
    "1.2.840.10008.1.2.4.51": "ISO_10918_1",
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
    "1.2.840.10008.1.2.4.91": "ISO_15444_1",
    "1.2.840.10008.1.2.4.93": "ISO_15444_2",
    "1.2.840.10008.1.2.4.203": "ISO_15444_15",
}
_HEAD_BYTES = 12  # Of pixel data: tag, VR, two reserved bytes, length (PS3.5 7.1.2); without VR tag and length.
_IMPLICIT_HEAD_BYTES = 8


def sendable_syntaxes(stored: str) -> tuple[str, ...]:
    """The transfer syntaxes an object stored in this one may be sent in, the best first.

    As stored; else uncompressed, which loses nothing that the stored object still has; else compressed without loss,
    for requesters that take nothing else. What has lost something already is not compressed again. Encapsulated video
    and what we do not know goes as stored only.
    """
    syntax = TRANSFER_SYNTAXES.get(stored)
    if syntax is None or syntax.video:
        return (stored,)
    codable = not (syntax.lossy or syntax.big_endian or syntax.deflated)
    others = UNCOMPRESSED + (LOSSLESS if codable else ())
    return (stored, *(uid for uid in others if uid != stored))


@dataclass(frozen=True, slots=True)
class Source:
    """A stored object with pixel data, and the places of its parts in bytes from the start of the file.

    `pixel_data_length` is None where the pixel data is encapsulated.
    """

    path: str
    transfer_syntax_uid: str
    data_set_offset: int
    pixel_data_offset: int
    pixel_data_length: int | None
    size_bytes: int


def transcode(source: Source, target_path: str, transfer_syntax_uid: str) -> None:
    """Write the data set, in an uncompressed little endian syntax or in one of lossless compression, into a file.

    The file is there already: where nobody waits for it any more it is gone, and is not made again.
    Raises NotSupported for what no decoder here knows, Unprocessable for what does not decode.
    """
    try:
        _transcode(source, target_path, transfer_syntax_uid)
    except (Unprocessable, NotFound) as error:
        sentence = f"{error.sentence} The receiver must take it as stored."
        raise Unprocessable(sentence, dimse_status=PROCESSING_FAILURE) from error
    except RadiologyError:
        raise
    except Exception as error:  # Decoders raise whatever they like at bytes that make no sense to them.
        name = TRANSFER_SYNTAXES[source.transfer_syntax_uid].name
        raise Unprocessable(
            f"The pixel data ({name}) does not decode; the receiver must take it as stored.",
            dimse_status=PROCESSING_FAILURE,
        ) from error


def _transcode(source: Source, target_path: str, transfer_syntax_uid: str) -> None:
    implicit = TRANSFER_SYNTAXES[source.transfer_syntax_uid].implicit_vr
    with open(source.path, "rb") as file, open(target_path, "r+b") as target, warnings.catch_warnings():
        # What is odd about a value was remarked when it was stored; here it is passed on.
        warnings.simplefilter("ignore")
        header_end = source.pixel_data_offset - (_IMPLICIT_HEAD_BYTES if implicit else _HEAD_BYTES)
        header = _elements(file, source.data_set_offset, header_end, implicit=implicit)
        end, stored_bytes = _end_of_pixel_data(file, source)
        to_compressed = TRANSFER_SYNTAXES[transfer_syntax_uid].encapsulated
        # What had no loss keeps its values, also those of luminance and chrominance.
        as_rgb = not to_compressed and TRANSFER_SYNTAXES[source.transfer_syntax_uid].lossy
        # Overlays may lie in bits beside the values (PS3.5 8.1.1): where those are stored, they are passed on.
        keeps_bits = source.pixel_data_length is not None or source.transfer_syntax_uid == RLE_LOSSLESS
        frames = _frames(file, source, header, as_rgb=as_rgb, keeps_bits=keeps_bits)
        if to_compressed:
            compression.write(target, header, frames, transfer_syntax_uid)
        else:
            _write(target, header, frames, source, stored_bytes, transfer_syntax_uid)
        if end < source.size_bytes:
            behind = _elements(file, end, source.size_bytes, implicit=implicit)
            target.write(encoded(behind, transfer_syntax_uid))


def _elements(file: BinaryIO, start: int, end: int, *, implicit: bool) -> Dataset:
    file.seek(start)
    return read_dataset(BytesIO(file.read(end - start)), is_implicit_VR=implicit, is_little_endian=True)


def _end_of_pixel_data(file: BinaryIO, source: Source) -> tuple[int, int]:
    """Where the elements behind the pixel data begin, and how many bytes it has."""
    if source.pixel_data_length is not None:
        return source.pixel_data_offset + source.pixel_data_length, source.pixel_data_length

    def read_at(offset: int, length: int) -> bytes:
        file.seek(offset)
        return file.read(length)

    elements = Elements(read_at, source.size_bytes, source.transfer_syntax_uid)
    end, compressed_bytes = source.pixel_data_offset, 0
    try:
        for fragment in elements.fragments(source.pixel_data_offset):
            end = fragment.start + fragment.length
            compressed_bytes += fragment.length
    except NotFound as error:
        raise Unprocessable("The pixel data has too many fragments.", dimse_status=PROCESSING_FAILURE) from error
    return end + 8, compressed_bytes


def _frames(
    file: BinaryIO, source: Source, header: Dataset, *, as_rgb: bool, keeps_bits: bool
) -> Iterator[tuple[Array, dict[str, Any]]]:
    """Each frame decoded, and what it is now."""
    layout = layout_of(header)
    for data in stored_frames(file, source, layout, int(header.get("NumberOfFrames") or 1)):
        frame = decode(data, layout, source.transfer_syntax_uid, as_rgb=as_rgb)
        yield (
            frame.pixels if keeps_bits else without_unused_bits(frame, layout),
            {
                "photometric_interpretation": frame.photometric_interpretation,
                "samples_per_pixel": layout.samples_per_pixel,
                "planar_configuration": 0,
            },
        )


def stored_frames(file: BinaryIO, source: Source, layout: Layout, count: int) -> Iterator[bytes]:
    """The bytes of each frame. Raises NotFound, ValueError where frames cannot be told apart or end early."""

    def read_at(offset: int, length: int) -> bytes:
        return os.pread(file.fileno(), length, offset)

    if source.pixel_data_length is not None:
        for number in range(count):
            first, rest = divmod(number * layout.frame_bits, 8)
            data = read_at(source.pixel_data_offset + first, (rest + layout.frame_bits + 7) // 8)
            yield bits_of(data, rest, layout.frame_bits)
        return
    elements = Elements(read_at, source.size_bytes, source.transfer_syntax_uid)
    table, *fragments = elements.fragments(source.pixel_data_offset)
    words = table.length // 4
    offsets = list(struct.unpack(f"<{words}L", read_at(table.start, words * 4)))
    for group in frames_of_fragments(fragments, offsets, count):
        yield b"".join(read_at(one.start, one.length) for one in group)


def _write(
    target: BinaryIO,
    header: Dataset,
    frames: Iterator[tuple[Any, dict[str, Any]]],
    source: Source,
    stored_bytes: int,
    transfer_syntax_uid: str,
) -> None:
    """Header and pixel data. The first frame shows what the decoder made of the image."""
    first, properties = next(frames)
    length = first.nbytes * int(header.get("NumberOfFrames") or 1)
    if length > LONGEST_VALUE_BYTES:
        raise NotSupported("The pixel data is longer than 4 GiB when it is decompressed.")
    describe(header, properties, first.itemsize * 8)
    _say_what_was_lost(header, source.transfer_syntax_uid, length / max(stored_bytes, 1))
    target.write(encoded(header, transfer_syntax_uid))
    target.write(_pixel_data_head(first.itemsize, length + length % 2, transfer_syntax_uid))
    written = target.write(first.tobytes())
    for frame, _ in frames:
        written += target.write(frame.tobytes())
    if written != length:
        raise ValueError("there are fewer frames than the header says")
    target.write(b"\0" * (length % 2))


def _say_what_was_lost(header: Dataset, stored: str, ratio: float) -> None:
    """(0028,2110) stays 01 with its ratio and method; what a lossy object does not say of them is said now.

    JPEG 2000 may be lossless under its general syntax too: there the object is believed when it says 00.
    """
    said_lossless = header.get("LossyImageCompression") == "00" and stored not in _ALWAYS_LOSSY
    if said_lossless or not TRANSFER_SYNTAXES[stored].lossy:
        return
    header.LossyImageCompression = "01"
    if not header.get("LossyImageCompressionRatio"):
        header.LossyImageCompressionRatio = f"{ratio:.2f}"
    if not header.get("LossyImageCompressionMethod") and stored in METHODS:
        header.LossyImageCompressionMethod = METHODS[stored]


_ALWAYS_LOSSY = frozenset(("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"))


def _pixel_data_head(bytes_per_sample: int, length: int, transfer_syntax_uid: str) -> bytes:
    tag, size = b"\xe0\x7f\x10\x00", length.to_bytes(4, "little")
    if transfer_syntax_uid == IMPLICIT_VR_LITTLE_ENDIAN:
        return tag + size
    return tag + (b"OB" if bytes_per_sample == 1 else b"OW") + b"\0\0" + size
