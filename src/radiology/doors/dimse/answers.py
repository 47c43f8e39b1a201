"""The identifiers of C-FIND responses (PS3.4 C.4.1.1.3.2): what was asked for, and what is always told."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from radiology.dicom_network.message import PendingResponses, Status
from radiology.doors.dimse.identifiers import CHARACTER_SET, LEVEL
from radiology.standards.dicom import data_set
from radiology.standards.dicom.zones import TIMEZONE_OFFSET, in_zone
from radiology.studies.queries.search import STUDY_TEXTS
from radiology.studies.search import Level, StudySearch, Zones, returnable

RETRIEVE_AE_TITLE, INSTANCE_AVAILABILITY = "00080054", "00080056"
#: Attributes of an identifier that say how is asked, not what for.
CONTROL: Final = frozenset({LEVEL, CHARACTER_SET, RETRIEVE_AE_TITLE, INSTANCE_AVAILABILITY, TIMEZONE_OFFSET})


@dataclass(frozen=True, slots=True)
class OfObjects:
    """Answers made of whole objects in the DICOM JSON model, one text each."""

    fixed: Mapping[str, Any]
    blank: Mapping[str, Any]
    transfer_syntax_uid: str
    charset: str
    status: int
    zones: Zones | None = None

    def responses(self, answers: Sequence[str]) -> PendingResponses:
        """Pending responses for some matches."""
        return PendingResponses(self.status, [self._encoded(orjson.loads(answer)) for answer in answers])

    def _encoded(self, found: Mapping[str, Any]) -> bytes:
        if self.zones is not None:
            found = in_zone(found, ZoneInfo(self.zones.local), self.zones.asked)
        attributes = {tag: _cut(found.get(tag, blank), blank) for tag, blank in self.blank.items()}
        attributes.update(self.fixed)
        return data_set.encode(attributes, self.transfer_syntax_uid, charset=self.charset)


@dataclass(frozen=True, slots=True)
class OfTexts:
    """Answers made of texts: for what workstations usually ask of studies, many times as fast.

    `pieces` are in the order of tags: bytes that every answer has, or the head of an element whose text differs.
    """

    tags: Sequence[str]
    pieces: Sequence[bytes | tuple[int, bytes, struct.Struct, bytes]]
    encoding: str
    status: int

    def responses(self, answers: Sequence[tuple[str | None, ...]]) -> PendingResponses:
        """Pending responses for some matches."""
        return PendingResponses(self.status, [self._encoded(answer) for answer in answers])

    def _encoded(self, texts: tuple[str | None, ...]) -> bytes:
        parts: list[bytes] = []
        for piece in self.pieces:
            if isinstance(piece, bytes):
                parts.append(piece)
            else:
                place, head, length, padding = piece
                value = (texts[place] or "").encode(self.encoding, "replace")
                if len(value) & 1:
                    value += padding
                parts += (head, length.pack(len(value)), value)
        return b"".join(parts)


Answering = OfObjects | OfTexts


def answering_of(
    identifier: Mapping[str, Any], search: StudySearch, charset: str, transfer_syntax_uid: str, ae_title: str
) -> Answering:
    """How the answers to a query are made."""
    asked = {tag: element for tag, element in identifier.items() if tag not in CONTROL}
    known = returnable(search.level)
    is_known = all(tag in known or search.level is Level.IMAGE for tag in asked) and not search.unsupported
    status = Status.PENDING if is_known else Status.PENDING_WITH_WARNING
    fixed: dict[str, Any] = {
        LEVEL: {"vr": "CS", "Value": [search.level.value]},
        RETRIEVE_AE_TITLE: {"vr": "AE", "Value": [ae_title]},
        INSTANCE_AVAILABILITY: {"vr": "CS", "Value": ["ONLINE"]},
    }
    if search.zones is not None:
        fixed[TIMEZONE_OFFSET] = identifier[TIMEZONE_OFFSET]
    elif search.level is Level.STUDY and asked.keys() <= STUDY_TEXTS.keys():
        return _of_texts(asked, fixed, charset, transfer_syntax_uid, status)
    blank = {tag: _blank(element) for tag, element in asked.items()}
    return OfObjects(fixed, blank, transfer_syntax_uid, charset, status, search.zones)


def _of_texts(
    asked: Mapping[str, Any], fixed: Mapping[str, Any], charset: str, transfer_syntax_uid: str, status: int
) -> OfTexts:
    implicit, tags = data_set.is_implicit(transfer_syntax_uid), sorted(asked)
    constant = {tag: data_set.encode({tag: element}, transfer_syntax_uid) for tag, element in fixed.items()}
    named = {"vr": "CS", "Value": [charset] if charset else []}
    constant[CHARACTER_SET] = data_set.encode({CHARACTER_SET: named}, transfer_syntax_uid)
    pieces: list[bytes | tuple[int, bytes, struct.Struct, bytes]] = []
    for tag in sorted({*tags, *constant}):
        if tag in constant:
            pieces.append(constant[tag])
        else:
            vr = asked[tag]["vr"]
            head, length = data_set.element_head(tag, vr, implicit=implicit)
            pieces.append((tags.index(tag), head, length, b"\0" if vr == "UI" else b" "))
    return OfTexts(tags, pieces, data_set.encoding_of(charset), status)


def _blank(element: Mapping[str, Any]) -> dict[str, Any]:
    """An attribute without a value; a sequence keeps which attributes of its items were asked for."""
    items: list[Any] = element.get("Value", []) if element["vr"] == "SQ" else []
    asked = {tag: _blank(inner) for tag, inner in items[0].items()} if items else {}
    return {"vr": element["vr"], "asked": asked} if asked else {"vr": element["vr"]}


def _cut(found: Mapping[str, Any], blank: Mapping[str, Any]) -> Mapping[str, Any]:
    """A sequence with only what was asked for of its items; anything else as it is."""
    if found["vr"] != "SQ" or "asked" not in blank:
        return found
    asked: Mapping[str, Any] = blank["asked"]
    items: list[Mapping[str, Any]] = found.get("Value", [])
    return {
        "vr": "SQ",
        "Value": [{tag: _cut(item.get(tag, inner), inner) for tag, inner in asked.items()} for item in items],
    }
