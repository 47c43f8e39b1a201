"""How long a study is kept, and why. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

KEPT_YEARS: Final = 10
CHILD_UNTIL_YEARS: Final = 18
CHILD_KEPT_TO_AGE_YEARS: Final = 25
COPY_KEPT_DAYS: Final = 7

_OBSTETRIC: Final = re.compile(
    r"obstet|pregnan|ante-?natal|pre-?natal|gravid|fo?etal|fo?etus|nuchal|গর্ভাবস্থা|গর্ভবতী|গর্ভস্থ|ভ্রূণ|প্রসূতি", re.IGNORECASE
)


class Rule(StrEnum):
    """Which rule keeps a study, or that none does."""

    LEGAL_HOLD = "legal-hold"
    MEDICO_LEGAL = "medico-legal"
    OBSTETRIC = "obstetric"
    CHILD = "child"
    MAMMOGRAPHY = "mammography"
    ADULT = "adult"
    IN_USE = "in-use"
    LAST_COPY = "last-copy"
    ERASABLE = "erasable"


@dataclass(frozen=True, slots=True)
class Study:
    """What decides how long a study is kept. `last_used_on`: the day of the study, or of its last report."""

    id: UUID
    study_instance_uid: str
    study_date: date | None
    last_used_on: date
    birth_date: str
    modalities: Sequence[str]
    sensitive_classes: Sequence[str]
    texts: str
    held: bool
    in_use: bool
    is_last_copy: bool
    number_of_instances: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a study may be erased, by which rule, until when it is kept, and the reason as a sentence."""

    study_instance_uid: str
    erasable: bool
    rule: Rule
    kept_until: date | None
    reason: str

    def as_json(self) -> dict[str, Any]:
        """As it is told."""
        until = self.kept_until.isoformat() if self.kept_until else None
        return {"studyInstanceUID": self.study_instance_uid, "erasable": self.erasable, "rule": self.rule,
                "keptUntil": until, "reason": self.reason}  # fmt: skip


def verdict_on(study: Study, *, today: date, last_copies: bool) -> Verdict:
    """The first rule that keeps the study. `last_copies`: those who decide know that no other copy is known."""
    for rule, reason in (
        (Rule.LEGAL_HOLD, "There is a legal hold." if study.held else ""),
        (Rule.MEDICO_LEGAL, "It is medico-legal (S4), and kept until that is cleared." if _is_forensic(study) else ""),
        (Rule.OBSTETRIC, "Obstetric studies are kept for ever." if _is_obstetric(study) else ""),
        (Rule.IN_USE, "Work on it goes on: a report is open, or it is being sent." if study.in_use else ""),
    ):
        if reason:
            return Verdict(study.study_instance_uid, False, rule, None, reason)
    rule, until, reason = _kept(study)
    if today < until:
        return Verdict(study.study_instance_uid, False, rule, until, f"{reason} It is kept until {until}.")
    if study.is_last_copy and not last_copies:
        told = "No other archive is known to keep it: whoever decides must say that the last copy may go (lastCopies)."
        return Verdict(study.study_instance_uid, False, Rule.LAST_COPY, until, told)
    return Verdict(study.study_instance_uid, True, Rule.ERASABLE, until, f"{reason} That ended on {until}.")


def _is_forensic(study: Study) -> bool:
    return "S4" in study.sensitive_classes


def _is_obstetric(study: Study) -> bool:
    """By its words; a reproductive study that says nothing of itself is taken for one."""
    unsaid = "S1" in study.sensitive_classes and not study.texts.strip()
    return unsaid or _OBSTETRIC.search(study.texts) is not None


def _kept(study: Study) -> tuple[Rule, date, str]:
    born = _birth_date(study.birth_date)
    until = _years_after(study.last_used_on, KEPT_YEARS)
    day = study.study_date or study.last_used_on
    if born is None:
        unknown = _years_after(day, CHILD_KEPT_TO_AGE_YEARS)
        return Rule.CHILD, max(until, unknown), "The age is not known, so it is kept as that of a newborn child."
    if day < _years_after(born, CHILD_UNTIL_YEARS):
        grown = _years_after(born, CHILD_KEPT_TO_AGE_YEARS)
        told = f"Studies of children are kept to the age of {CHILD_KEPT_TO_AGE_YEARS}, and {KEPT_YEARS} years."
        return Rule.CHILD, max(until, grown), told
    if "MG" in study.modalities:
        return Rule.MAMMOGRAPHY, until, f"Mammography is kept for {KEPT_YEARS} years."
    return Rule.ADULT, until, f"Studies of adults are kept for {KEPT_YEARS} years."


def _birth_date(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # The 29th of February.
        return day.replace(year=day.year + years, month=3, day=1)
