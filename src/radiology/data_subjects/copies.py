"""Ask for a copy of everything that is held of one patient, give it, and tend what lies there."""

from pathlib import Path
from uuid import UUID

from radiology.access.model import Actor, Permission, Role
from radiology.app import App
from radiology.audit import actions as audit
from radiology.audit.search import find_patient, is_self
from radiology.data_subjects import queries
from radiology.data_subjects.queries import Patient
from radiology.errors import Conflict, NotFound, NotPermitted
from radiology.kit import jobs
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.settings import Settings

JOB = "data-subjects.copy"


async def subject(tx: Transaction, actor: Actor, reference: str) -> Patient:
    """The patient, for the privacy officer and for the patient. Raises NotPermitted, NotFound."""
    found = await find_patient(tx, reference)
    own = actor.role == Role.PATIENT and found is not None and await is_self(tx, actor.id, found)
    if not own and not actor.may(Permission.PRIVACY):
        raise NotPermitted("This is for the privacy officer, and for the patient.")
    if found is None:
        raise NotFound("There is no such patient. Name it by reference or by hospital number.")
    return await queries.patient(tx, found)


def place(settings: Settings, id: UUID) -> Path:
    """Where the ZIP lies."""
    return settings.data_dir / "record-copies" / f"{id}.zip"


async def ask(app: App, actor: Actor, reference: str) -> UUID:
    """Have a copy made. The patient is given what was released; the privacy officer all that is held."""
    async with app.db.transaction() as tx:
        patient, new_id = await subject(tx, actor, reference), uuid7()
        await queries.insert_copy(
            tx, id=new_id, patient_id=patient.id, asked_by=actor.id, for_patient=actor.role == Role.PATIENT,
            now=app.clock.now(),
        )  # fmt: skip
        await _enqueue(tx, new_id)
        await audit.record(tx, actor, "export.record", patient.reference, detail={"copy": str(new_id)})
    return new_id


async def _enqueue(tx: Transaction, id: UUID) -> None:
    await queries.save_job(tx, id, await jobs.enqueue(tx, JOB, {"copy": str(id)}, lock=f"{JOB}.{id}"))


async def listed(app: App, actor: Actor, reference: str) -> bytes:
    """The copies of a patient: all for the privacy officer, their own for patients."""
    async with app.db.transaction() as tx:
        patient = await subject(tx, actor, reference)
        return await queries.copies_body(tx, patient.id, asked_by=actor.id if actor.role == Role.PATIENT else None)


async def file_of(app: App, actor: Actor, reference: str, id: UUID) -> Path:
    """The ZIP, for who asked for it alone. Raises NotFound, Conflict before it is finished."""
    async with app.db.transaction() as tx:
        patient, copy = await subject(tx, actor, reference), await queries.copy(tx, id)
        if copy.patient_id != patient.id or copy.asked_by != actor.id:
            raise NotFound("There is no such copy of yours.")
        path = place(app.settings, id)
        if copy.status != "completed" or not path.exists():
            raise Conflict(f"The copy is {copy.status}; there is no file.")
        await audit.record(tx, actor, "export.record-download", patient.reference, detail={"copy": str(id)})
    return path


async def tend(app: App) -> int:
    """Remove files that have expired, and have made what no job makes any more. Returns how many there were."""
    async with app.db.transaction() as tx:
        gone, left = await queries.expired(tx, now=app.clock.now()), await queries.abandoned(tx)
        for each in gone:
            await queries.change_copy(tx, each, "expired", "The file has expired. Ask for a new copy.")
        for each in left:
            await _enqueue(tx, each)
    for each in gone:
        place(app.settings, each).unlink(missing_ok=True)
    return len(gone) + len(left)
