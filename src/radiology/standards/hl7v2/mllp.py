"""Minimal Lower Layer Protocol (HL7 2.5.1, appendix C): <VT> message <FS><CR>. No I/O; memory is bounded."""

from collections.abc import Iterator
from dataclasses import dataclass, field

START, END, RETURN = 0x0B, 0x1C, 0x0D
MOST_GARBAGE_BYTES = 1_024
_KEPT_OF_TOO_LONG = 4_096


class FramingError(Exception):
    """What came cannot be split into messages any more; `beginning` is the message that it was in."""

    def __init__(self, reason: str, beginning: bytes = b"") -> None:
        super().__init__(reason)
        self.reason, self.beginning = reason, beginning


def frame(message: bytes) -> bytes:
    """A message with what stands around it."""
    return bytes((START,)) + message + bytes((END, RETURN))


@dataclass(slots=True)
class Reader:
    """Makes messages of bytes as they come. What stands between messages is passed over, if it is not much.

    A start in the middle of a message begins it anew: the sender gave up the one before, which never ended.
    """

    max_bytes: int
    begun: int = 0
    abandoned: int = 0
    _buffer: bytearray = field(default_factory=bytearray)
    _within: bool = False
    _garbage: int = 0

    @property
    def is_within(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._within

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that end in these bytes. Raises FramingError, after which nothing more can be read."""
        at = 0
        while at < len(data):
            at = self._inside(data, at) if self._within else self._outside(data, at)
            if not self._within and self._buffer:
                message = bytes(self._buffer)
                self._buffer.clear()
                yield message

    def _outside(self, data: bytes, at: int) -> int:
        start = data.find(START, at)
        end = len(data) if start < 0 else start
        self._garbage += sum(byte not in b"\r\n" for byte in data[at:end])
        if self._garbage > MOST_GARBAGE_BYTES:
            raise FramingError("no MLLP")
        if start >= 0:
            self._within, self._garbage = True, 0
            self.begun += 1
        return end + 1

    def _inside(self, data: bytes, at: int) -> int:
        end = data.find(END, at)
        stop = len(data) if end < 0 else end
        again = data.rfind(START, at, stop)
        if again >= 0:
            self.abandoned += 1
            self.begun += 1
            self._buffer.clear()
            at = again + 1
        if len(self._buffer) + stop - at > self.max_bytes:
            raise FramingError("too long", bytes(self._buffer[:_KEPT_OF_TOO_LONG] + data[at : at + _KEPT_OF_TOO_LONG]))
        self._buffer += data[at:stop]
        if end >= 0:
            self._within = False
        return stop + 1
