"""Claim, keep, release and hand over what waits to be read. Row, relation, audit and event are one transaction."""

from datetime import datetime, timedelta
from uuid import UUID

from radiology.access.model import Actor, Permission, Role
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, FieldProblem, NotFound, NotPermitted
from radiology.kit.db import Transaction
from radiology.practitioners import actions as practitioners
from radiology.reading_worklist.actions import people
from radiology.reading_worklist.actions.noting import save
from radiology.reading_worklist.actions.refresh import follow_report
from radiology.reading_worklist.items import Item
from radiology.reading_worklist.model import OPEN, State
from radiology.reading_worklist.queries import items
from radiology.relations import actions as relations
from radiology.relations.model import Kind
from radiology.studies.queries import read

HEADS = frozenset({Role.CONSULTANT, Role.ADMINISTRATOR})
"""They give studies to others, and take back what somebody keeps."""


async def claim(app: App, actor: Actor, study: str, *, version: int | None = None) -> Item:
    """Read a study now, and keep others out until the claim ends. To claim it again renews the claim.

    Raises NotFound, NotPermitted, SensitiveStudy for a forensic one, Conflict with who has it, StaleVersion.
    """
    actor.must(Permission.INTERPRET)
    standing = await practitioners.standing_of(app, actor)
    async with app.db.transaction() as tx:
        item, is_masked = await load(tx, actor, study, version)
        practitioners.must_interpret(app, standing, item.facility_code, item.modalities)
        await must_be_free(tx, app, actor, item)
        claimed = await save(tx, item, _claimed(app, item, actor.id), "claim")
        if item.claimed_by != actor.id:
            await audit.record(tx, actor, "reading.claim", str(item.study_id), detail={"masked": is_masked})
            await relations.note(tx, actor, Kind.READER, item.study_id, source="claim")
        return claimed


async def renew(app: App, actor: Actor, study: str) -> Item:
    """Keep one's claim for longer. Raises Conflict where one has it no more."""
    async with app.db.transaction() as tx:
        item, _ = await load(tx, actor, study)
        await must_be_free(tx, app, actor, item)
        if item.claimed_by != actor.id:
            raise Conflict("You have not claimed this study, or your claim has ended. Claim it again.")
        renewed = _claimed(app, item, actor.id)
        await items.renew(tx, item.study_id, until=_until(app))
        return renewed


async def release(app: App, actor: Actor, study: str, *, reason: str | None = None, version: int | None = None) -> Item:
    """Read it no more; heads release what others keep, with a reason. Raises Conflict, NotPermitted, StaleVersion."""
    async with app.db.transaction() as tx:
        item, _ = await load(tx, actor, study, version)
        if actor.id not in (item.claimed_by, item.assigned_to):
            _must_be_head(actor)
            if not (reason or "").strip():
                raise Conflict("Say with reason why you take a study from somebody.")
        detail = {"from": item.claimed_by or item.assigned_to, "reason": reason}
        await audit.record(tx, actor, "reading.release", str(item.study_id), detail=detail)
        return await save(tx, item, item.released(), "release")


async def hand_over(
    app: App, actor: Actor, study: str, *, to: str, reason: str | None = None, version: int | None = None
) -> Item:
    """Give a study to another reader, in whose queue it stands from now on, and who is told.

    By who has it, or by heads. Raises NotPermitted, Unprocessable for who may not read it, StaleVersion.
    """
    actor.must(Permission.INTERPRET)
    standing = await people.standing_of(app, to, "to")
    async with app.db.transaction() as tx:
        item, _ = await load(tx, actor, study, version)
        if actor.id not in (item.claimed_by, item.assigned_to):
            _must_be_head(actor)
            await must_be_free(tx, app, actor, item)
        people.must_read(app, standing, item, "to")
        given = await save(tx, item, item.released(to=to), "hand-over")
        await people.make_reader(tx, to, item.study_id, by=actor)
        detail = {"to": to, "reason": reason}
        await audit.record(tx, actor, "reading.hand-over", str(item.study_id), detail=detail)
        await people.tell(
            tx, to, "reading.handed-over", "A study was handed over to you to read",
            "পড়ার জন্য আপনাকে একটি পরীক্ষা হস্তান্তর করা হয়েছে", item.study_instance_uid,
        )  # fmt: skip
        return given


async def begin_reading(tx: Transaction, app: App, actor: Actor, study_id: UUID) -> None:
    """Whoever begins a report claims the study with it. Raises Conflict with who has it."""
    item = await items.lock_one(tx, study_id)
    if item is not None and State(item.state) in OPEN:
        await must_be_free(tx, app, actor, item)
        await save(tx, item, _claimed(app, item, actor.id), "claim")


async def report_written(tx: Transaction, app: App, actor: Actor, study_id: UUID, trigger: str) -> None:
    """A report of a study was begun, edited or signed: the row follows, and who writes keeps the claim."""
    item = await items.lock_one(tx, study_id)
    if item is not None and item.claimed_by == actor.id:
        await items.renew(tx, study_id, until=_until(app))
    await follow_report(tx, study_id, trigger, now=app.clock.now())


async def load(tx: Transaction, actor: Actor, study: str, version: int | None = None) -> tuple[Item, bool]:
    """A row that is open, locked, and whether its study is masked for the actor. Raises NotFound, SensitiveStudy.

    A masked study may be claimed or given to somebody, a forensic one only by who sees it.
    """
    found = await read.look_up(tx, study, visible_to=actor.beyond_reading)
    if found.is_masked and not found.may_be_opened:
        raise found.refusal(actor)
    item = await items.lock_one(tx, found.id)
    if item is None or State(item.state) == State.REMOVED:
        raise NotFound("The study does not wait to be read: its images are not complete, or it is old or withdrawn.")
    item.must_have_version(version)
    return item, found.is_masked


async def must_be_free(tx: Transaction, app: App, actor: Actor, item: Item) -> None:
    """Raises Conflict, with who has it, where the claim of somebody else keeps others out."""
    if not item.is_held_from(actor.id, app.clock.now()) or item.claimed_by is None or item.locked_until is None:
        return
    who = await items.display_of(tx, item.claimed_by)
    until = item.locked_until.astimezone(app.settings.zone)
    raise Conflict(
        f"{who} reads this study now, and has it until {until:%H:%M} or longer. Ask for it, or wait until it is free.",
        fields=[FieldProblem("claimedBy", who)],
    )


def _must_be_head(actor: Actor) -> None:
    if actor.role not in HEADS:
        raise NotPermitted("Only who has this study, or a consultant, can give it to others.")


def _claimed(app: App, item: Item, by: str) -> Item:
    return item.claimed(by, now=app.clock.now(), until=_until(app))


def _until(app: App) -> datetime:
    return app.clock.now() + timedelta(seconds=app.settings.reading_lock_seconds)
