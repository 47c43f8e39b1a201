"""SQL of what is served of a study: its columns in the index, and what replaces the headers of its objects."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from radiology.errors import NotFound
from radiology.kit.db import Transaction, as_json


@dataclass(frozen=True, slots=True)
class Served:
    """What is served of a study, before a correction."""

    study_instance_uid: str
    facility_code: str
    dicom: dict[str, Any]
    corrections: dict[str, Any] | None


async def lock_served(tx: Transaction, study_id: UUID) -> Served:
    """A study whose headers this transaction changes. Raises NotFound."""
    found = await tx.maybe(
        Served,
        """
        SELECT study_instance_uid, facility_code, dicom, corrections
        FROM imaging_studies
        WHERE id = %(study_id)s
        FOR UPDATE
        """,
        study_id=study_id,
    )
    if found is None:
        raise NotFound("There is no such study.")
    return found


async def save_served(tx: Transaction, study_id: UUID, columns: dict[str, Any], corrections: dict[str, Any]) -> None:
    """Let searches and every outlet serve these. `columns` holds every parameter below but the last two."""
    await tx.run(
        """
        UPDATE imaging_studies
        SET study_date = %(study_date)s,
            study_time = %(study_time)s,
            accession_number = %(accession_number)s,
            study_description = %(study_description)s,
            dicom_study_id = %(dicom_study_id)s,
            referring_physician_search = %(referring_physician_search)s,
            procedure_codes = %(procedure_codes)s,
            dicom = %(dicom)s,
            dicom_patient_id = %(dicom_patient_id)s,
            issuer_of_patient_id = %(issuer_of_patient_id)s,
            patient_name = %(patient_name)s,
            patient_name_search = %(patient_name_search)s,
            patient_birth_date = %(patient_birth_date)s,
            patient_sex = %(patient_sex)s,
            corrections = %(corrections)s,
            version = version + 1,
            updated_at = now()
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
        **{**columns, "dicom": as_json(columns["dicom"]), "corrections": as_json(corrections)},
    )


async def served_columns(tx: Transaction, study_id: UUID) -> dict[str, Any]:
    """Everything that `save_served` changes, as JSON, so that `put_back` can undo it."""
    return await tx.value(
        """
        SELECT to_jsonb(served)
        FROM (
            SELECT study_date, study_time, accession_number, study_description, dicom_study_id,
                referring_physician_search, procedure_codes, dicom, dicom_patient_id, issuer_of_patient_id,
                patient_name, patient_name_search, patient_birth_date, patient_sex, corrections
            FROM imaging_studies
            WHERE id = %(study_id)s
        ) AS served
        """,
        study_id=study_id,
    )


async def put_back(tx: Transaction, study_id: UUID, columns: dict[str, Any]) -> None:
    """Serve again what `served_columns` gave."""
    await tx.run(
        """
        UPDATE imaging_studies AS study
        SET study_date = before.study_date,
            study_time = before.study_time,
            accession_number = before.accession_number,
            study_description = before.study_description,
            dicom_study_id = before.dicom_study_id,
            referring_physician_search = before.referring_physician_search,
            procedure_codes = before.procedure_codes,
            dicom = before.dicom,
            dicom_patient_id = before.dicom_patient_id,
            issuer_of_patient_id = before.issuer_of_patient_id,
            patient_name = before.patient_name,
            patient_name_search = before.patient_name_search,
            patient_birth_date = before.patient_birth_date,
            patient_sex = before.patient_sex,
            corrections = nullif(before.corrections, 'null'),
            version = version + 1,
            updated_at = now()
        FROM jsonb_to_record(%(columns)s::jsonb) AS before (study_date date, study_time time, accession_number text,
            study_description text, dicom_study_id text, referring_physician_search text, procedure_codes text[],
            dicom jsonb, dicom_patient_id text, issuer_of_patient_id text, patient_name text,
            patient_name_search text, patient_birth_date text, patient_sex text, corrections jsonb)
        WHERE study.id = %(study_id)s
        """,
        study_id=study_id,
        columns=as_json(columns),
    )
