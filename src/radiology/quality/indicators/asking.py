"""What is asked for: a window, a filter, a breakdown; and the rows of an answer, of which small ones are not shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from radiology.access.model import Actor
from radiology.app import App
from radiology.kit.db import Transaction, Where
from radiology.procedures.lookup import Catalogue
from radiology.quality.indicators import sheets
from radiology.quality.indicators.model import Cell, Dimension, Filter, Window, hidden
from radiology.quality.indicators.sheets import Grouped, Groups

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """Which figures somebody wants. `by` is the breakdown; without it there is one row for all."""

    window: Window
    wanted: Filter
    by: tuple[Dimension, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what is needed to answer it: the cells that may be counted, a transaction, the time.

    is_all: every cell there is counts, in one sum, so nobody needs to know which value is of which. reference_levels:
    those of the catalogue, by procedure and quantity. known_groups, known_waiting: what was found once for all
    indicators.
    """

    question: Question
    cells: tuple[Cell, ...]
    is_all: bool
    tx: Transaction
    actor: Actor
    now: datetime
    zone: ZoneInfo
    reference_levels: Mapping[str, Mapping[str, float]]
    known_groups: dict[tuple[Dimension, ...], Groups] = field(
        default_factory=dict[tuple[Dimension, ...], Groups], compare=False
    )
    known_waiting: list[Any] = field(default_factory=list[Any], compare=False)

    @property
    def window(self) -> Window:
        """The days."""
        return self.question.window

    @property
    def breakdowns(self) -> tuple[tuple[Dimension, ...], ...]:
        """The sum, and the breakdown where one is asked for."""
        return ((), self.question.by) if self.question.by else ((),)

    @property
    def taken(self) -> list[int]:
        """The numbers of the cells that count, where not all do."""
        return [] if self.is_all else [cell.id for cell in self.cells if self.question.wanted.takes(cell)]

    def groups(self, by: tuple[Dimension, ...]) -> Groups:
        """The groups of a breakdown, made once."""
        if by not in self.known_groups:
            self.known_groups[by] = Groups.of(self.cells, self.question.wanted, by)
        return self.known_groups[by]

    async def read(self, measure: str, *, real: bool = False) -> sheets.Rows:
        """The rows of a measure in the window."""
        return await sheets.read(self.tx, measure, self.window, cells=not self.is_all, real=real)

    async def read_sums(self, measure: str) -> sheets.Rows:
        """The numbers of a measure in the window, that can be added up."""
        return await sheets.read_sums(self.tx, measure, self.window, cells=not self.is_all)


async def asked(tx: Transaction, app: App, known: Catalogue, question: Question, *, visible_to: Actor) -> Asked:
    """A question of an actor, ready to be answered."""
    cells = await cells_of(tx, visible_to=visible_to)
    is_plain = not question.wanted.values and not question.by
    is_all = is_plain and len(cells) == await tx.value("SELECT count(*) FROM indicator_cells")
    levels = {each.key: each.reference_levels for each in known.procedures}
    return Asked(question, cells, is_all, tx, visible_to, app.clock.now(), app.settings.zone, levels)


async def cells_of(tx: Transaction, *, visible_to: Actor) -> tuple[Cell, ...]:
    """All cells of the facilities of an actor; those of facilities for tests and training never count."""
    where = Where(["NOT EXISTS (SELECT FROM facilities AS f WHERE f.code = c.facility_code AND f.test)"])
    visible_to.add_facility(where, "c.facility_code")
    return tuple(
        await tx.all(
            Cell,
            """
            SELECT c.id, c.facility_code, c.modality, c.priority, c.subspecialty, c.sensitive
            FROM indicator_cells AS c
            WHERE """  # noqa: S608 - literals of ours.
            + where.condition,
            **where.parameters,
        )
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """How many each group is made of, and which of them have sensitive studies among them."""

    counts: Sequence[int]
    sensitive: Sequence[bool]

    @staticmethod
    def of(*parts: Grouped, amounts: bool = False) -> "Counted":
        """Of rows, or of the numbers in them."""
        each = [part.sums if amounts else part.counts for part in parts]
        return Counted(
            [sum(numbers) for numbers in zip(*each, strict=True)],
            [any(flags) for flags in zip(*(part.has_sensitive for part in parts), strict=True)],
        )


def rows(
    groups: Groups, by: Sequence[Dimension], counted: Counted, figures: Callable[[int], Mapping[str, Any]]
) -> list[Figures]:
    """A row for each group that has something: how many it is made of, and its figures, unless it is not shown."""
    numbers = {
        "\0".join(name): (counted.counts[place], counted.sensitive[place]) for place, name in enumerate(groups.names)
    }
    unseen = hidden(numbers)
    found: list[Figures] = []
    for place, name in enumerate(groups.names):
        if not counted.counts[place] and by:
            continue
        named = {"group": dict(zip(by, name, strict=True))} if by else {}
        if "\0".join(name) in unseen:
            found.append({**named, "n": None, "suppressed": True})
        else:
            found.append({**named, "n": counted.counts[place], **figures(place)})
    return found


def told(by: Sequence[Dimension], into: Figures, found: list[Figures]) -> None:
    """Put rows into an answer: that of all, or those of the breakdown."""
    if by:
        into["rows"] = found
    else:
        into.update(found[0])


def share(part: float, whole: float) -> float | None:
    """Rounded to four digits; None of nothing."""
    return round(part / whole, 4) if whole else None


def minutes(seconds: float | None) -> float | None:
    """Seconds as minutes with two digits."""
    return None if seconds is None else round(seconds / 60, 2)
