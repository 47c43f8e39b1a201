"""SQL of what is known of studies: read from their tables, and kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.kit.db import Transaction, as_json
from radiology.quality.indicators.facts import Raw
from radiology.quality.indicators.model import Fact

_RAW: LiteralString = """
    SELECT s.id AS study_id, s.facility_code, s.status, s.modalities_in_study AS modalities, s.procedure_code,
        s.reason_code, coalesce(s.study_description, '') AS description, s.sensitive, s.started, s.completed,
        s.number_of_instances > 0 AS has_images, coalesce(f.ownership, 'public') AS ownership,
        o.priority AS order_priority, items.priority AS item_priority, least(o.authored_on, o.created_at) AS ordered_at,
        least(items.booked_at, moved.scheduled_at) AS scheduled_at,
        least(items.arrived_at, moved.arrived_at) AS arrived_at,
        (
            SELECT min(performed.started_at)
            FROM performed_procedure_steps AS performed
            WHERE performed.study_instance_uids && ARRAY[s.study_instance_uid, s.planned_study_instance_uid]::text[]
        ) AS performed_at,
        moved.first_completed, signed.preliminary_at, signed.final_at, reading.state AS reading_state,
        reading.modality AS reading_modality, reading.priority AS reading_priority,
        reading.subspecialty AS reading_subspecialty, reading.rvu AS reading_rvu,
        reading.sla_hours AS reading_sla_hours, reading.completed_at AS reading_completed_at,
        reading.deadline AS reading_deadline
    FROM imaging_studies AS s
    LEFT JOIN reading_items AS reading ON reading.study_id = s.id
    LEFT JOIN facilities AS f ON f.code = s.facility_code
    LEFT JOIN orders AS o ON 'ServiceRequest/' || o.id = s.service_request
    LEFT JOIN LATERAL (
        SELECT min(occurred_at) FILTER (WHERE to_status = 'completed') AS first_completed,
            min(occurred_at) FILTER (WHERE to_status = 'scheduled') AS scheduled_at,
            min(occurred_at) FILTER (WHERE to_status = 'arrived') AS arrived_at
        FROM study_transitions
        WHERE study_id = s.id
    ) AS moved ON true
    LEFT JOIN LATERAL (
        SELECT min(item.details->>'priority') AS priority, min(booked.made_at) AS booked_at,
            min(least(booked.arrived_at, waited.taken_at)) AS arrived_at
        FROM scheduled_procedure_steps AS item
        LEFT JOIN bookings AS booked ON booked.step_id = item.id AND booked.status IN ('booked', 'arrived')
        LEFT JOIN queue_tokens AS waited ON waited.step_id = item.id
        WHERE item.study_instance_uid IN (s.study_instance_uid, s.planned_study_instance_uid)
    ) AS items ON true
    LEFT JOIN LATERAL (
        SELECT min(version.signed_at) FILTER (WHERE version.status = 'preliminary') AS preliminary_at,
            min(version.signed_at) FILTER (WHERE version.status = 'final') AS final_at
        FROM radiology_reports AS report
        JOIN report_versions AS version ON version.report_id = report.id
        WHERE report.study_id = s.id
          AND report.status NOT IN ('cancelled', 'entered-in-error')
    ) AS signed ON true
    WHERE s.id = ANY(%(studies)s)
