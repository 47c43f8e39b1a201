"""Items and sub-items, of which A-ASSOCIATE PDUs are made (PS3.8 section 9.3.1), and the error of reading them. No I/O.

Every length is checked against what encloses it.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

MAX_UID_LENGTH: Final = 64

_HEADER: Final = struct.Struct(">BxH")
_U16: Final = struct.Struct(">H")


class AbortReason(IntEnum):
    """Reasons of an A-ABORT whose source is the provider (PS3.8 table 9-26)."""

    NOT_SPECIFIED = 0
    UNRECOGNIZED_PDU = 1
    UNEXPECTED_PDU = 2
    UNRECOGNIZED_PARAMETER = 4
    UNEXPECTED_PARAMETER = 5
    INVALID_PARAMETER_VALUE = 6


class PDUError(ValueError):
    """The peer sent something that cannot be right; says in a sentence what, and which A-ABORT reason answers it."""

    def __init__(self, sentence: str, reason: AbortReason = AbortReason.INVALID_PARAMETER_VALUE) -> None:
        super().__init__(sentence)
        self.reason = reason


def item(kind: int, body: bytes) -> bytes:
    """An item with its header. Raises ValueError when it is too long."""
    if len(body) > 0xFFFF:
        raise ValueError(f"item {kind:02X}H of {len(body)} bytes does not fit a 16-bit length")
    return _HEADER.pack(kind, len(body)) + body


def prefixed(body: bytes) -> bytes:
    """A field after its length. Raises ValueError when it is too long."""
    if len(body) > 0xFFFF:
        raise ValueError(f"a field of {len(body)} bytes does not fit a 16-bit length")
    return _U16.pack(len(body)) + body


def items(body: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Type and content of each item. Raises PDUError."""
    position, end = 0, len(body)
    while position < end:
        if end - position < _HEADER.size:
            raise PDUError("an item ends inside its header")
        kind, length = _HEADER.unpack_from(body, position)
        position += _HEADER.size
        if length > end - position:
            raise PDUError(f"item {kind:02X}H of {length} bytes overruns the {end - position} that are left")
        yield kind, body[position : position + length]
        position += length


def uid_of(raw: bytes | memoryview) -> str:
    """A UID without its padding. Raises PDUError."""
    trimmed = bytes(raw).rstrip(b"\0 ").lstrip(b" ")
    if len(trimmed) > MAX_UID_LENGTH:
        raise PDUError(f"a UID of {len(trimmed)} characters is longer than {MAX_UID_LENGTH}")
    try:
        return trimmed.decode("ascii")
    except UnicodeDecodeError:
        raise PDUError("a UID holds bytes that are not ASCII") from None


class Cursor:
    """Takes fields off the front of a sub-item and never past its end."""

    def __init__(self, view: memoryview) -> None:
        self._view = view

    def take(self, count: int) -> memoryview:
        if count > len(self._view):
            raise PDUError(f"a sub-item has {len(self._view)} bytes where {count} are needed")
        taken, self._view = self._view[:count], self._view[count:]
        return taken

    def rest(self) -> memoryview:
        return self._view

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def prefixed(self) -> memoryview:
        return self.take(self.u16())
