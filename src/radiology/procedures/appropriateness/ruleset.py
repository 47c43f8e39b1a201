"""A set of rules as it is written, and as it is asked. Pure.

A rule looks at facts (`facts.FACTS`), and its first outcome whose conditions all hold is what it says. What is a list
of conditions holds where one of them does. A condition on a fact that nobody has said does not hold, unless it asks
for just that: `unknown`, `or_unknown`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from radiology.errors import FieldProblem, Unprocessable
from radiology.kit.validation import sentence_of
from radiology.procedures.appropriateness.matching import Term, plain
from radiology.procedures.appropriateness.model import Decision

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]
Test = bool | str | int | float | dict[str, Any]
Condition = dict[str, Test]

KINDS: Final[Mapping[str, str]] = {
    "known": "yes-no", "procedure": "word", "modality": "word", "groups": "set", "ionising": "yes-no",
    "contrast": "word", "uterus_in_field": "yes-no", "priority": "word", "inpatient": "yes-no", "sex": "word",
    "age": "number", "age_days": "number", "weight_kg": "number", "pregnancy": "word", "pregnancy_weeks": "number",
    "lmp_days": "number", "egfr": "number", "egfr_days": "number", "dialysis": "yes-no",
    "acute_kidney_injury": "yes-no", "history": "set", "reaction": "word", "implants": "set",
    "implants_known": "yes-no", "mr_cleared": "yes-no", "repeat": "word", "repeat_days": "number",
    "dose_msv": "number", "terms": "set", "duration_days": "number", "results": "set",
}  # fmt: skip
"""The facts that rules may look at, and what each is; `facts.py` says where they come from."""

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "is": lambda value, wanted: value == wanted,
    "in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
    "at_least": lambda value, wanted: value >= wanted,
    "above": lambda value, wanted: value > wanted,
    "at_most": lambda value, wanted: value <= wanted,
    "below": lambda value, wanted: value < wanted,
    "any": lambda value, wanted: not value.isdisjoint(wanted),
    "none": lambda value, wanted: value.isdisjoint(wanted),
}
_FOR_KIND: Final[Mapping[str, frozenset[str]]] = {
    "yes-no": frozenset({"is"}),
    "word": frozenset({"is", "in", "not_in"}),
    "number": frozenset({"is", "at_least", "above", "at_most", "below"}),
    "set": frozenset({"any", "none"}),
}
_LISTS: Final = frozenset({"in", "not_in", "any", "none"})
_OF_UNKNOWN: Final = frozenset({"unknown", "or_unknown"})


class Written(BaseModel):
    """A part of a rule set as it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Said(Written):
    """A text in both languages; facts stand in it in braces."""

    en: Words
    bn: Words

    @model_validator(mode="after")
    def _filled(self) -> "Said":
        for text in (self.en, self.bn):
            named = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
            unknown = [name for name in named if name not in KINDS and name != "title"]
            if unknown:
                raise ValueError(f"there is no fact {{{unknown[0]}}}")
        return self


class TermCode(Written):
    """A code that means a term, where the words beside it have one of these names."""

    system: Words
    code: Words
    names: list[Words] = Field(min_length=1)


class TermWritten(Written):
    """What means a term in the words of an order."""

    phrases: list[Words] = Field(min_length=1)
    codes: list[TermCode] = Field(default_factory=list[TermCode])
    cautious: bool = False


class RepeatWritten(Written):
    """Within how many days an examination of a class is one too many. Same class: same body site and side, too."""

    groups: list[Id] = Field(default_factory=list[str])
    modalities: list[Id] = Field(default_factory=list[str])
    days: int = Field(ge=1, le=3660)
    whole_class: bool = False


class OutcomeWritten(Written):
    """What a rule says under its conditions. `hard`: it blocks STAT orders, too."""

    when: Condition | list[Condition] = Field(default_factory=dict[str, Test])
    effect: Decision
    text: Said
    score: int | None = Field(default=None, ge=1, le=9)
    hard: bool = False
    asks: list[Words] = Field(default_factory=list[str])
    suggests: list[Words] = Field(default_factory=list[str])
    override_by: list[Words] | None = None


class RuleWritten(Written):
    """A rule. `every`: all outcomes that hold are said, not the first alone. window_days: of `results`."""

    id: Id
    title: Said
    source: Words
    when: Condition | list[Condition] = Field(default_factory=dict[str, Test])
    window_days: int | None = Field(default=None, ge=1, le=3660)
    every: bool = False
    override_by: list[Words] = Field(default_factory=lambda: ["radiologist", "consultant"])
    outcomes: list[OutcomeWritten] = Field(min_length=1)


