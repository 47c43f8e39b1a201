"""Whole data sets of messages: bytes to the DICOM JSON model (PS3.18 Annex F) and back (PS3.5 section 7).

For identifiers, modification lists and other data sets that fit in memory and carry no pixel data to read. Objects are
read by `header`. Only Implicit and Explicit VR Little Endian are used for them.
"""

import struct
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from radiology.errors import Unprocessable
from radiology.standards.dicom.limits import HeaderError, Limits, shown_tag
from radiology.standards.dicom.reader import Reader
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from radiology.standards.dicom.values import BINARY_VRS, LONG_VRS

__all__ = ["ASCII", "LATIN_1", "LIMITS", "UTF_8", "decode", "element_head", "encode", "encode_element", "encode_value",
           "encoding_of", "is_implicit"]  # fmt: skip

#: What a data set of a message may cost; a longer or deeper one is refused.
LIMITS = Limits(
    depth=16,
    elements=20_000,
    values=100_000,
    header_bytes=16 * 1024 * 1024,
    inline_bytes=16 * 1024 * 1024,
    value_bytes=16 * 1024 * 1024,
)

#: The character sets that are written, by their defined terms (PS3.3 C.12.1.1.2).
UTF_8, LATIN_1, ASCII = "ISO_IR 192", "ISO_IR 100", ""
_ENCODINGS = {UTF_8: "utf-8", LATIN_1: "latin-1", ASCII: "ascii", "ISO_IR 6": "ascii"}

_CHARACTER_SET = "00080005"
_LONGEST_SHORT = 0xFFFE
_LONGEST_DS = 16
_ITEM = struct.pack("<HH", 0xFFFE, 0xE000)

_Encoder = Callable[[Sequence[Any], str], bytes]


def decode(data: bytes, transfer_syntax_uid: str) -> dict[str, Any]:
    """The attributes of a data set in the order of tags, text decoded by its Specific Character Set.

    Raises Unprocessable when it does not parse, is cut off or exceeds `LIMITS`. Pixel data is named, not read.
    """
    implicit = is_implicit(transfer_syntax_uid)
    if not data:
        return {}
    reader = Reader(data, 0, len(data), None, LIMITS)
    try:
        attributes = reader.read(implicit=implicit, big=False, as_declared=True)
    except HeaderError as error:
        raise Unprocessable(f"The data set does not parse: {error}.", tag=error.tag[:8] or None) from error
    if reader.flags & {"truncated", "length_overrun", "trailing_bytes", "pixel_sequence"}:
        raise Unprocessable("The data set ends inside an element. Send it whole.")
    return attributes


def encode(attributes: Mapping[str, Any], transfer_syntax_uid: str, *, charset: str | None = None) -> bytes:
    """The bytes of a data set given in the DICOM JSON model, in ascending tags.

    With a `charset` text is written in it, what it cannot write as "?", and Specific Character Set (0008,0005) says so.
    Without one, text that is not ASCII is written as ISO_IR 192. Group lengths are left out.
    Raises Unprocessable, with the tag, for a value that its VR cannot hold.
    """
    implicit = is_implicit(transfer_syntax_uid)
    encoding = encoding_of(UTF_8 if charset is None else charset)
    pieces = {tag: _element(tag, attributes[tag], implicit, encoding, 0) for tag in sorted(attributes)}
    whole = b"".join(pieces.values())
    if charset is None and (whole.isascii() or all(map(bytes.isascii, _texts(attributes, encoding)))):
        return whole
    named = [] if encoding == "ascii" else [UTF_8 if charset is None else charset]
    pieces[_CHARACTER_SET] = _element(_CHARACTER_SET, {"vr": "CS", "Value": named}, implicit, encoding, 0)
    return b"".join(pieces[tag] for tag in sorted(pieces))


def encode_element(tag: str, element: Mapping[str, Any]) -> bytes:
    """One element in Explicit VR Little Endian, its text in UTF-8. Raises Unprocessable as `encode` does."""
    return _element(tag, element, False, "utf-8", 0)


def is_implicit(transfer_syntax_uid: str) -> bool:
    """Whether data sets of this transfer syntax have implicit VRs. Raises Unprocessable for those not used here."""
    syntax = TRANSFER_SYNTAXES.get(transfer_syntax_uid, TRANSFER_SYNTAXES[EXPLICIT_VR_LITTLE_ENDIAN])
    if syntax.big_endian or syntax.deflated:
        raise Unprocessable(f"Data sets of messages are little endian and not deflated, not {syntax.name}.")
    return syntax.implicit_vr


