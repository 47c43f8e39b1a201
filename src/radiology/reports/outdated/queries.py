"""SQL of reports whose images changed after they were signed."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit import pages
from radiology.kit.db import Transaction, Where
from radiology.reports.outdated.model import Cause, Task

_PLACE: LiteralString = """
    INSERT INTO outdated_reports (report_id, study_id, report_version, cause, instances, priority, assigned_to, since,
        due_at)
    SELECT report.id, study.id, report.version, %(cause)s, changed.instances, urgency.priority,
        report.approver->>'id', %(now)s, %(now)s + make_interval(hours => CASE urgency.priority
            WHEN 'stat' THEN 1 WHEN 'urgent' THEN 4 ELSE 24 END)
    FROM radiology_reports AS report
    JOIN imaging_studies AS study ON study.id = report.study_id
    LEFT JOIN LATERAL (
        SELECT max(closed_at) AS at FROM outdated_reports AS earlier WHERE earlier.report_id = report.id
    ) AS reviewed ON true
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN bool_or(item.details->>'priority' = 'STAT') THEN 'stat'
            WHEN bool_or(item.details->>'priority' = 'HIGH') THEN 'urgent'
            ELSE 'routine'
        END AS priority
        FROM scheduled_procedure_steps AS item
        WHERE item.study_instance_uid = coalesce(study.planned_study_instance_uid, study.study_instance_uid)
           OR item.service_request = study.service_request
    ) AS urgency
"""
_SIGNED: LiteralString = """
    WHERE report.status IN ('final', 'amended', 'corrected', 'appended')
      AND changed.instances > 0
"""
_RETURNING: LiteralString = """
    RETURNING id, report_id, study_id, report_version, cause, instances, priority, assigned_to, xmax = 0 AS is_new,
        (SELECT report_id FROM radiology_reports AS r WHERE r.id = outdated_reports.report_id) AS report_name,
        (SELECT status FROM radiology_reports AS r WHERE r.id = outdated_reports.report_id) AS report_status,
        (SELECT facility_code FROM imaging_studies AS s WHERE s.id = outdated_reports.study_id) AS facility_code
"""
_TASK: LiteralString = """
    SELECT task.id, task.report_id, report.report_id AS report_name, task.study_id, study.facility_code,
        report.version AS report_version, report.status AS report_status, task.cause, task.instances, task.priority,
        task.assigned_to
    FROM outdated_reports AS task
    JOIN radiology_reports AS report ON report.id = task.report_id
    JOIN imaging_studies AS study ON study.id = task.study_id
