"""Data types of fields as values (HL7 2.5.1, 2.A): CX, XPN, XCN, CWE, PL, EI, DTM."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from radiology.standards.dicom.bangla import is_bangla, latin_digits
from radiology.standards.dicom.names import PersonName
from radiology.standards.hl7v2.errors import Code, HL7Error, Place
from radiology.standards.hl7v2.message import Field, Segment

_MOMENT = re.compile(r"(\d{4})(\d{2})?(\d{2})?(?:(\d{2})(\d{2})?(\d{2})?(?:\.\d{1,4})?)?([+-]\d{4})?")
_NEVER_IN_NAMES = re.compile(r"[\\=\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Identifier:
    """CX or EI: a number, who assigned it (the authority's name, or else its OID), and the type of table 0203."""

    number: str
    authority: str = ""
    authority_oid: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Coded:
    """CE, CNE or CWE: code, text and coding system, and the same of the alternate."""

    code: str = ""
    text: str = ""
    system: str = ""
    alternate_code: str = ""
    alternate_text: str = ""
    alternate_system: str = ""

    def __bool__(self) -> bool:
        return bool(self.code or self.text or self.alternate_code)


@dataclass(frozen=True, slots=True)
class Person:
    """XCN: somebody of the staff, by number and name (a PN component group)."""

    number: str = ""
    name: str = ""
    authority: str = ""

    def __bool__(self) -> bool:
        return bool(self.number or self.name)


@dataclass(frozen=True, slots=True)
class Location:
    """PL: point of care, room, bed, facility."""

    point_of_care: str = ""
    room: str = ""
    bed: str = ""
    facility: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.point_of_care, self.room, self.bed) if part)


def identifier(field: Field, *, authority_component: int = 4) -> Identifier:
    """CX. The assigning authority is a HD: name, universal ID, its type."""
    name, oid = field.text(authority_component), field.text(authority_component, 2)
    return Identifier(latin_digits(field.text(1)), name or oid, oid, field.text(5))


def identifiers(fields: Iterable[Field]) -> list[Identifier]:
    """All of a repeating CX that have a number."""
    return [found for found in map(identifier, fields) if found.number]


def entity(field: Field) -> Identifier:
    """EI: the authority is of components 2 to 4."""
    return Identifier(latin_digits(field.text(1)), field.text(2) or field.text(3), field.text(3))


def coded(field: Field) -> Coded:
    """CE, CNE or CWE."""
    return Coded(*(field.text(number) for number in range(1, 7)))


def person(field: Field) -> Person:
    """XCN."""
    name = _group([field.text(number) for number in (2, 3, 4, 5, 6, 7)])
    return Person(field.text(1), name, field.text(9))


def location(field: Field) -> Location:
    """PL."""
    return Location(field.text(1), field.text(2), field.text(3), field.text(4))


def person_name(fields: Sequence[Field]) -> PersonName:
    """XPN as PN: the repetition in Bangla script, and the first one that is not.

    Senders seldom say which is which in XPN-8 (A alphabetic, I ideographic), so the letters decide. An alias, a
    nickname or a maiden name counts only where there is no other (table 0200).
    """
    latin = bangla = ""
    for field in sorted(fields, key=lambda field: field.text(7) in ("A", "B", "C", "M", "N", "S", "U")):
        group = _group([field.text(number) for number in range(1, 7)])
        if is_bangla(group):
            bangla = bangla or group
        else:
            latin = latin or group
    return PersonName(latin or bangla, bangla if latin else "")


def _group(parts: Sequence[str]) -> str:
    """Family, given, middle, suffix, prefix, degree of HL7 as a component group of PN (PS3.5 6.2.1)."""
    family, given, middle, suffix, prefix, degree = (_of_a_name(part) for part in parts)
    after = " ".join(part for part in (suffix, degree) if part)
    return "^".join((family, given, middle, prefix, after)).rstrip("^")


def _of_a_name(text: str) -> str:
    return _NEVER_IN_NAMES.sub(" ", text).replace("^", " ").strip()


def xpn(group: str, *, representation: str = "") -> tuple[str, ...]:
    """A component group of PN as the components of XPN."""
    family, given, middle, prefix, suffix = [*group.split("^"), "", "", "", "", ""][:5]
    return (family, given, middle, suffix, prefix, "", "L" if group else "", representation)


def moment(segment: Segment, number: int, *, zone: tzinfo, component: int = 1) -> datetime | None:
    """DTM or TS: the moment that a field names, in its own zone or else in `zone`. Raises HL7Error.

    What is not said (hours, minutes) is taken for 0.
    """
    text = segment.text(number, component)
    return moment_of(text, segment.place(number, component if component > 1 else 0), zone=zone) if text else None


def moment_of(text: str, place: Place, *, zone: tzinfo) -> datetime:
    """The same of a text. Raises HL7Error."""
    match = _MOMENT.fullmatch(latin_digits(text))
    try:
        if match is None:
            raise ValueError(text)
        year, month, day, hour, minute, second, offset = match.groups()
        numbers = [int(each or least) for each, least in zip((year, month, day), (0, 1, 1), strict=True)]
        clock = [int(each or 0) for each in (hour, minute, second)]
        return datetime(*numbers, *clock, tzinfo=_zone(offset) if offset else zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        sentence = f"{place} is no date and time; it must be YYYYMMDDHHMM[SS][+ZZZZ], as 202601211430+0600."
        raise HL7Error(Code.DATA_TYPE, sentence, place) from error


def _zone(offset: str) -> timezone:
    minutes = int(offset[1:3]) * 60 + int(offset[3:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def day(segment: Segment, number: int) -> date | None:
    """DT, or the day of a DTM; a year alone, or a year and month, is its first day. Raises HL7Error."""
    text = segment.text(number)
    if not text:
        return None
    match = _MOMENT.fullmatch(latin_digits(text))
    try:
        if match is None:
            raise ValueError(text)
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError as error:
        place = segment.place(number)
        sentence = f"{place} is no date; it must be YYYYMMDD, as 19800115."
        raise HL7Error(Code.DATA_TYPE, sentence, place) from error


def is_whole_day(text: str) -> bool:
    """Whether a DT or DTM names a day, not only a year or a month."""
    match = _MOMENT.fullmatch(latin_digits(text))
    return match is not None and match[3] is not None


def sent_moment(at: datetime, zone: tzinfo) -> str:
    """A moment to send: with the offset of the zone."""
    return at.astimezone(zone).strftime("%Y%m%d%H%M%S%z")
