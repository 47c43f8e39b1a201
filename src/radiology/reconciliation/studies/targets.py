"""Where images go that are moved: to a study, to what was ordered, or to a patient; found, locked, or made."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from radiology.access.model import Actor
from radiology.app import App
from radiology.errors import Conflict, FieldProblem, Unprocessable
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.modality_worklist import queries as worklist
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.patients.actions.register import find_or_register
from radiology.patients.model import Demographics, Patient
from radiology.patients.queries import read as patients
from radiology.reconciliation.repairs.model import Repair
from radiology.reconciliation.repairs.queries import keep, note_made
from radiology.reconciliation.repairs.relations import STUDIES
from radiology.reconciliation.studies import copy_queries, copying, queries
from radiology.reconciliation.studies.link import identity_of
from radiology.reconciliation.studies.model import HeldStudy
from radiology.standards.dicom.header import Header
from radiology.standards.dicom.identity import PatientIdentity
from radiology.standards.dicom.uids import new_uid
from radiology.studies.actions.correct import PERSONAL
from radiology.studies.facts import StudyFacts
from radiology.studies.queries import read, write


@dataclass(frozen=True, slots=True)
class To:
    """Where to, by one of these; by none: a new study of the same patient."""

    study: str | None = None
    item: UUID | None = None
    patient: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where to, before it is locked. `uid` is that of a study, which may not exist yet."""

    uid: str
    item: ScheduledProcedureStep | None = None
    patient: Patient | None = None

    @property
    def lock_keys(self) -> list[int]:
        """The locks of the patient that may have to be registered."""
        return self.said.lock_keys if self.item else []

    @property
    def said(self) -> Demographics:
        """The patient of the item, as the registry is asked for it."""
        assert self.item is not None  # noqa: S101 - asked only where there is one.
        one = identity_of(self.item)
        return Demographics(
            one.patient_id, one.issuer, self.item.patient.get("reference", ""), one.name, one.birth_date, one.sex,
            facility_code=self.item.facility_code,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A study that takes copies: locked, on record, and what the copies are to say. `is_new`: the repair made it."""

    id: UUID
    uid: str
    status: str
    attributes: dict[str, Any]
    is_new: bool
    held: HeldStudy | None = None


async def look_for(tx: Transaction, actor: Actor, to: To) -> Target:
    """Find where to. Raises NotFound, SensitiveStudy, Unprocessable where more than one place is named."""
    if sum(each is not None for each in (to.study, to.item, to.patient)) > 1:
        sentence = "names more than one place: give a study, an item or a patient"
        raise Unprocessable(f"to {sentence}.", fields=[FieldProblem("to", sentence)])
    reader = actor.beyond_reading
    if to.study is not None:
        study_id = await read.resolve(tx, to.study, visible_to=reader)
        return Target(await queries.uid_of(tx, study_id))
    if to.item is not None:
        item = await worklist.load(tx, to.item, visible_to=reader)
        return Target(await queries.uid_for_item(tx, item.study_instance_uid), item=item)
    if to.patient is not None:
        found = await patients.find(tx, to.patient, visible_to=reader)
        return Target(new_uid(), patient=(await patients.record(tx, found)).patient)
    return Target(new_uid())


async def open_place(
    tx: Transaction, app: App, repair: Repair, source: HeldStudy, target: Target, held: HeldStudy | None
) -> Place:
    """Let the target be ready for copies of the source's images. Raises Conflict where it cannot take them."""
    if held is not None and held.number_of_instances:
        return await _with_images(tx, repair, source, held)
    if held is None:
        made, identity, accession, description = await _make(tx, repair, source, target)
    else:
        made, identity = held.id, held.identity
        accession, description = held.accession_number, await queries.description_of(tx, held.id)
        _must_take(source, held)
        await keep(tx, repair.id, STUDIES, [held.id])
    said: dict[str, Any] = {}
    if identity is not None:
        said = copying.of_new_study(identity, accession, description)
        said |= await _emptied(tx, source, identity)
    dicom = {**await queries.served(tx, source.id), **said}
    dicom[copying.STUDY_INSTANCE_UID] = {"vr": "UI", "Value": [target.uid]}
    facts = StudyFacts(Header("", (), dicom, None, None, frozenset()), source.facility_code, app.settings.zone)
    await copy_queries.fill(tx, made, facts.columns)
    said = await copy_queries.corrections_of(tx, source.id) | said
    return Place(made, target.uid, held.status if held else "registered", said, held is None, held)


async def _with_images(tx: Transaction, repair: Repair, source: HeldStudy, held: HeldStudy) -> Place:
    _must_take(source, held)
    if held.final_reports:
        raise Conflict("The study that is to take the images has a final report. A radiologist amends that first.")
    await keep(tx, repair.id, STUDIES, [held.id])
    said = copying.of_study_with_images(held.identity, await queries.served(tx, held.id))
    said |= await _emptied(tx, source, held.identity)
    said = await copy_queries.corrections_of(tx, source.id) | said
    return Place(held.id, held.study_instance_uid, held.status, said, False, held)


def _must_take(source: HeldStudy, held: HeldStudy) -> None:
    held.must_be_as_read(None)
    if held.facility_code != source.facility_code:
        raise Conflict("The two studies are of different facilities. Images are sent from one to the other, not moved.")
    if held.status == "cancelled":
        raise Conflict("The study that is to take the images is cancelled. Reinstate it first.")


async def _make(
    tx: Transaction, repair: Repair, source: HeldStudy, target: Target
) -> tuple[UUID, PatientIdentity | None, str | None, str | None]:
    """A new study: its id, its patient where that is another, its accession number and description where known."""
    study_id, item = uuid7(), target.item
    patient_id, identity = source.patient_id, None
    if item is not None:
        if item.facility_code != source.facility_code:
            raise Conflict("The order is of another facility than the study.")
        patient_id = (await find_or_register(tx, target.said)).id
        identity = identity_of(item)
    elif target.patient is not None:
        patient_id, identity = target.patient.id, target.patient.identity
        identity = replace(identity, issuer=identity.issuer or source.facility_code)
    await copy_queries.insert_study(
        tx,
        id=study_id,
        uid=target.uid,
        patient_id=patient_id,
        facility_code=source.facility_code,
        service_request=item.service_request if item else None,
    )
    await note_made(tx, repair.id, STUDIES, [study_id])
    await write.record_transition(
        tx, study_id, from_status=None, to_status="registered", trigger="repair", actor="system"
    )
    description = item.details.get("requestedProcedure") if item else None
    return study_id, identity, item.accession_number if item else None, description


async def _emptied(tx: Transaction, source: HeldStudy, identity: PatientIdentity) -> dict[str, Any]:
    same = (identity.patient_id, identity.issuer) == (source.dicom_patient_id, source.issuer_of_patient_id)
    return {} if same else copying.emptied(await queries.stated(tx, source.id, list(PERSONAL)))
