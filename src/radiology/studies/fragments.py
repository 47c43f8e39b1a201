"""Where the frames of encapsulated pixel data lie (PS3.5 A.4).

With an offset table one frame is found by looking at its own fragments; without one all have to be looked at once.
"""

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from radiology.errors import NotFound
from radiology.kit.objects import LocalObjects
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN
from radiology.studies.elements import ITEM, UNDEFINED, Element, Elements
from radiology.studies.queries.retrieve import StoredInstance

EXTENDED_OFFSET_TABLE = "7FE00001"
#: Of so many objects it is remembered where their frames lie.
REMEMBERED = 64
_ITEM_HEAD_BYTES = 8

Offsets = np.ndarray[Any, np.dtype[np.uint64]]


def fragments_of_frames(
    objects: LocalObjects, instance: StoredInstance, numbers: Sequence[int], count: int
) -> list[list[Element]]:
    """The fragments of frames (from 1) of `count`, in the order asked. Raises NotFound. Blocks: for a thread."""
    starts = _starts(objects, instance, count)
    if starts is not None:
        descriptor = objects.open(instance.object_key)
        try:
            found = [_between(_elements(descriptor, instance), starts, number) for number in numbers]
        finally:
            os.close(descriptor)
        if all(found):
            return found
    grouped = _by_frame(objects, instance, count)
    return [grouped[number - 1] for number in numbers]


def _between(elements: Elements, starts: Offsets, number: int) -> list[Element]:
    """The fragments that begin where a frame does and end before the next; none where the table is wrong."""
    start = int(starts[number - 1])
    end = int(starts[number]) if number < len(starts) else None
    found: list[Element] = []
    for fragment in elements.fragments(start):
        if end is not None and fragment.start - _ITEM_HEAD_BYTES >= end:
            return found if fragment.start - _ITEM_HEAD_BYTES == end else []
        found.append(fragment)
    return found if end is None else []


@lru_cache(maxsize=REMEMBERED)
def _starts(objects: LocalObjects, instance: StoredInstance, count: int) -> Offsets | None:
    """Where each frame begins in the file, by the Basic or else the Extended Offset Table; None without a good one."""
    if count == 1:
        return None
    descriptor = objects.open(instance.object_key)
    try:
        elements = _elements(descriptor, instance)
        table = next(elements.fragments(instance.pixel_data_offset or 0), None)
        if table is None or table.tag != ITEM:
            return None
        offsets = np.frombuffer(os.pread(descriptor, _at_most(table, 4 * count), table.start), "<u4")
        if len(offsets) == 0:
            extended = elements.find(EXTENDED_OFFSET_TABLE, instance.data_set_offset)
            offsets = np.frombuffer(os.pread(descriptor, _at_most(extended, 8 * count), extended.start), "<u8")
    except (NotFound, ValueError):
        return None
    finally:
        os.close(descriptor)
    first = table.start + table.length
    offsets = offsets.astype(np.uint64)
    in_order = len(offsets) == count and offsets[0] == 0 and bool((offsets[1:] > offsets[:-1]).all())
    return offsets + np.uint64(first) if in_order and first + int(offsets[-1]) < instance.size_bytes else None


def _at_most(table: Element, expected: int) -> int:
    """The length of a table; nothing where it is longer than one of so many frames."""
    return table.length if table.length <= expected else 0


@lru_cache(maxsize=REMEMBERED)
def _by_frame(objects: LocalObjects, instance: StoredInstance, count: int) -> list[list[Element]]:
    """The fragments of each frame. Remembered: who looks at one frame of an object looks at the others next."""
    descriptor = objects.open(instance.object_key)
    try:
        table, *fragments = _elements(descriptor, instance).fragments(instance.pixel_data_offset or 0)
        offsets = np.frombuffer(os.pread(descriptor, table.length, table.start), "<u4").tolist()
    except ValueError as error:
        raise NotFound("The pixel data has no fragments.") from error
    finally:
        os.close(descriptor)
    return _grouped(fragments, offsets, count)


def _grouped(fragments: Sequence[Element], offsets: Sequence[int], count: int) -> list[list[Element]]:
    """The fragments of each frame (PS3.5 A.4): one each, or as the offset table says. Raises NotFound."""
    if count == 1:
        return [list(fragments)]
    if len(fragments) == count:
        return [[fragment] for fragment in fragments]
    if len(offsets) != count or not fragments:
        raise NotFound("The offset table is missing, so that frames cannot be told apart.")
    if offsets != sorted(offsets):
        raise NotFound("The offset table is damaged, so that frames cannot be told apart.")
    start = fragments[0].start - _ITEM_HEAD_BYTES
    bounds = [*offsets, UNDEFINED]
    frames: list[list[Element]] = [[] for _ in range(count)]
    frame = 0
    for fragment in fragments:
        while frame + 1 < count and fragment.start - _ITEM_HEAD_BYTES - start >= bounds[frame + 1]:
            frame += 1
        frames[frame].append(fragment)
    return frames


def _elements(descriptor: int, instance: StoredInstance) -> Elements:
    read_at: Callable[[int, int], bytes] = lambda at, length: os.pread(descriptor, length, at)  # noqa: E731
    return Elements(read_at, instance.size_bytes, EXPLICIT_VR_LITTLE_ENDIAN)
