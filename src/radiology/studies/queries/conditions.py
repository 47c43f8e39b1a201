"""From a matching condition (PS3.4 C.2.2.2) to SQL: on a column where there is one, else on the DICOM JSON.

`s` is imaging_studies, `e` imaging_series, `i` instances in every statement of a search.
"""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import LiteralString

from radiology.access.model import Actor
from radiology.errors import Invalid
from radiology.kit.db import Where
from radiology.standards.dicom import levels
from radiology.standards.dicom.attributes import keyword_of
from radiology.standards.dicom.dictionary import vr_of
from radiology.standards.dicom.matching import (
    AnyOf,
    Condition,
    DateRange,
    DateTimeRange,
    EmptyValue,
    PersonNameMatch,
    Sequence,
    SingleValue,
    TimeRange,
    UIDList,
    Universal,
    Wildcard,
)
from radiology.standards.dicom.names import name_tokens
from radiology.studies.search import Level, StudySearch, Zones

#: Columns that hold an attribute as text.
_PATIENT_ID = "00100020"
#: A number leads to the patient who survived a merge, too. An array, so that each side is looked up by its index.
_OF_NUMBER: LiteralString = """(s.dicom_patient_id = {number} OR s.patient_id = ANY(ARRAY(
    SELECT surviving_patient(merged.merged_into)
    FROM patients AS merged
    WHERE merged.patient_id = {number}
      AND merged.merged_into IS NOT NULL
)))"""

STUDY_COLUMNS: Mapping[str, LiteralString] = {
    "00080050": "s.accession_number",
    "00081030": "s.study_description",
    "00100020": "s.dicom_patient_id",
    "00100021": "s.issuer_of_patient_id",
    "00100030": "s.patient_birth_date",
    "00100040": "s.patient_sex",
    "0020000D": "s.study_instance_uid",
    "00200010": "s.dicom_study_id",
    "00201206": "s.number_of_series::text",
    "00201208": "s.number_of_instances::text",
}
SERIES_COLUMNS: Mapping[str, LiteralString] = {
    "00080060": "e.modality",
    "0020000E": "e.series_instance_uid",
    "00200011": "e.series_number::text",
    "00201209": "e.number_of_instances::text",
}
INSTANCE_COLUMNS: Mapping[str, LiteralString] = {
    "00080016": "i.sop_class_uid",
    "00080018": "i.sop_instance_uid",
    "00080062": "i.sop_class_uid",
    "00083002": "i.transfer_syntax_uid",
    "00200013": "i.instance_number::text",
    "00280008": "i.number_of_frames::text",
    "00280010": "i.pixel_rows::text",
    "00280011": "i.pixel_columns::text",
    "00280100": "i.bits_allocated::text",
}
#: The attributes of an instance as it is served, as jsonb; U+0000, which jsonb cannot hold, is replaced.
INSTANCE_ATTRIBUTES: LiteralString = """(replace(convert_from(i.attributes, 'UTF8'), '\\u0000', '\\ufffd')::jsonb
    || coalesce(i.corrections->'attributes', '{}') || coalesce(s.corrections->'attributes', '{}'))"""

_STUDY_DATE, _STUDY_TIME, _PATIENT_NAME, _REFERRING = "00080020", "00080030", "00100010", "00080090"
_NAME_GROUPS: tuple[LiteralString, ...] = (
    "s.patient_name_alphabetic",
    "s.patient_name_ideographic",
    "s.patient_name_phonetic",
)
_MODALITY, _MODALITIES_IN_STUDY = "00080060", "00080061"
_FIXED = frozenset({"00080054", "00080056", "00081190"})
#: What a masked study still shows, and is found by.
KEPT_WHEN_MASKED = frozenset(
    {
        "00080005",  # SpecificCharacterSet
        "00080020",  # StudyDate
        "00080050",  # AccessionNumber
        "00080051",  # IssuerOfAccessionNumberSequence
        "00100010",  # PatientName
        "00100020",  # PatientID
        "00100021",  # IssuerOfPatientID
        "00100030",  # PatientBirthDate
        "00100040",  # PatientSex
        "0020000D",  # StudyInstanceUID
    }
)
_ITEMS: tuple[LiteralString, ...] = ("item1", "item2", "item3", "item4", "item5", "item6", "item7", "item8")


