"""The states of a scheduled procedure step, and for which stations it is. Pure.

The statuses are the defined terms of Scheduled Procedure Step Status (0040,0020), PS3.3 C.4.10.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from radiology.kit.bilingual import Sentence
from radiology.kit.steps import follow


class Status(StrEnum):
    """Scheduled Procedure Step Status (0040,0020)."""

    SCHEDULED = "SCHEDULED"
    ARRIVED = "ARRIVED"
    READY = "READY"
    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"
    CANCELED = "CANCELED"


class Verb(StrEnum):
    """What moves a scheduled step."""

    ARRIVE = "arrive"
    PREPARE = "prepare"
    START = "start"
    COMPLETE = "complete"
    DISCONTINUE = "discontinue"
    RELEASE = "release"
    CANCEL = "cancel"
    EXPIRE = "expire"
    REINSTATE = "reinstate"


OPEN = (Status.SCHEDULED, Status.ARRIVED, Status.READY)
"""What stands in the worklist."""

TRANSITIONS: Mapping[tuple[Status, Verb], Status] = {
    (Status.SCHEDULED, Verb.ARRIVE): Status.ARRIVED,
    (Status.SCHEDULED, Verb.PREPARE): Status.READY,
    (Status.ARRIVED, Verb.PREPARE): Status.READY,
    **{(status, Verb.START): Status.STARTED for status in OPEN},
    **{(status, Verb.COMPLETE): Status.COMPLETED for status in (*OPEN, Status.STARTED)},
    **{(status, Verb.CANCEL): Status.CANCELED for status in OPEN},
    **{(status, Verb.EXPIRE): Status.CANCELED for status in OPEN},
    (Status.STARTED, Verb.EXPIRE): Status.DISCONTINUED,
    (Status.STARTED, Verb.DISCONTINUE): Status.DISCONTINUED,
    (Status.STARTED, Verb.RELEASE): Status.SCHEDULED,
    (Status.CANCELED, Verb.REINSTATE): Status.SCHEDULED,
    (Status.DISCONTINUED, Verb.REINSTATE): Status.SCHEDULED,
}
"""All steps there are. `RELEASE`: the wrong entry had been selected, so this one is still to be done. `EXPIRE`: its day
is long past, and nobody has said what became of it."""

VERB_TOWARDS: Mapping[Status, Verb] = {
    Status.ARRIVED: Verb.ARRIVE,
    Status.READY: Verb.PREPARE,
    Status.STARTED: Verb.START,
    Status.COMPLETED: Verb.COMPLETE,
    Status.DISCONTINUED: Verb.DISCONTINUE,
    Status.CANCELED: Verb.CANCEL,
    Status.SCHEDULED: Verb.REINSTATE,
}

DAYS_SHOWN = 1
"""Without a date in the query, a station sees this many days before and after today."""


def step(status: Status, verb: Verb) -> Status:
    """Where a verb leads. Raises TransitionRefused."""
    return follow(TRANSITIONS, status, verb, of="A scheduled step")


@dataclass(frozen=True, slots=True)
class Modality:
    """Who performs: its AE title, and the facility whose steps it may see and report."""

    ae_title: str
    facility_code: str


@dataclass(frozen=True, slots=True)
class ScheduledProcedureStep:
    """One item of the worklist. `details` is the item as it was placed; `pool_ae_titles` are who shares its pool."""

    id: UUID
    scheduled_procedure_step_id: str
    facility_code: str
    status: str
    status_trigger: str
    status_reason: str | None
    version: int
    service_request: str | None
    accession_number: str
    requested_procedure_id: str
    study_instance_uid: str
    modality: str
    station_ae_titles: list[str]
    station_pool: str | None
    scheduled_start: datetime
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    details: dict[str, Any]
    pool_ae_titles: list[str] | None = None

    @property
    def patient(self) -> Mapping[str, Any]:
        """The patient as the item was placed with."""
        return self.details.get("patient", {})

    @property
    def stations(self) -> list[str]:
        """The stations that it is for; none where any station of its modality will do."""
        return self.station_ae_titles or self.pool_ae_titles or []


class Admission(StrEnum):
    """Whether an application entity may ask for the worklist."""

    ADMITTED = "admitted"
    UNKNOWN = "unknown"
    DISABLED = "disabled"
    WITHOUT_WORKLIST = "without-worklist"


@dataclass(frozen=True, slots=True)
class Station:
    """Who asks for the worklist. `modalities` are those of the pools it is in; without a pool they are not known.

    charset: that of its record, empty where it names none.
    """

    ae_title: str
    facility_code: str
    modalities: frozenset[str] = field(default_factory=frozenset[str])
    admission: Admission = Admission.ADMITTED
    charset: str = ""


def days_shown(at: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """The first and last day that a query without a date sees."""
    today = at.astimezone(zone).date()
    return today - timedelta(days=DAYS_SHOWN), today + timedelta(days=DAYS_SHOWN)


def why_not_shown(item: ScheduledProcedureStep, station: Station, *, at: datetime, zone: ZoneInfo) -> Sentence | None:
    """The first filter that keeps an item from a station's query without date and station; None where it is shown."""
    if station.admission is not Admission.ADMITTED:
        return _not_admitted(station)
    if item.facility_code != station.facility_code:
        return Sentence(
            f"The item belongs to facility {item.facility_code}, and {station.ae_title} to {station.facility_code}: "
            "correct the facility of one of them.",
            f"আইটেমটি {item.facility_code} কেন্দ্রের, কিন্তু {station.ae_title} {station.facility_code} কেন্দ্রের: "
            "একটির কেন্দ্র ঠিক করুন।",
        )
    if item.status not in OPEN:
        why = f" ({item.status_reason})" if item.status_reason else ""
        return Sentence(
            f"The item is {item.status}{why}; only items that are SCHEDULED, ARRIVED or READY are shown.",
            f"আইটেমটির অবস্থা {item.status}{why}; শুধু SCHEDULED, ARRIVED বা READY আইটেম দেখানো হয়।",
        )
    return _wrong_day(item, at, zone) or _wrong_station(item, station)


