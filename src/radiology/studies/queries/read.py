"""Reading studies over REST: bodies come out of PostgreSQL as finished JSON."""

from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where
from radiology.kit.ids import uuid_of
from radiology.standards.dicom.uids import is_valid_uid
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
        'basedOn', study.based_on, 'referrer', study.referrer,
        'interpreter', CASE jsonb_array_length(study.interpreter) WHEN 1 THEN study.interpreter->0
            ELSE study.interpreter END,
        'performer', study.metadata->'performer', 'endpoint', study.endpoint, 'location', study.location,
        'reasonCode', study.reason_code, 'reasonReference', study.reason_reference,
        'procedureCode', study.procedure_code, 'studyDescription', study.study_description,
        'accessionNumber', study.accession_number, 'studyInstanceUID', study.study_instance_uid,
        'facilityCode', study.facility_code, 'modalitiesInStudy', study.modalities_in_study,
        'numberOfSeries', study.number_of_series, 'numberOfInstances', study.number_of_instances,
        'sizeBytes', study.size_bytes, 'flags', study.flags, 'reasonNoImages', study.reason_no_images,
        'warnings', coalesce(study.metadata->'warnings', '[]'),
        'createdAt', study.created_at, 'updatedAt', study.updated_at
    ))"""
"""One study; moments are shown in the zone that `shown` has set for this transaction."""


async def resolve(tx: Transaction, study: str, *, visible_to: Actor) -> UUID:
    """The id of a study by its id, its studyId or its Study Instance UID. Raises NotFound."""
    reach = visible_to.reach
    found = await tx.value(
        """
        SELECT id
        FROM imaging_studies
        WHERE (id = %(id)s OR study_id = %(study_id)s OR study_instance_uid = %(study_instance_uid)s)
          AND (%(facility_code)s::text IS NULL OR facility_code = %(facility_code)s)
          AND (%(only_study)s::text IS NULL OR study_instance_uid = %(only_study)s)
        ORDER BY id = %(id)s DESC NULLS LAST, study_id = %(study_id)s DESC
        LIMIT 1
        """,
        id=uuid_of(study),
        study_id=study[:50],
        study_instance_uid=study if is_valid_uid(study) else "",
        facility_code=reach.facility_code,
        only_study=reach.study_instance_uid,
    )
    if found is None:
        raise NotFound("There is no such study. Name it by id, studyId or Study Instance UID.")
    return found


async def study_body(tx: Transaction, study_id: UUID, *, zone: str) -> bytes:
    """A study that was resolved, as JSON."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT """  # noqa: S608  # A literal of ours.
        + BODY
        + """::text
        FROM shown, imaging_studies AS study
        JOIN patients AS patient ON patient.id = study.patient_id
        WHERE study.id = %(study_id)s
        """,
        study_id=study_id,
        zone=zone,
    )


async def version_of(tx: Transaction, study_id: UUID) -> int:
    """The version of a study that was resolved."""
    return await tx.value("SELECT version FROM imaging_studies WHERE id = %(study_id)s", study_id=study_id)


async def lock_study(tx: Transaction, study_id: UUID) -> Study:
    """A study that was resolved, kept from all others until the transaction ends."""
    return await tx.one(
        Study,
        """
        SELECT id, study_id, study_instance_uid, facility_code, status, version, started, number_of_instances,
            (SELECT count(*) FROM radiology_reports AS report
                WHERE report.study_id = study.id AND report.status IN ('registered', 'partial', 'preliminary'))
                AS open_reports,
            (SELECT count(*) FROM radiology_reports AS report
                WHERE report.study_id = study.id AND report.status IN ('final', 'amended', 'corrected', 'appended'))
                AS final_reports,
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


async def search_studies(tx: Transaction, criteria: Criteria, *, visible_to: Actor) -> tuple[bytes, str | None]:
    """One page as a JSON array, newest first, and the cursor of the page behind it."""
    where = where_of(criteria, visible_to)
    rows = await tx.values(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT json_build_array("""  # noqa: S608  # A literal of ours.
        + BODY
        + """, coalesce(study.started, study.created_at) AT TIME ZONE 'UTC', study.id)::text
        FROM shown, imaging_studies AS study
        JOIN patients AS patient ON patient.id = study.patient_id
        WHERE """
        + where.condition
        + """
        ORDER BY coalesce(study.started, study.created_at) DESC, study.id DESC
        LIMIT %(limit)s
        """,
        zone=criteria.zone,
        limit=criteria.limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=criteria.limit)


def where_of(criteria: Criteria, visible_to: Actor) -> Where:
    """All criteria as one condition."""
    where = Where()
    visible_to.reach.add_to(where, facility="study.facility_code", study="study.study_instance_uid")
    _add_status(where, criteria.status)
    if criteria.patient is not None:
        _add_patient(where, criteria.patient)
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
    if criteria.accession_number is not None:
        where.add("study.accession_number = {accession}", accession=criteria.accession_number)
    if criteria.study_instance_uid is not None:
        where.add("study.study_instance_uid = {uid}", uid=criteria.study_instance_uid)
    _add_moments(where, criteria)
    return where


def _add_status(where: Where, status: tuple[str, ...]) -> None:
    """`available` is FHIR's word for in-progress or completed with images; withdrawn studies are never listed."""
    where.add("study.status <> 'entered-in-error'")
    if not status:
        return
    plain = [word for word in status if word != "available"]
    if len(plain) < len(status):
        where.add(
            "(study.status = ANY({plain})"
            " OR (study.status IN ('in-progress', 'completed') AND study.number_of_instances > 0))",
            plain=plain,
        )
    else:
        where.add("study.status = ANY({plain})", plain=plain)


def _add_patient(where: Where, patient: str) -> None:
    where.add(
        """study.patient_id IN (
            SELECT id FROM patients WHERE reference = ANY({references}) OR patient_id = {patient_id} OR id = {id}
        )""",
        references=either_form(patient, "Patient"),
        patient_id=patient.removeprefix("Patient/"),
        id=uuid_of(patient.removeprefix("Patient/")),
    )


def _add_moments(where: Where, criteria: Criteria) -> None:
    if criteria.started_from is not None:
        where.add("study.started >= {moment}", moment=criteria.started_from)
    if criteria.started_before is not None:
        where.add("study.started < {moment}", moment=criteria.started_before)
    if criteria.started_until is not None:
        where.add("study.started <= {moment}", moment=criteria.started_until)
    if criteria.after is not None:
        where.add(
            "(coalesce(study.started, study.created_at), study.id) < ({moment}, {id})",
            moment=criteria.after[0],
            id=criteria.after[1],
        )


def either_form(value: str, kind: str) -> list[str]:
    """`12345` and `Patient/12345` mean the same."""
    return [value, value.removeprefix(f"{kind}/") if value.startswith(f"{kind}/") else f"{kind}/{value}"]
