"""A worklist query: what a C-FIND identifier asks for (PS3.4 K.6.1.2), and which items answer it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timezone, tzinfo
from typing import Any

from radiology.errors import DataSetMismatch
from radiology.modality_worklist.return_keys import ITEM_KEYS, SCHEDULED_PROCEDURE_STEP_SEQUENCE, STEP_KEYS
from radiology.standards.dicom import matching
from radiology.standards.dicom.dictionary import tag_of_keyword
from radiology.standards.dicom.fitting import matches
from radiology.standards.dicom.matching import Condition, DateRange, TimeRange, Universal
from radiology.standards.dicom.zones import parse_offset

_CHARACTER_SET, _TIMEZONE_OFFSET = "00080005", "00080201"
_STATION, _START_DATE, _START_TIME = "00400001", "00400002", "00400003"

#: Keys that the database answers; all others of the table are compared here.
ITEM_COLUMNS = frozenset({"00080050", "00100010", "00100020", "0020000D", "00401001"})
STEP_COLUMNS = frozenset({"00080060", _STATION, _START_DATE, _START_TIME, "00400006", "00400009", "00400020"})


@dataclass(frozen=True, slots=True)
class WorklistQuery:
    """What one C-FIND asks for.

    `keys` and `step_keys` are the conditions that are not universal. `tags` and `step_tags` are what is returned.
    `any_station` says that the station was asked for as `*`: also the items of others. `unsupported` says that some
    attribute is not known here, so that pending responses are FF01. Dates and times are those of `zone`.
    """

    keys: Mapping[str, Condition]
    step_keys: Mapping[str, Condition]
    tags: Sequence[str]
    step_tags: Sequence[str]
    zone: tzinfo
    any_station: bool = False
    fuzzy: bool = False
    unsupported: bool = False

    @property
    def start(self) -> Sequence[Condition]:
        """The conditions on Scheduled Procedure Step Start Date and Time, as one period where both are given."""
        dates, times = self.step_keys.get(_START_DATE), self.step_keys.get(_START_TIME)
        if isinstance(dates, DateRange) and isinstance(times, TimeRange):
            return [matching.combine(dates, times)]
        return [condition for condition in (dates, times) if condition is not None]


def parse(
    identifier: Mapping[str, Any], *, zone: tzinfo, fuzzy: bool = False, adjusts_zone: bool = False
) -> WorklistQuery:
    """The query of an identifier in the DICOM JSON model. Raises DataSetMismatch (A900), naming the attribute."""
    asked = {tag: element for tag, element in identifier.items() if tag != _CHARACTER_SET}
    step = _step_item(asked)
    try:
        keys = matching.parse_identifier({tag: asked[tag] for tag in asked if tag != SCHEDULED_PROCEDURE_STEP_SEQUENCE})
        step_keys = matching.parse_identifier(step)
    except matching.MatchingError as error:
        raise DataSetMismatch(f"{error}.", tag=_tag(error.key)) from error
    tags, step_tags = list(asked) or list(ITEM_KEYS), list(step) or list(STEP_KEYS)
    if adjusts_zone:
        zone = _zone(asked.get(_TIMEZONE_OFFSET)) or zone
    return WorklistQuery(
        keys=_particular(keys, ITEM_KEYS),
        step_keys=_particular(step_keys, STEP_KEYS),
        tags=tags,
        step_tags=step_tags,
        zone=zone,
        any_station=_text(step.get(_STATION)) == "*",
        fuzzy=fuzzy,
        unsupported=not (set(tags) <= set(ITEM_KEYS) and set(step_tags) <= set(STEP_KEYS)),
    )


def returning_all(query: WorklistQuery) -> WorklistQuery:
    """The same query for whoever cannot say what is to be returned: every attribute that there is."""
    return replace(query, tags=list(ITEM_KEYS), step_tags=list(STEP_KEYS))


def _step_item(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    element: Mapping[str, Any] = asked.get(SCHEDULED_PROCEDURE_STEP_SEQUENCE, {})
    items = element.get("Value", [])
    if element.get("vr", "SQ") != "SQ" or len(items) > 1:
        raise DataSetMismatch(
            "Scheduled Procedure Step Sequence is asked for with at most one item.",
            tag=SCHEDULED_PROCEDURE_STEP_SEQUENCE,
        )
    return items[0] if items else {}


def _particular(keys: Mapping[str, Condition], known: Mapping[str, Any]) -> dict[str, Condition]:
    return {
        tag: condition
        for tag, condition in keys.items()
        if tag in known and tag != _TIMEZONE_OFFSET and not isinstance(condition, Universal)
    }


def _text(element: Mapping[str, Any] | None) -> str:
    values = (element or {}).get("Value") or [""]
    return str(values[0]).strip()


def _zone(element: Mapping[str, Any] | None) -> timezone | None:
    """Timezone Offset From UTC (0008,0201), as +0600. Raises DataSetMismatch."""
    text = _text(element)
    try:
        return parse_offset(text) if text else None
    except ValueError as error:
        raise DataSetMismatch("Timezone Offset From UTC has the form +0600.", tag=_TIMEZONE_OFFSET) from error


def _tag(path: str) -> str | None:
    """The tag of the outermost attribute of a path of keywords."""
    name = path.partition(".")[0]
    tag = tag_of_keyword(name)
    return f"{tag:08X}" if tag is not None else name if len(name) == 8 else None


def fits(query: WorklistQuery, attributes: Mapping[str, Any], step: Mapping[str, Any]) -> bool:
    """Whether an item, given with the attributes that only this function compares, fits."""
    return all(
        matches(condition, attributes[tag], query.zone)
        for tag, condition in query.keys.items()
        if tag not in ITEM_COLUMNS
    ) and all(
        matches(condition, step[tag], query.zone)
        for tag, condition in query.step_keys.items()
        if tag not in STEP_COLUMNS
    )
