"""An object made of attributes in the DICOM JSON model and of bulk data that lies elsewhere, in the order of a file.

What is small is encoded here; bulk data is named by its place in the order, so that whoever writes the object copies it
from where it lies and never holds it. The encoding is Explicit VR Little Endian, as all encapsulated syntaxes have it.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol

from radiology.errors import CannotUnderstand, Unprocessable
from radiology.standards.dicom.data_set import LIMITS, UTF_8, element_head, encode_element
from radiology.standards.dicom.values import BINARY_VRS

PIXEL_DATA = "7FE00010"
UNDEFINED_LENGTH = 0xFFFFFFFF
LONGEST_VALUE = UNDEFINED_LENGTH - 1

_CHARACTER_SET, _FRAMES = "00080005", "00280008"
_ITEM, _SEQUENCE_END = struct.pack("<HH", 0xFFFE, 0xE000), struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
_ULONG = struct.Struct("<L")


class Bulk(Protocol):
    """Bytes that lie elsewhere."""

    @property
    def size_bytes(self) -> int:
        """How many there are."""
        ...


Piece = bytes | Bulk
Found = Mapping[str, Sequence[Bulk]]
"""The bulk data by the URI that attributes name it by: one, or for encapsulated pixel data one of each frame."""


@dataclass(frozen=True, slots=True)
class _Composer:
    bulk: Found
    encapsulated: bool

    def data_set(self, attributes: Mapping[str, Any], depth: int = 0) -> Iterator[Piece]:
        if depth > LIMITS.depth:
            raise Unprocessable(f"Sequences are nested deeper than {LIMITS.depth}.")
        for tag in sorted(attributes):
            if not tag.endswith("0000") and not (depth and tag == _CHARACTER_SET):
                yield from self._element(tag, attributes[tag], depth)

    def _element(self, tag: str, element: Mapping[str, Any], depth: int) -> Iterator[Piece]:
        if tag == PIXEL_DATA and depth == 0 and self.encapsulated:
            yield from self._encapsulated(element)
        elif "BulkDataURI" in element:
            yield from self._by_reference(tag, element)
        elif element["vr"] == "SQ":
            yield from self._sequence(tag, element, depth)
        else:
            yield encode_element(tag, element)

    def _by_reference(self, tag: str, element: Mapping[str, Any]) -> Iterator[Piece]:
        found = self._found(tag, element)
        if len(found) != 1:
            raise CannotUnderstand(f"{len(found)} parts of bulk data are named where one value stands.", tag=tag)
        vr = element["vr"]
        size = found[0].size_bytes
        if size > LONGEST_VALUE:
            raise Unprocessable("A value may have at most 4 GiB.", tag=tag)
        padding = b"" if size % 2 == 0 else b"\0" if vr in BINARY_VRS or vr == "UI" else b" "
        # PS3.5 6.2.2: a value too long for the 16 bit length of its VR is written as UN.
        head, length = element_head(tag, vr, implicit=False)
        if length.size == 2 and size > 0xFFFE:
            head, length = element_head(tag, "UN", implicit=False)
        yield head + length.pack(size + len(padding))
        yield found[0]
        yield padding

    def _sequence(self, tag: str, element: Mapping[str, Any], depth: int) -> Iterator[Piece]:
        inside: list[Piece] = []
        for item in element.get("Value", ()):
            pieces = list(self.data_set(item, depth + 1))
            inside += (_ITEM + _ULONG.pack(_size(pieces)), *pieces)
        head, length = element_head(tag, "SQ", implicit=False)
        yield head + length.pack(_size(inside))
        yield from inside

    def _encapsulated(self, element: Mapping[str, Any]) -> Iterator[Piece]:
        """One fragment for each frame behind a basic offset table, where its offsets fit into 32 bits (PS3.5 A.4)."""
        frames = self._found(PIXEL_DATA, element)
        padded = [frame.size_bytes + frame.size_bytes % 2 for frame in frames]
        offsets = list(accumulate((8 + size for size in padded[:-1]), initial=0))
        table = b"".join(map(_ULONG.pack, offsets)) if offsets[-1] <= LONGEST_VALUE else b""
        head, length = element_head(PIXEL_DATA, "OB", implicit=False)
        yield head + length.pack(UNDEFINED_LENGTH) + _ITEM + _ULONG.pack(len(table)) + table
        for frame, size in zip(frames, padded, strict=True):
            yield _ITEM + _ULONG.pack(size)
            yield frame
            yield bytes(size - frame.size_bytes)
        yield _SEQUENCE_END

    def _found(self, tag: str, element: Mapping[str, Any]) -> Sequence[Bulk]:
        uri = element.get("BulkDataURI")
        if uri is None:
            raise CannotUnderstand("Compressed pixel data must come as parts of bulk data.", tag=tag)
        if uri not in self.bulk:
            raise CannotUnderstand(f"No part of the body has the Content-Location {uri[:200]!r}.", tag=tag)
        return self.bulk[uri]


def compose(attributes: Mapping[str, Any], bulk: Found, *, encapsulated: bool) -> list[Piece]:
    """The pieces of a data set in their order. Text is written as ISO_IR 192.

    Raises CannotUnderstand for a reference to bulk data that is not there, Unprocessable for a value that its VR cannot
    hold, each with the tag.
    """
    kept = {tag: element for tag, element in attributes.items() if not tag.startswith(("0000", "0002"))}
    if encapsulated and (pixels := kept.get(PIXEL_DATA)) is not None:
        _check_frames(kept, bulk.get(pixels.get("BulkDataURI", ""), ()))
    kept[_CHARACTER_SET] = {"vr": "CS", "Value": [UTF_8]}
    return list(_Composer(bulk, encapsulated).data_set(kept))


def references(data_sets: Iterable[Mapping[str, Any]]) -> set[str]:
    """Every URI by which data sets name bulk data."""
    found: set[str] = set()
    for attributes in data_sets:
        for element in attributes.values():
            if "BulkDataURI" in element:
                found.add(element["BulkDataURI"])
            elif element["vr"] == "SQ":
                found |= references(element.get("Value", ()))
    return found


def _check_frames(attributes: Mapping[str, Any], frames: Sequence[Bulk]) -> None:
    values: list[Any] = attributes.get(_FRAMES, {}).get("Value") or [1]
    if frames and str(values[0]) != str(len(frames)):
        raise CannotUnderstand(
            f"There are {values[0]} frames, and {len(frames)} parts of their Content-Location. Send one part for each.",
            tag=PIXEL_DATA,
        )


def _size(pieces: Sequence[Piece]) -> int:
    return sum(len(piece) if isinstance(piece, bytes) else piece.size_bytes for piece in pieces)
