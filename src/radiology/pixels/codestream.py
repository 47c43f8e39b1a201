"""What a compressed frame says of itself, read from its first bytes without decoding it (ISO/IEC 10918, 14495, 15444).

Decoders ask for as much memory as the codestream tells them to, so it is compared with Rows and Columns before.
"""

import struct
from dataclasses import dataclass

_SOI, _SOS, _JFIF, _ADOBE = 0xD8, 0xDA, 0xE0, 0xEE
#: Start of frame: all but DHT (C4), JPG (C8) and DAC (CC); F7 is that of JPEG-LS.
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} | {0xF7})
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_SIZ = b"\xff\x4f\xff\x51"
_JP2 = b"\x00\x00\x00\x0cjP  "
_RGB_IDENTIFIERS = (b"RGB", b"rgb")


@dataclass(frozen=True, slots=True)
class Codestream:
    """The size of the image in pixels, its components, the bits of one sample, and whether they have a sign.

    `process` is how it was compressed, as the second byte of a JPEG stream's start of frame says (0 for JPEG 2000);
    `is_ybr` is whether a JPEG stream holds luminance and chrominance; None where it leaves that to DICOM.
    """

    rows: int
    columns: int
    components: int
    precision: int
    process: int = 0
    is_signed: bool = False
    is_ybr: bool | None = None


def read_codestream(data: bytes) -> Codestream | None:
    """The head of a JPEG, JPEG-LS, JPEG 2000 or HTJ2K codestream; None where it is none or is cut off."""
    try:
        if data[:2] == b"\xff\xd8":
            return _jpeg(data)
        start = data.find(_SIZ, 0, 4096) if data.startswith(_JP2) else 0
        return _jpeg_2000(data, start) if data[start : start + 4] == _SIZ else None
    except (struct.error, IndexError):
        return None


def _jpeg(data: bytes) -> Codestream | None:
    at, is_ybr = 2, None
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        if data[at] != 0xFF or marker == _SOS:
            return None
        if marker in _ALONE:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _START_OF_FRAME:
            precision, rows, columns, components = struct.unpack_from(">BHHB", data, at + 4)
            if bytes(data[at + 10 + 3 * n] for n in range(components)) in _RGB_IDENTIFIERS:
                is_ybr = False
            return Codestream(rows, columns, components, precision, marker, is_ybr=is_ybr)
        if marker == _ADOBE and length >= 14 and data[at + 4 : at + 9] == b"Adobe":
            is_ybr = data[at + 15] != 0
        elif marker == _JFIF and is_ybr is None and data[at + 4 : at + 8] == b"JFIF":
            is_ybr = True
        at += 2 + length


def _jpeg_2000(data: bytes, start: int) -> Codestream:
    """The SIZ segment (ISO/IEC 15444-1 A.5.1)."""
    right, bottom, left, top = struct.unpack_from(">4L", data, start + 8)
    components, depth = struct.unpack_from(">HB", data, start + 40)
    return Codestream(bottom - top, right - left, components, (depth & 0x7F) + 1, is_signed=depth > 0x7F)
