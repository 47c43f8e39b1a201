"""Find the patient that somebody speaks of, or register one."""

from collections.abc import Sequence
from dataclasses import replace

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict
from radiology.kit.db import Transaction, WriterTransaction
from radiology.kit.ids import uuid7
from radiology.patients.model import Candidate, Demographics, Patient, choose
from radiology.patients.queries import read, registry
from radiology.patients.record import Record, phone_number, said_in
from radiology.patients.schemas import PatientIn


async def register_patient(app: App, actor: Actor, body: PatientIn) -> tuple[Record, bool]:
    """Register a patient; returns the record, and whether it is new. One who is known already is found, not changed.

    Raises Conflict where a number belongs to somebody else, Unprocessable where one cannot be right.
    """
    actor.must(Permission.WRITE)
    facility = actor.facility_code or app.settings.facility_code
    said = said_in(body, facility_code=facility, today=app.clock.now().astimezone(app.settings.zone).date())
    phone = phone_number(body.phone) if body.phone else ""
    async with app.db.transaction() as tx:
        await registry.hold(tx, said)
        known = {each.id for each in await registry.candidates(tx, said)}
        patient = await find_or_register(tx, said)
        if patient.doubtful:
            raise Conflict("A number belongs to another patient. Search for it, and look who that is.")
        await registry.describe(tx, patient.id, phone=phone, details=body.details)
        await audit.record(tx, actor, "patient.register", patient.reference, detail={"known": patient.id in known})
        return await read.record(tx, patient.id), patient.id not in known


async def find_or_register(tx: Transaction, said: Demographics) -> Patient:
    """The patient of these numbers, registered where there is none yet; numbers of merged ones lead to the survivor.

    A patient is the same where a number is and nothing else contradicts (`model.Candidate.is_same`); two are made one
    only where they surely are one, since what was split can be merged by a person, while what was merged has already
    shown one patient's images as another's. Somebody else with the same number makes the answer `doubtful`. What the
    registry did not know of the patient is filled in. Concurrent callers wait for each other.
    """
    await registry.hold(tx, said)
    found = await registry.candidates(tx, said)
    patient = choose(found, said)
    if patient is None:
        said = said if said.patient_id else await _numbered(tx, said)
        made = _new(said, found)
        await registry.insert(tx, made, said)
        return made
    await registry.add_numbers(tx, patient.id, said)
    news = _news(patient, said, found)
    if news is None:
        return patient
    completed = await registry.complete(tx, patient.id, news)
    return replace(completed, doubtful=patient.doubtful, by_merged=patient.by_merged)


def find_or_register_in_batch(tx: WriterTransaction, said: Demographics) -> Patient:
    """The same for the index writer, which holds the locks of its whole batch (`Demographics.lock_keys`) already."""
    found = registry.candidates_in_batch(tx, said) if said.patient_id else []
    patient = choose(found, said)
    if patient is None:
        patient = _new(said, found)
        registry.insert_in_batch(tx, patient, said)
    elif news := _news(patient, said, found):
        registry.complete_in_batch(tx, patient.id, news)
    return patient


async def _numbered(tx: Transaction, said: Demographics) -> Demographics:
    return replace(said, patient_id=await registry.next_number(tx), issuer=said.issuer or said.facility_code)


def _new(said: Demographics, others: list[Candidate]) -> Patient:
    new = uuid7()
    issuer = said.issuer if said.patient_id else ""
    reference = said.reference or f"Patient/{new}"
    return Patient(new, reference, said.patient_id, issuer, said.name, said.birth_date, said.sex, doubtful=bool(others))


def _news(patient: Patient, said: Demographics, found: Sequence[Candidate]) -> Demographics | None:
    """What is said that the registry does not know; None where that is nothing."""
    if patient.reference != f"Patient/{patient.id}" or any(each.by_reference for each in found):
        # A reference that another registry gave stays, also with a patient that was merged.
        said = replace(said, reference="")
    pairs = (
        (patient.patient_id, said.patient_id),
        (patient.patient_name, said.name),
        (patient.birth_date, said.birth_date),
        (patient.sex, said.sex),
    )
    return said if said.reference or any(told and not known for known, told in pairs) else None
