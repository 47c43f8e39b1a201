"""What is listed and copied of a foreign archive, and the pace of copying."""

import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from radiology.remotes.model import ForeignStudy, StudyQuery

BEGINNINGS: Final = string.digits + string.ascii_uppercase
#: A slice of this many leading characters of Patient ID is not split any further.
LONGEST_BEGINNING: Final = 6
EARLIEST: Final = date(1980, 1, 1)
#: Clocks of modalities are wrong, and may be ahead.
DAYS_AHEAD: Final = 366
#: Studies of so many days are listed and compared again with every start.
RECENT_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Slice:
    """One query that lists studies. What is empty is not asked for.

    Dates are DA values; without them studies are found that have none. Times are hours and minutes. `patient_id` is as
    it is matched: `AB*` for a beginning, `AB` for the whole of it.
    """

    first_date: str
    last_date: str
    first_time: str = ""
    last_time: str = ""
    patient_id: str = ""

    @property
    def query(self) -> StudyQuery:
        """What is asked for: ranges of date and time (PS3.4 C.2.2.2.5), the beginning of Patient ID.

        The lower time has no seconds, and the upper one all of them: so it also holds where texts are compared.
        """
        return StudyQuery(
            study_date=f"{self.first_date}-{self.last_date}" if self.first_date else "",
            study_time=f"{self.first_time}-{self.last_time}59.999999" if self.first_time else "",
            patient_id=self.patient_id,
        )

    def parts(self, seen: Sequence[ForeignStudy]) -> "Parts":
        """Smaller slices, when of this one only these studies were given: dates first, then times, then Patient ID.

        Ranges of time miss studies without a Study Time. Where one is seen, or the time was not matched at all, the
        day is also asked for by Patient ID.
        """
        if self.patient_id:
            return self._longer_beginnings()
        if self.first_date < self.last_date:
            return Parts(self._halves_by_date(), are_all=True)
        if not self.first_date or self._is_one_minute:
            return Parts(self._by_patient(), are_all=False)
        is_timed = all(self._has(study.study_time) for study in seen)
        times = self._halves_by_time() if is_timed or not self.first_time else []
        whole_day = [] if is_timed else replace(self, first_time="", last_time="")._by_patient()
        return Parts([*times, *whole_day], are_all=is_timed)

    @property
    def sentence(self) -> str:
        """Which studies these are."""
        days = "without a date"
        if self.first_date:
            first, last = _date(self.first_date), _date(self.last_date)
            days = f"of {first}" if first == last else f"of {first} to {last}"
        times = f", {self.first_time[:2]}:{self.first_time[2:]} to {self.last_time[:2]}:{self.last_time[2:]}"
        patients = f", Patient ID {self.patient_id}"
        return f"studies {days}{times if self.first_time else ''}{patients if self.patient_id else ''}"

    @property
    def _is_one_minute(self) -> bool:
        return bool(self.first_time) and self.first_time == self.last_time

    def _has(self, study_time: str) -> bool:
        """Whether a Study Time is one, and lies in this slice."""
        minute = study_time.replace(":", "")[:4].ljust(4, "0")
        return bool(study_time.strip()) and (self.first_time or "0000") <= minute <= (self.last_time or "2359")

    def _halves_by_date(self) -> "list[Slice]":
        first, last = _date(self.first_date), _date(self.last_date)
        middle = first + (last - first) // 2
        return [
            replace(self, last_date=f"{middle:%Y%m%d}"),
            replace(self, first_date=f"{middle + timedelta(days=1):%Y%m%d}"),
        ]

    def _halves_by_time(self) -> "list[Slice]":
        first, last = _minute(self.first_time or "0000"), _minute(self.last_time or "2359")
        middle = (first + last) // 2
        return [
            replace(self, first_time=_hours_minutes(first), last_time=_hours_minutes(middle)),
            replace(self, first_time=_hours_minutes(middle + 1), last_time=_hours_minutes(last)),
        ]

    def _by_patient(self, beginning: str = "") -> "list[Slice]":
        return [replace(self, patient_id=f"{beginning}{character}*") for character in BEGINNINGS]

    def _longer_beginnings(self) -> "Parts":
        beginning = self.patient_id.removesuffix("*")
        if beginning == self.patient_id or len(beginning) == LONGEST_BEGINNING:
            return Parts([], are_all=False)
        # What these miss is missed already: whoever divided by Patient ID first has said so.
        return Parts([replace(self, patient_id=beginning), *self._by_patient(beginning)], are_all=True)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a slice is divided into. `are_all`: together they have every study of it."""

    slices: list[Slice]
    are_all: bool

    @property
    def state(self) -> str:
        """The state of the slice that was divided."""
        return "split" if self.are_all else "incomplete"


def whole_archive(today: date) -> list[Slice]:
    """The slices that listing begins with; images of tomorrow are those of clocks that are wrong."""
    last = f"{today + timedelta(days=DAYS_AHEAD):%Y%m%d}"
    return [Slice(f"{EARLIEST:%Y%m%d}", last), Slice("19000101", "19791231"), Slice("", "")]


def recent(today: date) -> Slice:
    """The last days, into which studies still come."""
    return Slice(f"{today - timedelta(days=RECENT_DAYS):%Y%m%d}", f"{today + timedelta(days=DAYS_AHEAD):%Y%m%d}")


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


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[2:])


def _hours_minutes(minute: int) -> str:
    return f"{minute // 60:02}{minute % 60:02}"
