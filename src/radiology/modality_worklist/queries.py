"""SQL of scheduled procedure steps and station pools. `w` is scheduled_procedure_steps, `p` its pool."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where, as_json
from radiology.modality_worklist.criteria import Criteria, conditions_of
from radiology.modality_worklist.model import ScheduledProcedureStep, Station

COLUMNS: LiteralString = """
    w.id, w.scheduled_procedure_step_id, w.facility_code, w.status, w.status_trigger, w.status_reason, w.version,
    w.service_request, w.accession_number, w.requested_procedure_id, w.study_instance_uid, w.modality,
    w.station_ae_titles, w.station_pool, w.scheduled_start, w.patient_id, w.issuer_of_patient_id, w.patient_name,
    w.details, p.ae_titles AS pool_ae_titles
    FROM scheduled_procedure_steps AS w
    LEFT JOIN station_pools AS p ON p.facility_code = w.facility_code AND p.name = w.station_pool
"""

BODY: LiteralString = """(w.details || jsonb_strip_nulls(jsonb_build_object(
        'id', w.id, 'version', w.version, 'status', w.status, 'statusTrigger', w.status_trigger,
        'statusReason', w.status_reason, 'facilityCode', w.facility_code,
        'scheduledProcedureStepId', w.scheduled_procedure_step_id, 'serviceRequest', w.service_request,
        'accessionNumber', w.accession_number, 'requestedProcedureId', w.requested_procedure_id,
        'studyInstanceUID', w.study_instance_uid, 'start', w.scheduled_start,
        'createdAt', w.created_at, 'updatedAt', w.updated_at)))"""
"""One item; moments are shown in the zone that `shown` has set for this transaction."""


async def next_number(tx: Transaction) -> int:
    """A number that no item had before."""
    return await tx.value("SELECT nextval('worklist_number')")


async def other_patient_with(tx: Transaction, *, accession_number: str, study_instance_uid: str, facility_code: str,
                             patient_id: str, issuer: str) -> bool:  # fmt: skip
    """Whether an accession number or study is taken by an item of another patient."""
    return await tx.value(
        """
        SELECT EXISTS (
            SELECT 1
            FROM scheduled_procedure_steps
            WHERE (study_instance_uid = %(uid)s
                OR (accession_number = %(accession_number)s AND facility_code = %(facility_code)s))
              AND (patient_id, issuer_of_patient_id) <> (%(patient_id)s, %(issuer)s)
        )
        """,
        uid=study_instance_uid,
        accession_number=accession_number,
        facility_code=facility_code,
        patient_id=patient_id,
        issuer=issuer,
    )


async def insert(tx: Transaction, columns: dict[str, Any]) -> None:
    """Add an item. `columns` holds every parameter below."""
    await tx.run(
        """
        INSERT INTO scheduled_procedure_steps (id, scheduled_procedure_step_id, facility_code, service_request,
            accession_number, requested_procedure_id, study_instance_uid, modality, station_ae_titles, station_pool,
            scheduled_start, patient_id, issuer_of_patient_id, patient_name, patient_name_match, patient_name_keys,
            performing_physician_match, details)
        VALUES (%(id)s, %(scheduled_procedure_step_id)s, %(facility_code)s, %(service_request)s,
            %(accession_number)s, %(requested_procedure_id)s, %(study_instance_uid)s, %(modality)s,
            %(station_ae_titles)s, %(station_pool)s, %(scheduled_start)s, %(patient_id)s, %(issuer_of_patient_id)s,
            %(patient_name)s, %(patient_name_match)s, %(patient_name_keys)s, %(performing_physician_match)s,
            %(details)s)
        """,
        **{**columns, "details": as_json(columns["details"])},
    )


async def save(tx: Transaction, columns: dict[str, Any]) -> None:
    """Change an item that is locked. `columns` holds every parameter below."""
    await tx.run(
        """
        UPDATE scheduled_procedure_steps
        SET service_request = %(service_request)s,
            accession_number = %(accession_number)s,
            requested_procedure_id = %(requested_procedure_id)s,
            study_instance_uid = %(study_instance_uid)s,
            modality = %(modality)s,
            station_ae_titles = %(station_ae_titles)s,
            station_pool = %(station_pool)s,
            scheduled_start = %(scheduled_start)s,
            patient_id = %(patient_id)s,
            issuer_of_patient_id = %(issuer_of_patient_id)s,
            patient_name = %(patient_name)s,
            patient_name_match = %(patient_name_match)s,
            patient_name_keys = %(patient_name_keys)s,
            performing_physician_match = %(performing_physician_match)s,
            details = %(details)s,
            version = version + 1,
            updated_at = now()
        WHERE id = %(id)s
        """,
        **{**columns, "details": as_json(columns["details"])},
    )


async def save_status(tx: Transaction, step_id: UUID, *, status: str, trigger: str, reason: str | None) -> None:
    """A new status of an item that is locked, and what gave it."""
    await tx.run(
        """
        UPDATE scheduled_procedure_steps
        SET status = %(status)s,
            status_trigger = %(trigger)s,
            status_reason = %(reason)s,
            version = version + 1,
            updated_at = now()
        WHERE id = %(step_id)s
        """,
        step_id=step_id,
        status=status,
        trigger=trigger,
        reason=reason,
    )


async def record_transition(
    tx: Transaction, step_id: UUID, *, from_status: str | None, to_status: str, trigger: str, actor: str,
    reason: str | None = None,
) -> None:  # fmt: skip
    """One line of an item's history."""
    await tx.run(
        """
        INSERT INTO scheduled_procedure_step_transitions (step_id, from_status, to_status, trigger, actor, reason)
        VALUES (%(step_id)s, %(from_status)s, %(to_status)s, %(trigger)s, %(actor)s, %(reason)s)
        """,
        step_id=step_id,
        from_status=from_status,
        to_status=to_status,
        trigger=trigger,
        actor=actor,
        reason=reason,
    )


