"""Messages: separators, segments, fields, escapes, and their limits (HL7 2.5.1, 2.5 to 2.7).

A segment is split when it is asked for, so that a message of nothing but separators costs no more than its length.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from radiology.standards.hl7v2 import charsets
from radiology.standards.hl7v2.errors import Code, HL7Error, Place

NULL = '""'
"""A value that is to be deleted (2.5.3.1)."""
MOST_SEGMENTS = 2_000
_HEADER = 2_000
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_ENDS = re.compile(r"\r\n?")
_LONG_TEXTS = ("OBX", "NTE")
_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")
#: They are not printed, and change what Bangla conjuncts look like.
_JOINERS = "\u200c\u200d"
#: Formatted text (2.7.6) as plain text: what begins a line, and what has no meaning here.
_FORMATTING = {".br": "\n", ".sp": "\n", ".ce": "\n", ".fi": "", ".nf": "", ".in": "", ".ti": "", ".sk": " "}


@dataclass(frozen=True, slots=True)
class Separators:
    """The five characters of MSH-1 and MSH-2, in this order."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def encoding_characters(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent


USUAL = Separators()


@dataclass(frozen=True)
class Segment:
    """One segment. `number` says which of its name it is, from 1. Fields, components and repetitions count from 1."""

    name: str
    line: str
    separators: Separators = USUAL
    number: int = 1
    codec: str = "utf_8"

    @cached_property
    def fields(self) -> list[str]:
        """The fields as they were sent, the segment's name first; of MSH the separator is field 1."""
        parts = self.line.split(self.separators.field)
        if self.name == "MSH":
            parts.insert(1, self.separators.field)
        return parts

    def raw(self, number: int) -> str:
        """A field as it was sent; "" where it was not."""
        return self.fields[number] if number < len(self.fields) else ""

    def is_null(self, number: int) -> bool:
        """Whether the field asks to delete what is known."""
        return self.raw(number) == NULL

    def repetitions(self, number: int) -> list["Field"]:
        """The repetitions of a field that say something."""
        text = self.raw(number)
        if not text or text == NULL:
            return []
        parts = text.split(self.separators.repetition)
        return [Field(part, self.separators, self.codec) for part in parts if part and part != NULL]

    def field(self, number: int) -> "Field":
        """The first repetition of a field, which may be empty."""
        text = self.raw(number)
        first = "" if text == NULL else text.split(self.separators.repetition, 1)[0]
        return Field(first, self.separators, self.codec)

    def text(self, number: int, component: int = 1) -> str:
        """The text of a component of the first repetition of a field."""
        return self.field(number).text(component)

    def must(self, number: int, meaning: str, component: int = 1) -> str:
        """The same of a field that has to be there. Raises HL7Error."""
        text = self.text(number, component)
        if not text:
            place = self.place(number, component if component > 1 else 0)
            raise HL7Error(Code.REQUIRED_FIELD_MISSING, f"{place} is empty: {meaning}.", place)
        return text

    def place(self, number: int = 0, component: int = 0) -> Place:
        """Where this is, for errors."""
        return Place(self.name, self.number, number, component)


@dataclass(frozen=True, slots=True)
class Field:
    """One repetition of a field as it was sent."""

    sent: str
    separators: Separators = USUAL
    codec: str = "utf_8"

    def __bool__(self) -> bool:
        return bool(self.sent)

    @property
    def components(self) -> list[str]:
        """The components as they were sent."""
        return self.sent.split(self.separators.component)

    def text(self, component: int = 1, subcomponent: int = 1) -> str:
        """The text of a subcomponent, without escapes and without blanks around; "" where there is none."""
        components = self.components
        part = components[component - 1] if component <= len(components) else ""
        parts = part.split(self.separators.subcomponent)
        text = parts[subcomponent - 1] if subcomponent <= len(parts) else ""
        return "" if text == NULL else unescape(text, self.separators, codec=self.codec).strip()