@dataclass(frozen=True, slots=True)
class Conditions:
    """Everything that must hold for a match, also that the reader may see it and that it can be found at all.

    masked: the SQL of whether a match is to be masked; None where nothing is. of_patient: which studies `t` of a
    patient the reader may see.
    """

    where: Where
    masked: LiteralString | None
    of_patient: LiteralString


def conditions(search: StudySearch, visible_to: Actor) -> Conditions:
    """What a search asks for, for who asks. Raises NotPermitted for who may not read.

    Only studies are masked: series and instances of a masked study are not found. A search across patients shows
    nothing that only break-glass would open.
    """
    reach = (visible_to if _is_of_one(search) else visible_to.beyond_reading).reach
    masks = search.level is Level.STUDY and visible_to.masks_sensitive and not reach.sees_sensitive
    where = Where(["s.findable"])
    reach.add_to(where, "s", also_masked=masks)
    masked: LiteralString | None = "(NOT " + reach.seen(where, "s") + ")" if masks else None
    _add_search(search, where, masked)
    of_patient = _inner(where)
    if search.level is Level.PATIENT:
        reach.add_to(of_patient, "t")
    return Conditions(where, masked, of_patient.condition)


def _is_of_one(search: StudySearch) -> bool:
    """Whether the study or the patient is named, so that nobody is searched for."""
    named = (search.keys.get(tag) for tag in ("0020000D", "00100020"))
    return search.study_instance_uid is not None or any(
        isinstance(key, SingleValue) or (isinstance(key, UIDList) and len(key.uids) == 1) for key in named
    )


def _add_search(search: StudySearch, where: Where, masked: LiteralString | None) -> None:
    if search.study_instance_uid is not None:
        where.add("s.study_instance_uid = {uid}", uid=search.study_instance_uid)
    if search.series_instance_uid is not None:
        where.add("e.series_instance_uid = {uid}", uid=search.series_instance_uid)
    of_series, of_instances = _inner(where), _inner(where)
    for tag, condition in search.keys.items():
        if tag in _FIXED or tag in search.unsupported or isinstance(condition, Universal):
            continue
        if masked is None or tag in KEPT_WHEN_MASKED - {_STUDY_DATE}:
            _add_key(search, where, of_series, of_instances, tag, condition)
        else:
            key = _inner(where)
            _add_key(search, key, of_series, of_instances, tag, condition)
            _add_unless_masked(where, key, masked, tag, condition)
    if search.level is Level.SERIES:
        where.add("e.number_of_instances > 0")  # What a rejection has emptied is not found.
    if masked is not None and (of_series.clauses or of_instances.clauses):
        where.clauses.append("NOT " + masked)
    _add_below(search.level, where, of_series, of_instances)


def _add_unless_masked(where: Where, key: Where, masked: LiteralString, tag: str, condition: Condition) -> None:
    """A key on what is masked: it finds a masked study as if the value were empty, and by the day of its date only."""
    if not key.clauses:
        return  # It is about series or instances, of which a masked study shows none.
    instead = _inner(where)
    if tag == _STUDY_DATE and isinstance(condition, DateTimeRange):
        _add_bounds(instead, "s.study_date", _day(condition.start), _day(condition.end))
    elif tag == _STUDY_DATE:
        _add_special(instead, tag, condition, fuzzy=False)
    elif not _takes_empty(condition):
        instead.clauses.append("FALSE")
    where.clauses.append("CASE WHEN " + masked + " THEN " + instead.condition + " ELSE " + key.condition + " END")


def _takes_empty(condition: Condition) -> bool:
    """Whether an empty value matches."""
    if isinstance(condition, AnyOf):
        return any(_takes_empty(one) for one in condition.conditions)
    return isinstance(condition, EmptyValue)


