"""Ask a receiver for storage commitment (PS3.4 J.3.2), and take its result on that association or on one of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from radiology.app import App
from radiology.application_entities.calling import association
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import find_application_entity, one_application_entity
from radiology.application_entities.retries import next_attempt_seconds, sentence_of
from radiology.delivery.commitment import queries
from radiology.delivery.commitment.queries import Inquiry
from radiology.dicom_network.client import UNCOMPRESSED, ContextNotAcceptedError
from radiology.dicom_network.message import Command, CommandField, Element, Response, Value, is_failure
from radiology.dicom_network.transport import AssociationEndedError
from radiology.errors import NotFound, RadiologyError, Unavailable
from radiology.kit import jobs
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.kit.log import get_logger
from radiology.standards.dicom import data_set
from radiology.standards.dicom.uids import STORAGE_COMMITMENT_PUSH, STORAGE_COMMITMENT_PUSH_INSTANCE, new_uid
from radiology.studies.archive import Archive
from radiology.studies.commitment import (
    INVALID_ARGUMENT_VALUE,
    REFERENCED,
    TRANSACTION_UID,
    Reference,
    asking,
    failures_of,
    references_of,
)

JOB: Final = "commitment.ask"
REQUEST_STORAGE_COMMITMENT: Final = 1
MOST_REFERENCES: Final = 4000
"""More are asked for in several requests."""
SAME_ASSOCIATION_SECONDS = 5.0
"""So long the association of the request is kept for the result; the peer may need its place."""
RESULT_AWAITED: Final = timedelta(days=1)
WAIT_FOR_PLACE_SECONDS: Final = 10.0

log = get_logger()


async def may_be_asked(tx: Transaction, ae_title: str) -> bool:
    """Whether a peer offers storage commitment, as its record says, and is called by DIMSE."""
    entity = await find_application_entity(tx, ae_title)
    return entity is not None and entity.enabled and entity.offers_commitment and not entity.dicomweb_url


async def ask_for_commitment(
    tx: Transaction, ae_title: str, references: Sequence[Reference], *, now: datetime, cause_id: UUID | None = None
) -> None:
    """Have a peer asked whether it keeps these instances, once this transaction is committed.

    For what was sent to a peer that `may_be_asked`; each SOP instance may be named once. `cause_id` is the move or the
    delivery that sent it.
    """
    for first in range(0, len(references), MOST_REFERENCES):
        inquiry_id = uuid7()
        await queries.insert(
            tx,
            id=inquiry_id,
            transaction_uid=new_uid(),
            ae_title=ae_title,
            references=references[first : first + MOST_REFERENCES],
            cause_id=cause_id,
            at=now,
        )
        await jobs.enqueue(tx, JOB, {"inquiry": str(inquiry_id)})


async def ask(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """The job: make the request; run again a day later, give up a result that has not come.

    Raises jobs.Later until the result is here.
    """
    app, inquiry_id = archive.app, UUID(arguments["inquiry"])
    async with app.db.transaction() as tx:
        inquiry = await queries.find(tx, inquiry_id)
        if inquiry is None or inquiry.state not in {"open", "asked"}:
            return
        references = await queries.references_of(tx, inquiry_id)
    if inquiry.asked_at is not None:
        await _not_answered(app, inquiry, inquiry.asked_at)
        return
    try:
        async with app.db.transaction() as tx:
            entity = await one_application_entity(tx, inquiry.ae_title)
        await asyncio.to_thread(_ask, app, entity, inquiry, references)
    except (AssociationEndedError, ContextNotAcceptedError, RadiologyError, OSError) as error:
        await _failed(app, inquiry, sentence_of(error))
    async with app.db.transaction() as tx:
        answered = await queries.find(tx, inquiry_id)
    if answered is not None and answered.state == "asked":
        raise jobs.Later(RESULT_AWAITED.total_seconds())


def _ask(app: App, entity: ApplicationEntity, inquiry: Inquiry, references: Sequence[Reference]) -> None:
    """N-ACTION, and the result if it comes at once. Raises Unavailable for a refusal, and what `association` raises."""
    elements: dict[int, Value] = {
        Element.REQUESTED_SOP_CLASS_UID: STORAGE_COMMITMENT_PUSH,
        Element.REQUESTED_SOP_INSTANCE_UID: STORAGE_COMMITMENT_PUSH_INSTANCE,
        Element.ACTION_TYPE_ID: REQUEST_STORAGE_COMMITMENT,
    }
    contexts = [(STORAGE_COMMITMENT_PUSH, UNCOMPRESSED)]
    with association(app.settings, entity, contexts, wait_seconds=WAIT_FOR_PLACE_SECONDS) as opened:
        context = opened.context_for(STORAGE_COMMITMENT_PUSH)
        if context is None:
            raise ContextNotAcceptedError(f"{entity.ae_title} does not offer storage commitment")

        came: list[bytes] = []

        def take(_request: Command, data: bytes) -> Response:
            came.append(data)
            return answer_to(app, entity.ae_title, data, context.transfer_syntax_uid)

        opened.on_event_report = take
        encoded = data_set.encode(asking(inquiry.transaction_uid, references), context.transfer_syntax_uid)
        answer = opened.invoke(context, CommandField.N_ACTION_RQ, elements, encoded).command
        if is_failure(answer.status):
            raise Unavailable(f"{entity.ae_title} answered the request with {answer.status:04X}.")
        app.db.wait_for(_asked(app, inquiry.id))
        if not came:
            opened.take_event_report(SAME_ASSOCIATION_SECONDS)


def answer_to(app: App, ae_title: str, data: bytes, transfer_syntax_uid: str) -> Response:
    """Take the result that a peer reports by N-EVENT-REPORT; the response to it. For threads other than the loop's."""
    try:
        app.db.wait_for(take_result(app, ae_title, data_set.decode(data, transfer_syntax_uid)))
    except RadiologyError as error:
        log.warning("commitment.result-not-taken", ae_title=ae_title, reason=error.sentence)
        return Response(error.dimse_status, error_comment=error.sentence)
    return Response()