"""


async def raw_of(tx: Transaction, studies: Sequence[UUID]) -> list[Raw]:
    """What the tables say of these studies; of those that are there."""
    return await tx.all(Raw, _RAW, studies=list(studies))


async def studies_called(tx: Transaction, uids: Iterable[str], ids: Iterable[UUID]) -> list[UUID]:
    """The studies of these Study Instance UIDs, as they are or as they were planned, and of these ids."""
    return await tx.values(
        """
        SELECT id FROM imaging_studies WHERE study_instance_uid = ANY(%(uids)s)
        UNION
        SELECT id FROM imaging_studies WHERE planned_study_instance_uid = ANY(%(uids)s)
        UNION
        SELECT id FROM imaging_studies WHERE id = ANY(%(ids)s)
        """,
        uids=sorted(set(uids)),
        ids=sorted(set(ids)),
    )


async def studies_behind(tx: Transaction, last: UUID | None, *, limit: int) -> list[UUID]:
    """The ids of studies in their order, behind one."""
    return await tx.values(
        """
        SELECT id
        FROM imaging_studies
        WHERE %(last)s::uuid IS NULL OR id > %(last)s
        ORDER BY id
        LIMIT %(limit)s
        """,
        last=last,
        limit=limit,
    )


async def studies_of_silent_versions(tx: Transaction, *, since: datetime) -> list[UUID]:
    """Studies that somebody has shown a preliminary report of which the indicators do not know yet."""
    return await tx.values(
        """
        SELECT DISTINCT known.study_id
        FROM report_versions AS version
        JOIN radiology_reports AS report ON report.id = version.report_id
        JOIN indicator_studies AS known ON known.study_id = report.study_id
        WHERE version.signed_at >= %(since)s
          AND version.status = 'preliminary'
          AND report.status NOT IN ('cancelled', 'entered-in-error')
          AND known.preliminary_at IS NULL
        """,
        since=since,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    study_id: UUID
    facility_code: str
    modality: str
    priority: str
    subspecialty: str
    sensitive: bool
    ordered_at: datetime | None
    scheduled_at: datetime | None
    arrived_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    preliminary_at: datetime | None
    final_at: datetime | None
    deadline: datetime | None
    sla_hours: float
    rvu: float


async def kept(tx: Transaction, studies: Sequence[UUID]) -> dict[UUID, Fact]:
    """What is known of these studies; locked, so that two who look again do not count one change twice."""
    rows = await tx.all(
        _Row,
        """
        SELECT s.study_id, c.facility_code, c.modality, c.priority, c.subspecialty, c.sensitive, s.ordered_at,
            s.scheduled_at, s.arrived_at, s.started_at, s.completed_at, s.preliminary_at, s.final_at, s.deadline,
            s.sla_hours, s.rvu
        FROM indicator_studies AS s
        JOIN indicator_cells AS c ON c.id = s.cell_id
        WHERE s.study_id = ANY(%(studies)s)
        FOR NO KEY UPDATE OF s
        """,
        studies=list(studies),
    )
    return {row.study_id: _fact(row) for row in rows}


def _fact(row: _Row) -> Fact:
    return Fact(
        row.study_id, (row.facility_code, row.modality, row.priority, row.subspecialty, row.sensitive), row.sla_hours,
        row.rvu, row.ordered_at, row.scheduled_at, row.arrived_at, row.started_at, row.completed_at,
        row.preliminary_at, row.final_at, row.deadline,
    )  # fmt: skip


async def save(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Keep what is known of studies, new or anew."""
    rows: list[dict[str, Any]] = [
        {
            "study_id": each.study_id, "facility_code": each.cell[0], "modality": each.cell[1],
            "priority": each.cell[2], "subspecialty": each.cell[3], "sensitive": each.cell[4],
            "ordered_at": each.ordered_at, "scheduled_at": each.scheduled_at, "arrived_at": each.arrived_at,
            "started_at": each.started_at, "completed_at": each.completed_at, "preliminary_at": each.preliminary_at,
            "final_at": each.final_at, "deadline": each.deadline, "sla_hours": each.sla_hours, "rvu": each.rvu,
        }
        for each in facts
    ]  # fmt: skip
    await _add_cells(tx, {each.cell for each in facts})
    await tx.run(
        """
        INSERT INTO indicator_studies (study_id, cell_id, ordered_at, scheduled_at, arrived_at, started_at,
            completed_at, preliminary_at, final_at, deadline, sla_hours, rvu)
        SELECT r.study_id, c.id, r.ordered_at, r.scheduled_at, r.arrived_at, r.started_at, r.completed_at,
            r.preliminary_at, r.final_at, r.deadline, r.sla_hours, r.rvu
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (study_id uuid, facility_code text, modality text, priority text,
            subspecialty text, sensitive boolean, ordered_at timestamptz, scheduled_at timestamptz,
            arrived_at timestamptz, started_at timestamptz, completed_at timestamptz, preliminary_at timestamptz,
            final_at timestamptz, deadline timestamptz, sla_hours double precision, rvu double precision)
        JOIN indicator_cells AS c USING (facility_code, modality, priority, subspecialty, sensitive)
        ON CONFLICT (study_id) DO UPDATE
        SET cell_id = excluded.cell_id,
            ordered_at = excluded.ordered_at,
            scheduled_at = excluded.scheduled_at,
            arrived_at = excluded.arrived_at,
            started_at = excluded.started_at,
            completed_at = excluded.completed_at,
            preliminary_at = excluded.preliminary_at,
            final_at = excluded.final_at,
            deadline = excluded.deadline,
            sla_hours = excluded.sla_hours,
            rvu = excluded.rvu
        """,
        rows=as_json(rows),
    )


