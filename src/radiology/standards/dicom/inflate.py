"""Deflated Explicit VR Little Endian (PS3.5 A.5): inflate forward only, as far as is asked, within a bound."""

import zlib
from collections.abc import Callable

from radiology.standards.dicom.limits import HeaderError, Limits

_CHUNK = 64 * 1024


class Inflater:
    """A forward-only reader of the inflated data set. Offsets are in the inflated bytes and never decrease."""

    __slots__ = ("_buffer", "_inflate", "_limit", "_next", "_pending", "_read", "_size", "_start", "_whole")

    def __init__(
        self,
        window: bytes | bytearray | memoryview,
        data_set_offset: int,
        size: int,
        read_at: Callable[[int, int], bytes] | None,
        limits: Limits,
    ) -> None:
        self._whole = memoryview(window)
        self._next = data_set_offset
        self._size = size
        self._read = read_at
        self._limit = limits.max_inflated_bytes
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._buffer = b""
        self._start = 0
        self._pending = b""

    def read_at(self, offset: int, length: int) -> bytes:
        """Inflated bytes from `offset`, fewer at the end. Raises HeaderError for damage and above the limit."""
        while self._start + len(self._buffer) < offset + length:
            self._drop_before(offset)
            more = self._some()
            if not more:
                break
            self._buffer += more
        self._drop_before(offset)
        return self._buffer[:length]

    def _drop_before(self, offset: int) -> None:
        drop = min(offset - self._start, len(self._buffer))
        self._buffer = self._buffer[drop:]
        self._start += drop

    def _some(self) -> bytes:
        """The next inflated bytes, at most a chunk; empty at the end."""
        if self._start + len(self._buffer) > self._limit:
            raise HeaderError(f"the data set inflates to more than {self._limit} bytes")
        more = b""
        while not more and not self._inflate.eof:
            deflated = self._pending or self._deflated()
            try:
                more = self._inflate.decompress(deflated, _CHUNK)
            except zlib.error as error:
                raise HeaderError(f"the deflated data set is damaged ({error})") from error
            self._pending = self._inflate.unconsumed_tail
            if not deflated and not more:
                break
        return more

    def _deflated(self) -> bytes:
        offset, length = self._next, min(_CHUNK, self._size - self._next)
        if length <= 0:
            return b""
        if offset < len(self._whole):
            data = bytes(self._whole[offset : offset + length])
        elif self._read is None:
            raise HeaderError(f"the data set goes on at byte {offset}, but only {len(self._whole)} bytes are here")
        else:
            data = self._read(offset, length)
        self._next += len(data)
        return data
