"""SQL of orders. `o` is orders, `r` one of its requested procedures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit.db import Transaction, Where, as_json
from radiology.orders.model import Order, RequestedProcedure
from radiology.patients.model import Patient

COLUMNS: LiteralString = """
    o.id, o.facility_code, o.placer, o.placer_number, o.accession_number, o.status, o.intent, o.priority, o.version,
    o.patient_id, p.reference AS patient_reference, o.occurrence, o.authored_on, o.content
    FROM orders AS o
    JOIN patients AS p ON p.id = o.patient_id
"""


def add_visible(where: Where, visible_to: Actor) -> None:
    """Orders of the reader's facilities, but none that has a sensitive study which the reader does not see in full."""
    reach = visible_to.staff_reach
    reach.add_facility(where, "o.facility_code")
    if not reach.sees_sensitive:
        where.clauses.append(
            """NOT EXISTS (
                SELECT FROM requested_procedures AS hidden
                JOIN imaging_studies AS told ON told.study_instance_uid = hidden.study_instance_uid
                    OR told.planned_study_instance_uid = hidden.study_instance_uid
                WHERE hidden.order_id = o.id
                  AND NOT """
            + reach.seen(where, "told")
            + ")"
        )


async def next_number(tx: Transaction) -> int:
    """A number that no order had before."""
    return await tx.value("SELECT nextval('order_number')")


async def hold(tx: Transaction, name: str) -> None:
    """Let nobody else place an order under this number before the transaction ends."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtextextended('order ' || %(name)s, 0))", name=name)


async def has_accession_number(tx: Transaction, accession_number: str, *, facility_code: str) -> bool:
    """Whether an order, a worklist item or a study of the facility has this accession number."""
    return await tx.value(
        """
        SELECT EXISTS (
            SELECT FROM orders WHERE facility_code = %(facility)s AND accession_number = %(number)s
        ) OR EXISTS (
            SELECT FROM scheduled_procedure_steps WHERE facility_code = %(facility)s AND accession_number = %(number)s
        ) OR EXISTS (
            SELECT FROM imaging_studies WHERE facility_code = %(facility)s AND accession_number = %(number)s
        )
        """,
        facility=facility_code,
        number=accession_number,
    )


async def who_has_accession_number(
    tx: Transaction, accession_number: str, *, facility_code: str, patient: Patient
) -> str | None:
    """Who keeps a number from an order of this patient: `order`, `patient` (another one), None for nobody."""
    return await tx.value(
        """
        SELECT CASE
            WHEN EXISTS (
                SELECT FROM orders WHERE facility_code = %(facility)s AND accession_number = %(number)s
                AND patient_id = %(patient)s
            ) THEN 'order'
            WHEN EXISTS (
                SELECT FROM orders WHERE facility_code = %(facility)s AND accession_number = %(number)s
            ) OR EXISTS (
                SELECT FROM scheduled_procedure_steps
                WHERE facility_code = %(facility)s
                  AND accession_number = %(number)s
                  AND (patient_id, issuer_of_patient_id) <> (%(patient_id)s, %(issuer)s)
            ) OR EXISTS (
                SELECT FROM imaging_studies
                WHERE facility_code = %(facility)s
                  AND accession_number = %(number)s
                  AND patient_id <> %(patient)s
            ) THEN 'patient'
        END
        """,
        facility=facility_code,
        number=accession_number,
        patient=patient.id,
        patient_id=patient.patient_id,
        issuer=patient.issuer_of_patient_id,
    )


async def insert(tx: Transaction, order: Order) -> None:
    """Add an order; its procedures have rows of their own."""
    await tx.run(
        """
        INSERT INTO orders (id, facility_code, placer, placer_number, accession_number, status, intent, priority,
            patient_id, occurrence, authored_on, content)
        VALUES (%(id)s, %(facility_code)s, %(placer)s, %(placer_number)s, %(accession_number)s, %(status)s, %(intent)s,
            %(priority)s, %(patient_id)s, %(occurrence)s, %(authored_on)s, %(content)s)
        """,
        id=order.id,
        facility_code=order.facility_code,
        placer=order.placer,
        placer_number=order.placer_number,
        accession_number=order.accession_number,
        status=order.status,
        intent=order.intent,
        priority=order.priority,
        patient_id=order.patient_id,
        occurrence=order.occurrence,
        authored_on=order.authored_on,
        content=as_json(order.content),
    )


async def insert_procedures(tx: Transaction, order_id: UUID, procedures: Sequence[RequestedProcedure]) -> None:
    """Add procedures of an order."""
    await tx.run(
        """
        INSERT INTO requested_procedures (id, order_id, position, requested_procedure_id, study_instance_uid, modality,
            content)
        SELECT added.id, %(order_id)s, added.position, added.requested_procedure_id, added.study_instance_uid,
            added.modality, added.content
        FROM json_to_recordset(%(rows)s) AS added (id uuid, position integer, requested_procedure_id text,
            study_instance_uid text, modality text, content jsonb)
        """,
        order_id=order_id,
        rows=as_json(
            [
                {
                    "id": str(each.id),
                    "position": each.position,
                    "requested_procedure_id": each.requested_procedure_id,
                    "study_instance_uid": each.study_instance_uid,
                    "modality": each.modality,
                    "content": each.content,
                }
                for each in procedures
            ]
        ),
    )


async def record(
    tx: Transaction,
    order: Order,
    verb: str,
    *,
    actor: str,
    from_status: str | None,
    content: Mapping[str, Any] | None = None,
    reason: str | None = None,
    reason_code: str | None = None,
) -> None:
    """One line of an order's history; `order` is as it stands now."""
    await tx.run(
        """
        INSERT INTO order_history (order_id, version, verb, from_status, to_status, actor, reason, reason_code, content)
        VALUES (%(order_id)s, %(version)s, %(verb)s, %(from_status)s, %(to_status)s, %(actor)s, %(reason)s,
            %(reason_code)s, %(content)s)
        """,
        order_id=order.id,
        version=order.version,
        verb=verb,
        from_status=from_status,
        to_status=order.status,
        actor=actor,
        reason=reason,
        reason_code=reason_code,
        content=as_json(content),
    )


