"""From what happened to what is to be fetched: read the events, ask the rules, start what they want."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from radiology.app import App
from radiology.events import InstancesStored, ProcedureStepScheduled
from radiology.kit import jobs, outbox
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.kit.outbox import Placed
from radiology.prefetch import queries
from radiology.prefetch.model import FRESH, PROCEDURE_SCHEDULED, STUDY_ARRIVED, Rule, Subject

READER: Final = "prefetch"
JOB: Final = "prefetch.run"


async def follow_events(app: App) -> int:
    """Read what happened since the last time and start what rules want; returns how many prefetches.

    Mark and prefetches are one transaction: no event is passed over, and none counts twice.
    """
    async with app.db.transaction() as tx:
        events = await outbox.next_for(tx, READER)
        if not events:
            return 0
        rules = [rule for rule in await queries.rules(tx) if rule.enabled]
        count = 0
        if rules:
            for event in _one_of_each(events):
                count += await _start(tx, app, rules, event)
        await outbox.had(tx, READER, events[-1].position)
    return count


def _one_of_each(events: Sequence[Placed]) -> list[Placed]:
    """The events that rules wait for, one of each study or step."""
    ids = {InstancesStored.type: "study_id", ProcedureStepScheduled.type: "procedure_step_id"}
    return list({(event.type, event.body[ids[event.type]]): event for event in events if event.type in ids}.values())


async def _start(tx: Transaction, app: App, rules: Sequence[Rule], event: Placed) -> int:
    if event.type == InstancesStored.type:
        cause, subject = STUDY_ARRIVED, await queries.arrived(tx, UUID(event.body["study_id"]))
    else:
        cause, subject = PROCEDURE_SCHEDULED, await queries.scheduled(tx, UUID(event.body["procedure_step_id"]))
    if subject is None or not _is_fresh(app, subject):
        return 0
    count = 0
    for rule in rules:
        prefetch_id = uuid7()
        if not rule.why_not(subject, cause) and await queries.place(
            tx, prefetch_id, rule, cause, subject, at=app.clock.now()
        ):
            await jobs.enqueue(tx, JOB, {"prefetch": str(prefetch_id)})
            count += 1
    return count


def _is_fresh(app: App, subject: Subject) -> bool:
    """Whether it was made, or is to be made, about now: images of old come from an archive, not from a scanner."""
    oldest = app.clock.now().astimezone(app.settings.zone) - FRESH - timedelta(days=1)
    return bool(subject.patient_id) and (not subject.study_date or subject.study_date >= f"{oldest:%Y%m%d}")