async def load(tx: Transaction, step_id: UUID | None, *, visible_to: Actor) -> ScheduledProcedureStep:
    """One item. Raises NotFound."""
    where = Where()
    where.add("w.id = {step_id}", step_id=step_id)
    visible_to.staff_reach.add_to_row(where, facility="w.facility_code", uid="w.study_instance_uid")
    found = await tx.maybe(
        ScheduledProcedureStep, "SELECT " + COLUMNS + " WHERE " + where.condition, **where.parameters
    )
    if found is None:
        raise NotFound("There is no such item in the worklist. Name it by its id.")
    return found


async def lock(tx: Transaction, step_id: UUID | None, *, visible_to: Actor) -> ScheduledProcedureStep:
    """One item, kept from all others until the transaction ends. Raises NotFound."""
    await tx.run("SELECT 1 FROM scheduled_procedure_steps WHERE id = %(step_id)s FOR UPDATE", step_id=step_id)
    return await load(tx, step_id, visible_to=visible_to)


async def lock_open_of_study(tx: Transaction, study_instance_uid: str) -> list[ScheduledProcedureStep]:
    """The items of a study that are not at their end, kept from all others until the transaction ends."""
    return await tx.all(
        ScheduledProcedureStep,
        "SELECT "
        + COLUMNS
        + """
        WHERE w.study_instance_uid = %(uid)s
          AND w.status IN ('SCHEDULED', 'ARRIVED', 'READY', 'STARTED')
        ORDER BY w.id
        FOR UPDATE OF w
        """,
        uid=study_instance_uid,
    )


