"""Open, change and end the visits of a patient. Row, audit and event are one transaction."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, StaleVersion, Unprocessable
from radiology.events import VisitChanged, emit
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.patients.queries import read
from radiology.patients.queries import visits as queries
from radiology.patients.visits import Status, Verb, Visit, VisitSaid, step

CLOCKS_DIFFER = timedelta(minutes=5)


async def open_visit(app: App, actor: Actor, patient: str, said: VisitSaid) -> tuple[UUID, bytes]:
    """Open a visit; returns its id and body. Raises NotFound, Conflict where its number is another visit's."""
    actor.must(Permission.WRITE)
    facility = actor.facility_code or app.settings.facility_code
    async with app.db.transaction() as tx:
        patient_id = await read.find(tx, patient, visible_to=actor)
        visit_id = await _open(tx, app, actor, patient_id, said, facility_code=facility)
        return visit_id, await queries.body(tx, visit_id)


async def record_visit(
    tx: Transaction, app: App, actor: Actor, patient_id: UUID, said: VisitSaid, *, facility_code: str
) -> UUID:
    """In the transaction of a message: the visit of this number, opened or changed; an ended one is open again.

    What the message does not say stays.
    Raises Conflict where the number is a visit of another patient.
    """
    visit = await queries.lock_by_number(tx, said.number, facility_code=facility_code) if said.number else None
    if visit is None:
        return await _open(tx, app, actor, patient_id, said, facility_code=facility_code)
    if visit.patient_id != patient_id:
        raise Conflict(f"The visit {said.number} is of another patient.")
    if visit.status != Status.IN_PROGRESS:
        await _move(tx, app, actor, visit, Verb.REOPEN)
        visit = replace(visit, status=Status.IN_PROGRESS)
    await _change(tx, actor, visit, said, keeps_what_is_not_said=True)
    return visit.id


async def end_visit_in(
    tx: Transaction, app: App, actor: Actor, number: str, verb: Verb, *, facility_code: str, at: datetime | None = None
) -> bool:
    """In the transaction of a message: end the visit of this number. False where it has ended, or there is none."""
    visit = await queries.lock_by_number(tx, number, facility_code=facility_code)
    if visit is None or visit.status != Status.IN_PROGRESS:
        return False
    await _move(tx, app, actor, visit, verb, at=at)
    return True


async def change_visit(
    app: App, actor: Actor, patient: str, visit_id: UUID, said: VisitSaid, *, version: int | None
) -> bytes:
    """Change what is said of an open visit. Raises NotFound, StaleVersion, TransitionRefused."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        visit = await _locked(tx, actor, patient, visit_id, version)
        if said.number and said.number != visit.number:
            raise Conflict("The number of a visit stays. Open another visit.")
        await _change(tx, actor, visit, said)
        return await queries.body(tx, visit_id)


async def move_visit(
    app: App, actor: Actor, patient: str, visit_id: UUID, verb: Verb, *, at: datetime | None, version: int | None
) -> bytes:
    """Finish, cancel or reopen a visit. Raises NotFound, StaleVersion, TransitionRefused, Unprocessable."""
    actor.must(Permission.WRITE)
    if at is not None and at > app.clock.now() + CLOCKS_DIFFER:
        raise Unprocessable("endedAt is in the future.")
    async with app.db.transaction() as tx:
        visit = await _locked(tx, actor, patient, visit_id, version)
        await _move(tx, app, actor, visit, verb, at=at)
        return await queries.body(tx, visit_id)


async def _locked(tx: Transaction, actor: Actor, patient: str, visit_id: UUID, version: int | None) -> Visit:
    patient_id = await read.find(tx, patient, visible_to=actor)
    visit = await queries.lock(tx, visit_id, patient_id, visible_to=actor)
    if version is not None and version != visit.version:
        raise StaleVersion(f"The visit has version {visit.version} by now. Read it again and decide anew.")
    return visit


async def _open(
    tx: Transaction, app: App, actor: Actor, patient_id: UUID, said: VisitSaid, *, facility_code: str
) -> UUID:
    visit_id = uuid7()
    began_at = said.began_at or app.clock.now()
    await queries.insert(tx, visit_id, patient_id, said, facility_code=facility_code, began_at=began_at)
    visit = Visit(visit_id, patient_id, facility_code, said.number, Status.IN_PROGRESS, 1)
    await _tell(tx, actor, visit, Status.IN_PROGRESS, "patient.visit-open")
    return visit_id


async def _change(
    tx: Transaction, actor: Actor, visit: Visit, said: VisitSaid, *, keeps_what_is_not_said: bool = False
) -> None:
    status = step(visit.status, Verb.CHANGE)
    await queries.save(tx, visit.id, said, keeps_what_is_not_said=keeps_what_is_not_said)
    await _tell(tx, actor, visit, status, "patient.visit-change")


async def _move(
    tx: Transaction, app: App, actor: Actor, visit: Visit, verb: Verb, *, at: datetime | None = None
) -> None:
    status = step(visit.status, verb)
    ended_at = None if status == Status.IN_PROGRESS else at or app.clock.now()
    await queries.save_status(tx, visit.id, status=status, ended_at=ended_at)
    await _tell(tx, actor, visit, status, f"patient.visit-{verb}")


async def _tell(tx: Transaction, actor: Actor, visit: Visit, status: Status, action: str) -> None:
    await audit.record(tx, actor, action, str(visit.patient_id), detail={"visit": str(visit.id)})
    changed = VisitChanged(
        facility_code=visit.facility_code, patient_id=str(visit.patient_id), visit_id=str(visit.id), status=status
    )
    await emit(tx, changed)
