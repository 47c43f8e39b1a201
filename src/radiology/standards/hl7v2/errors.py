"""What is wrong with a message: a sentence, the place, and the code of table 0357 (HL7 2.5.1, 2.15.5)."""

from dataclasses import dataclass
from enum import IntEnum


class Code(IntEnum):
    """Message error condition codes, table 0357."""

    ACCEPTED = 0
    SEGMENT_SEQUENCE = 100
    REQUIRED_FIELD_MISSING = 101
    DATA_TYPE = 102
    TABLE_VALUE_NOT_FOUND = 103
    UNSUPPORTED_MESSAGE_TYPE = 200
    UNSUPPORTED_EVENT = 201
    UNSUPPORTED_PROCESSING_ID = 202
    UNSUPPORTED_VERSION = 203
    UNKNOWN_KEY = 204
    DUPLICATE_KEY = 205
    RECORD_LOCKED = 206
    INTERNAL_ERROR = 207


TEXTS = {
    Code.ACCEPTED: "Message accepted",
    Code.SEGMENT_SEQUENCE: "Segment sequence error",
    Code.REQUIRED_FIELD_MISSING: "Required field missing",
    Code.DATA_TYPE: "Data type error",
    Code.TABLE_VALUE_NOT_FOUND: "Table value not found",
    Code.UNSUPPORTED_MESSAGE_TYPE: "Unsupported message type",
    Code.UNSUPPORTED_EVENT: "Unsupported event code",
    Code.UNSUPPORTED_PROCESSING_ID: "Unsupported processing id",
    Code.UNSUPPORTED_VERSION: "Unsupported version id",
    Code.UNKNOWN_KEY: "Unknown key identifier",
    Code.DUPLICATE_KEY: "Duplicate key identifier",
    Code.RECORD_LOCKED: "Application record locked",
    Code.INTERNAL_ERROR: "Application internal error",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a message: segment, which of its name (from 1), field, component. 0 where it is the whole."""

    segment: str
    sequence: int = 1
    field: int = 0
    component: int = 0

    def __str__(self) -> str:
        parts = [self.segment + (f"[{self.sequence}]" if self.sequence > 1 else "")]
        parts += [str(number) for number in (self.field, self.component) if number]
        return "-".join(parts)


class HL7Error(ValueError):
    """A message that cannot be used; the sentence says what to do."""

    def __init__(self, code: Code, sentence: str, place: Place | None = None) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.place = code, sentence, place
