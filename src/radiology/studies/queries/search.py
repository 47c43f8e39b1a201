"""SQL of finding studies, series and instances. Answers are built by PostgreSQL as DICOM JSON (PS3.18 F).

Attributes lie in jsonb, whose keys of eight digits come out in the order of tags. The object store is never
touched.
"""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import FieldProblem, Invalid
from radiology.kit.db import Transaction, Where, as_json
from radiology.standards.dicom import levels
from radiology.standards.dicom.dictionary import vr_of
from radiology.standards.dicom.plans import usual_vr
from radiology.studies.queries.conditions import INSTANCE_ATTRIBUTES, conditions
from radiology.studies.search import AVAILABLE, COMPUTED, STATUSES, Level, StudyCriteria, StudySearch

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


async def find(tx: Transaction, search: StudySearch, *, visible_to: Actor, origin: Origin) -> Found:
    """One page of what matches, in a total and stable order. Raises NotPermitted for who may not read.

    Studies: date and time, newest first, then UID. Series: number, UID. Instances: number, UID. Patients: ID, issuer.
    """
    facility = visible_to.reader_facility
    where = conditions(search, facility=facility)
    # A plan made for all values would take no account of how rare the one is that is looked for.
    await tx.run("SET LOCAL plan_cache_mode = force_custom_plan")
    answers: list[str] = await tx.values(
        _PAGE[search.level](search, where.condition),
        **where.parameters,
        **_shape(search, origin),
        url=origin.url or "",
        facility=facility,
        limit=search.limit,
        offset=search.offset,
    )
    if len(answers) < search.limit and (answers or not search.offset):
        return Found(answers, search.offset + len(answers))
    total: int = await tx.value(_COUNT[search.level](where.condition), **where.parameters, most=COUNTED_AT_MOST + 1)
    return Found(answers, max(total, search.offset + len(answers)))


