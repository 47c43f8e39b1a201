"""Reading studies over REST: bodies come out of PostgreSQL as finished JSON."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import orjson

from radiology.access.model import Actor, Permission
from radiology.errors import NotFound, SensitiveStudy
from radiology.kit import pages
from radiology.kit.db import Transaction, Where
from radiology.kit.ids import uuid_of
from radiology.standards.dicom.uids import is_valid_uid
from radiology.studies.masking import masked as masked_view
from radiology.studies.model import Criteria, Study

BODY: LiteralString = """json_strip_nulls(json_build_object(
        'id', study.id, 'studyId', study.study_id, 'version', study.version, 'status', study.status,
        'modality', CASE WHEN study.modality <> '[]' THEN study.modality ELSE (
            SELECT coalesce(jsonb_agg(jsonb_build_object('coding', jsonb_build_array(jsonb_build_object(
                'system', 'http://dicom.nema.org/resources/ontology/DCM', 'code', code))) ORDER BY code), '[]')
            FROM unnest(study.modalities_in_study) AS code
        ) END,
        'subject', json_build_object('reference', patient.reference, 'display', nullif(patient.patient_name, '')),
        'encounter', CASE WHEN study.encounter_id IS NOT NULL THEN coalesce(
            study.metadata->'encounter', jsonb_build_object('reference', study.encounter_id)) END,
        'started', study.started, 'completed', study.completed,
        'basedOn', CASE WHEN study.service_request IS NULL
                OR study.based_on @> jsonb_build_array(jsonb_build_object('reference', study.service_request))
            THEN study.based_on ELSE jsonb_build_array(jsonb_build_object('reference', study.service_request)) END,
        'match', study.match, 'plannedStudyInstanceUID', study.planned_study_instance_uid,
        'studyGroupId', study.study_group_id, 'referrer', study.referrer,
        'interpreter', CASE jsonb_array_length(study.interpreter) WHEN 1 THEN study.interpreter->0
            ELSE study.interpreter END,
        'performer', study.metadata->'performer', 'endpoint', study.endpoint, 'location', study.location,
        'reasonCode', study.reason_code, 'reasonReference', study.reason_reference,
        'procedureCode', study.procedure_code, 'studyDescription', study.study_description,
        'accessionNumber', study.accession_number, 'studyInstanceUID', study.study_instance_uid,
        'facilityCode', study.facility_code, 'modalitiesInStudy', study.modalities_in_study,
        'numberOfSeries', study.number_of_series, 'numberOfInstances', study.number_of_instances,
        'sizeBytes', study.size_bytes, 'flags', study.flags, 'reasonNoImages', study.reason_no_images,
        'reportOutdated', nullif(EXISTS (SELECT FROM outdated_reports AS task
            WHERE task.study_id = study.id AND task.closed_at IS NULL), false),
        'warnings', coalesce(study.metadata->'warnings', '[]'),
        'createdAt', study.created_at, 'updatedAt', study.updated_at
    ))"""
"""One study; moments are shown in the zone that `shown` has set for this transaction."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A study as far as a reader sees it. `may_be_opened`: it is not forensic, so break-glass would open it."""

    id: UUID
    is_masked: bool
    may_be_opened: bool

    def refusal(self, reader: Actor) -> SensitiveStudy:
        """What is said to a reader for whom it is masked."""
        return SensitiveStudy(breaks_glass=self.may_be_opened and reader.may(Permission.BREAK_GLASS))


async def resolve(tx: Transaction, study: str, *, visible_to: Actor) -> UUID:
    """The id of a study by its id, its studyId or its Study Instance UID. Raises NotFound, SensitiveStudy."""
    found = await look_up(tx, study, visible_to=visible_to)
    if found.is_masked:
        raise found.refusal(visible_to)
    return found.id


async def look_up(tx: Transaction, study: str, *, visible_to: Actor) -> Shown:
    """The same, also a study that is to be masked. Raises NotFound."""
    reach, where = visible_to.reach, Where()
    where.add(
        "(s.id = {id} OR s.study_id = {study_id} OR s.study_instance_uid = {uid})",
        id=uuid_of(study),
        study_id=study[:50],
        uid=study if is_valid_uid(study) else "",
    )
    reach.add_to(where, "s", also_masked=visible_to.is_shown_masked)
    statement: LiteralString = (
        "SELECT s.id, NOT "
        + reach.seen(where, "s")
        + " AS is_masked, NOT 'S4' = ANY(s.sensitive_classes) AS may_be_opened FROM imaging_studies AS s WHERE "
        + where.condition
        + " ORDER BY s.id = %(asked)s DESC NULLS LAST, s.study_id = %(name)s DESC LIMIT 1"
    )
    found = await tx.maybe(Shown, statement, asked=uuid_of(study), name=study[:50], **where.parameters)
    if found is None:
        raise NotFound("There is no such study. Name it by id, studyId or Study Instance UID.")
    return found


