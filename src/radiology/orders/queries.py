"""SQL of orders. `o` is orders, `r` one of its requested procedures."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor, Reach
from radiology.errors import NotFound
from radiology.kit.db import Transaction, Where, as_json
from radiology.orders.model import Order, RequestedProcedure
from radiology.patients.model import Patient

COLUMNS: LiteralString = """
    o.id, o.facility_code, o.placer, o.placer_number, o.accession_number, o.status, o.intent, o.priority, o.version,
    o.patient_id, p.reference AS patient_reference, o.occurrence, o.authored_on, o.content, o.released
    FROM orders AS o
    JOIN patients AS p ON p.id = o.patient_id
"""


MADE: LiteralString = """
    requested_procedures AS r
    LEFT JOIN LATERAL (
        SELECT w.id, w.status, w.study_instance_uid, w.scheduled_start
        FROM scheduled_procedure_steps AS w
        WHERE w.service_request = 'ServiceRequest/' || r.order_id
          AND w.requested_procedure_id = r.requested_procedure_id
        ORDER BY w.id DESC
        LIMIT 1
    ) AS step ON true
    LEFT JOIN LATERAL (
        SELECT s.id, s.study_instance_uid, s.status, s.match, s.number_of_instances
        FROM imaging_studies AS s
        WHERE s.study_instance_uid = coalesce(step.study_instance_uid, r.study_instance_uid)
           OR s.planned_study_instance_uid = coalesce(step.study_instance_uid, r.study_instance_uid)
        ORDER BY s.number_of_instances > 0 DESC, s.id
        LIMIT 1
    ) AS study ON true
"""
"""Procedures with what was made of them: the item of each in the worklist, and its study."""


def add_visible(where: Where, visible_to: Actor) -> None:
    """Orders of the reader's facilities, but none that has a sensitive study which the reader does not see in full."""
    reach = visible_to.staff_reach
    reach.add_facility(where, "o.facility_code")
    add_seen(where, reach)


def add_seen(where: Where, reach: Reach) -> None:
    """Orders of which every study is seen in full."""
    if not reach.sees_sensitive:
        where.clauses.append(
            "NOT EXISTS (SELECT FROM "
            + MADE
            + " JOIN imaging_studies AS told ON told.id = study.id WHERE r.order_id = o.id AND NOT "
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
            asked_start, content)
        SELECT added.id, %(order_id)s, added.position, added.requested_procedure_id, added.study_instance_uid,
            added.modality, added.asked_start, added.content
        FROM json_to_recordset(%(rows)s) AS added (id uuid, position integer, requested_procedure_id text,
            study_instance_uid text, modality text, asked_start timestamptz, content jsonb)
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
                    "asked_start": each.asked_start,
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


async def is_said(tx: Transaction, order_id: UUID, content: Mapping[str, Any]) -> bool:
    """Whether this is what the order says now."""
    return await tx.value(
        """
        SELECT content = %(content)s::jsonb
        FROM order_history
        WHERE order_id = %(order_id)s
          AND content IS NOT NULL
        ORDER BY id DESC
        LIMIT 1
        """,
        order_id=order_id,
        content=as_json(content),
    )


