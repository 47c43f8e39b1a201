"""Character sets of a message: MSH-18, table 0211 (HL7 2.5.1, 2.15.9.18)."""

from radiology.standards.hl7v2.errors import Code, HL7Error, Place

UTF_8 = "UNICODE UTF-8"
ASCII = "ASCII"
#: Terms of table 0211 and Python's names. A set that needs escape sequences (ISO 2022) or two bytes is not taken.
_CODECS = {
    ASCII: "ascii",
    "ISO IR6": "ascii",
    **{f"8859/{part}": f"iso8859_{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    "UNICODE": "utf_8",
    UTF_8: "utf_8",
    "UTF-8": "utf_8",
}
#: Other spellings that senders use, without spaces and hyphens.
_SPELLINGS = {"UNICODEUTF8": UTF_8, "UTF8": UTF_8, "ISO88591": "8859/1", "ISOIR100": "8859/1", "ISOIR192": UTF_8}
_BOM = b"\xef\xbb\xbf"


def codec(term: str) -> str:
    """Python's name of a character set. Raises HL7Error for one that is not taken."""
    plain = term.strip().upper()
    plain = _SPELLINGS.get(plain.replace(" ", "").replace("-", ""), plain)
    found = _CODECS.get(plain)
    if found is None:
        raise HL7Error(
            Code.TABLE_VALUE_NOT_FOUND,
            f"The character set {term!r} is not supported. Send {UTF_8}, {ASCII} or 8859/1 to 8859/15 in MSH-18.",
            Place("MSH", field=18),
        )
    return found


def decode(raw: bytes, term: str) -> str:
    """The text of a message. Without a term, UTF-8 where it is that, else ISO 8859-1. Raises HL7Error."""
    raw = raw.removeprefix(_BOM)
    if not term.strip():
        try:
            return raw.decode("utf_8")
        except UnicodeDecodeError:
            return raw.decode("iso8859_1")
    name = codec(term)
    try:
        return raw.decode(name)
    except UnicodeDecodeError as error:
        number = raw.count(b"\r", 0, error.start) + 1
        raise HL7Error(
            Code.DATA_TYPE,
            f"Line {number} has bytes that are not {term}, which MSH-18 names. Correct MSH-18, or the text.",
            Place("MSH", field=18),
        ) from error


def encode(text: str, term: str) -> bytes:
    """The bytes of a message. What the character set does not have becomes `?`."""
    return text.encode(codec(term) if term.strip() else "ascii", "replace")
