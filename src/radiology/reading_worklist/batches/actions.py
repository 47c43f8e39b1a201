"""Begin, keep and end a batch. Each of its studies is claimed like any other, for as long as somebody renews it."""

from collections.abc import Sequence
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, NotFound, NotPermitted, RadiologyError
from radiology.kit.ids import uuid7
from radiology.practitioners.readers import actions as readers
from radiology.reading_worklist.actions import claims
from radiology.reading_worklist.assigning.assign import assign
from radiology.reading_worklist.assigning.model import Candidate, Round, Rules
from radiology.reading_worklist.batches import queries
from radiology.reading_worklist.batches.model import Alike, Batch, batches
from radiology.reading_worklist.model import UNREPORTED, Waiting
from radiology.reading_worklist.queries.waiting import waiting as all_waiting

NO_READER = "You are no reader of the network. Ask an administrator to add you."


async def offered(app: App, actor: Actor) -> list[Batch]:
    """The batches that a reader could begin now. Raises NotPermitted for who is no reader."""
    actor.must(Permission.INTERPRET)
    candidate = await _candidate(app, actor)
    now = app.clock.now()
    async with app.db.reading() as tx:
        several = await all_waiting(tx, now=now)
    mine = _readable(several, candidate, app)
    return batches(mine, now, reads_sensitive=candidate.reader.reads_sensitive)


async def begin(app: App, actor: Actor, alike: Alike) -> UUID:
    """Claim the studies of a batch; returns its id. Raises NotFound where there are none, Conflict for a second batch.

    What somebody else takes meanwhile is left out. If the process dies in between, what it has claimed is released
    like any claim.
    """
    batch = next((each for each in await offered(app, actor) if each.alike == alike), None)
    if batch is None:
        raise NotFound("There are no such studies for a batch any more. Look at the batches again.")
    batch_id = uuid7()
    async with app.db.transaction() as tx:
        running = await queries.running_of(tx, actor.id)
        if running is not None:
            raise Conflict(f"You have begun the batch {running}. End it first.")
        uids = await queries.uids_of(tx, [each.study_id for each in batch.studies], visible_to=actor)
        await queries.insert(tx, batch_id, actor.id, alike, now=app.clock.now())
        await audit.record(tx, actor, "reading.batch", str(batch_id), detail={"studies": len(uids)})
    claimed = [
        each.study_id
        for each in batch.studies
        if each.study_id in uids and await _is_claimed(app, actor, uids[each.study_id])
    ]
    async with app.db.transaction() as tx:
        await queries.add(tx, batch_id, claimed)
        if not claimed:
            await queries.end(tx, batch_id, now=app.clock.now())
    if not claimed:
        raise NotFound("Others have taken these studies meanwhile. Look at the batches again.")
    return batch_id


async def renew(app: App, actor: Actor, batch_id: UUID) -> int:
    """Keep what is not reported yet for longer; returns how many. Raises NotFound, Conflict for one that has ended."""
    held = await _running(app, actor, batch_id)
    count = 0
    for each in held:
        if each.claimed_by == actor.id:
            try:
                await claims.renew(app, actor, each.study_instance_uid)
                count += 1
            except RadiologyError:  # Its claim ended, or its report was signed, in this moment.
                continue
    return count


async def end(app: App, actor: Actor, batch_id: UUID) -> None:
    """Release what nothing is written of, and end the batch. Raises NotFound."""
    held = await _running(app, actor, batch_id)
    for each in held:
        if each.claimed_by == actor.id and each.state in UNREPORTED:
            try:
                await claims.release(app, actor, each.study_instance_uid)
            except RadiologyError:  # As above.
                continue
    async with app.db.transaction() as tx:
        await queries.end(tx, batch_id, now=app.clock.now())
        await audit.record(tx, actor, "reading.batch-end", str(batch_id))


async def _running(app: App, actor: Actor, batch_id: UUID) -> list[queries.Held]:
    actor.must(Permission.INTERPRET)
    async with app.db.transaction() as tx:
        batch = await queries.lock(tx, batch_id, actor.id)
        if batch.ended_at is not None:
            raise Conflict("This batch has ended. Begin another one.")
        return await queries.held(tx, batch_id)


async def _is_claimed(app: App, actor: Actor, uid: str) -> bool:
    try:
        await claims.claim(app, actor, uid)
    except (Conflict, NotFound, NotPermitted):
        return False
    return True


async def _candidate(app: App, actor: Actor) -> Candidate:
    """The actor as a reader, on duty because he or she asks."""
    if actor.practitioner_reference is None:
        raise NotPermitted(NO_READER)
    try:
        _, reader, is_known = await readers.one(app, actor.practitioner_reference)
    except NotFound:
        raise NotPermitted(NO_READER) from None
    return Candidate(reader, on_shift=True, known=is_known, works_at=actor.facility_codes)


def _readable(several: Sequence[Waiting], candidate: Candidate, app: App) -> list[Waiting]:
    """What a reader has the credentials for, whatever lies open with him or her."""
    called = Round(called=frozenset({candidate.reader.reference}))
    rounds = {each.study_id: called for each in several}
    decisions = assign(several, [candidate], app.clock.now(), Rules(zone=app.settings.zone), rounds)
    return [each.waiting for each in decisions if each.chosen is not None]