@dataclass(frozen=True)
class Message:
    """A message that was read: its segments in order."""

    segments: Sequence[Segment]
    separators: Separators = USUAL
    charset: str = ""
    by_name: dict[str, list[Segment]] = field(default_factory=dict[str, list[Segment]])

    @property
    def header(self) -> Segment:
        """MSH."""
        return self.segments[0]

    def all(self, name: str) -> list[Segment]:
        """The segments of a name."""
        return self.by_name.get(name, [])

    def find(self, name: str) -> Segment | None:
        """The first segment of a name."""
        found = self.all(name)
        return found[0] if found else None

    def one(self, name: str) -> Segment:
        """The same of a segment that has to be there. Raises HL7Error."""
        found = self.find(name)
        if found is None:
            sentence = f"The message has no segment {name}, which {self.header.text(9)} needs."
            raise HL7Error(Code.SEGMENT_SEQUENCE, sentence, Place(name))
        return found

    def groups(self, first: str) -> Iterator["Message"]:
        """Parts of the message that each begin with a segment of this name, up to the next one."""
        starts = [index for index, segment in enumerate(self.segments) if segment.name == first]
        for start, end in pairwise([*starts, len(self.segments)]):
            yield _of(self.segments[start:end], self.separators, self.charset)

    def before(self, name: str) -> "Message":
        """The part of the message before the first segment of this name."""
        ends = (index for index, segment in enumerate(self.segments) if segment.name == name)
        return _of(self.segments[: next(ends, len(self.segments))], self.separators, self.charset)


def parse(raw: bytes, *, charset: str = "", default_charset: str = "") -> Message:
    """Read a message. `charset` is used whatever MSH-18 says, `default_charset` where it says nothing.

    Segments may end with CR LF or with LF, too, though the standard has CR alone. Raises HL7Error.
    """
    separators, declared = _read_header(raw)
    term = charset or declared or default_charset
    text = charsets.decode(raw, term)
    codec = charsets.codec(term) if term else "utf_8"
    segments = _segments(text.strip("\r\n\x00 "), separators, codec)
    return _of(segments, separators, term)


def _segments(text: str, separators: Separators, codec: str) -> list[Segment]:
    segments: list[Segment] = []
    counts: dict[str, int] = {}
    for line in _lines(text, separators):
        name = line[:3]
        counts[name] = counts.get(name, 0) + 1
        segments.append(Segment(name, line, separators, counts[name], codec))
    if counts.get("MSH") != 1:
        raise HL7Error(
            Code.SEGMENT_SEQUENCE, "The message has a second MSH; send each message by itself.", Place("MSH")
        )
    return segments


def _lines(text: str, separators: Separators) -> list[str]:
    """The segments as text. What no segment begins with belongs to the long text of an OBX or NTE before it."""
    lines: list[str] = []
    for line in _ENDS.split(text) if "\r" in text else text.split("\n"):
        if not line.strip():
            continue
        if _NAME.match(line) and line[3:4] in (separators.field, ""):
            lines.append(line)
        elif lines and lines[-1][:3] in _LONG_TEXTS:
            lines[-1] += "\n" + line
        else:
            before = lines[-1][:3] if lines else "the beginning"
            sentence = f"After {before} comes a line that is no segment: it must begin with three capitals such as PID."
            raise HL7Error(Code.SEGMENT_SEQUENCE, sentence, Place(lines[-1][:3]) if lines else None)
        if len(lines) > MOST_SEGMENTS:
            raise HL7Error(Code.SEGMENT_SEQUENCE, f"The message has more than {MOST_SEGMENTS} segments.")
    return lines


def header_of(raw: bytes) -> Segment:
    """MSH alone, of a message that may not be whole: for its acknowledgement. Raises HL7Error."""
    separators, _ = _read_header(raw)
    line = re.split(rb"[\r\n]", _beginning(raw), maxsplit=1)[0].decode("utf_8", "replace")
    return Segment("MSH", line, separators)


def _of(segments: Sequence[Segment], separators: Separators, charset: str) -> Message:
    by_name: dict[str, list[Segment]] = {}
    for segment in segments:
        by_name.setdefault(segment.name, []).append(segment)
    return Message(segments, separators, charset, by_name)


def _beginning(raw: bytes) -> bytes:
    return raw[:_HEADER].removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\x00 ")


