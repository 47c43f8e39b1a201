"""Attribute matching (PS3.4 C.2.2.2): from the text of a key to a condition.

Used by C-FIND, QIDO-RS and REST search alike. A condition says what must hold; whoever owns the columns makes the SQL.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, cast

from radiology.standards.dicom.attributes import AttributePath
from radiology.standards.dicom.dictionary import vr_of
from radiology.standards.dicom.names import PersonName, match_text
from radiology.standards.dicom.plans import usual_vr
from radiology.standards.dicom.uids import is_valid_uid

WILDCARD_VRS = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))
_MODALITIES_IN_STUDY = "00080061"
_ONE_VALUE_VRS = frozenset(("LT", "ST", "UR", "UT"))


class MatchingError(ValueError):
    """A key that cannot be matched; `key` is its keyword or tag."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Universal:
    """Matches everything, also an absent attribute; only asks for its return (PS3.4 C.2.2.2.3)."""


@dataclass(frozen=True, slots=True)
class EmptyValue:
    """Matches an absent or empty attribute (PS3.4 C.2.2.2.8)."""


@dataclass(frozen=True, slots=True)
class SingleValue:
    """Matches this value, case-sensitively (PS3.4 C.2.2.2.1)."""

    value: str

    def matches(self, text: str) -> bool:
        """Whether a stored value is this one, padding aside."""
        return text.strip(" \0") == self.value


@dataclass(frozen=True, slots=True)
class UIDList:
    """Matches any of these UIDs (PS3.4 C.2.2.2.2)."""

    uids: tuple[str, ...]

    def matches(self, text: str) -> bool:
        """Whether a stored UID is in the list."""
        return text.strip(" \0") in self.uids


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Matches a pattern: `*` any characters, `?` exactly one; case-sensitive (PS3.4 C.2.2.2.4)."""

    pattern: str

    def to_like(self) -> str:
        r"""The pattern for SQL `LIKE ... ESCAPE '\'`."""
        return like_pattern(self.pattern)

    def matches(self, text: str) -> bool:
        """Whether a stored value fits the pattern, padding aside."""
        return _fits(self.pattern, text.strip(" \0"))


@dataclass(frozen=True, slots=True)
class PersonNameMatch:
    """Matches a name in any of its component groups, whatever the case and accents (PS3.4 C.2.2.2.1, C.2.2.2.4).

    `groups` are in the form of `names.match_text`. When the key itself has several, each matches its own.
    """

    groups: tuple[str, ...]

    @property
    def wildcard(self) -> bool:
        """Whether there is a pattern to match, not a value to compare."""
        return any("*" in group or "?" in group for group in self.groups)

    def to_like(self) -> str:
        r"""The first group that is asked for, as a pattern for `LIKE ... ESCAPE '\'` on text made by `match_text`."""
        return like_pattern(next(group for group in self.groups if group))

    def matches(self, name: PersonName | str) -> bool:
        """Whether a stored name fits."""
        stored = name if isinstance(name, PersonName) else PersonName.parse(name)
        if len(self.groups) == 1:
            return any(_fits(self.groups[0], match_text(group)) for group in stored.groups)
        pairs = zip(self.groups, (stored.alphabetic, stored.ideographic, stored.phonetic), strict=False)
        return all(not wanted or _fits(wanted, match_text(group)) for wanted, group in pairs)


@dataclass(frozen=True, slots=True)
class DateRange:
    """Matches dates from `start` to `end`, both included; None is open (PS3.4 C.2.2.2.5.1)."""

    start: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Matches times from `start` to `end`, both included to the microsecond; None is open (PS3.4 C.2.2.2.5.2)."""

    start: time | None
    end: time | None


@dataclass(frozen=True, slots=True)
class DateTimeRange:
    """Matches moments from `start` to `end`, both included; None is open (PS3.4 C.2.2.2.5.3).

    A moment without offset is naive: the local time of whoever was asked.
    """

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Matches when one of the conditions does (PS3.4 C.2.2.2.9, and Modalities in Study)."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Matches when one stored item satisfies all these conditions, by tag (PS3.4 C.2.2.2.6)."""

    keys: Mapping[str, "Condition"]


Condition = (
    Universal
    | EmptyValue
    | SingleValue
    | UIDList
    | Wildcard
    | PersonNameMatch
    | DateRange
    | TimeRange
    | DateTimeRange
    | AnyOf
    | Sequence
)


@dataclass(frozen=True, slots=True)
class MatchingOptions:
    """What was negotiated, or what the door allows beyond the rules for everybody."""

    #: UIDs may also be separated by commas (PS3.18 8.3.4.1).
    comma_lists: bool = False
    #: `""` matches empty values.
    empty_value: bool = False
    #: `"a"\"b"` matches any of several values.
    multiple_values: bool = False


