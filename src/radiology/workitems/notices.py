"""Subscribers are told by N-EVENT-REPORT: queued with the change, sent by a job, in order, for a day (PS3.4 CC.2.4).

One without an address is told over the event channel that it opens (PS3.18 11.13), of what is queued by then.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from radiology.app import App
from radiology.application_entities.calling import association
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import one_application_entity
from radiology.dicom_network.client import UNCOMPRESSED, ContextNotAcceptedError, Requestor
from radiology.dicom_network.message import CommandField, Element
from radiology.dicom_network.transport import AssociationEndedError
from radiology.dicom_network.user_information import RoleSelection
from radiology.errors import RadiologyError
from radiology.kit import jobs
from radiology.kit.db import Transaction
from radiology.kit.log import get_logger
from radiology.standards.dicom import data_set
from radiology.standards.dicom.uids import UNIFIED_PROCEDURE_STEP_EVENT, UNIFIED_PROCEDURE_STEP_PUSH
from radiology.workitems import queries
from radiology.workitems.queries import QueuedReport
from radiology.workitems.reports import Report

JOB: Final = "workitems.report"
CONTEXTS: Final = [(UNIFIED_PROCEDURE_STEP_EVENT, UNCOMPRESSED)]
#: Whoever sends reports is the SCP, though it opens the association (PS3.7 D.3.3.4).
ROLES: Final = [RoleSelection(UNIFIED_PROCEDURE_STEP_EVENT, False, True)]
SECONDS_BETWEEN_ATTEMPTS: Final = (5, 30, 60, 300, 900)
HOURS_KEPT: Final = 24
REPORTS_AT_ONCE: Final = 100

log = get_logger()


async def tell(
    tx: Transaction, app: App, sop_instance_uid: str, reports: Sequence[Report], *, to: Sequence[str] | None = None
) -> list[str]:
    """Have subscribers told once this transaction is committed, all of the workitem where none are named."""
    told = list(await queries.subscribers(tx, sop_instance_uid) if to is None else to)
    if not told or not reports:
        return told
    for report in reports:
        await queries.queue(tx, told, sop_instance_uid, report, at=app.clock.now())
    for ae_title in told:
        await wake(tx, ae_title)
    return told


async def wake(tx: Transaction, ae_title: str) -> None:
    """Have what is queued for a subscriber sent. One job at a time sends to it, so that reports stay in order."""
    await jobs.enqueue(tx, JOB, {"ae_title": ae_title}, lock=f"ups:{ae_title}")


async def send_reports(app: App, arguments: Mapping[str, Any]) -> None:
    """The job: send a subscriber what it has still to be told. Done twice it repeats only the report in work.

    Raises jobs.Later where the subscriber cannot be told now; what has waited a day is given up.
    """
    ae_title: str = arguments["ae_title"]
    async with app.db.transaction() as tx:
        too_old = app.clock.now() - timedelta(hours=HOURS_KEPT)
        if given_up := await queries.give_up(tx, ae_title, before=too_old):
            log.warning("workitem.reports-given-up", ae_title=ae_title, count=given_up)
    while waiting := await waiting_reports(app, ae_title):
        try:
            async with app.db.transaction() as tx:
                entity = await one_application_entity(tx, ae_title)
            if not has_address(entity):
                return
            await asyncio.to_thread(_send, app, entity, waiting)
        except (ContextNotAcceptedError, AssociationEndedError, RadiologyError, OSError) as error:
            await _note_failure(app, ae_title, error)


def has_address(entity: ApplicationEntity) -> bool:
    """Whether a subscriber says where it listens, so that it is told there and not over an event channel."""
    return bool(entity.host and entity.port)


async def waiting_reports(app: App, ae_title: str) -> list[QueuedReport]:
    """What a subscriber has still to be told, oldest first."""
    async with app.db.transaction() as tx:
        return await queries.queued(tx, ae_title, limit=REPORTS_AT_ONCE)


async def _note_failure(app: App, ae_title: str, error: Exception) -> None:
    sentence = error.sentence if isinstance(error, RadiologyError) else str(error)
    async with app.db.transaction() as tx:
        attempts = await queries.note_failure(tx, ae_title, sentence[:300])
    log.info("workitem.reports-postponed", ae_title=ae_title, reason=sentence, attempts=attempts)
    later = min(max(attempts, 1), len(SECONDS_BETWEEN_ATTEMPTS)) - 1
    raise jobs.Later(SECONDS_BETWEEN_ATTEMPTS[later]) from error


def _send(app: App, entity: ApplicationEntity, waiting: Sequence[QueuedReport]) -> None:
    """One association for all; each report is forgotten when it is answered, also with a failure: it was received."""
    with association(app.settings, entity, CONTEXTS, roles=ROLES) as opened:
        for report in waiting:
            status = _report(opened, report)
            if status:
                log.warning("workitem.report-refused", ae_title=entity.ae_title, status=f"{status:04X}",
                            sop_instance_uid=report.sop_instance_uid)  # fmt: skip
            app.db.wait_for(forget(app, report.number))


def _report(opened: Requestor, report: QueuedReport) -> int:
    context = opened.context_for(UNIFIED_PROCEDURE_STEP_EVENT)
    syntax = context.transfer_syntax_uid if context else UNCOMPRESSED[0]
    response, _ = opened.request_once(
        UNIFIED_PROCEDURE_STEP_EVENT,
        CommandField.N_EVENT_REPORT_RQ,
        {
            Element.AFFECTED_SOP_CLASS_UID: UNIFIED_PROCEDURE_STEP_PUSH,
            Element.AFFECTED_SOP_INSTANCE_UID: report.sop_instance_uid,
            Element.EVENT_TYPE_ID: report.event_type,
        },
        data_set.encode(report.attributes, syntax),
    )
    return response.status


async def forget(app: App, number: int) -> None:
    """A subscriber was told."""
    async with app.db.transaction() as tx:
        await queries.forget(tx, number)
