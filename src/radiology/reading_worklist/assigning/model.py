"""Who could read, by which rules, and who is asked. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from radiology.kit.bilingual import Sentence
from radiology.kit.explaining import Factor
from radiology.practitioners.readers.model import GENERAL, GROUP_OF, Reader
from radiology.reading_worklist.model import MINUTES_OF_RVU, Priority, Waiting

RULE_SET_VERSION: Final = "assign-1"
SOURCE: Final = "assignment, rule set 1"
MOST_OPTIONS: Final = 5
CALLED_FOR: Final = frozenset({Priority.STAT, Priority.ASAP, Priority.URGENT})
"""Who is on call is asked for these; routine studies wait for a shift."""


class Exclusion(StrEnum):
    """Why a reader is not asked. The first that holds is told; those of the credentials come first."""

    NO_ACCOUNT = "no-account"
    UNKNOWN = "not-known-to-registry"
    INACTIVE = "inactive"
    NOT_REGISTERED = "no-valid-registration"
    NO_SPECIALTY = "no-fitting-specialty"
    NO_PRIVILEGE = "no-modality-privilege"
    AGE_GROUP = "age-group"
    NO_CERTIFICATE = "certificate-missing"
    NO_CONTRACT = "no-contract"
    ABROAD = "abroad"
    RECUSED = "recused"
    AUTHOR = "author-of-report"
    SENSITIVE = "not-for-sensitive"
    SEX = "sex-of-reader"
    OFF_DUTY = "off-duty"
    AT_CAP = "at-cap"
    ASKED = "asked-already"


FOR_NOW: Final = frozenset({Exclusion.OFF_DUTY, Exclusion.AT_CAP, Exclusion.ASKED})
"""These end by themselves."""

SENTENCES: Final[Mapping[Exclusion, Sentence]] = MappingProxyType(
    {
        Exclusion.NO_ACCOUNT: Sentence(
            "Has no account that may read at this facility.", "এই প্রতিষ্ঠানে পড়ার কোনো অ্যাকাউন্ট নেই।"
        ),
        Exclusion.UNKNOWN: Sentence(
            "The practitioner registry does not tell of this reader now.",
            "চিকিৎসক নিবন্ধন ব্যবস্থা এখন এই পাঠকের তথ্য দিচ্ছে না।",
        ),
        Exclusion.INACTIVE: Sentence("Does not practise any more.", "আর কর্মরত নন।"),
        Exclusion.NOT_REGISTERED: Sentence(
            "Has no BMDC registration that is valid today.", "আজ বৈধ এমন বিএমডিসি নিবন্ধন নেই।"
        ),
        Exclusion.NO_SPECIALTY: Sentence("Is no radiologist, nor sonologist for ultrasound.", "রেডিওলজিস্ট নন।"),
        Exclusion.NO_PRIVILEGE: Sentence(
            "Has no privilege for this modality at this facility.", "এই প্রতিষ্ঠানে এই মোডালিটির অনুমতি নেই।"
        ),
        Exclusion.AGE_GROUP: Sentence("Does not read patients of this age.", "এই বয়সের রোগীর ছবি পড়েন না।"),
        Exclusion.NO_CERTIFICATE: Sentence("Lacks a certificate that this study needs.", "প্রয়োজনীয় সনদ নেই।"),
        Exclusion.NO_CONTRACT: Sentence(
            "Has no contract that covers this facility.", "এই প্রতিষ্ঠানের জন্য কোনো চুক্তি নেই।"
        ),
        Exclusion.ABROAD: Sentence(
            "Is abroad: that needs an approval, and is never so for sensitive studies.",
            "দেশের বাইরে আছেন: অনুমোদন প্রয়োজন, সংবেদনশীল পরীক্ষার জন্য অনুমোদন হয় না।",
        ),
        Exclusion.RECUSED: Sentence("Does not read for this patient or facility.", "এই রোগী বা প্রতিষ্ঠানের জন্য পড়েন না।"),
        Exclusion.AUTHOR: Sentence("Wrote the report, which somebody else signs.", "প্রতিবেদনটি নিজে লিখেছেন।"),
        Exclusion.SENSITIVE: Sentence("Is not given sensitive studies.", "সংবেদনশীল পরীক্ষা পড়েন না।"),
        Exclusion.SEX: Sentence("The patient asked for a reader of the other sex.", "রোগী অন্য লিঙ্গের পাঠক চেয়েছেন।"),
        Exclusion.OFF_DUTY: Sentence("Is neither on shift nor on call now.", "এখন ডিউটিতে বা অন-কলে নেই।"),
        Exclusion.AT_CAP: Sentence("Has as much open as he or she may.", "হাতে থাকা কাজ সর্বোচ্চ সীমায় পৌঁছেছে।"),
        Exclusion.ASKED: Sentence("Was asked already, and did not take it.", "আগেই জিজ্ঞেস করা হয়েছে, নেননি।"),
    }
)


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part of the score counts; their sum is 100."""

    subspecialty: float = 35
    load: float = 20
    deadline: float = 20
    continuity: float = 10
    nearness: float = 10
    quality: float = 5


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures of assignment.

    assumed_quality: of a reader of whom no peer review tells. offer_minutes: so long an offer stands, by priority.
    """

    weights: Weights = field(default_factory=Weights)
    fit: Mapping[str, float] = field(default_factory=lambda: {"exact": 1.0, "related": 0.6, "general": 0.3})
    nearness: Mapping[str, float] = field(
        default_factory=lambda: {"facility": 1.0, "district": 0.8, "division": 0.6, "national": 0.4, "abroad": 0.1}
    )
    same_region: float = 1.0
    same_patient: float = 0.5
    slack: float = 0.5
    minutes_of_rvu: float = MINUTES_OF_RVU
    assumed_quality: float = 0.5
    offer_minutes: Mapping[str, float] = field(
        default_factory=lambda: {"stat": 5.0, "asap": 15.0, "urgent": 15.0, "routine": 240.0}
    )
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Dhaka"))
    version: str = RULE_SET_VERSION

    def expires_at(self, priority: Priority, now: datetime) -> datetime:
        """Until when an offer that is made now stands."""
        return now + timedelta(minutes=self.offer_minutes[priority])


@dataclass(frozen=True, slots=True)
class OnCall:
    """That somebody is on call now for a group of subspecialties, at some facilities or, None, at all."""

    group: str
    line: str = "primary"
    facility_codes: frozenset[str] | None = None

    def covers(self, facility_code: str, subspecialty: str) -> bool:
        """Whether studies of a subspecialty that are made at a facility are those of this rota."""
        is_here = self.facility_codes is None or facility_code in self.facility_codes
        return is_here and self.group in (GENERAL, GROUP_OF.get(subspecialty, GENERAL))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reader as he or she stands now.

    open_rvu: of what was offered to or taken by him or her and is not reported. rvu_today: taken or offered since
    midnight. discrepancy_rate: share of reviewed reports with a major discrepancy, None where too few were reviewed.
    known: the registry told of the practitioner. works_at: facilities at which the account may read, None for all.
    """

    reader: Reader
    open_rvu: float = 0.0
    rvu_today: float = 0.0
    last_assigned_at: datetime | None = None
    on_shift: bool = False
    on_call: tuple[OnCall, ...] = ()
    discrepancy_rate: float | None = None
    known: bool = True
    works_at: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What was done for a study so far. asked: who did not take it. called: who is asked by the escalation, whether on
    duty or not. widened: readers with a contract for the whole country are asked, whether on duty or not.
    """

    asked: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()
    widened: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """A reader who may be asked, with the score of 0 to 100; the contributions of `explain` add up to it."""

    reader: str
    score: float
    explain: tuple[Factor, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """Who is asked for a study: the best options, the best first, and who is not asked for which reason."""

    waiting: Waiting
    options: tuple[Option, ...]
    excluded: Mapping[Exclusion, tuple[str, ...]]
    rule_set_version: str = RULE_SET_VERSION

    @property
    def chosen(self) -> Option | None:
        """Who is asked; None where nobody can be."""
        return self.options[0] if self.options else None

    @property
    def is_for_now(self) -> bool:
        """Whether nobody can be asked only for reasons that end by themselves."""
        return any(self.excluded.get(reason) for reason in FOR_NOW)


NOTHING_DONE: Final[Mapping[UUID, Round]] = MappingProxyType({})
