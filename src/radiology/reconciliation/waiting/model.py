"""What waits for a person, how long it may, and what can be done about it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from radiology.kit.bilingual import Sentence

REPAIRS = "/api/radiology/reconciliation"


class Kind(StrEnum):
    """Why something waits."""

    NO_ORDER = "no-order"
    PROBABLE_MATCH = "probable-match"
    IDENTITY_REVIEW = "identity-review"
    WRONG_WORKLIST_ENTRY = "wrong-worklist-entry"
    PATIENT_CONFLICT = "patient-conflict"
    CONFLICTING_DUPLICATE = "conflicting-duplicate"
    SERIES_CONFLICT = "series-conflict"
    REJECTED = "rejected"
    UNINDEXABLE = "unindexable"
    INCOMPLETE_TRANSFER = "incomplete-transfer"
    PATIENT_DUPLICATE = "patient-duplicate"


QUARANTINED: Mapping[Kind, str] = {
    Kind.PATIENT_CONFLICT: "patient_conflict",
    Kind.CONFLICTING_DUPLICATE: "conflicting_duplicate",
    Kind.SERIES_CONFLICT: "series_conflict",
    Kind.REJECTED: "rejected",
    Kind.UNINDEXABLE: "unindexable",
}
"""Kinds that lie in quarantine, and the reason that they have there."""


class Decision(StrEnum):
    """What a person decides about an object that is held in quarantine."""

    ATTACH = "attach"
    SPLIT = "split"
    KEEP = "keep"
    TAKE = "take"
    DISCARD = "discard"
    RETRY = "retry"


DECISIONS: Mapping[str, tuple[Decision, ...]] = {
    "patient_conflict": (Decision.ATTACH, Decision.SPLIT, Decision.DISCARD),
    "series_conflict": (Decision.SPLIT, Decision.DISCARD),
    "conflicting_duplicate": (Decision.KEEP, Decision.TAKE, Decision.SPLIT),
    "rejected": (Decision.KEEP,),
    "unindexable": (Decision.RETRY, Decision.DISCARD),
}
"""What can be decided, by the reason why an object is held."""

HOURS: Mapping[Kind, int] = {
    Kind.NO_ORDER: 24,
    Kind.PROBABLE_MATCH: 4,
    Kind.IDENTITY_REVIEW: 4,
    Kind.WRONG_WORKLIST_ENTRY: 4,
    Kind.PATIENT_CONFLICT: 1,
    Kind.CONFLICTING_DUPLICATE: 24,
    Kind.SERIES_CONFLICT: 4,
    Kind.REJECTED: 24,
    Kind.UNINDEXABLE: 24,
    Kind.INCOMPLETE_TRANSFER: 1,
    Kind.PATIENT_DUPLICATE: 24,
}
"""How long each may wait, in hours."""
STAT_HOURS = 1
"""How long what belongs to a STAT order may wait."""


SENTENCES: Mapping[Kind, Sentence] = {
    Kind.NO_ORDER: Sentence(
        "No order fits these images: attach them to one, or confirm that there is none.",
        "এই ছবিগুলোর সঙ্গে কোনো অর্ডার মেলেনি: অর্ডারের সঙ্গে যুক্ত করুন, অথবা নিশ্চিত করুন যে অর্ডার নেই।",
    ),
    Kind.PROBABLE_MATCH: Sentence(
        "The order was found by patient, modality and time only: confirm it, or attach the right one.",
        "অর্ডারটি শুধু রোগী, মোডালিটি ও সময় দেখে মেলানো হয়েছে: নিশ্চিত করুন, অথবা সঠিক অর্ডার যুক্ত করুন।",
    ),
    Kind.IDENTITY_REVIEW: Sentence(
        "It is not certain that these images are of this patient: compare, then confirm, correct or move them.",
        "ছবিগুলো এই রোগীর কি না তা নিশ্চিত নয়: মিলিয়ে দেখুন, তারপর নিশ্চিত, সংশোধন বা স্থানান্তর করুন।",
    ),
    Kind.WRONG_WORKLIST_ENTRY: Sentence(
        "The radiographer had selected the wrong worklist entry: move these images to whose they are.",
        "ভুল ওয়ার্কলিস্ট এন্ট্রি বেছে নেওয়া হয়েছিল: ছবিগুলো সঠিক রোগীর কাছে স্থানান্তর করুন।",
    ),
    Kind.PATIENT_CONFLICT: Sentence(
        "An object names another patient than its study, and nobody sees it: attach it, split it off, or discard it.",
        "একটি অবজেক্টে স্টাডির রোগীর বদলে অন্য রোগীর নাম আছে, কেউ এটি দেখতে পাচ্ছে না: যুক্ত করুন, আলাদা করুন বা বাতিল করুন।",
    ),
    Kind.CONFLICTING_DUPLICATE: Sentence(
        "An object came again with other content; the first is served: keep it, or take the new one.",
        "একই অবজেক্ট ভিন্ন বিষয়বস্তু নিয়ে আবার এসেছে; প্রথমটি দেখানো হচ্ছে: সেটিই রাখুন, অথবা নতুনটি নিন।",
    ),
    Kind.SERIES_CONFLICT: Sentence(
        "The series of an object belongs to another study: split it off as a study of its own, or discard it.",
        "একটি অবজেক্টের সিরিজ অন্য স্টাডির: আলাদা স্টাডি করুন, অথবা বাতিল করুন।",
    ),
    Kind.REJECTED: Sentence(
        "What had been rejected came again: keep the rejection, or have an administrator withdraw it.",
        "বাতিল করা ছবি আবার এসেছে: বাতিল বহাল রাখুন, অথবা প্রশাসককে দিয়ে বাতিল প্রত্যাহার করান।",
    ),
    Kind.UNINDEXABLE: Sentence(
        "The index could not take an object: try it again, or discard it.",
        "একটি অবজেক্ট সূচিতে নেওয়া যায়নি: আবার চেষ্টা করুন, অথবা বাতিল করুন।",
    ),
    Kind.INCOMPLETE_TRANSFER: Sentence(
        "The modality reported more images than came: send the missing ones again from the modality.",
        "যন্ত্র যত ছবির কথা জানিয়েছে তত আসেনি: যন্ত্র থেকে বাকি ছবিগুলো আবার পাঠান।",
    ),
    Kind.PATIENT_DUPLICATE: Sentence(
        "Two patients have the same number, or the same name and birth date: merge them, or say that they differ.",
        "দুই রোগীর একই নম্বর, অথবা একই নাম ও জন্মতারিখ: একত্র করুন, অথবা জানান যে তাঁরা আলাদা।",
    ),
}

_OF_STUDIES: Mapping[Kind, tuple[str, ...]] = {
    Kind.NO_ORDER: ("attach", "confirm", "correct", "move"),
    Kind.PROBABLE_MATCH: ("confirm", "attach", "detach", "move"),
    Kind.IDENTITY_REVIEW: ("confirm", "correct", "move"),
    Kind.WRONG_WORKLIST_ENTRY: ("move", "confirm", "correct"),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits: a study, objects of one study held for one reason, or a performed step."""

    kind: str
    id: UUID
    facility_code: str
    since: datetime
    due: datetime
    priority: str
    facts: dict[str, Any]

    def body(self, now: datetime) -> dict[str, Any]:
        """As the worklist shows it."""
        kind = Kind(self.kind)
        return {
            "kind": kind,
            "id": self.id,
            "facilityCode": self.facility_code,
            "since": self.since,
            "ageSeconds": max(0, int((now - self.since).total_seconds())),
            "dueAt": self.due,
            "overdue": self.due < now,
            "priority": self.priority,
            **{name: value for name, value in self.facts.items() if value is not None},
            "sentence": SENTENCES[kind].told(),
            "next": list(steps(kind, self.id)),
        }


def steps(kind: Kind, subject: UUID) -> list[dict[str, str]]:
    """What a person may do next, each with its address."""
    if kind in QUARANTINED:
        place = f"{REPAIRS}/quarantine/{subject}"
        decide = [{"verb": verb, "method": "POST", "href": f"{place}/decide"} for verb in DECISIONS[QUARANTINED[kind]]]
        return [{"verb": "compare", "method": "GET", "href": place}, *decide]
    if kind == Kind.INCOMPLETE_TRANSFER:
        return []
    if kind == Kind.PATIENT_DUPLICATE:
        place = f"/api/radiology/patients/{subject}"
        return [
            {"verb": "merge", "method": "POST", "href": f"{place}/merge"},
            {"verb": "link", "method": "PUT", "href": f"{place}/links"},
        ]
    place = f"{REPAIRS}/studies/{subject}"
    change = [{"verb": verb, "method": "POST", "href": f"{place}/{verb}"} for verb in _OF_STUDIES[kind]]
    return [{"verb": "compare", "method": "GET", "href": place}, *change]
