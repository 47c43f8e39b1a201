"""How long a study is kept, and why. Pure.

Rules say for how long; of those that are about a study the one that keeps longest wins. What keeps it beside that
(legal holds, open reports, doubts about whose it is, damage) does so whatever the rules say.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from radiology.standards.dicom.bangla import bangla_digits

CHILD_UNTIL_YEARS: Final = 18

_OBSTETRIC: Final = re.compile(
    r"obstet|pregnan|ante-?natal|pre-?natal|gravid|fo?etal|fo?etus|nuchal|গর্ভাবস্থা|গর্ভবতী|গর্ভস্থ|ভ্রূণ|প্রসূতি", re.IGNORECASE
)


class AgeGroup(StrEnum):
    """How old the patient was at the study. Without a known date of birth: a child, since that keeps longer."""

    CHILD = "child"
    ADULT = "adult"


class Keeps(StrEnum):
    """What decides about a study beside the rules, which have codes of their own."""

    LEGAL_HOLD = "legal-hold"
    MARKED = "marked-permanent"
    NO_RULE = "no-rule"
    IN_USE = "in-use"
    UNCONFIRMED = "unconfirmed"
    DAMAGED = "damaged"
    LAST_COPY = "last-copy"
    ERASABLE = "erasable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """For how long studies of a kind are kept. What is left empty is of any kind.

    years: from the day of the study or of its last report. to_age_years: and to this age of the patient; where the date
    of birth is not known, so many years from the study. permanent: for ever.
    kept_elsewhere: AE title of another archive. Such a rule keeps nothing: it lets the images go from here `local_days`
    after the study, where that archive is proven to have them, while the other rules say how long it keeps them.
    title, title_bn: the rule as a sentence, which is told as the reason.
    """

    code: str
    title: str
    title_bn: str
    modalities: Sequence[str] = ()
    procedure_codes: Sequence[str] = ()
    age_group: AgeGroup | None = None
    facility_codes: Sequence[str] = ()
    sensitive_classes: Sequence[str] = ()
    obstetric: bool = False
    years: int | None = None
    to_age_years: int | None = None
    permanent: bool = False
    kept_elsewhere: str = ""
    local_days: int | None = None
    enabled: bool = True

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Study:
    """What decides how long a study is kept. `last_used_on`: the day of the study, or of its last report.

    in_use: a report is open, or it is being sent. unconfirmed: whose study it is, is in doubt. damaged: an object of it
    was found not to be what was stored.
    """

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
    facility_code: str = ""
    procedure_codes: Sequence[str] = ()
    size_bytes: int = 0
    marked_permanent: bool = False
    unconfirmed: bool = False
    damaged: bool = False

    @property
    def age_group(self) -> AgeGroup:
        """Whether it is a study of a child."""
        born = birth_date_of(self)
        day = self.study_date or self.last_used_on
        return AgeGroup.CHILD if born is None or day < years_after(born, CHILD_UNTIL_YEARS) else AgeGroup.ADULT

    @property
    def is_obstetric(self) -> bool:
        """By its words; a reproductive study that says nothing of itself is taken for one."""
        unsaid = "S1" in self.sensitive_classes and not self.texts.strip()
        return unsaid or _OBSTETRIC.search(self.texts) is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a study may go, by which rule, until when it is kept, and the reason as a sentence, also in Bangla.

    kept_until: None for without end. kept_elsewhere: only the images go, and only where this archive has them.
    """

    study_instance_uid: str
    erasable: bool
    rule: str
    kept_until: date | None
    reason: str
    reason_bn: str
    kept_elsewhere: str = ""

    def as_json(self) -> dict[str, Any]:
        """As it is told."""
        until = self.kept_until.isoformat() if self.kept_until else None
        told = {"studyInstanceUID": self.study_instance_uid, "erasable": self.erasable, "rule": self.rule,
                "keptUntil": until, "reason": self.reason, "reasonBn": self.reason_bn}  # fmt: skip
        return told | ({"keptElsewhere": self.kept_elsewhere} if self.kept_elsewhere else {})