DICOMWEB = MatchingOptions(comma_lists=True)
_STRICT = MatchingOptions()


def parse_key(attribute: AttributePath, text: str, options: MatchingOptions = _STRICT) -> Condition:
    """The condition for the text of a key. Raises MatchingError, naming the key, for text that its VR forbids."""
    key, vr = str(attribute), attribute.vr
    text = text.strip(" \0")
    if not text:
        return Universal()
    if options.empty_value and text == '""':
        return EmptyValue()
    if vr == "UI":
        return _uid_list(key, text, options)
    if vr not in _ONE_VALUE_VRS and "\\" in text:
        return _several(attribute, text, options)
    return _one(key, vr, text)


def _several(attribute: AttributePath, text: str, options: MatchingOptions) -> Condition:
    if not options.multiple_values and attribute.tag != _MODALITIES_IN_STUDY:
        raise MatchingError(str(attribute), "only one value can be matched")
    parts = [part.strip().removeprefix('"').removesuffix('"') for part in text.split("\\")]
    return AnyOf(tuple(_one(str(attribute), attribute.vr, part) for part in parts if part))


def _one(key: str, vr: str, text: str) -> Condition:
    if vr in _PARSERS:
        return _PARSERS[vr](key, text)
    if vr in WILDCARD_VRS and set(text) == {"*"}:
        return Universal()
    if vr == "PN":
        groups = tuple(match_text(group) for group in text.split("=")[:3])
        return PersonNameMatch(groups) if any(groups) else Universal()
    if vr in WILDCARD_VRS and ("*" in text or "?" in text):
        return Wildcard(text)
    if vr == "SQ":
        raise MatchingError(key, "a sequence is matched by the attributes in it, such as Sequence.Attribute")
    return SingleValue(text)


def _uid_list(key: str, text: str, options: MatchingOptions) -> Condition:
    if text == "*":
        # Not in the standard; some peers ask for everything like this.
        return Universal()
    if options.comma_lists:
        text = text.replace(",", "\\")
    uids = tuple(uid.strip() for uid in text.split("\\") if uid.strip())
    for uid in uids:
        if not is_valid_uid(uid):
            raise MatchingError(key, f"{uid[:80]!r} is not a UID")
    return UIDList(uids)


# Numbers


def _whole(key: str, text: str) -> Condition:
    try:
        return SingleValue(str(int(text)))
    except ValueError:
        raise MatchingError(key, f"{text[:40]!r} is not a whole number") from None


# Dates and times

_DATE = re.compile(r"(\d{4})(?:[.]?(\d\d))?(?:[.]?(\d\d))?")
_TIME = re.compile(r"(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.(\d{1,6}))?)?)?")
_MOMENT = re.compile(r"(\d{4}(?:\d\d){0,2})((?:\d\d){0,3}(?:\.\d{1,6})?)([+-]\d{4})?")
#: An offset is -1200 to +1400 in quarters of an hour, so that `-0600` after a moment is no year (PS3.4 C.2.2.2.5.3).
_RANGE_HYPHEN = re.compile(r"-(?!(?:0\d|1[0-2])(?:00|15|30|45)(?:$|-))")


def _range(key: str, text: str, hyphens: list[int]) -> tuple[str, str]:
    if len(hyphens) > 1:
        raise MatchingError(key, f"{text[:60]!r} is not one range")
    if not hyphens:
        return text, text
    start, end = text[: hyphens[0]].strip(), text[hyphens[0] + 1 :].strip()
    if not start and not end:
        raise MatchingError(key, "a range needs a beginning or an end")
    return start, end


def _dates(key: str, text: str) -> Condition:
    # QIDO-RS users write 2026-01-31 too; with its two hyphens it cannot be a range.
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        text = text.replace("-", "")
    start, end = _range(key, text, [match.start() for match in re.finditer("-", text)])
    return DateRange(
        _date_bounds(key, start)[0] if start else None,
        _date_bounds(key, end)[1] if end else None,
    )


