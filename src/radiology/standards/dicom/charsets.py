"""Text of DICOM values: Specific Character Set (0008,0005), PS3.3 C.12.1.1.2 and PS3.5 6.1."""

import codecs
import re
from collections.abc import Sequence
from typing import Protocol


class Decoder(Protocol):
    """Takes the bytes of a value; returns the text and whether some of it could not be decoded as declared."""

    def __call__(self, raw: bytes, /) -> tuple[str, bool]: ...


#: Defined terms of PS3.3 C.12.1.1.2, and Python's name for what they say. With ISO 2022 in front they are the same.
_SETS = {
    "6": "iso8859",
    "13": "shift_jis",
    "58": "iso_ir_58",
    "87": "iso2022_jp",
    "100": "latin_1",
    "101": "iso8859_2",
    "109": "iso8859_3",
    "110": "iso8859_4",
    "126": "iso_ir_126",
    "127": "iso_ir_127",
    "138": "iso_ir_138",
    "144": "iso_ir_144",
    "148": "iso_ir_148",
    "149": "euc_kr",
    "159": "iso2022_jp_2",
    "166": "iso_ir_166",
    "192": "UTF8",
    "203": "iso8859_15",
}
_OTHER_TERMS = {"": "iso8859", "GB18030": "GB18030", "GBK": "GBK", "ISO 2022 GBK": "GBK", "ISO 2022 58": "GB2312"}

#: The escape sequences of PS3.3 C.12.1.1.2 and what each switches to.
_ESCAPES = {
    b"\x1b(B": "iso8859",
    b"\x1b(J": "shift_jis",
    b"\x1b)I": "shift_jis",
    b"\x1b-A": "latin_1",
    b"\x1b-B": "iso8859_2",
    b"\x1b-C": "iso8859_3",
    b"\x1b-D": "iso8859_4",
    b"\x1b-F": "iso_ir_126",
    b"\x1b-G": "iso_ir_127",
    b"\x1b-H": "iso_ir_138",
    b"\x1b-L": "iso_ir_144",
    b"\x1b-M": "iso_ir_148",
    b"\x1b-T": "iso_ir_166",
    b"\x1b-b": "iso8859_15",
    b"\x1b$B": "iso2022_jp",
    b"\x1b$(D": "iso2022_jp_2",
    b"\x1b$)A": "iso_ir_58",
    b"\x1b$)C": "euc_kr",
}

_ESCAPE = b"\x1b"
_FRAGMENT = re.compile(rb"^[^\x1b]+|\x1b[^\x1b]*")
_SPELLING = re.compile(r"ISO[ _-]?(?:2022[ _-])?IR[ _-]?(\d+)")
#: Python removes these escape sequences itself, so they are left in.
_SELF_ESCAPING = ("iso2022_jp", "iso2022_jp_2", "iso_ir_58")
_RESET = re.compile(rb"[\\^=\n\r\t\f]")


def decoder(terms: Sequence[str]) -> Decoder:
    """The decoder for the defined terms of (0008,0005). Unknown ones are read as ISO 8859-1, with a remark."""
    names = [_python_name(term) for term in terms] or ["iso8859"]
    known = [name or "iso8859" for name in names]
    if len(known) == 1:
        return _single(known[0], declared=terms[0].strip() if terms else "", unknown=names[0] is None)
    return _extended(known, unknown=None in names)


def _python_name(term: str) -> str | None:
    term = term.strip().upper()
    if (match := _SPELLING.fullmatch(term)) is not None:
        return _SETS.get(match[1])
    return _OTHER_TERMS.get(term)


def _single(name: str, *, declared: str, unknown: bool) -> Decoder:
    if name == "UTF8":
        return _utf8
    if name == "latin_1" and not unknown:
        return _latin_1
    if name == "iso8859":
        return _default_unknown if unknown and declared else _default_repertoire
    if name in _SELF_ESCAPING or "2022" in declared:
        return _extended([name], unknown=False)
    lookup = codecs.lookup(name).decode

    def decode(raw: bytes) -> tuple[str, bool]:
        if raw.isascii():
            return raw.decode("ascii"), False
        try:
            return lookup(raw)[0], False
        except UnicodeError:
            return lookup(raw, "replace")[0], True

    return decode


def _utf8(raw: bytes) -> tuple[str, bool]:
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace"), True


def _latin_1(raw: bytes) -> tuple[str, bool]:
    return raw.decode("latin-1"), False


def _default_repertoire(raw: bytes) -> tuple[str, bool]:
    # Bytes above 127 are not allowed here (PS3.5 6.1.2.1); ISO 8859-1 loses none of them.
    return raw.decode("latin-1"), not raw.isascii()


def _default_unknown(raw: bytes) -> tuple[str, bool]:
    return raw.decode("latin-1"), True


def _extended(names: list[str], *, unknown: bool) -> Decoder:
    """ISO 2022 code extension (PS3.5 6.1.2.5): each part after an escape sequence has its own encoding."""

    def decode(raw: bytes) -> tuple[str, bool]:
        if raw.isascii() and _ESCAPE not in raw:
            return raw.decode("ascii"), unknown
        parts = [_fragment(part, names) for part in _FRAGMENT.findall(raw)]
        return "".join(text for text, _ in parts), unknown or any(bad for _, bad in parts)

    return decode


def _fragment(part: bytes, names: list[str]) -> tuple[str, bool]:
    first = names[0]
    if not part.startswith(_ESCAPE):
        return _with(part, first)
    length = 4 if part.startswith((b"\x1b$(", b"\x1b$)")) else 3
    name = _ESCAPES.get(part[:length], "")
    if name != "iso8859" and name not in names:
        return _with(part, first)[0], True
    if name in _SELF_ESCAPING:
        return _with(part, name)
    part = part[length:]
    # A delimiter ends the extension: what follows has the first character set again.
    if (reset := _RESET.search(part)) is None:
        return _with(part, name)
    head, bad_head = _with(part[: reset.start()], name)
    tail, bad_tail = _with(part[reset.start() :], first)
    return head + tail, bad_head or bad_tail


def _with(raw: bytes, name: str) -> tuple[str, bool]:
    try:
        return raw.decode(name), False
    except UnicodeError:
        return raw.decode(name, "replace"), True
