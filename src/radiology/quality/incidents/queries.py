"""SQL of unintended exposures. `i` is incidents, `study` the study that one is about, if it is about one."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.kit import pages
from radiology.kit.db import Transaction, Where
from radiology.quality.incidents.model import Incident

_FROM: LiteralString = " FROM incidents AS i LEFT JOIN imaging_studies AS study ON study.id = i.study_id"
_BODY: LiteralString = """json_strip_nulls(json_build_object('id', i.id, 'facilityCode', i.facility_code,
    'cause', i.cause, 'status', i.status, 'studyId', study.study_id, 'studyInstanceUID', study.study_instance_uid,
    'device', i.device_number, 'occurredAt', i.occurred_at, 'description', i.description, 'foundBy', i.found_by,
    'foundAt', i.found_at, 'doseMsv', i.dose_msv, 'foetalEstimate', i.foetal_estimate,
    'foetalDoseMgy', i.foetal_dose_mgy, 'officerToldAt', i.officer_told_at, 'authorityNeeded', i.authority_needed,
    'authorityToldAt', i.authority_told_at, 'version', i.version,
    'steps', (SELECT json_agg(json_build_object('verb', verb, 'at', at, 'actor', actor, 'text', text) ORDER BY number)
        FROM incident_steps WHERE incident_id = i.id)))"""


def _seen(visible_to: Actor) -> Where:
    """Incidents of the reader's facilities whose study, if there is one, the reader may see; for quality, or own."""
    where, reach = Where(), visible_to.staff_reach
    reach.add_facility(where, "i.facility_code")
    where.clauses.append("(i.study_id IS NULL OR " + reach.seen(where, "study") + ")")
    if not visible_to.may(Permission.QUALITY):
        where.add("i.found_by = {actor}", actor=visible_to.id)
    return where


async def insert(tx: Transaction, columns: Mapping[str, Any]) -> bool:
    """Add an incident; False where the dose of this study is one already. `columns` holds every parameter below."""
    return bool(
        await tx.run(
            """
            INSERT INTO incidents (id, facility_code, cause, status, study_id, device_number, occurred_at, description,
                found_by, found_at, foetal_estimate)
            VALUES (%(id)s, %(facility_code)s, %(cause)s, %(status)s, %(study_id)s, %(device_number)s, %(occurred_at)s,
                %(description)s, %(found_by)s, %(found_at)s, %(foetal_estimate)s)
            ON CONFLICT DO NOTHING
            """,
            **columns,
        )
    )


async def add_step(tx: Transaction, incident_id: UUID, *, verb: str, at: datetime, actor: str, text: str) -> None:
    """One line of the history of an incident that is locked or new."""
    await tx.run(
        """
        INSERT INTO incident_steps (incident_id, number, verb, at, actor, text)
        SELECT %(id)s, 1 + count(*), %(verb)s, %(at)s, %(actor)s, %(text)s
        FROM incident_steps
        WHERE incident_id = %(id)s
        """,
        id=incident_id,
        verb=verb,
        at=at,
        actor=actor,
        text=text,
    )


async def load(tx: Transaction, incident_id: UUID, *, visible_to: Actor) -> Incident:
    """An incident, kept from all others until the transaction ends. Raises NotFound."""
    where = _seen(visible_to)
    where.add("i.id = {id}", id=incident_id)
    return await tx.one(
        Incident,
        "SELECT i.id, i.facility_code, i.cause, i.status, i.study_id, i.foetal_estimate, i.authority_needed, "
        "i.authority_told_at, i.version" + _FROM + " WHERE " + where.condition + " FOR UPDATE OF i",
        **where.parameters,
    )


async def save(tx: Transaction, incident_id: UUID, columns: Mapping[str, Any]) -> None:
    """Change an incident that is locked; what is None stays. `columns` holds every parameter below."""
    await tx.run(
        """
        UPDATE incidents
        SET status = %(status)s,
            dose_msv = coalesce(%(dose_msv)s, dose_msv),
            foetal_estimate = coalesce(%(foetal_estimate)s, foetal_estimate),
            foetal_dose_mgy = coalesce(%(foetal_dose_mgy)s, foetal_dose_mgy),
            officer_told_at = coalesce(officer_told_at, %(officer_told_at)s),
            authority_needed = coalesce(%(authority_needed)s, authority_needed),
            authority_told_at = coalesce(authority_told_at, %(authority_told_at)s),
            version = version + 1
        WHERE id = %(id)s
        """,
        id=incident_id,
        **columns,
    )


async def body(tx: Transaction, incident_id: UUID, *, visible_to: Actor, zone: str) -> bytes:
    """An incident with its history, as JSON. Raises NotFound."""
    where = _seen(visible_to)
    where.add("i.id = {id}", id=incident_id)
    await tx.run("SELECT set_config('TimeZone', %(zone)s, true)", zone=zone)
    row = await tx.one(
        pages.Keyed,
        "SELECT " + _BODY + "::text AS body, '' AS key" + _FROM + " WHERE " + where.condition,
        **where.parameters,
    )
    return row.body.encode()


async def listed(
    tx: Transaction,
    *,
    visible_to: Actor,
    status: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
    zone: str,
) -> tuple[bytes, str | None]:
    """One page of incidents as a JSON array, the newest first, and the cursor of the page behind it."""
    where = _seen(visible_to)
    if status is not None:
        where.add("i.status = {status}", status=status)
    if after is not None:
        where.add("(i.found_at, i.id) < ({at}, {id})", at=after[0], id=after[1])
    await tx.run("SELECT set_config('TimeZone', %(zone)s, true)", zone=zone)
    rows = await tx.values(
        "SELECT json_build_array(" + _BODY + ", i.found_at AT TIME ZONE 'UTC', i.id)::text" + _FROM + " WHERE "
        + where.condition + " ORDER BY i.found_at DESC, i.id DESC LIMIT %(limit)s",
        limit=limit + 1,
        **where.parameters,
    )  # fmt: skip
    return pages.page(rows, limit=limit)


async def counts_body(tx: Transaction, *, visible_to: Actor, began: datetime, before: datetime) -> bytes:
    """How many incidents were found in a span of time, by facility, cause and status, as a JSON array."""
    where = Where()
    visible_to.add_facility(where, "facility_code")
    where.add("found_at >= {began}", began=began)
    where.add("found_at < {before}", before=before)
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('facilityCode', facility_code, 'cause', cause, 'status', status,
            'n', n) ORDER BY facility_code, cause, status), '[]')::text
        FROM (
            SELECT facility_code, cause, status, count(*) AS n
            FROM incidents
            WHERE """
        + where.condition
        + """
            GROUP BY facility_code, cause, status
        ) AS counted
        """,
        **where.parameters,
    )
