"""Make the de-identified file of one object: for a process with limits, bytes are not to be trusted.

Pixels that may stay are copied as they are stored, without being decoded. Those that are masked are decoded frame by
frame and written without loss: uncompressed where they were, JPEG-LS where they were compressed.
"""

import errno
import hashlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO, Final

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from radiology.deidentification import codestreams, masking
from radiology.deidentification.engine import Changes, deidentify
from radiology.deidentification.pixel_policy import Mask, Withheld, decide
from radiology.deidentification.rules import Rules
from radiology.errors import NotSupported, RadiologyError, Unavailable, Unprocessable
from radiology.pixels import lossless
from radiology.pixels.decode import Array, decode, without_unused_bits
from radiology.standards.dicom.part10 import encode_file_meta
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from radiology.studies.compression import PIXEL_DATA_HEAD, describe, encoded, layout_of, write_fragments
from radiology.studies.elements import UNDEFINED, Elements
from radiology.studies.transcoding import Source, stored_frames

JPEG_LS_LOSSLESS: Final = "1.2.840.10008.1.2.4.80"
_CHUNK_BYTES: Final = 1024 * 1024
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_SHORT_HEAD, _LONG_HEAD = 8, 12


@dataclass(frozen=True, slots=True)
class Original:
    """A little endian PS3.10 file and the places of its parts, in bytes from its start. None: no pixel data."""

    path: str
    transfer_syntax_uid: str
    data_set_offset: int
    pixel_data_offset: int | None
    pixel_data_length: int | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Copied:
    """What was written: its SHA-256, what it is called now, and what was replaced, for who may know it."""

    sha256: str
    size_bytes: int
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    masked: bool
    changes: Changes


def copy(original: Original, target_path: str, rules: Rules) -> Copied | Withheld:
    """Write the de-identified file over an empty one that is there already.

    Raises NotSupported for what no decoder here knows, Unprocessable for what does not parse or decode, Unavailable
    where there is no room for the result.
    """
    try:
        return _copy(original, target_path, rules)
    except RadiologyError:
        raise
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise Unavailable(f"The de-identified file cannot be written: {error.strerror}.") from error
        raise Unprocessable(f"The object cannot be read: {error.strerror}.") from error
    except Exception as error:  # Readers and decoders raise whatever they like at bytes that make no sense to them.
        raise Unprocessable(
            f"The object cannot be read well enough to de-identify it: {type(error).__name__}."
        ) from error


def _copy(original: Original, target_path: str, rules: Rules) -> Copied | Withheld:
    with open(original.path, "rb") as file, open(target_path, "r+b") as target, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = _header(file, original)
        if not header.get("SOPClassUID") or not header.get("SOPInstanceUID"):
            raise Unprocessable("The object has no SOP class or no SOP Instance UID.")
        decision = decide(header, rules, has_pixels=original.pixel_data_offset is not None)
        if isinstance(decision, Withheld):
            return decision
        changes = deidentify(header, rules)
        if decision is None:
            _write_as_stored(file, target, original, header)
        else:
            header.BurnedInAnnotation = "NO"
            _write_masked(file, target, original, header, decision)
        target.truncate()
        return Copied(
            _digest(target), target.tell(), str(header.get("StudyInstanceUID") or ""),
            str(header.get("SeriesInstanceUID") or ""), str(header.SOPInstanceUID), decision is not None, changes,
        )  # fmt: skip


def _header(file: BinaryIO, original: Original) -> Dataset:
    """All elements before the pixel data; what stands behind it (padding, signatures) is not passed on."""
    implicit = TRANSFER_SYNTAXES[original.transfer_syntax_uid].implicit_vr
    end = original.size_bytes
    if original.pixel_data_offset is not None:
        end = original.pixel_data_offset - (_SHORT_HEAD if implicit else _LONG_HEAD)
    file.seek(original.data_set_offset)
    return read_dataset(BytesIO(file.read(end - original.data_set_offset)), implicit, is_little_endian=True)


def _start(target: BinaryIO, header: Dataset, transfer_syntax_uid: str) -> None:
    target.write(encode_file_meta(str(header.SOPClassUID), str(header.SOPInstanceUID), transfer_syntax_uid, ""))
    target.write(encoded(header, transfer_syntax_uid))


def _digest(target: BinaryIO) -> str:
    target.seek(0)
    digest = hashlib.sha256()
    while chunk := target.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


# --- Pixels that stay -------------------------------------------------------------------------------------------------


def _write_as_stored(file: BinaryIO, target: BinaryIO, original: Original, header: Dataset) -> None:
    native = not TRANSFER_SYNTAXES[original.transfer_syntax_uid].encapsulated
    _start(target, header, EXPLICIT_VR_LITTLE_ENDIAN if native else original.transfer_syntax_uid)
    if original.pixel_data_offset is None:
        return
    if original.pixel_data_length is None:
        _write_fragments(file, target, original)
        return
    if original.pixel_data_offset + original.pixel_data_length > original.size_bytes:
        raise Unprocessable("The file ends inside its pixel data.")
    file.seek(original.pixel_data_offset - _LONG_HEAD)
    head = file.read(_LONG_HEAD)
    if TRANSFER_SYNTAXES[original.transfer_syntax_uid].implicit_vr:
        vr = {0x08: b"OF", 0x09: b"OD"}.get(head[6], b"OW")
        head = head[4:8] + vr + b"\0\0" + head[8:12]
    padding = original.pixel_data_length % 2
    target.write(head[:8] + (original.pixel_data_length + padding).to_bytes(4, "little"))
    _pour(file, target, original.pixel_data_length)
    target.write(b"\0" * padding)


