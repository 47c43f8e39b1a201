"""What people and programs write into the heads of compressed images: comments and application data.

They are blanked and not cut out, so that every offset stays what it was (ISO/IEC 10918-1 B.2.4, 15444-1 A.9.2).
"""

from typing import Final

#: Comments and application data of a codestream stand in its head, before the first scan or tile.
HEAD_BYTES: Final = 1024 * 1024
_JPEG, _JPEG_2000 = b"\xff\xd8", b"\xff\x4f"
_COMMENT, _COMMENT_2000 = 0xFE, 0x64
#: JFIF, the SPIFF header of JPEG-LS, and Adobe's word about colours are needed to decode.
_NEEDED: Final = frozenset({0xE0, 0xE8, 0xEE})
_APPLICATION: Final = frozenset(range(0xE0, 0xF0)) - _NEEDED
_START_OF_SCAN, _START_OF_TILE = 0xDA, 0x90


def without_comments(head: bytes) -> bytes:
    """The head of a fragment, as long as it was; what is no beginning of a codestream stays as it is."""
    if head.startswith(_JPEG):
        return _blanked(head, _APPLICATION | {_COMMENT}, _START_OF_SCAN, kept_bytes=0)
    if head.startswith(_JPEG_2000):
        return _blanked(head, frozenset({_COMMENT_2000}), _START_OF_TILE, kept_bytes=2)
    return head


def _blanked(head: bytes, markers: frozenset[int], last: int, *, kept_bytes: int) -> bytes:
    data, position = bytearray(head), 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == last:
            break
        if marker == 0xFF:  # A fill byte.
            position += 1
            continue
        length = int.from_bytes(data[position + 2 : position + 4])
        if marker in markers:
            begin, end = position + 4 + kept_bytes, min(position + 2 + length, len(data))
            data[begin:end] = b" " * max(end - begin, 0)
        position += 2 + length
    return bytes(data)
