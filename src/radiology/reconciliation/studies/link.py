"""To which order a study belongs: confirm what was found, attach it to another of the same patient, detach it (2.7)."""

from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.errors import Conflict, FieldProblem, NotFound, Unprocessable
from radiology.kit.db import Transaction
from radiology.modality_worklist import model as worklist_model
from radiology.modality_worklist import queries as worklist
from radiology.modality_worklist.actions.status import move
from radiology.modality_worklist.model import ScheduledProcedureStep, Verb
from radiology.reconciliation.repairs import journal
from radiology.reconciliation.repairs.model import Asked, Kind, Repair
from radiology.reconciliation.repairs.queries import keep
from radiology.reconciliation.repairs.relations import ITEMS, STUDIES
from radiology.reconciliation.studies import queries
from radiology.reconciliation.studies.model import REVIEWED, HeldStudy
from radiology.standards.dicom.identity import REVIEW, PatientIdentity, identity_score
from radiology.studies.actions.correct import correct
from radiology.studies.corrections import Correction
from radiology.studies.matching import Kind as Match

ACCESSION_NUMBER = "00080050"


async def confirm(app: App, actor: Actor, study: str, asked: Asked) -> bytes:
    """A person has looked: order (or that there is none) and patient are right. Returns the repair.

    Raises NotFound, StaleVersion, Conflict where nothing is left to be confirmed.
    """
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        if done := await journal.repeated(tx, app, actor, asked):
            return done
        held, repair = await _begin(tx, app, actor, Kind.CONFIRM, asked, study)
        await queries.confirm(tx, held.id, flags=sorted(REVIEWED))
        return await journal.end(tx, app, actor, repair)


async def attach(app: App, actor: Actor, study: str, asked: Asked, *, item: UUID | None, order: str | None) -> bytes:
    """Let a study belong to a worklist item, or to an order with one; for the same patient. Returns the repair.

    Raises NotFound, StaleVersion, Unprocessable, and Conflict where the order is another patient's.
    """
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        if done := await journal.repeated(tx, app, actor, asked):
            return done
        held, repair = await _begin(tx, app, actor, Kind.ATTACH, asked, study)
        found = await worklist.lock(tx, item or await _item_of(tx, held, order), visible_to=actor.beyond_reading)
        await _must_fit(tx, held, found)
        await leave_items(tx, actor, repair, held, but=found.id)
        await _take(tx, app, held, found)
        if held.number_of_instances:
            await follow(tx, actor, repair, found, is_complete=held.status == "completed")
        return await journal.end(tx, app, actor, repair, detail={"item": str(found.id), "order": found.service_request})


async def detach(app: App, actor: Actor, study: str, asked: Asked) -> bytes:
    """Let a study belong to no order; its item is to be done again. Returns the repair.

    Raises NotFound, StaleVersion, Conflict where it belongs to none.
    """
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        if done := await journal.repeated(tx, app, actor, asked):
            return done
        held, repair = await _begin(tx, app, actor, Kind.DETACH, asked, study)
        if held.service_request is None and held.match in (None, Match.NONE):
            raise Conflict("The study belongs to no order.")
        held.must_have_no_report()
        await leave_items(tx, actor, repair, held)
        await queries.link(tx, held.id, service_request=None, planned=None, match=Match.NONE)
        return await journal.end(tx, app, actor, repair, detail={"order": held.service_request})


async def _begin(
    tx: Transaction, app: App, actor: Actor, kind: Kind, asked: Asked, study: str
) -> tuple[HeldStudy, Repair]:
    (held,) = await queries.lock(tx, study, visible_to=actor.beyond_reading)
    held.must_be_as_read(asked.version)
    repair = await journal.begin(tx, app, actor, kind, asked, held.facility_code, [held.study_instance_uid])
    await keep(tx, repair.id, STUDIES, [held.id])
    return held, repair


async def _item_of(tx: Transaction, held: HeldStudy, order: str | None) -> UUID:
    if order is None:
        sentence = "or order is required: to what shall the study be attached?"
        raise Unprocessable(f"item {sentence}", fields=[FieldProblem("item", sentence)])
    items = await queries.items_of_order(tx, order, facility_code=held.facility_code)
    if not items:
        raise NotFound("This order has no worklist item at the facility of the study. Place it first.")
    if len(items) > 1:
        raise Conflict(f"This order has {len(items)} worklist items. Name the one with item.")
    return items[0]


async def _must_fit(tx: Transaction, held: HeldStudy, item: ScheduledProcedureStep) -> None:
    if item.facility_code != held.facility_code:
        raise Conflict("The order is of another facility than the study.")
    score = identity_score(held.identity, identity_of(item))
    if score < REVIEW:
        raise Conflict(
            f"The order is of another patient (identity score {score:.2f}). If the images are of that patient, "
            "move them to the order; if the study names the wrong patient, correct it first."
        )
    taken = await queries.other_with_images(tx, item.study_instance_uid, but=held.id)
    if taken is not None:
        raise Conflict(f"{taken} was made for this item already. Detach that first, or group the two studies.")


def identity_of(item: ScheduledProcedureStep) -> PatientIdentity:
    """Whose a worklist item is."""
    return PatientIdentity(
        item.patient_id,
        item.issuer_of_patient_id,
        item.patient_name,
        item.patient.get("birthDate", "").replace("-", ""),
        item.patient.get("sex", ""),
    )


async def _take(tx: Transaction, app: App, held: HeldStudy, item: ScheduledProcedureStep) -> None:
    planned = item.study_instance_uid if item.study_instance_uid != held.study_instance_uid else None
    await queries.link(tx, held.id, service_request=item.service_request, planned=planned, match=Match.CONFIRMED)
    if held.accession_number != item.accession_number:
        number = {ACCESSION_NUMBER: {"vr": "SH", "Value": [item.accession_number]}}
        await correct(tx, app, held.id, Correction(number, "COERCE", "order", app.clock.now()))


async def follow(
    tx: Transaction, actor: Actor, repair: Repair, item: ScheduledProcedureStep, *, is_complete: bool
) -> None:
    """The study of an item has images: the item is complete, or begun."""
    verb = Verb.COMPLETE if is_complete else Verb.START
    if (worklist_model.Status(item.status), verb) in worklist_model.TRANSITIONS:
        await keep(tx, repair.id, ITEMS, [item.id])
        await move(tx, actor, item, verb, reason="reconciliation")


async def leave_items(
    tx: Transaction, actor: Actor, repair: Repair, held: HeldStudy, *, but: UUID | None = None
) -> None:
    """An item that was begun for the study is to be done again; one that is over stays so."""
    for item_id in await queries.items_for(tx, held.id):
        item = await worklist.lock(tx, item_id, visible_to=actor.beyond_reading)
        if item.id != but and item.status == worklist_model.Status.STARTED:
            await keep(tx, repair.id, ITEMS, [item.id])
            await move(tx, actor, item, Verb.RELEASE, reason="reconciliation")
