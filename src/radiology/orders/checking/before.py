"""Ask the rules of an order before it is placed. Nothing is registered and nothing kept."""

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.orders.actions.place import demographics, moment, numbered
from radiology.orders.checking import model
from radiology.orders.checking.actions import ask
from radiology.orders.checking.model import Asked, Checked, overrides_of
from radiology.orders.coding import coded
from radiology.orders.schemas import OrderIn, OrderPatient
from radiology.patients.model import Patient, choose
from radiology.patients.queries import registry


async def check_before(app: App, actor: Actor, said: OrderIn) -> Checked:
    """What the rules would say. Raises NotPermitted for an override by who may not."""
    actor.must(Permission.WRITE)
    facility = actor.facility_code or app.settings.facility_code
    right, _ = await coded(app, said)
    async with app.db.transaction() as tx:
        patient = await _patient(tx, said.patient, facility)
        asked = Asked(
            facility,
            said.priority,
            right.content(),
            patient,
            numbered(right.procedures, 0),
            moment(app, said.occurrence, "occurrence"),
        )
        checked = await ask(tx, app, actor, asked)
        await audit.record(tx, actor, "order.check", patient.reference)
    return model.overridden(checked, overrides_of(said.overrides), role=actor.role, by=actor.id)


async def _patient(tx: Transaction, said: OrderPatient, facility: str) -> Patient:
    """Whom the registry knows, with what is said of birth and sex where it does not; who is not known is as said."""
    told = demographics(said, facility)
    found = choose(await registry.candidates(tx, told), told)
    return Patient(
        id=found.id if found else uuid7(),
        reference=found.reference if found else "Patient/unknown",
        patient_id="",
        issuer_of_patient_id="",
        patient_name="",
        birth_date=(found.birth_date if found else "") or told.birth_date,
        sex=(found.sex if found else "") or told.sex,
    )
