"""SQL of everything that is held of one patient, as JSON of the rows themselves."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from uuid import UUID

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where
from radiology.orders.queries import add_seen


async def person(tx: Transaction, patient_id: UUID) -> bytes:
    """Who it is."""
    return await tx.json("SELECT to_jsonb(p)::text FROM patients AS p WHERE p.id = %(id)s", id=patient_id)


async def study_uids(tx: Transaction, patient_id: UUID, *, visible_to: Actor) -> list[str]:
    """The Study Instance UIDs of a patient, oldest first."""
    where = _studies(patient_id, visible_to)
    return await tx.values(
        "SELECT s.study_instance_uid FROM imaging_studies AS s WHERE "
        + where.condition
        + " ORDER BY s.study_date NULLS FIRST, s.study_instance_uid",
        **where.parameters,
    )


async def studies(tx: Transaction, patient_id: UUID, *, visible_to: Actor) -> bytes:
    """The studies of a patient with their series."""
    where = _studies(patient_id, visible_to)
    return await tx.json(
        """
        SELECT coalesce(jsonb_agg(to_jsonb(s) || jsonb_build_object('series', (
            SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.series_number, e.series_instance_uid), '[]')
            FROM imaging_series AS e
            WHERE e.study_id = s.id
        )) ORDER BY s.study_date NULLS FIRST, s.study_instance_uid), '[]')::text
        FROM imaging_studies AS s
        WHERE """
        + where.condition,
        **where.parameters,
    )


async def reports(tx: Transaction, patient_id: UUID, *, signed_only: bool, visible_to: Actor) -> bytes:
    """The reports of these studies with their signed versions."""
    where = _studies(patient_id, visible_to)
    where.add(
        "(NOT {signed_only} OR r.status IN ('final', 'amended', 'corrected', 'appended'))", signed_only=signed_only
    )
    return await tx.json(
        """
        SELECT coalesce(jsonb_agg(to_jsonb(r) || jsonb_build_object('versions', (
            SELECT coalesce(jsonb_agg(to_jsonb(v) ORDER BY v.version_no), '[]')
            FROM report_versions AS v
            WHERE v.report_id = r.id
        )) ORDER BY r.created_at), '[]')::text
        FROM radiology_reports AS r
        JOIN imaging_studies AS s ON s.id = r.study_id
        WHERE """
        + where.condition,
        **where.parameters,
    )


async def orders(tx: Transaction, patient_id: UUID, *, visible_to: Actor) -> bytes:
    """Orders with their procedures, what happened to them, and what is attached."""
    where = Where()
    where.add("o.patient_id = {patient_id}", patient_id=patient_id)
    add_seen(where, visible_to.reach)
    return await tx.json(
        """
        SELECT coalesce(jsonb_agg(to_jsonb(o) || jsonb_build_object('procedures', (
            SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.position), '[]')
            FROM requested_procedures AS r
            WHERE r.order_id = o.id
        ), 'history', (
            SELECT coalesce(jsonb_agg(to_jsonb(h) ORDER BY h.id), '[]')
            FROM order_history AS h
            WHERE h.order_id = o.id
        ), 'attachments', (
            SELECT coalesce(jsonb_agg(to_jsonb(a) - 'object_key' ORDER BY a.attached_at), '[]')
            FROM order_attachments AS a
            WHERE a.order_id = o.id
        )) ORDER BY o.created_at), '[]')::text
        FROM orders AS o
        WHERE """
        + where.condition,
        **where.parameters,
    )


async def scheduled(tx: Transaction, patient_id: UUID) -> bytes:
    """Scheduled procedure steps: the orders of the worklist."""
    return await tx.json(
        """
        SELECT coalesce(jsonb_agg(to_jsonb(w) ORDER BY w.scheduled_start), '[]')::text
        FROM scheduled_procedure_steps AS w
        JOIN patients AS p ON p.id = %(id)s
        WHERE p.patient_id <> ''
          AND w.patient_id = p.patient_id
          AND w.issuer_of_patient_id IN ('', p.issuer_of_patient_id)
        """,
        id=patient_id,
    )


async def workitems(tx: Transaction, patient_id: UUID) -> bytes:
    """Unified procedure steps (PS3.4 CC)."""
    return await tx.json(
        """
        SELECT coalesce(jsonb_agg(to_jsonb(w) - 'transaction_uid' ORDER BY w.scheduled_start_at), '[]')::text
        FROM workitems AS w
        JOIN patients AS p ON p.id = %(id)s
        WHERE p.patient_id <> ''
          AND w.attributes->'00100020'->'Value'->>0 = p.patient_id
        """,
        id=patient_id,
    )


async def performed(tx: Transaction, study_instance_uids: list[str]) -> bytes:
    """Performed procedure steps of these studies."""
    return await tx.json(
        """
        SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY f.started_at), '[]')::text
        FROM performed_procedure_steps AS f
        WHERE f.study_instance_uids && %(uids)s
        """,
        uids=study_instance_uids,
    )


async def links(tx: Transaction, study_instance_uids: list[str]) -> bytes:
    """Links to these studies, and when each was opened; nothing that would open one."""
    return await tx.json(
        """
        SELECT coalesce(jsonb_agg(to_jsonb(l) - 'secret_sha256' - 'pin_hash' || jsonb_build_object('openings', (
            SELECT coalesce(jsonb_agg(to_jsonb(o) - 'link_id' ORDER BY o.opened_at), '[]')
            FROM link_openings AS o
            WHERE o.link_id = l.id
        )) ORDER BY l.made_at), '[]')::text
        FROM study_links AS l
        WHERE l.study_instance_uid = ANY(%(uids)s)
        """,
        uids=study_instance_uids,
    )


def _studies(patient_id: UUID, reader: Actor) -> Where:
    where = Where()
    where.add("s.patient_id = {patient_id}", patient_id=patient_id)
    reader.reach.add_to(where, "s")
    return where