async def _add_cells(tx: Transaction, cells: Iterable[tuple[str, str, str, str, bool]]) -> None:
    """Cells are few and soon known: no number is used up for one that is there."""
    rows = [dict(zip(("facility_code", "modality", "priority", "subspecialty", "sensitive"), cell, strict=True))
            for cell in sorted(cells)]  # fmt: skip
    await tx.run(
        """
        INSERT INTO indicator_cells (facility_code, modality, priority, subspecialty, sensitive)
        SELECT facility_code, modality, priority, subspecialty, sensitive
        FROM jsonb_to_recordset(%(rows)s::jsonb)
            AS r (facility_code text, modality text, priority text, subspecialty text, sensitive boolean)
        WHERE NOT EXISTS (
            SELECT FROM indicator_cells AS c
            WHERE (c.facility_code, c.modality, c.priority, c.subspecialty, c.sensitive)
                = (r.facility_code, r.modality, r.priority, r.subspecialty, r.sensitive)
        )
        ON CONFLICT DO NOTHING
        """,
        rows=as_json(rows),
    )


async def forget(tx: Transaction, studies: Sequence[UUID]) -> None:
    """Studies count no more."""
    await tx.run("DELETE FROM indicator_studies WHERE study_id = ANY(%(studies)s)", studies=list(studies))


async def mark_bookings_due(
    tx: Transaction, source: str, studies: Sequence[UUID], *, zone: str, due_at: datetime
) -> None:
    """The days on which something is, or was, booked for these studies are to be counted again."""
    await tx.run(
        """
        INSERT INTO indicator_days_due (source, day, due_at)
        SELECT DISTINCT %(source)s, (change.begins AT TIME ZONE %(zone)s)::date, %(due_at)s::timestamptz
        FROM imaging_studies AS s
        JOIN scheduled_procedure_steps AS item
          ON item.study_instance_uid IN (s.study_instance_uid, s.planned_study_instance_uid)
        JOIN bookings AS booked ON booked.step_id = item.id
        JOIN booking_changes AS change ON change.booking_id = booked.id
        WHERE s.id = ANY(%(studies)s)
        ON CONFLICT (source, day) DO NOTHING
        """,
        source=source,
        studies=list(studies),
        zone=zone,
        due_at=due_at,
    )


async def mark_due(tx: Transaction, source: str, days: Iterable[date], *, due_at: datetime) -> None:
    """The sheets of these days are to be counted again; what is due already stays due."""
    await tx.run(
        """
        INSERT INTO indicator_days_due (source, day, due_at)
        SELECT %(source)s, day, %(due_at)s
        FROM unnest(%(days)s::date[]) AS day
        ORDER BY day
        ON CONFLICT (source, day) DO NOTHING
        """,
        source=source,
        days=sorted(set(days)),
        due_at=due_at,
    )