async def what_is_said(tx: Transaction, order_id: UUID) -> dict[str, Any]:
    """What the order says now, as it was said."""
    return await tx.value(
        """
        SELECT content
        FROM order_history
        WHERE order_id = %(order_id)s
          AND content IS NOT NULL
        ORDER BY id DESC
        LIMIT 1
        """,
        order_id=order_id,
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


async def order_of_study(tx: Transaction, study_id: UUID) -> UUID | None:
    """The order that a study belongs to, where it is one of ours."""
    return await tx.value(
        """
        SELECT o.id
        FROM imaging_studies AS s
        JOIN orders AS o ON 'ServiceRequest/' || o.id = s.service_request
        WHERE s.id = %(study_id)s
        """,
        study_id=study_id,
    )


async def orders_about(tx: Transaction, study_instance_uids: Sequence[str]) -> list[UUID]:
    """The orders that studies belong to, or were planned for."""
    return await tx.values(
        """
        SELECT o.id
        FROM imaging_studies AS s
        JOIN orders AS o ON 'ServiceRequest/' || o.id = s.service_request
        WHERE s.study_instance_uid = ANY(%(uids)s)
        UNION
        SELECT o.id
        FROM scheduled_procedure_steps AS w
        JOIN orders AS o ON 'ServiceRequest/' || o.id = w.service_request
        WHERE w.study_instance_uid = ANY(%(uids)s)
        UNION
        SELECT order_id
        FROM requested_procedures
        WHERE study_instance_uid = ANY(%(uids)s)
        """,
        uids=list(study_instance_uids),
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


async def lock_by_placer(tx: Transaction, *, facility_code: str, placer: str, placer_number: str) -> Order | None:
    """The order of a placer's number, kept from all others until the transaction ends."""
    await hold(tx, f"{facility_code} {placer} {placer_number}")
    found = await find_by_placer(tx, facility_code=facility_code, placer=placer, placer_number=placer_number)
    return None if found is None else await relock(tx, found.id)


async def relock(tx: Transaction, order_id: UUID) -> Order:
    """An order that was found, kept from all others until the transaction ends. Raises NotFound."""
    await tx.run("SELECT FROM orders WHERE id = %(order_id)s FOR NO KEY UPDATE", order_id=order_id)
    found = await find(tx, order_id)
    if found is None:
        raise NotFound("There is no such order.")
    return found


async def _with_procedures(tx: Transaction, order: Order | None) -> Order | None:
    if order is None:
        return None
    procedures = await tx.all(
        RequestedProcedure,
        """
        SELECT r.id, r.position, r.requested_procedure_id,
            coalesce(step.study_instance_uid, r.study_instance_uid) AS study_instance_uid, r.modality, r.content,
            r.asked_start, step.id AS step_id, step.status AS step_status, study.id AS study_id,
            study.status AS study_status, study.match AS study_match,
            coalesce(study.number_of_instances, 0) AS number_of_instances
        FROM """
        + MADE
        + """
        WHERE r.order_id = %(order_id)s
          AND r.removed_at IS NULL
        ORDER BY r.position
        """,
        order_id=order.id,
    )
    return replace(order, procedures=tuple(procedures))


async def last_position(tx: Transaction, order_id: UUID) -> int:
    """The position of the last procedure that an order ever had."""
    return await tx.value(
        "SELECT coalesce(max(position), 0) FROM requested_procedures WHERE order_id = %(order_id)s", order_id=order_id
    )


async def save(tx: Transaction, order: Order) -> Order:
    """An order that is locked, as it shall be; returns it with its new version."""
    version: int = await tx.value(
        """
        UPDATE orders
        SET placer = %(placer)s,
            placer_number = %(placer_number)s,
            status = %(status)s,
            intent = %(intent)s,
            priority = %(priority)s,
            occurrence = %(occurrence)s,
            authored_on = %(authored_on)s,
            content = %(content)s,
            released = %(released)s,
            version = version + 1,
            updated_at = now()
        WHERE id = %(id)s
        RETURNING version
        """,
        id=order.id,
        placer=order.placer,
        placer_number=order.placer_number,
        status=order.status,
        intent=order.intent,
        priority=order.priority,
        occurrence=order.occurrence,
        authored_on=order.authored_on,
        content=as_json(order.content),
        released=order.released,
    )
    return replace(order, version=version)


async def save_procedure(tx: Transaction, procedure: RequestedProcedure) -> None:
    """What is said of a procedure from now on."""
    await tx.run(
        "UPDATE requested_procedures SET modality = %(modality)s, content = %(content)s WHERE id = %(id)s",
        id=procedure.id,
        modality=procedure.modality,
        content=as_json(procedure.content),
    )


async def remove_procedure(tx: Transaction, procedure_id: UUID) -> None:
    """A change of the order leaves it out."""
    await tx.run("UPDATE requested_procedures SET removed_at = now() WHERE id = %(id)s", id=procedure_id)


async def note_start(tx: Transaction, procedure_id: UUID, start: datetime) -> None:
    """The start that the order gives to the item of a procedure."""
    await tx.run(
        "UPDATE requested_procedures SET asked_start = %(start)s WHERE id = %(id)s", id=procedure_id, start=start
    )


async def patient_of(tx: Transaction, patient_id: UUID) -> Patient:
    """The patient of an order, as the registry knows him or her. Raises NotFound."""
    return await tx.one(
        Patient,
        """
        SELECT id, reference, patient_id, issuer_of_patient_id, patient_name, birth_date, sex
        FROM patients
        WHERE id = %(patient_id)s
        """,
        patient_id=patient_id,
    )
