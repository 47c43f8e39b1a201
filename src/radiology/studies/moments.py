"""Moments as clients send them: ISO 8601 with an offset; one without is read in the service's zone."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from radiology.errors import FieldProblem, Invalid, Unprocessable
from radiology.procedures.coding import CodingWarning

_FORM = "must be ISO 8601 with an offset, as 2026-01-21T14:00:00+06:00"


def read_moment(text: str, zone: ZoneInfo, field: str) -> tuple[datetime, list[CodingWarning]]:
    """A moment of a body. Raises Unprocessable naming the field."""
    moment = _parsed(text)
    if moment is None or len(text) <= len("2026-01-21"):
        raise Unprocessable(f"{field} {_FORM}.", fields=[FieldProblem(field, _FORM)])
    if moment.tzinfo is not None:
        return moment, []
    sentence = f"The time has no offset and was read in {zone.key}."
    return moment.replace(tzinfo=zone), [CodingWarning("naive-timestamp", field, sentence)]


def read_from(text: str, zone: ZoneInfo, field: str) -> datetime:
    """Where a range begins: a date means its first moment. Raises Invalid."""
    return _aware(text, zone, field)


def read_until(text: str, zone: ZoneInfo, field: str) -> tuple[datetime | None, datetime | None]:
    """Where a range ends, as (before, until): a date includes its whole day, a moment itself. Raises Invalid."""
    moment = _aware(text, zone, field)
    if _is_date(text):
        return (moment.astimezone(zone) + timedelta(days=1)), None
    return None, moment


def _aware(text: str, zone: ZoneInfo, field: str) -> datetime:
    # A `+` of an address that was not escaped arrives as a space.
    moment = _parsed(text.replace(" ", "+") if "T" in text else text)
    if moment is None:
        sentence = "must be a date as 2026-01-21, or a moment as 2026-01-21T14:00:00+06:00"
        raise Invalid(f"{field} {sentence}.", fields=[FieldProblem(field, sentence)])
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _parsed(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        # Far years overflow where an offset is applied.
        return moment if 1 < moment.year < 9999 else None
    except ValueError:
        return None
