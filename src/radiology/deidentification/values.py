"""What single values become: pseudonyms, UIDs, dates, ages, and values that stand for nothing."""

import re
from datetime import date, timedelta
from typing import Any, Final

from radiology.deidentification.rules import Rules

REMOVED: Final = "REMOVED"
LONGEST_SHIFT_DAYS: Final = 365
OLDEST_AGE_YEARS: Final = 89
#: UIDs that the standard itself gave: they name classes and syntaxes, never something of a patient (PS3.6 Annex A).
REGISTERED: Final = "1.2.840.10008."

_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_DATE_TIME = re.compile(r"(\d{4})(?:(\d{2})(?:(\d{2})((?:\d{2}){0,3}(?:\.\d{1,6})?))?)?([+-]\d{4})?")
_AGE = re.compile(r"(\d{3})([DWMY])")
_DAYS = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}

_DUMMIES: Final[dict[str, Any]] = {
    "AS": "000D", "DA": "19000101", "DT": "19000101000000", "TM": "000000", "PN": "Anonymous", "UR": "urn:removed",
    "DS": "0", "IS": "0", "AT": 0, **dict.fromkeys(("FD", "FL"), 0.0),
    **dict.fromkeys(("SL", "SS", "SV", "UL", "US", "UV"), 0),
    **dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW", "UN"), bytes(8)),
}  # fmt: skip


def pseudonym(rules: Rules, patient_id: str) -> str:
    """What a patient is called instead: the same for all objects of one project."""
    return "P" + rules.digest("patient", patient_id).hex()[:16].upper()


def new_uid(rules: Rules, uid: str) -> str:
    """The UID that stands for another one in a project: below 2.25 (PS3.5 B.2), by the key."""
    return f"2.25.{int.from_bytes(rules.digest('uid', uid)[:16], 'big')}"


def shift_days(rules: Rules, patient_id: str) -> int:
    """By how many days all dates of a patient are earlier in a project: 1 to 365."""
    return 1 + int.from_bytes(rules.digest("dates", patient_id)[:8], "big") % LONGEST_SHIFT_DAYS


def shifted_date(text: str, days: int) -> str:
    """A value of VR DA, so many days earlier; empty for what is no date."""
    match = _DATE.fullmatch(text.strip())
    moved = _earlier(match[1], match[2], match[3], days) if match else None
    return moved.strftime("%Y%m%d") if moved else ""


def shifted_date_time(text: str, days: int) -> str:
    """A value of VR DT, so many days earlier, with its time of day, fraction and zone; empty for what is no DT.

    Where only the year or the month is told, as much is told of the moment that is meant by its middle.
    """
    match = _DATE_TIME.fullmatch(text.strip())
    if match is None:
        return ""
    year, month, day, time, zone = match.groups()
    earlier = _earlier(year, month or "7", day or ("15" if month else "1"), days)
    if earlier is None:
        return ""
    precision = "%Y%m%d" if day else "%Y%m" if month else "%Y"
    return earlier.strftime(precision) + (time or "") + (zone or "")


def capped_age(text: str) -> str:
    """A value of VR AS, not above 89 years; empty for what is no age."""
    match = _AGE.fullmatch(text.strip())
    if match is None:
        return ""
    days = int(match[1]) * _DAYS[match[2]]
    return match[0] if days < (OLDEST_AGE_YEARS + 1) * _DAYS["Y"] else f"{OLDEST_AGE_YEARS:03d}Y"


def dummy(vr: str) -> Any:
    """A value that stands for nothing, as VR `vr` holds it."""
    return _DUMMIES.get(vr, REMOVED)


def _earlier(year: str, month: str, day: str, days: int) -> date | None:
    """None for what is no date, or has no earlier one."""
    try:
        return date(int(year), int(month), int(day)) - timedelta(days=days)
    except (ValueError, OverflowError):
        return None


def is_zone(text: str) -> bool:
    """Whether this is an offset from UTC (PS3.3 C.12.1.1.8), and nothing else."""
    return len(text) == 5 and text[0] in "+-" and text[1:].isascii() and text[1:].isdigit()
