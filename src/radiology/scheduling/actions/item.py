"""What a booking does to its item of the worklist, and to the study that waits for its images."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.access.model import Actor
from radiology.app import App
from radiology.errors import Conflict
from radiology.kit.db import Transaction
from radiology.modality_worklist import queries as worklist
from radiology.modality_worklist.actions import place
from radiology.modality_worklist.actions.status import move
from radiology.modality_worklist.model import OPEN, TRANSITIONS, ScheduledProcedureStep, Status, Verb
from radiology.modality_worklist.schemas import WorklistItemIn
from radiology.scheduling import model
from radiology.scheduling.queries import bookings
from radiology.studies import model as studies
from radiology.studies.actions.status import move as move_study
from radiology.studies.model import StatusChange
from radiology.studies.queries import performed, read

LONGEST_LOCATION = 16
"""Scheduled Procedure Step Location (0040,0011) is a SH."""


async def lock_open(tx: Transaction, actor: Actor, step_id: UUID) -> ScheduledProcedureStep:
    """An item that can be booked; one that was missed is open again. Raises NotFound, Conflict for one that is over."""
    item = await worklist.lock(tx, step_id, visible_to=actor)
    last = await bookings.of_step(tx, step_id)
    if item.status == Status.CANCELED and last is not None and last.status == model.Status.NO_SHOW:
        await move(tx, actor, item, Verb.REINSTATE, reason="booked again")
        item = await worklist.load(tx, step_id, visible_to=actor)
    if item.status not in OPEN:
        raise Conflict(f"The item is {item.status}; only what is not begun can be booked.")
    return item


async def set_time(
    tx: Transaction, app: App, actor: Actor, item: ScheduledProcedureStep, *, start: datetime, stations: Sequence[str],
    location: str | None,
) -> None:  # fmt: skip
    """Give an item that is locked its start and its stations; all else stays."""
    body: dict[str, Any] = {
        **item.details,
        "serviceRequest": item.service_request,
        "accessionNumber": item.accession_number,
        "requestedProcedureId": item.requested_procedure_id,
        "studyInstanceUID": item.study_instance_uid,
        "start": start.isoformat(),
        "stationAETitles": list(stations),
        "location": location[:LONGEST_LOCATION] if location else None,
    }
    await place.change(tx, app, actor, item, WorklistItemIn.model_validate(body))


def as_placed(item: ScheduledProcedureStep) -> dict[str, Any]:
    """Start, stations and location of an item, to be kept while it is booked."""
    return {
        "start": item.scheduled_start.isoformat(),
        "stations": item.station_ae_titles,
        "location": item.details.get("location"),
    }


async def move_if_possible(
    tx: Transaction, actor: Actor, step_id: UUID, verb: Verb, *, reason: str | None = None
) -> None:
    """Move an item where its table has such a step; a modality may have been faster."""
    item = await worklist.lock(tx, step_id, visible_to=actor)
    if (Status(item.status), verb) in TRANSITIONS:
        await move(tx, actor, item, verb, reason=reason)


async def follow(
    tx: Transaction, app: App, actor: Actor, item: ScheduledProcedureStep, status: studies.Status, *,
    reason: str | None = None,
) -> None:  # fmt: skip
    """Let the study of an item be scheduled, arrived or cancelled, where there is one that waits for images."""
    study_id = await performed.study_of(tx, item.study_instance_uid, facility_code=item.facility_code)
    if study_id is None:
        return
    study = await read.lock_study(tx, study_id)
    if study.status == studies.Status.CANCELLED and status != studies.Status.CANCELLED:
        await move_study(tx, app, actor, study_id, StatusChange(studies.Status.REGISTERED, reason="booked again"), [])
        study = await read.lock_study(tx, study_id)
    waits = study.status in studies.INITIAL and not study.number_of_instances
    if waits and (studies.Status(study.status), _VERBS[status]) in studies.TRANSITIONS:
        await move_study(tx, app, actor, study_id, StatusChange(status, reason=reason), [])


_VERBS = {
    studies.Status.SCHEDULED: studies.Verb.SCHEDULE,
    studies.Status.ARRIVED: studies.Verb.ARRIVE,
    studies.Status.CANCELLED: studies.Verb.CANCEL,
}