"""


async def place_late(tx: Transaction, study_ids: Sequence[UUID], *, now: datetime) -> list[Task]:
    """A task for each signed report of these studies for which images came since it was signed, or looked at last.

    Images are what has rows and columns: dose reports, presentation states, key objects and documents have none.
    """
    return await tx.all(
        Task,
        _PLACE
        + """
    CROSS JOIN LATERAL (
        SELECT count(*) AS instances
        FROM instances
        WHERE instances.study_id = study.id
          AND instances.pixel_rows IS NOT NULL
          AND instances.stored_at > greatest(report.issued, reviewed.at)
    ) AS changed
    """
        + _SIGNED
        + """
      AND study.id = ANY(%(ids)s)
    ON CONFLICT (report_id) WHERE closed_at IS NULL DO UPDATE
    SET instances = greatest(excluded.instances, outdated_reports.instances)
    """
        + _RETURNING,
        ids=list(study_ids),
        now=now,
        cause=Cause.LATE,
    )


async def place_rejected(tx: Transaction, rejection_ids: Sequence[UUID], *, now: datetime) -> list[Task]:
    """A task for each signed report that was made from images which these rejections hide."""
    return await tx.all(
        Task,
        _PLACE
        + """
    CROSS JOIN LATERAL (
        SELECT count(*) AS instances
        FROM rejected_instances AS hidden
        WHERE hidden.rejection_id = ANY(%(ids)s)
          AND hidden.study_id = study.id
          AND hidden.pixel_rows IS NOT NULL
          AND hidden.stored_at <= greatest(report.issued, reviewed.at)
    ) AS changed
    """
        + _SIGNED
        + """
      AND study.id IN (SELECT study_id FROM rejected_instances WHERE rejection_id = ANY(%(ids)s))
    ON CONFLICT (report_id) WHERE closed_at IS NULL DO NOTHING
    """
        + _RETURNING,
        ids=list(rejection_ids),
        now=now,
        cause=Cause.REJECTED,
    )


async def close_settled(tx: Transaction, *, now: datetime) -> list[UUID]:
    """Close what a new version of the report, or its withdrawal, has settled. Returns the studies."""
    return await tx.values(
        """
        UPDATE outdated_reports AS task
        SET closed_at = %(now)s,
            resolution = CASE WHEN report.status = 'entered-in-error' THEN 'withdrawn' ELSE 'new-version' END
        FROM radiology_reports AS report
        WHERE task.closed_at IS NULL
          AND report.id = task.report_id
          AND (report.status = 'entered-in-error'
            OR (report.version > task.report_version AND report.status IN ('amended', 'corrected', 'appended')))
        RETURNING task.study_id
        """,
        now=now,
    )


async def lock_overdue(tx: Transaction, *, now: datetime) -> list[Task]:
    """Open tasks whose time has passed, and nobody was told, at most 100; told from now on."""
    return await tx.all(
        Task,
        """
        WITH overdue AS (
            SELECT id
            FROM outdated_reports
            WHERE closed_at IS NULL
              AND due_at <= %(now)s
              AND escalated_at IS NULL
            ORDER BY due_at
            LIMIT 100
            FOR UPDATE SKIP LOCKED
        ), escalated AS (
            UPDATE outdated_reports
            SET escalated_at = %(now)s
            FROM overdue
            WHERE outdated_reports.id = overdue.id
        )
        """
        + _TASK
        + """
        WHERE task.id IN (SELECT id FROM overdue)
        """,
        now=now,
    )


async def lock_open(tx: Transaction, report_id: UUID) -> Task | None:
    """The open task of a report that is locked."""
    return await tx.maybe(
        Task,
        _TASK
        + """
        WHERE task.report_id = %(report_id)s
          AND task.closed_at IS NULL
        FOR UPDATE OF task
        """,
        report_id=report_id,
    )


async def was_ever_outdated(tx: Transaction, report_id: UUID) -> bool:
    """Whether a report that was resolved reads differently at times without a new version of it."""
    return await tx.value(
        "SELECT EXISTS (SELECT FROM outdated_reports WHERE report_id = %(report_id)s)", report_id=report_id
    )


async def note_in_studies(tx: Transaction, study_ids: Sequence[UUID]) -> None:
    """What these studies say of their reports has changed: they are new versions of themselves."""
    await tx.run(
        "UPDATE imaging_studies SET version = version + 1, updated_at = now() WHERE id = ANY(%(ids)s)",
        ids=list(study_ids),
    )


async def save_review(tx: Transaction, task_id: UUID, *, by: str, at: datetime, comment: str, signature: bytes) -> None:
    """Close a task that is locked: somebody has looked, and nothing changes."""
    await tx.run(
        """
        UPDATE outdated_reports
        SET closed_at = %(at)s,
            closed_by = %(by)s,
            resolution = 'reviewed-no-change',
            comment = %(comment)s,
            signature_sha256 = %(signature)s
        WHERE id = %(task_id)s
        """,
        task_id=task_id,
        by=by,
        at=at,
        comment=comment,
        signature=signature,
    )


async def open_tasks(
    tx: Transaction,
    *,
    visible_to: Actor,
    assigned_to: str | None,
    now: datetime,
    after: tuple[datetime, UUID] | None,
    limit: int,
    zone: str,
) -> tuple[bytes, str | None]:
    """One page of open tasks as a JSON array, by when they are due, and the cursor of the page behind it."""
    where = Where(["task.closed_at IS NULL"])
    visible_to.reach.add_to(where, "study")
    if assigned_to is not None:
        where.add("task.assigned_to = {actor}", actor=assigned_to)
    if after is not None:
        where.add("(task.due_at, task.id) > ({due}, {id})", due=after[0], id=after[1])
    rows: list[Any] = await tx.values(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT json_build_array(json_strip_nulls(json_build_object(
                'reportId', report.report_id, 'studyId', study.study_id, 'studyInstanceUID', study.study_instance_uid,
                'facilityCode', study.facility_code, 'status', report.status, 'cause', task.cause,
                'instances', task.instances, 'priority', task.priority, 'assignedTo', task.assigned_to,
                'since', task.since, 'dueAt', task.due_at, 'overdue', task.due_at <= %(now)s,
                'escalatedAt', task.escalated_at
            )), task.due_at AT TIME ZONE 'UTC', task.id)::text
        FROM shown, outdated_reports AS task
        JOIN radiology_reports AS report ON report.id = task.report_id
        JOIN imaging_studies AS study ON study.id = task.study_id
        WHERE """
        + where.condition
        + """
        ORDER BY task.due_at, task.id
        LIMIT %(limit)s
        """,
        zone=zone,
        now=now,
        limit=limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=limit)