async def study_body(tx: Transaction, study_id: UUID, *, zone: str) -> bytes:
    """A study that was resolved, as JSON."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT """
        + BODY
        + """::text
        FROM shown, imaging_studies AS study
        JOIN patients AS patient ON patient.id = study.patient_id
        WHERE study.id = %(study_id)s
        """,
        study_id=study_id,
        zone=zone,
    )


async def series_of(tx: Transaction, study_id: UUID) -> bytes:
    """The series of a study that was resolved, as far as images of them can be found, as a JSON array."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('uid', e.series_instance_uid, 'number', e.series_number,
            'modality', e.modality, 'description', e.series_description, 'numberOfInstances', e.number_of_instances,
            'started', e.started) ORDER BY e.series_number NULLS LAST, e.series_instance_uid), '[]')::text
        FROM imaging_series AS e
        WHERE e.study_id = %(study_id)s
          AND e.number_of_instances > 0
        """,
        study_id=study_id,
    )


async def version_of(tx: Transaction, study_id: UUID) -> int:
    """The version of a study that was resolved."""
    return await tx.value("SELECT version FROM imaging_studies WHERE id = %(study_id)s", study_id=study_id)


async def place_and_modalities(tx: Transaction, study_id: UUID) -> tuple[str, list[str]]:
    """Where a study that was resolved was made, and its modalities."""
    facility_code, modalities = await tx.value(
        """
        SELECT jsonb_build_array(facility_code, modalities_in_study)
        FROM imaging_studies
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
    )
    return facility_code, modalities


async def lock_study(tx: Transaction, study_id: UUID) -> Study:
    """A study that was resolved, kept from all others until the transaction ends."""
    return await tx.one(
        Study,
        """
        SELECT id, study_id, study_instance_uid, planned_study_instance_uid, facility_code, status, version, started,
            number_of_instances,
            (SELECT count(*) FROM radiology_reports AS report
                WHERE report.study_id = study.id AND report.status IN ('registered', 'partial', 'preliminary'))
                AS open_reports,
            (SELECT count(*) FROM radiology_reports AS report
                WHERE report.study_id = study.id AND report.status IN ('final', 'amended', 'corrected', 'appended'))
                AS final_reports,
            withdrawal_asked_by,
            withdrawal.from_status AS withdrawn_from,
            withdrawal.occurred_at AS withdrawn_at
        FROM imaging_studies AS study
        LEFT JOIN LATERAL (
            SELECT from_status, occurred_at
            FROM study_transitions
            WHERE study_transitions.study_id = study.id
              AND to_status = 'entered-in-error'
            ORDER BY study_transitions.id DESC
            LIMIT 1
        ) AS withdrawal ON true
        WHERE study.id = %(study_id)s
        FOR NO KEY UPDATE OF study
        """,
        study_id=study_id,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    json: str
    is_masked: bool


async def search_studies(tx: Transaction, criteria: Criteria, *, visible_to: Actor) -> tuple[bytes, str | None]:
    """One page as a JSON array, newest first, and the cursor of the page behind it.

    A masked study has its place, also in the cursor, by the day of its start.
    """
    where, masked = where_of(criteria, visible_to)
    moment, order = _MOMENT, _MOMENT + " DESC"
    if masked is not None:
        moment, order = _shown_moment(masked), _DAY + " DESC, " + _shown_moment(masked) + " DESC"
    rows = await tx.all(
        _Row,
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT json_build_array("""
        + BODY
        + ", "
        + moment
        + """ AT TIME ZONE 'UTC', study.id)::text AS json, """
        + (masked or "false")
        + """ AS is_masked
        FROM shown, imaging_studies AS study
        JOIN patients AS patient ON patient.id = study.patient_id
        WHERE """
        + where.condition
        + " ORDER BY "
        + order
        + """, study.id DESC
        LIMIT %(limit)s
        """,
        zone=criteria.zone,
        limit=criteria.limit + 1,
        **where.parameters,
    )
    return pages.page([_masked(row.json) if row.is_masked else row.json for row in rows], limit=criteria.limit)


_MOMENT: LiteralString = "coalesce(study.started, study.created_at)"
_DAY: LiteralString = "(coalesce(study.started, study.created_at) AT TIME ZONE %(zone)s)::date"


def _shown_moment(masked: LiteralString) -> LiteralString:
    """The moment of a study, of a masked one the begin of its day."""
    return "(CASE WHEN " + masked + " THEN " + _DAY + "::timestamp AT TIME ZONE %(zone)s ELSE " + _MOMENT + " END)"


def masked_body(body: bytes) -> bytes:
    """The body of a study, masked."""
    return orjson.dumps(masked_view(orjson.loads(body)))


def _masked(row: str) -> str:
    body, moment, key = orjson.loads(row)
    return f'[{orjson.dumps(masked_view(body)).decode()}, "{moment}", "{key}"]'