def _read_header(raw: bytes) -> tuple[Separators, str]:
    """The separators, and MSH-18, which are ASCII in every character set that is taken."""
    beginning = _beginning(raw)
    line = re.split(rb"[\r\n]", beginning, maxsplit=1)[0].decode("ascii", "replace")
    if line[:3] != "MSH":
        raise HL7Error(Code.SEGMENT_SEQUENCE, "The message does not begin with MSH.", Place("MSH"))
    mark = line[3:4]
    encoding = line[4:].split(mark, 1)[0] if mark else ""
    characters = mark + encoding[:4] + USUAL.encoding_characters[len(encoding[:4]) :]
    if len(set(characters)) != 5 or any(char.isalnum() or not char.isprintable() for char in characters):
        sentence = "MSH-1 and MSH-2 must be five different characters that are no letters or digits, as |^~\\&."
        raise HL7Error(Code.DATA_TYPE, sentence, Place("MSH", field=2))
    separators = Separators(*characters)
    declared = Segment("MSH", line, separators).field(18)
    return separators, declared.sent.strip()


def unescape(text: str, separators: Separators = USUAL, *, codec: str = "utf_8") -> str:
    """Text without escape sequences (2.7). Hexadecimal ones are bytes of the message's character set."""
    if separators.escape not in text:
        return text
    marks = {
        "F": separators.field,
        "S": separators.component,
        "T": separators.subcomponent,
        "R": separators.repetition,
        "E": separators.escape,
        "H": "",
        "N": "",
    }
    parts = text.split(separators.escape)
    out, hexadecimal, index = [parts[0]], bytearray(), 1
    while index < len(parts):
        sequence, closed = parts[index], index + 1 < len(parts)
        match = _HEX.fullmatch(sequence) if closed else None
        if match:
            hexadecimal += bytes.fromhex(match[1])
        else:
            out.append(_decoded(hexadecimal, codec))
            hexadecimal.clear()
            out.append(_meaning(sequence, marks) if closed else separators.escape + sequence)
        if closed:
            if parts[index + 1]:
                out.append(_decoded(hexadecimal, codec))
                hexadecimal.clear()
            out.append(parts[index + 1])
        index += 2
    out.append(_decoded(hexadecimal, codec))
    return "".join(out)


def _decoded(raw: bytearray, codec: str) -> str:
    if not raw:
        return ""
    try:
        return raw.decode("ascii" if codec == "ascii" else codec)
    except UnicodeDecodeError:
        return raw.decode("iso8859_1")


def _meaning(sequence: str, marks: dict[str, str]) -> str:
    if sequence in marks:
        return marks[sequence]
    for command, meaning in _FORMATTING.items():
        if sequence.startswith(command):
            return meaning
    # Other character sets (C, M) and what senders invented (Z) are left out; anything else was no sequence at all.
    return "" if sequence[:1] in ("C", "M", "Z") else f"{marks['E']}{sequence}{marks['E']}"


def escape(text: str, separators: Separators = USUAL) -> str:
    """Text with escape sequences for the separators and for line ends (2.7)."""
    table = {
        separators.escape: "E",
        separators.field: "F",
        separators.component: "S",
        separators.repetition: "R",
        separators.subcomponent: "T",
        "\n": ".br",
    }
    out = (f"{separators.escape}{table[char]}{separators.escape}" if char in table else char for char in text)
    return "".join(char for char in "".join(out).replace("\r", "") if char.isprintable() or char in _JOINERS)


Value = str | Sequence[str | Sequence[str]]
"""A field: its text, or its components, each of which may be subcomponents."""


def segment(name: str, *fields: Value) -> str:
    """A segment to send; every text is escaped. Empty fields at the end are left out."""
    return "|".join((name, *(_sent(value) for value in fields))).rstrip("|")


def _sent(value: Value) -> str:
    if isinstance(value, str):
        return escape(value)
    parts = (escape(part) if isinstance(part, str) else "&".join(escape(each) for each in part) for part in value)
    return "^".join(parts).rstrip("^")


def encode(lines: Sequence[str], charset: str) -> bytes:
    """A message to send: segments that each end with CR."""
    return charsets.encode("".join(f"{line}\r" for line in lines), charset)