_SENTENCES: Final[Mapping[Keeps, tuple[str, str]]] = {
    Keeps.LEGAL_HOLD: ("There is a legal hold.", "এটির উপর আইনি স্থগিতাদেশ আছে।"),
    Keeps.MARKED: ("It was marked to be kept for ever.", "এটি স্থায়ীভাবে রাখার জন্য চিহ্নিত।"),
    Keeps.NO_RULE: ("No rule is about it, so it is kept.", "এটির জন্য কোনো নিয়ম নেই, তাই এটি রাখা হবে।"),
    Keeps.IN_USE: (
        "Work on it goes on: a report is open, or it is being sent.",
        "এটি নিয়ে কাজ চলছে: একটি রিপোর্ট অসমাপ্ত, অথবা এটি পাঠানো হচ্ছে।",
    ),
    Keeps.UNCONFIRMED: (
        "Whose study it is was not confirmed: decide that on the reconciliation worklist.",
        "এটি কার পরীক্ষা তা নিশ্চিত করা হয়নি।",
    ),
    Keeps.DAMAGED: (
        "An object of it is damaged: repair it, or say that it is lost.",
        "এটির একটি ফাইল নষ্ট হয়েছে এবং মেরামত হয়নি।",
    ),
    Keeps.LAST_COPY: (
        "No other archive is known to keep it: whoever decides must say that the last copy may go (lastCopies).",
        "অন্য কোনো আর্কাইভে এটি আছে বলে জানা নেই: শেষ কপি মুছতে হলে তা স্পষ্ট করে বলতে হবে।",
    ),
}


def verdict_on(study: Study, rules: Sequence[Rule], *, today: date, last_copies: bool) -> Verdict:
    """What keeps a study, or that nothing does. `last_copies`: who decides knows that no other copy is known."""
    about = [rule for rule in rules if rule.enabled and is_about(rule, study)]
    keeping = [rule for rule in about if not rule.kept_elsewhere]
    longest = max(keeping, key=lambda rule: kept_until(rule, study) or date.max, default=None)
    if study.held:
        return _kept(study, Keeps.LEGAL_HOLD)
    if study.marked_permanent:
        return _kept(study, Keeps.MARKED)
    if longest is None:
        return _kept(study, Keeps.NO_RULE)
    until = kept_until(longest, study)
    if until is None:
        told = f"{longest.title} It is kept for ever."
        return Verdict(
            study.study_instance_uid, False, longest.code, None, told, f"{longest.title_bn} এটি স্থায়ীভাবে রাখা হবে।"
        )
    for keeps, holds in (
        (Keeps.IN_USE, study.in_use),
        (Keeps.UNCONFIRMED, study.unconfirmed),
        (Keeps.DAMAGED, study.damaged),
    ):
        if holds:
            return _kept(study, keeps)
    if today < until:
        return _elsewhere(study, about, until, today) or _until(study, longest, until)
    if study.is_last_copy and not last_copies:
        return _kept(study, Keeps.LAST_COPY, until)
    told = f"{longest.title} That ended on {until}."
    told_bn = f"{longest.title_bn} তার মেয়াদ {bangla_date(until)} তারিখে শেষ হয়েছে।"
    return Verdict(study.study_instance_uid, True, Keeps.ERASABLE, until, told, told_bn)


def _kept(study: Study, keeps: Keeps, until: date | None = None) -> Verdict:
    return Verdict(study.study_instance_uid, False, keeps, until, *_SENTENCES[keeps])


def _until(study: Study, rule: Rule, until: date) -> Verdict:
    told, told_bn = f"{rule.title} It is kept until {until}.", f"{rule.title_bn} এটি {bangla_date(until)} পর্যন্ত রাখা হবে।"
    return Verdict(study.study_instance_uid, False, rule.code, until, told, told_bn)


