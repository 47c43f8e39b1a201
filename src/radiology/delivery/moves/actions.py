"""Have images moved to another application entity; send them, again where that failed; cancel, and retry."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import find_application_entity
from radiology.application_entities.retries import MINUTES_BETWEEN_ATTEMPTS
from radiology.audit import actions as audit
from radiology.delivery.attempt import MOST_FOR_ONE_DESTINATION, Attempt
from radiology.delivery.commitment import actions as commitment
from radiology.delivery.commitment.queries import not_kept
from radiology.delivery.moves import queries
from radiology.delivery.moves.model import (
    OVER,
    Move,
    Status,
    result_of,
    status_after,
)
from radiology.delivery.results import Sent
from radiology.errors import Conflict, FieldProblem, NotFound, Unprocessable
from radiology.kit import jobs
from radiology.kit.db import Transaction, WriterTransaction
from radiology.kit.ids import uuid7
from radiology.studies.archive import Archive
from radiology.studies.queries.retrieve import Selection, StoredInstance, Target, instances_of, selected_instances

JOB = "moves.move"
UNKNOWN_DESTINATION = 0xA801


async def start_move(app: App, actor: Actor, target: Target, destination: str, priority: str) -> tuple[UUID, bytes]:
    """Have a study, a series or an instance sent to a destination. Returns the id of the move and its body.

    Raises NotFound where nothing matches, Unprocessable (A801) for what is no move destination.
    """
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        move_id = await place(tx, actor, target, destination, priority)
        await _start_due(tx, app)
        return move_id, await queries.body_of(tx, move_id, visible_to=actor)


async def place(tx: Transaction, actor: Actor, target: Target, destination: str, priority: str) -> UUID:
    """Have something sent by `start_due`; returns the id of the move. Raises NotFound, Unprocessable (A801)."""
    move_id = uuid7()
    instances = await instances_of(tx, target, visible_to=actor.beyond_reading)
    await _destination(tx, destination)
    await queries.insert(
        tx, id=move_id, study_instance_uid=target.study_instance_uid,
        series_instance_uid=target.series_instance_uid, sop_instance_uid=target.sop_instance_uid,
        destination=destination, priority=priority, asked_by=actor.id,
        instances=[instance.sop_instance_uid for instance in instances],
    )  # fmt: skip
    detail = {"destination": destination, "instances": len(instances)}
    await audit.record(tx, actor, "study.move", target.study_instance_uid, detail=detail)
    return move_id


async def cancel_move(app: App, actor: Actor, move_id: UUID) -> bytes:
    """Send nothing more; the instance that is on its way has a few seconds to arrive.

    Raises NotFound, Conflict where it is over.
    """
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        move = await _lock(tx, actor, move_id)
        if move.status in OVER:
            raise Conflict(f"The move is {move.status} already.")
        await queries.change(tx, move_id, status=Status.CANCELLED, attempts=move.attempts, sentence="Cancelled.")
        await audit.record(tx, actor, "study.move-cancel", str(move_id))
        return await queries.body_of(tx, move_id, visible_to=actor)


async def retry_move(app: App, actor: Actor, move_id: UUID) -> bytes:
    """Send now what is owed, and what the destination took and does not keep (storage commitment).

    An attempt that was cancelled a moment ago ends first, so that nothing is sent twice. Raises NotFound, Conflict.
    """
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        move = await _lock(tx, actor, move_id)
        if move.status in {Status.QUEUED, Status.RUNNING}:
            raise Conflict(f"The move is {move.status} already.")
        await queries.owe_again(tx, move_id, await not_kept(tx, move_id))
        if not await queries.owed(tx, move_id):
            raise Conflict("The destination has everything.")
        await queries.forget_failed_job(tx, move_id)
        await queries.change(tx, move_id, status=Status.QUEUED, attempts=0)
        await _start_due(tx, app)
        await audit.record(tx, actor, "study.move-retry", str(move_id))
        return await queries.body_of(tx, move_id, visible_to=actor)


async def _lock(tx: Transaction, actor: Actor, move_id: UUID) -> Move:
    await queries.body_of(tx, move_id, visible_to=actor)
    move = await queries.take(tx, move_id)
    if move is None:
        raise NotFound("There is no such move.")
    return move


async def _destination(tx: Transaction, ae_title: str) -> ApplicationEntity:
    """The record of a destination. Raises Unprocessable (A801)."""
    entity = await find_application_entity(tx, ae_title)
    if entity is None or not entity.is_destination:
        sentence = "an application entity that is a move destination, with host and port or dicomwebUrl"
        raise Unprocessable(
            f"{ae_title} is no move destination. Register it as {sentence}.",
            fields=[FieldProblem("destinationAE", sentence)],
            dimse_status=UNKNOWN_DESTINATION,
        )
    return entity


async def start_due(app: App) -> int:
    """Have moves sent whose time has come; returns how many there were."""
    async with app.db.transaction() as tx:
        return await _start_due(tx, app)


async def _start_due(tx: Transaction, app: App) -> int:
    """Also those whose job is gone, as by a restored database. Where it was given up, the move has failed."""
    due = await queries.due(tx, now=app.clock.now(), most_at_once=MOST_FOR_ONE_DESTINATION)
    for each in due:
        move = await queries.take(tx, each.id)
        if move is None or move.status in OVER:  # Cancelled in this moment.
            continue
        if each.job_failed:
            await _end(tx, app, move, Status.FAILED, move.attempts, jobs.GIVEN_UP)
        else:
            job = await jobs.enqueue(tx, JOB, {"move": str(move.id)}, priority=jobs.PRIORITIES[move.priority])
            await queries.save_job(tx, move.id, job)
    return len(due)


# --- The job ----------------------------------------------------------------------------------------------------------


async def move(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """Send what a move still owes. Run twice, it sends nothing again that was noted as acknowledged.

    What fails is tried again by `start_due` when its time has come.
    """
    app, move_id = archive.app, UUID(arguments["move"])
    async with app.db.transaction() as tx:
        taken = await queries.take(tx, move_id)
        if taken is None or taken.status not in {Status.QUEUED, Status.RUNNING}:
            return
        await queries.change(tx, move_id, status=Status.RUNNING, attempts=taken.attempts)
        owed = await queries.owed(tx, move_id)
    await _send(archive, taken, owed)
    await _settle(app, taken)
    await start_due(app)


async def _send(archive: Archive, taken: Move, owed: Sequence[str]) -> None:
    async with archive.app.db.transaction() as tx:
        selection = Selection(study_instance_uids=(taken.study_instance_uid,), sop_instance_uids=tuple(owed))
        instances = await selected_instances(tx, selection, visible_to=[SYSTEM])
        gone = set(owed) - {instance.sop_instance_uid for instance in instances}
        sentence = "The instance is not here any more."
        await queries.fail(tx, taken.id, sorted(gone), status=NotFound.dimse_status, sentence=sentence)
        try:
            entity = await _destination(tx, taken.destination)
        except Unprocessable as error:
            await queries.fail(tx, taken.id, owed, status=error.dimse_status, sentence=error.sentence)
            return

    def note(tx: WriterTransaction, instance: StoredInstance, sent: Sent) -> bool:
        result = result_of(instance.sop_instance_uid, sent)
        return bool(tx.value(queries.NOTE, id=taken.id, sop_instance_uid=result.sop_instance_uid, result=result.result,
                             status=result.status, sentence=result.sentence))  # fmt: skip

    def is_wanted(tx: WriterTransaction) -> bool:
        return bool(tx.value(queries.IS_RUNNING, id=taken.id))

    await Attempt(archive, entity, note, is_wanted).run(instances)


async def _settle(app: App, taken: Move) -> None:
    """End the move, or have what failed tried again."""
    attempts = taken.attempts + 1
    async with app.db.transaction() as tx:
        now = await queries.take(tx, taken.id)
        if now is None or now.status != Status.RUNNING:
            return
        counts = await queries.counts(tx, taken.id)
        status = status_after(counts)
        if status is Status.COMPLETED or attempts > len(MINUTES_BETWEEN_ATTEMPTS):
            await _end(tx, app, taken, status, attempts, counts.sentence)
            return
        next_at = app.clock.now() + timedelta(minutes=MINUTES_BETWEEN_ATTEMPTS[attempts - 1])
        await queries.change(
            tx, taken.id, status=Status.WAITING, attempts=attempts, sentence=counts.sentence, next_at=next_at
        )


async def _end(tx: Transaction, app: App, taken: Move, status: Status, attempts: int, sentence: str) -> None:
    """A move is over. A destination that has everything is asked whether it keeps it, where it offers that."""
    await queries.change(tx, taken.id, status=status, attempts=attempts, sentence=sentence)
    if status is Status.COMPLETED and await commitment.may_be_asked(tx, taken.destination):
        references = await queries.take_uncommitted(tx, taken.id)
        await commitment.ask_for_commitment(tx, taken.destination, references, now=app.clock.now(), cause_id=taken.id)
    detail = {"destination": taken.destination, "attempts": attempts}
    await audit.record(tx, SYSTEM, f"study.move-{status.value}", taken.study_instance_uid, detail=detail)
