"""Contracts, shifts, leave and privileges as people write them into one cell of a spreadsheet. Pure.

Several are separated by semicolons: `national; district 3026 until 2026-12-31`, `Sun-Thu 08:00-14:00; Fri 20:00-08:00`,
`2026-02-01/2026-02-05`, `10000033: CT DX; *: US`.
"""

import re
from collections.abc import Callable
from typing import Any, Final, cast

from radiology.external.practitioners.model import Privilege
from radiology.kit.sheets import several
from radiology.practitioners.readers.model import Absence, Contract, Shift

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PERIOD: Final = r"(?: from (?P<begins_on>\S+))?(?: until (?P<ends_on>\S+))?"
_CONTRACT: Final = re.compile(
    r"(?P<scope>facility|district|division|national)(?: (?P<place>[A-Za-z0-9_.-]{1,16}))??" + _PERIOD
)
_SHIFT: Final = re.compile(r"(?P<days>[A-Za-z, -]+?) (?P<begins>\d{1,2}:\d{2}) ?- ?(?P<ends>\d{1,2}:\d{2})")
_ABSENCE: Final = re.compile(r"(?P<begins_on>\d{4}-\d{2}-\d{2})(?: ?/ ?(?P<ends_on>\d{4}-\d{2}-\d{2}))?")
_PRIVILEGE: Final = re.compile(r"(?P<facility_code>[^:\s]+): ?(?P<modalities>[A-Z0-9_*, ]+?)" + _PERIOD)

Fields = dict[str, Any]


def from_cell(read: Callable[[str], Fields]) -> Callable[[object], object]:
    """A validator before: a text becomes the fields of what it says, anything else stays as it is."""

    def validate(value: object) -> object:
        return [read(each) for each in cast("list[str]", several(value))] if isinstance(value, str) else value

    return validate


def contract(text: str) -> Fields:
    """`district 3026 until 2026-12-31`. Raises ValueError."""
    return _read(_CONTRACT, text, "national, or facility, district or division with its code")


def shift(text: str) -> Fields:
    """`Sun-Thu 08:00-14:00`, `Fri, Sat 20:00-08:00`. Raises ValueError."""
    found = _read(_SHIFT, text, "days and hours, as Sun-Thu 08:00-14:00")
    begins, ends = (found[name].zfill(5) for name in ("begins", "ends"))
    return {"days": _days(found["days"]), "begins": begins, "ends": ends}


def absence(text: str) -> Fields:
    """`2026-02-01/2026-02-05`, or one day. Raises ValueError."""
    found = _read(_ABSENCE, text, "days, as 2026-02-01/2026-02-05")
    return {"ends_on": found["begins_on"], **found}


def privilege(text: str) -> Fields:
    """`10000033: CT DX until 2026-12-31`; `*` is all facilities, or all modalities. Raises ValueError."""
    found = _read(_PRIVILEGE, text, "a facility and its modalities, as 10000033: CT DX")
    return {**found, "modalities": found["modalities"].replace(",", " ").split()}


def contract_told(held: Contract) -> str:
    """As `contract` reads it."""
    return " ".join(filter(None, [held.scope, held.place, *_period_told(held.begins_on, held.ends_on)]))


def shift_told(held: Shift) -> str:
    """As `shift` reads it."""
    return f"{', '.join(DAYS[day - 1] for day in sorted(held.days))} {held.begins:%H:%M}-{held.ends:%H:%M}"


def absence_told(held: Absence) -> str:
    """As `absence` reads it."""
    return f"{held.begins_on}/{held.ends_on}"


def privilege_told(held: Privilege) -> str:
    """As `privilege` reads it."""
    period = _period_told(held.begins_on, held.ends_on)
    return " ".join([f"{held.facility_code}: {' '.join(sorted(held.modalities))}", *period])


def _read(pattern: re.Pattern[str], text: str, wanted: str) -> Fields:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not understood: write {wanted}")
    return {name: value for name, value in found.groupdict().items() if value is not None}


def _days(text: str) -> list[int]:
    """The days of the week of `Sun-Thu, Sat`; a span may go over the end of the week. Raises ValueError."""
    days = set[int]()
    for part in text.split(","):
        first, _, last = (each.strip()[:3].title() for each in part.partition("-"))
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(f"{part.strip()[:20]!r} is no day of the week: write Mon, Tue, Wed, Thu, Fri, Sat, Sun")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        days |= {(begin + each) % 7 + 1 for each in range((end - begin) % 7 + 1)}
    return sorted(days)


def _period_told(begins_on: object, ends_on: object) -> list[str]:
    return [f"{word} {day}" for word, day in (("from", begins_on), ("until", ends_on)) if day is not None]
