"""What rules look at, made of a question. None is what is not known. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from radiology.procedures.appropriateness.kidneys import egfr_of
from radiology.procedures.appropriateness.matching import days_in, terms_in
from radiology.procedures.appropriateness.model import Implant, Indication, Prior, Question
from radiology.procedures.appropriateness.ruleset import RuleSet
from radiology.procedures.model import IONISING, Procedure

Fact = bool | str | int | float | frozenset[str] | None
Facts = dict[str, Fact]

UTERUS: Final = "uterus-in-field"
MR_HAZARD: Final = "mr-hazard"
DONE, ORDERED = "done", "ordered"
_LOCAL: Final = frozenset({"retrograde", "intrauterine"})
_IODINATED: Final = frozenset({"CT", "RF", "XA", "DX", "CR"})


def facts_of(question: Question, rules: RuleSet) -> Facts:
    """All facts of a question; `results` is of each rule (`results_within`)."""
    procedure = question.procedure
    age = years_between(question.born, question.on)
    kidneys = question.kidneys
    groups = rules.groups_of.get(procedure.key, frozenset())
    told = [Indication(text) for text in (*question.history, *question.medications)]
    repeat, repeat_days, _ = repeated(question, rules)
    return {
        "known": question.is_known,
        "procedure": procedure.key,
        "modality": procedure.modality,
        "groups": groups,
        "ionising": procedure.is_ionising if question.is_known else procedure.modality in IONISING,
        "contrast": contrast_of(question),
        "uterus_in_field": UTERUS in groups if question.is_known else None,
        "priority": question.priority,
        "inpatient": question.inpatient,
        "sex": question.sex,
        "age": age,
        "age_days": _days(question.born, question.on),
        "weight_kg": question.weight_kg,
        "pregnancy": question.pregnancy,
        "pregnancy_weeks": question.pregnancy_weeks,
        "lmp_days": _days(question.last_menstrual_period, question.examined_on or question.on),
        "egfr": egfr_of(kidneys, age=age, sex=question.sex, size_m=question.size_m) if kidneys else None,
        "egfr_days": _days(kidneys.measured_on, question.on) if kidneys else None,
        "dialysis": kidneys is not None and kidneys.dialysis,
        "acute_kidney_injury": kidneys is not None and kidneys.acute_injury,
        "history": terms_in([*told, *question.indications], rules.terms),
        "reaction": question.previous_reaction,
        "implants": _implants(question.implants, rules),
        "implants_known": question.implants is not None,
        "mr_cleared": question.mr_cleared,
        "repeat": repeat,
        "repeat_days": repeat_days,
        "dose_msv": round(question.dose_msv, 1),
        "terms": terms_in(question.indications, rules.terms),
        "duration_days": days_in(each.text for each in question.indications),
    }


def results_within(question: Question, rules: RuleSet, days: int) -> frozenset[str]:
    """The groups of what was done within so many days."""
    return frozenset(
        group
        for prior in question.priors
        if prior.state == DONE and 0 <= (question.on - prior.on).days <= days
        for group in rules.groups_of.get(prior.procedure.key, ())
    )


def repeated(question: Question, rules: RuleSet) -> tuple[str | None, int | None, Prior | None]:
    """Whether the same was done (or begun) or ordered too shortly ago, how many days ago, and which it is."""
    name = class_of(question.procedure, rules)
    if name is None or not question.is_known:
        return None, None, None
    allowed = rules.repeats[name]
    same = [
        prior
        for prior in question.priors
        if class_of(prior.procedure, rules) == name
        and (allowed.whole_class or prior.procedure.body_site == question.procedure.body_site)
        and (not prior.laterality or not question.laterality or prior.laterality == question.laterality)
        and 0 <= (question.on - prior.on).days <= allowed.days
    ]
    last = min(
        same, key=lambda prior: (prior.state == ORDERED, question.on - prior.on, prior.study_instance_uid), default=None
    )
    if last is None:
        return None, None, None
    return ORDERED if last.state == ORDERED else DONE, (question.on - last.on).days, last


def class_of(procedure: Procedure, rules: RuleSet) -> str | None:
    """The class in which a procedure is a repetition of another one."""
    groups = rules.groups_of.get(procedure.key, frozenset())
    return next(
        (
            name
            for name, each in rules.repeats.items()
            if not groups.isdisjoint(each.groups) or procedure.modality in each.modalities
        ),
        None,
    )


def contrast_of(question: Question) -> str:
    """none, iodinated, gadolinium (both into a vein), iodinated-local, or other.

    What the procedure needs counts, whatever the order says of it; what the order plans beside it counts, too.
    """
    procedure, is_planned = question.procedure, question.contrast_planned is True
    if procedure.contrast in _LOCAL:
        return "iodinated-local"
    if procedure.contrast == "iv" or (is_planned and procedure.contrast == "none"):
        if procedure.modality == "MR":
            return "gadolinium"
        return "iodinated" if procedure.modality in _IODINATED else "other"
    return "none" if procedure.contrast == "none" else "other"


def years_between(born: date | None, on: date) -> int | None:
    """Age in whole years."""
    return None if born is None or born > on else on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def filled(facts: Mapping[str, Fact]) -> dict[str, str]:
    """Facts as a sentence has them."""
    return {name: shown(value) for name, value in facts.items()}


def shown(value: Fact) -> str:
    """A fact as it is read."""
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    return "?" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _implants(implants: Iterable[Implant] | None, rules: RuleSet) -> frozenset[str]:
    """hazard, conditional, unknown, safe: what is among them. A pacemaker is a hazard, whatever is said of it."""
    hazards = [term for term in rules.terms if term.id == MR_HAZARD]
    found: set[str] = set()
    for each in implants or ():
        is_hazard = each.mr_safety == "unsafe" or terms_in([Indication(each.text)], hazards)
        found.add("hazard" if is_hazard else each.mr_safety)
    return frozenset(found)


def _days(since: date | None, on: date) -> int | None:
    """How many days ago; of a day that is still to come nothing is known."""
    return None if since is None or since > on else (on - since).days
