"""What is made of an order, and what becomes of that when the order is held, cancelled, resumed or withdrawn."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from radiology.access.model import SYSTEM, Actor
from radiology.app import App
from radiology.errors import Conflict
from radiology.kit.db import Transaction
from radiology.modality_worklist import queries as worklist
from radiology.modality_worklist.actions import place, status
from radiology.modality_worklist.model import OPEN, ScheduledProcedureStep
from radiology.modality_worklist.model import Status as StepStatus
from radiology.modality_worklist.model import Verb as StepVerb
from radiology.orders import queries
from radiology.orders.items import item_of, study_of
from radiology.orders.model import Order, RequestedProcedure
from radiology.patients.model import Patient
from radiology.relations import actions as relations
from radiology.relations.model import Kind as Relation
from radiology.studies import model as studies
from radiology.studies.actions.register import register
from radiology.studies.actions.status import move
from radiology.studies.model import Status as StudyStatus
from radiology.studies.model import StatusChange

ORDER_WITHDRAWN = "order_withdrawn"
"""Flag of a study whose order was entered in error."""


async def begin(
    tx: Transaction,
    app: App,
    actor: Actor,
    order: Order,
    procedures: Sequence[RequestedProcedure],
    patient: Patient,
) -> None:
    """Register the studies of procedures, and place their items in the worklist."""
    start = order.occurrence or app.clock.now()
    for procedure in procedures:
        study_id = await register(tx, app, actor, study_of(order, procedure), patient=patient)
        await relations.note(tx, actor, Relation.ORDERER, study_id, source="order")
        await place.place(tx, app, actor, item_of(order, procedure, patient, start=start.isoformat()))
        if procedure.asked_start != start:
            await queries.note_start(tx, procedure.id, start)


async def take_out(
    tx: Transaction, actor: Actor, procedures: Sequence[RequestedProcedure], *, reason: str | None
) -> list[UUID]:
    """Take the items of procedures out of the worklist, where they wait in it; returns which those were."""
    taken: list[UUID] = []
    for procedure in procedures:
        item = await _item(tx, procedure)
        if item is not None and item.status in OPEN:
            await status.move(tx, actor, item, StepVerb.CANCEL, reason=reason)
            taken.append(item.id)
    return taken


async def put_back(tx: Transaction, app: App, actor: Actor, order: Order, *, reason: str | None) -> None:
    """Put back what was taken out, for now where its time has passed; what is still a draft begins."""
    patient = await queries.patient_of(tx, order.patient_id)
    await begin(tx, app, actor, order, [each for each in order.procedures if each.study_id is None], patient)
    for procedure in order.procedures:
        if procedure.study_id is not None and procedure.study_status == StudyStatus.CANCELLED:
            change = StatusChange(StudyStatus.REGISTERED, reason=reason or "The order goes on.")
            await move(tx, app, actor, procedure.study_id, change, [])
        item = await _item(tx, procedure)
        if item is None or item.id not in order.released or item.status != StepStatus.CANCELED:
            continue
        await status.move(tx, actor, item, StepVerb.REINSTATE, reason=reason)
        if item.scheduled_start < app.clock.now():
            await tell_anew(tx, app, actor, order, procedure, patient, item, start=app.clock.now())


async def tell_anew(
    tx: Transaction,
    app: App,
    actor: Actor,
    order: Order,
    procedure: RequestedProcedure,
    patient: Patient,
    item: ScheduledProcedureStep,
    *,
    start: datetime | None = None,
) -> None:
    """Let an item say what its order says now. Its start and its stations stay, where somebody booked others."""
    told = item_of(order, procedure, patient, start=(start or item.scheduled_start).isoformat())
    if start is None or item.scheduled_start != procedure.asked_start:
        stations = {"stationAETitles": item.station_ae_titles, "stationPool": item.station_pool}
        told = told.model_copy(update=stations)
    await place.change(tx, app, actor, item, told)
    if start is not None:
        await queries.note_start(tx, procedure.id, start)


async def cancel_studies(
    tx: Transaction, app: App, actor: Actor, procedures: Sequence[RequestedProcedure], *, reason: str | None
) -> None:
    """Cancel the studies of procedures that have no images and are not at their end."""
    for procedure in procedures:
        can = (
            studies.TRANSITIONS.get((StudyStatus(procedure.study_status), studies.Verb.CANCEL))
            if (procedure.study_status)
            else None
        )
        if procedure.study_id is not None and can and not procedure.number_of_instances:
            await move(tx, app, actor, procedure.study_id, StatusChange(StudyStatus.CANCELLED, reason=reason), [])


def must_not_have_begun(procedures: Sequence[RequestedProcedure], verb: str) -> None:
    """Raises Conflict where a modality has begun a procedure, or images came."""
    for each in procedures:
        if each.number_of_instances:
            raise Conflict(
                f"Study {each.study_instance_uid} has images, so the order cannot {verb}. If it should never have been "
                "placed, make it entered-in-error: its images then wait for a person to find their order."
            )
        if each.step_status in (StepStatus.STARTED, StepStatus.COMPLETED):
            raise Conflict(
                f"Procedure {each.requested_procedure_id} is {each.step_status} at the modality, so the order cannot "
                f"{verb}. Discontinue it there first."
            )


async def _item(tx: Transaction, procedure: RequestedProcedure) -> ScheduledProcedureStep | None:
    if procedure.step_id is None:
        return None
    return await worklist.lock(tx, procedure.step_id, visible_to=SYSTEM)
