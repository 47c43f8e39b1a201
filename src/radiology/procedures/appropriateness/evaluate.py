"""The answer to a question: what each rule says, the most severe of it, and what would be better. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from radiology.kit.bilingual import Sentence
from radiology.kit.explaining import Factor
from radiology.procedures.appropriateness.facts import Fact, Facts, facts_of, filled, repeated, results_within, shown
from radiology.procedures.appropriateness.model import (
    STAT,
    Alternative,
    Answer,
    Choice,
    Decision,
    Finding,
    Prior,
    Question,
)
from radiology.procedures.appropriateness.ruleset import Alternatives, Outcome, Rule, RuleSet
from radiology.standards.dicom.bangla import bangla_digits

APPROPRIATE: Final = 7
"""From this score on an examination is usually appropriate; 4 to 6 it may be, 1 to 3 it usually is not."""

_NO_GUIDANCE: Final = Sentence(
    "No guidance: no rule knows this examination for this reason. That is no judgement of the order.",
    "কোনো নির্দেশনা নেই: এই কারণে এই পরীক্ষা সম্পর্কে কোনো নিয়ম নেই। এটি অর্ডারের মূল্যায়ন নয়।",
)
_UNKNOWN_PROCEDURE: Final = Sentence(
    "No guidance: the catalogue does not know this procedure, so only what its modality says was checked.",
    "কোনো নির্দেশনা নেই: এই পরীক্ষা তালিকায় নেই, তাই শুধু যন্ত্রের ধরন অনুযায়ী যাচাই করা হয়েছে।",
)
_USUALLY: Final = Sentence("Usually appropriate ({score} of 9).", "সাধারণত উপযুক্ত (৯-এর মধ্যে {score})।")
_MAYBE: Final = Sentence("May be appropriate ({score} of 9).", "উপযুক্ত হতে পারে (৯-এর মধ্যে {score})।")
_USUALLY_NOT: Final = Sentence("Usually not appropriate ({score} of 9).", "সাধারণত উপযুক্ত নয় (৯-এর মধ্যে {score})।")


def evaluate(question: Question, rules: RuleSet) -> Answer:
    """What the rules say of an order. The same question and rules always have the same answer."""
    findings, score = _judged(question, rules)
    decision = max((each.effect for each in findings), key=lambda each: each.severity, default=Decision.PROCEED)
    return Answer(
        decision=decision,
        score=score,
        guidance=_guidance(score, is_known=question.is_known),
        findings=findings,
        alternatives=_alternatives(question, rules, findings),
        rule_set_version=rules.version,
    )


def with_overrides(answer: Answer, overrides: Mapping[str, str]) -> Answer:
    """The answer where rules that block are overridden for a reason. `overrides`: reason by rule."""
    findings = tuple(
        replace(each, overridden=overrides[each.rule])
        if each.effect == Decision.BLOCKED and each.rule in overrides
        else each
        for each in answer.findings
    )
    decision = max((each.counts_as for each in findings), key=lambda each: each.severity, default=Decision.PROCEED)
    return replace(answer, findings=findings, decision=decision)


def _judged(question: Question, rules: RuleSet) -> tuple[tuple[Finding, ...], int | None]:
    """What the rules find, the most severe first and then by rule, and the score.

    Of several reasons to examine the best counts: what is right for one of them is no second line for another.
    """
    facts = facts_of(question, rules)
    _, _, prior = repeated(question, rules)
    found = [finding for rule in rules.rules for finding in _asked(rule, question, rules, facts, prior)]
    score = max((each.score for each in found if each.score is not None), default=None)
    if score is not None and score >= APPROPRIATE:
        found = [each for each in found if each.score is None or each.score == score]
    found.sort(key=lambda each: (-each.effect.severity, each.rule))
    return tuple(found), score


def _asked(rule: Rule, question: Question, rules: RuleSet, facts: Facts, prior: Prior | None) -> Iterable[Finding]:
    if rule.written.window_days is not None:
        results = results_within(question, rules, rule.written.window_days)
        facts = {**facts, "results": results}
    if _which(rule.when, facts) is None:
        return
    for outcome in rule.outcomes:
        held = _which(outcome.when, facts)
        if held is None:
            continue
        yield _finding(rule, outcome, facts, prior if "repeat" in held else None)
        if not rule.written.every:
            return


def _which(when: Alternatives, facts: Facts) -> list[str] | None:
    """The facts of the first condition that holds; None where none does."""
    for condition in when:
        if all(check.holds(facts.get(check.fact)) for check in condition):
            return [check.fact for check in condition]
    return None


def _finding(rule: Rule, outcome: Outcome, facts: Facts, prior: Prior | None) -> Finding:
    written, said = rule.written, outcome.written
    effect = said.effect
    if effect == Decision.BLOCKED and facts["priority"] == STAT and not said.hard:
        effect = Decision.WARNING
    values = filled(facts)
    text = Sentence(
        said.text.en.format_map(values),
        said.text.bn.format_map({name: bangla_digits(value) for name, value in values.items()}),
    )
    return Finding(
        rule=written.id,
        effect=effect,
        text=text,
        source=written.source,
        explain=tuple(_factors(rule, outcome, facts, effect)),
        score=said.score,
        asks=tuple(said.asks),
        suggests=tuple(said.suggests),
        override_by=tuple(said.override_by if said.override_by is not None else written.override_by),
        prior=prior,
    )


def _factors(rule: Rule, outcome: Outcome, facts: Facts, effect: Decision) -> Iterable[Factor]:
    """Each fact that the rule and the outcome looked at, then what came of them."""
    source = f"{rule.written.id}: {rule.written.source}"
    looked_at = dict.fromkeys([*(_which(rule.when, facts) or ()), *(_which(outcome.when, facts) or ())])
    for name in looked_at:
        yield Factor(name, _raw(facts.get(name)), source=source)
    most = len(Decision) - 1
    yield Factor("effect", effect.value, effect.severity / most, 1.0, float(effect.severity), source)
    if outcome.written.score is not None:
        score = outcome.written.score
        yield Factor("score", score, (score - 1) / 8, 1.0, float(score), source)


def _raw(value: Fact) -> str | float | bool | None:
    return shown(value) if isinstance(value, frozenset) else value


def _alternatives(question: Question, rules: RuleSet, findings: Sequence[Finding]) -> tuple[Alternative, ...]:
    """What findings suggest and the patient may have, the best score first, then the least dose, then the cheapest."""
    keys = dict.fromkeys(key for each in findings for key in each.suggests if key != question.procedure.key)
    ordered = question.choices.get(question.procedure.key, Choice(question.procedure))
    found = [
        _alternative(choice, ordered, score)
        for key in keys
        if (choice := question.choices.get(key)) is not None
        for others, score in [_judged(_instead(question, choice), rules)]
        if all(each.effect.severity < Decision.CONSULT.severity for each in others)
    ]
    return tuple(sorted(found, key=_rank))


def _instead(question: Question, choice: Choice) -> Question:
    """The same order of something else; contrast is planned for what was ordered, not for it."""
    return replace(question, procedure=choice.procedure, is_known=True, contrast_planned=None)


def _alternative(choice: Choice, ordered: Choice, score: int | None) -> Alternative:
    difference = None if choice.cost_bdt is None or ordered.cost_bdt is None else choice.cost_bdt - ordered.cost_bdt
    dose = choice.procedure.effective_dose_msv
    return Alternative(
        procedure=choice.procedure,
        score=score,
        cost_bdt=choice.cost_bdt,
        cost_difference_bdt=difference,
        dose_msv=dose,
        dose_difference_msv=round(dose - ordered.procedure.effective_dose_msv, 3),
    )


def _rank(each: Alternative) -> tuple[int, float, bool, Decimal, str]:
    return (
        -(each.score or 0),
        each.dose_msv,
        each.cost_bdt is None,
        each.cost_bdt if each.cost_bdt is not None else Decimal(0),
        each.procedure.key,
    )


def _guidance(score: int | None, *, is_known: bool) -> Sentence:
    if score is None:
        return _NO_GUIDANCE if is_known else _UNKNOWN_PROCEDURE
    text = _USUALLY if score >= APPROPRIATE else _MAYBE if score > 3 else _USUALLY_NOT
    return Sentence(text.english.format(score=score), text.bangla.format(score=bangla_digits(str(score))))
