"""What the indicators are made of: moments of a study, cells, windows, and exact percentiles. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal, LiteralString
from uuid import UUID

from numpy.typing import NDArray

from radiology.errors import Invalid

PERCENTILES: Final = (50, 90, 95)
LONGEST_DAYS: Final = 3_660
SMALLEST_SHOWN: Final = 5
"""A figure with fewer studies is not shown where one of them is sensitive."""
UNKNOWN_TURNAROUND_HOURS: Final = 24.0
Dimension = Literal["priority", "modality", "facility", "subspecialty"]
DIMENSIONS: Final[tuple[Dimension, ...]] = ("priority", "modality", "facility", "subspecialty")


@dataclass(frozen=True, slots=True)
class Stage:
    """A piece of the way from order to report: the columns of the moments that it lies between.

    A study counts on the day on which the stage ends, so a day is over when it is over.
    """

    key: str
    begins: LiteralString
    ends: LiteralString

    @property
    def measure(self) -> str:
        """What its sheets are called; their values are seconds."""
        return f"stage.{self.key}"


STAGES: Final = (
    Stage("order-scheduled", "ordered_at", "scheduled_at"),
    Stage("arrival-start", "arrived_at", "started_at"),
    Stage("start-completed", "started_at", "completed_at"),
    Stage("completed-preliminary", "completed_at", "preliminary_at"),
    Stage("completed-final", "completed_at", "final_at"),
    Stage("order-final", "ordered_at", "final_at"),
)
HEADLINE: Final = "completed-final"
LATENESS: Final = "sla"
"""Sheets of the day of a deadline: by how many seconds a first final report was late, negative where it was in time."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What figures can be asked for by. sensitive: some may know of such studies only in larger numbers."""

    id: int
    facility_code: str
    modality: str
    priority: str
    subspecialty: str
    sensitive: bool = False

    def value_of(self, dimension: Dimension) -> str:
        """Where it belongs in a breakdown."""
        return self.facility_code if dimension == "facility" else str(getattr(self, dimension))


@dataclass(frozen=True, slots=True)
class Fact:
    """What the indicators know of a study. Moments that it never reached are None. sla_hours: until the report."""

    study_id: UUID
    cell: tuple[str, str, str, str, bool]
    sla_hours: float
    rvu: float
    ordered_at: datetime | None = None
    scheduled_at: datetime | None = None
    arrived_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    preliminary_at: datetime | None = None
    final_at: datetime | None = None
    deadline: datetime | None = None

    @property
    def moments(self) -> tuple[datetime, ...]:
        """All that it reached: on the days of these it counts."""
        all_of_it = (
            self.ordered_at, self.scheduled_at, self.arrived_at, self.started_at, self.completed_at,
            self.preliminary_at, self.final_at, self.deadline,
        )  # fmt: skip
        return tuple(moment for moment in all_of_it if moment is not None)


@dataclass(frozen=True, slots=True)
class Window:
    """Days from the first to the last, both whole, in the zone of the service."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise Invalid("The last day lies before the first.")
        if (self.last - self.first).days >= LONGEST_DAYS:
            raise Invalid(f"A window has at most {LONGEST_DAYS} days.")

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def told(self) -> dict[str, str]:
        """As JSON tells it."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}

    @staticmethod
    def of_month(year: int, month: int) -> "Window":
        """A whole month."""
        first = date(year, month, 1)
        return Window(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which studies: of these values in each dimension, or of all where a dimension is not named."""

    values: Mapping[Dimension, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))

    def takes(self, cell: Cell) -> bool:
        """Whether the studies of a cell count."""
        return all(cell.value_of(dimension) in wanted for dimension, wanted in self.values.items())


def rank(count: int, percentile: int) -> int:
    """The place, from 0, of the nearest-rank percentile among so many values in order."""
    return -(-percentile * count // 100) - 1


def nearest_rank(in_order: Sequence[float] | NDArray[Any], percentile: int) -> float | None:
    """The smallest value that at least so many of a hundred do not exceed; None where there is none."""
    return float(in_order[rank(len(in_order), percentile)]) if len(in_order) else None


def hidden(counts: Mapping[str, tuple[int, bool]]) -> frozenset[str]:
    """Which rows of a breakdown are not shown: `counts` has how many each is made of, and whether some are sensitive.

    A sensitive study must not be told by a small number, nor by what is left when all others are taken from the sum: so
    the next smallest row is hidden with a single one.
    """
    small = {name for name, (count, sensitive) in counts.items() if sensitive and 0 < count < SMALLEST_SHOWN}
    others = sorted((count, name) for name, (count, _) in counts.items() if count and name not in small)
    if len(small) == 1 and others:
        small.add(others[0][1])
    return frozenset(small)
