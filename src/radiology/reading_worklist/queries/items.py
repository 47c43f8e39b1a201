"""SQL of rows of the reading worklist, and of what studies, orders and reports say that they are made of."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from radiology.kit.db import Transaction
from radiology.reading_worklist.items import Item

COLUMNS: LiteralString = """
    study_id, study_instance_uid, facility_code, patient_id, sensitive, sensitive_classes, modality, modalities,
    subspecialty, rvu, age_group, arriving, received_at, sla_hours, state, version, priority, at_once, procedure_key,
    region, certificates, patient_sex, inpatient, critical, completed_at, half_at, deadline, half_told_at,
    breach_told_at, assigned_to, offer_expires_at, claimed_by, claimed_at, locked_until, author, approver_differs,
    finished_at
"""
_VALUES: LiteralString = """
    %(study_id)s, %(study_instance_uid)s, %(facility_code)s, %(patient_id)s, %(sensitive)s, %(sensitive_classes)s,
    %(modality)s, %(modalities)s, %(subspecialty)s, %(rvu)s, %(age_group)s, %(arriving)s, %(received_at)s,
    %(sla_hours)s, %(state)s, %(version)s, %(priority)s, %(at_once)s, %(procedure_key)s, %(region)s,
    %(certificates)s, %(patient_sex)s, %(inpatient)s, %(critical)s, %(completed_at)s, %(half_at)s, %(deadline)s,
    %(half_told_at)s, %(breach_told_at)s, %(assigned_to)s, %(offer_expires_at)s, %(claimed_by)s, %(claimed_at)s,
    %(locked_until)s, %(author)s, %(approver_differs)s, %(finished_at)s
"""
MOST_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """What the reports of a study say. author: who began the open one."""

    statuses: list[str]
    author: str | None
    by_resident: bool
    first_issued: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts(ReportFacts):
    """What is known of a study that may have to be read. item_priority: Requested Procedure Priority (0040,1003)."""

    study_id: UUID
    study_instance_uid: str
    facility_code: str
    patient_id: UUID
    status: str
    sensitive: bool
    sensitive_classes: list[str]
    modalities: list[str]
    number_of_instances: int
    description: str
    procedures: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    study_date: date | None
    completed: datetime | None
    birth_date: str
    patient_sex: str
    is_ordered: bool
    order_priority: str | None
    item_priority: str | None
    inpatient: bool
    is_outdated: bool


async def lock(tx: Transaction, study_ids: Sequence[UUID]) -> dict[UUID, Item]:
    """Rows, kept from all others until the transaction ends; always in the same order."""
    rows = await tx.all(
        Item,
        "SELECT "
        + COLUMNS
        + """
        FROM reading_items
        WHERE study_id = ANY(%(ids)s)
        ORDER BY study_id
        FOR UPDATE
        """,
        ids=list(study_ids),
    )
    return {row.study_id: row for row in rows}


async def lock_one(tx: Transaction, study_id: UUID) -> Item | None:
    """One of them."""
    return (await lock(tx, [study_id])).get(study_id)


_REPORTS: LiteralString = """
    SELECT coalesce(array_agg(report.status::text), '{}') AS statuses,
        (array_agg(report.author ORDER BY report.created_at DESC)
            FILTER (WHERE report.status IN ('registered', 'partial', 'preliminary')))[1] AS author,
        coalesce(bool_or(report.metadata->'contributors' @> '[{"role": "resident"}]')
            FILTER (WHERE report.status IN ('registered', 'partial', 'preliminary')), false) AS by_resident,
        min(report.issued) FILTER (WHERE report.status IN ('final', 'amended', 'corrected', 'appended')) AS first_issued
    FROM radiology_reports AS report
    WHERE report.study_id = study.id
