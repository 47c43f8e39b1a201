"""Take a message: who sends it, whether it came before, what it changes, and what is answered, in one transaction.

The acknowledgement is given back when the transaction is committed. So what was acknowledged is done, what was not is
not, and a message that is sent again because its acknowledgement was lost is answered the same and done once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from radiology.app import App
from radiology.application_entities.addresses import is_among
from radiology.errors import RadiologyError, Unavailable
from radiology.hl7 import appointments_in, orders_in, patients_in, queries
from radiology.hl7.model import Arrival, Effects, Known, Peer, Sender, State, digest
from radiology.hl7.refusals import NO_HANDLER, answer_to
from radiology.hl7.translating import Reading, reading
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.kit.log import get_logger
from radiology.standards.hl7v2 import acknowledgement, message, segments
from radiology.standards.hl7v2.acknowledgement import Answer, Verdict
from radiology.standards.hl7v2.errors import Code, HL7Error, Place
from radiology.standards.hl7v2.segments import Header

SAME_CONTROL_ID_FOR: Final = timedelta(days=30)
"""Senders count anew some day; within this time a control id names one message."""
MOST_QUARANTINED: Final = 1_000
FORGOTTEN_AT_ONCE: Final = 10_000
ATTEMPTS: Final = 3
RETRY_SECONDS: Final = 0.2
LONGEST_CONTROL_ID: Final = 199

Handler = Callable[[Transaction, App, Reading], Awaitable[Effects]]

#: What is done with which message, by the kind that a sender may be allowed.
HANDLERS: Final[Mapping[str, tuple[str, Handler]]] = {
    **{event: ("patients", handler) for event, handler in patients_in.HANDLERS.items()},
    **dict.fromkeys(("ORM^O01", "OMG^O19", "OMI^O23"), ("orders", orders_in.take)),
    **{event: ("appointments", handler) for event, handler in appointments_in.HANDLERS.items()},
}

log = get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is answered to a message. `refused`: why the sender was turned away, a word for the audit record."""

    acknowledgement: bytes
    verdict: Verdict
    type: str = ""
    again: bool = False
    refused: str = ""


async def receive(app: App, content: bytes, peer: Peer) -> Outcome:
    """Take a message. Raises Unavailable where it could not be kept: then it must not be acknowledged."""
    try:
        header = segments.header(message.header_of(content))
        arrival = _arrival(app, content, header, peer)
    except HL7Error as error:
        return unreadable(app, error)
    sender = await _sender(app, arrival)
    why_not = "unknown sender" if sender is None else await _why_not(sender, peer)
    if sender is None or why_not:
        return await _turn_away(app, arrival, header, sender, why_not)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _process(app, arrival, header, sender)
        except Unavailable:  # Two transactions may have waited for each other.
            if attempt == ATTEMPTS:
                raise
            await asyncio.sleep(RETRY_SECONDS * attempt)
        except (HL7Error, RadiologyError) as error:
            return await _fail(app, arrival, header, sender, answer_to(error))
        except Exception as error:  # What is not expected must not lose the message: it waits for a person.
            log.error("hl7.failed", exc_info=error, kind=arrival.type, peer=arrival.host)
            return await _fail(app, arrival, header, sender, _BUG)
    raise AssertionError


_BUG: Final = Answer(
    Verdict.ERROR,
    "The message could not be used because of an error in this service. It is kept until a person has looked at it.",
    Code.INTERNAL_ERROR,
)
_NAMELESS: Final = Header("", "", "", "", "", "", "", "", "P", "2.5.1", "", "", "")


def unreadable(app: App, error: HL7Error, beginning: bytes = b"") -> Outcome:
    """What is answered to something whose sender cannot be known, or that is not whole."""
    header = _NAMELESS
    if beginning:
        try:
            header = segments.header(message.header_of(beginning))
        except HL7Error:
            header = _NAMELESS
    answer = Answer.of_error(error, Verdict.REJECTED)
    return Outcome(_acknowledged(app, header, answer), answer.verdict, header.type)


