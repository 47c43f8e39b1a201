"""SQL of finding studies, series and instances. Answers are built by PostgreSQL as DICOM JSON (PS3.18 F).

Attributes lie in jsonb, whose keys of eight digits come out in the order of tags. The object store is never
touched.
"""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, LiteralString

import orjson

from radiology.access.model import Actor
from radiology.kit.db import Database, Reader, as_json
from radiology.standards.dicom import levels
from radiology.standards.dicom.dictionary import vr_of
from radiology.standards.dicom.matching import SingleValue, UIDList
from radiology.standards.dicom.plans import usual_vr
from radiology.studies.queries.conditions import INSTANCE_ATTRIBUTES, KEPT_WHEN_MASKED, Conditions, conditions
from radiology.studies.search import COMPUTED, Level, StudySearch

#: Matches are counted as far as this; beyond it an answer says that there are more.
COUNTED_AT_MOST = 10_000

_RETRIEVE_URL = "00081190"
_ALL_STORED = levels.PATIENT | levels.STUDY | levels.SERIES


@dataclass(frozen=True, slots=True)
class Origin:
    """Where answers can be retrieved: `url` of the DICOMweb service (None leaves it out) and the AE title."""

    url: str | None
    ae_title: str


@dataclass(frozen=True, slots=True)
class Found:
    """One page of answers, each a DICOM JSON object. `total` counts all matches, as far as `COUNTED_AT_MOST` + 1."""

    answers: list[str]
    total: int

    @property
    def total_is_exact(self) -> bool:
        """Whether `total` is the whole number, not only a lower bound."""
        return self.total <= COUNTED_AT_MOST

    @property
    def json(self) -> bytes:
        """The answers as one JSON array."""
        return f"[{','.join(self.answers)}]".encode()


@dataclass(frozen=True, slots=True)
class _Page:
    """Answers, one a line, and how many match in all, where the page does not tell it."""

    answers: str | None
    total: int | None


async def find(db: Database, search: StudySearch, *, visible_to: Actor, origin: Origin) -> Found:
    """One page of what matches, in a total and stable order. Raises NotPermitted for who may not read.

    Studies: date and time, newest first, then UID. Series: number, UID. Instances: number, UID. Patients: ID, issuer.
    """
    asked = conditions(search, visible_to)
    statement, parameters = _page(search, asked, origin)
    count: LiteralString = _COUNT[search.level](asked.where.condition)
    parameters["most"] = COUNTED_AT_MOST + 1
    total: int | None = None
    async with db.reading(planned_once=_is_rare(search)) as tx:
        if _BROAD.issuperset(search.keys):
            page = await tx.one(_Page, _with_total(statement, count), **parameters)
            answers, total = page.answers.split("\n") if page.answers else [], page.total
        else:
            answers = await tx.values(statement, **parameters)
        beyond = search.offset + len(answers)
        if len(answers) < search.limit and (answers or not search.offset):
            return Found(answers, beyond)
        if total is None:
            total = int(await tx.value(count, **parameters))
    return Found(answers, max(total, beyond) if answers else total)


def find_at_once(reader: Reader, search: StudySearch, *, visible_to: Actor, origin: Origin) -> list[str]:
    """The same answers without a total, for a thread that waits for them."""
    asked = conditions(search, visible_to)
    rows = reader.rows(*_page(search, asked, origin), planned_once=_is_rare(search))
    return [row[0] for row in rows]


def find_texts(
    reader: Reader, search: StudySearch, tags: Sequence[str], *, visible_to: Actor
) -> list[tuple[str | None, ...]]:
    """Studies as tuples of the texts of `tags`, which are among `STUDY_TEXTS`, in the order of `find`."""
    asked = conditions(search, visible_to)
    where = asked.where
    columns: LiteralString = ", ".join([_text_of(tag, asked.masked) for tag in tags])
    statement: LiteralString = (
        "SELECT " + columns + " FROM " + _STUDIES + " WHERE " + where.condition + " ORDER BY " + _order(asked.masked)
        + " LIMIT %(limit)s OFFSET %(offset)s"
    )  # fmt: skip
    parameters = {**where.parameters, "limit": search.limit, "offset": search.offset}
    return reader.rows(statement, parameters, planned_once=_is_rare(search))


