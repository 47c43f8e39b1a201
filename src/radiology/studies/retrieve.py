"""What is sent of stored objects: whole files, frames, bulk data. Spans of files are named here and read by the door.

Frames are given as they are stored, bit by bit; only the byte order of big endian objects is turned round.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from radiology.errors import NotAcceptable, NotFound
from radiology.kit.objects import LocalObjects
from radiology.standards.dicom.part10 import encode_file_meta
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from radiology.studies.converting import as_stored, converted_chunks, needs_codec, without_codec
from radiology.studies.elements import UNDEFINED, Element, Elements
from radiology.studies.explicit_vr import can_become_explicit, inflated, swapped
from radiology.studies.fragments import fragments_of_frames
from radiology.studies.frame_bytes import bits_of
from radiology.studies.queries.retrieve import StoredInstance
from radiology.studies.transcoding import sendable_syntaxes

AS_STORED = "*"
PIXEL_DATA = "7FE00010"
#: A deflated object is inflated in memory to read single values of it, up to this size.
INFLATED_AT_MOST_BYTES = 64 * 1024 * 1024
_PIXEL_DATA_TAGS = ("7FE00010", "7FE00008", "7FE00009")
_SWAPPED_WIDTH = {b"OW": 2, b"OL": 4, b"OF": 4, b"OD": 8, b"OV": 8}


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a stored object."""

    object_key: str
    offset: int
    length: int


Piece = bytes | Span | Callable[[], Iterator[bytes] | AsyncIterator[bytes]]
"""A piece of a body: bytes, a part of a file, or a function that makes chunks (an iterator blocks: for a thread)."""


@dataclass(frozen=True, slots=True)
class Content:
    """The pieces of one body or part. `size_bytes` is None where it shows only when it is made."""

    pieces: tuple[Piece, ...]
    size_bytes: int | None
    transfer_syntax_uid: str


def of_span(span: Span, transfer_syntax_uid: str) -> Content:
    """Content that is one part of a file."""
    return Content((span,), span.length, transfer_syntax_uid)


def sent_syntax(instance: StoredInstance, asked: str | None) -> str | None:
    """The transfer syntax an instance is sent in, None where it cannot be sent as asked (PS3.18 8.7.3.5.2).

    Asked for nothing, compressed objects are sent as stored and all others as Explicit VR Little Endian. Asked for by
    name, lossless ones are sent in every lossless syntax we know, lossy ones decompressed. Implicit VR is never sent.
    """
    stored = instance.transfer_syntax_uid
    if asked in (AS_STORED, stored):
        return stored
    if asked is None:
        received = instance.original_transfer_syntax_uid or stored
        return EXPLICIT_VR_LITTLE_ENDIAN if can_become_explicit(received) else stored
    return asked if asked in sendable_syntaxes(stored) and asked != IMPLICIT_VR_LITTLE_ENDIAN else None


def file_content(objects: LocalObjects, instance: StoredInstance, transfer_syntax_uid: str) -> Content:
    """The PS3.10 file of an instance, in a syntax that `sent_syntax` gave."""
    if transfer_syntax_uid == instance.transfer_syntax_uid:
        if instance.corrections is not None:
            return Content((lambda: as_stored(objects, instance),), None, transfer_syntax_uid)
        return of_span(Span(instance.object_key, 0, instance.size_bytes), transfer_syntax_uid)
    if needs_codec(instance, transfer_syntax_uid):
        return Content((lambda: converted_chunks(objects, instance, transfer_syntax_uid),), None, transfer_syntax_uid)
    return Content((lambda: _anew(objects, instance, transfer_syntax_uid),), None, transfer_syntax_uid)


def _anew(objects: LocalObjects, instance: StoredInstance, transfer_syntax_uid: str) -> Iterator[bytes]:
    yield encode_file_meta(instance.sop_class_uid, instance.sop_instance_uid, transfer_syntax_uid, "")
    yield from without_codec(objects, instance, transfer_syntax_uid)


# Frames