def _add_key(
    search: StudySearch, where: Where, of_series: Where, of_instances: Where, tag: str, condition: Condition
) -> None:
    """One key, at the level it belongs to."""
    below_study = search.level in (Level.PATIENT, Level.STUDY)
    if tag == _MODALITIES_IN_STUDY or (tag == _MODALITY and below_study):
        _add_modalities(where, condition)
    elif search.zones is not None and tag in (_STUDY_DATE, _STUDY_TIME):
        _add_in_zone(where, tag, condition, search.zones)
    elif tag in (_STUDY_DATE, _STUDY_TIME, _PATIENT_NAME, _REFERRING):
        _add_special(where, tag, condition, fuzzy=search.fuzzy)
    elif tag == _PATIENT_ID and isinstance(condition, SingleValue):
        where.add(_OF_NUMBER, number=condition.value)
    elif tag in STUDY_COLUMNS:
        _add_text(where, STUDY_COLUMNS[tag], condition)
    elif tag in levels.PATIENT or tag in levels.STUDY:
        _add_json(where, "s.dicom", {tag: condition})
    elif tag in SERIES_COLUMNS:
        _add_text(of_series, SERIES_COLUMNS[tag], condition)
    elif tag in levels.SERIES:
        _add_json(of_series, "e.dicom", {tag: condition})
    elif tag in INSTANCE_COLUMNS:
        _add_text(of_instances, INSTANCE_COLUMNS[tag], condition)
    else:
        _add_json(of_instances, INSTANCE_ATTRIBUTES, {tag: condition})


def _add_below(level: Level, where: Where, of_series: Where, of_instances: Where) -> None:
    """Conditions on what lies below the level: one series, or one instance, must satisfy all of them."""
    if of_series.clauses and level in (Level.PATIENT, Level.STUDY):
        where.clauses.append(
            "EXISTS (SELECT 1 FROM imaging_series e WHERE e.study_id = s.id AND e.number_of_instances > 0 AND "
            + of_series.condition
            + ")"
        )
    else:
        where.clauses.extend(of_series.clauses)
    if not of_instances.clauses:
        return
    if level is Level.IMAGE:
        where.clauses.extend(of_instances.clauses)
        return
    parent: LiteralString = "i.series_id = e.id" if level is Level.SERIES else "i.study_id = s.id"
    where.clauses.append("EXISTS (SELECT 1 FROM instances i WHERE " + parent + " AND " + of_instances.condition + ")")


def _inner(where: Where) -> Where:
    """Further conditions that share the parameters, to be joined in another way."""
    return Where(parameters=where.parameters)


# Attributes with a column of their own kind


def _add_special(where: Where, tag: str, condition: Condition, *, fuzzy: bool) -> None:
    if tag == _PATIENT_NAME:
        _add_name(where, condition, fuzzy=fuzzy)
    elif tag == _REFERRING:
        if isinstance(condition, PersonNameMatch):
            _add_words(where, "s.referring_physician_search", condition)
        _add_json(where, "s.dicom", {tag: condition})
    elif isinstance(condition, EmptyValue):
        _add_json(where, "s.dicom", {tag: condition})
    elif isinstance(condition, DateTimeRange):
        _add_bounds(where, "s.study_date", _day(condition.start), _day(condition.end))
        _add_bounds(where, "(s.study_date + s.study_time)", condition.start, condition.end)
    elif isinstance(condition, AnyOf):
        _add_any(where, condition, lambda inner, one: _add_special(inner, tag, one, fuzzy=fuzzy))
    elif isinstance(condition, DateRange | TimeRange):
        column: LiteralString = "s.study_date" if tag == _STUDY_DATE else "s.study_time"
        _add_bounds(where, column, condition.start, condition.end)


#: The date and time of a study in the zone asked for, from its own zone or else the local one; NULL without both.
_OFFSET: LiteralString = "s.dicom #>> '{00080201,Value,0}'"
_MOMENT: LiteralString = (
    "(CASE WHEN " + _OFFSET + " ~ '^[+-](0[0-9]|1[0-4])[0-5][0-9]$' THEN (s.study_date + s.study_time)"
    " AT TIME ZONE (left(" + _OFFSET + ", 3) || ':' || right(" + _OFFSET + ", 2))::interval"
    " ELSE (s.study_date + s.study_time) AT TIME ZONE {local} END AT TIME ZONE make_interval(secs => {asked}))"
)


