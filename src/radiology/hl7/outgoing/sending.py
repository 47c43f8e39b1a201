"""Send receivers their messages: those about one order in order, each until it is answered, for a day."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.application_entities.calling import credentials_of
from radiology.application_entities.retries import next_attempt_seconds, sentence_of
from radiology.audit import actions as audit
from radiology.dicom_network.tls import requestor_context
from radiology.errors import NotFound, PeerFailed, RadiologyError, Unprocessable
from radiology.hl7.outgoing import queries
from radiology.hl7.outgoing.model import Delivery, Receiver
from radiology.kit import jobs, metrics
from radiology.kit.log import get_logger
from radiology.settings import Settings
from radiology.standards.hl7v2 import acknowledgement, message
from radiology.standards.hl7v2.acknowledgement import Acknowledged
from radiology.standards.hl7v2.errors import HL7Error
from radiology.standards.hl7v2.mllp import FramingError, Reader, frame

JOB: Final = "hl7.send"
CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 30.0
LONGEST_ANSWER: Final = 64 * 1024

log = get_logger()


def lock_of(receiver: str, order_id: UUID) -> str:
    """What keeps the messages about one order in order."""
    return f"hl7:{receiver}:{order_id}"


async def send(app: App, arguments: Mapping[str, Any]) -> None:
    """The job: send a receiver what it has still to be told of an order. Raises jobs.Later to be done again."""
    name, order_id = arguments["receiver"], UUID(arguments["order"])
    while (delivery := await _next(app, name, order_id)) is not None:
        try:
            async with app.db.transaction() as tx:
                receiver = await queries.receiver(tx, name, visible_to=SYSTEM)
        except NotFound:
            return
        try:
            said = await ask(app.settings, receiver, delivery.content, delivery.control_id)
        except (RadiologyError, HL7Error, FramingError, OSError, TimeoutError) as error:
            await _failed(app, delivery, _sentence(error))
        else:
            await _answered(app, delivery, said)


async def _next(app: App, receiver: str, order_id: UUID) -> Delivery | None:
    async with app.db.transaction() as tx:
        return await queries.next_delivery(tx, receiver, order_id)


async def _answered(app: App, delivery: Delivery, said: Acknowledged) -> None:
    state = "sent" if said.is_accepted else "refused"
    metrics.hl7_sent(state).inc()
    if state == "refused":
        log.warning("hl7.answer-refuses", peer=delivery.receiver, result=said.code)
    async with app.db.transaction() as tx:
        await queries.change(
            tx, delivery.id, state=state, code=said.code, sentence=said.sentence, at=app.clock.now()
        )  # fmt: skip


async def _failed(app: App, delivery: Delivery, sentence: str) -> None:
    """Try again later; after a day give up all that waits of the order, until a person tries it again."""
    now = app.clock.now()
    delay = next_attempt_seconds(delivery.attempts + 1, since=delivery.caused_at, now=now)
    metrics.hl7_sent("postponed" if delay is not None else "given up").inc()
    log.warning("hl7.not-sent", peer=delivery.receiver, reason=sentence, attempts=delivery.attempts + 1,
                state="given-up" if delay is None else "open")  # fmt: skip
    async with app.db.transaction() as tx:
        await queries.change(tx, delivery.id, state="open", code="", sentence=sentence, at=now)
        if delay is None:
            await queries.give_up(tx, delivery.receiver, delivery.order_id, at=now)
    if delay is not None:
        raise jobs.Later(delay)


def _sentence(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"The receiver did not answer within {ANSWER_SECONDS:g} s."
    if isinstance(error, HL7Error | FramingError):
        return f"The answer of the receiver cannot be read: {error}"
    return sentence_of(error)


async def ask(settings: Settings, receiver: Receiver, content: bytes, control_id: str) -> Acknowledged:
    """Send one message and wait for what is said of it. Raises OSError, TimeoutError, HL7Error, PeerFailed."""
    context = await asyncio.to_thread(_encryption, settings) if receiver.tls else None
    async with asyncio.timeout(CONNECT_SECONDS):
        reader, writer = await asyncio.open_connection(receiver.host, receiver.port, ssl=context)
    try:
        writer.write(frame(content))
        async with asyncio.timeout(ANSWER_SECONDS):
            await writer.drain()
            return await _answer(reader, control_id)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, control_id: str) -> Acknowledged:
    framing = Reader(LONGEST_ANSWER)
    while data := await reader.read(LONGEST_ANSWER):
        for raw in framing.feed(data):
            said = acknowledgement.read(message.parse(raw))
            if not said.is_known or said.control_id != control_id:
                raise PeerFailed(f"The receiver answered {said.code or 'nothing'} to another message.")
            return said
    raise PeerFailed("The receiver closed the connection without an answer.")


def _encryption(settings: Settings) -> ssl.SSLContext:
    try:
        return requestor_context(credentials_of(settings))
    except OSError as error:
        raise Unprocessable(f"Our certificate for TLS cannot be used ({error.strerror or error}).") from error


async def save_receiver(app: App, actor: Actor, receiver: Receiver) -> None:
    """Register a receiver, or change it. It is told what happens from now on. Raises Unprocessable."""
    actor.must(Permission.ADMINISTER)
    if actor.facility_codes is not None and receiver.facility_code not in actor.facility_codes:
        raise Unprocessable("facilityCode must be a facility of yours.")
    async with app.db.transaction() as tx:
        await queries.save_receiver(tx, receiver)
        await audit.record(tx, actor, "hl7.receiver", receiver.name)


async def remove_receiver(app: App, actor: Actor, name: str) -> None:
    """Forget a receiver, and what waits for it. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        await queries.receiver(tx, name, visible_to=actor)
        await queries.remove_receiver(tx, name)
        await audit.record(tx, actor, "hl7.receiver", name, detail={"forgotten": True})


async def retry(app: App, actor: Actor, delivery_id: UUID) -> None:
    """Send again what was refused, given up or dismissed. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        found = await queries.decide(tx, delivery_id, state="open", at=app.clock.now(), visible_to=actor)
        arguments = {"receiver": found.receiver, "order": str(found.order_id)}
        await jobs.enqueue(tx, JOB, arguments, lock=lock_of(found.receiver, found.order_id))
        await audit.record(tx, actor, "hl7.retry", str(delivery_id))


async def dismiss(app: App, actor: Actor, delivery_id: UUID) -> None:
    """Nobody has to look any more at what was refused or given up. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        await queries.decide(tx, delivery_id, state="dismissed", at=app.clock.now(), visible_to=actor)
        await audit.record(tx, actor, "hl7.dismiss", str(delivery_id))
