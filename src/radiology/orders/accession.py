"""Accession numbers (0008,0050): how a facility writes them. Pure; the format is a setting.

A format is text with {facility}, {yyyy}, {yy}, {mm}, {dd} and one {number:06}, which has 4 to 12 digits; {facility:.6}
takes the first six characters. What comes out has at most 16 characters, since it is an SH (PS3.5 6.2).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from string import Formatter
from typing import Any, Final, cast

import orjson

from radiology.errors import Unprocessable
from radiology.settings import SettingsError

LONGEST: Final = 16
EVERY_FACILITY: Final = "*"
_DATES: Final[Mapping[str, str]] = {"yyyy": "%Y", "yy": "%y", "mm": "%m", "dd": "%d"}
_FIELDS: Final = "{facility}, {facility:.6}, {yyyy}, {yy}, {mm}, {dd}, {number:06}"
_NUMBER: Final = re.compile(r"0([4-9]|1[0-2])")
_FACILITY: Final = re.compile(r"(\.\d{1,2})?")
_TEXT: Final = re.compile(r"[A-Za-z0-9_/.-]*")


@dataclass(frozen=True, slots=True)
class Format:
    """A format that was read: pieces of text, each followed by a field with its specification."""

    pieces: tuple[tuple[str, str, str], ...]

    def write(self, facility_code: str, on: date, number: int) -> str:
        """The accession number with this number, which begins again from 0 where it has too many digits."""
        return "".join(text + _field(name, spec, facility_code, on, number) for text, name, spec in self.pieces)


@lru_cache(maxsize=8)
def formats(setting: str) -> Mapping[str, Format]:
    """The formats by facility that the setting holds. Raises SettingsError that says what is wrong."""
    try:
        told = orjson.loads(setting) if setting.lstrip().startswith('{"') else {EVERY_FACILITY: setting}
        if not isinstance(told, dict) or EVERY_FACILITY not in told:
            raise ValueError('must be a format, or a JSON object of formats by facility with "*" for all others')
        named = cast("dict[str, Any]", told)
        return {facility: _read(str(text)) for facility, text in named.items()}
    except ValueError as error:
        raise SettingsError(f"RADI_ACCESSION_NUMBER_FORMAT: {error}.") from None


def check(setting: str, facility_code: str) -> None:
    """Raises SettingsError where a facility that is named, or this one, would get numbers that are too long."""
    read = formats(setting)
    for facility in {facility_code, *read} - {EVERY_FACILITY}:
        written = _of(read, facility).write(facility, date(2000, 12, 31), 0)
        if len(written) > LONGEST:
            raise SettingsError(
                f"RADI_ACCESSION_NUMBER_FORMAT: makes {written} for {facility}, which has {len(written)} characters; "
                f"{LONGEST} are possible (PS3.5 6.2, SH)."
            )


def number(setting: str, facility_code: str, on: date, sequence: int) -> str:
    """The accession number of a facility with this number of a sequence. Raises Unprocessable where it is too long."""
    written = _of(formats(setting), facility_code).write(facility_code, on, sequence)
    if len(written) > LONGEST:
        raise Unprocessable(
            f"The accession number {written} of facility {facility_code} is longer than {LONGEST} characters: give the "
            "facility a shorter format by the setting accession_number_format."
        )
    return written


def _of(read: Mapping[str, Format], facility_code: str) -> Format:
    return read.get(facility_code) or read[EVERY_FACILITY]


def _read(text: str) -> Format:
    parsed = list(Formatter().parse(text))
    for literal, name, spec, conversion in parsed:
        if not _TEXT.fullmatch(literal):
            raise ValueError(f"{literal!r} is more than letters, digits and _ / . -")
        if name is not None and (conversion or not _is_field(name, spec or "")):
            raise ValueError(f"{{{name}}} is none of {_FIELDS}")
    if [name for _, name, _, _ in parsed].count("number") != 1:
        raise ValueError("needs one {number:06}, of 4 to 12 digits")
    return Format(tuple((literal, name or "", spec or "") for literal, name, spec, _ in parsed))


def _is_field(name: str, spec: str) -> bool:
    if name == "number":
        return _NUMBER.fullmatch(spec) is not None
    if name == "facility":
        return _FACILITY.fullmatch(spec) is not None
    return spec == "" and name in _DATES


def _field(name: str, spec: str, facility_code: str, on: date, number: int) -> str:
    if name == "number":
        return f"{number % 10 ** int(spec):{spec}}"
    if name == "facility":
        return f"{facility_code:{spec}}"
    return f"{on:{_DATES[name]}}" if name else ""
