"""Overlays (PS3.3 C.9.2): drawings of one bit, in groups of their own or in unused bits of the pixels."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from radiology.pixels.decode import Array, Frame, Layout
from radiology.pixels.header import Header, Item, number, numbers
from radiology.standards.dicom.attributes import text_of

GROUPS = tuple(f"60{number:02X}" for number in range(0, 0x20, 2))
WHITE = 255


@dataclass(frozen=True, slots=True)
class Plane:
    """One overlay for one frame: its bits, and where its first row and column lie in the image, from 0."""

    bits: Array
    top: int
    left: int


def draw(image: Array, frame: Frame, layout: Layout, header: Header, number_of_frame: int, groups: set[str]) -> Array:
    """The image with these overlays in white; the image itself where there are none."""
    planes = [
        plane
        for group in GROUPS
        if group in groups and (plane := _plane(frame, layout, header, group, number_of_frame)) is not None
    ]
    if not planes:
        return image
    drawn = image.copy()
    for plane in planes:
        _put(drawn, plane)
    return drawn


def shown(header: Header, state: Header | None) -> Iterator[tuple[Header, set[str]]]:
    """Whose overlays are shown, and which: all of the image, or those that a presentation state switches on.

    A presentation state may bring overlays of its own, which stand for those of the image (PS3.3 A.33.1.1.2).
    """
    of_image = _groups_of(header.attributes)
    if state is None:
        yield header, of_image
        return
    active = {group for group in GROUPS if text_of(state.attributes, f"{group}1001")}
    own = {group for group in active if f"{group}3000" in state.attributes}
    yield header, of_image & active - own
    yield state, own


def _groups_of(attributes: Item) -> set[str]:
    return {group for group in GROUPS if f"{group}0010" in attributes or f"{group}0102" in attributes}


def _plane(frame: Frame, layout: Layout, header: Header, group: str, number_of_frame: int) -> Plane | None:
    attributes = header.attributes
    origin = [int(value) for value in numbers(attributes, f"{group}0050")] or [1, 1]
    top, left = origin[0] - 1, (origin[1] if len(origin) > 1 else 1) - 1
    rows, columns = int(number(attributes, f"{group}0010", 0)), int(number(attributes, f"{group}0011", 0))
    if f"{group}3000" in attributes:
        start = int(number(attributes, f"{group}0051", 1))
        index = number_of_frame - start
        count = int(number(attributes, f"{group}0015", 1))
        if not 0 <= index < count or not 0 < rows * columns <= 0xFFFF * 0xFFFF:
            # One that names no frames is meant for all of them.
            if count != 1 or f"{group}0051" in attributes:
                return None
            index = 0
        data = np.frombuffer(header.data(attributes[f"{group}3000"]), np.uint8)
        first, size = index * rows * columns, rows * columns
        if len(data) * 8 < first + size:
            return None
        bits = np.unpackbits(data[first // 8 : (first + size + 7) // 8], bitorder="little")[first % 8 :][:size]
        return Plane(bits.reshape(rows, columns).astype(bool), top, left)
    position = int(number(attributes, f"{group}0102", 0))
    is_above = layout.high_bit < position < layout.bits_allocated
    is_beside = is_above or 0 <= position <= layout.high_bit - layout.bits_stored
    if frame.pixels.ndim != 2 or frame.pixels.dtype.kind == "f" or not is_beside:
        return None
    return Plane((frame.pixels >> position & 1).astype(bool), 0, 0)


def _put(image: Array, plane: Plane) -> None:
    rows, columns = plane.bits.shape
    top, left = max(plane.top, 0), max(plane.left, 0)
    bottom, right = min(plane.top + rows, image.shape[0]), min(plane.left + columns, image.shape[1])
    if top < bottom and left < right:
        image[top:bottom, left:right][
            plane.bits[top - plane.top : bottom - plane.top, left - plane.left : right - plane.left]
        ] = WHITE
