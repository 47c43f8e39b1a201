"""Sheets of days as arrays: rows of a cell and a value, put into groups, counted, added up and brought into order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from radiology.kit.db import Transaction
from radiology.quality.indicators.model import Cell, Dimension, Filter, Window

_INTEGERS: Final = np.dtype([("cell", ">i4"), ("amount", ">i4")])
_REALS: Final = np.dtype([("cell", ">i4"), ("amount", ">f8")])
Numbers = NDArray[np.int64]
Amounts = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """What the sheets of a measure hold in a window: a cell's number and a value in each row."""

    cells: NDArray[np.int32]
    amounts: Amounts


async def read(tx: Transaction, measure: str, window: Window, *, real: bool = False) -> Rows:
    """All rows of a window. real: the values are not whole numbers."""
    found = await tx.binary(
        """
        SELECT sheet
        FROM indicator_days
        WHERE measure = %(measure)s
          AND day BETWEEN %(first)s AND %(last)s
        """,
        measure=measure,
        first=window.first,
        last=window.last,
    )
    rows = np.frombuffer(b"".join(row[0] for row in found), _REALS if real else _INTEGERS)
    return Rows(rows["cell"].astype(np.int32), rows["amount"].astype(np.float64 if real else np.int64))


@dataclass(frozen=True, slots=True)
class Groups:
    """Which group the studies of a cell belong to. `numbers` and `sensitive` are by the number of the cell; a cell
    that does not count has the number -1."""

    names: tuple[tuple[str, ...], ...]
    numbers: Numbers
    sensitive: NDArray[np.bool_]

    @staticmethod
    def of(cells: Sequence[Cell], wanted: Filter, by: Sequence[Dimension]) -> "Groups":
        """The groups of a breakdown, in order; without dimensions all are one."""
        taken = [(cell, tuple(map(cell.value_of, by))) for cell in cells if wanted.takes(cell)]
        names = tuple(sorted({name for _, name in taken} | ({()} if not by else set())))
        places = {name: place for place, name in enumerate(names)}
        size = max((cell.id for cell in cells), default=0) + 1
        numbers, sensitive = np.full(size, -1, np.int64), np.zeros(size, np.bool_)
        for cell, name in taken:
            numbers[cell.id], sensitive[cell.id] = places[name], cell.sensitive
        return Groups(names, numbers, sensitive)

    def group(self, rows: Rows) -> "Grouped":
        """Only what counts, each row with the number of its group."""
        # A cell that was made after the cells were read belongs to no group yet.
        known = rows.cells < len(self.numbers)
        cells, amounts = (rows.cells, rows.amounts) if known.all() else (rows.cells[known], rows.amounts[known])
        numbers = self.numbers[cells]
        taken = numbers >= 0
        if not taken.all():
            cells, numbers, amounts = cells[taken], numbers[taken], amounts[taken]
        return Grouped(len(self.names), numbers, amounts, self.sensitive[cells])


@dataclass(frozen=True, slots=True)
class Grouped:
    """Rows with the number of their group."""

    groups: int
    numbers: Numbers
    amounts: Amounts
    sensitive: NDArray[np.bool_]

    @property
    def counts(self) -> list[int]:
        """How many rows each group has."""
        return np.bincount(self.numbers, minlength=self.groups).tolist()

    @property
    def sums(self) -> list[int]:
        """What the whole numbers of each group add up to."""
        return np.bincount(self.numbers, self.amounts, minlength=self.groups).astype(np.int64).tolist()

    @property
    def has_sensitive(self) -> list[bool]:
        """Whether some rows of a group are of sensitive studies."""
        there = np.bincount(self.numbers[self.sensitive], minlength=self.groups)
        return [bool(each) for each in there]

    def count_where(self, holds: NDArray[np.bool_]) -> list[int]:
        """How many rows of each group a condition holds for."""
        return np.bincount(self.numbers[holds], minlength=self.groups).tolist()

    def in_order(self) -> list[Amounts]:
        """The values of each group, the smallest first."""
        if self.groups == 1:
            return [np.sort(self.amounts)]
        order = np.lexsort((self.amounts, self.numbers)) if self.amounts.dtype.kind == "f" else None
        if order is not None:
            numbers, amounts = self.numbers[order], self.amounts[order]
        else:
            # One sort of one number for both: group above, value below, moved so that none is negative.
            keys = np.sort((self.numbers << 33) + (self.amounts + (1 << 32)))
            numbers, amounts = keys >> 33, (keys & ((1 << 33) - 1)) - (1 << 32)
        begins = np.searchsorted(numbers, np.arange(self.groups + 1))
        return [amounts[begins[group] : begins[group + 1]] for group in range(self.groups)]
