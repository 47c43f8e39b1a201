"""Days that were touched are counted again, source by source. Each day is replaced as a whole, so twice is no harm."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from radiology.app import App
from radiology.kit.db import Transaction
from radiology.quality.indicators import day_queries as queries
from radiology.quality.indicators import devices, image_queries
from radiology.quality.indicators.fact_queries import mark_due

STUDIES, BOOKINGS, DEVICES = "studies", "bookings", "devices"
IMAGES, DOSES, REPORTS = "images", "doses", "reports"
AT_ONCE: Final = 31
"""So many days are counted in one transaction."""
REMEMBERED_DAYS: Final = 3
"""How long a day of devices is counted again: states and steps are told of later than they happen."""

Count = Callable[[Transaction, App, Sequence[date]], Awaitable[None]]


async def _of_studies(tx: Transaction, app: App, days: Sequence[date]) -> None:
    await queries.count(tx, queries.OF_STUDIES, days, zone=app.settings.time_zone, now=app.clock.now())


async def _of_bookings(tx: Transaction, app: App, days: Sequence[date]) -> None:
    await queries.add_cells_of_bookings(tx)
    await queries.count(tx, queries.OF_BOOKINGS, days, zone=app.settings.time_zone, now=app.clock.now())


async def _of_images(tx: Transaction, app: App, days: Sequence[date]) -> None:
    await queries.count(tx, image_queries.OF_IMAGES, days, zone=app.settings.time_zone, now=app.clock.now())


async def _of_doses(tx: Transaction, app: App, days: Sequence[date]) -> None:
    await image_queries.add_protocols(tx, days, zone=app.settings.time_zone)
    await queries.count(tx, image_queries.OF_DOSES, days, zone=app.settings.time_zone, now=app.clock.now())


async def _of_reports(tx: Transaction, app: App, days: Sequence[date]) -> None:
    await queries.count(tx, image_queries.OF_REPORTS, days, zone=app.settings.time_zone, now=app.clock.now())


SOURCES: Final[Mapping[str, Count]] = {
    STUDIES: _of_studies,
    BOOKINGS: _of_bookings,
    IMAGES: _of_images,
    DOSES: _of_doses,
    REPORTS: _of_reports,
    DEVICES: devices.count,
}


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


async def mark_days_of_devices(app: App) -> int:
    """The last days of all devices are to be counted again; returns how many."""
    today = app.clock.now().astimezone(app.settings.zone).date()
    days = [today - timedelta(days=number) for number in range(REMEMBERED_DAYS)]
    async with app.db.transaction() as tx:
        await mark_due(tx, DEVICES, days, due_at=app.clock.now())
    return len(days)
