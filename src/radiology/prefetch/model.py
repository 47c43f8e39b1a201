"""Rules of prefetch, and which earlier studies of a patient are chosen. Plain values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final
from uuid import UUID

from radiology.procedures.regions import regions_of
from radiology.standards.dicom.identity import MATCH, PatientIdentity, identity_score

STUDY_ARRIVED: Final = "study-arrived"
PROCEDURE_SCHEDULED: Final = "procedure-scheduled"
#: Older studies that arrive are priors themselves, as from a migration: nothing is fetched for them.
FRESH: Final = timedelta(days=7)
SAME_REGION, REGION_NOT_KNOWN, SAME_MODALITY = 4, 2, 1


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that are given must hold; of the values of one condition, any. Without conditions everything matches."""

    modalities: list[str] = field(default_factory=list[str])
    facility_codes: list[str] = field(default_factory=list[str])
    procedure_codes: list[str] = field(default_factory=list[str])
    study_description: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    causes: what it waits for. sources: archives that are asked. destinations: where chosen studies are sent once they
    are here. most: how many studies at most; not_older_than_days: by Study Date. related_only: no study that shows
    another region and is of another modality.
    """

    id: UUID
    name: str
    enabled: bool
    causes: list[str]
    conditions: Conditions
    sources: list[str]
    destinations: list[str]
    most: int
    not_older_than_days: int
    related_only: bool
    created_at: datetime

    def why_not(self, subject: "Subject", cause: str) -> str:
        """Why it does not apply, as a sentence; empty where it does."""
        wanted = self.conditions
        if not self.enabled:
            return "The rule is disabled."
        if cause not in self.causes:
            return f"The rule waits for {' or '.join(self.causes)}."
        lists = (
            ("The modality", wanted.modalities, subject.modalities),
            ("The facility", wanted.facility_codes, [subject.facility_code]),
            ("The procedure code", wanted.procedure_codes, subject.procedure_codes),
        )
        for name, values, given in lists:
            if values and not set(values) & set(given):
                return f"{name} is {', '.join(given) or 'not known'}, not {' or '.join(values)}."
        pattern = wanted.study_description.casefold()
        if pattern and not fnmatchcase(subject.description.casefold(), pattern.replace("[", "[[]")):
            return f"The description does not match {wanted.study_description}."
        return ""


@dataclass(frozen=True, slots=True)
class Subject:
    """The new study, or the one that is scheduled. study_date as YYYYMMDD, empty where it is not known."""

    study_instance_uid: str
    facility_code: str
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    birth_date: str
    sex: str
    modalities: list[str]
    procedure_codes: list[str]
    description: str
    study_date: str

    @property
    def patient(self) -> PatientIdentity:
        """Whose study it is."""
        return PatientIdentity(self.patient_id, self.issuer_of_patient_id, self.patient_name, self.birth_date, self.sex)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An earlier study, here (`source` empty) or in another archive."""

    study_instance_uid: str
    source: str
    patient: PatientIdentity
    study_date: str
    modalities: list[str]
    description: str
    instances: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate, how relevant it is, and why it was chosen or not."""

    candidate: Candidate
    score: int
    is_chosen: bool
    reason: str


def choose(rule: Rule, subject: Subject, candidates: Iterable[Candidate], *, today: str, oldest: str) -> list[Choice]:
    """All candidates, the most relevant first, each with whether it is chosen and why.

    `today` and `oldest` are dates as YYYYMMDD: a study outside of them is no prior. What cannot be proven to be of the
    same patient is never chosen.
    """
    ranked: list[Choice] = []
    left_out: list[Choice] = []
    for candidate in candidates:
        reason = _why_no_prior(subject, candidate, today=today, oldest=oldest)
        score, words = _relevance(subject, candidate)
        if not reason and rule.related_only and not score:
            reason = "It shows another region and is of another modality."
        (left_out if reason else ranked).append(Choice(candidate, score, not reason, reason or words))
    ranked.sort(key=lambda choice: (choice.score, choice.candidate.study_date), reverse=True)
    more = [
        Choice(choice.candidate, choice.score, False, f"{rule.most} more relevant studies were chosen.")
        for choice in ranked[rule.most :]
    ]
    return [*ranked[: rule.most], *more, *left_out]


def _why_no_prior(subject: Subject, candidate: Candidate, *, today: str, oldest: str) -> str:
    if candidate.study_instance_uid == subject.study_instance_uid:
        return "It is the study itself."
    if identity_score(subject.patient, candidate.patient) < MATCH:
        return "It has the same Patient ID, but name, birth date or sex say that it may be another patient."
    if not candidate.study_date:
        return "It has no Study Date."
    if candidate.study_date > (subject.study_date or today):
        return "It is newer."
    return "It is too old." if candidate.study_date < oldest else ""


def _relevance(subject: Subject, candidate: Candidate) -> tuple[int, str]:
    score, words = 0, list[str]()
    mine, its = regions_of(subject.description), regions_of(candidate.description)
    if mine & its:
        score += SAME_REGION
        words.append(f"same region ({', '.join(sorted(mine & its))})")
    elif not mine or not its:
        score += REGION_NOT_KNOWN
        words.append("region not known")
    if set(subject.modalities) & set(candidate.modalities):
        score += SAME_MODALITY
        words.append("same modality")
    sentence = ", ".join(words)
    return score, f"{sentence[:1].upper()}{sentence[1:]}."


def one_of_each(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Each study once: here before elsewhere where it is whole here, else from the archive that has most of it."""
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        other = found.get(candidate.study_instance_uid)
        if other is None or candidate.instances > other.instances:
            found[candidate.study_instance_uid] = candidate
    return list(found.values())
