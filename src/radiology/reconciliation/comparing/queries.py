"""SQL of what is compared: the study or object that came, and what it may belong to."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit.db import Transaction, Where
from radiology.reconciliation.comparing.model import Came, Candidate
from radiology.standards.dicom.names import name_search_text

MOST_LOOKED_AT = 200
DAYS_AROUND = 3
"""Work of the same modality so long before and after is looked at, whoever its patient."""


@dataclass(frozen=True, slots=True)
class ComparedStudy:
    """A study that was resolved, as it is served."""

    id: UUID
    version: int
    facility_code: str
    study_instance_uid: str
    service_request: str | None
    match: str | None
    flags: list[str]
    accession_number: str | None
    study_description: str | None
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    birth_date: str
    sex: str
    moment: datetime
    number_of_instances: int


@dataclass(frozen=True, slots=True)
class Held:
    """An object that is held in quarantine."""

    id: UUID
    reason: str
    detail: str
    object_key: str
    size_bytes: int
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    data_set_sha256: bytes
    source_ae_title: str
    facility_code: str
    received_at: datetime
    resolved_at: datetime | None
    resolution: str | None
    others: int


async def study(tx: Transaction, study_id: UUID) -> ComparedStudy:
    """A study that was resolved."""
    return await tx.one(
        ComparedStudy,
        """
        SELECT id, version, facility_code, study_instance_uid, service_request, match, flags, accession_number,
            study_description, dicom_patient_id AS patient_id, issuer_of_patient_id, patient_name,
            patient_birth_date AS birth_date, patient_sex AS sex, coalesce(started, created_at) AS moment,
            number_of_instances
        FROM imaging_studies
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
    )


async def first_attributes(tx: Transaction, study_id: UUID) -> bytes:
    """The attributes of the first object of a study, as it came; those of no object where it has none."""
    found = await tx.value(
        """
        SELECT attributes
        FROM instances
        WHERE study_id = %(study_id)s
        ORDER BY stored_at, sop_instance_uid
        LIMIT 1
        """,
        study_id=study_id,
    )
    return found or b"{}"


async def series_of(tx: Transaction, study_id: UUID) -> list[dict[str, Any]]:
    """The series of a study, as they are shown."""
    return await tx.value(
        """
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'seriesInstanceUID', series.series_instance_uid, 'modality', series.modality,
            'seriesNumber', series.series_number, 'seriesDescription', series.series_description,
            'numberOfInstances', series.number_of_instances,
            'thumbnail', '/dicomweb/studies/' || study.study_instance_uid || '/series/' || series.series_instance_uid
                || '/thumbnail') ORDER BY series.series_number NULLS LAST, series.series_instance_uid), '[]')
        FROM imaging_series AS series
        JOIN imaging_studies AS study ON study.id = series.study_id
        WHERE series.study_id = %(study_id)s
          AND series.number_of_instances > 0
        """,
        study_id=study_id,
    )


async def held(tx: Transaction, quarantine_id: UUID, *, visible_to: Actor, lock: bool = False) -> Held:
    """An object in quarantine. `lock`: kept from all others until the transaction ends. Raises NotFound."""
    where = Where()
    where.add("held.id = {id}", id=quarantine_id)
    visible_to.staff_reach.add_to_row(where, facility="held.facility_code", uid="held.study_instance_uid")
    statement: LiteralString = (
        """
        SELECT held.id, held.reason, held.detail, held.object_key, held.size_bytes, held.study_instance_uid,
            held.series_instance_uid, held.sop_instance_uid, held.data_set_sha256, held.source_ae_title,
            held.facility_code, held.received_at, held.resolved_at, held.resolution, (
                SELECT count(*) FROM quarantine AS other
                WHERE other.resolved_at IS NULL
                  AND other.id <> held.id
                  AND (other.study_instance_uid, other.reason, other.facility_code, other.source_ae_title)
                    = (held.study_instance_uid, held.reason, held.facility_code, held.source_ae_title)
            ) AS others
        FROM quarantine AS held
        WHERE """
        + where.condition
    )
    if lock:
        statement += " FOR UPDATE OF held"
    found = await tx.maybe(Held, statement, **where.parameters)
    if found is None:
        raise NotFound("There is no such object in quarantine.")
    return found


async def candidates(
    tx: Transaction, came: Came, *, facility_code: str, moment: datetime, but: UUID | None, visible_to: Actor
) -> list[Candidate]:
    """Items and studies of the facility with the same number, name or time."""
    asked = {
        "facility": facility_code,
        "accession": came.accession_number or None,
        "uid": came.study_instance_uid,
        "patient_id": came.identity.patient_id or None,
        "modality": came.modality,
        "moment": moment,
        "days": DAYS_AROUND,
        "name": name_search_text(came.identity.name) or None,
        "but": but,
    }
    items, studies = Where(), Where()
    visible_to.staff_reach.add_to_row(items, facility="w.facility_code", uid="w.study_instance_uid")
    visible_to.reach.add_to(studies, "s")
    found = await tx.all(Candidate, _ITEMS + items.condition + _MOST, most=MOST_LOOKED_AT, **asked, **items.parameters)
    return found + await tx.all(
        Candidate, _STUDIES + studies.condition + _MOST, most=MOST_LOOKED_AT, **asked, **studies.parameters
    )


_ITEMS: LiteralString = """
    SELECT 'item' AS kind, w.id, w.service_request, w.accession_number, w.study_instance_uid,
        coalesce(w.details->>'requestedProcedure', '') AS description, w.modality, w.status,
        w.scheduled_start AS start, w.patient_id, w.issuer_of_patient_id, w.patient_name,
        coalesce(w.details->'patient'->>'birthDate', '') AS birth_date,
        coalesce(w.details->'patient'->>'sex', '') AS sex
    FROM scheduled_procedure_steps AS w
    WHERE w.facility_code = %(facility)s
      AND (w.accession_number = %(accession)s
        OR w.study_instance_uid = %(uid)s
        OR w.patient_id = %(patient_id)s
        OR (w.modality = %(modality)s
          AND w.scheduled_start BETWEEN %(moment)s - make_interval(days => %(days)s)
            AND %(moment)s + make_interval(days => %(days)s)))
      AND """
_STUDIES: LiteralString = """
    SELECT 'study' AS kind, s.id, s.service_request, coalesce(s.accession_number, '') AS accession_number,
        s.study_instance_uid, coalesce(s.study_description, '') AS description,
        coalesce(array_to_string(s.modalities_in_study, ','), '') AS modality, s.status,
        s.started AS start, s.dicom_patient_id AS patient_id, s.issuer_of_patient_id, s.patient_name,
        s.patient_birth_date AS birth_date, s.patient_sex AS sex
    FROM imaging_studies AS s
    WHERE s.facility_code = %(facility)s
      AND s.status <> 'entered-in-error'
      AND s.id IS DISTINCT FROM %(but)s::uuid
      AND (s.accession_number = %(accession)s
        OR s.study_instance_uid = %(uid)s
        OR s.dicom_patient_id = %(patient_id)s
        OR s.patient_name_search = %(name)s)
      AND """
_MOST: LiteralString = " LIMIT %(most)s"