def _is_rare(search: StudySearch) -> bool:
    """Whether a key names one thing, or a few, so that one plan suits all its values."""
    return any(isinstance(search.keys.get(tag), SingleValue | UIDList) for tag in _IDENTIFIERS)


def _page(search: StudySearch, asked: Conditions, origin: Origin) -> tuple[LiteralString, dict[str, Any]]:
    """The statement of a page, and its parameters; studies have their usual answer ready."""
    parameters = {**asked.where.parameters, "limit": search.limit, "offset": search.offset}
    if search.is_usual and asked.masked is None and origin.url is not None:
        return _ready(asked), {**parameters, "linked": _linked(origin.url)}
    return _PAGE[search.level](search, asked), {**parameters, **_shape(search, origin), "url": origin.url or ""}


@lru_cache(maxsize=32)
def _linked(url: str) -> str:
    """The beginning of a Retrieve URL in an answer, as far as those of all studies are alike."""
    return f'"{_RETRIEVE_URL}": {{"vr": "UR", "Value": [' + orjson.dumps(url).decode()[:-1]


def _shape(search: StudySearch, origin: Origin) -> dict[str, Any]:
    """Parameters that say what an answer is made of: what every one begins with, and what is left out of it again."""
    fixed: dict[str, Any] = {tag: {"vr": _vr(tag)} for tag in search.blank}
    fixed["00080054"] = {"vr": "AE", "Value": [origin.ae_title]}
    fixed["00080056"] = {"vr": "CS", "Value": ["ONLINE"]}
    dropped = _dropped(search.level, search.include_all, search.returned)
    shape: dict[str, Any] = {
        "fixed": as_json(fixed),
        "kept": _KEPT,
        "dropped": dropped if origin.url is not None else [*dropped, _RETRIEVE_URL],
    }
    if search.of_instances and not search.include_all:
        shape["tags"] = sorted(search.of_instances)
    return shape


@lru_cache(maxsize=256)
def _dropped(level: Level, include_all: bool, returned: frozenset[str]) -> list[str]:
    if include_all:
        lower = levels.STUDY | levels.SERIES if level is Level.PATIENT else levels.SERIES
        return sorted(lower) if level in (Level.PATIENT, Level.STUDY) else []
    return sorted((_ALL_STORED | COMPUTED[level]) - returned)


def _vr(tag: str) -> str:
    return usual_vr(vr_of(int(tag, 16)) or "UN")


def _first(tag: LiteralString) -> LiteralString:
    return "s.dicom #>> '{" + tag + ",Value,0}'"


#: Attributes of a study that have one value, as DICOM writes it; a person's name with its component groups.
STUDY_TEXTS: Mapping[str, LiteralString] = {
    "00080020": _first("00080020"),
    "00080030": _first("00080030"),
    "00080050": _first("00080050"),
    "00080061": "array_to_string(s.modalities_in_study, '\\')",
    "00080090": """rtrim(concat_ws('=', coalesce(s.dicom #>> '{00080090,Value,0,Alphabetic}', ''),
        coalesce(s.dicom #>> '{00080090,Value,0,Ideographic}', ''),
        coalesce(s.dicom #>> '{00080090,Value,0,Phonetic}', '')), '=')""",
    "00081030": _first("00081030"),
    "00100010": "s.patient_name",
    "00100020": _first("00100020"),
    "00100021": _first("00100021"),
    "00100030": _first("00100030"),
    "00100040": _first("00100040"),
    "0020000D": "s.study_instance_uid",
    "00200010": _first("00200010"),
    "00201206": "s.number_of_series::text",
    "00201208": "s.number_of_instances::text",
}
SENSITIVE_DESCRIPTION: LiteralString = "Sensitive imaging study"
#: What a masked study answers beside what it keeps.
_INSTEAD: Mapping[str, LiteralString] = {"00080061": "'XX'", "00081030": "'" + SENSITIVE_DESCRIPTION + "'"}
_MASKED: LiteralString = (
    """((%(fixed)s::jsonb || coalesce((
                SELECT jsonb_object_agg(kept.key, kept.value)
                FROM jsonb_each(s.dicom) AS kept
                WHERE kept.key = ANY(%(kept)s)
            ), '{}') || jsonb_build_object(
                '00080061', jsonb_build_object('vr', 'CS', 'Value', jsonb_build_array('XX')),
                '00081030', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array('"""
    + SENSITIVE_DESCRIPTION
    + """')),
                '0020000D', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(s.study_instance_uid))
            )) - %(dropped)s::text[])::text"""
)
#: Attributes whose single value few studies have.
_IDENTIFIERS = ("00080018", "00080050", "00100020", "0020000D", "0020000E")

