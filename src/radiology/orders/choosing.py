"""Where the examinations of an order are done best."""

from datetime import date
from typing import Any
from uuid import UUID

from radiology.access.model import Actor
from radiology.app import App
from radiology.facilities.choosing.actions import choose_facility
from radiology.facilities.choosing.model import Need
from radiology.facilities.choosing.schemas import choice_body
from radiology.facilities.choosing.travelling import Place
from radiology.orders import queries
from radiology.orders.checking.question import birth_date, procedure_of
from radiology.orders.model import Order
from radiology.orders.safety import Safety
from radiology.patients.model import Patient
from radiology.procedures.catalogue import catalogue
from radiology.procedures.model import Procedure


async def choices_of(app: App, actor: Actor, order_id: UUID | None) -> list[dict[str, Any]]:
    """The choice for each procedure of an order; None for what the catalogue does not know. Raises NotFound."""
    async with app.db.transaction() as tx:
        order = await queries.load(tx, order_id, visible_to=actor)
        patient = await queries.patient_of(tx, order.patient_id)
    known, place = await catalogue(app), Place(order.facility_code)
    on = app.clock.now().astimezone(app.settings.zone).date()
    answers: list[dict[str, Any]] = []
    for each in order.procedures:
        procedure = procedure_of(each, known)
        told: dict[str, Any] = {"requestedProcedureId": each.requested_procedure_id, "choice": None}
        if procedure is not None:
            choice = await choose_facility(app, _need(order, patient, procedure, on), place)
            told["choice"] = choice_body(choice, procedure=procedure.key, priority=order.priority)
        answers.append(told)
    return answers


def _need(order: Order, patient: Patient, procedure: Procedure, on: date) -> Need:
    safety = Safety.model_validate(order.content.get("safety", {}))
    return Need(
        procedure=procedure,
        priority=order.priority,
        contrast=bool(safety.contrast and safety.contrast.planned),
        mr_conditional=procedure.modality == "MR" and any(each.mrSafety != "safe" for each in safety.implants),
        weight_kg=safety.weightKg,
        age_months=_months(birth_date(patient), on),
    )


def _months(born: date | None, on: date) -> int | None:
    """Whole months of age; None where the day of birth is not known."""
    if born is None:
        return None
    return 12 * (on.year - born.year) + on.month - born.month - (on.day < born.day)
