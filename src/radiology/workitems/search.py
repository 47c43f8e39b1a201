"""What a C-FIND identifier, or the keys of a filtered subscription, ask for (PS3.4 CC.2.8). Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, cast

from radiology.errors import DataSetMismatch
from radiology.kit.db import Where, as_json
from radiology.standards.dicom import matching
from radiology.standards.dicom.attributes import AttributePath
from radiology.standards.dicom.dictionary import tag_of_keyword
from radiology.standards.dicom.fitting import matches
from radiology.standards.dicom.matching import Condition, DateTimeRange, SingleValue, UIDList, Universal
from radiology.workitems.attributes import (
    CHARACTER_SET,
    PROCEDURE_STEP_STATE,
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
    START,
    TRANSACTION_UID,
)

TIMEZONE_OFFSET = "00080201"
#: They control a query, or are never told; they match nothing.
_NO_KEYS = (CHARACTER_SET, TIMEZONE_OFFSET, TRANSACTION_UID)
#: VRs whose single values are text in the DICOM JSON model, so that the database can compare them.
_TEXT_VRS = frozenset(("AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT", "UI"))


#: A hyphen that does not begin an offset from UTC.
_RANGE = re.compile(r"-(?!\d{4}$)")


@dataclass(frozen=True, slots=True)
class WorkitemQuery:
    """`keys` are the conditions that are not universal; `asked` is the identifier, whose attributes are returned."""

    keys: Mapping[str, Condition]
    asked: Mapping[str, Any]
    zone: tzinfo

    def fits(self, attributes: Mapping[str, Any]) -> bool:
        """Whether a workitem satisfies every key."""
        return all(matches(condition, attributes.get(tag, {}), self.zone) for tag, condition in self.keys.items())

    def answer(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes that are returned: those asked for, empty where there are none, and the identity."""
        asked = {tag: each for tag, each in self.asked.items() if tag not in _NO_KEYS}
        identity = {tag: attributes[tag] for tag in (SOP_CLASS_UID, SOP_INSTANCE_UID)}
        return {**_selected(attributes, asked), **identity}


def parse(identifier: Mapping[str, Any], *, zone: tzinfo) -> WorkitemQuery:
    """The query of an identifier in the DICOM JSON model. Raises DataSetMismatch (A900), naming the attribute."""
    for tag, element in identifier.items():
        if element.get("vr") == "SQ" and len(element.get("Value", [])) > 1:
            raise DataSetMismatch("A sequence is matched by at most one item.", tag=tag)
    try:
        keys = matching.parse_identifier({tag: each for tag, each in identifier.items() if tag not in _NO_KEYS})
    except matching.MatchingError as error:
        tag = tag_of_keyword(error.key.partition(".")[0])
        raise DataSetMismatch(f"{error}.", tag=f"{tag:08X}" if tag is not None else None) from error
    particular = {tag: condition for tag, condition in keys.items() if not isinstance(condition, Universal)}
    return WorkitemQuery(particular, identifier, zone)


def conditions(query: WorkitemQuery) -> Where:
    """What the database can say of the answers; `fits` says the rest."""
    where = Where()
    state, uids = query.keys.get(PROCEDURE_STEP_STATE), query.keys.get(SOP_INSTANCE_UID)
    if isinstance(state, SingleValue):
        where.add("state = {state}", state=state.value)
    if isinstance(uids, UIDList):
        where.add("sop_instance_uid = ANY({uids}::text[])", uids=list(uids.uids))
    if isinstance(start := query.keys.get(START), DateTimeRange):
        if start.start is not None:
            where.add("scheduled_start_at >= {start}", start=_aware(start.start, query.zone))
        if start.end is not None:
            where.add("scheduled_start_at <= {end}", end=_aware(start.end, query.zone))
    if contained := _contained(query.keys, query.asked):
        where.add("attributes @> {contained}::jsonb", contained=as_json(contained))
    return where


def _contained(keys: Mapping[str, Condition], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the keys that is one value of text each, as the JSON that a workitem then contains."""
    found: dict[str, Any] = {}
    for tag, condition in keys.items():
        element: Mapping[str, Any] = asked.get(tag, {})
        match condition:
            case SingleValue(value) if element.get("vr") in _TEXT_VRS:
                found[tag] = {"Value": [value]}
            case UIDList((uid,)):
                found[tag] = {"Value": [uid]}
            case matching.Sequence(inner):
                item = cast("Mapping[str, Any]", element["Value"][0])
                if within := _contained(inner, item):
                    found[tag] = {"Value": [within]}
            case _:
                pass
    return found


def _selected(attributes: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    return {tag: _selected_element(attributes.get(tag), each) for tag, each in asked.items()}


def _selected_element(element: Mapping[str, Any] | None, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    if element is None:
        return {"vr": asked["vr"]}
    wanted = asked.get("Value") if asked["vr"] == element["vr"] == "SQ" else None
    if not wanted or not wanted[0]:
        return element
    return {"vr": "SQ", "Value": [_selected(item, wanted[0]) for item in element.get("Value", [])]}


def start_of(attributes: Mapping[str, Any], zone: tzinfo) -> datetime:
    """Scheduled Procedure Step Start DateTime as a moment, the first that it may mean. Raises MatchingError."""
    value = str(attributes[START]["Value"][0])
    condition = matching.parse_key(AttributePath((START,), "DT"), value)
    if not isinstance(condition, DateTimeRange) or condition.start is None or _RANGE.search(value):
        raise matching.MatchingError("ScheduledProcedureStepStartDateTime", f"{value[:60]!r} is not one moment")
    return _aware(condition.start, zone)


def _aware(moment: datetime, zone: tzinfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
