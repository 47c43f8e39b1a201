"""Dates and times of a data set in another zone, for timezone query adjustment (PS3.4 C.5.1.1). Pure.

A date and the time of the same moment go together. Of a date without a time, and of a time without a date, nobody knows
the moment, so they stay as they are; so do dates and times of the patient, which are of no zone.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Final

TIMEZONE_OFFSET: Final = "00080201"
PAIRS: Final = (
    ("00080012", "00080013"),  # InstanceCreationDate, InstanceCreationTime
    ("00080020", "00080030"),  # StudyDate, StudyTime
    ("00080021", "00080031"),  # SeriesDate, SeriesTime
    ("00080022", "00080032"),  # AcquisitionDate, AcquisitionTime
    ("00080023", "00080033"),  # ContentDate, ContentTime
    ("00400002", "00400003"),  # ScheduledProcedureStepStartDate, ScheduledProcedureStepStartTime
    ("00400244", "00400245"),  # PerformedProcedureStepStartDate, PerformedProcedureStepStartTime
    ("00400250", "00400251"),  # PerformedProcedureStepEndDate, PerformedProcedureStepEndTime
)
_PARTNERS: Final[Mapping[str, str]] = {one: other for pair in PAIRS for one, other in (pair, pair[::-1])}


def parse_offset(text: str) -> timezone:
    """A value of Timezone Offset From UTC (0008,0201), as +0600 (PS3.3 C.12.1.1.8). Raises ValueError."""
    sign, digits = text[:1], text[1:]
    if sign not in ("+", "-") or len(digits) != 4 or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{text[:20]!r} is no offset such as +0600")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    if minutes > 14 * 60 or int(digits[2:]) > 59:
        raise ValueError(f"{text[:20]!r} is no offset such as +0600")
    return timezone(timedelta(minutes=-minutes if sign == "-" else minutes))


def with_partners(tags: Iterable[str]) -> frozenset[str]:
    """These attributes, and those that are needed to move them to another zone."""
    asked = frozenset(tags)
    return asked | {_PARTNERS[tag] for tag in asked if tag in _PARTNERS}


def in_zone(attributes: Mapping[str, Any], local: tzinfo, target: tzinfo) -> dict[str, Any]:
    """Attributes (DICOM JSON model) with their dates and times in a zone; `local` is theirs unless they name one."""
    moved = dict(attributes)
    try:
        source: tzinfo = parse_offset(_text(attributes, TIMEZONE_OFFSET))
    except ValueError:
        source = local
    for date_tag, time_tag in PAIRS:
        day, clock = _moved(_text(attributes, date_tag), _text(attributes, time_tag), source, target)
        if day:
            moved[date_tag] = {**attributes[date_tag], "Value": [day]}
            moved[time_tag] = {**attributes[time_tag], "Value": [clock]}
    for tag, element in attributes.items():
        if element.get("vr") == "DT" and "Value" in element:
            moved[tag] = {**element, "Value": [_moved_moment(str(value), source, target) for value in element["Value"]]}
    return moved


def _moved(day: str, clock: str, source: tzinfo, target: tzinfo) -> tuple[str, str]:
    """A DA and a TM in another zone, as precise as they were; empty where they are no moment."""
    digits, dot, fraction = clock.partition(".")
    if len(day) != 8 or len(digits) not in (2, 4, 6):
        return "", ""
    try:
        moment = datetime.strptime(day + digits.ljust(6, "0"), "%Y%m%d%H%M%S").replace(tzinfo=source)
        there = moment.astimezone(target)
    except (ValueError, OverflowError):
        return "", ""
    return there.strftime("%Y%m%d").zfill(8), f"{there:%H%M%S}"[: max(len(digits), 4)] + dot + fraction


def _moved_moment(value: str, source: tzinfo, target: tzinfo) -> str:
    """A DT in another zone; as it is where it names its own, or is not as precise as a minute."""
    if len(value) < 12 or "+" in value or "-" in value:
        return value
    day, clock = _moved(value[:8], value[8:], source, target)
    return day + clock if day else value


def _text(attributes: Mapping[str, Any], tag: str) -> str:
    """The value of an attribute that has one, "" otherwise."""
    values: list[Any] = attributes.get(tag, {}).get("Value", [])
    return str(values[0]).strip() if len(values) == 1 else ""
