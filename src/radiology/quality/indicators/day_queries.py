"""SQL that packs days into sheets. A sheet is made by the database alone: values, and the cell of each.

Each statement counts some days anew, also those on which there is nothing any more.
"""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, LiteralString

from radiology.kit.db import Transaction
from radiology.quality.indicators.model import LATENESS, STAGES
from radiology.quality.indicators.sheets import add_up

_BEGIN: LiteralString = """
    INSERT INTO indicator_days (measure, day, cells, amounts, counted_at)
    SELECT %(measure)s, asked.day, coalesce(string_agg(int4send(counted.cell), ''::bytea), ''), coalesce(string_agg("""
_END: LiteralString = """
    GROUP BY asked.day
    ON CONFLICT (measure, day) DO UPDATE
    SET cells = excluded.cells,
        amounts = excluded.amounts,
        counted_at = excluded.counted_at
"""
INTEGER: LiteralString = "int4send(counted.amount)"
REAL: LiteralString = "float8send(counted.amount)"
_OF_DAYS: LiteralString = """, ''::bytea), ''), %(now)s
    FROM (
        SELECT day, day::timestamp AT TIME ZONE %(zone)s AS begins, (day + 1)::timestamp AT TIME ZONE %(zone)s AS ends
        FROM unnest(%(days)s::date[]) AS day
    ) AS asked
    LEFT JOIN LATERAL ("""


def sheet(rows: LiteralString, value: LiteralString = INTEGER) -> LiteralString:
    """The statement of a measure: `rows` selects `cell` and `amount` of a day, from `asked.begins` to `asked.ends`."""
    return _BEGIN + value + _OF_DAYS + rows + ") AS counted ON true" + _END


def _between(begins: LiteralString, ends: LiteralString) -> LiteralString:
    """Seconds between two moments, of what reached the second on that day. Where clocks differ so much that the second
    lies before the first, nothing is known."""
    return (
        "SELECT cell_id AS cell, least(extract(epoch FROM " + ends + " - " + begins + ")::bigint, 2147483647)::integer"
        " AS amount FROM indicator_studies WHERE " + ends + " >= asked.begins AND " + ends + " < asked.ends AND "
        + ends + " >= " + begins
    )  # fmt: skip


_LATENESS: LiteralString = """
    SELECT cell_id AS cell,
        greatest(least(ceil(extract(epoch FROM final_at - deadline)), 2147483647), -2147483648)::integer AS amount
    FROM indicator_studies
    WHERE deadline >= asked.begins
      AND deadline < asked.ends
      AND final_at IS NOT NULL
"""
_COMPLETED: LiteralString = """
    SELECT cell_id AS cell, count(*)::integer AS amount
    FROM indicator_studies
    WHERE completed_at >= asked.begins AND completed_at < asked.ends
    GROUP BY cell_id
"""
COMPLETED: Final = "studies.completed"

OF_STUDIES: Final[Mapping[str, LiteralString]] = {
    **{stage.measure: sheet(_between(stage.begins, stage.ends)) for stage in STAGES},
    LATENESS: sheet(_LATENESS),
    COMPLETED: sheet(_COMPLETED),
}

_BOOKED: LiteralString = """
    SELECT coalesce(known.cell_id, own.id) AS cell, count(*)::integer AS amount
    FROM bookings AS booked
    JOIN devices ON devices.number = booked.device_number
    LEFT JOIN LATERAL (
        SELECT facts.cell_id
        FROM scheduled_procedure_steps AS item
        JOIN imaging_studies AS s
          ON item.study_instance_uid IN (s.study_instance_uid, s.planned_study_instance_uid)
        LEFT JOIN indicator_studies AS facts ON facts.study_id = s.id
        WHERE item.id = booked.step_id
        LIMIT 1
    ) AS known ON true
    JOIN indicator_cells AS own
      ON own.facility_code = booked.facility_code
     AND own.modality = devices.modality
     AND own.priority = booked.priority
     AND own.subspecialty = 'general'
     AND NOT own.sensitive
    WHERE booked.begins >= asked.begins
      AND booked.begins < asked.ends
      AND booked.status = """
_BY_CELL: LiteralString = " GROUP BY 1"
BOOKING_STATES: Final[tuple[LiteralString, ...]] = ("booked", "arrived", "no-show", "cancelled")
OF_BOOKINGS: Final[Mapping[str, LiteralString]] = {
    "bookings." + state: sheet(_BOOKED + "'" + state + "'" + _BY_CELL) for state in BOOKING_STATES
}


VALUES: Final = ("stage.", "sla", "dose", "images.deviation")
"""Measures whose values are put into order; all others are numbers that can be added up."""


async def count(
    tx: Transaction, statements: Mapping[str, LiteralString], days: Sequence[date], *, zone: str, now: datetime
) -> None:
    """Pack days into the sheets of these measures, new or anew, and add up their months where that says something."""
    for measure, statement in statements.items():
        await tx.run(statement, measure=measure, days=list(days), zone=zone, now=now)
        if not measure.startswith(VALUES):
            await add_up(tx, measure, days)


async def add_cells_of_bookings(tx: Transaction) -> None:
    """What is booked for something without a study has a cell, too."""
    await tx.run(
        """
        INSERT INTO indicator_cells (facility_code, modality, priority, subspecialty, sensitive)
        SELECT DISTINCT devices.facility_code, devices.modality,
            priority, 'general', false
        FROM devices, unnest(ARRAY['stat', 'urgent', 'routine']) AS priority
        EXCEPT
        SELECT facility_code, modality, priority, subspecialty, sensitive
        FROM indicator_cells
        ON CONFLICT DO NOTHING
        """
    )


async def take_due(tx: Transaction, source: str, *, now: datetime, limit: int) -> list[date]:
    """Days of a source that are due, the newest first: they are taken away, and come back when this fails.

    Whoever marks one of them meanwhile waits for this to end, and marks it again. One at a time counts a source, since
    the days of a month are added up.
    """
    await tx.run("SELECT pg_advisory_xact_lock(hashtext(%(name)s))", name=f"indicators {source}")
    return await tx.values(
        """
        DELETE FROM indicator_days_due
        WHERE (source, day) IN (
            SELECT source, day FROM indicator_days_due
            WHERE source = %(source)s AND due_at <= %(now)s
            ORDER BY day DESC
            LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED
        )
        RETURNING day
        """,
        source=source,
        now=now,
        limit=limit,
    )
