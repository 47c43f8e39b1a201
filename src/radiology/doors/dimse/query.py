"""C-FIND SCP of the Patient Root and Study Root models (PS3.4 C.4.1)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from radiology.dicom_network.connection import Association, DataSet
from radiology.dicom_network.message import Command, Response, Status
from radiology.doors.dimse.identifiers import CHARACTER_SET, LEVEL, PATIENT_ID, SERIES, STUDY, charset_of, read
from radiology.errors import DataSetMismatch, Invalid, Unavailable
from radiology.standards.dicom import data_set
from radiology.standards.dicom.matching import (
    Condition,
    DateRange,
    MatchingError,
    MatchingOptions,
    SingleValue,
    TimeRange,
    UIDList,
    Universal,
    combine,
    parse_identifier,
)
from radiology.standards.dicom.uids import PATIENT_ROOT_FIND, STUDY_ROOT_FIND
from radiology.studies.archive import Archive
from radiology.studies.queries.search import Origin, find_at_once
from radiology.studies.search import Level, StudySearch, returnable

#: Our answer to SOP class extended negotiation (PS3.4 C.5.1.1): relational queries, combined date and time, fuzzy
#: names, no timezone adjustment, no conversion of enhanced images, empty values, several values.
EXTENDED: Final = b"\1\1\1\0\0\1\1"
_RELATIONAL, _COMBINED, _FUZZY, _EMPTY, _SEVERAL = 0, 1, 2, 5, 6

CANNOT_PROCESS: Final = 0xC000
OUT_OF_RESOURCES: Final = 0xA700
_CONTROL: Final = frozenset({LEVEL, CHARACTER_SET, "00080054", "00080056", "00080201"})
_STUDY_DATE, _STUDY_TIME = "00080020", "00080030"

#: The levels of each model from its root down, each with its unique key; that of the last one is never needed above.
_STUDY_LEVELS: Final = ((Level.STUDY, STUDY), (Level.SERIES, SERIES), (Level.IMAGE, ""))
MODELS: Final[Mapping[str, tuple[tuple[Level, str], ...]]] = {
    PATIENT_ROOT_FIND: ((Level.PATIENT, PATIENT_ID), *_STUDY_LEVELS),
    STUDY_ROOT_FIND: _STUDY_LEVELS,
}


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What both sides agreed on by SOP class extended negotiation."""

    relational: bool = False
    combined: bool = False
    fuzzy: bool = False
    options: MatchingOptions = field(default_factory=MatchingOptions)


@dataclass(frozen=True, slots=True)
class Answering:
    """How answers are made: what they begin with, and which of the attributes found belong in them."""

    fixed: Mapping[str, Any]
    blank: Mapping[str, Any]
    transfer_syntax_uid: str
    charset: str
    status: int

    def response(self, answer: str) -> Response:
        """A pending response for one match."""
        found: dict[str, Any] = orjson.loads(answer)
        attributes = {tag: _cut(found.get(tag, blank), blank) for tag, blank in self.blank.items()}
        attributes.update(self.fixed)
        return Response(self.status, data_set.encode(attributes, self.transfer_syntax_uid, charset=self.charset))


@dataclass(frozen=True, slots=True)
class QueryService:
    """Queries over one archive. `wait_for_index` waits for what the association itself has stored."""

    archive: Archive
    wait_for_index: Callable[[Association], None]

    def find(self, association: Association, request: Command, data: DataSet) -> Iterator[Response]:
        """A pending response for each match, in the order of `queries.search`; FF01 where a key is not known here."""
        identifier, settings = read(data), self.archive.app.settings
        search = search_of(identifier, request.sop_class_uid, negotiated(association, request.sop_class_uid))
        search = replace(search, limit=settings.find_max + 1)
        self.wait_for_index(association)
        answers = self._answers(association, search)
        charset = charset_of(association.state.entity.default_charset, identifier)
        answering = _answering(identifier, search, charset, data.transfer_syntax_uid, settings.ae_title)
        for answer in answers[: settings.find_max]:
            yield answering.response(answer)
        if len(answers) > settings.find_max:
            yield Response(OUT_OF_RESOURCES, error_comment=f"More than {settings.find_max} matches: refine query")

    def _answers(self, association: Association, search: StudySearch) -> list[str]:
        origin = Origin(url=None, ae_title=self.archive.app.settings.ae_title)
        try:
            return find_at_once(self.archive.reader, search, visible_to=association.state.entity.actor(), origin=origin)
        except Unavailable as error:
            raise Unavailable(error.sentence, dimse_status=CANNOT_PROCESS) from error