def _add_in_zone(where: Where, tag: str, condition: Condition, zones: Zones) -> None:
    """Study Date or Time as it is in another zone. The day before and the one after are where an index looks."""
    if isinstance(condition, AnyOf):
        _add_any(where, condition, lambda inner, one: _add_in_zone(inner, tag, one, zones))
        return
    if not isinstance(condition, DateRange | TimeRange | DateTimeRange):
        _add_special(where, tag, condition, fuzzy=False)
        return
    column = _MOMENT
    if isinstance(condition, DateRange):
        column = "coalesce(" + _MOMENT + "::date, s.study_date)"
    elif isinstance(condition, TimeRange):
        column = "coalesce(" + _MOMENT + "::time, s.study_time)"
    bounds: tuple[tuple[date | time | None, LiteralString, LiteralString], ...] = (
        (condition.start, " >= ", " - 1"),
        (condition.end, " <= ", " + 1"),
    )
    for bound, comparison, one_day in bounds:
        if bound is None:
            continue
        where.add(column + comparison + "{bound}", asked=zones.offset_seconds, local=zones.local, bound=bound)
        if not isinstance(bound, time):
            where.add("s.study_date" + comparison + "{bound}::date" + one_day, bound=bound)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _add_bounds(where: Where, column: LiteralString, start: object, end: object) -> None:
    if start is not None:
        where.add(column + " >= {start}", start=start)
    if end is not None:
        where.add(column + " <= {end}", end=end)


def _add_modalities(where: Where, condition: Condition) -> None:
    """ModalitiesInStudy (0008,0061), and Modality where studies are looked for: any series has it."""
    wanted = condition.conditions if isinstance(condition, AnyOf) else (condition,)
    if all(isinstance(one, SingleValue) for one in wanted):
        values = [one.value for one in wanted if isinstance(one, SingleValue)]
        where.add("s.modalities_in_study && {values}::text[]", values=values)
        return
    inner = _inner(where)
    _add_text(inner, "modality", condition)
    where.clauses.append(
        "EXISTS (SELECT 1 FROM unnest(s.modalities_in_study) AS modality WHERE " + inner.condition + ")"
    )


def _add_name(where: Where, condition: Condition, *, fuzzy: bool) -> None:
    """Patient's Name: by the trigrams of its words first, then exactly, except where the search is fuzzy (5.3)."""
    if isinstance(condition, AnyOf):
        _add_any(where, condition, lambda inner, one: _add_name(inner, one, fuzzy=fuzzy))
    elif not isinstance(condition, PersonNameMatch):
        _add_text(where, "s.patient_name", condition)
    elif fuzzy:
        for token in (token for group in condition.groups for token in name_tokens(group.replace("*", " "))):
            where.add(
                "(s.patient_name_search LIKE {like} OR {token} <%% s.patient_name_search)",
                like=f"%{_escaped(token)}%",
                token=token,
            )
    else:
        _add_name_groups(where, condition)


def _add_name_groups(where: Where, condition: PersonNameMatch) -> None:
    """Each component group in a column of its own: one whose beginning is known is found by an index."""
    patterns = [PersonNameMatch((group,)).to_like() if group else "" for group in condition.groups]
    if any(pattern.startswith(("%", "_")) for pattern in patterns):
        _add_words(where, "s.patient_name_search", condition)
    if len(patterns) == 1:
        any_group: LiteralString = " OR ".join(
            (
                "s.patient_name_alphabetic LIKE name_match_text({pattern})",
                "(s.patient_name_ideographic <> '' AND s.patient_name_ideographic LIKE name_match_text({pattern}))",
                "(s.patient_name_phonetic <> '' AND s.patient_name_phonetic LIKE name_match_text({pattern}))",
            )
        )
        where.add("(" + any_group + ")", pattern=patterns[0])
        return
    for column, pattern in zip(_NAME_GROUPS, patterns, strict=False):
        if pattern:
            where.add(column + " LIKE name_match_text({pattern})", pattern=pattern)


def _add_words(where: Where, column: LiteralString, condition: PersonNameMatch) -> None:
    """A first sieve that a trigram index answers: every literal piece of the pattern is somewhere among the words."""
    for group in condition.groups:
        for word in "".join(char if char.isalnum() or ord(char) > 127 else " " for char in group).split():
            if len(word) >= 3:
                where.add(column + " LIKE {word}", word=f"%{_escaped(word)}%")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# Text, in a column or in DICOM JSON


