"""SQL of senders, and of the messages that came from them."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.hl7.mappings import Mappings
from radiology.hl7.model import Arrival, Effects, Known, Sender
from radiology.kit import pages
from radiology.kit.db import Transaction, Where, as_json
from radiology.standards.hl7v2.acknowledgement import Answer

_SENDERS: LiteralString = """
    SELECT name, sending_application, sending_facility, facility_code, hosts, tls, certificate_fingerprint,
        certificate_subject, messages, charset, time_zone, mappings, enabled, description
    FROM hl7_senders
    """


async def senders(tx: Transaction, *, visible_to: Actor) -> list[Sender]:
    """All senders, by name."""
    where = Where()
    visible_to.add_facility(where, "facility_code")
    found = await tx.all(Sender, _SENDERS + "WHERE " + where.condition + " ORDER BY name", **where.parameters)
    return [_with_mappings(sender) for sender in found]


async def sender(tx: Transaction, name: str, *, visible_to: Actor) -> Sender:
    """One sender. Raises NotFound."""
    where = Where()
    where.add("name = {name}", name=name)
    visible_to.add_facility(where, "facility_code")
    found = await tx.maybe(Sender, _SENDERS + "WHERE " + where.condition, **where.parameters)
    if found is None:
        raise NotFound(f"No sender of HL7 messages is called {name!r}.")
    return _with_mappings(found)


async def sender_of(tx: Transaction, application: str, facility: str) -> Sender | None:
    """Who calls itself so in MSH-3 and MSH-4: the one of that facility, else the one of any."""
    found = await tx.maybe(
        Sender,
        _SENDERS
        + """
        WHERE sending_application = %(application)s
          AND sending_facility IN (%(facility)s, '')
        ORDER BY sending_facility DESC
        LIMIT 1
        """,
        application=application,
        facility=facility,
    )
    return None if found is None else _with_mappings(found)


def _with_mappings(found: Sender) -> Sender:
    return replace(found, mappings=Mappings.model_validate(found.mappings))


async def save_sender(tx: Transaction, sender: Sender) -> None:
    """Add a sender, or change it. Raises Conflict where another one calls itself the same."""
    columns: dict[str, Any] = {each.name: getattr(sender, each.name) for each in fields(sender)}
    columns["mappings"] = as_json(sender.mappings.model_dump(mode="json", exclude_defaults=True))
    await tx.run(
        """
        INSERT INTO hl7_senders (name, sending_application, sending_facility, facility_code, hosts, tls,
            certificate_fingerprint, certificate_subject, messages, charset, time_zone, mappings, enabled, description)
        VALUES (%(name)s, %(sending_application)s, %(sending_facility)s, %(facility_code)s, %(hosts)s, %(tls)s,
            %(certificate_fingerprint)s, %(certificate_subject)s, %(messages)s, %(charset)s, %(time_zone)s,
            %(mappings)s, %(enabled)s, %(description)s)
        ON CONFLICT (name) DO UPDATE
        SET sending_application = excluded.sending_application,
            sending_facility = excluded.sending_facility,
            facility_code = excluded.facility_code,
            hosts = excluded.hosts,
            tls = excluded.tls,
            certificate_fingerprint = excluded.certificate_fingerprint,
            certificate_subject = excluded.certificate_subject,
            messages = excluded.messages,
            charset = excluded.charset,
            time_zone = excluded.time_zone,
            mappings = excluded.mappings,
            enabled = excluded.enabled,
            description = excluded.description
        """,
        **columns,
    )


async def remove_sender(tx: Transaction, name: str) -> int:
    """Forget a sender; its messages stay. Returns how many were forgotten."""
    return await tx.run("DELETE FROM hl7_senders WHERE name = %(name)s", name=name)


async def hold(tx: Transaction, name: str) -> None:
    """Wait for whoever does something with this, until the transaction ends."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 26))", name=f"hl7 {name}")


async def known(tx: Transaction, arrival: Arrival, *, since: datetime) -> list[Known]:
    """Messages of this control id from the same sender, the newest ones first."""
    return await tx.all(
        Known,
        """
        SELECT id, state, code, digest, acknowledgement
        FROM hl7_messages
        WHERE control_id = %(control_id)s
          AND sending_application = %(sending_application)s
          AND sending_facility = %(sending_facility)s
          AND received_at >= %(since)s
        ORDER BY received_at DESC
        LIMIT 100
        """,
        control_id=arrival.control_id,
        sending_application=arrival.sending_application,
        sending_facility=arrival.sending_facility,
        since=since,
    )


