"""From images that come or are rejected to reports that somebody must look at again."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from radiology.access.model import SYSTEM, Role
from radiology.access.queries import who_are
from radiology.app import App
from radiology.audit import actions as audit
from radiology.events import InstancesRejected, InstancesStored, ReportOutdated, ReportReviewOverdue, emit
from radiology.external.notifications import inbox
from radiology.kit import outbox
from radiology.kit.db import Transaction
from radiology.kit.outbox import Placed
from radiology.reports.outdated import model, queries
from radiology.reports.outdated.model import Task

READER: Final = "outdated-reports"


async def follow(app: App) -> int:
    """Read what happened since the last time, close what is settled, tell of what is overdue. Returns how many tasks.

    Mark and tasks are one transaction: no event is passed over, and none counts twice.
    """
    now = app.clock.now()
    async with app.db.transaction() as tx:
        happened = await outbox.next_for(tx, READER)
        placed: list[Task] = []
        if studies := _named(happened, InstancesStored.type, "study_id"):
            placed += await queries.place_late(tx, studies, now=now)
        if rejections := _named(happened, InstancesRejected.type, "rejection_id"):
            placed += await queries.place_rejected(tx, rejections, now=now)
        for task in placed:
            if task.is_new:
                await _tell(tx, task)
        if happened:
            await outbox.had(tx, READER, happened[-1].position)
        closed = await queries.close_settled(tx, now=now)
        if changed := [*closed, *(task.study_id for task in placed)]:
            await queries.note_in_studies(tx, changed)
        overdue = await queries.lock_overdue(tx, now=now)
        for task in overdue:
            await emit(tx, ReportReviewOverdue(**event(task)))
            await inbox.place(tx, await who_are(tx, [Role.CONSULTANT], task.facility_code), model.overdue(task))
    return len(placed) + len(closed) + len(overdue)


def _named(happened: Sequence[Placed], kind: str, name: str) -> list[UUID]:
    return list({UUID(each.body[name]) for each in happened if each.type == kind})


async def _tell(tx: Transaction, task: Task) -> None:
    detail = {"cause": task.cause, "instances": task.instances}
    await audit.record(tx, SYSTEM, "report.outdated", str(task.report_id), detail=detail)
    await emit(tx, ReportOutdated(**event(task), cause=task.cause, priority=task.priority))
    if task.assigned_to is not None:
        await inbox.place(tx, [task.assigned_to], model.to_review(task))


def event(task: Task) -> dict[str, Any]:
    """What every event of a report says."""
    return {
        "facility_code": task.facility_code,
        "report_id": str(task.report_id),
        "study_id": str(task.study_id),
        "version": task.report_version,
        "status": task.report_status,
    }