def frames(objects: LocalObjects, instance: StoredInstance, attributes: bytes, numbers: Sequence[int]) -> list[Content]:
    """Frames by number, from 1, in the order asked. Blocks: for a thread. Raises NotFound for one that is not there."""
    header: Mapping[str, Any] = orjson.loads(attributes)
    count = int(_number(header, "00280008", 1))
    if not any(tag in header for tag in _PIXEL_DATA_TAGS):
        raise NotFound("This instance has no frames.")
    if absent := [number for number in numbers if number > count]:
        raise NotFound(f"There is no frame {absent[0]}; the instance has {count}.")
    syntax = TRANSFER_SYNTAXES.get(instance.transfer_syntax_uid)
    if syntax is not None and syntax.deflated:
        return _frames_of_bytes(_pixel_data_inflated(objects, instance), header, numbers, count)
    if instance.pixel_data_offset is None:
        raise NotFound("This instance has no frames.")
    if instance.pixel_data_length is None:
        by_frame = fragments_of_frames(objects, instance, numbers, count)
        return [_joined(instance, fragments) for fragments in by_frame]
    return _native_frames(objects, instance, header, numbers, count)


def is_plain(instance: StoredInstance) -> bool:
    """Whether frames are parts of the file as they lie, so that saying where they are takes no time."""
    syntax = TRANSFER_SYNTAXES.get(instance.transfer_syntax_uid)
    turned = syntax is not None and (syntax.big_endian or syntax.deflated)
    return instance.pixel_data_length is not None and not turned


def _native_frames(
    objects: LocalObjects, instance: StoredInstance, header: Mapping[str, Any], numbers: Sequence[int], count: int
) -> list[Content]:
    offset, total = instance.pixel_data_offset or 0, instance.pixel_data_length or 0
    bits = frame_bits(header, total, count)
    width = _swapped_width(objects, instance)
    contents: list[Content] = []
    for number in numbers:
        first, rest = divmod((number - 1) * bits, 8)
        length = (rest + bits + 7) // 8
        if first + length > total:
            raise NotFound(f"The pixel data ends before frame {number}.")
        span = Span(instance.object_key, offset + first, length)
        if width == 1 and rest == 0 and bits % 8 == 0:
            contents.append(of_span(span, EXPLICIT_VR_LITTLE_ENDIAN))
        else:
            # A frame may begin or end in the middle of a word that is turned round.
            before, behind = first % width, -(first + length) % width
            data = swapped(objects.read(span.object_key, span.offset - before, before + length + behind), width)
            contents.append(_of_bytes(bits_of(data[before : before + length], rest, bits)))
    return contents


def frame_bits(header: Mapping[str, Any], total_bytes: int, count: int) -> int:
    """The size of one native frame in bits (PS3.5 8.1.1); from the whole where the attributes do not say it."""
    samples = 2 if _text(header, "00280004") == "YBR_FULL_422" else _number(header, "00280002", 1)
    bits = int(
        _number(header, "00280010", 0) * _number(header, "00280011", 0) * samples * _number(header, "00280100", 0)
    )
    if bits == 0 or bits * count > total_bytes * 8:
        return total_bytes // count * 8
    return bits


def _swapped_width(objects: LocalObjects, instance: StoredInstance) -> int:
    """How many bytes belong together in the pixel data of a big endian object; 1 where nothing is to be turned."""
    syntax = TRANSFER_SYNTAXES.get(instance.transfer_syntax_uid)
    if syntax is None or not syntax.big_endian or instance.pixel_data_offset is None:
        return 1
    return _SWAPPED_WIDTH.get(objects.read(instance.object_key, instance.pixel_data_offset - 8, 2), 1)


def _joined(instance: StoredInstance, fragments: Sequence[Element]) -> Content:
    spans = tuple(Span(instance.object_key, fragment.start, fragment.length) for fragment in fragments)
    return Content(spans, sum(span.length for span in spans), instance.transfer_syntax_uid)