async def was_said(tx: Transaction, order_id: UUID, content: Mapping[str, Any]) -> bool:
    """Whether this is what the order says, or what it said at some time."""
    return await tx.value(
        "SELECT EXISTS (SELECT FROM order_history WHERE order_id = %(order_id)s AND content = %(content)s::jsonb)",
        order_id=order_id,
        content=as_json(content),
    )


async def find(tx: Transaction, order_id: UUID) -> Order | None:
    """An order with the procedures that it has now."""
    return await _with_procedures(
        tx, await tx.maybe(Order, "SELECT " + COLUMNS + " WHERE o.id = %(order_id)s", order_id=order_id)
    )


async def find_by_placer(tx: Transaction, *, facility_code: str, placer: str, placer_number: str) -> Order | None:
    """The order of a placer's number."""
    return await _with_procedures(
        tx,
        await tx.maybe(
            Order,
            "SELECT "
            + COLUMNS
            + """
            WHERE o.facility_code = %(facility_code)s
              AND o.placer = %(placer)s
              AND o.placer_number = %(placer_number)s
            """,
            facility_code=facility_code,
            placer=placer,
            placer_number=placer_number,
        ),
    )


async def load(tx: Transaction, order_id: UUID | None, *, visible_to: Actor) -> Order:
    """An order that the reader may see. Raises NotFound."""
    where = Where()
    where.add("o.id = {order_id}", order_id=order_id)
    add_visible(where, visible_to)
    found = await tx.maybe(Order, "SELECT " + COLUMNS + " WHERE " + where.condition, **where.parameters)
    order = await _with_procedures(tx, found)
    if order is None:
        raise NotFound("There is no such order. Name it by its id.")
    return order


async def lock(tx: Transaction, order_id: UUID | None, *, visible_to: Actor) -> Order:
    """The same, kept from all others until the transaction ends. Raises NotFound."""
    await tx.run("SELECT FROM orders WHERE id = %(order_id)s FOR NO KEY UPDATE", order_id=order_id)
    return await load(tx, order_id, visible_to=visible_to)


async def _with_procedures(tx: Transaction, order: Order | None) -> Order | None:
    if order is None:
        return None
    procedures = await tx.all(
        RequestedProcedure,
        """
        SELECT id, position, requested_procedure_id, study_instance_uid, modality, content
        FROM requested_procedures
        WHERE order_id = %(order_id)s
          AND removed_at IS NULL
        ORDER BY position
        """,
        order_id=order.id,
    )
    return replace(order, procedures=tuple(procedures))


async def newest_start(tx: Transaction, study_instance_uid: str) -> datetime | None:
    """When the worklist item of a procedure starts."""
    return await tx.value(
        """
        SELECT scheduled_start
        FROM scheduled_procedure_steps
        WHERE study_instance_uid = %(uid)s
        ORDER BY id DESC
        LIMIT 1
        """,
        uid=study_instance_uid,
    )