def negotiated(association: Association, sop_class_uid: str) -> Negotiated:
    """What the association agreed on for this SOP class."""
    answered = association.answer.user_information.extended
    agreed = next((each.information for each in answered if each.sop_class_uid == sop_class_uid), b"")

    def has(position: int) -> bool:
        return len(agreed) > position and agreed[position] == 1

    options = MatchingOptions(empty_value=has(_EMPTY), multiple_values=has(_SEVERAL))
    return Negotiated(has(_RELATIONAL), has(_COMBINED), has(_FUZZY), options)


def search_of(identifier: Mapping[str, Any], sop_class_uid: str, agreed: Negotiated) -> StudySearch:
    """What an identifier looks for. Raises DataSetMismatch (A900) where it is not valid for the model and its level."""
    model = MODELS[sop_class_uid]
    level = _level(identifier, [level for level, _ in model])
    keys = {tag: _key(tag, element, agreed.options) for tag, element in identifier.items() if tag not in _CONTROL}
    above = [tag for at, tag in model if _is_above(at, level)]
    if not agreed.relational:
        for tag in above:
            if not _names_one(keys.get(tag)):
                raise DataSetMismatch("A unique key of a higher level is missing, or names not just one.", tag=tag)
    if agreed.combined:
        _combine(keys)
    try:
        search = StudySearch(level, keys, fuzzy=agreed.fuzzy)
        study, series = _uid(keys.get(STUDY)), _uid(keys.get(SERIES))
    except Invalid as error:
        raise DataSetMismatch(error.sentence) from error
    if study and STUDY in above:
        search = replace(search, study_instance_uid=study)
        if series and SERIES in above:
            search = replace(search, series_instance_uid=series)
    return search


def _level(identifier: Mapping[str, Any], levels: list[Level]) -> Level:
    values: list[Any] = identifier.get(LEVEL, {}).get("Value", [])
    if len(values) != 1 or values[0] not in list(levels):
        raise DataSetMismatch(f"Query/Retrieve Level is one of {', '.join(levels)}.", tag=LEVEL)
    return Level(values[0])


def _is_above(one: Level, other: Level) -> bool:
    order = list(Level)
    return order.index(one) < order.index(other)


def _key(tag: str, element: Mapping[str, Any], options: MatchingOptions) -> Condition:
    try:
        return parse_identifier({tag: element}, options)[tag]
    except MatchingError as error:
        raise DataSetMismatch(f"{error}.", tag=tag) from error


def _names_one(condition: Condition | None) -> bool:
    return isinstance(condition, SingleValue) or (isinstance(condition, UIDList) and len(condition.uids) == 1)


def _uid(condition: Condition | None) -> str | None:
    return condition.uids[0] if isinstance(condition, UIDList) and len(condition.uids) == 1 else None


def _combine(keys: dict[str, Condition]) -> None:
    """Date and time as one interval, where both are ranges (PS3.4 C.2.2.2.5.4)."""
    day, time = keys.get(_STUDY_DATE), keys.get(_STUDY_TIME)
    if isinstance(day, DateRange) and isinstance(time, TimeRange):
        keys[_STUDY_DATE], keys[_STUDY_TIME] = combine(day, time), Universal()


def _answering(
    identifier: Mapping[str, Any], search: StudySearch, charset: str, transfer_syntax_uid: str, ae_title: str
) -> Answering:
    """How the answers to a query are made (PS3.4 C.4.1.1.3.2): what was asked for, and what is always told."""
    known = returnable(search.level)
    asked = {tag: element for tag, element in identifier.items() if tag not in _CONTROL}
    is_known = all(tag in known or search.level is Level.IMAGE for tag in asked) and not search.unsupported
    fixed: dict[str, Any] = {
        LEVEL: {"vr": "CS", "Value": [search.level.value]},
        "00080054": {"vr": "AE", "Value": [ae_title]},
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
    }
    blank = {tag: _blank(element) for tag, element in asked.items()}
    status = Status.PENDING if is_known else Status.PENDING_WITH_WARNING
    return Answering(fixed, blank, transfer_syntax_uid, charset, status)


def _blank(element: Mapping[str, Any]) -> dict[str, Any]:
    """An attribute without a value; a sequence keeps which attributes of its items were asked for."""
    items: list[Any] = element.get("Value", []) if element["vr"] == "SQ" else []
    asked = {tag: _blank(inner) for tag, inner in items[0].items()} if items else {}
    return {"vr": element["vr"], "asked": asked} if asked else {"vr": element["vr"]}


def _cut(found: Mapping[str, Any], blank: Mapping[str, Any]) -> Mapping[str, Any]:
    """A sequence with only what was asked for of its items; anything else as it is."""
    if found["vr"] != "SQ" or "asked" not in blank:
        return found
    asked: Mapping[str, Any] = blank["asked"]
    items: list[Mapping[str, Any]] = found.get("Value", [])
    return {
        "vr": "SQ",
        "Value": [{tag: _cut(item.get(tag, inner), inner) for tag, inner in asked.items()} for item in items],
    }
