"""SQL of licences that end. A subject is `device 7`, or `operator` with an id."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where
from radiology.procedures.model import IONISING

#: Devices that expose to ionising radiation and are not retired, and operators who are active.
_ALL: LiteralString = """(
    SELECT 'device' AS kind, d.number::text AS id, d.facility_code,
        coalesce(nullif(d.name, ''), d.ae_title, '') AS name, d.licence_number, d.licence_until
    FROM devices AS d
    WHERE d.state <> 'retired'
      AND d.modality = ANY(%(ionising)s)
    UNION ALL
    SELECT 'operator', o.id::text, o.facility_code, o.name, o.licence_number, o.licence_until
    FROM operators AS o
    WHERE o.active
) AS l"""


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence that ends. `days`: so many before its end it is warned of now."""

    kind: str
    id: str
    facility_code: str
    licence_until: date
    days: int


async def listed(tx: Transaction, *, today: date, until: date, visible_to: Actor) -> bytes:
    """Licences that end by a day, and devices whose licence nobody has told, as a JSON array, first to end first."""
    where = Where()
    visible_to.add_facility(where, "l.facility_code")
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('kind', l.kind, 'id', l.id, 'facilityCode', l.facility_code,
            'name', l.name, 'licenceNumber', l.licence_number, 'licenceUntil', l.licence_until,
            'daysLeft', l.licence_until - %(today)s::date) ORDER BY l.licence_until NULLS FIRST, l.kind, l.id),
            '[]')::text
        FROM """
        + _ALL
        + """
        WHERE (l.licence_until <= %(until)s OR (l.kind = 'device' AND l.licence_until IS NULL))
          AND """
        + where.condition,
        today=today,
        until=until,
        ionising=sorted(IONISING),
        **where.parameters,
    )


async def warn(tx: Transaction, *, today: date, now: datetime, steps: list[int]) -> list[Licence]:
    """Note and return the licences that came within another step of days before their end since the last time.

    One that came within several at once is returned with the last of them; one that has ended, with 0.
    """
    return await tx.all(
        Licence,
        """
        WITH due AS (
            SELECT l.kind, l.id, l.facility_code, l.licence_until, min(step.days) AS days
            FROM """
        + _ALL
        + """
            JOIN unnest(%(steps)s::int[]) AS step (days) ON l.licence_until < %(today)s::date + step.days
            GROUP BY l.kind, l.id, l.facility_code, l.licence_until
        ), noted AS (
            INSERT INTO licence_warnings (subject, licence_until, days, warned_at)
            SELECT due.kind || ' ' || due.id, due.licence_until, due.days, %(now)s
            FROM due
            ON CONFLICT DO NOTHING
            RETURNING subject
        )
        SELECT due.kind, due.id, due.facility_code, due.licence_until, due.days
        FROM due
        JOIN noted ON noted.subject = due.kind || ' ' || due.id
        ORDER BY due.licence_until, due.kind, due.id
        """,
        today=today,
        now=now,
        steps=steps,
        ionising=sorted(IONISING),
    )