def _arrival(app: App, content: bytes, header: Header, peer: Peer) -> Arrival:
    place = Place("MSH", field=10)
    if not header.control_id:
        raise HL7Error(Code.REQUIRED_FIELD_MISSING, "MSH-10 is empty: a message needs a control id.", place)
    if len(header.control_id) > LONGEST_CONTROL_ID:
        raise HL7Error(Code.DATA_TYPE, f"MSH-10 is longer than {LONGEST_CONTROL_ID} characters.", place)
    return Arrival(
        id=uuid7(),
        content=content,
        host=peer.host,
        received_at=app.clock.now(),
        sending_application=header.sending_application,
        sending_facility=header.sending_facility,
        control_id=header.control_id,
        type=header.type[:40],
        digest=digest(content, header.sent_at),
    )


async def _sender(app: App, arrival: Arrival) -> Sender | None:
    async with app.db.reading(planned_once=True) as tx:
        return await queries.sender_of(tx, arrival.sending_application, arrival.sending_facility)


async def _why_not(sender: Sender, peer: Peer) -> str:
    """Why a known sender may not send like this; empty where it may."""
    if not sender.enabled:
        return "disabled"
    if peer.certificate is None and sender.tls == "required":
        return "not encrypted"
    if peer.certificate is not None and not sender.binds(peer.certificate):
        return "certificate"
    if sender.hosts and not await asyncio.to_thread(is_among, sender.hosts, peer.host):
        return "address"
    return ""


async def _process(app: App, arrival: Arrival, header: Header, sender: Sender) -> Outcome:
    async with app.db.transaction() as tx:
        same, other = await _known(tx, arrival)
        if same is not None and same.state not in (State.FAILED, State.QUARANTINED):
            return Outcome(same.acknowledgement, Verdict(same.code), arrival.type, again=True)
        if other is not None:
            raise HL7Error(
                Code.DUPLICATE_KEY,
                f"Another message with control id {arrival.control_id} was taken before. Send this one with an id of "
                "its own; it is kept until a person has decided about it.",
                Place("MSH", field=10),
            )
        arrival = arrival if same is None else replace(arrival, id=same.id)
        read = read_message(app, arrival.content, sender)
        effects = await handle(tx, app, read)
        answer = replace(ACCEPTED, sentence=" ".join(read.warnings))
        acknowledged = _acknowledged(app, header, answer)
        await queries.keep(
            tx, arrival, sender=sender.name, facility_code=read.facility_code, state=State.PROCESSED, answer=answer,
            acknowledgement=acknowledged, effects=effects,
        )  # fmt: skip
    return Outcome(acknowledged, Verdict.ACCEPTED, arrival.type)


ACCEPTED: Final = Answer(Verdict.ACCEPTED)


async def _known(tx: Transaction, arrival: Arrival) -> tuple[Known | None, Known | None]:
    """The same message that came before, and another one that was taken under its control id. Nobody else takes it."""
    await queries.hold(tx, f"{arrival.sending_application}|{arrival.sending_facility}|{arrival.control_id}")
    found = await queries.known(tx, arrival, since=arrival.received_at - SAME_CONTROL_ID_FOR)
    same = next((each for each in found if each.digest == arrival.digest), None)
    other = next((each for each in found if each.digest != arrival.digest and each.state == State.PROCESSED), None)
    return same, other


def read_message(app: App, content: bytes, sender: Sender) -> Reading:
    """A message as its sender means it. Raises HL7Error."""
    parsed = message.parse(content, charset=sender.charset)
    settings = app.settings
    return reading(
        parsed, sender, facility_code=settings.facility_code, zone=settings.zone, now=app.clock.now()
    )  # fmt: skip


