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


async def revise_study(tx: Transaction, study_id: UUID, columns: Mapping[str, Any]) -> bool:
    """Let a study that has no images say what its order says now; whether it had none."""
    return bool(
        await tx.run(
            """
            UPDATE imaging_studies
            SET encounter_id = %(encounter_id)s,
                modality = %(modality)s,
                modalities_in_study = %(modalities_in_study)s,
                referrer = %(referrer)s,
                reason_code = %(reason_code)s,
                procedure_code = %(procedure_code)s,
                procedure_codes = %(procedure_codes)s,
                study_description = %(study_description)s,
                flags = ARRAY(SELECT DISTINCT each FROM unnest(flags || %(flags)s::text[]) AS each ORDER BY each),
                version = version + 1,
                updated_at = now()
            WHERE id = %(study_id)s
              AND number_of_instances = 0
            """,
            study_id=study_id,
            encounter_id=columns["encounter_id"],
            modality=columns["modality"],
            modalities_in_study=columns["modalities_in_study"],
            referrer=columns["referrer"],
            reason_code=columns["reason_code"],
            procedure_code=columns["procedure_code"],
            procedure_codes=columns["procedure_codes"],
            study_description=columns["study_description"],
            flags=columns["flags"],
        )
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


async def ask_withdrawal(tx: Transaction, study_id: UUID, *, actor: str, flag: str) -> None:
    """Remember who wants a study that is locked withdrawn."""
    await tx.run(
        """
        UPDATE imaging_studies
        SET withdrawal_asked_by = %(actor)s,
            flags = array_append(flags, %(flag)s),
            version = version + 1,
            updated_at = now()
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
        actor=actor,
        flag=flag,
    )


async def settle_withdrawal(tx: Transaction, study_id: UUID, *, flag: str) -> None:
    """Nobody waits for a second person any more."""
    await tx.run(
        """
        UPDATE imaging_studies
        SET withdrawal_asked_by = NULL,
            flags = array_remove(flags, %(flag)s)
        WHERE id = %(study_id)s
          AND withdrawal_asked_by IS NOT NULL
        """,
        study_id=study_id,
        flag=flag,
    )


async def withdraw_reports(tx: Transaction, study_id: UUID) -> None:
    """Reports go with their study, signed ones too; their text stays in the table, their versions in the chain."""
    await tx.run(
        """
        UPDATE radiology_reports
        SET status = 'entered-in-error', version = version + 1, updated_at = now()
        WHERE study_id = %(study_id)s
          AND status NOT IN ('cancelled', 'entered-in-error')
        """,
        study_id=study_id,
    )