def _write_fragments(file: BinaryIO, target: BinaryIO, original: Original) -> None:
    """Each fragment as long as it was, so that offset tables still hold; comments in codestreams are blanked."""
    target.write(PIXEL_DATA_HEAD)
    elements = Elements(lambda at, length: os.pread(file.fileno(), length, at), original.size_bytes,
                        original.transfer_syntax_uid)  # fmt: skip
    for fragment in elements.fragments(original.pixel_data_offset or 0):
        if fragment.length == UNDEFINED or fragment.start + fragment.length > original.size_bytes:
            raise Unprocessable("The file ends inside its pixel data.")
        target.write(b"\xfe\xff\x00\xe0" + fragment.length.to_bytes(4, "little"))
        file.seek(fragment.start)
        head = file.read(min(fragment.length, codestreams.HEAD_BYTES))
        target.write(codestreams.without_comments(head))
        _pour(file, target, fragment.length - len(head))
    target.write(b"\xfe\xff\xdd\xe0\0\0\0\0")


def _pour(file: BinaryIO, target: BinaryIO, length: int) -> None:
    while length > 0:
        chunk = file.read(min(length, _CHUNK_BYTES))
        if not chunk:
            raise Unprocessable("The file ends inside its pixel data.")
        target.write(chunk)
        length -= len(chunk)


# --- Pixels that are masked -------------------------------------------------------------------------------------------


def _write_masked(file: BinaryIO, target: BinaryIO, original: Original, header: Dataset, mask: Mask) -> None:
    syntax = TRANSFER_SYNTAXES[original.transfer_syntax_uid]
    frames = _masked(file, original, header, mask)
    first, photometric = next(frames)
    samples = 1 if first.ndim == 2 else first.shape[2]
    properties = {"photometric_interpretation": photometric, "samples_per_pixel": samples, "planar_configuration": 0}
    count = int(header.get("NumberOfFrames") or 1)
    describe(header, properties, first.itemsize * 8)
    if syntax.lossy:
        header.LossyImageCompression = header.get("LossyImageCompression") or "01"
    pixels = _arrays(first, frames)
    if syntax.encapsulated and _is_compressible(header):
        _start(target, header, JPEG_LS_LOSSLESS)
        target.write(PIXEL_DATA_HEAD)
        write_fragments(target, pixels, layout_of(header), JPEG_LS_LOSSLESS, count)
    else:
        _start(target, header, EXPLICIT_VR_LITTLE_ENDIAN)
        _write_native(target, pixels, first.nbytes * count, first.itemsize)


def _masked(file: BinaryIO, original: Original, header: Dataset, mask: Mask) -> Iterator[tuple[Array, str]]:
    """Each frame with its mask, and what its numbers mean. Raises NotSupported for single bits, video and floats."""
    layout = layout_of(header)
    if original.pixel_data_offset is None or layout.bits_allocated not in (8, 16, 32):
        raise NotSupported("Pixels of this kind are not masked here.")
    as_rgb = TRANSFER_SYNTAXES[original.transfer_syntax_uid].lossy
    source = Source(original.path, original.transfer_syntax_uid, original.data_set_offset, original.pixel_data_offset,
                    original.pixel_data_length, original.size_bytes)  # fmt: skip
    for data in stored_frames(file, source, layout, int(header.get("NumberOfFrames") or 1)):
        frame = decode(data, layout, original.transfer_syntax_uid, as_rgb=as_rgb)
        pixels = without_unused_bits(frame, layout) if mask.clear_unused_bits else frame.pixels
        yield (
            masking.painted(pixels, mask, frame.photometric_interpretation, layout.bits_stored),
            (frame.photometric_interpretation),
        )


def _arrays(first: Array, others: Iterator[tuple[Array, Any]]) -> Iterator[Array]:
    yield first
    for pixels, _ in others:
        yield pixels


def _is_compressible(header: Dataset) -> bool:
    try:
        lossless.check(layout_of(header), JPEG_LS_LOSSLESS)
    except NotSupported:
        return False
    return True


def _write_native(target: BinaryIO, pixels: Iterator[Array], length: int, bytes_per_sample: int) -> None:
    vr = b"OB" if bytes_per_sample == 1 else b"OW"
    target.write(b"\xe0\x7f\x10\x00" + vr + b"\0\0" + (length + length % 2).to_bytes(4, "little"))
    written = 0
    for frame in pixels:
        written += target.write(frame.tobytes())
    if written != length:
        raise Unprocessable("There are fewer frames than the object says.")
    target.write(b"\0" * (length % 2))
