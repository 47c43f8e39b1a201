"""Answers to a worklist query as bytes (PS3.5 7.1).

What is the same in all answers to a query is made once: heads of elements, attributes that are not known here.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.modality_worklist.return_keys import (
    ITEM_KEYS,
    SCHEDULED_PROCEDURE_STEP_SEQUENCE,
    STEP_KEYS,
    ReturnKey,
    View,
    vr_of_tag,
)
from radiology.modality_worklist.search import WorklistQuery
from radiology.standards.dicom import data_set

_CHARACTER_SET = "00080005"
_ITEM, _LENGTH = struct.pack("<HH", 0xFFFE, 0xE000), struct.Struct("<L")


@dataclass(frozen=True, slots=True)
class _Attribute:
    """An attribute whose value differs from item to item. `empty` is the whole element without a value."""

    key: ReturnKey
    head: bytes
    length: struct.Struct
    empty: bytes


_Piece = bytes | _Attribute


@dataclass(frozen=True, slots=True)
class Encoder:
    """How the answers to one query are written: in the order of tags, before and behind the sequence of the step."""

    before: Sequence[_Piece]
    step: Sequence[_Piece]
    behind: Sequence[_Piece]
    sequence: tuple[bytes, struct.Struct] | None
    implicit: bool
    encoding: str
    view: View

    @classmethod
    def of(cls, query: WorklistQuery, view: View, *, transfer_syntax_uid: str, charset: str) -> "Encoder":
        """The encoder of a query. What the character set cannot write becomes "?"."""
        implicit, encoding = data_set.is_implicit(transfer_syntax_uid), data_set.encoding_of(charset)
        named = {_CHARACTER_SET: {"vr": "CS", "Value": [charset] if charset else []}}
        character_set = data_set.encode(named, transfer_syntax_uid, charset=charset)
        outer = {tag: _piece(ITEM_KEYS, tag, implicit) for tag in query.tags if tag != _CHARACTER_SET}
        outer[_CHARACTER_SET] = character_set
        has_step = outer.pop(SCHEDULED_PROCEDURE_STEP_SEQUENCE, None) is not None
        head = data_set.element_head(SCHEDULED_PROCEDURE_STEP_SEQUENCE, "SQ", implicit=implicit)
        return cls(
            before=[outer[tag] for tag in sorted(outer) if tag < SCHEDULED_PROCEDURE_STEP_SEQUENCE],
            step=[_piece(STEP_KEYS, tag, implicit) for tag in sorted(query.step_tags) if tag != _CHARACTER_SET],
            behind=[outer[tag] for tag in sorted(outer) if tag > SCHEDULED_PROCEDURE_STEP_SEQUENCE],
            sequence=head if has_step else None,
            implicit=implicit,
            encoding=encoding,
            view=view,
        )

    def encode(self, item: ScheduledProcedureStep) -> bytes:
        """The identifier of one pending response."""
        before, behind = self._written(self.before, item), self._written(self.behind, item)
        if self.sequence is None:
            return before + behind
        head, length = self.sequence
        step = self._written(self.step, item)
        size = len(step) + len(_ITEM) + _LENGTH.size
        return b"".join((before, head, length.pack(size), _ITEM, _LENGTH.pack(len(step)), step, behind))

    def _written(self, pieces: Sequence[_Piece], item: ScheduledProcedureStep) -> bytes:
        parts: list[bytes] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                parts.append(piece)
            elif values := piece.key.given(item, self.view):
                value = data_set.encode_value(piece.key.vr, values, implicit=self.implicit, encoding=self.encoding)
                parts += (piece.head, piece.length.pack(len(value)), value)
            else:
                parts.append(piece.empty)
        return b"".join(parts)


def _piece(keys: Mapping[str, ReturnKey], tag: str, implicit: bool) -> _Piece:
    key = keys.get(tag)
    head, length = data_set.element_head(tag, key.vr if key else vr_of_tag(tag), implicit=implicit)
    empty = head + length.pack(0)
    return _Attribute(key, head, length, empty) if key else empty