async def keep(
    tx: Transaction,
    arrival: Arrival,
    *,
    sender: str | None,
    facility_code: str | None,
    state: str,
    answer: Answer,
    acknowledgement: bytes,
    effects: Effects,
) -> None:
    """A message with what became of it; the same one again is one attempt more."""  # fmt: skip
    await tx.run(
        """
        INSERT INTO hl7_messages (id, sender, sending_application, sending_facility, control_id, type, facility_code,
            host, received_at, state, code, error_code, place, sentence, content, digest, acknowledgement, effects,
            study_instance_uids, handled_at)
        VALUES (%(id)s, %(sender)s, %(sending_application)s, %(sending_facility)s, %(control_id)s, %(type)s,
            %(facility_code)s, %(host)s, %(received_at)s, %(state)s, %(code)s, %(error_code)s, %(place)s, %(sentence)s,
            %(content)s, %(digest)s, %(acknowledgement)s, %(effects)s, %(study_instance_uids)s,
            CASE WHEN %(state)s = 'processed' THEN %(received_at)s END)
        ON CONFLICT (id) DO UPDATE
        SET sender = excluded.sender,
            facility_code = excluded.facility_code,
            host = excluded.host,
            state = excluded.state,
            code = excluded.code,
            error_code = excluded.error_code,
            place = excluded.place,
            sentence = excluded.sentence,
            acknowledgement = excluded.acknowledgement,
            effects = excluded.effects,
            study_instance_uids = excluded.study_instance_uids,
            handled_at = excluded.handled_at,
            attempts = hl7_messages.attempts + 1
        """,
        **{each.name: getattr(arrival, each.name) for each in fields(arrival)},
        sender=sender,
        facility_code=facility_code,
        state=state,
        code=answer.verdict,
        error_code=int(answer.code),
        place=str(answer.place or ""),
        sentence=answer.sentence,
        acknowledgement=acknowledgement,
        effects=as_json(effects.as_json()),
        study_instance_uids=effects.study_instance_uids,
    )


async def number_quarantined(tx: Transaction) -> int:
    """How many messages of unknown senders wait for a person."""
    return await tx.value("SELECT count(*) FROM hl7_messages WHERE state = 'quarantined'")


