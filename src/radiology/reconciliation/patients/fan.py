"""Let everything that shows a patient show him or her as the registry does: studies on every outlet, worklist items."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from radiology.app import App
from radiology.kit.db import Transaction
from radiology.modality_worklist.actions.identify import identify_items, put_back_item
from radiology.patients.model import Patient
from radiology.reconciliation.patients import queries
from radiology.reconciliation.patients.model import Asked, Journal, Was
from radiology.reconciliation.patients.queries import Moved
from radiology.studies.actions.correct import correct, patient_attributes, put_back
from radiology.studies.corrections import Correction
from radiology.studies.queries import correct as served

_TAGS: Final = {
    "patient_name": ("00100010",),
    "patient_id": ("00100020", "00100021"),
    "issuer_of_patient_id": ("00100021",),
    "birth_date": ("00100030",),
    "sex": ("00100040",),
}


async def serve_studies(
    tx: Transaction, app: App, studies: Sequence[Moved], patient: Patient, fields: Collection[str], asked: Asked
) -> list[Was]:
    """Serve these fields of a patient in studies that are held; what each served before, and serves now."""
    said = patient_attributes(patient.identity)
    attributes = {tag: said[tag] for field in sorted(fields) for tag in _TAGS[field]}
    correction = Correction(attributes, "CORRECT", asked.source, app.clock.now())
    changed: list[Was] = []
    for study in studies:
        before = await served.served_columns(tx, study.id)
        if study.has_header:
            await correct(tx, app, study.id, correction)
        else:
            await queries.save_identity(tx, study.id, patient)
        changed.append(Was(str(study.id), before, await served.served_columns(tx, study.id)))
    return changed


async def show_items(tx: Transaction, numbers: Sequence[tuple[str, str]], patient: Patient) -> list[Was]:
    """Let the open worklist items of these numbers show a patient."""
    return [Was(str(item), before, after) for item, before, after in await identify_items(tx, numbers, patient)]


async def serve_as_before(
    tx: Transaction, app: App, journal: Journal, moved: Collection[str], patient: Patient, asked: Asked
) -> None:
    """Let studies that moved back, and worklist items, show what they showed before, byte for byte.

    What was put right since by other ways is not taken away: such a study is served with the patient's identity.
    """
    for was in journal.studies:
        if was.id not in moved:
            continue
        study_id = UUID(was.id)
        if await served.served_columns(tx, study_id) == was.after:
            await put_back(tx, study_id, was.before)
        else:
            study = Moved(study_id, "", bool(was.before["dicom"]))
            await serve_studies(tx, app, [study], patient, identity_fields(patient), asked)
    for was in journal.items:
        await put_back_item(tx, UUID(was.id), was.before, was.after)


def identity_fields(patient: Patient) -> frozenset[str]:
    """The fields of an identity that are known of a patient: what the registry does not know is served as it came."""
    return frozenset(field for field in _TAGS if getattr(patient, field))


def numbers_of(patient: Patient, others: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """The hospital numbers of a patient, each with its issuer."""
    own = [(patient.patient_id, patient.issuer_of_patient_id)] if patient.patient_id else []
    return [*own, *((each["value"], each["issuer"]) for each in others if each["kind"] == "MR")]