class RuleSetWritten(Written):
    """A set of rules with its version. It holds from a day on, until another one does."""

    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$")]
    effective_from: date
    remark: Words
    terms: dict[Id, TermWritten]
    groups: dict[Id, list[Words]]
    repeats: dict[Id, RepeatWritten]
    rules: list[RuleWritten] = Field(min_length=1)

    @model_validator(mode="after")
    def _agrees(self) -> "RuleSetWritten":
        seen: set[str] = set()
        for rule in self.rules:
            if rule.id in seen:
                raise ValueError(f"two rules are called {rule.id}")
            seen.add(rule.id)
            for when in (rule.when, *(outcome.when for outcome in rule.outcomes)):
                for condition in when if isinstance(when, list) else [when]:
                    for fact, test in condition.items():
                        _must_be_askable(rule.id, fact, test, self)
        unknown = [each for repeat in self.repeats.values() for each in repeat.groups if each not in self.groups]
        if unknown:
            raise ValueError(f"there is no group {unknown[0]}")
        return self


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on one fact."""

    fact: str
    holds: Callable[[Any], bool]


Alternatives = tuple[tuple[Check, ...], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome that can be asked."""

    when: Alternatives
    written: OutcomeWritten


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that can be asked."""

    when: Alternatives
    outcomes: tuple[Outcome, ...]
    written: RuleWritten


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A set of rules that can be asked. groups_of: by key of procedure. suggests: all keys that they may suggest."""

    version: str
    terms: tuple[Term, ...]
    groups_of: Mapping[str, frozenset[str]]
    repeats: Mapping[str, RepeatWritten]
    rules: tuple[Rule, ...]
    suggests: frozenset[str]
    written: RuleSetWritten


def read(content: Mapping[str, Any]) -> RuleSet:
    """A rule set as it was written. Raises Unprocessable, with what is wrong where."""
    try:
        return compiled(RuleSetWritten.model_validate(content))
    except ValidationError as error:
        fields = [
            FieldProblem(".".join(str(part) for part in each["loc"]), sentence_of(each)) for each in error.errors()
        ]
        raise Unprocessable(f"The rules are wrong: {fields[0].field} {fields[0].message}.", fields=fields) from error


def compiled(written: RuleSetWritten) -> RuleSet:
    """The same, as it is asked."""
    groups: dict[str, set[str]] = {}
    for group, keys in written.groups.items():
        for key in keys:
            groups.setdefault(key, set()).add(group)
    return RuleSet(
        version=written.version,
        terms=tuple(_term(name, term) for name, term in written.terms.items()),
        groups_of={key: frozenset(names) for key, names in groups.items()},
        repeats=written.repeats,
        rules=tuple(
            Rule(
                _alternatives(rule.when),
                tuple(Outcome(_alternatives(outcome.when), outcome) for outcome in rule.outcomes),
                rule,
            )
            for rule in written.rules
        ),
        suggests=frozenset(key for rule in written.rules for outcome in rule.outcomes for key in outcome.suggests),
        written=written,
    )


@cache
def shipped() -> RuleSet:
    """The rules that come with the product."""
    return read(json.loads(files("radiology.procedures.appropriateness").joinpath("rules.json").read_text("utf-8")))


def _term(id: str, written: TermWritten) -> Term:
    codes = tuple((each.system, each.code, tuple(plain(name) for name in each.names)) for each in written.codes)
    return Term(id, tuple(plain(phrase) for phrase in written.phrases), codes, written.cautious)


def _alternatives(when: Condition | Sequence[Condition]) -> Alternatives:
    conditions: Sequence[Condition] = [when] if isinstance(when, dict) else when
    return tuple(tuple(Check(fact, _test(test)) for fact, test in each.items()) for each in conditions)


def _test(test: Test) -> Callable[[Any], bool]:
    wanted: dict[str, Any] = dict(test) if isinstance(test, dict) else {"is": test}
    if "unknown" in wanted:
        asked = bool(wanted["unknown"])
        return lambda value: (value is None) is asked
    or_unknown = bool(wanted.pop("or_unknown", False))
    parts = [(_OPERATORS[name], limit) for name, limit in wanted.items()]
    return lambda value: or_unknown if value is None else all(holds(value, limit) for holds, limit in parts)


def _must_be_askable(rule: str, fact: str, test: Test, rules: RuleSetWritten) -> None:
    """Raises ValueError for a condition that means nothing."""
    kind = KINDS.get(fact)
    if kind is None:
        raise ValueError(f"rule {rule} looks at {fact}; facts are {', '.join(KINDS)}")
    wanted: dict[str, Any] = dict(test) if isinstance(test, dict) else {"is": test}
    wrong = [name for name in wanted if name not in _OF_UNKNOWN and name not in _FOR_KIND[kind]]
    if wrong or not wanted:
        raise ValueError(f"rule {rule} cannot ask {fact} for {wrong or 'nothing'}: it is a {kind}")
    known: dict[str, Any] | None = None
    if fact in ("terms", "history"):
        known = {**rules.terms}
    elif fact in ("groups", "results"):
        known = {**rules.groups}
    for name in wanted.keys() - _OF_UNKNOWN:
        is_list, is_number = isinstance(wanted[name], list), isinstance(wanted[name], int | float)
        if (name in _LISTS) is not is_list:
            raise ValueError(f"rule {rule}: {fact} {name} {wanted[name]!r} is of the wrong kind")
        if kind == "number" and not is_number:
            raise ValueError(f"rule {rule}: {fact} {name} needs a number")
        missing: set[str] = set(wanted[name]) - known.keys() if known is not None else set()
        if missing:
            raise ValueError(f"rule {rule}: there is no term or group {min(missing)}")
