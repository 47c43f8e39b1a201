"""Bodies of the reading worklist over REST."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.reading_worklist.model import AgeGroup, Priority, State

Account = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
Words = Annotated[list[Word], Field(max_length=20)]
QueueName = Literal[
    "all", "mine", "unassigned", "stat", "second-opinions", "drafts", "addenda", "critical", "breached", "locked"
]


class Body(BaseModel):
    """A body says nothing that we do not know."""

    model_config = ConfigDict(extra="forbid")


class ReleaseIn(Body):
    """Why a study is released; a head who takes it from somebody must say."""

    reason: Sentence | None = None


class HandOverIn(Body):
    """To whom a study is given, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"to": "account:nasrin", "reason": "My shift ends."}]}
    )

    to: Account = Field(description="An account, as account:nasrin.")
    reason: Sentence | None = None


class NoteIn(Body):
    """A note beside a study. `critical`: it looks critical and is read sooner; false takes that back."""

    text: Prose
    critical: bool | None = None


class OpinionIn(Body):
    """A question for a second opinion, and of whom it is asked."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"of": "account:nasrin", "question": "Is this a thrombus?"}]}
    )

    of: Account = Field(description="An account, as account:nasrin.")
    question: Prose


class AnswerIn(Body):
    """A second opinion, or why there is none."""

    text: Prose


class FilterIn(Body):
    """A filter of the list that somebody keeps, with the words of its parameters."""

    queue: QueueName = "all"
    state: list[State] = Field(default_factory=list[State], max_length=10)
    priority: list[Priority] = Field(default_factory=list[Priority], max_length=4)
    facility: Words = Field(default_factory=list[Word])
    modality: Words = Field(default_factory=list[Word])
    subspecialty: Words = Field(default_factory=list[Word])
    ageGroup: list[AgeGroup] = Field(default_factory=list[AgeGroup], max_length=3)  # noqa: N815
    assignedTo: Account | None = None  # noqa: N815
    inpatient: bool | None = None
    arriving: bool | None = None


class FilterOut(BaseModel):
    """A filter by its name."""

    name: str
    filter: FilterIn


class FiltersOut(BaseModel):
    """The filters of somebody, by name."""

    results: list[FilterOut]


class Person(BaseModel):
    """An account, and what people call it."""

    id: str
    display: str


class Priors(BaseModel):
    """What is known of earlier studies of the patient, as far as the reader sees them."""

    number: int
    newest: date | None = None
    sameModality: bool  # noqa: N815
    sameRegion: bool  # noqa: N815


class ReadingOut(BaseModel):
    """A study in the reading worklist. Of a masked one only what is not optional is shown, and `receivedOn`."""

    studyId: str  # noqa: N815
    studyInstanceUID: str  # noqa: N815
    facilityCode: str  # noqa: N815
    accessionNumber: str | None = None  # noqa: N815
    state: State
    priority: Priority
    version: int
    patient: dict[str, Any]
    masked: bool | None = None
    receivedOn: date | None = None  # noqa: N815
    urgency: float | None = None
    receivedAt: datetime | None = None  # noqa: N815
    completedAt: datetime | None = None  # noqa: N815
    halfAt: datetime | None = None  # noqa: N815
    dueAt: datetime | None = None  # noqa: N815
    overdue: bool | None = None
    arriving: bool | None = None
    inpatient: bool | None = None
    critical: bool | None = None
    modality: str
    modalities: list[str] | None = None
    description: str | None = None
    procedureCode: list[dict[str, Any]] | None = None  # noqa: N815
    procedureKey: str | None = None  # noqa: N815
    region: str | None = None
    subspecialty: str | None = None
    rvu: float | None = None
    ageGroup: AgeGroup | None = None  # noqa: N815
    certificates: list[str] | None = None
    reasonCode: list[dict[str, Any]] | None = None  # noqa: N815
    birthDate: str | None = None  # noqa: N815
    sex: str | None = None
    hospitalNumber: str | None = None  # noqa: N815
    started: datetime | None = None
    numberOfSeries: int | None = None  # noqa: N815
    numberOfInstances: int | None = None  # noqa: N815
    flags: list[str] | None = None
    priors: Priors | None = None
    assignedTo: Person | None = None  # noqa: N815
    offerExpiresAt: datetime | None = None  # noqa: N815
    claimedBy: Person | None = None  # noqa: N815
    claimedAt: datetime | None = None  # noqa: N815
    lockedUntil: datetime | None = None  # noqa: N815
    author: Person | None = None
    secondOpinionsAsked: int | None = None  # noqa: N815
    notes: int | None = None
    reportOutdated: bool | None = None  # noqa: N815
    finishedAt: datetime | None = None  # noqa: N815


class ReadingPage(BaseModel):
    """One page, the most urgent first, and the address of the next."""

    results: list[ReadingOut]
    next: str | None


class CountsOut(BaseModel):
    """How many there are in each queue of the left rail."""

    model_config = ConfigDict(extra="allow")

    all: int
    mine: int
    unassigned: int
    stat: int
    drafts: int
    addenda: int
    critical: int
    breached: int
    locked: int
