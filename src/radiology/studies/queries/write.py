"""Writing studies over REST."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.errors import Conflict
from radiology.kit.db import Transaction, as_json


async def refuse_taken(tx: Transaction, *, study_id: str | None, study_instance_uid: str) -> None:
    """Raises Conflict where a study has this studyId or this Study Instance UID already."""
    taken = await tx.value(
        """
        SELECT CASE WHEN study_instance_uid = %(uid)s THEN 'studyInstanceUID' ELSE 'studyId' END
        FROM imaging_studies
        WHERE study_instance_uid = %(uid)s
           OR study_id = %(study_id)s
        LIMIT 1
        """,
        uid=study_instance_uid,
        study_id=study_id,
    )
    if taken is not None:
        raise Conflict(f"A study with this {taken} exists already.")


async def step_over_number(tx: Transaction, number: int) -> None:
    """Let the service's own numbers go on behind one that a client chose."""
    await tx.run(
        """
        SELECT setval('study_number', %(number)s)
        FROM study_number
        WHERE last_value < %(number)s
        """,
        number=number,
    )


async def insert_study(tx: Transaction, columns: Mapping[str, Any]) -> str:
    """Add a study; returns its studyId. `columns` holds every parameter below."""
    return await tx.value(
        """
        INSERT INTO imaging_studies (id, study_id, patient_id, encounter_id, status, modality, started, based_on,
            referrer, interpreter, endpoint, location, reason_code, reason_reference, procedure_code,
            study_description, accession_number, study_instance_uid, metadata, facility_code, modalities_in_study,
            procedure_codes, performers, interpreters, dicom_patient_id, issuer_of_patient_id, patient_name,
            patient_name_search, patient_birth_date, patient_sex, flags, service_request)
        VALUES (%(id)s, coalesce(%(study_id)s, 'study-' || nextval('study_number')), %(patient_id)s, %(encounter_id)s,
            %(status)s, %(modality)s, %(started)s, %(based_on)s, %(referrer)s, %(interpreter)s, %(endpoint)s,
            %(location)s, %(reason_code)s, %(reason_reference)s, %(procedure_code)s, %(study_description)s,
            %(accession_number)s, %(study_instance_uid)s, %(metadata)s, %(facility_code)s, %(modalities_in_study)s,
            %(procedure_codes)s, %(performers)s, %(interpreters)s, %(dicom_patient_id)s, %(issuer_of_patient_id)s,
            %(patient_name)s, %(patient_name_search)s, %(patient_birth_date)s, %(patient_sex)s,
            %(flags)s, jsonb_path_query_first(%(based_on)s::jsonb,
                '$[*].reference ? (@ starts with "ServiceRequest/")') #>> '{}')
        RETURNING study_id
        """,
        **columns,
    )


async def record_transition(
    tx: Transaction,
    study_id: UUID,
    *,
    from_status: str | None,
    to_status: str,
    trigger: str,
    actor: str,
    reason: str | None = None,
) -> None:
    """One line of a study's history."""
    await tx.run(
        """
        INSERT INTO study_transitions (study_id, from_status, to_status, trigger, actor, reason)
        VALUES (%(study_id)s, %(from_status)s, %(to_status)s, %(trigger)s, %(actor)s, %(reason)s)
        """,
        study_id=study_id,
        from_status=from_status,
        to_status=to_status,
        trigger=trigger,
        actor=actor,
        reason=reason,
    )


async def save_status(
    tx: Transaction,
    study_id: UUID,
    *,
    status: str,
    completed: datetime | None,
    now: datetime,
    reason_no_images: str | None,
    warnings: list[dict[str, str]],
) -> None:
    """A new status of a study that is locked. `completed` is kept only by a study that is completed."""
    await tx.run(
        """
        UPDATE imaging_studies
        SET status = %(status)s,
            completed = CASE WHEN %(is_completed)s THEN coalesce(%(completed)s, completed, %(now)s)
                ELSE completed END,
            reason_no_images = coalesce(%(reason_no_images)s, reason_no_images),
            metadata = CASE WHEN %(some)s THEN jsonb_set(coalesce(metadata, '{}'), '{warnings}',
                coalesce(metadata->'warnings', '[]') || %(warnings)s::jsonb) ELSE metadata END,
            version = version + 1,
            updated_at = now()
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
        status=status,
        is_completed=status == "completed",
        completed=completed,
        now=now,
        reason_no_images=reason_no_images,
        some=bool(warnings),
        warnings=as_json(warnings),
    )


async def withdraw_open_reports(tx: Transaction, study_id: UUID) -> None:
    """What was not signed goes with its study; its text stays in the table."""
    await tx.run(
        """
        UPDATE radiology_reports
        SET status = 'entered-in-error', version = version + 1, updated_at = now()
        WHERE study_id = %(study_id)s
          AND status IN ('registered', 'partial', 'preliminary')
        """,
        study_id=study_id,
    )