def encode_value(vr: str, values: Sequence[Any], *, implicit: bool, encoding: str) -> bytes:
    """A value alone, of even length, without tag and length. Raises Unprocessable where the VR cannot hold it."""
    try:
        return _value({"vr": vr, "Value": values}, vr, implicit, encoding, 0)
    except (struct.error, TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise Unprocessable(f"VR {vr} cannot hold a value.") from error


def encoding_of(charset: str) -> str:
    """Python's name for a defined term that can be written. Raises Unprocessable for others."""
    try:
        return _ENCODINGS[charset]
    except KeyError:
        raise Unprocessable(f"Text is written as ISO_IR 192, ISO_IR 100 or ASCII, not {charset!r}.") from None


def element_head(tag: str, vr: str, *, implicit: bool) -> tuple[bytes, struct.Struct]:
    """What stands before a value: the bytes before its length, and how the length is packed (PS3.5 7.1.2, 7.1.3)."""
    key = struct.pack("<HH", int(tag[:4], 16), int(tag[4:], 16))
    if implicit:
        return key, _LONG_LENGTH
    if vr in LONG_VRS:
        return key + vr.encode() + b"\0\0", _LONG_LENGTH
    return key + vr.encode(), _SHORT_LENGTH


_LONG_LENGTH, _SHORT_LENGTH = struct.Struct("<L"), struct.Struct("<H")


def _element(tag: str, element: Mapping[str, Any], implicit: bool, encoding: str, depth: int) -> bytes:
    if tag.endswith("0000"):
        return b""
    vr = element["vr"]
    try:
        value = _value(element, vr, implicit, encoding, depth)
    except (struct.error, TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise Unprocessable(f"{shown_tag(tag)} holds something that VR {vr} cannot.", tag=tag) from error
    if not implicit and vr not in LONG_VRS and len(value) > _LONGEST_SHORT:
        # PS3.5 6.2.2: a value too long for the 16 bit length of its VR is written as UN.
        vr = "UN"
    head, length = element_head(tag, vr, implicit=implicit)
    return head + length.pack(len(value)) + value


def _value(element: Mapping[str, Any], vr: str, implicit: bool, encoding: str, depth: int) -> bytes:
    if vr == "SQ":
        return _sequence(element.get("Value", ()), implicit, encoding, depth + 1)
    if vr in BINARY_VRS:
        return _binary(element)
    if "BulkDataURI" in element:
        raise ValueError("a value that is not here")
    values = element.get("Value", ())
    return _ENCODERS[vr](values, encoding) if values else b""


def _sequence(items: Sequence[Mapping[str, Any]], implicit: bool, encoding: str, depth: int) -> bytes:
    if depth > LIMITS.depth:
        raise Unprocessable(f"Sequences are nested deeper than {LIMITS.depth}.")
    parts: list[bytes] = []
    for item in items:
        # An item inherits the character set of the data set (PS3.5 7.5.3).
        content = b"".join(
            _element(tag, item[tag], implicit, encoding, depth) for tag in sorted(item) if tag != _CHARACTER_SET
        )
        parts += (_ITEM, _LONG_LENGTH.pack(len(content)), content)
    return b"".join(parts)


def _binary(element: Mapping[str, Any]) -> bytes:
    if "BulkDataURI" in element:
        raise ValueError("a value that is not here")
    try:
        return _even(b64decode(element.get("InlineBinary", ""), validate=True), b"\0")
    except Base64Error as error:
        raise ValueError("not base64") from error


def _texts(attributes: Mapping[str, Any], encoding: str, depth: int = 0) -> list[bytes]:
    """Every text whose encoding Specific Character Set decides, as it is written."""
    found: list[bytes] = []
    for element in attributes.values():
        vr = element["vr"]
        if vr == "SQ" and depth <= LIMITS.depth:
            for item in element.get("Value", ()):
                found += _texts(item, encoding, depth + 1)
        elif vr in _DECLARED_TEXT:
            found.append(_ENCODERS[vr](element.get("Value", ()), encoding))
    return found


# Values, VR by VR (PS3.5 6.2)


def _even(value: bytes, padding: bytes = b" ") -> bytes:
    return value + padding if len(value) % 2 else value


def _text(values: Sequence[Any], encoding: str) -> bytes:
    text = values[0] or "" if len(values) == 1 else "\\".join(value or "" for value in values)
    return _even(text.encode(encoding, "replace"))


def _code(values: Sequence[Any], _encoding: str) -> bytes:
    return _text(values, "latin-1")


def _uid(values: Sequence[Any], _encoding: str) -> bytes:
    return _even("\\".join(value or "" for value in values).encode("latin-1", "replace"), b"\0")


def _person_name(values: Sequence[Any], encoding: str) -> bytes:
    return _text([_groups(value) if value else "" for value in values], encoding)


def _groups(name: Mapping[str, str]) -> str:
    groups = (name.get("Alphabetic", ""), name.get("Ideographic", ""), name.get("Phonetic", ""))
    return "=".join(groups).rstrip("=")


def _numbers(values: Sequence[Any], _encoding: str) -> bytes:
    return _text([None if value is None else number_text(value) for value in values], "latin-1")


def number_text(value: float | str) -> str:
    """A number as IS or DS: at most 16 characters, as exact as they allow."""
    text = value if isinstance(value, str) else repr(value)
    if isinstance(value, float):
        digits = 16
        while len(text) > _LONGEST_DS:
            text = f"{value:.{digits}g}"
            digits -= 1
    return text


def _binary_numbers(code: str, values: Sequence[Any], _encoding: str) -> bytes:
    numbers = map(float, values) if code in "fd" else values
    return struct.pack(f"<{len(values)}{code}", *numbers)


def _attribute_tags(values: Sequence[Any], _encoding: str) -> bytes:
    return b"".join(struct.pack("<HH", int(value[:4], 16), int(value[4:8], 16)) for value in values)


_DECLARED_TEXT = frozenset(("LO", "SH", "UC", "LT", "ST", "UT", "PN"))
_NUMBER_CODES = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}
_ENCODERS: dict[str, _Encoder] = {
    **dict.fromkeys(("LO", "SH", "UC", "LT", "ST", "UT"), _text),
    **dict.fromkeys(("AE", "AS", "CS", "DA", "DT", "TM", "UR"), _code),
    **dict.fromkeys(("IS", "DS"), _numbers),
    **{vr: partial(_binary_numbers, code) for vr, code in _NUMBER_CODES.items()},
    "UI": _uid,
    "PN": _person_name,
    "AT": _attribute_tags,
}
