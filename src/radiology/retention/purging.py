"""The way out, study by study: hidden by a rejection note, kept in the recycle bin, then purged.

Each study is looked at anew before each step, in the transaction of the step: what came meanwhile that keeps it wins.
Each step is one transaction, so that a crash leaves it done or to be done. Files go last, and only those that no row
names any more.
"""

from datetime import timedelta
from uuid import UUID

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import RadiologyError
from radiology.events import StudyPurged, emit
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.kit.log import get_logger
from radiology.retention import removal_queries as queries
from radiology.retention import rule_queries, study_queries
from radiology.retention.copies import Proof, prove
from radiology.retention.copy_queries import unproven
from radiology.retention.model import Study, Verdict, verdict_on
from radiology.retention.removal import show_again
from radiology.retention.removal_model import ItemState, Step, after
from radiology.retention.removal_queries import Item
from radiology.retention.rule_queries import State
from radiology.retention.rules import rules_now, today
from radiology.studies.actions import noting, reject
from radiology.studies.actions.recompress import delete_superseded
from radiology.studies.queries import noting as notes
from radiology.studies.queries import rejection as rejections
from radiology.studies.queries.rejection import RejectedStudy
from radiology.studies.rejection import MEANINGS, Category, Rejection, Title
from radiology.studies.rejection_notes import NotedInstance

AT_ONCE = 50
ASKED_AGAIN = timedelta(minutes=10)
"""How long a study waits that an archive has to answer for, or with which something went wrong."""

log = get_logger()


async def tend(app: App) -> int:
    """Take each study whose time it is one step further, where removal is switched on. Returns how many there were."""
    async with app.db.transaction() as tx:
        state = await rule_queries.state(tx)
        due = await queries.due_items(tx, now=app.clock.now(), limit=AT_ONCE) if state.removes else []
    for item_id in due:
        try:
            await _further(app, item_id, state)
        except RadiologyError as error:
            log.warning("retention.postponed", action=str(item_id), reason=error.sentence)
            await _postpone(app, item_id, error.sentence)
    if due:
        await delete_superseded(app)
    return len(due)


async def _further(app: App, item_id: UUID, state: State) -> None:
    async with app.db.transaction() as tx:
        item = await queries.lock_item(tx, item_id)
    if item is None:
        return
    if item.kept_elsewhere:
        found = await prove(app, item, days=state.proof_days)
        if found.proof is Proof.AWAITED:
            await _postpone(app, item_id, found.sentence)
            return
        if found.proof is Proof.REFUSED:
            await _keep(app, item_id, found.sentence)
            return
    if item.state == ItemState.APPROVED:
        await _hide(app, item, state)
    else:
        await _purge(app, item, state)


async def _postpone(app: App, item_id: UUID, sentence: str) -> None:
    async with app.db.transaction() as tx:
        await queries.postpone(tx, item_id, sentence=sentence, until=app.clock.now() + ASKED_AGAIN)


async def _keep(app: App, item_id: UUID, sentence: str) -> None:
    async with app.db.transaction() as tx:
        item = await queries.lock_item(tx, item_id)
        if item is not None:
            await _keep_in(tx, app, item, sentence)


async def _keep_in(tx: Transaction, app: App, item: Item, sentence: str) -> None:
    """Something keeps it after all: it is shown again where it was hidden."""
    if item.state == ItemState.BINNED:
        await show_again(tx, app, SYSTEM, item, Step.KEEP, sentence)
    else:
        await queries.change(tx, item.id, after(item.state, Step.KEEP), sentence=sentence, at=app.clock.now())
        await audit.record(tx, SYSTEM, "retention.keep", str(item.study_id), detail={"item": str(item.id)})


async def _judged(tx: Transaction, app: App, item: Item) -> tuple[Study, Verdict] | None:
    """The study, locked, and the verdict of now; None where it is gone. What was approved is not widened by it."""
    study = await study_queries.lock_study(tx, item.study_id, zone=str(app.settings.zone))
    if study is None:
        return None
    rules = [rule for rule in await rules_now(tx) if rule.kept_elsewhere in {"", item.kept_elsewhere}]
    return study, verdict_on(study, rules, today=today(app), last_copies=item.last_copies)


def _allows(item: Item, verdict: Verdict) -> bool:
    """Whether a verdict still allows what was approved: all of a study only where its own time is over."""
    return verdict.erasable and (bool(item.kept_elsewhere) or not verdict.kept_elsewhere)


# --- Into the bin -----------------------------------------------------------------------------------------------------


