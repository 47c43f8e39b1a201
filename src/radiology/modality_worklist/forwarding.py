"""What modalities report of performed procedure steps, passed on to other systems (PS3.4 F.7 as SCU, F.9 as SCP).

Messages are queued in the transaction that takes them from the modality, and sent by a job: those of a step in order,
each until the system has answered, for a day.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from radiology.app import App
from radiology.application_entities.calling import association
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import one_application_entity
from radiology.application_entities.retries import next_attempt_seconds, sentence_of
from radiology.dicom_network.client import UNCOMPRESSED, ContextNotAcceptedError
from radiology.dicom_network.message import Command, CommandField, Element, Value, is_failure
from radiology.dicom_network.transport import AssociationEndedError
from radiology.dicom_network.user_information import RoleSelection
from radiology.errors import RadiologyError, Unavailable
from radiology.kit import jobs
from radiology.kit.db import Transaction
from radiology.kit.log import get_logger
from radiology.modality_worklist import forwarding_queries as queries
from radiology.modality_worklist.forwarding_queries import QueuedMessage
from radiology.modality_worklist.model import Modality
from radiology.modality_worklist.performed import MAY_NO_LONGER_BE_UPDATED, PerformedStatus
from radiology.settings import Settings
from radiology.standards.dicom import data_set
from radiology.standards.dicom.uids import (
    MODALITY_PERFORMED_PROCEDURE_STEP,
    MODALITY_PERFORMED_PROCEDURE_STEP_NOTIFICATION,
)

JOB: Final = "performed-steps.pass-on"
CREATE, SET, REPORT = "N-CREATE", "N-SET", "N-EVENT-REPORT"
IN_PROGRESS, COMPLETED, DISCONTINUED, UPDATED = 1, 2, 3, 4
"""Event Type IDs (PS3.4 table F.9.2-1)."""
#: Whoever reports is the SCP, though it opens the association (PS3.7 D.3.3.4).
ROLES: Final = [RoleSelection(MODALITY_PERFORMED_PROCEDURE_STEP_NOTIFICATION, False, True)]
WAIT_FOR_PLACE_SECONDS: Final = 10.0
_DUPLICATE_SOP_INSTANCE, _PROCESSING_FAILURE, _RESOURCE_LIMITATION = 0x0111, 0x0110, 0x0213

log = get_logger()


@dataclass(frozen=True, slots=True)
class Message:
    """What a modality has said of a step, and the event that this is."""

    sop_instance_uid: str
    operation: str
    attributes: Mapping[str, Any]
    event_type: int

    @classmethod
    def of_creation(cls, sop_instance_uid: str, attributes: Mapping[str, Any]) -> "Message":
        """A step has begun."""
        return cls(sop_instance_uid, CREATE, attributes, IN_PROGRESS)

    @classmethod
    def of_change(cls, sop_instance_uid: str, changes: Mapping[str, Any], status: PerformedStatus) -> "Message":
        """A step goes on, or has ended with this status."""
        ended = {PerformedStatus.COMPLETED: COMPLETED, PerformedStatus.DISCONTINUED: DISCONTINUED}
        return cls(sop_instance_uid, SET, changes, ended.get(status, UPDATED))


async def pass_on(tx: Transaction, app: App, modality: Modality, message: Message) -> None:
    """Have a message sent on once this transaction is committed, to those of the facility that want it."""
    at, uid = app.clock.now(), message.sop_instance_uid
    for recipient in await queries.recipients(tx, modality.facility_code, but=modality.ae_title):
        if recipient.forwards:
            await queries.queue(
                tx, recipient.ae_title, uid, message.operation, attributes=message.attributes, event_type=None, at=at
            )
        if recipient.notifies:
            await queries.queue(
                tx, recipient.ae_title, uid, REPORT, attributes={}, event_type=message.event_type, at=at
            )
        lock = f"mpps:{recipient.ae_title}:{uid}"
        await jobs.enqueue(tx, JOB, {"ae_title": recipient.ae_title, "sop_instance_uid": uid}, lock=lock)


async def send(app: App, arguments: Mapping[str, Any]) -> None:
    """The job: send a system what it has still to be told of a step. Raises jobs.Later where it may take it later."""
    ae_title, uid = arguments["ae_title"], arguments["sop_instance_uid"]
    while (message := await _next(app, ae_title, uid)) is not None:
        try:
            async with app.db.transaction() as tx:
                entity = await one_application_entity(tx, ae_title)
            refusal = await asyncio.to_thread(_send, app.settings, entity, message)
        except (AssociationEndedError, ContextNotAcceptedError, RadiologyError, OSError) as error:
            await _failed(app, message, sentence_of(error))
        else:
            await _answered(app, message, refusal)


async def _next(app: App, ae_title: str, uid: str) -> QueuedMessage | None:
    async with app.db.transaction() as tx:
        return await queries.next_message(tx, ae_title, uid)


async def _answered(app: App, message: QueuedMessage, refusal: str) -> None:
    if refusal:
        log.warning("performed-step.refused", ae_title=message.ae_title, sop_instance_uid=message.sop_instance_uid,
                    operation=message.operation, reason=refusal)  # fmt: skip
    state = "refused" if refusal else "sent"
    async with app.db.transaction() as tx:
        await queries.change(tx, message.id, state=state, sentence=refusal, at=app.clock.now())


async def _failed(app: App, message: QueuedMessage, sentence: str) -> None:
    """Try again later; after a day give up all that waits of the step, since what follows rests on this."""
    now = app.clock.now()
    delay = next_attempt_seconds(message.attempts + 1, since=message.caused_at, now=now)
    log.warning("performed-step.not-passed-on", ae_title=message.ae_title, sop_instance_uid=message.sop_instance_uid,
                operation=message.operation, reason=sentence, attempts=message.attempts + 1,
                state="given-up" if delay is None else "open")  # fmt: skip
    async with app.db.transaction() as tx:
        await queries.change(tx, message.id, state="open", sentence=sentence, at=now)
        if delay is None:
            await queries.give_up(tx, message.ae_title, message.sop_instance_uid, at=now)
    if delay is not None:
        raise jobs.Later(delay)


def _send(settings: Settings, entity: ApplicationEntity, message: QueuedMessage) -> str:
    """Send one message; why it was refused, "" where it was taken. Raises Unavailable, and what `association` does."""
    reports = message.operation == REPORT
    sop_class = MODALITY_PERFORMED_PROCEDURE_STEP_NOTIFICATION if reports else MODALITY_PERFORMED_PROCEDURE_STEP
    with association(
        settings, entity, [(sop_class, UNCOMPRESSED)], roles=ROLES if reports else (),
        wait_seconds=WAIT_FOR_PLACE_SECONDS,
    ) as opened:  # fmt: skip
        context = opened.context_for(sop_class)
        if context is None:
            raise ContextNotAcceptedError(f"{entity.ae_title} does not take performed procedure steps")
        charset = entity.default_charset if entity.default_charset in _CHARSETS else None
        encoded = data_set.encode(message.attributes, context.transfer_syntax_uid, charset=charset)
        command, elements = _request(message)
        answer = opened.invoke(context, command, elements, encoded or None).command
    return _refusal(entity, message, answer)


_CHARSETS: Final = (data_set.UTF_8, data_set.LATIN_1)


def _request(message: QueuedMessage) -> tuple[int, dict[int, Value]]:
    uid, sop_class = message.sop_instance_uid, MODALITY_PERFORMED_PROCEDURE_STEP
    if message.operation == SET:
        return CommandField.N_SET_RQ, {
            Element.REQUESTED_SOP_CLASS_UID: sop_class,
            Element.REQUESTED_SOP_INSTANCE_UID: uid,
        }
    affected: dict[int, Value] = {Element.AFFECTED_SOP_CLASS_UID: sop_class, Element.AFFECTED_SOP_INSTANCE_UID: uid}
    if message.event_type is None:
        return CommandField.N_CREATE_RQ, affected
    return CommandField.N_EVENT_REPORT_RQ, affected | {
        Element.AFFECTED_SOP_CLASS_UID: MODALITY_PERFORMED_PROCEDURE_STEP_NOTIFICATION,
        Element.EVENT_TYPE_ID: message.event_type,
    }


def _refusal(entity: ApplicationEntity, message: QueuedMessage, answer: Command) -> str:
    """What an answer means: a step that is there already, or has ended there already, was told of before."""
    if not is_failure(answer.status):
        return ""
    if message.operation == CREATE and answer.status == _DUPLICATE_SOP_INSTANCE:
        return ""
    if message.operation == SET and answer.number(Element.ERROR_ID) == MAY_NO_LONGER_BE_UPDATED:
        return ""
    sentence = f"{entity.ae_title} answered {message.operation} with {answer.status:04X}."
    if answer.status in (_PROCESSING_FAILURE, _RESOURCE_LIMITATION):
        raise Unavailable(sentence)
    return sentence