async def lock_left_over(tx: Transaction, *, before: datetime, limit: int) -> list[ScheduledProcedureStep]:
    """Items that are not at their end, though they were to start so long ago and have not changed since."""
    return await tx.all(
        ScheduledProcedureStep,
        "SELECT "
        + COLUMNS
        + """
        WHERE w.status IN ('SCHEDULED', 'ARRIVED', 'READY', 'STARTED')
          AND w.scheduled_start < %(before)s
          AND w.updated_at < %(before)s
        ORDER BY w.scheduled_start
        LIMIT %(limit)s
        FOR UPDATE OF w SKIP LOCKED
        """,
        before=before,
        limit=limit,
    )


async def body(tx: Transaction, step_id: UUID, *, zone: str) -> bytes:
    """An item that was loaded or written, as JSON."""
    return await tx.json(
        "WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true)) SELECT "
        + BODY
        + "::text FROM shown, scheduled_procedure_steps AS w WHERE w.id = %(step_id)s",
        step_id=step_id,
        zone=zone,
    )


async def listed(tx: Transaction, criteria: Criteria, *, zone: str, visible_to: Actor) -> tuple[bytes, str | None]:
    """One page of items as a JSON array, latest start first, and the cursor of the page behind it."""
    where = Where()
    visible_to.staff_reach.add_to_row(where, facility="w.facility_code", uid="w.study_instance_uid")
    conditions_of(where, criteria)
    rows = await tx.values(
        "WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true)) SELECT json_build_array("
        + BODY
        + """, w.scheduled_start AT TIME ZONE 'UTC', w.id)::text
        FROM shown, scheduled_procedure_steps AS w
        WHERE """
        + where.condition
        + """
        ORDER BY w.scheduled_start DESC, w.id DESC
        LIMIT %(limit)s
        """,
        zone=zone,
        limit=criteria.limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=criteria.limit)


async def find(tx: Transaction, where: Where, *, limit: int) -> list[ScheduledProcedureStep]:
    """The items that satisfy the conditions of a worklist query, in the order of their start."""
    return await tx.all(
        ScheduledProcedureStep,
        "SELECT " + COLUMNS + " WHERE " + where.condition + " ORDER BY w.scheduled_start, w.id LIMIT %(limit)s",
        limit=limit,
        **where.parameters,
    )


async def station(tx: Transaction, ae_title: str, *, facility_code: str) -> Station:
    """Who asks, with the modalities of the pools that it is in."""
    modalities = await tx.values(
        """
        SELECT DISTINCT modality
        FROM station_pools
        WHERE facility_code = %(facility_code)s
          AND %(ae_title)s = ANY(ae_titles)
        """,
        facility_code=facility_code,
        ae_title=ae_title,
    )
    return Station(ae_title, facility_code, frozenset(modalities))


async def pools(tx: Transaction, *, facility_code: str) -> bytes:
    """The pools of a facility as a JSON array."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('name', name, 'modality', modality, 'aeTitles', ae_titles)
            ORDER BY name), '[]')::text
        FROM station_pools
        WHERE facility_code = %(facility_code)s
        """,
        facility_code=facility_code,
    )


async def save_pool(tx: Transaction, *, facility_code: str, name: str, modality: str, ae_titles: Sequence[str]) -> None:
    """Add a pool, or change the one of that name."""
    await tx.run(
        """
        INSERT INTO station_pools (facility_code, name, modality, ae_titles)
        VALUES (%(facility_code)s, %(name)s, %(modality)s, %(ae_titles)s)
        ON CONFLICT (facility_code, name) DO UPDATE
        SET modality = excluded.modality,
            ae_titles = excluded.ae_titles
        """,
        facility_code=facility_code,
        name=name,
        modality=modality,
        ae_titles=list(ae_titles),
    )


async def remove_pool(tx: Transaction, *, facility_code: str, name: str) -> int:
    """Forget a pool; returns how many were forgotten."""
    return await tx.run(
        "DELETE FROM station_pools WHERE facility_code = %(facility_code)s AND name = %(name)s",
        facility_code=facility_code,
        name=name,
    )
