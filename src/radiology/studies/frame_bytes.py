"""Which bytes of pixel data are a frame (PS3.5 8.1.1 and A.4)."""

from collections.abc import Sequence

import numpy as np

from radiology.errors import NotFound
from radiology.studies.elements import UNDEFINED, Element


def bits_of(data: bytes, first: int, bits: int) -> bytes:
    """A frame of single bits that does not begin or end at a byte (PS3.5 8.1.1), moved so that it begins at one."""
    if first == 0 and bits % 8 == 0:
        return data
    unpacked = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[first : first + bits]
    return np.packbits(unpacked, bitorder="little").tobytes()


def frames_of_fragments(fragments: Sequence[Element], offsets: Sequence[int], count: int) -> list[list[Element]]:
    """The fragments of each frame (PS3.5 A.4): one each, or as the offset table says. Raises NotFound."""
    if count == 1:
        return [list(fragments)]
    if len(fragments) == count:
        return [[fragment] for fragment in fragments]
    if len(offsets) != count or not fragments:
        raise NotFound("The offset table is missing, so that frames cannot be told apart.")
    if offsets != sorted(offsets):
        raise NotFound("The offset table is damaged, so that frames cannot be told apart.")
    start = fragments[0].start - 8
    bounds = [*offsets, UNDEFINED]
    frames: list[list[Element]] = [[] for _ in range(count)]
    frame = 0
    for fragment in fragments:
        while frame + 1 < count and fragment.start - 8 - start >= bounds[frame + 1]:
            frame += 1
        frames[frame].append(fragment)
    return frames
