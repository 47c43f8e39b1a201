"""Colour images as eight bits of red, green and blue (PS3.3 C.7.6.3.1.2 and C.7.9)."""

import numpy as np

from radiology.errors import NotSupported, Unprocessable
from radiology.pixels.decode import Array, Frame, Layout, without_unused_bits
from radiology.pixels.grey import table_of
from radiology.pixels.header import Header, numbers

PALETTE = "PALETTE COLOR"
_TABLES = (("00281101", "00281201", "00281221"), ("00281102", "00281202", "00281222"),
           ("00281103", "00281203", "00281223"))  # fmt: skip
#: No table has more entries (PS3.3 C.7.6.3.1.5).
_MOST_ENTRIES = 65536


def is_colour(frame: Frame) -> bool:
    """Whether a frame is shown in colour."""
    return frame.pixels.ndim == 3 or frame.photometric_interpretation == PALETTE


def in_colour(frame: Frame, layout: Layout, header: Header) -> Array:
    """A frame as rows, columns, and red, green and blue. Raises NotSupported for colours that are none of these."""
    if frame.photometric_interpretation == PALETTE:
        return _of_palette(without_unused_bits(frame, layout), layout, header)
    if frame.photometric_interpretation != "RGB":
        raise NotSupported(f"Images in {frame.photometric_interpretation} are not shown. Download the object.")
    values = without_unused_bits(frame, layout)
    if values.dtype == np.uint8 and frame.bits_stored == 8:
        return np.ascontiguousarray(values)
    return _in_eight_bits(values.astype(np.float64), frame.bits_stored)


def _of_palette(stored: Array, layout: Layout, header: Header) -> Array:
    tables: list[Array] = []
    first = 0
    for descriptor, data, segmented in _TABLES:
        described = [int(value) for value in numbers(header.attributes, descriptor)]
        if segmented in header.attributes and len(described) == 3:
            bits = described[2]
            words = header.words(header.attributes, segmented)
            entries = _unpacked(words.view(np.uint8) if bits == 8 and words.max(initial=0) > 0xFF else words)
            first = described[1] - (0x10000 if layout.is_signed and described[1] > 0x7FFF else 0)
        else:
            table = table_of(header, header.attributes, descriptor, data, is_signed=layout.is_signed)
            if table is None:
                raise Unprocessable("The palette of this image is missing or not whole.")
            first, entries, bits = table.first, table.entries, table.bits
        tables.append(_in_eight_bits(entries.astype(np.float64), _bits_used(entries, bits)))
    if not all(len(table) for table in tables):
        raise Unprocessable("The palette of this image is empty.")
    index = stored.astype(np.int64) - first
    return np.stack([table[np.clip(index, 0, len(table) - 1)] for table in tables], axis=-1)


def _bits_used(entries: Array, bits: int) -> int:
    """Some write entries of eight bits and say 16; nothing brighter than 255 shows it."""
    return 8 if bits == 16 and entries.max(initial=0) <= 0xFF else bits


def _unpacked(words: Array) -> Array:
    """A segmented table as a plain one (PS3.3 C.7.9.2): discrete, linear and indirect segments."""
    entries: list[int] = []
    starts: list[int] = []
    at, ends, data = 0, list[tuple[int, int]](), words.tolist()
    stop = len(data)
    while True:
        if at >= stop or len(entries) > _MOST_ENTRIES:
            if not ends:
                return np.array(entries[:_MOST_ENTRIES], np.uint16)
            at, stop = ends.pop()
            continue
        kind, length, body = data[at], data[at + 1] if at + 1 < len(data) else 0, at + 2
        if not ends:
            starts.append(at)
        if kind == 0:
            entries += data[body : body + length]
            at = body + length
        elif kind == 1 and entries and body < len(data):
            entries += np.rint(np.linspace(entries[-1], data[body], length + 1)[1:]).astype(int).tolist()
            at = body + 1
        elif kind == 2 and not ends and body + 1 < len(data):
            # So many segments again, from an offset in words.
            ends.append((body + 2, stop))
            at = data[body] | data[body + 1] << 16
            following = [start for start in starts if start >= at][length : length + 1]
            stop = following[0] if following else body - 2
        else:
            raise Unprocessable("The segmented palette of this image is damaged.")


def _in_eight_bits(values: Array, bits: int) -> Array:
    return np.clip(np.rint(values * (255.0 / ((1 << bits) - 1))), 0, 255).astype(np.uint8)