def _add_text(where: Where, text: LiteralString, condition: Condition) -> None:
    """A condition on an SQL expression of type text."""
    match condition:
        case Universal():
            pass
        case EmptyValue():
            where.add("coalesce(" + text + ", '') = ''")
        case SingleValue():
            where.add(text + " = {value}", value=condition.value)
        case UIDList():
            where.add(text + " = ANY({uids}::text[])", uids=list(condition.uids))
        case Wildcard():
            where.add(text + " LIKE {pattern}", pattern=condition.to_like())
        case PersonNameMatch():
            _add_name_text(where, text, condition)
        case AnyOf():
            _add_any(where, condition, lambda inner, one: _add_text(inner, text, one))
        case Sequence():
            raise Invalid("This attribute is no sequence.")
        case _:
            _add_bounds(where, text, _as_text(condition.start), _as_text(condition.end))


def _add_name_text(where: Where, text: LiteralString, condition: PersonNameMatch) -> None:
    """A person name, its groups joined by `=`. Both sides go through the same normalisation."""
    one: LiteralString = (
        "EXISTS (SELECT 1 FROM unnest(string_to_array(name_match_text("
        + text
        + "), '=')) AS name WHERE name LIKE name_match_text({pattern}))"
    )
    if len(condition.groups) == 1:
        where.add(one, pattern=condition.to_like())
        return
    for number, group in enumerate(condition.groups, 1):
        if group:
            pattern = PersonNameMatch((group,)).to_like()
            where.add(
                "split_part(name_match_text(" + text + "), '=', {number}) LIKE name_match_text({pattern})",
                number=number,
                pattern=pattern,
            )


def _as_text(bound: date | time | datetime | None) -> str | None:
    """A bound as DICOM writes it, so that texts of one form compare as what they mean."""
    match bound:
        case None:
            return None
        case datetime():
            return f"{bound:%Y%m%d%H%M%S.%f}"
        case date():
            return f"{bound:%Y%m%d}"
        case time():
            return f"{bound:%H%M%S.%f}" if bound.microsecond else f"{bound:%H%M%S}"


def _add_any(where: Where, condition: AnyOf, add: Callable[[Where, Condition], None]) -> None:
    inner = _inner(where)
    for one in condition.conditions:
        alternative = _inner(where)
        add(alternative, one)
        inner.clauses.append("(" + alternative.condition + ")")
    joined: LiteralString = " OR ".join(inner.clauses)
    where.clauses.append("(" + joined + ")")


def _add_json(where: Where, attributes: LiteralString, keys: Mapping[str, Condition], depth: int = 0) -> None:
    """Conditions on the attributes of one data set, or of one item, in the DICOM JSON model (PS3.18 F.2)."""
    for tag, condition in keys.items():
        if isinstance(condition, Universal):
            continue
        inner = _inner(where)
        if isinstance(condition, Sequence):
            if depth >= len(_ITEMS):
                raise Invalid(f"Sequences can be searched {len(_ITEMS)} deep.")
            item = _ITEMS[depth]
            _add_json(inner, item, condition.keys, depth + 1)
            source: LiteralString = "jsonb_path_query(" + attributes + ", {path}::jsonpath) AS " + item
        else:
            _add_text(inner, "text", _present(condition))
            source = (
                "jsonb_path_query("
                + attributes
                + ", {path}::jsonpath) AS json, LATERAL (SELECT json #>> '{}') AS of_it (text)"
            )
        found: LiteralString = "EXISTS (SELECT 1 FROM " + source + " WHERE " + inner.condition + ")"
        where.add("NOT " + found if isinstance(condition, EmptyValue) else found, path=_json_path(tag))


def _present(condition: Condition) -> Condition:
    # Empty means that no value is there: the values are counted, not compared.
    return Universal() if isinstance(condition, EmptyValue) else condition


def _json_path(tag: str) -> str:
    names = vr_of(int(tag, 16)) == "PN"
    return f'$."{tag}".Value[*].*' if names else f'$."{tag}".Value[*]'


def named(tags: Iterable[str]) -> str:
    """Attributes as people know them, for a sentence."""
    return ", ".join(sorted(keyword_of(tag) or tag for tag in tags))
