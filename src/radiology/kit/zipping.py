"""A ZIP archive written as it is sent: stored, not compressed, and ZIP64 where that is needed (APPNOTE 6.3).

What goes in has its size and CRC-32 written before its bytes, so that readers which cannot seek follow too. Nothing
is held but a line for each file.
"""

import struct
from dataclasses import dataclass, field
from datetime import datetime

_LOCAL, _CENTRAL, _END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
_END_64, _LOCATOR_64 = struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
_LARGEST, _MOST_FILES = 0xFFFFFFFF, 0xFFFF
_VERSION, _VERSION_64 = 20, 45
#: Names are in UTF-8.
_FLAGS = 0x0800
#: A file that its owner may write and all may read, as UNIX has it in the upper half.
_ATTRIBUTES = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    size: int
    crc: int
    offset: int


@dataclass(slots=True)
class ZipWriter:
    """Gives the bytes around the files of an archive. `at` is the moment that every file is said to be from."""

    at: datetime
    _entries: list[_Entry] = field(default_factory=list[_Entry])
    _position: int = 0

    def head(self, name: str, size: int, crc: int) -> bytes:
        """What stands before the bytes of a file, of which exactly `size` must follow."""
        entry = _Entry(name.encode(), size, crc, self._position)
        self._entries.append(entry)
        is_large = size >= _LARGEST
        extra = struct.pack("<2H2Q", 1, 16, size, size) if is_large else b""
        told = _LARGEST if is_large else size
        version = _VERSION_64 if is_large else _VERSION
        fixed = _LOCAL.pack(
            b"PK\3\4", version, _FLAGS, 0, *self._moment(), crc, told, told, len(entry.name), len(extra)
        )
        head = fixed + entry.name + extra
        self._position += len(head) + size
        return head

    def end(self) -> bytes:
        """The directory of all files, which ends the archive."""
        directory = b"".join(map(self._central, self._entries))
        count, start, size = len(self._entries), self._position, len(directory)
        after = b""
        if count >= _MOST_FILES or start + size >= _LARGEST:
            after = _END_64.pack(b"PK\6\6", 44, _VERSION_64, _VERSION_64, 0, 0, count, count, size, start)
            after += _LOCATOR_64.pack(b"PK\6\7", 0, start + size, 1)
        told = min(count, _MOST_FILES)
        end = _END.pack(b"PK\5\6", 0, 0, told, told, min(size, _LARGEST), min(start, _LARGEST), 0)
        return directory + after + end

    def _central(self, entry: _Entry) -> bytes:
        is_large, is_far = entry.size >= _LARGEST, entry.offset >= _LARGEST
        values = [*([entry.size] * 2 if is_large else []), *([entry.offset] if is_far else [])]
        extra = struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values) if values else b""
        told, version = _LARGEST if is_large else entry.size, _VERSION_64 if values else _VERSION
        fixed = _CENTRAL.pack(
            b"PK\1\2", 3 << 8 | version, version, _FLAGS, 0, *self._moment(), entry.crc, told, told, len(entry.name),
            len(extra), 0, 0, 0, _ATTRIBUTES, _LARGEST if is_far else entry.offset,
        )  # fmt: skip
        return fixed + entry.name + extra

    def _moment(self) -> tuple[int, int]:
        """Time and date as MS-DOS has them, to two seconds."""
        at = self.at
        return at.hour << 11 | at.minute << 5 | at.second // 2, (at.year - 1980) << 9 | at.month << 5 | at.day
