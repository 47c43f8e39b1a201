"""The file format of PS3.10: preamble, `DICM`, file meta information. Strict when writing, tolerant when reading."""

import struct
from dataclasses import dataclass, field
from functools import lru_cache

from radiology.standards.dicom.limits import shown_tag
from radiology.standards.dicom.uids import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    IMPLICIT_VR_LITTLE_ENDIAN,
)

PREAMBLE_BYTES = 128
#: Head of a file that surely holds its file meta information, unless private meta information is in it.
META_WINDOW_BYTES = 4096
_LONGEST_META_BYTES = 1024 * 1024

_LONG_VRS = frozenset((b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN", b"UT", b"UC", b"UR", b"SQ", b"SV", b"UV"))
_KNOWN_VRS = _LONG_VRS | frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split(b" "),
)
_SHORT = struct.Struct("<HH2sH")
_IMPLICIT = struct.Struct("<HHL")
_ULONG = struct.Struct("<L")
_BEGINNING = b"\0" * PREAMBLE_BYTES + b"DICM" + struct.pack("<HH2sH", 2, 0, b"UL", 4)


class FileMetaError(ValueError):
    """The head of the file is not DICOM, or its file meta information is damaged; `tag` is the element, or ""."""

    def __init__(self, reason: str, tag: str = "") -> None:
        super().__init__(f"{shown_tag(tag)}: {reason}" if tag else reason)
        self.reason = reason
        self.tag = tag


@dataclass(frozen=True, slots=True)
class FileMeta:
    """What the head of a file says about the data set that follows.

    `transfer_syntax_uid` is the one the data set can be read with: the declared one, or a guess where it is missing or
    no UID (then `guessed` is true). `data_set_offset` is in bytes from the start of the file. UIDs are "" when absent.
    """

    transfer_syntax_uid: str
    data_set_offset: int
    has_preamble: bool
    media_storage_sop_class_uid: str = ""
    media_storage_sop_instance_uid: str = ""
    source_ae_title: str = ""
    implementation_class_uid: str = ""
    implementation_version_name: str = ""
    guessed: bool = False
    flags: tuple[str, ...] = field(default=())


def encode_file_meta(
    sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str, source_ae_title: str
) -> bytes:
    """Preamble of zeros, `DICM` and group 0002 for an object of ours (PS3.10 7.1).

    Raises ValueError for a value that is not ASCII.
    """
    first, last = _elements_around(sop_class_uid, transfer_syntax_uid, source_ae_title)
    instance = _element(0x0003, b"UI", _uid_bytes(sop_instance_uid))
    length = _ULONG.pack(len(first) + len(instance) + len(last))
    return b"".join((_BEGINNING, length, first, instance, last))


@lru_cache(maxsize=1024)
def _elements_around(sop_class_uid: str, transfer_syntax_uid: str, source_ae_title: str) -> tuple[bytes, bytes]:
    """What stands before and behind the one element that every object has of its own."""
    first = (
        struct.pack("<HH2s2xL2s", 0x0002, 0x0001, b"OB", 2, b"\0\1"),
        _element(0x0002, b"UI", _uid_bytes(sop_class_uid)),
    )
    last = (
        _element(0x0010, b"UI", _uid_bytes(transfer_syntax_uid)),
        _element(0x0012, b"UI", _uid_bytes(IMPLEMENTATION_CLASS_UID)),
        _element(0x0013, b"SH", _text_bytes(IMPLEMENTATION_VERSION_NAME)),
        _element(0x0016, b"AE", _text_bytes(source_ae_title[:16])) if source_ae_title else b"",
    )
    return b"".join(first), b"".join(last)


def _element(element: int, vr: bytes, value: bytes) -> bytes:
    return _SHORT.pack(2, element, vr, len(value)) + value


def _uid_bytes(uid: str) -> bytes:
    raw = uid.encode("ascii")
    return raw + b"\0" if len(raw) % 2 else raw


def _text_bytes(text: str) -> bytes:
    raw = text.encode("ascii")
    return raw + b" " if len(raw) % 2 else raw


def read_file_meta(head: bytes | memoryview) -> FileMeta:
    """Read the file meta information at the head of a file (PS3.10 7.1), or recognise a bare data set.

    The group length is not believed: elements are followed while their group is 0002. A file without preamble, without
    meta, or with a missing or damaged transfer syntax is read with the encoding its first element shows.
    Raises FileMetaError when the head holds no DICOM, naming the element where it can.
    """
    data = head if isinstance(head, bytes) else bytes(head[:_LONGEST_META_BYTES])
    has_preamble = data[128:132] == b"DICM"
    start = 132 if has_preamble else 4 if data[:4] == b"DICM" else 0
    values, offset = _meta_elements(data, start)
    declared = _text(values.get(0x0010))
    flags: list[str] = [] if has_preamble else ["no_preamble"]
    if not values and has_preamble:
        flags.append("no_file_meta")
    syntax = declared
    guessed = not _looks_like_uid(declared)
    if guessed:
        flags.append("transfer_syntax_missing")
        syntax = guess_transfer_syntax(data[offset : offset + 16])
    return FileMeta(
        transfer_syntax_uid=syntax,
        data_set_offset=offset,
        has_preamble=has_preamble,
        media_storage_sop_class_uid=_text(values.get(0x0002)),
        media_storage_sop_instance_uid=_text(values.get(0x0003)),
        source_ae_title=_text(values.get(0x0016)),
        implementation_class_uid=_text(values.get(0x0012)),
        implementation_version_name=_text(values.get(0x0013)),
        guessed=guessed,
        flags=tuple(flags),
    )


def _meta_elements(data: bytes, offset: int) -> tuple[dict[int, bytes], int]:
    """The values of group 0002 by element number, and the offset of what follows the group."""
    values: dict[int, bytes] = {}
    while data[offset : offset + 2] == b"\2\0" and offset + 8 <= len(data):
        element, start, length = _meta_element_head(data, offset)
        if start + length > len(data):
            raise FileMetaError(
                f"its length of {length} bytes runs past the {len(data)} bytes that were read", f"0002{element:04X}"
            )
        values[element] = data[start : start + length]
        offset = start + length
    return values, offset


def _meta_element_head(data: bytes, offset: int) -> tuple[int, int, int]:
    _, element, vr, length = _SHORT.unpack_from(data, offset)
    if vr in _LONG_VRS:
        if offset + 12 > len(data):
            raise FileMetaError("the file ends inside its head", f"0002{element:04X}")
        return element, offset + 12, int(_ULONG.unpack_from(data, offset + 8)[0])
    if vr in _KNOWN_VRS:
        return element, offset + 8, length
    # Some writers use implicit VR here although PS3.10 7.1 forbids it.
    return element, offset + 8, int(_IMPLICIT.unpack_from(data, offset)[2])


def guess_transfer_syntax(first: bytes) -> str:
    """The uncompressed transfer syntax that the first 8 bytes of a data set show; FileMetaError when none fits."""
    if len(first) < 8:
        raise FileMetaError("there is no data set")
    little, big = int.from_bytes(first[:2], "little"), int.from_bytes(first[:2], "big")
    if first[4:6] in _KNOWN_VRS:
        return EXPLICIT_VR_LITTLE_ENDIAN if little <= big else EXPLICIT_VR_BIG_ENDIAN
    length = int.from_bytes(first[4:8], "little")
    if little > 0x00FF or 0x00FFFFFF < length < 0xFFFFFFFF:
        raise FileMetaError(
            "this is not DICOM: no preamble with DICM, and nothing that a data set could begin with",
            f"{little:04X}{int.from_bytes(first[2:4], 'little'):04X}",
        )
    return IMPLICIT_VR_LITTLE_ENDIAN


def _looks_like_uid(text: str) -> bool:
    return text.startswith("1.2.") and all(part.isdigit() for part in text.split("."))


def _text(raw: bytes | None) -> str:
    return "" if raw is None else raw.decode("ascii", "replace").strip("\0 ")
