"""SQL of reading orders: bodies come out of PostgreSQL as finished JSON, with how far each has come.

`o` is orders, `p` its patient.
"""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit import pages
from radiology.kit.db import Transaction, Where
from radiology.kit.ids import uuid_of
from radiology.orders.queries import MADE, add_visible
from radiology.studies.queries.read import either_form

PROGRESS: LiteralString = """CASE
        WHEN study.id IS NULL AND step.id IS NULL THEN 0
        WHEN EXISTS (
            SELECT FROM radiology_reports AS report
            WHERE report.study_id = study.id
              AND report.status IN ('final', 'amended', 'corrected', 'appended')
        ) THEN 7
        WHEN study.status = 'completed' THEN 6
        WHEN study.status = 'in-progress' OR step.status IN ('STARTED', 'COMPLETED') THEN 5
        WHEN step.status IN ('ARRIVED', 'READY') OR study.status = 'arrived' THEN 4
        WHEN step.status = 'SCHEDULED' THEN 3
        WHEN step.status = 'DISCONTINUED' THEN 2
        WHEN step.status = 'CANCELED' OR study.status IN ('cancelled', 'entered-in-error') THEN 1
        ELSE 0
    END"""
"""How far a procedure has come: its place in `NAMES`."""

NAMES: LiteralString = """(ARRAY['not-scheduled', 'cancelled', 'discontinued', 'scheduled', 'arrived', 'in-progress',
        'images-complete', 'reported'])"""

WHOLE: LiteralString = """CASE
        WHEN min(reached) FILTER (WHERE reached > 2) >= 6 AND min(reached) <> 0
            THEN min(reached) FILTER (WHERE reached > 2)
        WHEN max(reached) >= 5 THEN 5
        ELSE coalesce(max(reached), 0)
    END"""
"""The same of an order: of what is not given up the least, where all images are there; otherwise the farthest."""

MADE_OF: LiteralString = (
    """LATERAL (
        SELECT """
    + NAMES
    + "["
    + WHOLE
    + """ + 1] AS progress, jsonb_agg(body ORDER BY position) AS procedures
        FROM (
            SELECT reached, position, content || jsonb_strip_nulls(jsonb_build_object(
                'modality', modality, 'requestedProcedureId', requested_procedure_id, 'studyInstanceUID', uid,
                'worklistItem', step_id, 'worklistStatus', step_status, 'start', start, 'studyStatus', study_status,
                'numberOfInstances', number_of_instances, 'imagesStudyInstanceUID', images_uid, 'progress', """
    + NAMES
    + """[reached + 1])) AS body
            FROM (
                SELECT r.position, r.content, r.modality, r.requested_procedure_id,
                    coalesce(step.study_instance_uid, r.study_instance_uid) AS uid, step.id AS step_id,
                    step.status AS step_status, step.scheduled_start AS start, study.status AS study_status,
                    study.number_of_instances, CASE WHEN study.number_of_instances > 0
                        THEN nullif(study.study_instance_uid, coalesce(step.study_instance_uid, r.study_instance_uid))
                        END AS images_uid, """
    + PROGRESS
    + """ AS reached
                FROM """
    + MADE
    + """
                WHERE r.order_id = o.id
                  AND r.removed_at IS NULL
            ) AS each_one
        ) AS bodies
    ) AS made"""
)

BODY: LiteralString = """(o.content || jsonb_strip_nulls(jsonb_build_object(
        'id', o.id, 'version', o.version, 'status', o.status, 'progress', made.progress, 'intent', o.intent,
        'priority', o.priority, 'facilityCode', o.facility_code, 'placer', o.placer, 'placerNumber', o.placer_number,
        'accessionNumber', o.accession_number, 'occurrence', o.occurrence, 'authoredOn', o.authored_on,
        'patient', jsonb_build_object('reference', p.reference, 'id', nullif(p.patient_id, ''),
            'issuer', nullif(p.issuer_of_patient_id, ''), 'name', nullif(split_part(p.patient_name, '=', 1), ''),
            'nameBangla', nullif(split_part(p.patient_name, '=', 2), ''),
            'birthDate', CASE WHEN length(p.birth_date) = 8 THEN to_date(p.birth_date, 'YYYYMMDD') END,
            'sex', nullif(p.sex, '')),
        'procedures', made.procedures, 'createdAt', o.created_at, 'updatedAt', o.updated_at)))"""
"""One order; moments are shown in the zone that `shown` has set for this transaction."""

CHECK: LiteralString = """coalesce((
        SELECT jsonb_build_object('check', jsonb_build_object('decision', decision, 'ruleSetVersion', rule_set_version,
            'askedAt', asked_at, 'held', held, 'overrides', overrides, 'procedures', answers))
        FROM order_checks
        WHERE order_id = o.id
        ORDER BY asked_at DESC, id DESC
        LIMIT 1
    ), '{}')"""
