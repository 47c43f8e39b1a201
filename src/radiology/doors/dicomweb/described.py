"""STOW-RS with metadata and bulk data apart (PS3.18 10.5.1): objects are made of both once the body is there.

Metadata is held, and limited as every JSON body is; bulk data goes to one file on the disk as it comes, and from there
into the objects. A part of bulk data is named by its Content-Location; several of one name are the frames of an image.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from radiology.doors.dicomweb.media_types import DICOM_JSON, DICOM_XML
from radiology.errors import CannotUnderstand, Invalid, NotSupported, RadiologyError, TooLarge, Unprocessable
from radiology.kit.multipart import MultipartReader, parsed_content_type
from radiology.kit.objects import ObjectWriter
from radiology.pixels.codestream import read_codestream
from radiology.standards.dicom import json_model, xml_model
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.composing import PIXEL_DATA, Piece, compose, references
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES, is_valid_uid
from radiology.studies.actions.store import UIDS, Outcome, Storing
from radiology.studies.receive import Reception

METADATA_TYPES = (DICOM_JSON, DICOM_XML)
CHUNK_BYTES = 1024 * 1024
FIRST_BYTES = 64 * 1024
MOST_PARTS = 100_000
TRANSFER_SYNTAX, AVAILABLE_TRANSFER_SYNTAX = "00020010", "00083002"
TRANSFER_SYNTAX_NOT_SUPPORTED = 0xC122

_SYNTAXES = {
    "application/octet-stream": EXPLICIT_VR_LITTLE_ENDIAN,
    "image/dicom-rle": "1.2.840.10008.1.2.5",
    "image/jls": "1.2.840.10008.1.2.4.80",
    "image/jp2": "1.2.840.10008.1.2.4.90",
    "image/jpx": "1.2.840.10008.1.2.4.92",
    "image/jphc": "1.2.840.10008.1.2.4.201",
}
#: By the marker of the frame header (ISO/IEC 10918-1 table B.1): baseline, extended, lossless.
_JPEG_SYNTAXES = {0xC0: "1.2.840.10008.1.2.4.50", 0xC1: "1.2.840.10008.1.2.4.51", 0xC3: "1.2.840.10008.1.2.4.70"}


@dataclass(slots=True)
class BulkPart:
    """Bulk data that lies in the file of the request."""

    spool: ObjectWriter
    media_type: str
    transfer_syntax_uid: str
    start: int
    size_bytes: int = 0

    def write(self, fragment: memoryview) -> None:
        """The next bytes. Raises Unavailable where the disk is full."""
        self.spool.write(fragment)
        self.size_bytes += len(fragment)

    def chunks(self) -> Iterator[bytes]:
        """Its bytes again."""
        for at in range(0, self.size_bytes, CHUNK_BYTES):
            yield self.spool.read(self.start + at, min(CHUNK_BYTES, self.size_bytes - at))


@dataclass(slots=True)
class MetadataPart:
    """Metadata on its way in."""

    limit_bytes: int
    text: bytearray = field(default_factory=bytearray)

    def write(self, fragment: memoryview | bytes) -> None:
        """The next bytes. Raises TooLarge."""
        self.text += fragment
        if len(self.text) > self.limit_bytes:
            raise TooLarge(f"Metadata may have at most {self.limit_bytes:,} bytes. Send fewer objects at once.")


@dataclass(slots=True)
class Described:
    """The objects that one request describes. `media_type` is that of the metadata."""

    storing: Storing
    media_type: str
    spool: ObjectWriter
    limit_bytes: int
    metadata: list[MetadataPart] = field(default_factory=list[MetadataPart])
    bulk: dict[str, list[BulkPart]] = field(default_factory=dict[str, list[BulkPart]])
    _parts: int = 0

    async def read_parts(self, chunks: AsyncIterator[bytes], boundary: str) -> None:
        """Take in a multipart body. Raises Invalid, TooLarge, Unavailable."""
        reader = MultipartReader[BulkPart | MetadataPart](boundary, lambda kind: self.open_part(kind, reader.headers))
        async for chunk in chunks:
            reader.feed(chunk)
        reader.finish()

    async def read_metadata(self, chunks: AsyncIterator[bytes]) -> None:
        """Take in a body that is metadata and nothing else. Raises TooLarge."""
        part = self.open_part(self.media_type, {})
        async for chunk in chunks:
            part.write(memoryview(chunk))

    def open_part(self, content_type: str, headers: Mapping[str, str]) -> BulkPart | MetadataPart:
        """What takes the bytes of a part."""
        media_type, parameters = parsed_content_type(content_type)
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise TooLarge(f"A request may have at most {MOST_PARTS:,} parts.")
        if media_type in METADATA_TYPES:
            left = self.limit_bytes - sum(len(part.text) for part in self.metadata)
            self.metadata.append(MetadataPart(left))
            return self.metadata[-1]
        part = BulkPart(self.spool, media_type, parameters.get("transfer-syntax", ""), self.spool.size_bytes)
        location = headers.get("content-location", "")
        self.bulk.setdefault(location, []).append(part)
        return part

    async def store(self) -> None:
        """Make the objects and hand them over. Raises Invalid where the metadata cannot be read."""
        data_sets = await asyncio.to_thread(self._data_sets)
        if not data_sets:
            raise Invalid("The body describes no object.")
        for attributes in data_sets:
            try:
                await self.storing.received(await asyncio.to_thread(self._made, attributes))
            except RadiologyError as error:
                self.storing.refused(_refusal(attributes, error))
        for location in self.bulk.keys() - references(data_sets):
            self.storing.failed(CannotUnderstand(f"No metadata names the bulk data at {location[:200]!r}."))

    def _data_sets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for part in self.metadata:
            text = bytes(part.text)
            found += json_model.parse(text) if self.media_type == DICOM_JSON else [xml_model.decode(text)]
        return found

    def _made(self, attributes: Mapping[str, Any]) -> Reception:
        """In a thread: one object, written. Raises CannotUnderstand, Unprocessable, NotSupported, Unavailable."""
        sop_class_uid, sop_instance_uid = (_uid(attributes, tag) for tag in UIDS[:2])
        syntax_uid = self._transfer_syntax(attributes)
        syntax = TRANSFER_SYNTAXES[syntax_uid]
        pieces = compose(attributes, self.bulk, encapsulated=syntax.encapsulated)
        reception = self.storing.begin_data_set(
            sop_class_uid=sop_class_uid, sop_instance_uid=sop_instance_uid, transfer_syntax_uid=syntax_uid
        )
        try:
            _write(reception, pieces)
        except BaseException:
            reception.discard()
            raise
        return reception

    def _transfer_syntax(self, attributes: Mapping[str, Any]) -> str:
        """The transfer syntax of the object: that of its pixel data, Explicit VR Little Endian where that is native.

        The part names it, or the metadata, or else the media type of the part does (PS3.18 tables 8.7.3-2 to 8.7.3-5).
        """
        frames = self.bulk.get(attributes.get(PIXEL_DATA, {}).get("BulkDataURI", ""), [])
        named = {text_of(attributes, TRANSFER_SYNTAX), *(part.transfer_syntax_uid for part in frames)} - {""}
        if len(named) > 1:
            raise CannotUnderstand("Metadata and parts name different transfer syntaxes.", tag=TRANSFER_SYNTAX)
        uid = next(iter(named), text_of(attributes, AVAILABLE_TRANSFER_SYNTAX))
        if not uid and frames:
            uid = _syntax_of_media(frames[0])
        syntax = TRANSFER_SYNTAXES.get(uid or EXPLICIT_VR_LITTLE_ENDIAN)
        is_compressed = any(part.media_type.startswith(("image/", "video/")) for part in frames)
        if syntax is None or (is_compressed and not syntax.encapsulated):
            raise NotSupported(
                f"{uid or 'Nothing'} is named as the transfer syntax of the pixel data. "
                "Name one that is stored here by transfer-syntax= in the Content-Type of the part.",
                tag=TRANSFER_SYNTAX,
                dimse_status=TRANSFER_SYNTAX_NOT_SUPPORTED,
            )
        return uid if syntax.encapsulated and PIXEL_DATA in attributes else EXPLICIT_VR_LITTLE_ENDIAN


def _syntax_of_media(part: BulkPart) -> str:
    """The transfer syntax that a media type stands for where none is named; a JPEG says in its frame header which."""
    if part.media_type != "image/jpeg":
        return _SYNTAXES.get(part.media_type, "")
    codestream = read_codestream(next(part.chunks(), b"")[:FIRST_BYTES])
    return _JPEG_SYNTAXES.get(codestream.process, "") if codestream else ""


def _write(reception: Reception, pieces: Sequence[Piece]) -> None:
    for piece in pieces:
        if isinstance(piece, BulkPart):
            for chunk in piece.chunks():
                reception.write(chunk)
        elif isinstance(piece, bytes):
            reception.write(piece)


def _uid(attributes: Mapping[str, Any], tag: str) -> str:
    uid = text_of(attributes, tag)
    if not is_valid_uid(uid):
        raise Unprocessable(f"{uid[:80]!r} is no UID. The metadata must name SOP class and instance.", tag=tag)
    return uid


def _refusal(attributes: Mapping[str, Any], error: RadiologyError) -> Outcome:
    sop_class, instance, study, series = (text_of(attributes, tag) for tag in UIDS)
    return Outcome(sop_class, instance, study, series, error=error)
