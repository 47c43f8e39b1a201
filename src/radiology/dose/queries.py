"""SQL of doses: what tells of them, and what was read from it."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.dose.model import DoseEvent, Examination, Received
from radiology.dose.reading import Image
from radiology.kit.db import Transaction, Where, as_json
from radiology.studies.rejection import Title

MOST_IMAGES = 3000
"""Of one study so many images are looked at; more than that are slices of one acquisition anyhow."""
_LARGEST_HEADER_BYTES = 4 * 1024 * 1024

_EVENT_COLUMNS: LiteralString = """
    event_uid, told_by, started_at, protocol, acquisition, region, laterality, view, plane, kvp, tube_current_ma,
    exposure_mas, exposure_time_seconds, fluoroscopy_seconds, ctdi_vol_mgy, phantom_cm, dlp_mgy_cm, effective_dose_msv,
    kap_gy_cm2, air_kerma_mgy, entrance_mgy, glandular_dose_mgy
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A study whose doses are to be read."""

    id: UUID
    study_instance_uid: str
    scheduled_as: str
    facility_code: str
    status: str
    started: datetime
    birth_date: str
    description: str
    modalities: list[str]
    number_of_instances: int
    procedure_code: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True)
class Object:
    """A stored object: its attributes as DICOM JSON, where it came from, and why it was rejected, if it was."""

    sop_instance_uid: str
    ae_title: str
    modality: str
    stored_at: datetime
    title: str
    category: str
    attributes: bytes


async def subjects(tx: Transaction, study_ids: Collection[UUID], uids: Collection[str]) -> list[Subject]:
    """Studies by id or Study Instance UID that are complete, or whose doses were read before."""
    return await tx.all(
        Subject,
        """
        SELECT id, study_instance_uid, coalesce(planned_study_instance_uid, study_instance_uid) AS scheduled_as,
            facility_code, status, coalesce(started, created_at) AS started, patient_birth_date AS birth_date,
            coalesce(study_description, '') AS description, modalities_in_study AS modalities,
            number_of_instances, procedure_code
        FROM imaging_studies
        WHERE (id = ANY(%(ids)s) OR study_instance_uid = ANY(%(uids)s) OR planned_study_instance_uid = ANY(%(uids)s))
          AND (status = 'completed' OR EXISTS (SELECT FROM dose_examinations WHERE study_id = imaging_studies.id))
        ORDER BY id
        """,
        ids=list(study_ids),
        uids=list(uids),
    )


async def reports(tx: Transaction, study_id: UUID, sop_class_uids: Collection[str]) -> list[Object]:
    """Structured reports of a study, the oldest first."""
    return await tx.all(
        Object,
        """
        SELECT sop_instance_uid, source_ae_title AS ae_title, 'SR' AS modality, stored_at, '' AS title, '' AS category,
            attributes
        FROM instances
        WHERE study_id = %(study_id)s
          AND sop_class_uid = ANY(%(sop_class_uids)s)
        ORDER BY stored_at, sop_instance_uid
        LIMIT 200
        """,
        study_id=study_id,
        sop_class_uids=list(sop_class_uids),
    )


async def images(
    tx: Transaction, study_id: UUID, modalities: Collection[str], *, limit: int = MOST_IMAGES
) -> list[Object]:
    """Images of a study by modality, with those rejected for quality or for safety: they exposed the patient too."""
    return await tx.all(
        Object,
        """
        SELECT i.sop_instance_uid, i.ae_title, series.modality, i.stored_at, i.title, i.category, i.attributes
        FROM (
            SELECT sop_instance_uid, series_id, source_ae_title AS ae_title, stored_at, attributes, '' AS title,
                '' AS category, instance_number
            FROM instances
            WHERE study_id = %(study_id)s
            UNION ALL
            SELECT hidden.sop_instance_uid, hidden.series_id, hidden.source_ae_title, hidden.stored_at,
                hidden.attributes, rejection.title, rejection.category, hidden.instance_number
            FROM rejected_instances AS hidden
            JOIN rejections AS rejection ON rejection.id = hidden.rejection_id
            WHERE hidden.study_id = %(study_id)s
              AND rejection.title = ANY(%(titles)s)
        ) AS i
        JOIN imaging_series AS series ON series.id = i.series_id
        WHERE series.modality = ANY(%(modalities)s)
          AND octet_length(i.attributes) <= %(largest)s
        ORDER BY i.instance_number NULLS LAST, i.sop_instance_uid
        LIMIT %(limit)s
        """,
        study_id=study_id,
        titles=[Title.QUALITY, Title.PATIENT_SAFETY],
        modalities=list(modalities),
        largest=_LARGEST_HEADER_BYTES,
        limit=limit,
    )


async def went_by_retention(tx: Transaction, study_id: UUID) -> bool:
    """Whether all that told of the doses of a study is gone for its age, and so is neither elsewhere nor in doubt."""
    return await tx.value(
        """
        WITH telling AS (
            SELECT told_by AS sop_instance_uid
            FROM dose_events
            WHERE study_id = %(study_id)s
            UNION
            SELECT sop_instance_uid
            FROM image_exposures
            WHERE study_id = %(study_id)s
        )
        SELECT NOT EXISTS (
            SELECT FROM telling
            WHERE EXISTS (SELECT FROM instances WHERE sop_instance_uid = telling.sop_instance_uid)
              OR EXISTS (
                SELECT FROM rejected_instances AS hidden
                JOIN rejections AS rejection ON rejection.id = hidden.rejection_id
                WHERE hidden.sop_instance_uid = telling.sop_instance_uid
                  AND rejection.title <> %(expired)s
              )
        )
        """,
        study_id=study_id,
        expired=Title.RETENTION_EXPIRED,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """A performed procedure step that has ended."""

    sop_instance_uid: str
    ae_title: str
    attributes: Mapping[str, Any]


async def performed_steps(tx: Transaction, subject: Subject) -> list[Step]:
    """Steps of a study that have ended."""
    return await tx.all(
        Step,
        """
        SELECT sop_instance_uid, source_ae_title AS ae_title, attributes
        FROM performed_procedure_steps
        WHERE study_instance_uids && %(uids)s
          AND facility_code = %(facility_code)s
          AND status <> 'IN PROGRESS'
        ORDER BY started_at, sop_instance_uid
        """,
        uids=[subject.study_instance_uid, subject.scheduled_as],
        facility_code=subject.facility_code,
    )


async def examination(tx: Transaction, study_id: UUID) -> Examination | None:
    """What was read of a study before."""
    return await tx.maybe(
        Examination,
        """
        SELECT source, events, performed_at, ae_title, modality, procedure_key, protocol, patient_group, standard_size,
            age_years, weight_kg, height_m, doses, effective_dose_msv, effective_dose_method, explain
        FROM dose_examinations
        WHERE study_id = %(study_id)s
        """,
        study_id=study_id,
    )


async def forget(tx: Transaction, study_id: UUID) -> int:
    """Take away what was read of a study; returns how many examinations."""
    await tx.run("DELETE FROM dose_events WHERE study_id = %(study_id)s", study_id=study_id)
    return await tx.run("DELETE FROM dose_examinations WHERE study_id = %(study_id)s", study_id=study_id)


async def save_examination(tx: Transaction, study_id: UUID, made: Examination, *, at: datetime) -> None:
    """Keep what was read of a study, of which nothing is kept."""
    columns = {field.name: getattr(made, field.name) for field in fields(made)}
    await tx.run(
        """
        INSERT INTO dose_examinations (study_id, source, events, performed_at, ae_title, modality, procedure_key,
            protocol, patient_group, standard_size, age_years, weight_kg, height_m, doses, effective_dose_msv,
            effective_dose_method, explain, read_at)
        VALUES (%(study_id)s, %(source)s, %(events)s, %(performed_at)s, %(ae_title)s, %(modality)s, %(procedure_key)s,
            %(protocol)s, %(patient_group)s, %(standard_size)s, %(age_years)s, %(weight_kg)s, %(height_m)s, %(doses)s,
            %(effective_dose_msv)s, %(effective_dose_method)s, %(explain)s, %(at)s)
        """,
        study_id=study_id,
        at=at,
        **columns | {"doses": as_json(dict(made.doses)), "explain": as_json(list(made.explain))},
    )


async def save_events(tx: Transaction, study_id: UUID, events: Sequence[DoseEvent]) -> None:
    """Keep the events of a study, of which none are kept, in one statement."""
    await tx.run(
        """
        INSERT INTO dose_events (study_id, """
        + _EVENT_COLUMNS
        + """)
        SELECT %(study_id)s, """
        + _EVENT_COLUMNS
        + """
        FROM jsonb_populate_recordset(NULL::dose_events, %(events)s::jsonb)
        """,
        study_id=study_id,
        events=as_json([asdict(event) for event in events]),
    )


async def replace_images(tx: Transaction, study_id: UUID, images: Sequence[tuple[Object, Image, datetime]]) -> None:
    """Keep the exposures of the images of a study, in place of those that are kept: object, exposure, when."""
    await tx.run("DELETE FROM image_exposures WHERE study_id = %(study_id)s", study_id=study_id)
    rows = [
        asdict(image)
        | {
            "sop_instance_uid": stored.sop_instance_uid,
            "ae_title": stored.ae_title,
            "modality": stored.modality,
            "stored_at": stored.stored_at,
            "rejected": stored.category,
            "taken_at": at,
        }
        for stored, image, at in images
    ]
    await tx.run(
        """
        INSERT INTO image_exposures (study_id, sop_instance_uid, ae_title, modality, body_part, laterality, view,
            operator, taken_at, stored_at, rejected, exposure_index, target_exposure_index, deviation_index)
        SELECT %(study_id)s, sop_instance_uid, ae_title, modality, body_part, laterality, view,
            operator, taken_at, stored_at, rejected, exposure_index, target_exposure_index, deviation_index
        FROM jsonb_populate_recordset(NULL::image_exposures, %(rows)s::jsonb)
        """,
        study_id=study_id,
        rows=as_json(rows),
    )


async def received(tx: Transaction, patient_id: UUID, *, since: datetime, visible_to: Actor) -> list[Received]:
    """The examinations of a patient since a moment that irradiated, the newest first; also under a number merged."""
    where = Where(["study.status <> 'entered-in-error'"])
    visible_to.reach.add_to(where, "study")
    return await tx.all(
        Received,
        """
        SELECT study.id AS study_id, study.study_instance_uid, study.facility_code, dose.performed_at, dose.modality,
            dose.protocol, dose.source, dose.doses, dose.effective_dose_msv, dose.effective_dose_method
        FROM imaging_studies AS study
        JOIN dose_examinations AS dose ON dose.study_id = study.id
        WHERE study.patient_id IN (
                SELECT id FROM patients WHERE id = %(patient_id)s OR merged_into = %(patient_id)s
            )
          AND dose.performed_at >= %(since)s
          AND """
        + where.condition
        + """
        ORDER BY dose.performed_at DESC, study.id
        LIMIT 1000
        """,
        patient_id=patient_id,
        since=since,
        **where.parameters,
    )
