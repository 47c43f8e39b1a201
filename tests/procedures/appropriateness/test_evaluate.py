"""What holds of every answer, whatever is asked."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from radiology.procedures.appropriateness.evaluate import evaluate, with_overrides
from radiology.procedures.appropriateness.golden import ON
from radiology.procedures.appropriateness.model import (
    Choice,
    Decision,
    Implant,
    Indication,
    Kidneys,
    Prior,
    Question,
)
from radiology.procedures.appropriateness.ruleset import shipped
from radiology.procedures.entries import procedure_of
from radiology.procedures.entries import shipped as entries
from radiology.procedures.model import Procedure

CATALOGUE = {key: procedure_of(key, body) for key, body in entries().items()}
CHOICES = {key: Choice(each, each.price_at("public")) for key, each in CATALOGUE.items()}
RULES = shipped()
HARD = {
    rule.written.id for rule in RULES.rules for outcome in rule.outcomes if outcome.written.hard
}  # fmt: skip
REASONS = (
    "",
    "RUQ pain",
    "জন্ডিস",
    "Head injury, vomiting",
    "Low back pain",
    "Infertility",
    "post-op",
    "gibberish",
    "কাশি",
)


def _procedures() -> st.SearchStrategy[Procedure]:
    known = st.sampled_from(sorted(CATALOGUE)).map(CATALOGUE.__getitem__)
    unknown = st.sampled_from(["CT", "MR", "DX", "US", "NM"]).map(lambda modality: Procedure("", "?", "", modality))
    return st.one_of(known, unknown)


def _kidneys() -> st.SearchStrategy[Kidneys | None]:
    measured = st.builds(
        Kidneys,
        measured_on=st.one_of(st.none(), st.integers(0, 90).map(lambda days: ON - timedelta(days=days))),
        egfr=st.one_of(st.none(), st.floats(1, 130)),
        creatinine=st.one_of(st.none(), st.floats(20, 900)),
        dialysis=st.booleans(),
        acute_injury=st.booleans(),
    )
    return st.one_of(st.none(), measured)


def _priors() -> st.SearchStrategy[tuple[Prior, ...]]:
    one = st.builds(
        Prior,
        procedure=st.sampled_from(sorted(CATALOGUE)).map(CATALOGUE.__getitem__),
        on=st.integers(0, 700).map(lambda days: ON - timedelta(days=days)),
        state=st.sampled_from(["done", "begun", "ordered"]),
    )
    return st.lists(one, max_size=3).map(tuple)


@st.composite
def questions(draw: st.DrawFn, **fixed: Any) -> Question:
    procedure = draw(_procedures())
    values: Mapping[str, Any] = {
        "procedure": procedure,
        "on": ON,
        "is_known": bool(procedure.key),
        "priority": draw(st.sampled_from(["routine", "urgent", "asap", "stat"])),
        "contrast_planned": draw(st.sampled_from([None, True, False])),
        "indications": (Indication(draw(st.sampled_from(REASONS))),),
        "born": draw(st.one_of(st.none(), st.dates(date(1930, 1, 1), ON))),
        "sex": draw(st.sampled_from(["F", "M", None])),
        "pregnancy": draw(st.sampled_from(["unknown", "no", "possibly", "yes"])),
        "pregnancy_weeks": draw(st.one_of(st.none(), st.integers(1, 42))),
        "last_menstrual_period": draw(st.one_of(st.none(), st.dates(date(2025, 11, 1), date(2026, 2, 10)))),
        "kidneys": draw(_kidneys()),
        "previous_reaction": draw(st.sampled_from([None, "none", "mild", "moderate", "severe", "unstated"])),
        "implants": draw(st.sampled_from([None, (), (Implant("Plate", "safe"),), (Implant("Pacemaker"),)])),
        "mr_cleared": draw(st.booleans()),
        "medications": draw(st.sampled_from([(), ("Metformin",), ("Gentamicin",)])),
        "history": draw(st.sampled_from([(), ("Diabetes",), ("CKD stage 3",)])),
        "inpatient": draw(st.booleans()),
        "priors": draw(_priors()),
        "dose_msv": draw(st.floats(0, 300)),
        "choices": CHOICES,
    }
    return Question(**{**values, **fixed})


def _is_no_milder(more: Question, less: Question) -> bool:
    return evaluate(more, RULES).decision.severity >= evaluate(less, RULES).decision.severity


@given(questions())
def test_the_same_question_has_the_same_answer(question: Question) -> None:
    assert evaluate(question, RULES).told() == evaluate(replace(question), RULES).told()


@given(questions())
def test_the_decision_is_the_most_severe_effect_and_findings_are_ordered(question: Question) -> None:
    answer = evaluate(question, RULES)
    effects = [each.effect.severity for each in answer.findings]
    assert answer.decision.severity == max(effects, default=0)
    assert effects == sorted(effects, reverse=True)
    for before, after in zip(answer.findings, answer.findings[1:], strict=False):
        assert before.effect.severity > after.effect.severity or before.rule <= after.rule


@given(questions(priority="stat"))
def test_stat_is_blocked_by_hard_rules_alone(question: Question) -> None:
    answer = evaluate(question, RULES)
    assert {each.rule for each in answer.blocking} <= HARD == {"MR1", "PG2"}


@given(questions())
def test_a_score_comes_from_a_rule_or_is_not_there(question: Question) -> None:
    answer = evaluate(question, RULES)
    scores = [each.score for each in answer.findings if each.score is not None]
    assert answer.score == max(scores, default=None)
    assert answer.score is not None or "No guidance" in answer.guidance.english
    assert question.is_known or answer.score is None


@given(questions())
def test_alternatives_are_ranked_may_be_had_and_are_not_what_is_ordered(question: Question) -> None:
    alternatives = evaluate(question, RULES).alternatives
    assert question.procedure.key not in [each.procedure.key for each in alternatives]
    ranks = [(-(each.score or 0), each.dose_msv, each.cost_bdt or 0) for each in alternatives]
    assert ranks == sorted(ranks)
    for each in alternatives:
        instead = replace(question, procedure=each.procedure, is_known=True, contrast_planned=None)
        assert evaluate(instead, RULES).decision.severity < Decision.CONSULT.severity


@given(questions())
def test_every_finding_names_its_rule_its_source_and_what_it_looked_at(question: Question) -> None:
    for each in evaluate(question, RULES).findings:
        assert each.source
        assert each.text.english
        assert "{" not in each.text.english
        assert each.text.bangla
        assert "{" not in each.text.bangla
        assert each.explain[-1].factor in ("effect", "score")


@given(questions(), st.floats(1, 130), st.floats(1, 130))
def test_worse_kidneys_are_never_judged_milder(question: Question, one: float, other: float) -> None:
    worse, better = (replace(question, kidneys=Kidneys(ON, egfr=egfr)) for egfr in (min(one, other), max(one, other)))
    assert _is_no_milder(worse, better)
    assert _is_no_milder(replace(question, kidneys=Kidneys(ON, egfr=one, acute_injury=True)),
                         replace(question, kidneys=Kidneys(ON, egfr=one)))  # fmt: skip


@given(questions())
def test_pregnancy_is_never_judged_milder_than_none(question: Question) -> None:
    none = replace(question, pregnancy="no", pregnancy_weeks=None, sex="F")
    assert _is_no_milder(replace(none, pregnancy="yes"), none)
    assert _is_no_milder(replace(none, pregnancy="unknown"), none)
    assert _is_no_milder(replace(none, pregnancy="possibly"), replace(none, pregnancy="unknown"))


@given(questions(mr_cleared=False))
def test_a_hazard_in_the_body_is_never_judged_milder(question: Question) -> None:
    safe, pacemaker = ((Implant("Plate", "safe"),), (Implant("Pacemaker", "conditional"),))
    assert _is_no_milder(replace(question, implants=pacemaker), replace(question, implants=safe))
    assert _is_no_milder(replace(question, implants=(*safe, *pacemaker)), replace(question, implants=pacemaker))
    assert _is_no_milder(question, replace(question, mr_cleared=True))


@given(questions())
def test_a_more_severe_reaction_is_never_judged_milder(question: Question) -> None:
    grades = [replace(question, previous_reaction=grade) for grade in ("none", "mild", "moderate", "severe")]
    for less, more in itertools.pairwise(grades):
        assert _is_no_milder(more, less)


@given(questions())
def test_more_illness_and_drugs_are_never_judged_milder(question: Question) -> None:
    assert _is_no_milder(replace(question, history=("Diabetes", "CKD")), replace(question, history=()))
    assert _is_no_milder(replace(question, medications=("Gentamicin", "Metformin")), replace(question, medications=()))


@given(questions(), st.floats(0, 300), st.floats(0, 300))
def test_more_dose_is_never_judged_milder(question: Question, one: float, other: float) -> None:
    more, less = (replace(question, dose_msv=dose) for dose in (max(one, other), min(one, other)))
    assert _is_no_milder(more, less)


@given(questions())
@settings(max_examples=50)
def test_who_overrides_all_that_blocks_is_warned(question: Question) -> None:
    answer = evaluate(question, RULES)
    overridden = with_overrides(answer, {each.rule: "No other way" for each in answer.blocking})
    assert not overridden.blocking
    assert overridden.decision != Decision.BLOCKED
    assert [each.rule for each in overridden.findings] == [each.rule for each in answer.findings]
    if answer.blocking:
        assert overridden.decision.severity >= Decision.WARNING.severity
    assert with_overrides(answer, {"CM9": "There is no such rule"}) == answer