def _date_bounds(key: str, text: str) -> tuple[date, date]:
    """The first and last day that a date with missing digits may mean."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise MatchingError(key, f"{text[:40]!r} is not a date (YYYYMMDD)")
    year, month, day = int(match[1]), match[2], match[3]
    try:
        first = date(year, int(month or 1), int(day or 1))
        if day:
            return first, first
        if month:
            return first, _next_month(first) - timedelta(days=1)
        return first, date(year, 12, 31)
    except (ValueError, OverflowError):
        raise MatchingError(key, f"{text[:40]!r} is not a day of the calendar") from None


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _times(key: str, text: str) -> Condition:
    start, end = _range(key, text, [match.start() for match in re.finditer("-", text)])
    return TimeRange(
        _time_bounds(key, start)[0] if start else None,
        _time_bounds(key, end)[1] if end else None,
    )


def _time_bounds(key: str, text: str) -> tuple[time, time]:
    """The first and last microsecond that a time with missing digits may mean."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise MatchingError(key, f"{text[:40]!r} is not a time (HHMMSS.FFFFFF)")
    hour, minute, second, fraction = match.groups()
    try:
        return (
            time(int(hour), int(minute or 0), _second(second or "0"), int((fraction or "").ljust(6, "0"))),
            time(int(hour), int(minute or 59), _second(second or "59"), int((fraction or "").ljust(6, "9"))),
        )
    except ValueError:
        raise MatchingError(key, f"{text[:40]!r} is not a time of the day") from None


def _second(text: str) -> int:
    # 60 is a leap second (PS3.5 6.2), which Python's time cannot hold.
    return 59 if text == "60" else int(text)


def _moments(key: str, text: str) -> Condition:
    start, end = _range(key, text, [match.start() for match in _RANGE_HYPHEN.finditer(text)])
    return DateTimeRange(
        _moment_bounds(key, start)[0] if start else None,
        _moment_bounds(key, end)[1] if end else None,
    )


def _moment_bounds(key: str, text: str) -> tuple[datetime, datetime]:
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise MatchingError(key, f"{text[:40]!r} is not a date and time (YYYYMMDDHHMMSS.FFFFFF&ZZXX)")
    first_day, last_day = _date_bounds(key, match[1])
    first, last = _time_bounds(key, match[2]) if match[2] else (time.min, time.max)
    zone = _zone(key, match[3])
    return datetime.combine(first_day, first, zone), datetime.combine(last_day, last, zone)


def _zone(key: str, text: str | None) -> timezone | None:
    if text is None:
        return None
    minutes = int(text[1:3]) * 60 + int(text[3:])
    if minutes > 14 * 60:
        raise MatchingError(key, f"{text!r} is not an offset from UTC")
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


_PARSERS = {"DA": _dates, "TM": _times, "DT": _moments, "IS": _whole, **dict.fromkeys(("US", "SS", "UL", "SL"), _whole)}


def combine(dates: DateRange, times: TimeRange) -> DateTimeRange:
    """One interval of a date range and a time range, where combined matching was negotiated (PS3.4 C.2.2.2.5.4)."""
    return DateTimeRange(
        datetime.combine(dates.start, times.start or time.min) if dates.start else None,
        datetime.combine(dates.end, times.end or time.max) if dates.end else None,
    )


# Patterns


def like_pattern(pattern: str) -> str:
    r"""A DICOM wildcard pattern as an SQL `LIKE` pattern with `\` as its escape."""
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%").replace("?", "_")


def _fits(pattern: str, text: str) -> bool:
    """Whether the text fits the pattern, in time proportional to the product of their lengths at worst."""
    position = star = 0
    at, mark = 0, -1
    while position < len(text):
        if at < len(pattern) and pattern[at] == "*":
            mark, star = at, position
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[position]):
            at += 1
            position += 1
        elif mark >= 0:
            star += 1
            at, position = mark + 1, star
        else:
            return False
    return pattern[at:].strip("*") == ""


# Identifiers


def parse_identifier(
    attributes: Mapping[str, Mapping[str, Any]], options: MatchingOptions = _STRICT
) -> dict[str, Condition]:
    """The conditions of a C-FIND identifier in DICOM JSON form, by tag; sequences hold those of their one item.

    Raises MatchingError. Attributes that control the query itself (level, character set) are the caller's to remove.
    """
    return {tag: _identifier_key((tag,), element, options) for tag, element in attributes.items()}


def _identifier_key(path: tuple[str, ...], element: Mapping[str, Any], options: MatchingOptions) -> Condition:
    values: list[Any] = element.get("Value", [])
    if element["vr"] == "SQ":
        item = cast("Mapping[str, Mapping[str, Any]]", values[0] if values else {})
        keys = {tag: _identifier_key((*path, tag), inner, options) for tag, inner in item.items()}
        # Who names attributes of an item and asks for none of them wants also what has no item (PS3.4 C.2.2.2.6).
        return Universal() if all(isinstance(key, Universal) for key in keys.values()) else Sequence(keys)
    vr = usual_vr(vr_of(int(path[-1], 16)) or element["vr"])
    return parse_key(AttributePath(path, vr), "\\".join(_text(value) for value in values), options)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return PersonName.of_json(cast("Mapping[str, str]", value)).encode()
    return "" if value is None else str(value)
