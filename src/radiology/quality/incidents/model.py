"""States, steps and texts of an unintended exposure (NSRC Rules 1997; licence terms of BAERA). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from radiology.errors import Conflict
from radiology.external.notifications.model import Message
from radiology.kit.bilingual import Sentence


class Cause(StrEnum):
    """What went wrong."""

    WRONG_PATIENT = "wrong-patient"
    WRONG_SIDE = "wrong-side"
    PREGNANT = "pregnant-unknowingly"
    DOSE = "dose-over-expected"
    OTHER = "other"


class Status(StrEnum):
    """How far it is dealt with."""

    OPEN = "open"
    ASSESSED = "assessed"
    NOTIFIED = "notified"
    CLOSED = "closed"
    DISMISSED = "not-an-incident"


class Verb(StrEnum):
    """What moves it."""

    ASSESS = "assess"
    NOTIFY = "notify"
    CLOSE = "close"
    DISMISS = "dismiss"
    REOPEN = "reopen"


class Foetal(StrEnum):
    """Whether a medical physicist is to estimate the dose to a foetus."""

    NOT_NEEDED = "not-needed"
    REQUESTED = "requested"
    GIVEN = "given"


TRANSITIONS: Final[Mapping[tuple[Status, Verb], Status]] = {
    (Status.OPEN, Verb.ASSESS): Status.ASSESSED,
    (Status.OPEN, Verb.DISMISS): Status.DISMISSED,
    (Status.ASSESSED, Verb.ASSESS): Status.ASSESSED,
    (Status.ASSESSED, Verb.NOTIFY): Status.NOTIFIED,
    (Status.ASSESSED, Verb.DISMISS): Status.DISMISSED,
    (Status.NOTIFIED, Verb.ASSESS): Status.NOTIFIED,
    (Status.NOTIFIED, Verb.NOTIFY): Status.NOTIFIED,
    (Status.NOTIFIED, Verb.CLOSE): Status.CLOSED,
    (Status.CLOSED, Verb.REOPEN): Status.OPEN,
    (Status.DISMISSED, Verb.REOPEN): Status.OPEN,
}

CAUSES: Final[Mapping[Cause, Sentence]] = {
    Cause.WRONG_PATIENT: Sentence("Another patient than the one meant was exposed.", "ভুল রোগীকে বিকিরণ দেওয়া হয়েছে।"),
    Cause.WRONG_SIDE: Sentence(
        "Another side or part than the one meant was exposed.", "ভুল পাশ বা অঙ্গে বিকিরণ দেওয়া হয়েছে।"
    ),
    Cause.PREGNANT: Sentence(
        "A pregnant patient was exposed, and nobody knew of the pregnancy.",
        "গর্ভাবস্থা না জেনে গর্ভবতী রোগীকে বিকিরণ দেওয়া হয়েছে।",
    ),
    Cause.DOSE: Sentence(
        "The dose was more than three times what was to be expected.", "মাত্রা প্রত্যাশিত মানের তিন গুণের বেশি ছিল।"
    ),
    Cause.OTHER: Sentence("An exposure was not as it was meant to be.", "বিকিরণ যেমন হওয়ার কথা ছিল তেমন হয়নি।"),
}
FOETAL_REQUEST: Final = Sentence(
    "Please estimate the dose to the foetus from the dose record of this study and from the weeks of the pregnancy.",
    "অনুগ্রহ করে এই পরীক্ষার মাত্রার নথি ও গর্ভকাল থেকে ভ্রূণের মাত্রা নিরূপণ করুন।",
)
_OFFICER: Final = Sentence(
    "To the Radiation Control Officer: an unintended exposure is on record here. Please review it, and decide whether "
    "the terms of the licence ask for a report to the authority (BAERA).",
    "রেডিয়েশন কন্ট্রোল অফিসার সমীপে: এখানে একটি অনিচ্ছাকৃত বিকিরণের ঘটনা নথিভুক্ত হয়েছে। অনুগ্রহ করে পর্যালোচনা করুন এবং "
    "লাইসেন্সের শর্ত অনুযায়ী কর্তৃপক্ষকে (বায়েরা) জানাতে হবে কি না সিদ্ধান্ত দিন।",
)


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as it stands."""

    id: UUID
    facility_code: str
    cause: str
    status: str
    study_id: UUID | None
    foetal_estimate: str
    authority_needed: bool | None
    authority_told_at: datetime | None
    version: int


def must_be_settled(incident: Incident) -> None:
    """Raises Conflict where something is still to come before an incident can be closed."""
    if incident.foetal_estimate == Foetal.REQUESTED:
        raise Conflict("The estimate of the dose to the foetus is still to come. Give it with `assess`, then close.")
    if incident.authority_needed is None:
        raise Conflict("Nobody has said whether the authority must be told. Say so with `assess`, then close.")
    if incident.authority_needed and incident.authority_told_at is None:
        raise Conflict("The authority has not been told. Note with `notify` that it was, then close.")


def letter(cause: Cause) -> Sentence:
    """What the radiation control officer is told."""
    told = CAUSES[cause]
    return Sentence(f"{_OFFICER.english} {told.english}", f"{_OFFICER.bangla} {told.bangla}")


def opened(incident_id: UUID, cause: Cause) -> Message:
    """What quality officers are told at once."""
    told = CAUSES[cause]
    english, bangla = [told.english], [told.bangla]
    if cause == Cause.PREGNANT:
        english.append(FOETAL_REQUEST.english)
        bangla.append(FOETAL_REQUEST.bangla)
    return Message(
        "incident.open",
        "An unintended exposure was reported / অনিচ্ছাকৃত বিকিরণের ঘটনা জানানো হয়েছে",
        f"{' '.join(english)}\n{' '.join(bangla)}",
        f"Incident/{incident_id}",
    )


def to_officer(incident_id: UUID, cause: Cause) -> Message:
    """The letter, for the inbox."""
    told = letter(cause)
    return Message(
        "incident.notify",
        "Unintended exposure: for the Radiation Control Officer / অনিচ্ছাকৃত বিকিরণ: রেডিয়েশন কন্ট্রোল অফিসারের জন্য",
        f"{told.english}\n{told.bangla}",
        f"Incident/{incident_id}",
    )
