"""A reader, his or her contracts and hours, and which subspecialties belong together. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from radiology.external.practitioners.model import Practitioner

GENERAL: Final = "general"
GROUPS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "neuro": frozenset({"neuro", "musculoskeletal"}),
        "thorax": frozenset({"chest", "cardiac"}),
        "body": frozenset({"body", "nuclear"}),
        "women": frozenset({"breast", "obstetric"}),
        "paediatric": frozenset({"paediatric"}),
        GENERAL: frozenset({GENERAL}),
    }
)
"""Subspecialties that are related. A rota is one of a group, and who is on call for `general` is so for all."""
SUBSPECIALTIES: Final = tuple(sorted(frozenset[str]().union(*GROUPS.values())))
GROUP_OF: Final[Mapping[str, str]] = MappingProxyType(
    {subspecialty: group for group, members in GROUPS.items() for subspecialty in members}
)
AGE_GROUPS: Final = ("neonate", "child", "adult")
CERTIFICATES: Final = ("mammography", "cardiac-ct")
DEFAULT_CAP_RVU: Final = 60.0


class Scope(StrEnum):
    """How far a contract reaches."""

    FACILITY = "facility"
    DISTRICT = "district"
    DIVISION = "division"
    NATIONAL = "national"


@dataclass(frozen=True, slots=True)
class Contract:
    """Where a reader reads: a facility, a district or division by its geocode, or the country, which has no place.

    Days are included.
    """

    scope: Scope
    place: str = ""
    begins_on: date | None = None
    ends_on: date | None = None

    def holds(self, on: date) -> bool:
        """Whether it is one on this day."""
        return (self.begins_on is None or self.begins_on <= on) and (self.ends_on is None or on <= self.ends_on)


@dataclass(frozen=True, slots=True)
class Home:
    """Where a reader sits: a facility and its places, as far as there is one; or abroad."""

    facility_code: str = ""
    district: str = ""
    division: str = ""
    abroad: bool = False


@dataclass(frozen=True, slots=True)
class Shift:
    """Hours of days of the week (ISO 8601, Monday is 1). One that ends at or before it begins ends the next day."""

    days: frozenset[int]
    begins: time
    ends: time

    def is_on(self, day: date, at: datetime) -> bool:
        """Whether the one that begins on this day holds at a moment of the same zone."""
        if day.isoweekday() not in self.days:
            return False
        ends = datetime.combine(day + timedelta(days=self.ends <= self.begins), self.ends, at.tzinfo)
        return datetime.combine(day, self.begins, at.tzinfo) <= at < ends


@dataclass(frozen=True, slots=True)
class Absence:
    """Leave; both days are included."""

    begins_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Recusals:
    """For whom somebody does not read."""

    patients: frozenset[UUID] = frozenset()
    facilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader of the network.

    subspecialties: of `SUBSPECIALTIES`; none is general. sex: F, M or empty. age_groups: of whom images are read.
    certificates: what is held beside privileges. cap_rvu: so much may lie open with him or her. reads_sensitive: is
    given studies of the sensitive classes. abroad_approval: the number of the approval by the data protection officer,
    without which nobody abroad reads.
    """

    practitioner: Practitioner
    account: str = ""
    subspecialties: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    sex: str = ""
    age_groups: frozenset[str] = frozenset({"adult"})
    certificates: frozenset[str] = frozenset()
    contracts: tuple[Contract, ...] = ()
    home: Home = field(default_factory=Home)
    cap_rvu: float = DEFAULT_CAP_RVU
    reads_sensitive: bool = False
    abroad_approval: str = ""
    recusals: Recusals = field(default_factory=Recusals)
    shifts: tuple[Shift, ...] = ()
    absences: tuple[Absence, ...] = ()
    active: bool = True

    @property
    def reference(self) -> str:
        """As `Practitioner/<id>`."""
        return self.practitioner.reference

    def fit(self, subspecialty: str) -> str:
        """How well a subspecialty fits: exact, related, or general."""
        held = self.subspecialties or {GENERAL}
        if subspecialty in held:
            return "exact"
        return "related" if held & GROUPS.get(GROUP_OF.get(subspecialty, ""), frozenset()) else "general"

    def is_on_shift(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether he or she works at a moment, by shifts and leave."""
        local = at.astimezone(zone)
        today = local.date()
        if any(each.begins_on <= today <= each.ends_on for each in self.absences):
            return False
        return any(shift.is_on(day, local) for shift in self.shifts for day in (today, today - timedelta(days=1)))