_KEPT = sorted(KEPT_WHEN_MASKED)

#: What many studies have in common: without another key a page is full as a rule, and asked for with the total.
_BROAD = frozenset({"00080020", "00080030", "00080061"})

# The statements

_STUDY_ORDER: LiteralString = "s.study_date DESC NULLS LAST, s.study_time DESC NULLS LAST, s.study_instance_uid"
_STUDIES: LiteralString = "imaging_studies s"
_SERIES: LiteralString = "imaging_series e JOIN imaging_studies s ON s.id = e.study_id"
_INSTANCES: LiteralString = (
    "instances i JOIN imaging_series e ON e.id = i.series_id JOIN imaging_studies s ON s.id = e.study_id"
)


def _either(masked: LiteralString, instead: LiteralString, whole: LiteralString) -> LiteralString:
    return "CASE WHEN " + masked + " THEN " + instead + " ELSE " + whole + " END"


def _text_of(tag: str, masked: LiteralString | None) -> LiteralString:
    """An attribute of a study as text, as far as the reader may see it."""
    if masked is None or tag in KEPT_WHEN_MASKED:
        return STUDY_TEXTS[tag]
    return _either(masked, _INSTEAD.get(tag, "NULL"), STUDY_TEXTS[tag])


def _order(masked: LiteralString | None) -> LiteralString:
    """The order of studies; the time of a masked one does not show in its place either."""
    if masked is None:
        return _STUDY_ORDER
    time = _either(masked, "NULL", "s.study_time")
    return "s.study_date DESC NULLS LAST, " + time + " DESC NULLS LAST, s.study_instance_uid"


def _patients(search: StudySearch, asked: Conditions) -> LiteralString:  # noqa: ARG001 - one shape for all levels.
    return (
        """
        SELECT ((%(fixed)s::jsonb || p.dicom || jsonb_build_object(
                '00100020', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array(p.dicom_patient_id)),
                '00201200', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(counted.studies)),
                '00201202', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(counted.series)),
                '00201204', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(counted.instances))
            )) - %(dropped)s::text[])::text
        FROM (
            SELECT DISTINCT ON (s.dicom_patient_id, s.issuer_of_patient_id, s.patient_id)
                s.dicom_patient_id, s.issuer_of_patient_id, s.patient_id, s.dicom
            FROM imaging_studies s
            WHERE """
        + asked.where.condition
        + """
            ORDER BY s.dicom_patient_id, s.issuer_of_patient_id, s.patient_id, """
        + _STUDY_ORDER
        + """
            LIMIT %(limit)s OFFSET %(offset)s
        ) p
        CROSS JOIN LATERAL (
            SELECT count(*) AS studies, sum(t.number_of_series) AS series, sum(t.number_of_instances) AS instances
            FROM imaging_studies t
            WHERE t.patient_id = p.patient_id
              AND t.findable
              AND """
        + asked.of_patient
        + """
        ) counted
        ORDER BY p.dicom_patient_id, p.issuer_of_patient_id, p.patient_id
        """
    )


