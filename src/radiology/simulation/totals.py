"""What a day came to: sums of journeys for the country, and for its divisions, levels and urgencies. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from radiology.simulation.model import Journey


@dataclass(slots=True)
class Sums:
    """Sums of journeys. Money in BDT, travel in minutes of one direction, hours as they were measured."""

    orders: int = 0
    avoided: int = 0
    replaced: int = 0
    referred: int = 0
    examined: int = 0
    nowhere: int = 0
    reported: int = 0
    in_time: int = 0
    cost: Decimal = field(default_factory=Decimal)
    travel_minutes: float = 0.0
    saved: Decimal = field(default_factory=Decimal)
    saved_msv: float = 0.0
    turnaround_hours: list[float] = field(default_factory=list[float])
    whole_hours: list[float] = field(default_factory=list[float])

    def add(self, journey: Journey) -> None:
        """Count one journey."""
        self.orders += 1
        self.avoided += journey.avoided
        self.replaced += journey.replaced
        self.referred += journey.referred
        self.saved += journey.saved
        self.saved_msv += journey.saved_msv
        if journey.images is None:
            self.nowhere += not journey.avoided
            return
        self.examined += 1
        self.cost += journey.cost
        self.travel_minutes += journey.travel_minutes
        if journey.report is not None:
            self.reported += 1
            self.in_time += journey.deadline is not None and journey.report <= journey.deadline
            self.turnaround_hours.append((journey.report - journey.images).total_seconds() / 3600)
            self.whole_hours.append((journey.report - journey.patient.at).total_seconds() / 3600)

    @property
    def mean_cost(self) -> Decimal:
        """BDT for each examination."""
        return self.cost / self.examined if self.examined else Decimal()

    @property
    def mean_travel(self) -> float:
        """Minutes of one direction for each examination."""
        return self.travel_minutes / self.examined if self.examined else 0.0

    @property
    def share_in_time(self) -> float:
        """Of all that was examined: what nobody read is late."""
        return self.in_time / self.examined if self.examined else 0.0


GROUPS: Final[Mapping[str, Callable[[Journey], str]]] = {
    "division": lambda journey: journey.patient.district.division,
    "district": lambda journey: journey.patient.district.name,
    "priority": lambda journey: journey.patient.priority,
    "modality": lambda journey: journey.modality or journey.patient.procedure.modality,
    "facility": lambda journey: journey.tier or "nowhere",
}
"""By what journeys can be grouped; each is in exactly one group."""


def total(journeys: Iterable[Journey]) -> Sums:
    """All of them."""
    sums = Sums()
    for journey in journeys:
        sums.add(journey)
    return sums


def by(group: str, journeys: Iterable[Journey]) -> dict[str, Sums]:
    """The sums of each group, in the order of their names."""
    of, found = GROUPS[group], dict[str, Sums]()
    for journey in journeys:
        found.setdefault(of(journey), Sums()).add(journey)
    return dict(sorted(found.items()))
