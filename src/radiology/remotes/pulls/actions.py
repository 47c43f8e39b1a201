"""Have a study fetched from another archive; fetch it, again where that failed; cancel."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import find_application_entity
from radiology.application_entities.retries import MINUTES_BETWEEN_ATTEMPTS
from radiology.audit import actions as audit
from radiology.errors import Conflict, FieldProblem, NotFound, Unprocessable
from radiology.kit import jobs
from radiology.kit.clock import monotonic_seconds
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.remotes.archives import remote_archive
from radiology.remotes.copying import Copying, Outcome
from radiology.remotes.model import StoppedError
from radiology.remotes.pulls import queries
from radiology.remotes.pulls.model import OVER, Pull, Status, status_after
from radiology.studies.archive import Archive

JOB: Final = "pulls.pull"
NOTED_EVERY_SECONDS: Final = 1.0


async def start_pull(app: App, actor: Actor, remote: str, study_instance_uid: str, priority: str) -> tuple[UUID, bytes]:
    """Have a study fetched from another archive. Returns the id of the pull and its body.

    The study that is being fetched already is not fetched twice. Raises Unprocessable for what cannot be asked.
    """
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        pull_id = await place(tx, app, remote, study_instance_uid, priority=priority, asked_by=actor.id)
        await audit.record(tx, actor, "study.pull", study_instance_uid, detail={"remote": remote})
        return pull_id, await queries.body_of(tx, pull_id, visible_to=actor)


async def place(
    tx: Transaction, app: App, remote: str, study_instance_uid: str, *, priority: str, asked_by: str, reason: str = ""
) -> UUID:
    """Have a study fetched once this transaction is committed. Raises Unprocessable."""
    entity = await callable_entity(tx, remote)
    new_id = uuid7()
    columns = {
        "id": new_id,
        "remote": remote,
        "study_instance_uid": study_instance_uid,
        "facility_code": entity.facility_code or app.settings.facility_code,
        "priority": priority,
        "reason": reason,
        "asked_by": asked_by,
    }
    pull_id = await queries.insert(tx, columns)
    if pull_id == new_id:
        await jobs.enqueue(tx, JOB, {"pull": str(pull_id)}, priority=jobs.PRIORITIES[priority])
    return pull_id


async def cancel_pull(app: App, actor: Actor, pull_id: UUID) -> bytes:
    """Fetch nothing more; what has come stays. Raises NotFound, Conflict where it is over."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        await queries.body_of(tx, pull_id, visible_to=actor)
        pull = await queries.take(tx, pull_id)
        if pull is None:
            raise NotFound("There is no such pull.")
        if pull.status in OVER:
            raise Conflict(f"The pull is {pull.status} already.")
        await queries.change(tx, pull_id, status=Status.CANCELLED, attempts=pull.attempts, sentence="Cancelled.")
        await audit.record(tx, actor, "study.pull-cancel", str(pull_id))
        return await queries.body_of(tx, pull_id, visible_to=actor)


async def callable_entity(tx: Transaction, name: str) -> ApplicationEntity:
    """The record of an archive that can be asked. Raises Unprocessable."""
    entity = await find_application_entity(tx, name)
    if entity is None or not entity.is_callable:
        sentence = "an application entity with host and port, or with dicomwebUrl"
        raise Unprocessable(
            f"{name} is no archive that can be asked. Register it as {sentence}.",
            fields=[FieldProblem("remote", sentence)],
        )
    return entity


# --- The job ----------------------------------------------------------------------------------------------------------


async def pull(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """Fetch what is not here of a study. Run twice, it fetches nothing twice. Raises jobs.Later to be run again."""
    app, pull_id = archive.app, UUID(arguments["pull"])
    async with app.db.transaction() as tx:
        taken = await queries.take(tx, pull_id)
        if taken is None or taken.status in OVER:
            return
        await queries.change(tx, pull_id, status=Status.RUNNING, attempts=taken.attempts)
    try:
        outcome = await _fetch(archive, taken)
    except StoppedError:
        return
    await _settle(app, taken, outcome)


async def _fetch(archive: Archive, taken: Pull) -> Outcome:
    app = archive.app
    try:
        async with app.db.transaction() as tx:
            entity = await callable_entity(tx, taken.remote)
    except Unprocessable as error:
        return Outcome("failed", detail=error.sentence)
    progress = _Progress(app, taken.id)
    copying = Copying(archive, remote_archive(app.settings, entity), "pull", on_progress=progress.tell)
    outcome = await asyncio.to_thread(copying.study, taken.study_instance_uid)
    if outcome.instances is not None:
        async with app.db.transaction() as tx:
            await queries.note(tx, taken.id, total=outcome.instances, came=outcome.instances - (outcome.missing or 0))
    return outcome


@dataclass(slots=True)
class _Progress:
    """Keeps how far a pull has come, once a second, and stops it where it was cancelled."""

    app: App
    pull_id: UUID
    noted_at: float = field(default=0.0)

    def tell(self, total: int, came: int) -> None:
        """Note it where it is due. Raises StoppedError."""
        if monotonic_seconds() - self.noted_at < NOTED_EVERY_SECONDS:
            return
        self.noted_at = monotonic_seconds()
        if not self.app.db.wait_for(self._note(total, came)):
            raise StoppedError

    async def _note(self, total: int, came: int) -> bool:
        async with self.app.db.transaction() as tx:
            return await queries.note(tx, self.pull_id, total=total, came=came)


async def _settle(app: App, taken: Pull, outcome: Outcome) -> None:
    """End the pull, or have it tried again."""
    attempts = taken.attempts + 1
    status = status_after(outcome, attempts)
    async with app.db.transaction() as tx:
        now = await queries.take(tx, taken.id)
        if now is None or now.status != Status.RUNNING:
            return
        if status is not Status.WAITING:
            await queries.change(tx, taken.id, status=status, attempts=attempts, sentence=outcome.detail)
            detail = {"remote": taken.remote, "instances": outcome.instances or 0, "missing": outcome.missing or 0}
            await audit.record(tx, SYSTEM, f"study.pull-{status.value}", taken.study_instance_uid, detail=detail)
            return
        seconds = MINUTES_BETWEEN_ATTEMPTS[attempts - 1] * 60
        next_at = app.clock.now() + timedelta(seconds=seconds)
        await queries.change(tx, taken.id, status=status, attempts=attempts, sentence=outcome.detail, next_at=next_at)
    raise jobs.Later(seconds)
