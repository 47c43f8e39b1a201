"""SQL of receivers, and of the messages that wait for them."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.hl7.outgoing.model import Delivery, Receiver
from radiology.kit import pages
from radiology.kit.db import Transaction, Where
from radiology.orders.model import Order

_RECEIVERS: LiteralString = """
    SELECT name, host, port, tls, receiving_application, receiving_facility, facility_code, form, version, charset,
        statuses, enabled, description
    FROM hl7_receivers
    WHERE """


async def receivers(tx: Transaction, *, visible_to: Actor) -> list[Receiver]:
    """All receivers, by name."""
    where = Where()
    visible_to.add_facility(where, "facility_code")
    return await tx.all(Receiver, _RECEIVERS + where.condition + " ORDER BY name", **where.parameters)


async def receiver(tx: Transaction, name: str, *, visible_to: Actor) -> Receiver:
    """One receiver. Raises NotFound."""
    where = Where()
    where.add("name = {name}", name=name)
    visible_to.add_facility(where, "facility_code")
    found = await tx.maybe(Receiver, _RECEIVERS + where.condition, **where.parameters)
    if found is None:
        raise NotFound(f"No receiver of HL7 messages is called {name!r}.")
    return found


async def save_receiver(tx: Transaction, receiver: Receiver) -> None:
    """Add a receiver, or change it."""
    await tx.run(
        """
        INSERT INTO hl7_receivers (name, host, port, tls, receiving_application, receiving_facility, facility_code,
            form, version, charset, statuses, enabled, description)
        VALUES (%(name)s, %(host)s, %(port)s, %(tls)s, %(receiving_application)s, %(receiving_facility)s,
            %(facility_code)s, %(form)s, %(version)s, %(charset)s, %(statuses)s, %(enabled)s, %(description)s)
        ON CONFLICT (name) DO UPDATE
        SET host = excluded.host,
            port = excluded.port,
            tls = excluded.tls,
            receiving_application = excluded.receiving_application,
            receiving_facility = excluded.receiving_facility,
            facility_code = excluded.facility_code,
            form = excluded.form,
            version = excluded.version,
            charset = excluded.charset,
            statuses = excluded.statuses,
            enabled = excluded.enabled,
            description = excluded.description
        """,
        **{each.name: getattr(receiver, each.name) for each in fields(receiver)},
    )


async def remove_receiver(tx: Transaction, name: str) -> None:
    """Forget a receiver, and what waits for it."""
    await tx.run("DELETE FROM hl7_receivers WHERE name = %(name)s", name=name)


async def interested(tx: Transaction, status: str, *, facility_code: str) -> list[Receiver]:
    """The receivers that are told this status of orders of a facility."""
    return await tx.all(
        Receiver,
        _RECEIVERS
        + """enabled
          AND %(status)s = ANY(statuses)
          AND (facility_code IS NULL OR facility_code = %(facility_code)s)
        ORDER BY name
        """,
        status=status,
        facility_code=facility_code,
    )


async def any_receiver(tx: Transaction) -> bool:
    """Whether anybody wants to be told."""
    return await tx.value("SELECT EXISTS (SELECT FROM hl7_receivers WHERE enabled)")


async def last_told(tx: Transaction, receiver: str, order_id: UUID) -> str | None:
    """The status that a receiver was told last of an order, or is to be told."""
    return await tx.value(
        """
        SELECT status
        FROM hl7_deliveries
        WHERE receiver = %(receiver)s
          AND order_id = %(order_id)s
        ORDER BY number DESC
        LIMIT 1
        """,
        receiver=receiver,
        order_id=order_id,
    )


async def queue(
    tx: Transaction,
    id: UUID,
    receiver: str,
    order: Order,
    status: str,
    *,
    control_id: str,
    content: bytes,
    at: datetime,
) -> None:
    """A message that is to be sent, behind all that wait."""  # fmt: skip
    await tx.run(
        """
        INSERT INTO hl7_deliveries (id, receiver, order_id, facility_code, study_instance_uids, control_id, status,
            content, caused_at, changed_at)
        VALUES (%(id)s, %(receiver)s, %(order_id)s, %(facility_code)s, %(uids)s, %(control_id)s, %(status)s,
            %(content)s, %(at)s, %(at)s)
        """,
        id=id,
        receiver=receiver,
        order_id=order.id,
        facility_code=order.facility_code,
        uids=[each.study_instance_uid for each in order.procedures],
        control_id=control_id,
        status=status,
        content=content,
        at=at,
    )


async def next_delivery(tx: Transaction, receiver: str, order_id: UUID) -> Delivery | None:
    """The oldest message about an order that waits for a receiver."""
    return await tx.maybe(
        Delivery,
        """
        SELECT id, receiver, order_id, control_id, content, attempts, caused_at
        FROM hl7_deliveries
        WHERE receiver = %(receiver)s
          AND order_id = %(order_id)s
          AND state = 'open'
        ORDER BY number
        LIMIT 1
        """,
        receiver=receiver,
        order_id=order_id,
    )


async def change(tx: Transaction, id: UUID, *, state: str, code: str, sentence: str, at: datetime) -> None:
    """An attempt was made, and this became of it."""
    await tx.run(
        """
        UPDATE hl7_deliveries
        SET state = %(state)s, code = %(code)s, sentence = %(sentence)s, attempts = attempts + 1, changed_at = %(at)s
        WHERE id = %(id)s
        """,
        id=id,
        state=state,
        code=code,
        sentence=sentence,
        at=at,
    )


async def give_up(tx: Transaction, receiver: str, order_id: UUID, *, at: datetime) -> None:
    """Nothing more of an order is sent to a receiver by itself."""
    await tx.run(
        """
        UPDATE hl7_deliveries
        SET state = 'given-up', changed_at = %(at)s
        WHERE receiver = %(receiver)s
          AND order_id = %(order_id)s
          AND state = 'open'
        """,
        receiver=receiver,
        order_id=order_id,
        at=at,
    )


async def decide(tx: Transaction, id: UUID, *, state: str, at: datetime, visible_to: Actor) -> Delivery:
    """A person tries a message again, or dismisses it. Raises NotFound for one that does not wait for a person."""
    where = _visible(visible_to)
    where.add("d.id = {id}", id=id)
    found = await tx.maybe(
        Delivery, _DECIDE + where.condition + _RETURNING, **where.parameters, state=state, at=at
    )  # fmt: skip
    if found is None:
        raise NotFound("No such HL7 message waits for a person.")
    return found


_DECIDE: LiteralString = """
    UPDATE hl7_deliveries AS d
    SET state = %(state)s,
        caused_at = CASE WHEN %(state)s = 'open' THEN %(at)s ELSE d.caused_at END,
        changed_at = %(at)s
    WHERE d.state IN ('refused', 'given-up', 'dismissed')
      AND """
_RETURNING: LiteralString = (
    " RETURNING d.id, d.receiver, d.order_id, d.control_id, d.content, d.attempts, d.caused_at"
)  # fmt: skip
_LISTED: LiteralString = """
    SELECT json_build_array(json_build_object(
        'id', d.id, 'receiver', d.receiver, 'order', 'ServiceRequest/' || d.order_id, 'facilityCode', d.facility_code,
        'controlId', d.control_id, 'status', d.status, 'state', d.state, 'code', nullif(d.code, ''),
        'sentence', nullif(d.sentence, ''), 'attempts', d.attempts, 'causedAt', d.caused_at, 'changedAt', d.changed_at
    ), d.caused_at AT TIME ZONE 'UTC', d.id)::text
    FROM hl7_deliveries AS d
    WHERE """
_NEWEST_FIRST: LiteralString = " ORDER BY d.caused_at DESC, d.id DESC LIMIT %(most)s"


async def page_of(
    tx: Transaction, *, receiver: str | None, state: str | None, limit: int, cursor: str | None, visible_to: Actor
) -> tuple[bytes, str | None]:
    """Messages to receivers, newest first, as JSON, and the cursor of the next page."""
    where = _visible(visible_to)
    if receiver is not None:
        where.add("d.receiver = {receiver}", receiver=receiver)
    if state is not None:
        where.add("d.state = {state}", state=state)
    if cursor is not None:
        at, key = pages.read_cursor(cursor)
        where.add("(d.caused_at, d.id) < ({at}, {key})", at=at, key=key)
    rows: Sequence[Any] = await tx.values(
        _LISTED + where.condition + _NEWEST_FIRST, **where.parameters, most=limit + 1
    )  # fmt: skip
    return pages.page(rows, limit=limit)


def _visible(actor: Actor) -> Where:
    where = Where()
    reach = actor.staff_reach
    reach.add_facility(where, "d.facility_code")
    if not reach.sees_sensitive:
        where.clauses.append(
            "NOT EXISTS (SELECT FROM imaging_studies AS told WHERE told.study_instance_uid = ANY(d.study_instance_uids)"
            " AND NOT " + reach.seen(where, "told") + ")"
        )
    return where
