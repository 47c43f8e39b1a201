"""Change the status of a study by the table in `model.py`."""

from datetime import datetime
from uuid import UUID

from radiology.access.model import Actor, Permission, Role
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotPermitted
from radiology.events import Event, StudyReceived, StudyStatusChanged, emit
from radiology.kit.db import Transaction
from radiology.modality_worklist.actions.status import close_for_study
from radiology.procedures.coding import CodingWarning
from radiology.studies import model
from radiology.studies.model import Flag, Status, StatusChange, Study, Verb
from radiology.studies.queries import read, write

MAY_WITHDRAW = frozenset({Role.QA, Role.ADMINISTRATOR})
MAY_RESTORE = frozenset({Role.ADMINISTRATOR})


async def change_status(
    app: App, actor: Actor, study: str, change: StatusChange, warnings: list[CodingWarning]
) -> tuple[int, bytes]:
    """Move a study; returns its new version and body. State, history, audit and event are one transaction."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor.beyond_reading)
        version = await move(tx, app, actor, study_id, change, warnings)
        return version, await read.study_body(tx, study_id, zone=app.settings.time_zone)


async def move(
    tx: Transaction, app: App, actor: Actor, study_id: UUID, change: StatusChange, warnings: list[CodingWarning]
) -> int:
    """The same of a study that was resolved, in the transaction of whoever moves it; returns its new version.

    To withdraw a study that has a signed report is only asked for by the first person, and done by the second.
    """
    found = await read.lock_study(tx, study_id)
    now = app.clock.now()
    verbs = model.verbs_for(found, change, at=now)
    _must_be_allowed(actor, verbs[-1])
    if model.needs_second_person(found, verbs[-1], by=actor.id):
        await write.ask_withdrawal(tx, found.id, actor=actor.id, flag=Flag.WITHDRAWAL_ASKED)
        await audit.record(tx, actor, "study.ask-withdrawal", str(found.id), detail={"reason": change.reason})
        return found.version + 1
    emitted = await _record(tx, actor, found, verbs, change)
    await _save(tx, found.id, change, warnings, now)
    if verbs[-1] == Verb.COMPLETE:
        await close_for_study(tx, actor, found.scheduled_as)
        if found.number_of_instances:
            emitted.append(_received(found))
    await audit.record(tx, actor, f"study.{verbs[-1]}", str(found.id))
    await emit(tx, *emitted)
    return found.version + 1


def _must_be_allowed(actor: Actor, verb: Verb) -> None:
    if verb == Verb.WITHDRAW and actor.role not in MAY_WITHDRAW:
        raise NotPermitted("Only a quality officer or an administrator can withdraw a study.")
    if verb == Verb.RESTORE and actor.role not in MAY_RESTORE:
        raise NotPermitted("Only an administrator can restore a study.")


async def _record(tx: Transaction, actor: Actor, study: Study, verbs: list[Verb], change: StatusChange) -> list[Event]:
    emitted: list[Event] = []
    status = study.status
    for verb in verbs:
        after = change.status if verb == Verb.RESTORE else model.step(Status(status), verb)
        await write.record_transition(
            tx, study.id, from_status=status, to_status=after, trigger=verb, actor=actor.id, reason=change.reason
        )
        emitted.append(
            StudyStatusChanged(
                facility_code=study.facility_code,
                study_id=str(study.id),
                study_instance_uid=study.study_instance_uid,
                from_status=status,
                to_status=after,
                trigger=verb,
            )
        )
        status = after
    if verbs[-1] == Verb.WITHDRAW:
        await write.withdraw_reports(tx, study.id)
        await write.settle_withdrawal(tx, study.id, flag=Flag.WITHDRAWAL_ASKED)
    return emitted


def _received(study: Study) -> StudyReceived:
    return StudyReceived(
        facility_code=study.facility_code,
        study_id=str(study.id),
        study_instance_uid=study.study_instance_uid,
        number_of_instances=study.number_of_instances,
    )


async def _save(
    tx: Transaction, study_id: UUID, change: StatusChange, warnings: list[CodingWarning], now: datetime
) -> None:
    await write.save_status(
        tx,
        study_id,
        status=change.status,
        completed=change.completed,
        now=now,
        reason_no_images=change.reason_no_images,
        warnings=[warning.as_json() for warning in warnings],
    )
