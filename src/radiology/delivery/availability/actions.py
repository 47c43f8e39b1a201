"""Tell peers when a study is whole, and when instances of it are hidden or shown again (PS3.4 R, IHE RAD-49)."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from radiology.app import App
from radiology.application_entities.calling import association
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import one_application_entity
from radiology.application_entities.retries import next_attempt_seconds, sentence_of
from radiology.delivery.availability import queries
from radiology.delivery.availability.queries import Availability, Notice
from radiology.dicom_network.client import UNCOMPRESSED, ContextNotAcceptedError
from radiology.dicom_network.message import CommandField, Element, Value, is_failure
from radiology.dicom_network.transport import AssociationEndedError
from radiology.errors import RadiologyError, Unavailable
from radiology.events import InstancesRejected, RejectionWithdrawn, StudyReceived
from radiology.kit import jobs, outbox
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.kit.log import get_logger
from radiology.kit.outbox import Placed
from radiology.standards.dicom import data_set
from radiology.standards.dicom.uids import INSTANCE_AVAILABILITY_NOTIFICATION, new_uid
from radiology.studies.archive import Archive

JOB: Final = "availability.notify"
READER: Final = "availability"
CAUSES: Final = frozenset(event.type for event in (StudyReceived, InstancesRejected, RejectionWithdrawn))
DUPLICATE_INSTANCE: Final = 0x0111
"""The peer has this very notice already."""
WAIT_FOR_PLACE_SECONDS: Final = 10.0

log = get_logger()


async def follow_events(app: App) -> int:
    """Read what happened since the last time, and have peers told of it; returns how many notices are to be sent.

    Mark, notices and jobs are one transaction: no event is passed over, and none is told of twice. What happened before
    it is called the first time is not told of: peers that are registered in an archive that is full know of it, or ask.
    """
    async with app.db.transaction() as tx:
        await outbox.begin_at_end(tx, READER)
        events = await outbox.next_for(tx, READER)
        count = 0
        for event in events:
            if event.type in CAUSES:
                count += await _place(tx, event, app.clock.now())
        if events:
            await outbox.had(tx, READER, events[-1].position)
    return count


async def _place(tx: Transaction, event: Placed, now: datetime) -> int:
    titles = await queries.to_be_told(tx, event.facility_code)
    rejection_id = event.body.get("rejection_id")
    for title in titles:
        notice = Notice(
            id=uuid7(),
            sop_instance_uid=new_uid(),
            ae_title=title,
            study_instance_uid=event.body["study_instance_uid"],
            rejection_id=UUID(rejection_id) if rejection_id else None,
            state="open",
            attempts=0,
            caused_at=now,
        )
        await queries.insert(tx, notice)
        await jobs.enqueue(tx, JOB, {"notice": str(notice.id)})
    return len(titles)


async def notify(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """The job: send a notice. Raises jobs.Later where the peer may take it another time."""
    app, notice_id = archive.app, UUID(arguments["notice"])
    async with app.db.transaction() as tx:
        notice = await queries.find(tx, notice_id)
        if notice is None or notice.state != "open":
            return
        contents = await queries.contents(tx, notice)
    try:
        if contents:
            async with app.db.transaction() as tx:
                entity = await one_application_entity(tx, notice.ae_title)
            await asyncio.to_thread(_tell, app, entity, notice, contents)
    except (AssociationEndedError, ContextNotAcceptedError, RadiologyError, OSError) as error:
        await _failed(app, notice, sentence_of(error))
    else:
        async with app.db.transaction() as tx:
            await queries.change(tx, notice_id, state="sent", sentence="", at=app.clock.now())
        log.info("availability.told", ae_title=notice.ae_title, study_instance_uid=notice.study_instance_uid,
                 instances=len(contents))  # fmt: skip


def _tell(app: App, entity: ApplicationEntity, notice: Notice, contents: Sequence[Availability]) -> None:
    """N-CREATE (PS3.4 R.3.2). Raises Unavailable where the peer answers with a failure, and what `association` does."""
    contexts = [(INSTANCE_AVAILABILITY_NOTIFICATION, UNCOMPRESSED)]
    with association(app.settings, entity, contexts, wait_seconds=WAIT_FOR_PLACE_SECONDS) as opened:
        context = opened.context_for(INSTANCE_AVAILABILITY_NOTIFICATION)
        if context is None:
            raise ContextNotAcceptedError(f"{entity.ae_title} does not take notices of availability")
        attributes = notification(notice.study_instance_uid, contents, app.settings.ae_title)
        elements: dict[int, Value] = {
            Element.AFFECTED_SOP_CLASS_UID: INSTANCE_AVAILABILITY_NOTIFICATION,
            Element.AFFECTED_SOP_INSTANCE_UID: notice.sop_instance_uid,
        }
        encoded = data_set.encode(attributes, context.transfer_syntax_uid)
        answer = opened.invoke(context, CommandField.N_CREATE_RQ, elements, encoded).command
    if is_failure(answer.status) and answer.status != DUPLICATE_INSTANCE:
        raise Unavailable(f"{entity.ae_title} answered the notice with {answer.status:04X}.")


def notification(study_instance_uid: str, contents: Sequence[Availability], retrieve_ae_title: str) -> dict[str, Any]:
    """The attributes of a notification (PS3.4 table R.3.2-1), in the DICOM JSON model."""
    series = [
        {
            "0020000E": {"vr": "UI", "Value": [uid]},
            "00081199": {"vr": "SQ", "Value": [_item(each, retrieve_ae_title) for each in instances]},
        }
        for uid, instances in groupby(contents, key=attrgetter("series_instance_uid"))
    ]
    return {
        "00081111": {"vr": "SQ", "Value": []},
        "0020000D": {"vr": "UI", "Value": [study_instance_uid]},
        "00081115": {"vr": "SQ", "Value": series},
    }


def _item(instance: Availability, retrieve_ae_title: str) -> dict[str, Any]:
    return {
        "00080054": {"vr": "AE", "Value": [retrieve_ae_title]},
        "00080056": {"vr": "CS", "Value": [instance.availability]},
        "00081150": {"vr": "UI", "Value": [instance.sop_class_uid]},
        "00081155": {"vr": "UI", "Value": [instance.sop_instance_uid]},
    }


async def _failed(app: App, notice: Notice, sentence: str) -> None:
    now = app.clock.now()
    delay = next_attempt_seconds(notice.attempts + 1, since=notice.caused_at, now=now)
    state = "open" if delay is not None else "given-up"
    log.warning("availability.not-told", ae_title=notice.ae_title, study_instance_uid=notice.study_instance_uid,
                reason=sentence, attempts=notice.attempts + 1, state=state)  # fmt: skip
    async with app.db.transaction() as tx:
        await queries.change(tx, notice.id, state=state, sentence=sentence, at=now)
    if delay is not None:
        raise jobs.Later(delay)
