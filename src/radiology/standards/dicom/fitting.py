"""Whether an attribute of a data set satisfies a condition (PS3.4 C.2.2.2), where no database compares it. Pure."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, cast

from radiology.standards.dicom import matching
from radiology.standards.dicom.attributes import AttributePath
from radiology.standards.dicom.matching import (
    AnyOf,
    Condition,
    DateRange,
    DateTimeRange,
    EmptyValue,
    PersonNameMatch,
    SingleValue,
    TimeRange,
    UIDList,
    Universal,
    Wildcard,
)
from radiology.standards.dicom.names import PersonName
from radiology.standards.dicom.plans import usual_vr

#: The parser of keys names the attribute in its errors; of what is stored nobody is told.
_ANY_TAG = "00404005"


def matches(condition: Condition, element: Mapping[str, Any], zone: tzinfo) -> bool:
    """Whether an attribute of the DICOM JSON model fits a condition; moments without offset are those of `zone`."""
    values: list[Any] = element.get("Value", [])
    match condition:
        case Universal():
            return True
        case EmptyValue():
            return not values
        case AnyOf(several):
            return any(matches(one, element, zone) for one in several)
        case matching.Sequence(keys):
            return any(_item_fits(keys, cast("Mapping[str, Any]", item), zone) for item in values)
        case PersonNameMatch():
            return any(condition.matches(PersonName.of_json(value)) for value in values)
        case SingleValue() | UIDList() | Wildcard():
            return any(condition.matches(str(value)) for value in values)
        case DateRange() | TimeRange() | DateTimeRange():
            return any(_within(condition, element.get("vr", ""), str(value), zone) for value in values)


def _item_fits(keys: Mapping[str, Condition], item: Mapping[str, Any], zone: tzinfo) -> bool:
    return all(matches(condition, item.get(tag, {}), zone) for tag, condition in keys.items())


def _within(condition: DateRange | TimeRange | DateTimeRange, vr: str, value: str, zone: tzinfo) -> bool:
    """Whether a stored date, time or moment lies in a range, from the first instant that it may mean."""
    try:
        stored: Any = matching.parse_key(AttributePath((_ANY_TAG,), usual_vr(vr)), value)
    except matching.MatchingError:
        return False
    if type(stored) is not type(condition) or stored.start is None:
        return False
    at, start, end = (_comparable(each, zone) for each in (stored.start, condition.start, condition.end))
    return (start is None or at >= start) and (end is None or at <= end)


def _comparable(value: Any, zone: tzinfo) -> Any:
    return _aware(value, zone) if isinstance(value, datetime) else value


def _aware(moment: datetime, zone: tzinfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