def _shape(search: StudySearch, origin: Origin) -> dict[str, Any]:
    """Parameters that say what an answer is made of: what every one begins with, and what is left out of it again."""
    fixed: dict[str, Any] = {tag: {"vr": _vr(tag)} for tag in search.blank}
    fixed["00080054"] = {"vr": "AE", "Value": [origin.ae_title]}
    fixed["00080056"] = {"vr": "CS", "Value": ["ONLINE"]}
    dropped = _dropped(search.level, search.include_all, search.returned)
    shape: dict[str, Any] = {
        "fixed": as_json(fixed),
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


# The statements

_STUDY_ORDER: LiteralString = "s.study_date DESC NULLS LAST, s.study_time DESC NULLS LAST, s.study_instance_uid"
_STUDIES: LiteralString = "imaging_studies s"
_SERIES: LiteralString = "imaging_series e JOIN imaging_studies s ON s.id = e.study_id"
_INSTANCES: LiteralString = (
    "instances i JOIN imaging_series e ON e.id = i.series_id JOIN imaging_studies s ON s.id = e.study_id"
)


def _patients(search: StudySearch, condition: LiteralString) -> LiteralString:  # noqa: ARG001 - one shape for all levels.
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
        + condition
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
              AND (%(facility)s::text IS NULL OR t.facility_code = %(facility)s)
        ) counted
        ORDER BY p.dicom_patient_id, p.issuer_of_patient_id, p.patient_id
        """
    )


def _studies(search: StudySearch, condition: LiteralString) -> LiteralString:
    sop_classes: LiteralString = """
        || jsonb_build_object('00080062', jsonb_build_object('vr', 'UI', 'Value', ARRAY(
            SELECT DISTINCT i.sop_class_uid FROM instances i WHERE i.study_id = s.id ORDER BY i.sop_class_uid)))
        """
    return (
        """
        SELECT ((%(fixed)s::jsonb || s.dicom || jsonb_build_object(
                '00080061', jsonb_build_object('vr', 'CS', 'Value', to_jsonb(s.modalities_in_study)),
                '00081190', jsonb_build_object('vr', 'UR', 'Value',
                    jsonb_build_array(%(url)s::text || '/studies/' || s.study_instance_uid)),
                '0020000D', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(s.study_instance_uid)),
                '00201206', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(s.number_of_series)),
                '00201208', jsonb_build_object('vr', 'IS', 'Value', jsonb_build_array(s.number_of_instances))
            )"""
        + (sop_classes if "00080062" in search.returned or search.include_all else "")
        + """) - %(dropped)s::text[])::text
        FROM """
        + _STUDIES
        + """
        WHERE """
        + condition
        + """
        ORDER BY """
        + _STUDY_ORDER
        + """
        LIMIT %(limit)s OFFSET %(offset)s
        """
    )


def _series(search: StudySearch, condition: LiteralString) -> LiteralString:
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
        + condition
        + """
        ORDER BY """
        + (order if search.relational else within)
        + """
        LIMIT %(limit)s OFFSET %(offset)s
        """
    )


def _instances(search: StudySearch, condition: LiteralString) -> LiteralString:
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
        + condition
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


# REST

#: A study as the REST interface shows it; `s` is imaging_studies, `p` its patient.
STUDY_AS_JSON: LiteralString = """
    jsonb_strip_nulls(jsonb_build_object(
        'id', s.id,
        'studyId', s.study_id,
        'version', s.version,
        'status', s.status,
        'modality', s.modality,
        'modalitiesInStudy', s.modalities_in_study,
        'subject', jsonb_build_object('reference', p.reference, 'display', nullif(s.patient_name, '')),
        'patientId', nullif(s.dicom_patient_id, ''),
        'patientName', nullif(s.patient_name, ''),
        'patientBirthDate', nullif(s.patient_birth_date, ''),
        'patientSex', nullif(s.patient_sex, ''),
        'encounter', CASE WHEN s.encounter_id IS NOT NULL THEN jsonb_build_object('reference', s.encounter_id) END,
        'started', s.started,
        'completed', s.completed,
        'basedOn', s.based_on,
        'referrer', s.referrer,
        'interpreter', s.interpreter,
        'location', s.location,
        'reasonCode', s.reason_code,
        'reasonReference', s.reason_reference,
        'procedureCode', s.procedure_code,
        'studyDescription', s.study_description,
        'accessionNumber', s.accession_number,
        'studyInstanceUID', s.study_instance_uid,
        'numberOfSeries', s.number_of_series,
        'numberOfInstances', s.number_of_instances,
        'facilityCode', s.facility_code,
        'flags', s.flags,
        'createdAt', s.created_at,
        'updatedAt', s.updated_at
    ))
    """


@dataclass(frozen=True, slots=True)
class _StudyRow:
    body: str
    at: datetime
    id: UUID


async def search_studies_rest(
    tx: Transaction, criteria: StudyCriteria, *, visible_to: Actor
) -> tuple[bytes, str | None]:
    """One page of studies as a JSON array, newest first, and the cursor of the next page (None at the end).

    Raises Invalid for a cursor or a status that does not exist.
    """
    where = _criteria(criteria, visible_to.reader_facility)
    await tx.run("SET LOCAL plan_cache_mode = force_custom_plan")
    rows = await tx.all(
        _StudyRow,
        "SELECT "
        + STUDY_AS_JSON
        + """::text AS body, coalesce(s.started, s.created_at) AS at, s.id
        FROM imaging_studies s
        JOIN patients p ON p.id = s.patient_id
        WHERE """
        + where.condition
        + """
        ORDER BY coalesce(s.started, s.created_at) DESC, s.id DESC
        LIMIT %(limit)s
        """,
        **where.parameters,
        limit=criteria.limit + 1,
    )
    page = rows[: criteria.limit]
    following = _cursor(page[-1]) if len(rows) > len(page) else None
    return f"[{','.join(row.body for row in page)}]".encode(), following


def _criteria(criteria: StudyCriteria, facility: str | None) -> Where:
    where = Where()
    if facility is not None:
        where.add("s.facility_code = {facility}", facility=facility)
    if criteria.patient:
        _add_patient(where, criteria.patient)
    if criteria.encounter:
        where.add("s.encounter_id = ANY({encounters}::text[])", encounters=_references("Encounter", criteria.encounter))
    if criteria.modality:
        where.add(
            "s.modalities_in_study && {modalities}::text[]", modalities=criteria.modality.replace("\\", ",").split(",")
        )
    if criteria.procedure_code:
        where.add("s.procedure_codes @> ARRAY[{code}::text]", code=criteria.procedure_code.rpartition("|")[2])
    if criteria.performer:
        where.add("s.performers && {performers}::text[]", performers=_references("Practitioner", criteria.performer))
    if criteria.interpreter:
        where.add(
            "s.interpreters && {interpreters}::text[]", interpreters=_references("Practitioner", criteria.interpreter)
        )
    if criteria.accession_number:
        where.add("s.accession_number = {accession_number}", accession_number=criteria.accession_number)
    if criteria.study_instance_uid:
        where.add("s.study_instance_uid = {uid}", uid=criteria.study_instance_uid)
    _add_status(where, criteria.status)
    _add_span(where, criteria)
    return where


def _add_patient(where: Where, patient: str) -> None:
    bare = patient.rpartition("/")[2]
    where.add(
        """s.patient_id IN (
            SELECT id
            FROM patients
            WHERE reference = ANY({references}::text[])
               OR patient_id = {bare}
               OR id = {uuid}::uuid)""",
        references=_references("Patient", patient),
        bare=bare,
        uuid=_uuid(bare),
    )


def _add_status(where: Where, status: str | None) -> None:
    if status is None:
        where.add("s.status <> 'entered-in-error'")
    elif status == AVAILABLE:
        where.add("s.status IN ('in-progress', 'completed') AND s.number_of_instances > 0")
    else:
        wanted = status.split(",")
        if unknown := set(wanted) - STATUSES:
            fields = (FieldProblem("status", f"one of {', '.join(sorted(STATUSES))}, or {AVAILABLE}"),)
            raise Invalid(f"There is no status {unknown.pop()[:40]!r}.", fields=fields)
        where.add("s.status = ANY({statuses}::text[])", statuses=wanted)


def _add_span(where: Where, criteria: StudyCriteria) -> None:
    """From, to and the cursor. The index orders by start or, for want of one, by creation."""
    if criteria.date_from:
        where.add(
            "coalesce(s.started, s.created_at) >= {start} AND s.started IS NOT NULL",
            start=criteria.date_from,
        )
    if criteria.date_to:
        where.add("coalesce(s.started, s.created_at) <= {end} AND s.started IS NOT NULL", end=criteria.date_to)
    if criteria.cursor:
        at, last = _read_cursor(criteria.cursor)
        where.add("(coalesce(s.started, s.created_at), s.id) < ({at}::timestamptz, {last}::uuid)", at=at, last=last)


def _references(kind: str, given: str) -> list[str]:
    """How a reference may have been written: with the kind of resource before it, or without."""
    bare = given.removeprefix(f"{kind}/")
    return [bare, f"{kind}/{bare}"]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _cursor(row: _StudyRow) -> str:
    return base64.urlsafe_b64encode(f"{row.at.isoformat()}~{row.id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, last = base64.urlsafe_b64decode(cursor + "==").decode().partition("~")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        return moment, UUID(last)
    except (ValueError, binascii.Error) as error:
        raise Invalid("The cursor is none of ours. Take it from `next` of the page before.") from error