def _frames_of_bytes(data: bytes, header: Mapping[str, Any], numbers: Sequence[int], count: int) -> list[Content]:
    bits = frame_bits(header, len(data), count)
    contents: list[Content] = []
    for number in numbers:
        first, rest = divmod((number - 1) * bits, 8)
        contents.append(_of_bytes(bits_of(data[first : first + (rest + bits + 7) // 8], rest, bits)))
    return contents


# Bulk data


def bulk_data(objects: LocalObjects, instance: StoredInstance, path: str) -> Content:
    """A value that the metadata names by reference. Raises NotFound. Blocks: for a thread.

    Encapsulated pixel data has no single value: its frames are what can be asked for.
    """
    syntax = TRANSFER_SYNTAXES.get(instance.transfer_syntax_uid)
    if syntax is not None and syntax.deflated:
        data = _inflated(objects, instance)
        element = _elements_of(data).find(path, 0)
        return _of_bytes(data[element.start : element.start + element.length])
    descriptor = objects.open(instance.object_key)
    try:
        elements = Elements(_reader(descriptor), instance.size_bytes, instance.transfer_syntax_uid)
        element = elements.find(path, instance.data_set_offset)
        if element.length == UNDEFINED:
            if instance.original_transfer_syntax_uid is not None:
                raise NotAcceptable("The pixel data of this object is compressed now. Ask for its frames.")
            fragments = list(elements.fragments(element.start))[1:]
            return _joined(instance, fragments)
    finally:
        os.close(descriptor)
    length = min(element.length, instance.size_bytes - element.start)
    span = Span(instance.object_key, element.start, length)
    width = _SWAPPED_WIDTH.get(element.vr, 1) if syntax is not None and syntax.big_endian else 1
    if width == 1:
        return of_span(span, EXPLICIT_VR_LITTLE_ENDIAN)
    return _of_bytes(swapped(objects.read(span.object_key, span.offset, length), width))


def ranged(content: Content, first: int, length: int) -> Content:
    """A part of content, by bytes."""
    pieces: list[Piece] = []
    at = 0
    for piece in content.pieces:
        size = piece.length if isinstance(piece, Span) else len(_bytes_of(piece))
        start, stop = max(first - at, 0), min(first + length - at, size)
        if start < stop:
            if isinstance(piece, Span):
                pieces.append(Span(piece.object_key, piece.offset + start, stop - start))
            else:
                pieces.append(_bytes_of(piece)[start:stop])
        at += size
    return Content(tuple(pieces), length, content.transfer_syntax_uid)


def _bytes_of(piece: Piece) -> bytes:
    assert not isinstance(piece, Span)  # noqa: S101 - spans are never read here.
    assert isinstance(piece, bytes)  # noqa: S101 - nothing that has ranges is made while it is sent.
    return piece


def _pixel_data_inflated(objects: LocalObjects, instance: StoredInstance) -> bytes:
    data = _inflated(objects, instance)
    element = _elements_of(data).find(PIXEL_DATA, 0)
    return data[element.start : element.start + element.length]


def _elements_of(data: bytes) -> Elements:
    return Elements(lambda at, length: data[at : at + length], len(data), EXPLICIT_VR_LITTLE_ENDIAN)


def _inflated(objects: LocalObjects, instance: StoredInstance) -> bytes:
    data = bytearray()
    for chunk in inflated(objects, instance):
        data += chunk
        if len(data) > INFLATED_AT_MOST_BYTES:
            raise NotAcceptable("This deflated object is too large to give parts of it. Retrieve the instance.")
    return bytes(data)


def _of_bytes(data: bytes) -> Content:
    return Content((data,), len(data), EXPLICIT_VR_LITTLE_ENDIAN)


def _reader(descriptor: int) -> Callable[[int, int], bytes]:
    return lambda at, length: os.pread(descriptor, length, at)


def _number(header: Mapping[str, Any], tag: str, default: int) -> float:
    values = header.get(tag, {}).get("Value") or [default]
    return values[0] if isinstance(values[0], int | float) else default


def _text(header: Mapping[str, Any], tag: str) -> str:
    values = header.get(tag, {}).get("Value") or [""]
    return str(values[0])