def where_of(criteria: Criteria, visible_to: Actor) -> tuple[Where, LiteralString | None]:
    """All criteria as one condition, and the SQL of whether a study is to be masked; None where none ever is.

    Criteria on what is masked find a masked study as if it had no value there.
    """
    is_of_one = criteria.patient is not None or criteria.study_instance_uid is not None
    reach = (visible_to if is_of_one else visible_to.beyond_reading).reach
    where = Where()
    reach.add_to(where, "study", also_masked=visible_to.is_shown_masked)
    masks = visible_to.is_shown_masked and not reach.sees_sensitive
    masked: LiteralString | None = "(NOT " + reach.seen(where, "study") + ")" if masks else None
    _add_status(where, criteria.status, masked)
    if criteria.patient is not None:
        _add_patient(where, criteria.patient)
    if criteria.accession_number is not None:
        where.add("study.accession_number = {accession}", accession=criteria.accession_number)
    if criteria.study_instance_uid is not None:
        where.add("study.study_instance_uid = {uid}", uid=criteria.study_instance_uid)
    _add_moments(where, criteria, masked)
    hidden = Where(parameters=where.parameters)
    _add_hidden(hidden, criteria)
    if hidden.clauses:
        where.clauses.extend(hidden.clauses if masked is None else ["NOT " + masked, *hidden.clauses])
    return where, masked


def _add_hidden(where: Where, criteria: Criteria) -> None:
    """Criteria on what a masked study does not show."""
    if criteria.encounter is not None:
        where.add("study.encounter_id = ANY({encounters})", encounters=either_form(criteria.encounter, "Encounter"))
    if criteria.modality:
        where.add("study.modalities_in_study && {modalities}::text[]", modalities=list(criteria.modality))
    if criteria.procedure_code is not None:
        where.add("study.procedure_codes @> ARRAY[{code}::text]", code=criteria.procedure_code)
    if criteria.performer is not None:
        where.add("study.performers && {people}::text[]", people=either_form(criteria.performer, "Practitioner"))
    if criteria.interpreter is not None:
        where.add("study.interpreters && {people}::text[]", people=either_form(criteria.interpreter, "Practitioner"))


def _add_status(where: Where, status: tuple[str, ...], masked: LiteralString | None) -> None:
    """`available` is FHIR's word for in-progress or completed with images; withdrawn studies are never listed.

    Whether a masked study has images is not shown.
    """
    where.add("study.status <> 'entered-in-error'")
    if not status:
        return
    plain = [word for word in status if word != "available"]
    if len(plain) < len(status):
        images: LiteralString = "study.number_of_instances > 0"
        if masked is not None:
            images = "NOT " + masked + " AND " + images
        where.add(
            "(study.status = ANY({plain}) OR (study.status IN ('in-progress', 'completed') AND " + images + "))",
            plain=plain,
        )
    else:
        where.add("study.status = ANY({plain})", plain=plain)


def _add_patient(where: Where, patient: str) -> None:
    where.add(
        """study.patient_id IN (
            SELECT surviving_patient(id)
            FROM patients
            WHERE reference = ANY({references}) OR patient_id = {patient_id} OR id = {id}
        )""",
        references=either_form(patient, "Patient"),
        patient_id=patient.removeprefix("Patient/"),
        id=uuid_of(patient.removeprefix("Patient/")),
    )


def _add_moments(where: Where, criteria: Criteria, masked: LiteralString | None) -> None:
    if criteria.started_from is not None:
        _add_start(where, " >= {moment}", criteria.started_from, masked)
    if criteria.started_before is not None:
        _add_start(where, " < {moment}", criteria.started_before, masked)
    if criteria.started_until is not None:
        _add_start(where, " <= {moment}", criteria.started_until, masked)
    if criteria.after is not None:
        moment = _MOMENT if masked is None else _shown_moment(masked)
        where.add("(" + moment + ", study.id) < ({moment}, {id})", moment=criteria.after[0], id=criteria.after[1])
        if masked is not None:
            where.add(_DAY + " <= ({moment} AT TIME ZONE %(zone)s)::date", moment=criteria.after[0])


def _add_start(where: Where, bound: LiteralString, moment: datetime, masked: LiteralString | None) -> None:
    """A bound of the start; of a masked study only the day is compared."""
    if masked is None:
        where.add("study.started" + bound, moment=moment)
        return
    day: LiteralString = "date_trunc('day', study.started, %(zone)s)"
    where.add("CASE WHEN " + masked + " THEN " + day + " ELSE study.started END" + bound, moment=moment)


def either_form(value: str, kind: str) -> list[str]:
    """`12345` and `Patient/12345` mean the same."""
    return [value, value.removeprefix(f"{kind}/") if value.startswith(f"{kind}/") else f"{kind}/{value}"]
