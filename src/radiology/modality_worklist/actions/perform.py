"""Performed procedure steps, in the transaction of whoever follows them with the study.

The callers are application entities whose record lets them use MPPS; that is decided when they associate.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from radiology.access.model import STATION, Actor
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, NotFound, TransitionRefused
from radiology.events import PerformedStepEnded, PerformedStepStarted, emit
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.modality_worklist import forwarding, model, performed
from radiology.modality_worklist import performed_queries as queries
from radiology.modality_worklist.actions.status import move
from radiology.modality_worklist.forwarding import Message
from radiology.modality_worklist.model import Modality, ScheduledProcedureStep, Status, Verb
from radiology.modality_worklist.performed import INCORRECT_WORKLIST_ENTRY, PerformedStatus
from radiology.modality_worklist.performed_queries import Comparison, PerformedProcedureStep

DUPLICATE_SOP_INSTANCE = 0x0111


@dataclass(frozen=True, slots=True)
class Ended:
    """How a step ended, for the study: what was scheduled, and what is missing."""

    step: PerformedProcedureStep
    status: PerformedStatus
    discontinuation_code: str | None
    scheduled: list[ScheduledProcedureStep]
    compared: Comparison

    @property
    def wrong_entry(self) -> bool:
        """Whether the step was begun for the wrong item of the worklist."""
        return self.status == PerformedStatus.DISCONTINUED and self.discontinuation_code == INCORRECT_WORKLIST_ENTRY


async def begin(
    tx: Transaction, app: App, actor: Actor, modality: Modality, sop_instance_uid: str, attributes: dict[str, Any]
) -> list[ScheduledProcedureStep]:
    """N-CREATE: record the step and start the items it is for; returns those, none for an unscheduled step.

    Raises AttributesRefused (0120, 0121, 0106) and Conflict (0111) for a SOP Instance UID that is there already.
    """
    performed.check_creation(attributes)
    references = performed.references(attributes)
    uids = list(dict.fromkeys(reference.study_instance_uid for reference in references))
    step = PerformedProcedureStep(
        uuid7(), sop_instance_uid, modality.facility_code, PerformedStatus.IN_PROGRESS, uids, attributes
    )
    columns = {
        "id": step.id,
        "sop_instance_uid": sop_instance_uid,
        "facility_code": step.facility_code,
        "source_ae_title": modality.ae_title,
        "status": step.status,
        "study_instance_uids": uids,
        "modality": performed.text(attributes, "00080060"),
        "started_at": performed.started_at(attributes, app.settings.zone) or app.clock.now(),
        "attributes": attributes,
    }
    if not await queries.insert(tx, columns):
        raise Conflict("A performed procedure step with this UID exists already.", dimse_status=DUPLICATE_SOP_INSTANCE)
    await queries.replace_instances(tx, step.id, performed.instances(attributes))
    items = await _start(tx, actor, step, references)
    await forwarding.pass_on(tx, app, modality, Message.of_creation(sop_instance_uid, attributes))
    await audit.record(tx, actor, "performed-step.begin", sop_instance_uid)
    await emit(
        tx,
        PerformedStepStarted(
            facility_code=step.facility_code,
            sop_instance_uid=sop_instance_uid,
            study_instance_uids=uids,
            scheduled=bool(items),
        ),
    )
    return items


async def _start(
    tx: Transaction, actor: Actor, step: PerformedProcedureStep, references: list[performed.ScheduledReference]
) -> list[ScheduledProcedureStep]:
    items: dict[str, ScheduledProcedureStep] = {}
    for reference in references:
        for item in await queries.lock_scheduled(tx, reference, facility_code=step.facility_code):
            items[str(item.id)] = item
    for item in items.values():
        await queries.link(tx, step.id, item.id)
        await _move_if_possible(tx, actor, item, Verb.START)
    return list(items.values())


async def _move_if_possible(
    tx: Transaction, actor: Actor, item: ScheduledProcedureStep, verb: Verb, *, code: str | None = None
) -> None:
    # What a modality has done is recorded also where the item was canceled or is complete already.
    if (Status(item.status), verb) in model.TRANSITIONS:
        reason = performed.DISCONTINUATION_REASONS.get(code or "")
        await move(tx, actor, item, verb, reason=reason, reason_code=code)


async def change(
    tx: Transaction, app: App, actor: Actor, modality: Modality, sop_instance_uid: str, changes: dict[str, Any]
) -> Ended | None:
    """N-SET: take the changes; what the step ended with, None while it goes on.

    Raises AttributesRefused, NotFound (0112), and TransitionRefused (0110) for a step that has ended.
    """
    performed.check_change(changes)
    step = await _locked(tx, modality, sop_instance_uid)
    if step.status != PerformedStatus.IN_PROGRESS:
        raise TransitionRefused(f"The step is {step.status} and may no longer be updated.")
    attributes = performed.merged(step.attributes, changes)
    status = PerformedStatus(performed.text(attributes, performed.STATUS))
    now = app.clock.now()
    code = performed.discontinuation_code(attributes)
    await queries.save(
        tx,
        step.id,
        status=status,
        attributes=attributes,
        ended_at=_end(app, attributes, now) if status != PerformedStatus.IN_PROGRESS else None,
        received_end_at=now if status != PerformedStatus.IN_PROGRESS else None,
        discontinuation_code=code,
    )
    if performed.PERFORMED_SERIES in changes:
        await queries.replace_instances(tx, step.id, performed.instances(attributes))
    await forwarding.pass_on(tx, app, modality, Message.of_change(sop_instance_uid, changes, status))
    await audit.record(tx, actor, "performed-step.change", sop_instance_uid)
    if status == PerformedStatus.IN_PROGRESS:
        return None
    return await _end_step(tx, actor, step, status, code, at=now)


def _end(app: App, attributes: dict[str, Any], now: datetime) -> datetime:
    return performed.ended_at(attributes, app.settings.zone) or now


async def _end_step(
    tx: Transaction, actor: Actor, step: PerformedProcedureStep, status: PerformedStatus, code: str | None, *,
    at: datetime,
) -> Ended:  # fmt: skip
    compared = await queries.compare(tx, step.id)
    items = await queries.lock_linked(tx, step.id)
    ended = Ended(step, status, code, items, compared)
    verb = Verb.COMPLETE if status == PerformedStatus.COMPLETED else Verb.DISCONTINUE
    for item in items:
        await _move_if_possible(tx, actor, item, Verb.RELEASE if ended.wrong_entry else verb, code=code)
    if ended.wrong_entry:
        await queries.unlink(tx, step.id, at=at)
    await emit(
        tx,
        PerformedStepEnded(
            facility_code=step.facility_code,
            sop_instance_uid=step.sop_instance_uid,
            study_instance_uids=step.study_instance_uids,
            status=status,
            discontinuation_code=code,
            number_of_instances=compared.number_of_instances,
            number_missing=compared.number_missing,
        ),
    )
    return ended


async def attributes_of(tx: Transaction, actor: Actor, modality: Modality, sop_instance_uid: str) -> dict[str, Any]:
    """N-GET: all attributes of a step; for people only where they see its studies in full. Raises NotFound (0112)."""
    step = await _locked(tx, modality, sop_instance_uid)
    if actor.role != STATION and not await queries.is_seen(tx, step.id, visible_to=actor):
        raise _unknown()
    return step.attributes


async def _locked(tx: Transaction, modality: Modality, sop_instance_uid: str) -> PerformedProcedureStep:
    step = await queries.lock(tx, sop_instance_uid, facility_code=modality.facility_code)
    if step is None:
        raise _unknown()
    return step


def _unknown() -> NotFound:
    return NotFound("There is no performed procedure step with this UID.")
