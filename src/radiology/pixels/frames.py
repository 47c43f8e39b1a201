"""One stored frame in another transfer syntax. For a process with limits: the bytes are not to be trusted."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from radiology.pixels import lossless
from radiology.pixels.decode import Array, Layout, decode
from radiology.pixels.header import layout_of
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES

Part = tuple[int, int] | bytes
"""A place in the file (offset and length in bytes), or bytes."""


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame as it lies in a file, and the attributes of its object as DICOM JSON."""

    path: str
    parts: Sequence[Part]
    transfer_syntax_uid: str
    attributes: bytes


def transcoded(stored: StoredFrame, transfer_syntax_uid: str) -> bytes:
    """The frame uncompressed (Explicit VR Little Endian), or as a codestream of lossless compression.

    Every value stays what it is. Luminance and chrominance that were compressed with loss become RGB, as decoders of
    JPEG give them. Raises NotSupported, Unprocessable.
    """
    layout = layout_of(orjson.loads(stored.attributes))
    to_native = transfer_syntax_uid == EXPLICIT_VR_LITTLE_ENDIAN
    if not to_native:
        lossless.check(layout, transfer_syntax_uid)
    lossy = TRANSFER_SYNTAXES[stored.transfer_syntax_uid].lossy
    frame = decode(_read(stored), layout, stored.transfer_syntax_uid, as_rgb=lossy)
    if to_native:
        return _native(frame.pixels, layout)
    return lossless.encode(samples(frame.pixels, layout), layout, transfer_syntax_uid)


def _read(stored: StoredFrame) -> bytes:
    descriptor = os.open(stored.path, os.O_RDONLY)
    try:
        return b"".join(
            part if isinstance(part, bytes) else os.pread(descriptor, part[1], part[0]) for part in stored.parts
        )
    finally:
        os.close(descriptor)


def _native(pixels: Array, layout: Layout) -> bytes:
    if layout.bits_allocated == 1:
        return np.packbits(pixels, axis=None, bitorder="little").tobytes()
    return samples(pixels, layout).tobytes()


def samples(pixels: Array, layout: Layout) -> Array:
    """Samples of as many bits as the object says, whatever the decoder gave: the value is the same."""
    if layout.is_float:
        return pixels
    return pixels.astype(f"<{'i' if layout.is_signed else 'u'}{layout.bits_allocated // 8}", copy=False)
