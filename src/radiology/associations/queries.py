"""SQL of the traces of associations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.kit.db import Transaction, Where, WriterTransaction, as_json

CHANNEL: LiteralString = "associations"
#: The one lock under which positions are given, so that they become visible in their order.
_POSITIONS_LOCK = 0x61736F63


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a search of traces asks for; all that are given must hold."""

    ae_title: str | None = None
    host: str | None = None
    outcome: str | None = None
    opened_from: datetime | None = None
    opened_until: datetime | None = None
    limit: int = 50
    after: tuple[datetime, UUID] | None = None


def save(tx: WriterTransaction, traces: Sequence[dict[str, Any]]) -> None:
    """Write traces, new ones and those that have changed, and wake whoever watches."""
    tx.run("SELECT pg_advisory_xact_lock(%(key)s)", key=_POSITIONS_LOCK)
    tx.run(
        """
        INSERT INTO associations (id, position, opened_at, calling_ae_title, called_ae_title, host, outcome, refusal,
            trace)
        SELECT (trace->>'id')::uuid, nextval('association_positions'), (trace->>'opened_at')::timestamptz,
            trace->>'calling_ae_title', trace->>'called_ae_title', trace->>'host', trace->>'outcome',
            trace->>'refusal', trace
        FROM jsonb_array_elements(%(traces)s::jsonb) AS trace
        ON CONFLICT (id) DO UPDATE
        SET position = excluded.position,
            outcome = excluded.outcome,
            refusal = excluded.refusal,
            trace = excluded.trace
        """,
        traces=as_json(traces),
    )
    tx.run("SELECT pg_notify(%(channel)s, '')", channel=CHANNEL)


async def search(tx: Transaction, criteria: Criteria) -> list[str]:
    """Traces, newest first, one more than the page holds, as `kit.pages` takes them."""
    where = Where()
    if criteria.ae_title is not None:
        where.add("(calling_ae_title = {title} OR called_ae_title = {title})", title=criteria.ae_title)
    if criteria.host is not None:
        where.add("host = {host}", host=criteria.host)
    if criteria.outcome is not None:
        where.add("outcome = {outcome}", outcome=criteria.outcome)
    if criteria.opened_from is not None:
        where.add("opened_at >= {opened_from}", opened_from=criteria.opened_from)
    if criteria.opened_until is not None:
        where.add("opened_at <= {opened_until}", opened_until=criteria.opened_until)
    if criteria.after is not None:
        moment, key = criteria.after
        where.add("(opened_at, id) < ({moment}, {key})", moment=moment, key=key)
    return await tx.values(
        """
        SELECT json_build_array(trace, opened_at AT TIME ZONE 'UTC', id)::text
        FROM associations
        WHERE """  # noqa: S608  # Literals of ours.
        + where.condition
        + """
        ORDER BY opened_at DESC, id DESC
        LIMIT %(limit)s
        """,
        limit=criteria.limit + 1,
        **where.parameters,
    )


async def read(tx: Transaction, association_id: UUID) -> dict[str, Any] | None:
    """One trace."""
    return await tx.value("SELECT trace FROM associations WHERE id = %(id)s", id=association_id)


async def last_of(tx: Transaction, ae_title: str, *, limit: int) -> list[dict[str, Any]]:
    """The last associations that an application entity asked for, newest first."""
    return await tx.values(
        """
        SELECT trace
        FROM associations
        WHERE calling_ae_title = %(ae_title)s
        ORDER BY opened_at DESC, id DESC
        LIMIT %(limit)s
        """,
        ae_title=ae_title,
        limit=limit,
    )


async def newest_position(tx: Transaction) -> int:
    """Where a stream begins that wants nothing of the past."""
    return await tx.value("SELECT coalesce(max(position), 0) FROM associations")


async def since(tx: Transaction, position: int, *, limit: int) -> list[tuple[int, dict[str, Any]]]:
    """What was written behind a position, in order."""
    rows: list[list[Any]] = await tx.values(
        """
        SELECT jsonb_build_array(position, trace)
        FROM associations
        WHERE position > %(position)s
        ORDER BY position
        LIMIT %(limit)s
        """,
        position=position,
        limit=limit,
    )
    return [(row[0], row[1]) for row in rows]


async def forget_old(tx: Transaction, *, older_than: datetime, keep: int) -> int:
    """Drop traces that are old, and those beyond the newest `keep`; returns how many."""
    return await tx.run(
        """
        DELETE FROM associations
        WHERE opened_at < greatest(%(older_than)s, (
            SELECT opened_at FROM associations ORDER BY opened_at DESC, id DESC OFFSET %(keep)s LIMIT 1
        ))
        """,
        older_than=older_than,
        keep=keep - 1,
    )


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A scheduled procedure step that waits; its stations are those of its pool where it names none."""

    station_ae_titles: list[str]
    modality: str
    scheduled_start: datetime
    patient_id: str


async def waiting_steps(tx: Transaction, *, facility_code: str, since: datetime, limit: int) -> list[WaitingRow]:
    """Steps of a facility that wait, the earliest first."""
    return await tx.all(
        WaitingRow,
        """
        SELECT CASE WHEN step.station_ae_titles = '{}' THEN coalesce(pool.ae_titles, '{}')
                ELSE step.station_ae_titles END AS station_ae_titles,
            step.modality, step.scheduled_start, step.patient_id
        FROM scheduled_procedure_steps AS step
        LEFT JOIN station_pools AS pool
            ON pool.facility_code = step.facility_code AND pool.name = step.station_pool
        WHERE step.facility_code = %(facility_code)s
            AND step.status IN ('SCHEDULED', 'ARRIVED', 'READY')
            AND step.scheduled_start >= %(since)s
        ORDER BY step.scheduled_start
        LIMIT %(limit)s
        """,
        facility_code=facility_code,
        since=since,
        limit=limit,
    )
