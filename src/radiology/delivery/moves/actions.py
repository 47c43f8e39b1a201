"""Have images moved to another application entity; send them, again where that failed; cancel."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import find_application_entity
from radiology.audit import actions as audit
from radiology.delivery.moves import queries
from radiology.delivery.moves.model import (
    MINUTES_BETWEEN_ATTEMPTS,
    OVER,
    PRIORITIES,
    Move,
    Result,
    Status,
    result_of,
    status_after,
)
from radiology.delivery.results import Sent
from radiology.delivery.sending import send
from radiology.errors import Conflict, FieldProblem, NotFound, Unprocessable
from radiology.kit import jobs
from radiology.kit.clock import monotonic_seconds
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.studies.archive import Archive
from radiology.studies.queries.retrieve import Selection, StoredInstance, Target, instances_of, selected_instances

JOB = "moves.move"
NOTED_EVERY = 10
NOTED_EVERY_SECONDS = 1.0
UNKNOWN_DESTINATION = 0xA801


async def start_move(app: App, actor: Actor, target: Target, destination: str, priority: str) -> tuple[UUID, bytes]:
    """Have a study, a series or an instance sent to a destination. Returns the id of the move and its body.

    Raises NotFound where nothing matches, Unprocessable (A801) for what is no move destination.
    """
    actor.must(Permission.WRITE)
    move_id = uuid7()
    async with app.db.transaction() as tx:
        instances = await instances_of(tx, target, visible_to=actor)
        await _destination(tx, destination)
        await queries.insert(
            tx, id=move_id, study_instance_uid=target.study_instance_uid,
            series_instance_uid=target.series_instance_uid, sop_instance_uid=target.sop_instance_uid,
            destination=destination, priority=priority, asked_by=actor.id,
            instances=[instance.sop_instance_uid for instance in instances],
        )  # fmt: skip
        detail = {"destination": destination, "instances": len(instances)}
        await audit.record(tx, actor, "study.move", target.study_instance_uid, detail=detail)
        await jobs.enqueue(tx, JOB, {"move": str(move_id)}, priority=PRIORITIES[priority])
        return move_id, await queries.body_of(tx, move_id, visible_to=actor)


async def cancel_move(app: App, actor: Actor, move_id: UUID) -> bytes:
    """Send nothing more; the instance that is on its way arrives. Raises NotFound, Conflict where it is over."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        await queries.body_of(tx, move_id, visible_to=actor)
        move = await queries.take(tx, move_id)
        if move is None:
            raise NotFound("There is no such move.")
        if move.status in OVER:
            raise Conflict(f"The move is {move.status} already.")
        await queries.change(tx, move_id, status=Status.CANCELLED, attempts=move.attempts, sentence="Cancelled.")
        await audit.record(tx, actor, "study.move-cancel", str(move_id))
        return await queries.body_of(tx, move_id, visible_to=actor)


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


# --- The job ----------------------------------------------------------------------------------------------------------


async def move(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """Send what a move still owes. Run twice, it sends nothing again that was noted as acknowledged.

    A worker that is killed may have up to ten acknowledged instances not noted yet; they are sent once more.

    Raises jobs.Later where something failed and is to be tried again.
    """
    app, move_id = archive.app, UUID(arguments["move"])
    async with app.db.transaction() as tx:
        taken = await queries.take(tx, move_id)
        if taken is None or taken.status in OVER:
            return
        await queries.change(tx, move_id, status=Status.RUNNING, attempts=taken.attempts + 1)
        owed = await queries.owed(tx, move_id)
    await _send(archive, taken, owed)
    await _settle(app, taken)


async def _send(archive: Archive, taken: Move, owed: Sequence[str]) -> None:
    app = archive.app
    async with app.db.transaction() as tx:
        selection = Selection(study_instance_uids=(taken.study_instance_uid,), sop_instance_uids=tuple(owed))
        instances = await selected_instances(tx, selection, visible_to=[SYSTEM])
        gone = set(owed) - {instance.sop_instance_uid for instance in instances}
        sentence = "The instance is not here any more."
        await queries.note(tx, taken.id, [Result(uid, "failed", NotFound.dimse_status, sentence) for uid in gone])
        try:
            entity = await _destination(tx, taken.destination)
        except Unprocessable as error:
            await queries.note(
                tx, taken.id, [Result(uid, "failed", error.dimse_status, error.sentence) for uid in owed]
            )
            return
    await asyncio.to_thread(_Progress(app, taken.id).send, archive, entity, instances)


class _Progress:
    """Sends in a thread, and keeps what was acknowledged every ten instances or every second."""

    def __init__(self, app: App, move_id: UUID) -> None:
        self._app = app
        self._move_id = move_id
        self._results: list[Result] = []
        self._noted_at = monotonic_seconds()
        self._stopped = False

    def send(self, archive: Archive, entity: ApplicationEntity, instances: Sequence[StoredInstance]) -> None:
        """Send, until all is sent or the move is cancelled."""
        try:
            send(archive, entity, instances, on_sent=self._sent, is_stopped=lambda: self._stopped)
        finally:
            self._note()

    def _sent(self, instance: StoredInstance, sent: Sent) -> None:
        self._results.append(result_of(instance.sop_instance_uid, sent))
        due = monotonic_seconds() - self._noted_at > NOTED_EVERY_SECONDS
        if due or len(self._results) >= NOTED_EVERY:
            self._note()

    def _note(self) -> None:
        results, self._results, self._noted_at = self._results, [], monotonic_seconds()
        self._stopped = not self._app.db.wait_for(self._write(results)) or self._stopped

    async def _write(self, results: Sequence[Result]) -> bool:
        async with self._app.db.transaction() as tx:
            return await queries.note(tx, self._move_id, results)


async def _settle(app: App, taken: Move) -> None:
    """End the move, or have what failed tried again."""
    attempts = taken.attempts + 1
    async with app.db.transaction() as tx:
        now = await queries.take(tx, taken.id)
        if now is None or now.status != Status.RUNNING:
            return
        total, failed, sentence = await queries.failures(tx, taken.id)
        if not failed or attempts > len(MINUTES_BETWEEN_ATTEMPTS):
            status = status_after(total, failed)
            await queries.change(tx, taken.id, status=status, attempts=attempts, sentence=sentence)
            detail = {"destination": taken.destination, "failed": failed}
            await audit.record(tx, SYSTEM, f"study.move-{status.value}", taken.study_instance_uid, detail=detail)
            return
        seconds = MINUTES_BETWEEN_ATTEMPTS[attempts - 1] * 60
        next_at = app.clock.now() + timedelta(seconds=seconds)
        await queries.change(tx, taken.id, status=Status.WAITING, attempts=attempts, sentence=sentence, next_at=next_at)
    raise jobs.Later(seconds)
