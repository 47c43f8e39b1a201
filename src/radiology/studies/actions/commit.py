"""Storage commitment as SCP (PS3.4 J): take a request, look at what is stored, report the result.

The result is due on the association of the request for some seconds; then a job reports it on one of ours.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from radiology.app import App
from radiology.application_entities.calling import association
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import one_application_entity
from radiology.application_entities.retries import next_attempt_seconds, sentence_of
from radiology.dicom_network.association import AcceptedContext
from radiology.dicom_network.client import UNCOMPRESSED, ContextNotAcceptedError
from radiology.dicom_network.message import CommandField, Element, Value, is_failure
from radiology.dicom_network.transport import AssociationEndedError
from radiology.dicom_network.user_information import RoleSelection
from radiology.errors import Conflict, NotFound, RadiologyError, Unavailable
from radiology.kit import jobs
from radiology.kit.ids import uuid7
from radiology.kit.log import get_logger
from radiology.kit.objects import LocalObjects
from radiology.standards.dicom import data_set
from radiology.standards.dicom.uids import STORAGE_COMMITMENT_PUSH, STORAGE_COMMITMENT_PUSH_INSTANCE
from radiology.studies.archive import Archive
from radiology.studies.commitment import (
    ALL_COMMITTED,
    SOME_FAILED,
    TRANSACTION_UID,
    CommitmentRequest,
    Evidence,
    Reason,
    Reference,
    judge,
    request_of,
    result,
)
from radiology.studies.integrity import StoredBytes, problem_of
from radiology.studies.queries import commitment as queries

JOB: Final = "commitment.report"
SAME_ASSOCIATION_SECONDS = 10.0
"""So long the association of the request is used for the result."""
LOOK_AGAIN_SECONDS = 5.0
"""How often the job looks for instances that may still come."""
CLAIM_MARGIN_SECONDS: Final = 30
WAIT_FOR_PLACE_SECONDS: Final = 10.0

log = get_logger()


@dataclass(frozen=True, slots=True)
class Result:
    """What is to be reported: each instance that was named, and the reasons of those that are not committed."""

    transaction_uid: str
    references: tuple[Reference, ...]
    failures: Mapping[str, int]
    retrieve_ae_title: str

    @property
    def command(self) -> Mapping[int, Value]:
        """The elements of the N-EVENT-REPORT (PS3.4 J.3.3)."""
        return {
            Element.AFFECTED_SOP_CLASS_UID: STORAGE_COMMITMENT_PUSH,
            Element.AFFECTED_SOP_INSTANCE_UID: STORAGE_COMMITMENT_PUSH_INSTANCE,
            Element.EVENT_TYPE_ID: SOME_FAILED if self.failures else ALL_COMMITTED,
        }

    @property
    def attributes(self) -> dict[str, Any]:
        """The event information (PS3.4 table J.3-2)."""
        return result(self.transaction_uid, self.references, self.failures, self.retrieve_ae_title)

    def encoded(self, context: AcceptedContext) -> bytes:
        """The event information, as the context wants it."""
        return data_set.encode(self.attributes, context.transfer_syntax_uid)


async def take_request(app: App, ae_title: str, attributes: Mapping[str, Any]) -> UUID:
    """Keep a request, and have its result reported whatever happens. Raises Unprocessable for one that is none."""
    transaction_uid, references = request_of(attributes)
    request_id, now = uuid7(), app.clock.now()
    async with app.db.transaction() as tx:
        await queries.insert(
            tx,
            id=request_id,
            transaction_uid=transaction_uid,
            ae_title=ae_title,
            references=references,
            requested_at=now,
        )
        run_at = now + timedelta(seconds=SAME_ASSOCIATION_SECONDS)
        await jobs.enqueue(tx, JOB, {"request": str(request_id)}, run_at=run_at)
    return request_id


async def decide_for(app: App, peer: str, transaction_uid: str, attributes: Mapping[str, Any]) -> Result | None:
    """Take a request of a peer that asks for its result itself (PS3.18 13.4); None while something may still come.

    Raises Conflict where the peer has used the Transaction UID before, Unprocessable for a request that is none.
    """
    named = {**attributes, TRANSACTION_UID: {"vr": "UI", "Value": [transaction_uid]}}
    _, references = request_of(named)
    async with app.db.transaction() as tx:
        await queries.hold(tx, peer, transaction_uid)
        if await queries.find_of_peer(tx, peer, transaction_uid) is not None:
            raise Conflict("This Transaction UID was used before. Ask with another one.")
        await queries.insert(
            tx,
            id=uuid7(),
            transaction_uid=transaction_uid,
            ae_title=peer,
            references=references,
            requested_at=app.clock.now(),
        )
    return await decision_for(app, peer, transaction_uid)


async def decision_for(app: App, peer: str, transaction_uid: str) -> Result | None:
    """The result of such a request (PS3.18 13.5): once it is told, it stays. Raises NotFound."""
    async with app.db.transaction() as tx:
        request = await queries.find_of_peer(tx, peer, transaction_uid)
        if request is None:
            raise NotFound("There is no such request. Ask for storage commitment with POST.")
        evidence = await queries.evidence_of(tx, request.id)
        told = await queries.reported_failures(tx, request.id)
    if request.state == "reported":
        references = tuple(Reference(each.sop_class_uid, each.sop_instance_uid) for each in evidence)
        failures = {uid: int(reason, 16) for uid, reason in told.items()}
        return Result(transaction_uid, references, failures, app.settings.ae_title)
    found = await asyncio.to_thread(verify, app, request, evidence)
    if found is not None:
        await reported(app, request.id, found)
    return found


async def look(app: App, request_id: UUID) -> tuple[CommitmentRequest, list[Evidence]] | None:
    """A request that is still to be answered, and what is known of its instances; None for one that is over."""
    async with app.db.transaction() as tx:
        request = await queries.find(tx, request_id)
        if request is None or request.state != "open":
            return None
        return request, await queries.evidence_of(tx, request_id)


def verify(app: App, request: CommitmentRequest, evidence: Sequence[Evidence]) -> Result | None:
    """Read what is stored, and say what is committed; None while something may still come. Blocks: for a thread."""
    references = tuple(Reference(each.sop_class_uid, each.sop_instance_uid) for each in evidence)
    if request.duplicate:
        reasons = {each.sop_instance_uid: int(Reason.DUPLICATE_TRANSACTION) for each in references}
        return Result(request.transaction_uid, references, reasons, app.settings.ae_title)
    grace = timedelta(seconds=app.settings.commit_grace_seconds)
    if app.clock.now() < request.requested_at + grace and any(each.may_still_come for each in evidence):
        return None
    disk_full = app.objects.free_bytes() < app.objects.reserve_bytes
    failures: dict[str, int] = {}
    for each in evidence:
        reason = judge(
            each,
            intact=_is_intact(app.objects, each),
            accepts_unknown=app.settings.accept_unknown_storage,
            disk_full=disk_full,
        )
        if reason is not None:
            failures[each.sop_instance_uid] = int(reason)
    return Result(request.transaction_uid, references, failures, app.settings.ae_title)


def _is_intact(objects: LocalObjects, evidence: Evidence) -> bool:
    """Whether the file is there and its data set is, byte for byte, what was stored."""
    if evidence.object_key is None or evidence.size_bytes is None or evidence.data_set_sha256 is None:
        return False
    stored = StoredBytes(evidence.object_key, evidence.size_bytes, evidence.data_set_offset, evidence.data_set_sha256)
    return problem_of(objects, stored) is None


async def claim(app: App, request_id: UUID) -> bool:
    """Take the reporting, so that it is not done twice; False where somebody else has it."""
    now, settings = app.clock.now(), app.settings
    # To connect, to associate and to release take ARTIM at most each; the response may take the DIMSE timer.
    longest = 3 * settings.artim_seconds + settings.dimse_timeout_seconds + CLAIM_MARGIN_SECONDS
    async with app.db.transaction() as tx:
        return await queries.claim(tx, request_id, now=now, until=now + timedelta(seconds=longest))


async def give_back(app: App, request_id: UUID) -> None:
    """Leave the reporting to the job."""
    async with app.db.transaction() as tx:
        await queries.give_back(tx, request_id)


async def reported(app: App, request_id: UUID, found: Result) -> None:
    """The peer has the result."""
    async with app.db.transaction() as tx:
        await queries.save_reported(tx, request_id, failures=found.failures, at=app.clock.now())
    log.info("commitment.reported", request_id=str(request_id), instances=len(found.references),
             refused=len(found.failures))  # fmt: skip


async def report(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """The job: report a result on an association of ours, with reversed roles (PS3.4 J.3.3).

    Raises jobs.Later while an instance may still come, somebody else reports it, or the peer does not take it.
    """
    app, request_id = archive.app, UUID(arguments["request"])
    looked = await look(app, request_id)
    if looked is None:
        return
    request, evidence = looked
    found = await asyncio.to_thread(verify, app, request, evidence)
    if found is None or not await claim(app, request_id):
        raise jobs.Later(LOOK_AGAIN_SECONDS)
    try:
        async with app.db.transaction() as tx:
            entity = await one_application_entity(tx, request.ae_title)
        await asyncio.to_thread(_deliver, app, entity, found)
    except (AssociationEndedError, ContextNotAcceptedError, RadiologyError, OSError) as error:
        await _failed(app, request, sentence_of(error))
    else:
        await reported(app, request_id, found)


def _deliver(app: App, entity: ApplicationEntity, found: Result) -> None:
    """Raises Unavailable where the peer answers with a failure, and what `association` raises."""
    contexts = [(STORAGE_COMMITMENT_PUSH, UNCOMPRESSED)]
    roles = [RoleSelection(STORAGE_COMMITMENT_PUSH, scu=False, scp=True)]
    with association(app.settings, entity, contexts, roles=roles, wait_seconds=WAIT_FOR_PLACE_SECONDS) as opened:
        context = opened.context_for(STORAGE_COMMITMENT_PUSH)
        if context is None:
            raise ContextNotAcceptedError(f"{entity.ae_title} does not take results of storage commitment from us")
        answer = opened.invoke(context, CommandField.N_EVENT_REPORT_RQ, found.command, found.encoded(context)).command
    if is_failure(answer.status):
        raise Unavailable(f"{entity.ae_title} answered the result with {answer.status:04X}.")


async def _failed(app: App, request: CommitmentRequest, sentence: str) -> None:
    now = app.clock.now()
    delay = next_attempt_seconds(request.attempts + 1, since=request.requested_at, now=now)
    log.warning("commitment.not-delivered", ae_title=request.ae_title, reason=sentence, attempts=request.attempts + 1,
                state="open" if delay else "given-up")  # fmt: skip
    async with app.db.transaction() as tx:
        await queries.save_failed(tx, request.id, sentence=sentence, gives_up=delay is None, at=now)
    if delay is not None:
        raise jobs.Later(delay)