def _studies(search: StudySearch, asked: Conditions) -> LiteralString:
    sop_classes: LiteralString = """
        || jsonb_build_object('00080062', jsonb_build_object('vr', 'UI', 'Value', ARRAY(
            SELECT DISTINCT i.sop_class_uid FROM instances i WHERE i.study_id = s.id ORDER BY i.sop_class_uid)))
        """
    whole: LiteralString = (
        """((%(fixed)s::jsonb || s.dicom || jsonb_build_object(
                '00080061', jsonb_build_object('vr', 'CS', 'Value', to_jsonb(s.modalities_in_study)),
                '00081190', jsonb_build_object('vr', 'UR', 'Value',
                    jsonb_build_array(%(url)s::text || '/studies/' || s.study_instance_uid)),
                '0020000D', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(s.study_instance_uid)),
                '00201206', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(s.number_of_series)),
                '00201208', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(s.number_of_instances))
            )"""
        + (sop_classes if "00080062" in search.returned or search.include_all else "")
        + """) - %(dropped)s::text[])::text"""
    )
    return _listed(whole if asked.masked is None else _either(asked.masked, _MASKED, whole), asked)


def _ready(asked: Conditions) -> LiteralString:
    """Studies with the answer that each has ready, its Retrieve URL made absolute. No text in it has a bare quote."""
    return _listed("""replace(s.answer, '"00081190": {"vr": "UR", "Value": ["@', %(linked)s)""", asked)


def _listed(answer: LiteralString, asked: Conditions) -> LiteralString:
    return (
        "SELECT "
        + answer
        + """
        FROM """
        + _STUDIES
        + """
        WHERE """
        + asked.where.condition
        + """
        ORDER BY """
        + _order(asked.masked)
        + """
        LIMIT %(limit)s OFFSET %(offset)s
        """
    )


def _series(search: StudySearch, asked: Conditions) -> LiteralString:
    order: LiteralString = _STUDY_ORDER + ", e.series_number NULLS LAST, e.series_instance_uid"
    within: LiteralString = "e.series_number NULLS LAST, e.series_instance_uid"
    return (
        """
        SELECT ((%(fixed)s::jsonb || s.dicom || e.dicom || jsonb_build_object(
                '00080061', jsonb_build_object('vr', 'CS', 'Value', to_jsonb(s.modalities_in_study)),
                '00080060', jsonb_build_object('vr', 'CS', 'Value', jsonb_build_array(e.modality)),
                '00081190', jsonb_build_object('vr', 'UR', 'Value', jsonb_build_array(
                    %(url)s::text || '/studies/' || s.study_instance_uid || '/series/' || e.series_instance_uid)),
                '0020000D', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(s.study_instance_uid)),
                '0020000E', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(e.series_instance_uid)),
                '00201206', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(s.number_of_series)),
                '00201208', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(s.number_of_instances)),
                '00201209', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(e.number_of_instances))
            )) - %(dropped)s::text[])::text
        FROM """
        + _SERIES
        + """
        WHERE """
        + asked.where.condition
        + """
        ORDER BY """
        + (order if search.relational else within)
        + """
        LIMIT %(limit)s OFFSET %(offset)s
        """
    )


def _instances(search: StudySearch, asked: Conditions) -> LiteralString:
    order: LiteralString = (
        _STUDY_ORDER
        + ", e.series_number NULLS LAST, e.series_instance_uid, i.instance_number NULLS LAST, i.sop_instance_uid"
    )
    within: LiteralString = "i.instance_number NULLS LAST, i.sop_instance_uid"
    return (
        """
        SELECT """
        + _instance_answer(search)
        + """
        FROM """
        + _INSTANCES
        + """
        CROSS JOIN LATERAL (
            SELECT %(url)s::text || '/studies/' || s.study_instance_uid || '/series/' || e.series_instance_uid
                || '/instances/' || i.sop_instance_uid AS url
        ) at
        WHERE """
        + asked.where.condition
        + """
        ORDER BY """
        + (within if search.study_instance_uid is not None else order)
        + """
        LIMIT %(limit)s OFFSET %(offset)s
        """
    )


