"""Find one value in the data set of a stored object: where its bytes begin and how many they are.

The index names long values by a path such as `00420011` or `54000100/0/54001010` (a sequence, the number of the item,
an attribute in it). Only heads of elements are read on the way, so the cost does not grow with the values.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from radiology.errors import NotFound
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from radiology.standards.dicom.values import LONG_VRS

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
MOST_ELEMENTS = 400_000
_HEAD_BYTES = 4096

ReadAt = Callable[[int, int], bytes]
_LONG = frozenset(vr.encode() for vr in LONG_VRS)


@dataclass(frozen=True, slots=True)
class Element:
    """One element or item: `start` and `length` of its value in the file; the length may be UNDEFINED."""

    tag: int
    vr: bytes
    start: int
    length: int


class Elements:
    """The elements of one data set, by their heads. `read_at(offset, length)` gives fewer bytes at the end."""

    def __init__(self, read_at: ReadAt, size: int, transfer_syntax_uid: str) -> None:
        syntax = TRANSFER_SYNTAXES.get(transfer_syntax_uid, TRANSFER_SYNTAXES[EXPLICIT_VR_LITTLE_ENDIAN])
        order = ">" if syntax.big_endian else "<"
        self._explicit = not syntax.implicit_vr
        self._tag = struct.Struct(order + "HH")
        self._short = struct.Struct(order + "H")
        self._long = struct.Struct(order + "L")
        self._read_at = read_at
        self._size = size
        self._base, self._window = 0, b""
        self._left = MOST_ELEMENTS

    def find(self, path: str, data_set_offset: int) -> Element:
        """The element at a path. Raises NotFound."""
        position, end = data_set_offset, self._size
        *sequences, last = path.split("/")
        for tag, number in zip(sequences[::2], sequences[1::2], strict=True):
            sequence = self._among(position, end, _number(tag, 16), path)
            item = self._item(sequence, _number(number, 10), path)
            position, end = item.start, self._size if item.length == UNDEFINED else item.start + item.length
        return self._among(position, end, _number(last, 16), path)

    def fragments(self, start: int) -> Iterator[Element]:
        """The items of encapsulated pixel data (PS3.5 A.4), of which the first is the offset table. Raises NotFound."""
        position = start
        while True:
            item = self._head(position)
            if item is None or item.tag != ITEM:
                return
            yield item
            position = item.start + item.length

    def _among(self, position: int, end: int, tag: int, path: str) -> Element:
        for element in self._elements(position, end):
            if element.tag == tag:
                return element
        raise NotFound(f"The object has no bulk data at {path[:80]}.")

    def _elements(self, position: int, end: int) -> Iterator[Element]:
        while position < end:
            element = self._head(position)
            if element is None or element.tag in (ITEM_END, SEQUENCE_END):
                return
            yield element
            position = self._after(element)

    def _item(self, sequence: Element, number: int, path: str) -> Element:
        end = self._size if sequence.length == UNDEFINED else sequence.start + sequence.length
        items = (item for item in self._elements(sequence.start, end) if item.tag == ITEM)
        for item in islice(items, number, None):
            return item
        raise NotFound(f"The object has no bulk data at {path[:80]}.")

    def _after(self, element: Element) -> int:
        """The position behind an element, an item, a sequence or encapsulated fragments."""
        if element.length != UNDEFINED:
            return element.start + element.length
        position = element.start
        while (inner := self._head(position)) is not None and inner.tag not in (ITEM_END, SEQUENCE_END):
            position = self._after(inner)
        return position + 8

    def _head(self, position: int) -> Element | None:
        """The head of an element; None at the end of the file. Raises NotFound after too many of them."""
        self._left -= 1
        if self._left < 0:
            raise NotFound("The object has too many elements to look for bulk data.")
        head = self._bytes(position, 12)
        if len(head) < 8:
            return None
        group, number = self._tag.unpack_from(head)
        tag, vr = group << 16 | number, head[4:6]
        if group == 0xFFFE or not (self._explicit and vr.isalpha() and vr.isupper()):
            return Element(tag, b"", position + 8, self._long.unpack_from(head, 4)[0])
        if vr in _LONG and len(head) == 12:
            return Element(tag, vr, position + 12, self._long.unpack_from(head, 8)[0])
        return Element(tag, vr, position + 8, self._short.unpack_from(head, 6)[0])

    def _bytes(self, position: int, length: int) -> bytes:
        at = position - self._base
        if at < 0 or at + length > len(self._window):
            self._base, self._window, at = position, self._read_at(position, _HEAD_BYTES), 0
        return self._window[at : at + length]


def _number(text: str, base: int) -> int:
    try:
        return int(text, base)
    except ValueError as error:
        raise NotFound("Bulk data is named by tags and item numbers.") from error
