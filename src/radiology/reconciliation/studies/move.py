"""Images go to the study that they belong to (2.7): copies under new UIDs there, the old ones rejected here.

A copy is a row over the same object: no bytes are copied, and what is wrong in its header is served right. Everything
is one transaction, so that every outlet shows all of it or nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.errors import Conflict, FieldProblem, NotFound, Unprocessable
from radiology.events import InstancesStored, StudyRegistered, StudyStatusChanged, emit
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.modality_worklist import queries as worklist
from radiology.reconciliation.repairs import journal
from radiology.reconciliation.repairs.model import Asked, Kind, Repair
from radiology.reconciliation.repairs.queries import keep, note_made, note_rejection
from radiology.reconciliation.repairs.relations import INSTANCES, SERIES, STUDIES
from radiology.reconciliation.studies import copy_queries, link, queries, targets
from radiology.reconciliation.studies.copying import Copies
from radiology.reconciliation.studies.model import HeldStudy
from radiology.reconciliation.studies.targets import Place, Target, To
from radiology.sensitivity.labelling import label
from radiology.studies.actions import noting, reject
from radiology.studies.actions.noting import Written
from radiology.studies.queries import noting as notes
from radiology.studies.queries import read, write
from radiology.studies.queries.rejection import RejectedStudy
from radiology.studies.rejection import Category, Rejection, Title


@dataclass(frozen=True, slots=True)
class Selection:
    """Series and instances of a study; all of it where none is named."""

    series: Sequence[str] = ()
    instances: Sequence[str] = ()


async def move(app: App, actor: Actor, study: str, asked: Asked, selection: Selection, to: To) -> bytes:
    """Move images to another study, to what was ordered, or to another patient. Returns the repair.

    Raises NotFound, SensitiveStudy, StaleVersion, Unprocessable, and Conflict where a report was signed about them.
    """
    if to == To():
        sentence = "is required: a study, an item of the worklist, or a patient"
        raise Unprocessable(f"to {sentence}.", fields=[FieldProblem("to", sentence)])
    return await _carry(app, actor, Kind.MOVE, study, asked, selection, to)


async def split(app: App, actor: Actor, study: str, asked: Asked, selection: Selection) -> bytes:
    """Let some images be a study of their own, of the same patient. Returns the repair. Raises as `move`."""
    if not (selection.series or selection.instances):
        sentence = "or instances are required: what is to be split off?"
        raise Unprocessable(f"series {sentence}", fields=[FieldProblem("series", sentence)])
    return await _carry(app, actor, Kind.SPLIT, study, asked, selection, To())


async def merge(app: App, actor: Actor, study: str, asked: Asked, into: str) -> bytes:
    """Let all images of a study be images of another. Returns the repair. Raises as `move`."""
    return await _carry(app, actor, Kind.MERGE, study, asked, Selection(), To(study=into))


async def _carry(app: App, actor: Actor, kind: Kind, study: str, asked: Asked, selection: Selection, to: To) -> bytes:
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        if done := await journal.repeated(tx, app, actor, asked):
            return done
        target = await targets.look_for(tx, actor, to)
        study_id = await read.resolve(tx, study, visible_to=actor.beyond_reading)
        chosen, _ = await copy_queries.chosen(tx, study_id, series=selection.series, instances=selection.instances)
        noted = await notes.instances_of(tx, study_id, [one.sop_instance_uid for one in chosen])
        attributes, uid = await notes.attributes_of(tx, study_id), await queries.uid_of(tx, study_id)
    written = await noting.write(app, uid, Title.WORKLIST_ENTRY, asked.reason, noted, attributes)
    async with app.db.transaction() as tx:
        if done := await journal.repeated(tx, app, actor, asked):
            return done
        return await _carry_in(tx, app, actor, kind, uid, asked, selection, target, written)


async def _carry_in(
    tx: Transaction, app: App, actor: Actor, kind: Kind, uid: str, asked: Asked, selection: Selection, target: Target,
    written: Written,
) -> bytes:  # fmt: skip
    source, held = await _locked(tx, uid, target)
    source.must_be_as_read(asked.version)
    chosen, is_whole = await copy_queries.chosen(tx, source.id, series=selection.series, instances=selection.instances)
    _must_move(source, kind, is_whole=is_whole)
    if not written.names(await notes.instances_of(tx, source.id, [one.sop_instance_uid for one in chosen])):
        raise Conflict("The images of the study have changed meanwhile. Look again.")
    uids = [source.study_instance_uid, target.uid]
    repair = await journal.begin(tx, app, actor, kind, asked, source.facility_code, uids)
    await keep(tx, repair.id, STUDIES, [source.id])
    place = await targets.open_place(tx, app, repair, source, target, held)
    copies = Copies.of(chosen)
    await _copy(tx, app, repair, copies, place)
    await _hide(tx, app, actor, repair, source, copies, written)
    await _settle(tx, app, actor, repair, source, target, place, is_whole=is_whole, asked=asked)
    await tell(tx, source.facility_code, place, len(chosen))
    detail = {"instances": len(chosen), "series": len(copies.series), "wholeStudy": is_whole}
    return await journal.end(tx, app, actor, repair, detail=detail)


async def _locked(tx: Transaction, uid: str, target: Target) -> tuple[HeldStudy, HeldStudy | None]:
    if uid == target.uid:
        raise Conflict("The images are in this study already.")
    held = await queries.lock_by_uid(tx, [uid, target.uid], target.lock_keys)
    by_uid = {one.study_instance_uid: one for one in held}
    if uid not in by_uid:
        raise NotFound("The study is gone. Look again.")
    return by_uid[uid], by_uid.get(target.uid)


def _must_move(source: HeldStudy, kind: Kind, *, is_whole: bool) -> None:
    if kind == Kind.SPLIT and is_whole:
        raise Conflict("That is the whole study, so nothing would be left. Name less of it.")
    if is_whole or source.final_reports:
        source.must_have_no_report()


async def _copy(tx: Transaction, app: App, repair: Repair, copies: Copies, place: Place) -> None:
    await copy_queries.copy_series(tx, copies, place.id)
    await copy_queries.copy_instances(tx, copies, place.id, place.uid, place.attributes, at=app.clock.now())
    await note_made(tx, repair.id, SERIES, copies.new_series)
    await note_made(tx, repair.id, INSTANCES, copies.new_instances)


async def _hide(
    tx: Transaction, app: App, actor: Actor, repair: Repair, source: HeldStudy, copies: Copies, written: Written
) -> None:
    rejection = Rejection(
        uuid7(),
        source.study_instance_uid,
        source.facility_code,
        Title.WORKLIST_ENTRY,
        Category.WRONG_PATIENT if repair.kind == Kind.MOVE else Category.OTHER,
        written.note.reason,
        actor.id,
        tuple(copies.instances),
        written.uid,
    )
    study = RejectedStudy(source.id, source.study_instance_uid, source.facility_code, source.final_reports)
    await reject.hide(tx, actor, study, rejection, at=app.clock.now())
    await noting.keep(tx, written, study_id=source.id, rejection_id=rejection.id)
    await note_rejection(tx, repair.id, rejection.id)


async def _settle(
    tx: Transaction, app: App, actor: Actor, repair: Repair, source: HeldStudy, target: Target, place: Place, *,
    is_whole: bool, asked: Asked,
) -> None:  # fmt: skip
    """Counts, statuses, worklist items and labels follow."""
    await queries.count_anew(tx, [place.uid])
    had_images = place.held is not None and place.held.number_of_instances > 0
    status = place.status if had_images else "completed" if source.status == "completed" else "in-progress"
    await copy_queries.receive(tx, place.id, status=status, at=app.clock.now())
    if status != place.status:
        await write.record_transition(
            tx, place.id, from_status=place.status, to_status=status, trigger="repair", actor=actor.id,
            reason=asked.reason,
        )  # fmt: skip
    if is_whole:
        await link.leave_items(tx, actor, repair, source, but=target.item.id if target.item else None)
    for item_id in await queries.items_for(tx, place.id):
        item = await worklist.lock(tx, item_id, visible_to=actor.beyond_reading)
        await link.follow(tx, actor, repair, item, is_complete=status == "completed")
    await label(tx, actor, [source.id, place.id], cause="repaired", reason=asked.reason)


async def tell(tx: Transaction, facility_code: str, place: Place, count: int) -> None:
    """The study that takes the images is told of as where images come from a modality."""
    told = {"facility_code": facility_code, "study_id": str(place.id), "study_instance_uid": place.uid}
    (present,) = await queries.lock_by_uid(tx, [place.uid])
    if place.is_new:
        await emit(tx, StudyRegistered(**told))
    if present.status != place.status:
        changed = StudyStatusChanged(**told, from_status=place.status, to_status=present.status, trigger="repair")
        await emit(tx, changed)
    await emit(tx, InstancesStored(**told, instances=count, number_of_instances=present.number_of_instances))