async def handle(tx: Transaction, app: App, read: Reading) -> Effects:
    """Do what a message asks for. Raises HL7Error, and what the features raise that it is for."""
    header, sender = read.header, read.sender
    if not header.version.startswith("2."):
        sentence = f"MSH-12 is {header.version!r}; versions 2.1 to 2.8 are read."
        raise HL7Error(Code.UNSUPPORTED_VERSION, sentence, Place("MSH", field=12))
    kind, handler = HANDLERS.get(header.type, (None, None))
    if handler is None:
        supported = any(each.startswith(header.type[:3]) for each in HANDLERS)
        code = Code.UNSUPPORTED_EVENT if supported else Code.UNSUPPORTED_MESSAGE_TYPE
        raise HL7Error(code, f"Messages {header.type.replace('^', '-')} are not used here.", Place("MSH", field=9))
    if kind not in sender.messages:
        sentence = f"{sender.name} may not send {header.type.replace('^', '-')}: add {kind} to its messages."
        raise HL7Error(Code.UNSUPPORTED_MESSAGE_TYPE, sentence, Place("MSH", field=9))
    effects = await handler(tx, app, read)
    return replace(effects, remarks=[*read.remarks, *read.warnings, *effects.remarks])


async def _fail(app: App, arrival: Arrival, header: Header, sender: Sender, answer: Answer) -> Outcome:
    """Keep a message that could not be used, and say why. One that nothing here is for waits for nobody."""
    state = State.DISMISSED if answer.code in NO_HANDLER else State.FAILED
    acknowledged = _acknowledged(app, header, answer)
    async with app.db.transaction() as tx:
        same, _ = await _known(tx, arrival)
        await queries.keep(
            tx, arrival if same is None else replace(arrival, id=same.id), sender=sender.name,
            facility_code=sender.facility_code or app.settings.facility_code, state=state, answer=answer,
            acknowledgement=acknowledged, effects=Effects(),
        )  # fmt: skip
    return Outcome(acknowledged, answer.verdict, arrival.type)


async def _turn_away(app: App, arrival: Arrival, header: Header, sender: Sender | None, why: str) -> Outcome:
    """Refuse a message of whom may not send; that of an unknown sender may be kept until somebody knows who it is."""
    who = f"{arrival.sending_application or '-'} at {arrival.sending_facility or '-'}"
    sentence = f"{who} may not send messages to this service from {arrival.host} ({why})."
    acknowledged = _acknowledged(app, header, Answer(Verdict.REJECTED, sentence, Code.UNKNOWN_KEY, _SENDER))
    if sender is None and app.settings.hl7_unknown_senders == "quarantine":
        async with app.db.transaction() as tx:
            same, _ = await _known(tx, arrival)
            if same is None and await queries.number_quarantined(tx) < MOST_QUARANTINED:
                sentence += " It is kept; register the sender and replay it, or dismiss it."
                await queries.keep(
                    tx, arrival, sender=None, facility_code=None, state=State.QUARANTINED,
                    answer=Answer(Verdict.REJECTED, sentence, Code.UNKNOWN_KEY, _SENDER), acknowledgement=acknowledged,
                    effects=Effects(),
                )  # fmt: skip
    return Outcome(acknowledged, Verdict.REJECTED, arrival.type, refused=why)


async def forget_old(app: App) -> int:
    """Delete messages that were done with long ago; returns how many. Those that wait for a person stay."""
    before = app.clock.now() - timedelta(days=app.settings.hl7_log_days)
    async with app.db.transaction() as tx:
        return await queries.forget(tx, before=before, limit=FORGOTTEN_AT_ONCE)


_SENDER: Final = Place("MSH", field=3)


def _acknowledged(app: App, header: Header, answer: Answer) -> bytes:
    control_id = f"R{uuid7().hex[-19:]}"
    return acknowledgement.acknowledge(
        header, answer, control_id=control_id, at=app.clock.now(), zone=app.settings.zone
    )
