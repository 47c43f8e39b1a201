"""From what happened to the worklist, on a timetable: studies to be read, claims nobody renewed, and due times."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.audit import actions as audit
from radiology.events import (
    InstancesRejected,
    OrderChanged,
    OrderPlaced,
    OrderStatusChanged,
    PatientMerged,
    PatientUnmerged,
    PatientUpdated,
    ReadingBreached,
    ReadingHalfTime,
    RejectionWithdrawn,
    RepairMade,
    RepairUndone,
    ReportCreated,
    ReportFinalized,
    ReportOutdated,
    StudyCorrected,
    StudyFirstImage,
    StudyLabelled,
    StudyStatusChanged,
    VisitChanged,
    emit,
)
from radiology.facilities.known import Known, known
from radiology.kit import outbox
from radiology.kit.db import Transaction
from radiology.kit.outbox import Placed
from radiology.reading_worklist.actions.noting import save
from radiology.reading_worklist.actions.refresh import refresh
from radiology.reading_worklist.items import Item
from radiology.reading_worklist.queries import items

READER: Final = "reading-worklist"
#: What changes what is to be read, by where the event names the study.
_OF_STUDIES: Final = frozenset(
    event.type
    for event in (
        StudyFirstImage, StudyStatusChanged, StudyLabelled, StudyCorrected, InstancesRejected, RejectionWithdrawn,
        ReportCreated, ReportFinalized, ReportOutdated,
    )
)  # fmt: skip
_OF_SEVERAL: Final = frozenset(
    event.type for event in (OrderPlaced, OrderChanged, OrderStatusChanged, RepairMade, RepairUndone)
)
_OF_PATIENTS: Final = frozenset(event.type for event in (PatientUpdated, PatientMerged, PatientUnmerged, VisitChanged))
_PATIENTS: Final = ("patient_id", "merged_patient_id", "restored_patient_id")


async def follow_events(app: App) -> int:
    """Read what happened since the last time and put the worklist right; returns how many rows changed.

    Mark and rows are one transaction: no event is passed over, and doing one twice changes nothing.
    """
    async with app.db.transaction() as tx:
        await outbox.place(tx)
    compared = await known(app)
    async with app.db.transaction() as tx:
        events = await outbox.next_for(tx, READER)
        if not events:
            return 0
        count = await _follow(tx, compared, events)
        await outbox.had(tx, READER, events[-1].position)
    return count


async def _follow(tx: Transaction, compared: Known, events: Iterable[Placed]) -> int:
    """The studies of all these events, each once, under the name of its last event."""
    last: dict[UUID, str] = {}
    for event in events:
        for study_id in await _studies_of(tx, event.type, event.body):
            last[study_id] = event.type
    by_trigger: dict[str, list[UUID]] = {}
    for study_id, name in last.items():
        by_trigger.setdefault(_trigger(name), []).append(study_id)
    return sum([await refresh(tx, compared, sorted(ids), trigger) for trigger, ids in by_trigger.items()])


def _trigger(event: str) -> str:
    """`radiology.study.first-image.v1` as `study.first-image`."""
    return event.removeprefix("radiology.").removesuffix(".v1")


async def _studies_of(tx: Transaction, event: str, body: Mapping[str, Any]) -> list[UUID]:
    if event in _OF_STUDIES:
        return [UUID(body["study_id"])]
    if event in _OF_SEVERAL:
        return await items.studies_of(tx, uids=body["study_instance_uids"], patients=[])
    if event in _OF_PATIENTS:
        named = [UUID(body[name]) for name in _PATIENTS if body.get(name)]
        return await items.studies_of(tx, uids=[], patients=named)
    return []


async def release_idle(app: App) -> int:
    """Release what is claimed by somebody who has not been heard of; returns how many."""
    async with app.db.transaction() as tx:
        idle = await items.lock_idle(tx, now=app.clock.now())
        for item in idle:
            await save(tx, item, item.released(), "expire")
            await audit.record(tx, SYSTEM, "reading.expire", str(item.study_id), detail={"from": item.claimed_by})
    return len(idle)


async def tell_late(app: App) -> int:
    """Tell of what is half way to its due time, and of what is behind it: each once for each clock. Returns how many.

    Row and event are one transaction, so that neither a crash nor two workers tell of one twice.
    """
    now = app.clock.now()
    async with app.db.transaction() as tx:
        late = await items.lock_late(tx, now=now)
        for item in late:
            half = item.half_told_at is None and item.half_at is not None and item.half_at <= now
            breach = item.breach_told_at is None and item.deadline is not None and item.deadline < now
            if half:
                await emit(tx, ReadingHalfTime(**_due(item)))
            if breach:
                await emit(tx, ReadingBreached(**_due(item)))
            await items.note_told(tx, item.study_id, half=half, breach=breach, now=now)
    return len(late)


def _due(item: Item) -> dict[str, Any]:
    return {
        "facility_code": item.facility_code,
        "study_id": str(item.study_id),
        "study_instance_uid": item.study_instance_uid,
        "priority": item.priority,
        "state": item.state,
        "due_at": item.deadline.isoformat() if item.deadline else "",
        "assigned_to": item.assigned_to,
    }