async def _hide(app: App, item: Item, state: State) -> None:
    async with app.db.transaction() as tx:
        instances = await notes.instances_of(tx, item.study_id)
        attributes = await notes.attributes_of(tx, item.study_id)
    now = app.clock.now()
    title = Title.RETENTION_EXPIRED
    written = await noting.write(app, item.study_instance_uid, title, MEANINGS[title], instances, attributes or {})
    async with app.db.transaction() as tx:
        locked = await queries.lock_item(tx, item.id)
        if locked is None or locked.state != ItemState.APPROVED:
            return
        judged = await _judged(tx, app, locked)
        if judged is None:
            await _keep_in(tx, app, locked, "The study is not there any more.")
        elif not _allows(locked, judged[1]):
            await _keep_in(tx, app, locked, judged[1].reason)
        elif written.names(await notes.instances_of(tx, item.study_id)):
            rejection_id = await _reject(tx, app, locked, instances, written.uid)
            await noting.keep(tx, written, study_id=item.study_id, rejection_id=rejection_id)
            until = now + timedelta(days=state.bin_days)
            await queries.put_into_bin(
                tx, item.id, rejection_id=rejection_id, key_object_uid=written.uid, until=until, at=now
            )
            detail = {"item": str(item.id), "removal": str(item.batch_id), "instances": len(instances)}
            await audit.record(tx, SYSTEM, "retention.bin", str(item.study_id), detail=detail)


async def _reject(tx: Transaction, app: App, item: Item, instances: list[NotedInstance], note_uid: str) -> UUID:
    study = await tx.one(RejectedStudy, rejections.STUDIES, uids=[item.study_instance_uid], of_patient_in=None)
    rejection = Rejection(
        id=uuid7(),
        study_instance_uid=item.study_instance_uid,
        facility_code=study.facility_code,
        title=Title.RETENTION_EXPIRED,
        category=Category.OTHER,
        reason=MEANINGS[Title.RETENTION_EXPIRED],
        actor=item.decided_by or SYSTEM.id,
        sop_instance_uids=tuple(instance.sop_instance_uid for instance in instances),
        key_object_uid=note_uid,
    )
    await reject.hide(tx, SYSTEM, study, rejection, at=app.clock.now())
    return rejection.id


# --- Out of the bin ---------------------------------------------------------------------------------------------------


async def _purge(app: App, item: Item, state: State) -> None:
    now = app.clock.now()
    async with app.db.transaction() as tx:
        locked = await queries.lock_item(tx, item.id)
        if locked is None or locked.state != ItemState.BINNED or locked.rejection_id is None:
            return
        if not (await rule_queries.state(tx)).removes or (locked.due_at or now) > now:
            return
        judged = await _judged(tx, app, locked)
        if judged is None:
            await queries.change(tx, item.id, ItemState.KEPT, sentence="The study is not there any more.", at=now)
            return
        study, verdict = judged
        if not await queries.is_hidden_by(tx, item.study_id, locked.rejection_id):
            await _keep_in(tx, app, locked, "It was stored or shown again while it lay in the recycle bin.")
        elif not _allows(locked, verdict):
            await _keep_in(tx, app, locked, verdict.reason)
        elif locked.kept_elsewhere and await _proof_is_gone(tx, app, locked, state):
            await queries.postpone(tx, item.id, sentence="The proof is too old by now.", until=now)
        else:
            await _remove(tx, app, locked, study)


async def _proof_is_gone(tx: Transaction, app: App, item: Item, state: State) -> bool:
    """Looked at once more in the transaction that removes: between asking and removing somebody may have said no."""
    since = app.clock.now() - timedelta(days=state.proof_days)
    return bool(await unproven(tx, item.study_id, item.rejection_id, item.kept_elsewhere, since=since))


async def _remove(tx: Transaction, app: App, item: Item, study: Study) -> None:
    now = app.clock.now()
    if item.kept_elsewhere and item.rejection_id is not None:
        removed = await study_queries.remove_images(tx, item.rejection_id)
    else:
        removed = await study_queries.remove_study(tx, study, batch_id=item.batch_id, now=now)
    await queries.change(tx, item.id, after(item.state, Step.PURGE), at=now)
    detail = {"removal": str(item.batch_id), "instances": removed, "keptElsewhere": item.kept_elsewhere,
              "decidedBy": item.decided_by}  # fmt: skip
    await audit.record(tx, SYSTEM, "study.purge", item.study_instance_uid, detail=detail)
    purged = StudyPurged(
        facility_code=item.facility_code,
        study_id=str(item.study_id),
        study_instance_uid=item.study_instance_uid,
        removal_id=str(item.batch_id),
        instances=removed,
        kept_elsewhere=item.kept_elsewhere,
    )
    await emit(tx, purged)
