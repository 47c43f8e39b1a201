"""Bodies of rooms, their weeks, calendars and rules. What is kept of them is kept as it is written here."""

from datetime import date, time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from radiology.facilities.devices.schemas import DowntimeIn
from radiology.kit.validation import CONFIGURATION, Body
from radiology.modality_worklist.schemas import AETitle, Modality
from radiology.scheduling import hours
from radiology.scheduling.model import LONGEST_MINUTES, Span

Name = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
Note = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Weekday = Annotated[int, Field(ge=1, le=7)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2999, 12, 31))]

ROOM: dict[str, Any] = {
    "name": "CT 1",
    "nameBangla": "সিটি ১",
    "devices": [{"aeTitle": "CT1", "modality": "CT"}],
    "sessions": [{"weekdays": [6, 7, 1, 2, 3, 4], "begins": "08:00", "ends": "14:30"}],
    "breaks": [{"weekdays": [6, 7, 1, 2, 3, 4], "begins": "13:00", "ends": "13:30", "name": "Zuhr"}],
}


class WeeklyIn(Body):
    """Something that recurs each week. An end that is not behind the begin is on the next day."""

    weekdays: list[Weekday] = Field(min_length=1, max_length=7, description="ISO 8601: 1 Monday to 7 Sunday.")
    begins: time
    ends: time
    calendar: hours.Calendar = Field(
        default="always", description="`ramadan`: on days of Ramadan alone; `normal`: on all others."
    )
    first_day: date | None = None
    last_day: date | None = None

    @model_validator(mode="after")
    def _local(self) -> "WeeklyIn":
        if self.begins.tzinfo or self.ends.tzinfo:
            raise ValueError("begins and ends are times of day of the facility, as 08:00, without an offset")
        return self

    def fields(self) -> dict[str, Any]:
        """Those that all have in common."""
        return {
            "weekdays": frozenset(self.weekdays), "begins": self.begins, "ends": self.ends, "calendar": self.calendar,
            "first_day": self.first_day, "last_day": self.last_day,
        }  # fmt: skip


class SessionIn(WeeklyIn):
    """Hours in which a room works."""

    purpose: hours.Purpose = Field(
        default="general", description="`sedation`: kept for sedated children until 60 minutes before."
    )

    def session(self) -> hours.Session:
        """As the model has it."""
        return hours.Session(**self.fields(), purpose=self.purpose)


class BreakIn(WeeklyIn):
    """A pause, for prayer, iftar or else."""

    name: Note = ""

    def pause(self) -> hours.Break:
        """As the model has it."""
        return hours.Break(**self.fields(), name=self.name)


class ShiftIn(WeeklyIn):
    """Somebody is on duty."""

    female: bool = Field(default=False, description="Whether she is a woman.")

    def shift(self) -> hours.Shift:
        """As the model has it."""
        return hours.Shift(**self.fields(), female=self.female)


def _ordinary() -> list[SessionIn]:
    """Saturday to Thursday: the weekend is Friday."""
    return [SessionIn(weekdays=[6, 7, 1, 2, 3, 4], begins=time(8), ends=time(14, 30))]


class PlanIn(Body):
    """The week of a room."""

    sessions: list[SessionIn] = Field(default_factory=_ordinary, max_length=100)
    breaks: list[BreakIn] = Field(default_factory=list[BreakIn], max_length=100)
    operators: list[ShiftIn] = Field(
        default_factory=list[ShiftIn],
        max_length=200,
        description="Who operates when. Without any, somebody always does; a woman only where a shift says so.",
    )
    open_on_holidays: bool = False

    def plan(self) -> hours.Plan:
        """As the model has it."""
        return hours.Plan(
            tuple(each.session() for each in self.sessions),
            tuple(each.pause() for each in self.breaks),
            tuple(each.shift() for each in self.operators),
            self.open_on_holidays,
        )


class DeviceIn(Body):
    """An application entity that stands in the room."""

    ae_title: AETitle
    modality: Modality


class RoomIn(PlanIn):
    """A room, its devices and its week."""

    model_config = CONFIGURATION | ConfigDict(json_schema_extra={"examples": [ROOM]})

    name: Name
    name_bangla: Note = ""
    devices: list[DeviceIn] = Field(min_length=1, max_length=20)
    active: bool = Field(default=True, description="Whether new bookings are made here.")
    overbooks: bool = Field(default=False, description="Whether more are booked than there are slots.")
    no_show_rate: float | None = Field(
        default=None, ge=0, le=0.9, description="The share that does not come; left out: of the last 90 days."
    )
    version: int | None = Field(default=None, description="Of the room that is changed; or the header If-Match.")


class RoomOut(RoomIn):
    """A room as it is answered."""

    id: UUID
    version: int  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]


class BlockedIn(DowntimeIn):
    """A time in which a room or one of its devices does not work."""

    device: AETitle | None = Field(default=None, description="One device of the room; left out: all of them.")

    @property
    def span(self) -> Span:
        """The time."""
        return Span(self.begins, self.ends)


class CalendarDayIn(Body):
    """A day that is not like others."""

    day: Day
    kind: Literal["holiday", "ramadan"]
    name: Note = ""
    name_bangla: Note = ""
    iftar: time | None = Field(default=None, description="When the fast is broken: 30 minutes from then are a break.")


class CalendarIn(Body):
    """Days that are added, each in place of what stood there; and what is forgotten before that."""

    model_config = CONFIGURATION | ConfigDict(
        json_schema_extra={
            "examples": [
                {"replaceYear": 2026, "days": [{"day": "2026-02-21", "kind": "holiday", "name": "Shaheed Day"}]}
            ]
        }
    )

    days: list[CalendarDayIn] = Field(max_length=1000)
    replace_year: int | None = Field(default=None, ge=2000, le=2999, description="Forget all days of this year first.")


class RulesIn(Body):
    """What holds for all rooms of a facility."""

    breaks: list[BreakIn] = Field(default_factory=list[BreakIn], max_length=100)
    contrast_nurses: list[ShiftIn] = Field(
        default_factory=list[ShiftIn],
        max_length=200,
        description="Each gives contrast to one patient at a time. Without any, contrast is not waited for.",
    )
    minutes: dict[Code, Annotated[int, Field(ge=1, le=LONGEST_MINUTES)]] = Field(
        default_factory=dict[str, int],
        max_length=500,
        description="How long an examination takes, by the code of the procedure or by modality.",
    )
    grace_minutes: int = Field(
        default=30, ge=5, le=480, description="Who has not arrived so long after the start is missed."
    )
    reminder_hours: list[Annotated[int, Field(ge=1, le=240)]] = Field(
        default_factory=lambda: [24, 3], max_length=5, description="So long before the start a reminder is sent."
    )
    offer_minutes: int = Field(
        default=60, ge=5, le=1440, description="So long a free time is held for somebody of the waiting list."
    )
    facility_name: Note = Field(default="", description="As patients know it, for messages and slips.")
    facility_name_bangla: Note = ""
    phone: Note = Field(default="", description="Whom patients call.")
