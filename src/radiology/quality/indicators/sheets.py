"""Sheets of days as arrays: rows of a cell and a value, put into groups, counted, added up and brought into order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from radiology.kit.db import Transaction
from radiology.quality.indicators.model import Cell, Dimension, Filter, Window, rank

_CELLS, _INTEGERS, _REALS = np.dtype(">i4"), np.dtype(">i4"), np.dtype(">f8")
_DAY: Final = timedelta(days=1)
_WIDEST: Final = 2
"""Up to so many times as many different numbers as there are values are counted faster than put into order."""
Amounts = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """What the sheets of a measure hold in a window: values, and the number of the cell of each where it matters."""

    cells: NDArray[np.int32] | None
    amounts: Amounts

    @property
    def of_cells(self) -> NDArray[np.int32]:
        """The cell of each value, where they were read."""
        return np.zeros(len(self.amounts), np.int32) if self.cells is None else self.cells


async def read(tx: Transaction, measure: str, window: Window, *, cells: bool = True, real: bool = False) -> Rows:
    """All values of a window. cells: also the cell of each. real: the values are not whole numbers."""
    found = await tx.binary(
        """
        SELECT amounts, CASE WHEN %(cells)s THEN cells END
        FROM indicator_days
        WHERE measure = %(measure)s
          AND day BETWEEN %(first)s AND %(last)s
        """,
        measure=measure,
        first=window.first,
        last=window.last,
        cells=cells,
    )
    return _unpacked(found, cells=cells, real=real)


def _unpacked(found: Sequence[tuple[Any, ...]], *, cells: bool, real: bool) -> Rows:
    amounts = _joined([row[0] for row in found], _REALS if real else _INTEGERS)
    return Rows(_joined([row[1] for row in found], _CELLS) if cells else None, amounts)


def _joined(packed: Sequence[bytes], kind: np.dtype[Any]) -> NDArray[Any]:
    """All numbers in one, in the order of bytes of this machine."""
    parts = [np.frombuffer(each, kind) for each in packed]
    return np.concatenate(parts, dtype=kind.newbyteorder("=")) if parts else np.zeros(0, kind.newbyteorder("="))


async def read_sums(tx: Transaction, measure: str, window: Window, *, cells: bool = True) -> Rows:
    """Numbers that can be added up: those of whole months as one, those of other days by day."""
    first = window.first if window.first.day == 1 else _next_month(window.first)
    behind = _next_month(window.last) if _next_month(window.last) == window.last + _DAY else window.last.replace(day=1)
    found = await tx.binary(
        """
        SELECT amounts, CASE WHEN %(cells)s THEN cells END
        FROM indicator_months
        WHERE measure = %(measure)s
          AND month >= %(begins)s
          AND month < %(behind)s
        UNION ALL
        SELECT amounts, CASE WHEN %(cells)s THEN cells END
        FROM indicator_days
        WHERE measure = %(measure)s
          AND day BETWEEN %(first)s AND %(last)s
          AND NOT (day >= %(begins)s AND day < %(behind)s)
        """,
        measure=measure,
        first=window.first,
        last=window.last,
        begins=first,
        behind=behind,
        cells=cells,
    )
    return _unpacked(found, cells=cells, real=False)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + 31 * _DAY).replace(day=1)


async def add_up(tx: Transaction, measure: str, days: Sequence[date]) -> None:
    """Add up the months of these days anew, from the sheets of all their days."""
    for month in sorted({day.replace(day=1) for day in days}):
        rows = await read(tx, measure, Window.of_month(month.year, month.month))
        sums = np.bincount(rows.of_cells, rows.amounts)
        cells = np.flatnonzero(sums)
        await tx.run(
            """
            INSERT INTO indicator_months (measure, month, cells, amounts)
            VALUES (%(measure)s, %(month)s, %(cells)s, %(amounts)s)
            ON CONFLICT (measure, month) DO UPDATE SET cells = excluded.cells, amounts = excluded.amounts
            """,
            measure=measure,
            month=month,
            cells=cells.astype(_CELLS).tobytes(),
            amounts=sums[cells].astype(_INTEGERS).tobytes(),
        )


@dataclass(frozen=True, slots=True)
class Groups:
    """Which group the studies of a cell belong to. `numbers` and `sensitive` are by the number of the cell; a cell
    that does not count has the number -1."""

    names: tuple[tuple[str, ...], ...]
    numbers: NDArray[Any]
    sensitive: NDArray[np.bool_]

    @staticmethod
    def of(cells: Sequence[Cell], wanted: Filter, by: Sequence[Dimension]) -> "Groups":
        """The groups of a breakdown, in order; without dimensions all are one."""
        taken = [(cell, tuple(map(cell.value_of, by))) for cell in cells if wanted.takes(cell)]
        names = tuple(sorted({name for _, name in taken} | ({()} if not by else set())))
        places = {name: place for place, name in enumerate(names)}
        size = max((cell.id for cell in cells), default=0) + 1
        # Short numbers are put into order by counting them, ten times as fast.
        short = np.int16 if len(names) <= np.iinfo(np.int16).max else np.int32
        numbers, sensitive = np.full(size, -1, short), np.zeros(size, np.bool_)
        for cell, name in taken:
            numbers[cell.id], sensitive[cell.id] = places[name], cell.sensitive
        return Groups(names, numbers, sensitive)

    def group(self, rows: Rows) -> "Grouped":
        """Only what counts, each value with the number of its group."""
        if rows.cells is None:
            return Grouped(1, None, rows.amounts, [bool(self.sensitive.any())])
        # A cell that was made after the cells were read belongs to no group yet.
        cells, amounts = rows.cells, rows.amounts
        if cells.max(initial=0) >= len(self.numbers):
            known = cells < len(self.numbers)
            cells, amounts = cells[known], amounts[known]
        there = np.zeros(len(self.numbers), np.bool_)
        there[cells] = True
        sensitive = np.zeros(len(self.names), np.bool_)
        sensitive[self.numbers[there & self.sensitive & (self.numbers >= 0)]] = True
        if len(self.names) == 1 and (self.numbers[there] >= 0).all():
            return Grouped(1, None, amounts, sensitive.tolist())
        numbers = self.numbers[cells]
        taken = numbers >= 0
        if not taken.all():
            numbers, amounts = numbers[taken], amounts[taken]
        return Grouped(len(self.names), None if len(self.names) == 1 else numbers, amounts, sensitive.tolist())


@dataclass(frozen=True, slots=True)
class Grouped:
    """Values with the number of their group, without numbers where all are of one; and which groups have values of
    sensitive studies."""

    groups: int
    numbers: NDArray[Any] | None
    amounts: Amounts
    has_sensitive: Sequence[bool] = ()

    @property
    def counts(self) -> list[int]:
        """How many values each group has."""
        return self._counted(self.numbers, len(self.amounts))

    @property
    def sums(self) -> list[int]:
        """What the whole numbers of each group add up to."""
        if self.numbers is None:
            return [int(self.amounts.sum(dtype=np.int64))]
        return np.bincount(self.numbers, self.amounts, minlength=self.groups).astype(np.int64).tolist()

    def count_where(self, holds: NDArray[np.bool_]) -> list[int]:
        """How many values of each group a condition holds for."""
        return self._counted(None if self.numbers is None else self.numbers[holds], int(holds.sum()))

    def percentiles(self, wanted: Sequence[int]) -> list[list[float | None]]:
        """The nearest-rank percentiles of each group: each is one of its values."""
        return [_selected(each, wanted) for each in self._apart()]

    def _apart(self) -> list[Amounts]:
        """The values of each group."""
        if self.numbers is None:
            return [self.amounts]
        order = np.argsort(self.numbers, kind="stable")
        ends = np.cumsum(np.bincount(self.numbers, minlength=self.groups))
        return np.split(self.amounts[order], ends[:-1])[: self.groups]

    def _counted(self, numbers: NDArray[Any] | None, otherwise: int) -> list[int]:
        return [otherwise] if numbers is None else np.bincount(numbers, minlength=self.groups).tolist()


def _selected(amounts: Amounts, wanted: Sequence[int]) -> list[float | None]:
    """The percentiles of one group, without putting all of it into order."""
    if not len(amounts):
        return [None for _ in wanted]
    places = [rank(len(amounts), one) for one in wanted]
    if amounts.dtype.kind == "i" and amounts.min() >= 0 and amounts.max() < _WIDEST * len(amounts):
        # Whole numbers that lie close together are counted, number by number: the percentile is where the count is.
        return [float(each) for each in np.searchsorted(np.cumsum(np.bincount(amounts)), places, "right")]
    there = np.partition(amounts, places)
    return [float(there[place]) for place in places]