"""What the rules said of it last."""

_SHOWN: LiteralString = "WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true)) SELECT "
_FROM: LiteralString = (
    " FROM shown, orders AS o JOIN patients AS p ON p.id = o.patient_id CROSS JOIN " + MADE_OF + " WHERE "
)


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a list of orders is narrowed by; all that is given must hold. `number`: placer or accession number."""

    order_id: str | None = None
    patient: str | None = None
    status: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    accession_number: str | None = None
    placer_number: str | None = None
    number: str | None = None
    study_instance_uid: str | None = None
    from_moment: datetime | None = None
    before_moment: datetime | None = None
    until_moment: datetime | None = None
    after: tuple[datetime, UUID] | None = None
    limit: int = 50


async def body(tx: Transaction, order_id: UUID, *, zone: str) -> bytes:
    """An order that was loaded or written, as JSON, with what the rules said of it last."""
    return await tx.json(
        _SHOWN + "(" + BODY + " || " + CHECK + ")::text" + _FROM + "o.id = %(order_id)s", order_id=order_id, zone=zone
    )


async def listed(tx: Transaction, criteria: Criteria, *, zone: str, visible_to: Actor) -> tuple[bytes, str | None]:
    """One page of orders as a JSON array, newest first, and the cursor of the page behind it."""
    where = Where()
    add_visible(where, visible_to)
    _add(where, criteria)
    rows = await tx.values(
        _SHOWN
        + "json_build_array("
        + BODY
        + ", o.created_at AT TIME ZONE 'UTC', o.id)::text"
        + _FROM
        + where.condition
        + " ORDER BY o.created_at DESC, o.id DESC LIMIT %(limit)s",
        zone=zone,
        limit=criteria.limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=criteria.limit)


def _add(where: Where, criteria: Criteria) -> None:
    if criteria.patient is not None:
        where.add(
            """o.patient_id IN (
                SELECT id FROM patients WHERE reference = ANY({references}) OR patient_id = {patient_id} OR id = {id}
            )""",
            references=either_form(criteria.patient, "Patient"),
            patient_id=criteria.patient.removeprefix("Patient/"),
            id=uuid_of(criteria.patient.removeprefix("Patient/")),
        )
    if criteria.status:
        where.add("o.status = ANY({status})", status=list(criteria.status))
    else:
        where.add("o.status <> 'entered-in-error'")
    if criteria.order_id is not None:
        where.add("o.id = {order_id}", order_id=uuid_of(criteria.order_id))
    if criteria.number is not None:
        where.add("{number} IN (o.placer_number, o.accession_number)", number=criteria.number)
    if criteria.priority:
        where.add("o.priority = ANY({priority})", priority=list(criteria.priority))
    if criteria.accession_number is not None:
        where.add("o.accession_number = {number}", number=criteria.accession_number)
    if criteria.placer_number is not None:
        where.add("o.placer_number = {number}", number=criteria.placer_number)
    _add_procedures(where, criteria)
    _add_moments(where, criteria)


def _add_procedures(where: Where, criteria: Criteria) -> None:
    if criteria.modality:
        where.add(
            """EXISTS (
                SELECT FROM requested_procedures AS asked
                WHERE asked.order_id = o.id AND asked.removed_at IS NULL AND asked.modality = ANY({modality})
            )""",
            modality=list(criteria.modality),
        )
    if criteria.study_instance_uid is not None:
        where.add(
            """o.id IN (
                SELECT order_id FROM requested_procedures WHERE study_instance_uid = {uid}
                UNION
                SELECT found.id
                FROM orders AS found
                JOIN imaging_studies AS s ON s.service_request = 'ServiceRequest/' || found.id
                WHERE s.study_instance_uid = {uid}
            )""",
            uid=criteria.study_instance_uid,
        )


def _add_moments(where: Where, criteria: Criteria) -> None:
    if criteria.from_moment is not None:
        where.add("o.created_at >= {moment}", moment=criteria.from_moment)
    if criteria.before_moment is not None:
        where.add("o.created_at < {moment}", moment=criteria.before_moment)
    if criteria.until_moment is not None:
        where.add("o.created_at <= {moment}", moment=criteria.until_moment)
    if criteria.after is not None:
        where.add("(o.created_at, o.id) < ({moment}, {id})", moment=criteria.after[0], id=criteria.after[1])


async def history(tx: Transaction, order_id: UUID, *, zone: str) -> bytes:
    """All that happened to an order that was loaded, oldest first, as a JSON array."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'version', version, 'verb', verb, 'from', from_status, 'to', to_status, 'actor', actor, 'reason', reason,
            'reasonCode', reason_code, 'content', content, 'at', occurred_at)) ORDER BY id), '[]')::text
        FROM shown, order_history
        WHERE order_id = %(order_id)s
        """,
        order_id=order_id,
        zone=zone,
    )
