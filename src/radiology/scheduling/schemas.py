"""Bodies of slots and bookings over REST."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from radiology.external.notifications.model import mobile_number
from radiology.kit.validation import Moment
from radiology.modality_worklist.schemas import AETitle, LongText, Modality
from radiology.scheduling.model import LONGEST_MINUTES, Priority
from radiology.scheduling.planning import MOST_EXAMINATIONS
from radiology.scheduling.rooms.schemas import CONFIGURATION, Body, Day, Note

Code = Annotated[str, StringConstraints(pattern=r"^P[0-9G]{1,2}$")]

SEARCH: dict[str, Any] = {
    "examinations": [
        {"modality": "RF", "requestedProcedure": "Barium meal"},
        {"modality": "US", "requestedProcedure": "Ultrasonogram whole abdomen", "diabetic": True},
    ],
    "days": 14,
}
BOOKING: dict[str, Any] = {
    "appointments": [
        {"item": "018f6b1e-7c1e-7d3a-9a51-3f2c55e4a111", "device": "CT1", "start": "2026-01-22T09:00:00+06:00"}
    ],
    "contact": {"mobile": "01712345678", "language": "bn"},
}


class FactsIn(Body):
    """What is known of an examination. What is left out is taken from the item, or from its kind."""

    minutes: int | None = Field(default=None, ge=1, le=LONGEST_MINUTES)
    priority: Priority | None = None
    fasting_hours: int | None = Field(default=None, ge=0, le=24, description="How long nothing is eaten before.")
    diabetic: bool | None = None
    contrast: bool | None = None
    barium: bool | None = None
    isolation: bool | None = Field(default=None, description="The last of the day, unless it is urgent.")
    female_operator: bool | None = Field(default=None, description="A woman examines.")
    sedation: bool | None = None
    preparations: list[Code] | None = Field(default=None, max_length=6)

    def facts(self) -> dict[str, Any]:
        """Those that are given."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, include=set(FactsIn.model_fields))


class ExaminationIn(FactsIn):
    """An item of the worklist, or a procedure that has none yet."""

    item: UUID | None = None
    modality: Modality | None = None
    requested_procedure: LongText | None = None
    deadline: Moment | None = Field(default=None, description="By then it has begun.")
    rooms: list[UUID] = Field(default_factory=list[UUID], max_length=20, description="One of these; empty: any.")

    @model_validator(mode="after")
    def _named(self) -> "ExaminationIn":
        if (self.item is None) == (self.modality is None):
            raise ValueError("give either item or modality")
        return self

    def facts(self) -> dict[str, Any]:
        """Those that are given."""
        known = FactsIn.facts(self)
        if self.deadline:
            known["deadline"] = self.deadline.isoformat()
        if self.rooms:
            known["rooms"] = [str(room) for room in self.rooms]
        return known


class SearchIn(Body):
    """Examinations of one patient, for which times are looked for."""

    model_config = CONFIGURATION | ConfigDict(json_schema_extra={"examples": [SEARCH]})

    examinations: list[ExaminationIn] = Field(min_length=1, max_length=MOST_EXAMINATIONS)
    first_day: Day | None = Field(default=None, description="Today, if it is left out.")
    days: int = Field(default=14, ge=1, le=90)


class SentenceOut(BaseModel):
    """One sentence in two languages."""

    english: str
    bangla: str


class AppointmentOut(BaseModel):
    """One examination of an offer, as it can be sent back to book it."""

    item: UUID | None
    examination: int = Field(description="Its place in the search, from 0.")
    modality: str
    device: str
    room: dict[str, str]
    start: datetime
    end: datetime
    overbooked: bool
    displaces: bool


class OfferOut(BaseModel):
    """Times for all examinations, in their order, and why these."""

    appointments: list[AppointmentOut]
    visits: int
    deadlines_missed: int = Field(serialization_alias="deadlinesMissed")
    why: list[SentenceOut]


class OffersOut(BaseModel):
    """Up to three offers, the best first; where there is none, why."""

    results: list[OfferOut]
    why: SentenceOut | None


class ContactIn(Body):
    """How the patient is told of the booking."""

    mobile: Note = Field(default="", description="Of Bangladesh; left out: that of the patient in the registry.")
    language: Literal["bn", "en"] = "bn"
    reminders: bool = True

    @field_validator("mobile")
    @classmethod
    def _mobile(cls, value: str) -> str:
        number = mobile_number(value) if value else ""
        if number is None:
            raise ValueError("must be a mobile number of Bangladesh, as 01712345678 or +8801712345678")
        return number


class AppointmentIn(FactsIn):
    """One item at one time, as an offer has it."""

    item: UUID
    device: AETitle
    start: Moment
    displaces: bool = Field(default=False, description="STAT: routine bookings at this time are moved.")

    def facts(self) -> dict[str, Any]:
        """Those that are given."""
        return FactsIn.facts(self)


class BookingIn(Body):
    """All that one patient comes for on one visit: all of it is booked, or nothing."""

    model_config = CONFIGURATION | ConfigDict(json_schema_extra={"examples": [BOOKING]})

    appointments: list[AppointmentIn] = Field(min_length=1, max_length=MOST_EXAMINATIONS)
    contact: ContactIn = Field(default_factory=ContactIn)


class RescheduleIn(FactsIn):
    """Another time."""

    device: AETitle
    start: Moment
    displaces: bool = False
    reason: Note = ""
    version: int | None = Field(default=None, description="Of the booking that is moved; or the header If-Match.")


class ReasonIn(Body):
    """Why something is done."""

    reason: Note = ""
    version: int | None = None


class MobileIn(Body):
    """A mobile number."""

    mobile: Note
