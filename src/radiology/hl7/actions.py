"""What people do: register senders, try messages, and decide about those that could not be used."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, RadiologyError, Unprocessable
from radiology.hl7 import order_translating, queries, receiving, translating
from radiology.hl7.model import Effects, Sender, Verb, problems, step
from radiology.hl7.refusals import answer_to
from radiology.hl7.schemas import Replayed, Tried
from radiology.hl7.translating import Reading
from radiology.standards.hl7v2.acknowledgement import Answer
from radiology.standards.hl7v2.charsets import UTF_8
from radiology.standards.hl7v2.errors import HL7Error


async def save_sender(app: App, actor: Actor, sender: Sender) -> None:
    """Register a sender, or change it. Raises Conflict, Unprocessable, NotFound for one of another facility."""
    actor.must(Permission.ADMINISTER)
    if found := problems(sender):
        sentence = "; ".join(f"{each.field}: {each.message}" for each in found)
        raise Unprocessable(f"The sender {sender.name} cannot be kept. {sentence}.", fields=found)
    _must_be_of(actor, sender.facility_code)
    async with app.db.transaction() as tx:
        await queries.save_sender(tx, sender)
        await audit.record(tx, actor, "hl7.sender", sender.name)


async def remove_sender(app: App, actor: Actor, name: str) -> None:
    """Forget a sender; what it sent stays. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        await queries.sender(tx, name, visible_to=actor)
        await queries.remove_sender(tx, name)
        await audit.record(tx, actor, "hl7.sender", name, detail={"forgotten": True})


def _must_be_of(actor: Actor, facility_code: str | None) -> None:
    if actor.facility_codes is not None and facility_code not in actor.facility_codes:
        raise Unprocessable("facilityCode must be a facility of yours.")


class _Undone(Exception):  # Control flow: the transaction must not be kept.
    pass


async def try_message(app: App, actor: Actor, name: str, content: bytes) -> Tried:
    """How a message of a sender would be understood, and what would become of it. Nothing is kept."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        sender = await queries.sender(tx, name, visible_to=actor)
    answer, effects, read = receiving.ACCEPTED, Effects(), None
    try:
        read = receiving.read_message(app, content, sender)
        async with app.db.transaction() as tx:
            effects = await receiving.handle(tx, app, read)
            raise _Undone
    except _Undone:
        pass
    except (HL7Error, RadiologyError) as error:
        answer = answer_to(error)
    return _tried(answer, effects, read)


def _tried(answer: Answer, effects: Effects, read: Reading | None) -> Tried:
    header = read.header if read else None
    return Tried(
        code=answer.verdict,
        sentence=answer.sentence,
        place=str(answer.place or ""),
        type=header.type if header else "",
        control_id=header.control_id if header else "",
        facility_code=read.facility_code if read else "",
        patient=_patient(read),
        orders=_orders(read),
        references=effects.references,
        remarks=list(dict.fromkeys([*(read.remarks if read else ()), *effects.remarks])),
    )


def _patient(read: Reading | None) -> dict[str, Any] | None:
    """The patient as it is understood; None where it is not."""
    segment = read.message.find("PID") if read else None
    try:
        return order_translating.patient_said(translating.person(read, segment)) if read and segment else None
    except (HL7Error, RadiologyError):
        return None


def _orders(read: Reading | None) -> list[dict[str, Any]]:
    """The orders as they are understood; none where they are not."""
    if read is None or not read.message.find("ORC"):
        return []
    try:
        patient = translating.person(read, read.message.one("PID"))
        said = [order_translating.order_said(read, each, patient) for each in order_translating.all_orders(read)]
    except (HL7Error, RadiologyError):
        return []
    return [each.model_dump(mode="json", exclude_none=True, exclude_defaults=True) for each in said]


async def replay(app: App, actor: Actor, message_id: UUID, *, corrected: str | None, reason: str) -> Replayed:
    """Do what a message asks for, as it came or corrected. Raises Unprocessable where it still cannot be used."""
    actor.must(Permission.ADMINISTER)
    instead = corrected.replace("\r\n", "\r").replace("\n", "\r").encode() if corrected else None
    sender = await _sender_of(app, actor, message_id)
    try:
        return await _replay(app, actor, sender, message_id, instead, reason)
    except (HL7Error, RadiologyError) as error:
        answer = answer_to(error)
    async with app.db.transaction() as tx:
        await queries.failed_again(tx, message_id, answer=answer, corrected=instead)
    where = f"{answer.place}: " if answer.place and str(answer.place) not in answer.sentence else ""
    raise Unprocessable(f"The message cannot be used yet. {where}{answer.sentence}")


async def _sender_of(app: App, actor: Actor, message_id: UUID) -> Sender:
    """Whose message it is, if it waits. Raises NotFound, TransitionRefused, Conflict."""
    async with app.db.transaction() as tx:
        kept = await queries.lock_message(tx, message_id, visible_to=actor)
        step(kept.state, Verb.REPLAY)
        sender = await queries.sender_of(tx, kept.sending_application, kept.sending_facility)
    if sender is None or not sender.enabled:
        who = f"{kept.sending_application} at {kept.sending_facility}"
        raise Conflict(f"No sender is registered for {who}. Register it first.")
    return sender


async def _replay(
    app: App, actor: Actor, sender: Sender, message_id: UUID, instead: bytes | None, reason: str
) -> Replayed:
    async with app.db.transaction() as tx:
        kept = await queries.lock_message(tx, message_id, visible_to=actor)
        after = step(kept.state, Verb.REPLAY)
        if instead is not None or kept.corrected is not None:
            sender = replace(sender, charset=UTF_8)
        read = receiving.read_message(app, instead or kept.corrected or kept.content, sender)
        effects = await receiving.handle(tx, app, read)
        await queries.decide(
            tx, message_id, state=after, by=actor.id, reason=reason, at=app.clock.now(), corrected=instead,
            sender=sender.name, facility_code=read.facility_code, effects=effects,
        )  # fmt: skip
        await audit.record(tx, actor, "hl7.replay", str(message_id), detail={"corrected": instead is not None})
    return Replayed(id=message_id, references=effects.references, remarks=effects.remarks)


async def dismiss(app: App, actor: Actor, message_id: UUID, *, reason: str) -> None:
    """A message is not used. Raises NotFound, TransitionRefused."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        kept = await queries.lock_message(tx, message_id, visible_to=actor)
        after = step(kept.state, Verb.DISMISS)
        await queries.decide(tx, message_id, state=after, by=actor.id, reason=reason, at=app.clock.now())
        await audit.record(tx, actor, "hl7.dismiss", str(message_id))
