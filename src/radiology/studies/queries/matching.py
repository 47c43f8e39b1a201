"""SQL that looks for the orders of new studies, and lets the study of an order take the UID of its images."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from uuid import UUID

import orjson

from radiology.kit.db import WriterTransaction
from radiology.studies.matching import Candidate, Wanted


@dataclass(frozen=True, slots=True)
class _Row(Candidate):
    number: int


def candidates(tx: WriterTransaction, wanted: Sequence[Wanted]) -> dict[Wanted, list[Candidate]]:
    """For each study that is looked for, the items of the worklist that may be its own; nearest start first."""
    rows = tx.all(
        _Row,
        """
        SELECT wanted.number, found.found_by, item.service_request, item.accession_number, item.study_instance_uid,
            item.modality, coalesce(item.details->>'priority', '') AS priority, item.patient_id,
            item.issuer_of_patient_id, item.patient_name,
            replace(coalesce(item.details->'patient'->>'birthDate', ''), '-', '') AS patient_birth_date,
            coalesce(item.details->'patient'->>'sex', '') AS patient_sex, study.id AS study_id,
            coalesce(study.number_of_instances, 0) > 0 OR EXISTS (
                SELECT FROM imaging_studies AS other
                WHERE other.planned_study_instance_uid = item.study_instance_uid
                  AND other.number_of_instances > 0
            ) AS has_images
        FROM jsonb_to_recordset(%(wanted)s::jsonb) AS wanted (number integer, study_instance_uid text,
            facility_code text, accession_numbers text[], requested_procedure_ids text[], scheduled_step_ids text[],
            patient_id text, modalities text[], earliest timestamptz, latest timestamptz)
        CROSS JOIN LATERAL (
            (SELECT 'study' AS found_by, w.id
            FROM scheduled_procedure_steps AS w
            WHERE w.study_instance_uid = wanted.study_instance_uid
              AND w.facility_code = wanted.facility_code
            LIMIT 20)
            UNION ALL
            (SELECT 'accession', w.id
            FROM scheduled_procedure_steps AS w
            WHERE w.accession_number = ANY(wanted.accession_numbers)
              AND w.facility_code = wanted.facility_code
            LIMIT 20)
            UNION ALL
            (SELECT 'request', w.id
            FROM scheduled_procedure_steps AS w
            WHERE w.requested_procedure_id = ANY(wanted.requested_procedure_ids)
              AND w.facility_code = wanted.facility_code
            LIMIT 20)
            UNION ALL
            (SELECT 'request', w.id
            FROM scheduled_procedure_steps AS w
            WHERE w.scheduled_procedure_step_id = ANY(wanted.scheduled_step_ids)
              AND w.facility_code = wanted.facility_code
            LIMIT 20)
            UNION ALL
            (SELECT 'patient', w.id
            FROM scheduled_procedure_steps AS w
            WHERE w.patient_id = wanted.patient_id
              AND w.facility_code = wanted.facility_code
              AND w.modality = ANY(wanted.modalities)
              AND w.scheduled_start BETWEEN wanted.earliest AND wanted.latest
              AND w.status <> 'CANCELED'
            LIMIT 20)
        ) AS found
        JOIN scheduled_procedure_steps AS item ON item.id = found.id
        LEFT JOIN imaging_studies AS study ON study.study_instance_uid = item.study_instance_uid
        ORDER BY wanted.number, item.scheduled_start, item.id
        """,
        wanted=orjson.dumps([_asked(number, each) for number, each in enumerate(wanted)]).decode(),
    )
    found: dict[Wanted, list[Candidate]] = defaultdict(list)
    for row in rows:
        found[wanted[row.number]].append(row)
    return {each: found[each] for each in wanted}


def _asked(number: int, wanted: Wanted) -> dict[str, object]:
    values = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    return {"number": number, **values}


def adopt_study(tx: WriterTransaction, study_id: UUID, *, planned: str, study_instance_uid: str, lock: int) -> bool:
    """Let the study of an order take the UID of its images; False where it has series, or is being stored into."""
    return bool(
        tx.run(
            """
            UPDATE imaging_studies
            SET study_instance_uid = %(study_instance_uid)s,
                planned_study_instance_uid = %(planned)s
            WHERE id = %(study_id)s
              AND study_instance_uid = %(planned)s
              AND status <> 'entered-in-error'
              AND NOT EXISTS (SELECT FROM imaging_series WHERE imaging_series.study_id = imaging_studies.id)
              AND pg_try_advisory_xact_lock(%(lock)s)
            """,
            study_id=study_id,
            planned=planned,
            study_instance_uid=study_instance_uid,
            lock=lock,
        )
    )
