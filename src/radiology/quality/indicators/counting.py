"""Days that were touched are counted again, source by source. Each day is replaced as a whole, so twice is no harm."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Final

from radiology.app import App
from radiology.kit.db import Transaction
from radiology.quality.indicators import day_queries as queries

STUDIES, BOOKINGS = "studies", "bookings"
AT_ONCE: Final = 31
"""So many days are counted in one transaction."""

Count = Callable[[Transaction, App, Sequence[date]], Awaitable[None]]


async def _of_studies(tx: Transaction, app: App, days: Sequence[date]) -> None:
    await queries.count(tx, queries.OF_STUDIES, days, zone=app.settings.time_zone, now=app.clock.now())


async def _of_bookings(tx: Transaction, app: App, days: Sequence[date]) -> None:
    await queries.add_cells_of_bookings(tx)
    await queries.count(tx, queries.OF_BOOKINGS, days, zone=app.settings.time_zone, now=app.clock.now())


SOURCES: Final[Mapping[str, Count]] = {STUDIES: _of_studies, BOOKINGS: _of_bookings}


async def count_due(app: App) -> int:
    """Count the days that are due; returns how many there were."""
    counted = 0
    for source, count in SOURCES.items():
        while True:
            async with app.db.transaction() as tx:
                days = await queries.take_due(tx, source, now=app.clock.now(), limit=AT_ONCE)
                if days:
                    await count(tx, app, days)
            counted += len(days)
            if len(days) < AT_ONCE:
                break
    return counted
