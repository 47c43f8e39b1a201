"""What is listed and copied of a foreign archive, and the pace of copying."""

import string
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from radiology.remotes.model import StudyQuery

PREFIXES: Final = string.digits + string.ascii_uppercase
#: A slice of this many leading characters of Patient ID is not split any further.
LONGEST_PREFIX: Final = 6
EARLIEST: Final = date(1980, 1, 1)


@dataclass(frozen=True, slots=True)
class Slice:
    """One query that lists studies. Dates are DA values; both empty: any date, to find studies without one."""

    first_date: str
    last_date: str
    patient_prefix: str = ""

    def halves(self) -> "list[Slice]":
        """Smaller slices that together have the same studies; empty where it cannot be split any further.

        One day, or any date, is split by the first characters of Patient ID.
        """
        if self.first_date < self.last_date:
            first, last = _date(self.first_date), _date(self.last_date)
            middle = first + (last - first) // 2
            return [
                Slice(self.first_date, f"{middle:%Y%m%d}", self.patient_prefix),
                Slice(f"{middle + timedelta(days=1):%Y%m%d}", self.last_date, self.patient_prefix),
            ]
        if len(self.patient_prefix) == LONGEST_PREFIX:
            return []
        return [replace(self, patient_prefix=self.patient_prefix + character) for character in PREFIXES]

    @property
    def query(self) -> StudyQuery:
        """What is asked for: a range of dates (PS3.4 C.2.2.2.5), the beginning of Patient ID."""
        return StudyQuery(
            study_date=f"{self.first_date}-{self.last_date}" if self.first_date else "",
            patient_id=f"{self.patient_prefix}*" if self.patient_prefix else "",
        )


def whole_archive(today: date) -> list[Slice]:
    """The slices that listing begins with; images of tomorrow are those of clocks that are wrong."""
    last = f"{today + timedelta(days=366):%Y%m%d}"
    return [Slice(f"{EARLIEST:%Y%m%d}", last), Slice("19000101", "19791231"), Slice("", "")]


@dataclass(frozen=True, slots=True)
class Hours:
    """When copying is allowed, local time; from equal to until: always. It may go over midnight."""

    begin: time = time(0)
    end: time = time(0)

    def allow(self, now: datetime) -> bool:
        """Whether copying may go on at a local moment."""
        moment = now.time()
        if self.begin == self.end:
            return True
        if self.begin < self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end


def hours(text: str) -> Hours:
    """Hours as 20:00-06:00. Raises ValueError."""
    begin, _, end = text.partition("-")
    return Hours(time.fromisoformat(begin), time.fromisoformat(end))


def _date(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a DA value has no zone.