async def number_waiting(tx: Transaction) -> int:
    """How many messages wait for a person."""
    return await tx.value("SELECT count(*) FROM hl7_messages WHERE state IN ('failed', 'quarantined')")


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as it is kept, for who decides about it."""

    id: UUID
    sender: str | None
    sending_application: str
    sending_facility: str
    control_id: str
    facility_code: str | None
    state: str
    content: bytes
    corrected: bytes | None


_KEPT: LiteralString = """
    SELECT m.id, m.sender, m.sending_application, m.sending_facility, m.control_id, m.facility_code, m.state,
        m.content, m.corrected
    FROM hl7_messages AS m
    WHERE """


async def lock_message(tx: Transaction, id: UUID, *, visible_to: Actor) -> Kept:
    """A message that somebody decides about, locked. Raises NotFound."""
    where = _visible(visible_to)
    where.add("m.id = {id}", id=id)
    found = await tx.maybe(
        Kept,
        _KEPT + where.condition + " FOR UPDATE",
        **where.parameters,
    )
    if found is None:
        raise NotFound("There is no such HL7 message.")
    return found


async def decide(
    tx: Transaction,
    id: UUID,
    *,
    state: str,
    by: str,
    reason: str,
    at: datetime,
    corrected: bytes | None = None,
    sender: str | None = None,
    facility_code: str | None = None,
    effects: Effects | None = None,
) -> None:
    """What a person has decided about a message."""  # fmt: skip
    done = effects or Effects()
    await tx.run(
        """
        UPDATE hl7_messages
        SET state = %(state)s,
            handled_by = %(by)s,
            handled_at = %(at)s,
            reason = %(reason)s,
            corrected = coalesce(%(corrected)s, corrected),
            sender = coalesce(%(sender)s, sender),
            facility_code = coalesce(%(facility_code)s, facility_code),
            effects = %(effects)s,
            study_instance_uids = %(study_instance_uids)s
        WHERE id = %(id)s
        """,
        id=id,
        state=state,
        by=by,
        at=at,
        reason=reason,
        corrected=corrected,
        sender=sender,
        facility_code=facility_code,
        effects=as_json(done.as_json()),
        study_instance_uids=done.study_instance_uids,
    )


async def failed_again(tx: Transaction, id: UUID, *, answer: Answer, corrected: bytes | None) -> None:
    """A replay did not succeed: what is wrong now, and what was tried."""
    await tx.run(
        """
        UPDATE hl7_messages
        SET error_code = %(error_code)s,
            place = %(place)s,
            sentence = %(sentence)s,
            corrected = coalesce(%(corrected)s, corrected),
            attempts = attempts + 1
        WHERE id = %(id)s
        """,
        id=id,
        error_code=int(answer.code),
        place=str(answer.place or ""),
        sentence=answer.sentence,
        corrected=corrected,
    )


_ITEM: LiteralString = """json_build_object(
    'id', m.id, 'sender', m.sender, 'sendingApplication', m.sending_application,
    'sendingFacility', m.sending_facility, 'controlId', m.control_id, 'type', m.type,
    'facilityCode', m.facility_code, 'host', m.host, 'receivedAt', m.received_at, 'state', m.state, 'code', m.code,
    'errorCode', m.error_code, 'place', m.place, 'sentence', m.sentence, 'attempts', m.attempts,
    'references', coalesce(m.effects->'references', '[]'), 'remarks', coalesce(m.effects->'remarks', '[]'),
    'handledAt', m.handled_at, 'handledBy', m.handled_by, 'reason', m.reason
    )"""
_LISTED: LiteralString = (
    "SELECT json_build_array("  # noqa: S608 - literals, by their type.
    + _ITEM
    + ", m.received_at AT TIME ZONE 'UTC', m.id)::text FROM hl7_messages AS m WHERE "
)
_WHOLE: LiteralString = "SELECT m.content, m.corrected, " + _ITEM + "::text AS body FROM hl7_messages AS m WHERE "  # noqa: S608 - the same.
_NEWEST_FIRST: LiteralString = " ORDER BY m.received_at DESC, m.id DESC LIMIT %(most)s"


async def page_of(
    tx: Transaction,
    *,
    sender: str | None,
    state: str | None,
    control_id: str | None,
    type: str | None,
    limit: int,
    cursor: str | None,
    visible_to: Actor,
) -> tuple[bytes, str | None]:
    """Messages, newest first, without what they say, as JSON, and the cursor of the next page."""  # fmt: skip
    where = _visible(visible_to)
    if sender is not None:
        where.add("m.sender = {sender}", sender=sender)
    if state is not None:
        where.add("m.state = {state}", state=state)
    if control_id is not None:
        where.add("m.control_id = {control_id}", control_id=control_id)
    if type is not None:
        where.add("m.type = {type}", type=type)
    if cursor is not None:
        at, key = pages.read_cursor(cursor)
        where.add("(m.received_at, m.id) < ({at}, {key})", at=at, key=key)
    rows = await tx.values(_LISTED + where.condition + _NEWEST_FIRST, **where.parameters, most=limit + 1)
    return pages.page(rows, limit=limit)


async def body_of(tx: Transaction, id: UUID, *, visible_to: Actor) -> tuple[bytes, bytes | None, bytes] | None:
    """A message with what it says: what is known of it as JSON, what a person made of it, and its bytes."""
    where = _visible(visible_to)
    where.add("m.id = {id}", id=id)
    found = await tx.maybe(_Whole, _WHOLE + where.condition, **where.parameters)
    return None if found is None else (found.body.encode(), found.corrected, found.content)


@dataclass(frozen=True, slots=True)
class _Whole:
    content: bytes
    corrected: bytes | None
    body: str


def _visible(actor: Actor) -> Where:
    """Messages of the reader's facilities that are about no study which the reader may not see."""
    where = Where()
    reach = actor.staff_reach
    reach.add_facility(where, "m.facility_code")
    if not reach.sees_sensitive:
        where.clauses.append(
            "NOT EXISTS (SELECT FROM imaging_studies AS told WHERE told.study_instance_uid = ANY(m.study_instance_uids)"
            " AND NOT " + reach.seen(where, "told") + ")"
        )
    return where


async def forget(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Delete messages that are done with and came before a moment; returns how many."""
    return await tx.run(
        """
        DELETE FROM hl7_messages
        WHERE id IN (
            SELECT id
            FROM hl7_messages
            WHERE received_at < %(before)s
              AND state IN ('processed', 'dismissed')
            ORDER BY received_at
            LIMIT %(limit)s
        )
        """,
        before=before,
        limit=limit,
    )