def _instance_answer(search: StudySearch) -> LiteralString:
    """The answer as text. An attribute without a column costs parsing the whole header."""
    columns: LiteralString = """ || jsonb_strip_nulls(jsonb_build_object(
                '00080016', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(i.sop_class_uid)),
                '00080018', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(i.sop_instance_uid)),
                '00081190', jsonb_build_object('vr', 'UR', 'Value', jsonb_build_array(at.url)),
                '00083002', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(i.transfer_syntax_uid)),
                '0020000D', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(s.study_instance_uid)),
                '0020000E', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(e.series_instance_uid)),
                '00200013', CASE WHEN i.instance_number IS NOT NULL THEN
                    jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(i.instance_number)) END,
                '00280008', CASE WHEN i.number_of_frames IS NOT NULL THEN
                    jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(i.number_of_frames)) END,
                '00280010', CASE WHEN i.pixel_rows IS NOT NULL THEN
                    jsonb_build_object('vr', 'US', 'Value', jsonb_build_array(i.pixel_rows)) END,
                '00280011', CASE WHEN i.pixel_columns IS NOT NULL THEN
                    jsonb_build_object('vr', 'US', 'Value', jsonb_build_array(i.pixel_columns)) END,
                '00280100', CASE WHEN i.bits_allocated IS NOT NULL THEN
                    jsonb_build_object('vr', 'US', 'Value', jsonb_build_array(i.bits_allocated)) END
            ))) - %(dropped)s::text[])::text"""
    if search.include_all:
        return _bulk_data_linked("((%(fixed)s::jsonb || s.dicom || e.dicom || " + INSTANCE_ATTRIBUTES + columns)
    if not search.of_instances:
        return "((%(fixed)s::jsonb || s.dicom || e.dicom" + columns
    picked: LiteralString = (
        "(SELECT coalesce(jsonb_object_agg(tag, a.json -> tag), '{}') FROM (SELECT "
        + INSTANCE_ATTRIBUTES
        + " AS json) a, unnest(%(tags)s::text[]) AS tag WHERE a.json ? tag)"
    )
    return _bulk_data_linked("((%(fixed)s::jsonb || s.dicom || e.dicom || " + picked + columns)


def _bulk_data_linked(answer: LiteralString) -> LiteralString:
    return "replace(" + answer + """, '"BulkDataURI": "@/', '"BulkDataURI": "' || at.url || '/bulkdata/')"""


_PAGE = {
    Level.PATIENT: _patients,
    Level.STUDY: _studies,
    Level.SERIES: _series,
    Level.IMAGE: _instances,
}


def _with_total(page: LiteralString, count: LiteralString) -> LiteralString:
    """A page and, where the page does not tell it, the total. No answer has a bare line feed."""
    return (
        "SELECT string_agg(page.answer, E'\\n') AS answers,"
        " CASE WHEN count(*) = %(limit)s OR (count(*) = 0 AND %(offset)s > 0) THEN ("
        + count
        + ") END AS total FROM ("
        + page
        + ") AS page (answer)"
    )


def _counting(source: LiteralString, distinct: LiteralString = "1") -> Any:
    def statement(condition: LiteralString) -> LiteralString:
        return (
            "SELECT count(*) FROM (SELECT "
            + distinct
            + " FROM "
            + source
            + " WHERE "
            + condition
            + " LIMIT %(most)s) AS counted"
        )

    return statement


_COUNT = {
    Level.PATIENT: _counting(_STUDIES, "DISTINCT s.dicom_patient_id, s.issuer_of_patient_id, s.patient_id"),
    Level.STUDY: _counting(_STUDIES),
    Level.SERIES: _counting(_SERIES),
    Level.IMAGE: _counting(_INSTANCES),
}