async def take_result(app: App, ae_title: str, result: Mapping[str, Any]) -> None:
    """Keep what a peer says of the instances. Raises NotFound (0115) for a transaction that it was not asked about."""
    values: list[str] = result.get(TRANSACTION_UID, {}).get("Value") or [""]
    failures = failures_of(result)
    committed = [reference.sop_instance_uid for reference in references_of(result, REFERENCED)]
    async with app.db.transaction() as tx:
        inquiry = await queries.lock_by_transaction(tx, ae_title, values[0])
        if inquiry is None:
            raise NotFound("This transaction was not asked of the caller.", dimse_status=INVALID_ARGUMENT_VALUE)
        await queries.save_result(tx, inquiry.id, committed=committed, failures=failures, at=app.clock.now())
    if failures:
        log.warning("commitment.failed", ae_title=ae_title, instances=len(failures), action=str(inquiry.id))


async def _asked(app: App, inquiry_id: UUID) -> None:
    async with app.db.transaction() as tx:
        await queries.save_asked(tx, inquiry_id, at=app.clock.now())


async def _not_answered(app: App, inquiry: Inquiry, asked_at: datetime) -> None:
    left = asked_at + RESULT_AWAITED - app.clock.now()
    if left > timedelta(0):
        raise jobs.Later(left.total_seconds())
    sentence = f"{inquiry.ae_title} took the request and sent no result within a day. Ask whoever runs it."
    async with app.db.transaction() as tx:
        await queries.save_unanswered(tx, inquiry.id, sentence=sentence, at=app.clock.now())


async def _failed(app: App, inquiry: Inquiry, sentence: str) -> None:
    now = app.clock.now()
    delay = next_attempt_seconds(inquiry.attempts + 1, since=inquiry.caused_at, now=now)
    async with app.db.transaction() as tx:
        failed = await queries.save_failed(tx, inquiry.id, sentence=sentence, gives_up=delay is None, at=now)
    if failed:
        log.warning("commitment.not-asked", ae_title=inquiry.ae_title, reason=sentence, attempts=inquiry.attempts + 1)
        if delay is not None:
            raise jobs.Later(delay)
