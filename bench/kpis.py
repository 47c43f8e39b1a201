"""The page of quality indicators over a year of 1,000,000 studies, made by SQL in a database of its own."""

import os
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

from bench import alone
from bench.processes import tree
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.quality.indicators import day_queries, image_queries, page
from radiology.quality.indicators.asking import Question
from radiology.quality.indicators.counting import count_due
from radiology.quality.indicators.model import Filter, Window
from radiology.quality.indicators.sheets import add_up

STUDIES, DAYS = 1_000_000, 365
LAST = date(2025, 12, 31)
YEAR = Window(LAST - timedelta(days=DAYS - 1), LAST)
ROUNDS = 5
TICK = os.sysconf("SC_CLK_TCK")

CELLS = """
    INSERT INTO indicator_cells (facility_code, modality, priority, subspecialty, sensitive)
    SELECT 'F' || facility, modality, priority, subspecialty, modality = 'MG'
    FROM generate_series(1, 60) AS facility, unnest(ARRAY['DX', 'US', 'CT', 'MR', 'MG', 'RF', 'XA', 'NM']) AS modality,
        unnest(ARRAY['stat', 'urgent', 'routine']) AS priority,
        unnest(ARRAY['general', 'neuro', 'chest', 'body']) AS subspecialty
"""
#: Waits with long tails, spread over a year; one of two hundred is never reported.
FACTS = """
    INSERT INTO indicator_studies (study_id, cell_id, ordered_at, scheduled_at, arrived_at, started_at, completed_at,
        preliminary_at, final_at, deadline, sla_hours, rvu)
    SELECT gen_random_uuid(), cell, ordered, ordered + w1, ordered + w1 + w2, ordered + w1 + w2 + w3,
        completed, completed + w4, CASE WHEN number %% 200 > 0 THEN completed + w4 + w5 END,
        completed + interval '24 hours', 24, 2
    FROM (
        SELECT number, 1 + (random() * 5759)::integer AS cell, ordered, w1, w2, w3, w4, w5,
            ordered + w1 + w2 + w3 + interval '20 minutes' AS completed
        FROM (
            SELECT number, %(first)s::date::timestamptz + number * interval '31.536 seconds' AS ordered,
                -ln(1 - random()) * interval '40 minutes' AS w1, -ln(1 - random()) * interval '9 hours' AS w2,
                -ln(1 - random()) * interval '35 minutes' AS w3, -ln(1 - random()) * interval '3 hours' AS w4,
                -ln(1 - random()) * interval '4 hours' AS w5
            FROM generate_series(0, %(studies)s - 1) AS number
        ) AS waits
    ) AS made
"""

#: The other sheets: as many counts as there are cells with studies on a day, and 1,500 values a day that are no counts.
COUNTS = """
    INSERT INTO indicator_days (measure, day, cells, amounts, counted_at)
    SELECT other, day, cells, amounts, counted_at
    FROM indicator_days, unnest(%(measures)s::text[]) AS other
    WHERE measure = 'studies.completed'
    ON CONFLICT (measure, day) DO UPDATE SET cells = excluded.cells, amounts = excluded.amounts
"""
PROTOCOLS = """
    INSERT INTO indicator_protocols (facility_code, modality, protocol, procedure_key, patient_group, quantity)
    SELECT 'F' || facility, 'CT', 'PROTOCOL ' || number, 'CT_HEAD', 'adult', 'DLP'
    FROM generate_series(1, 60) AS facility, generate_series(1, 25) AS number
"""
VALUES = """
    INSERT INTO indicator_days (measure, day, cells, amounts, counted_at)
    SELECT %(measure)s, day::date, string_agg(int4send(1 + (random() * 1499)::integer), ''::bytea),
        string_agg(float8send(random() * 4 - 2), ''::bytea), now()
    FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day, generate_series(1, 1500)
    GROUP BY day
    ON CONFLICT (measure, day) DO UPDATE SET cells = excluded.cells, amounts = excluded.amounts
"""


def run(*, quick: bool) -> int:
    """Measure, print, write and judge; a quick run does nothing. The exit status."""
    return 0 if quick else alone.run("kpis", measure, form=".1f")


async def measure(app: App, postgres: int) -> dict[str, float]:
    """Make a year, count it, and ask for it."""
    await _make(app)
    began = time.perf_counter()
    await count_due(app)
    counted = time.perf_counter() - began
    await _fill(app)
    month = Window(LAST - timedelta(days=30), LAST)
    some = Filter(MappingProxyType({"modality": frozenset({"CT", "MR"}), "facility": frozenset({"F7", "F8", "F9"})}))
    return {
        "year_ms": await _median_ms(lambda: page.answer(app, SYSTEM, Question(YEAR, Filter()))),
        "year_processor_ms": await _processor_ms(lambda: page.answer(app, SYSTEM, Question(YEAR, Filter())), postgres),
        "year_filtered_ms": await _median_ms(lambda: page.answer(app, SYSTEM, Question(YEAR, some))),
        "year_by_modality_ms": await _median_ms(
            lambda: page.answer(app, SYSTEM, Question(YEAR, Filter(), ("modality",)))
        ),
        "month_ms": await _median_ms(lambda: page.answer(app, SYSTEM, Question(month, Filter()))),
        "count_the_year_seconds": counted,
        "count_one_day_ms": await _median_ms(lambda: _one_day(app)),
    }


async def _make(app: App) -> None:
    async with app.db.transaction() as tx:
        await tx.run(CELLS)
        await tx.run(FACTS, first=YEAR.first, studies=STUDIES)
        await _all_due(app)
    async with app.db.transaction() as tx:
        await tx.run("ANALYZE indicator_studies")


async def _fill(app: App) -> None:
    """What other tables would have given."""
    counts = [*day_queries.OF_BOOKINGS, *image_queries.OF_IMAGES, *image_queries.OF_REPORTS]
    async with app.db.transaction() as tx:
        counts = [measure for measure in counts if measure != "images.deviation"]
        await tx.run(COUNTS, measures=counts)
        days = [YEAR.first + timedelta(days=number) for number in range(YEAR.days)]
        for measure in counts:
            await add_up(tx, measure, days)
        await tx.run(PROTOCOLS)
        for measure in ("images.deviation", image_queries.DOSE):
            await tx.run(VALUES, measure=measure, first=YEAR.first, last=YEAR.last)
        await tx.run("ANALYZE")


async def _all_due(app: App) -> None:
    async with app.db.transaction() as tx:
        await tx.run(
            """
            INSERT INTO indicator_days_due (source, day, due_at)
            SELECT 'studies', day::date, now()
            FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day
            """,
            first=YEAR.first,
            last=YEAR.last + timedelta(days=20),
        )


async def _one_day(app: App) -> None:
    async with app.db.transaction() as tx:
        await tx.run(
            "INSERT INTO indicator_days_due (source, day, due_at) VALUES ('studies', %(day)s, now())",
            day=date(2025, 7, 1),
        )
    assert await count_due(app) == 1


async def _processor_ms(do: Callable[[], Awaitable[object]], postgres: int) -> float:
    """Time of processors, of this process and of PostgreSQL: what else runs on the machine does not matter."""
    began = time.process_time() + _seconds(postgres)
    for _ in range(ROUNDS):
        await do()
    return (time.process_time() + _seconds(postgres) - began) * 1000 / ROUNDS


def _seconds(postgres: int) -> float:
    total = 0.0
    for pid in tree(postgres):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11:13])) / TICK
    return total


async def _median_ms(do: Callable[[], Awaitable[object]]) -> float:
    taken: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await do()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
