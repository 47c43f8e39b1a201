"""Let open worklist items show a patient as the registry has it: after a correction, a merge, or its undoing."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from radiology.events import ProcedureStepChanged, emit
from radiology.kit.db import Transaction
from radiology.modality_worklist import patient_queries as queries
from radiology.patients.model import Patient
from radiology.patients.record import iso_date
from radiology.standards.dicom.names import PersonName, match_text, name_keys

Columns = dict[str, Any]


async def identify_items(
    tx: Transaction, numbers: Sequence[tuple[str, str]], patient: Patient
) -> list[tuple[UUID, Columns, Columns]]:
    """Items of these numbers (with issuers) that are not over are this patient's; each with what it said, and says."""
    changed: list[tuple[UUID, Columns, Columns]] = []
    for step_id in await queries.open_items_of(tx, numbers):
        before = await queries.identity_columns(tx, step_id)
        after = _columns(patient, before["patient"])
        if after != before:
            await _save(tx, step_id, after)
            changed.append((step_id, before, after))
    return changed


async def put_back_item(tx: Transaction, step_id: UUID, before: Columns, after: Columns) -> bool:
    """Let an item say what it said before. False where it was changed since, or is gone."""
    if await queries.identity_columns(tx, step_id) != after:
        return False
    await _save(tx, step_id, before)
    return True


async def _save(tx: Transaction, step_id: UUID, columns: dict[str, Any]) -> None:
    told = await queries.save_identity(tx, step_id, columns)
    await emit(tx, ProcedureStepChanged(**told))


def _columns(patient: Patient, said: dict[str, Any]) -> dict[str, Any]:
    name = PersonName.parse(patient.patient_name)
    known = {
        "id": patient.patient_id,
        "issuer": patient.issuer_of_patient_id,
        "name": name.alphabetic,
        "nameBangla": name.ideographic,
        "reference": patient.reference,
        "birthDate": iso_date(patient.birth_date),
        "sex": patient.sex,
    }
    return {
        "patient_id": patient.patient_id,
        "issuer_of_patient_id": patient.issuer_of_patient_id,
        "patient_name": patient.patient_name,
        "patient_name_match": [match_text(group) for group in (name.alphabetic, name.ideographic, name.phonetic)],
        "patient_name_keys": list(name_keys(name)),
        "patient": said | {field: value for field, value in known.items() if value},
    }