def _elsewhere(study: Study, about: Sequence[Rule], until: date, today: date) -> Verdict | None:
    """That the images may go from here, since another archive keeps them, by the rule that keeps them here longest."""
    local = [rule for rule in about if rule.kept_elsewhere]
    longest = max(local, key=lambda rule: rule.local_days or 0, default=None)
    if longest is None or today < study.last_used_on + timedelta(days=longest.local_days or 0):
        return None
    name = longest.kept_elsewhere
    told = f"{longest.title} {name} keeps the images until {until}, once that is proven."
    told_bn = f"{longest.title_bn} প্রমাণ পাওয়া গেলে {name} আর্কাইভ {bangla_date(until)} পর্যন্ত ছবিগুলি রাখবে।"
    return Verdict(study.study_instance_uid, True, longest.code, until, told, told_bn, name)


def is_about(rule: Rule, study: Study) -> bool:
    """Whether a rule is about a study: all that it names must hold."""
    conditions: tuple[Callable[[], bool], ...] = (
        lambda: _meets(rule.modalities, study.modalities),
        lambda: _meets(rule.procedure_codes, study.procedure_codes),
        lambda: _meets(rule.facility_codes, [study.facility_code]),
        lambda: _meets(rule.sensitive_classes, study.sensitive_classes),
        lambda: rule.age_group in {None, study.age_group},
        lambda: study.is_obstetric or not rule.obstetric,
    )
    return all(condition() for condition in conditions)


def _meets(named: Sequence[str], of_study: Sequence[str]) -> bool:
    return not named or not set(named).isdisjoint(of_study)


def kept_until(rule: Rule, study: Study) -> date | None:
    """The first day on which a rule keeps a study no longer; None for one that keeps it for ever."""
    if rule.permanent:
        return None
    until = years_after(study.last_used_on, rule.years or 0)
    if rule.to_age_years is not None:
        born = birth_date_of(study) or study.study_date or study.last_used_on
        until = max(until, years_after(born, rule.to_age_years))
    return until


def shortest_years(rules: Sequence[Rule]) -> float:
    """So many years every study is kept at least, by any rule: what is younger need not be looked at."""
    return min(
        ((rule.local_days or 0) / 366 if rule.kept_elsewhere else rule.years or 0 for rule in rules if rule.enabled),
        default=0,
    )


def why_not(rules: Sequence[Rule]) -> str:
    """Why these cannot be the rules, as a sentence; empty where they can."""
    codes = [rule.code for rule in rules]
    if len(set(codes)) < len(codes):
        return "Each rule needs a code of its own."
    if not any(_keeps_anything(rule) for rule in rules):
        return "One enabled rule must be about every study: one that names a time and no condition."
    for rule in rules:
        if rule.code in set(Keeps):
            return f"{rule.code} means something else already. Give the rule another code."
        if bool(rule.kept_elsewhere) != (rule.local_days is not None):
            return f"{rule.code}: kept_elsewhere and local_days belong together."
        if rule.kept_elsewhere and (rule.years is not None or rule.to_age_years is not None or rule.permanent):
            return f"{rule.code}: a rule about another archive does not say how long studies are kept."
        if not rule.kept_elsewhere and not rule.permanent and rule.years is None:
            return f"{rule.code}: say for how many years, or that it is permanent."
    return ""


def _keeps_anything(rule: Rule) -> bool:
    conditions = (rule.modalities, rule.procedure_codes, rule.age_group, rule.facility_codes, rule.sensitive_classes,
                  rule.obstetric, rule.kept_elsewhere)  # fmt: skip
    return rule.enabled and not any(conditions)


def rules_of(bodies: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """Rules as they are stored."""
    return [Rule(**body) for body in bodies]


def birth_date_of(study: Study) -> date | None:
    """The date of birth, None where it is not known to the day."""
    text = study.birth_date
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None


def years_after(day: date, years: int) -> date:
    """The same day so many years later; the 29th of February becomes the 1st of March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, month=3, day=1)


def bangla_date(day: date) -> str:
    """A date as it is written in Bangla."""
    return bangla_digits(f"{day:%d/%m/%Y}")
