"""C-FIND SCP of the Patient Root and Study Root models (PS3.4 C.4.1)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from radiology.audit.trail import Access
from radiology.dicom_network.connection import Association, DataSet
from radiology.dicom_network.message import Command, PendingResponses, Response
from radiology.doors.dimse.answers import CONTROL, Answering, OfTexts, answering_of
from radiology.doors.dimse.foreign import ForeignAnswers
from radiology.doors.dimse.identifiers import LEVEL, PATIENT_ID, SERIES, STUDY, charset_of, offset_of, read
from radiology.errors import DataSetMismatch, Invalid, Unavailable
from radiology.standards.dicom.attributes import keyword_of
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
from radiology.standards.dicom.zones import with_partners
from radiology.studies.archive import Archive
from radiology.studies.queries.search import Origin, find_at_once, find_texts
from radiology.studies.search import Level, StudySearch, Zones
from radiology.takeover.proxy import Asking, Proxy

#: Our answer to SOP class extended negotiation (PS3.4 C.5.1.1): relational queries, combined date and time, fuzzy
#: names, timezone query adjustment, no conversion of enhanced images, empty values, several values.
EXTENDED: Final = b"\1\1\1\1\0\1\1"
_RELATIONAL, _COMBINED, _FUZZY, _TIMEZONE, _EMPTY, _SEVERAL = 0, 1, 2, 3, 5, 6

#: So many matches go out together; a C-CANCEL is looked for before each such lot.
AT_ONCE: Final = 32
CANNOT_PROCESS: Final = 0xC000
OUT_OF_RESOURCES: Final = 0xA700
_STUDY_DATE, _STUDY_TIME = "00080020", "00080030"
ACCESSION_NUMBER: Final = "00080050"

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
    adjusts_zone: bool = False
    options: MatchingOptions = field(default_factory=MatchingOptions)


@dataclass(frozen=True, slots=True)
class QueryService:
    """Queries over one archive. `wait_for_index` waits for what the association itself has stored."""

    archive: Archive
    proxy: Proxy
    wait_for_index: Callable[[Association], None]

    def find(self, association: Association, request: Command, data: DataSet) -> Iterator[Response | PendingResponses]:
        """A pending response for each match, in the order of `queries.search`; FF01 where a key is not known here."""
        identifier, settings = read(data), self.archive.app.settings
        agreed = negotiated(association, request.sop_class_uid)
        search = search_of(identifier, request.sop_class_uid, agreed)
        search = replace(search, limit=settings.find_max + 1)
        if agreed.adjusts_zone and (asked := offset_of(identifier)) is not None:
            include = search.include | with_partners(search.keys)
            search = replace(search, zones=Zones(asked, settings.time_zone), include=include)
        self.wait_for_index(association)
        charset = charset_of(association.state.entity.default_charset, identifier)
        answering = answering_of(identifier, search, charset, data.transfer_syntax_uid, settings.ae_title)
        foreign = ForeignAnswers(identifier, data.transfer_syntax_uid, charset, answering.status)
        asking = self._ask(association, search, foreign)
        answers = self._answers(association, search, answering)
        self.archive.trail.keep(_access(association, search, min(len(answers), settings.find_max)))
        for first in range(0, min(len(answers), settings.find_max), AT_ONCE):
            yield answering.responses(answers[first : min(first + AT_ONCE, settings.find_max)])
        others = asking.answers() if asking and len(answers) < settings.find_max else []
        for first in range(0, min(len(others), settings.find_max - len(answers)), AT_ONCE):
            yield foreign.responses(others[first : min(first + AT_ONCE, settings.find_max - len(answers))])
        if len(answers) + len(others) > settings.find_max:
            yield Response(OUT_OF_RESOURCES, error_comment=f"More than {settings.find_max} matches: refine query")

    def _ask(self, association: Association, search: StudySearch, foreign: ForeignAnswers) -> Asking | None:
        """Ask archives that are taken over for studies that have not come yet; their times are in no zone."""
        if search.level is not Level.STUDY or search.zones is not None:
            return None
        return foreign.begin(self.proxy, limit=search.limit, visible_to=association.state.entity.actor())

    def _answers(self, association: Association, search: StudySearch, answering: Answering) -> Sequence[Any]:
        actor, reader = association.state.entity.actor(), self.archive.reader
        try:
            if isinstance(answering, OfTexts):
                return find_texts(reader, search, answering.tags, visible_to=actor)
            origin = Origin(url=None, ae_title=self.archive.app.settings.ae_title)
            return find_at_once(reader, search, visible_to=actor, origin=origin)
        except Unavailable as error:
            raise Unavailable(error.sentence, dimse_status=CANNOT_PROCESS) from error


def _access(association: Association, search: StudySearch, matches: int) -> Access:
    """The query for the audit trail: by which identifiers was asked, and how much was told."""
    keys = {
        (keyword_of(tag) or tag): key.value
        for tag in (PATIENT_ID, ACCESSION_NUMBER)
        if isinstance(key := search.keys.get(tag), SingleValue)
    }
    subject = search.study_instance_uid or _uid(search.keys.get(STUDY)) or search.level.value
    return Access(association.state.entity.actor().id, "study.find", subject, matches, {"by": "C-FIND", **keys})


def negotiated(association: Association, sop_class_uid: str) -> Negotiated:
    """What the association agreed on for this SOP class."""
    answered = association.answer.user_information.extended
    agreed = next((each.information for each in answered if each.sop_class_uid == sop_class_uid), b"")

    def has(position: int) -> bool:
        return len(agreed) > position and agreed[position] == 1

    options = MatchingOptions(empty_value=has(_EMPTY), multiple_values=has(_SEVERAL))
    return Negotiated(has(_RELATIONAL), has(_COMBINED), has(_FUZZY), has(_TIMEZONE), options)


def search_of(identifier: Mapping[str, Any], sop_class_uid: str, agreed: Negotiated) -> StudySearch:
    """What an identifier looks for. Raises DataSetMismatch (A900) where it is not valid for the model and its level."""
    model = MODELS[sop_class_uid]
    level = _level(identifier, [level for level, _ in model])
    keys = {tag: _key(tag, element, agreed.options) for tag, element in identifier.items() if tag not in CONTROL}
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
