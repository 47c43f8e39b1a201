"""SQL of whose worklist items are: what a modality shows of a patient follows the registry."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from radiology.kit.db import Transaction, as_json


async def open_items_of(tx: Transaction, numbers: Sequence[tuple[str, str]]) -> list[UUID]:
    """The items that are not over, of patients with these numbers and issuers; locked."""
    return await tx.values(
        """
        SELECT item.id
        FROM unnest(%(numbers)s::text[], %(issuers)s::text[]) AS said (number, issuer)
        JOIN scheduled_procedure_steps AS item
            ON item.patient_id = said.number AND item.issuer_of_patient_id = said.issuer
        WHERE item.status IN ('SCHEDULED', 'ARRIVED', 'READY', 'STARTED')
        ORDER BY item.id
        FOR UPDATE OF item
        """,
        numbers=[number for number, _ in numbers],
        issuers=[issuer for _, issuer in numbers],
    )


async def identity_columns(tx: Transaction, step_id: UUID) -> dict[str, Any]:
    """Everything that `save_identity` changes of an item, as JSON."""
    return await tx.value(
        """
        SELECT jsonb_build_object('patient_id', patient_id, 'issuer_of_patient_id', issuer_of_patient_id,
            'patient_name', patient_name, 'patient_name_match', patient_name_match,
            'patient_name_keys', patient_name_keys, 'patient', details->'patient')
        FROM scheduled_procedure_steps
        WHERE id = %(id)s
        """,
        id=step_id,
    )


async def save_identity(tx: Transaction, step_id: UUID, columns: dict[str, Any]) -> dict[str, Any]:
    """Whose an item is: columns of `identity_columns`. Returns what an event tells of it."""
    return await tx.value(
        """
        UPDATE scheduled_procedure_steps AS item
        SET patient_id = said.patient_id,
            issuer_of_patient_id = said.issuer_of_patient_id,
            patient_name = said.patient_name,
            patient_name_match = said.patient_name_match,
            patient_name_keys = said.patient_name_keys,
            details = jsonb_set(item.details, '{patient}', said.patient),
            version = item.version + 1,
            updated_at = now()
        FROM jsonb_to_record(%(columns)s::jsonb) AS said (patient_id text, issuer_of_patient_id text,
            patient_name text, patient_name_match text[], patient_name_keys text[], patient jsonb)
        WHERE item.id = %(id)s
        RETURNING json_build_object('facility_code', item.facility_code, 'procedure_step_id', item.id,
            'study_instance_uid', item.study_instance_uid, 'service_request', item.service_request)
        """,
        id=step_id,
        columns=as_json(columns),
    )