"""


async def facts(tx: Transaction, study_ids: Sequence[UUID]) -> list[Facts]:
    """What studies, their orders, worklist items, visits and reports say."""
    return await tx.all(
        Facts,
        """
        SELECT study.id AS study_id, study.study_instance_uid, study.facility_code, study.patient_id, study.status,
            study.sensitive, study.sensitive_classes, study.modalities_in_study AS modalities,
            study.number_of_instances, coalesce(study.study_description, '') AS description,
            CASE WHEN jsonb_array_length(coalesce(study.procedure_code, '[]')) > 0 THEN study.procedure_code
                ELSE coalesce(asked.codes, '[]') END AS procedures,
            coalesce(study.reason_code, '[]') || coalesce(asked.reasons, '[]') AS reasons,
            study.study_date, study.completed, patient.birth_date, patient.sex AS patient_sex,
            study.service_request IS NOT NULL OR asked.priority IS NOT NULL OR item.priority IS NOT NULL AS is_ordered,
            asked.priority AS order_priority, item.priority AS item_priority,
            EXISTS (
                SELECT FROM encounters AS visit
                WHERE visit.patient_id = study.patient_id
                  AND visit.facility_code = study.facility_code
                  AND visit.class = 'IMP'
                  AND visit.status <> 'cancelled'
                  AND visit.began_at <= coalesce(study.completed, now())
                  AND coalesce(visit.ended_at, 'infinity') >= coalesce(study.started, study.created_at)
            ) AS inpatient,
            EXISTS (
                SELECT FROM outdated_reports AS task WHERE task.study_id = study.id AND task.closed_at IS NULL
            ) AS is_outdated,
            reports.statuses, reports.author, reports.by_resident, reports.first_issued
        FROM imaging_studies AS study
        JOIN patients AS patient ON patient.id = study.patient_id
        LEFT JOIN LATERAL (
            SELECT o.priority, jsonb_build_array(asked.content->'code') AS codes,
                coalesce(o.content->'reasonCode', '[]')
                    || jsonb_build_array(jsonb_build_object('text', o.content->>'reason')) AS reasons
            FROM requested_procedures AS asked
            JOIN orders AS o ON o.id = asked.order_id
            WHERE asked.removed_at IS NULL
              AND (asked.study_instance_uid = coalesce(study.planned_study_instance_uid, study.study_instance_uid)
                OR asked.order_id = CASE WHEN study.service_request ~ '^ServiceRequest/[0-9a-f-]{36}$'
                    THEN substr(study.service_request, 16)::uuid END)
            ORDER BY asked.study_instance_uid IN (study.planned_study_instance_uid, study.study_instance_uid) DESC,
                asked.modality = ANY(study.modalities_in_study) DESC, asked.position
            LIMIT 1
        ) AS asked ON true
        LEFT JOIN LATERAL (
            SELECT step.details->>'priority' AS priority
            FROM scheduled_procedure_steps AS step
            WHERE step.study_instance_uid = coalesce(study.planned_study_instance_uid, study.study_instance_uid)
               OR step.service_request = study.service_request
            ORDER BY step.details->>'priority' = 'STAT' DESC, step.details->>'priority' = 'HIGH' DESC
            LIMIT 1
        ) AS item ON true
        CROSS JOIN LATERAL ("""
        + _REPORTS
        + """) AS reports
        WHERE study.id = ANY(%(ids)s)
        ORDER BY study.id
        """,
        ids=list(study_ids),
    )


async def reports_of(tx: Transaction, study_id: UUID) -> ReportFacts:
    """What the reports of one study say."""
    return await tx.one(
        ReportFacts,
        "SELECT reports.statuses, reports.author, reports.by_resident, reports.first_issued"
        " FROM imaging_studies AS study CROSS JOIN LATERAL (" + _REPORTS + ") AS reports WHERE study.id = %(study_id)s",
        study_id=study_id,
    )


async def first_stored_at(tx: Transaction, study_id: UUID) -> datetime | None:
    """When the first image of a study came."""
    return await tx.value("SELECT min(stored_at) FROM instances WHERE study_id = %(id)s", id=study_id)


async def save(tx: Transaction, item: Item) -> None:
    """Add a row, or put it in place of the one that is locked."""
    values = {name: getattr(item, name) for name in Item.__slots__}
    await tx.run(
        "INSERT INTO reading_items ("
        + COLUMNS
        + ") VALUES ("
        + _VALUES
        + ") ON CONFLICT (study_id) DO UPDATE SET ("
        + COLUMNS
        + ") = ROW ("
        + _VALUES
        + ")",
        **values,
    )


async def renew(tx: Transaction, study_id: UUID, *, until: datetime) -> None:
    """Keep a claim for longer; nobody sees a difference."""
    await tx.run(
        "UPDATE reading_items SET locked_until = %(until)s WHERE study_id = %(study_id)s",
        study_id=study_id,
        until=until,
    )


async def lock_idle(tx: Transaction, *, now: datetime) -> list[Item]:
    """What is claimed by somebody who has not been heard of, at most 200."""
    return await tx.all(
        Item,
        "SELECT "
        + COLUMNS
        + """
        FROM reading_items
        WHERE state NOT IN ('final', 'removed')
          AND locked_until <= %(now)s
        ORDER BY locked_until
        LIMIT %(most)s
        FOR UPDATE SKIP LOCKED
        """,
        now=now,
        most=MOST_AT_ONCE,
    )


async def lock_late(tx: Transaction, *, now: datetime) -> list[Item]:
    """What is half way to its due time, or behind it, where that was not told; at most 200."""
    return await tx.all(
        Item,
        "SELECT "
        + COLUMNS
        + """
        FROM reading_items
        WHERE state NOT IN ('final', 'removed')
          AND ((half_told_at IS NULL AND half_at <= %(now)s) OR (breach_told_at IS NULL AND deadline < %(now)s))
        ORDER BY deadline
        LIMIT %(most)s
        FOR UPDATE SKIP LOCKED
        """,
        now=now,
        most=MOST_AT_ONCE,
    )


async def note_told(tx: Transaction, study_id: UUID, *, half: bool, breach: bool, now: datetime) -> None:
    """That it was told stands in its row: it is told once."""
    await tx.run(
        """
        UPDATE reading_items
        SET half_told_at = CASE WHEN %(half)s THEN %(now)s ELSE half_told_at END,
            breach_told_at = CASE WHEN %(breach)s THEN %(now)s ELSE breach_told_at END
        WHERE study_id = %(study_id)s
        """,
        study_id=study_id,
        half=half,
        breach=breach,
        now=now,
    )


async def studies_of(tx: Transaction, *, uids: Sequence[str], patients: Sequence[UUID]) -> list[UUID]:
    """Studies by their Study Instance UIDs, also by the planned ones, and those in the list of these patients."""
    return await tx.values(
        """
        SELECT id FROM imaging_studies WHERE study_instance_uid = ANY(%(uids)s)
        UNION
        SELECT id FROM imaging_studies WHERE planned_study_instance_uid = ANY(%(uids)s)
        UNION
        SELECT study.id
        FROM imaging_studies AS study
        JOIN reading_items AS item ON item.study_id = study.id
        WHERE study.patient_id = ANY(%(patients)s)
        UNION
        SELECT study_id FROM reading_items WHERE patient_id = ANY(%(patients)s)
        """,
        uids=list(uids),
        patients=list(patients),
    )


async def holidays(tx: Transaction, facility_codes: Sequence[str], *, first: date, last: date) -> dict[str, set[date]]:
    """The holidays of facilities."""
    rows: list[Any] = await tx.values(
        """
        SELECT jsonb_build_array(facility_code, day)
        FROM calendar_days
        WHERE facility_code = ANY(%(codes)s)
          AND kind = 'holiday'
          AND day BETWEEN %(first)s AND %(last)s
        """,
        codes=list(facility_codes),
        first=first,
        last=last,
    )
    found: dict[str, set[date]] = {}
    for code, day in rows:
        found.setdefault(code, set()).add(date.fromisoformat(day))
    return found


async def display_of(tx: Transaction, account: str) -> str:
    """What an account is called by people; its own name where nobody has said."""
    shown = await tx.value("SELECT display FROM accounts WHERE name = %(name)s", name=account.removeprefix("account:"))
    return shown or account
