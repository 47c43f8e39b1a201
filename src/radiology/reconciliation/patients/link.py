"""Say of two patients that they are perhaps one person, or that they are not. Nothing is merged."""

from typing import Any, Literal

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict
from radiology.events import PatientsLinked, emit
from radiology.patients.queries import read
from radiology.reconciliation.patients import queries

LinkKind = Literal["seealso", "different"]


async def link(app: App, actor: Actor, patient: str, other: str, kind: LinkKind) -> list[dict[str, Any]]:
    """Link two patients; a later word replaces an earlier one. Returns the links. Raises NotFound, Conflict."""
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        one, two = [await read.find(tx, each, visible_to=actor) for each in (patient, other)]
        if one == two:
            raise Conflict("Both are the same patient.")
        await queries.link(tx, one, two, kind, actor=actor.id, at=app.clock.now())
        records = await read.records(tx, [one, two])
        detail = {"other": records[two].reference, "kind": kind}
        await audit.record(tx, actor, "patient.link", records[one].reference, detail=detail)
        linked = PatientsLinked(
            facility_code=records[one].facility_code or None,
            patient_id=str(one),
            other_patient_id=str(two),
            kind=kind,
        )
        await emit(tx, linked)
        return await queries.links_of(tx, one)