def _not_admitted(station: Station) -> Sentence:
    title = station.ae_title
    match station.admission:
        case Admission.DISABLED:
            return Sentence(
                f"{title} is switched off in the registry: switch its record on (enabled).",
                f"{title} নিবন্ধনে বন্ধ করে রাখা আছে: রেকর্ডটি চালু করুন (enabled)।",
            )
        case Admission.WITHOUT_WORKLIST:
            return Sentence(
                f"{title} may not use the worklist: add the service mwl to its record.",
                f"{title}-এর ওয়ার্কলিস্ট ব্যবহারের অনুমতি নেই: রেকর্ডে mwl সার্ভিসটি যোগ করুন।",
            )
        case _:
            return Sentence(
                f"No machine called {title} is registered, so its calls are refused: register it, or check the name.",
                f"{title} নামে কোনো মেশিন নিবন্ধিত নেই, তাই তার সংযোগ নেওয়া হয় না: নিবন্ধন করুন, অথবা নাম মিলিয়ে দেখুন।",
            )


def _wrong_day(item: ScheduledProcedureStep, at: datetime, zone: ZoneInfo) -> Sentence | None:
    day, (first, last) = item.scheduled_start.astimezone(zone).date(), days_shown(at, zone)
    if first <= day <= last:
        return None
    return Sentence(
        f"The item is scheduled for {day:%d/%m/%Y}; a query without a date shows {first:%d/%m/%Y} to {last:%d/%m/%Y}: "
        "ask for its date.",
        f"আইটেমটি {day:%d/%m/%Y} তারিখের; তারিখ না দিলে {first:%d/%m/%Y} থেকে {last:%d/%m/%Y} দেখানো হয়: ওই তারিখ দিয়ে খুঁজুন।",
    )


def _wrong_station(item: ScheduledProcedureStep, station: Station) -> Sentence | None:
    if item.stations:
        if station.ae_title in item.stations:
            return None
        names = ", ".join(item.stations)
        return Sentence(
            f"The item is for station {names}, and {station.ae_title} asks: change the station, or add "
            f"{station.ae_title} to its pool.",
            f"আইটেমটি {names} স্টেশনের জন্য, কিন্তু জিজ্ঞাসা করছে {station.ae_title}: স্টেশন বদলান, "
            f"অথবা {station.ae_title}-কে পুলে যোগ করুন।",
        )
    if item.station_pool:
        return Sentence(
            f"The item is for pool {item.station_pool}, which has no station: add {station.ae_title} to it.",
            f"আইটেমটি {item.station_pool} পুলের জন্য, যাতে কোনো স্টেশন নেই: {station.ae_title}-কে যোগ করুন।",
        )
    if station.modalities and item.modality not in station.modalities:
        kinds = ", ".join(sorted(station.modalities))
        return Sentence(
            f"The item is for modality {item.modality}, and {station.ae_title} is in a pool for {kinds}.",
            f"আইটেমটি {item.modality} মোডালিটির জন্য, কিন্তু {station.ae_title} {kinds} পুলে আছে।",
        )
    return None
