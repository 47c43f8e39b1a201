"""Studies that wait to be read, for tests: order, images, completion, and what follows of it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import make
from ordering import a_patient, a_procedure, placer, said
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.orders.actions.place import place_order
from radiology.orders.model import Order
from radiology.reading_worklist.following import follow_events
from radiology.reading_worklist.items import Item
from radiology.reading_worklist.queries import items
from radiology.studies.actions.status import change_status
from radiology.studies.model import Status, StatusChange
from radiology.studies.queries import read

PATH = "/api/radiology/reading-worklist"
HEAD = {"StudyDescription": "CT head", "StudyTime": "100000"}


async def order_of(app: App, number: int = 1001, **changes: Any) -> Order:
    """An order of one CT head for a patient of the front desk."""
    now = app.clock.now().isoformat()
    asked = {"occurrence": now, "patient": a_patient(number), "procedures": [a_procedure()], **changes}
    return await place_order(app, placer(), said(**asked))


async def images_of(app: App, order: Order, **attributes: Any) -> make.Stored:
    """One image of what was ordered first."""
    procedure = order.procedures[0]
    patient = await _number_of(app, order)
    known = {
        "StudyInstanceUID": procedure.study_instance_uid, "AccessionNumber": order.accession_number,
        "PatientID": patient, "PatientName": "Karim^Abdul", "PatientBirthDate": "19800115", "PatientSex": "M",
        "StudyDescription": None, "StudyTime": "100000",
    }  # fmt: skip
    return await make.a_study(app, **{**known, **attributes})


async def _number_of(app: App, order: Order) -> str:
    async with app.db.transaction() as tx:
        return await tx.value("SELECT patient_id FROM patients WHERE id = %(id)s", id=order.patient_id)


async def id_of(app: App, uid: str) -> UUID:
    """The id of a study."""
    async with app.db.transaction() as tx:
        return await read.resolve(tx, uid, visible_to=SYSTEM)


HEAD_OF_DEPARTMENT = replace(SYSTEM, id="account:head", role="administrator")


async def move(app: App, uid: str, status: Status, reason: str | None = None) -> None:
    """Move a study, and let the worklist follow."""
    await change_status(app, HEAD_OF_DEPARTMENT, uid, StatusChange(status, reason=reason), [])
    await follow_events(app)


async def waiting_study(app: App, **attributes: Any) -> str:
    """A complete CT head without an order, in the worklist; returns its Study Instance UID."""
    stored = await make.a_study(app, **{**HEAD, **attributes})
    await move(app, stored.study_instance_uid, Status.COMPLETED)
    return stored.study_instance_uid


async def ordered_study(app: App, number: int = 1001, **attributes: Any) -> str:
    """The same of an order, so that its report may be signed."""
    uid = (await images_of(app, await order_of(app, number), **attributes)).study_instance_uid
    await move(app, uid, Status.COMPLETED)
    return uid


async def row_of(app: App, uid: str) -> Item | None:
    """The row of a study in the worklist."""
    study_id = await id_of(app, uid)
    async with app.db.transaction() as tx:
        return await items.lock_one(tx, study_id)


async def told(app: App, kind: str) -> list[dict[str, Any]]:
    """The bodies of all events of a kind, in order."""
    async with app.db.transaction() as tx:
        return await tx.values("SELECT body FROM outbox WHERE type = %(type)s ORDER BY sequence", type=kind)
