"""Whether what was counted is what the tables give. Nothing is changed: what is counted for it is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from radiology.app import App
from radiology.kit.db import Transaction
from radiology.procedures.catalogue import catalogue
from radiology.quality.indicators import fact_queries
from radiology.quality.indicators.counting import AT_ONCE as DAYS_AT_ONCE
from radiology.quality.indicators.counting import DEVICES, SOURCES, count_due
from radiology.quality.indicators.facts import fact_of
from radiology.quality.indicators.following import AT_ONCE, recount
from radiology.quality.indicators.model import Window
from radiology.quality.indicators.sheets import read

_REAL = frozenset({"dose", "images.deviation"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many studies and sheets were compared, and which are other than they should be."""

    studies: int
    wrong_studies: int
    sheets: int
    wrong_sheets: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether all is as the tables give it."""
        return not self.wrong_studies and not self.wrong_sheets


async def verify(app: App) -> Verdict:
    """Compare what is known of every study, and every sheet, with what they are when they are counted now."""
    studies, wrong_studies = await _studies(app)
    async with app.db.transaction() as tx:
        days: list[date] = await tx.values("SELECT DISTINCT day FROM indicator_days ORDER BY day")
    sheets, wrong = 0, list[str]()
    for place in range(0, len(days), DAYS_AT_ONCE):
        compared, found = await _sheets(app, days[place : place + DAYS_AT_ONCE])
        sheets += compared
        wrong += found
    return Verdict(studies, wrong_studies, sheets, tuple(wrong))


async def _studies(app: App) -> tuple[int, int]:
    known, last = await catalogue(app), None
    compared = wrong = 0
    while True:
        async with app.db.transaction() as tx:
            studies: list[UUID] = await fact_queries.studies_behind(tx, last, limit=AT_ONCE)
            before = await fact_queries.kept(tx, studies)
            raw = await fact_queries.raw_of(tx, studies)
        compared += len(raw)
        wrong += sum(1 for each in raw if before.get(each.study_id) != fact_of(each, known))
        if len(studies) < AT_ONCE:
            return compared, wrong
        last = studies[-1]


class _TakeBackError(Exception):
    """Ends the transaction in which was counted."""


async def _sheets(app: App, days: Sequence[date]) -> tuple[int, list[str]]:
    wrong, compared = list[str](), 0
    try:
        async with app.db.transaction() as tx:
            before = await _read(tx, days)
            for source, count in SOURCES.items():
                # Devices are told of as they are now, so that the past of one that was taken away is not counted again.
                if source != DEVICES:
                    await count(tx, app, days)
            after = await _read(tx, days)
            compared = len(after)
            empty = np.zeros((2, 0))
            wrong = [
                f"{measure} {day}"
                for measure, day in sorted(after)
                if not np.array_equal(before.get((measure, day), empty), after[measure, day])
            ]
            raise _TakeBackError
    except _TakeBackError:
        return compared, wrong


async def _read(tx: Transaction, days: Sequence[date]) -> dict[tuple[str, date], NDArray[Any]]:
    measures: list[str] = await tx.values("SELECT DISTINCT measure FROM indicator_days")
    found: dict[tuple[str, date], NDArray[Any]] = {}
    for measure in measures:
        for day in days:
            rows = await read(tx, measure, Window(day, day), real=measure in _REAL)
            order = np.lexsort((rows.amounts, rows.of_cells))
            found[measure, day] = np.stack([rows.of_cells[order], rows.amounts[order]])
    return found


async def recount_all(app: App) -> tuple[int, int]:
    """Look at all studies again, and count what is due; returns of how many studies something else was known, and days.

    Also sheets that have no study any more: every day that was ever counted is counted again.
    """
    changed = await recount(app)
    async with app.db.transaction() as tx:
        days: list[date] = await tx.values("SELECT DISTINCT day FROM indicator_days")
        for source in SOURCES:
            if source != DEVICES:
                await fact_queries.mark_due(tx, source, days, due_at=app.clock.now())
    return changed, await count_due(app)
