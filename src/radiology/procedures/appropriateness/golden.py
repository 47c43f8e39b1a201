"""Golden cases: who must be answered what. A set of rules is tried on them before it is used. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from radiology.procedures.appropriateness.evaluate import evaluate
from radiology.procedures.appropriateness.model import (
    Answer,
    Choice,
    Implant,
    Indication,
    Kidneys,
    Prior,
    Question,
)
from radiology.procedures.appropriateness.ruleset import RuleSet
from radiology.procedures.model import Procedure

ON: Final = date(2026, 1, 21)
_HARMLESS: Final[Mapping[str, Any]] = {
    "sex": "M",
    "age": 45,
    "priority": "routine",
    "pregnancy": "unknown",
    "kidneys": {"egfr": 90, "days": 3},
    "reaction": "none",
    "implants": [],
}
"""Of whom nothing is said in a case, this is so."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `then`: decision, score, rules that `fires`, rules that do `not`, keys that are suggested, `asks`."""

    id: str
    rule: str
    given: Mapping[str, Any]
    then: Mapping[str, Any]


@cache
def cases() -> tuple[Case, ...]:
    """The cases that come with the product."""
    written = files("radiology.procedures.appropriateness").joinpath("golden.json").read_text("utf-8")
    return tuple(Case(**each) for each in json.loads(written))


def question_of(case: Case, catalogue: Mapping[str, Procedure]) -> Question:
    """What a case asks."""
    given = {**_HARMLESS, **case.given}
    known = catalogue.get(given.get("procedure", ""))
    return Question(
        procedure=known or Procedure("", given.get("text", ""), "", given["modality"]),
        is_known=known is not None,
        on=ON,
        examined_on=None if "examined_in_days" not in given else ON + timedelta(days=given["examined_in_days"]),
        priority=given["priority"],
        laterality=given.get("laterality", ""),
        contrast_planned=given.get("contrast"),
        indications=(Indication(given["reason"]),) if "reason" in given else (),
        born=_born(given),
        sex=given["sex"],
        pregnancy=given["pregnancy"],
        pregnancy_weeks=given.get("weeks"),
        last_menstrual_period=_ago(given.get("lmp_days")),
        kidneys=_kidneys(given["kidneys"]),
        previous_reaction=given["reaction"],
        implants=None if given["implants"] is None else tuple(Implant(*each) for each in given["implants"]),
        mr_cleared=given.get("mr_cleared", False),
        medications=tuple(given.get("medications", ())),
        history=tuple(given.get("history", ())),
        inpatient=given.get("inpatient", False),
        priors=tuple(
            Prior(catalogue[key], ON - timedelta(days=days), state) for key, days, state in given.get("priors", ())
        ),
        dose_msv=given.get("dose_msv", 0.0),
        choices={key: Choice(each, each.price_at("public")) for key, each in catalogue.items()},
    )


def answers(case: Case, rules: RuleSet, catalogue: Mapping[str, Procedure]) -> Answer:
    """What a set of rules answers."""
    return evaluate(question_of(case, catalogue), rules)


def wrong(case: Case, answer: Answer) -> Sequence[str]:
    """What is not as the case wants it, a sentence each; nothing where all is."""
    fired = {each.rule: each for each in answer.findings}
    suggested = [each.procedure.key for each in answer.alternatives]
    asked = {name for each in answer.findings for name in each.asks}
    then = case.then
    found = {
        "decision": ("decision" in then and answer.decision != then["decision"], answer.decision),
        "score": ("score" in then and answer.score != then["score"], answer.score),
        "fires": (not fired.keys() >= set(then.get("fires", ())), sorted(fired)),
        "not": (not fired.keys().isdisjoint(then.get("not", ())), sorted(fired)),
        "suggests": ("suggests" in then and suggested != then["suggests"], suggested),
        "asks": (not asked >= set(then.get("asks", ())), sorted(asked)),
    }
    return [f"{name}: {then[name]} is wanted, not {got}" for name, (is_wrong, got) in found.items() if is_wrong]


def failures(rules: RuleSet, catalogue: Mapping[str, Procedure]) -> dict[str, Sequence[str]]:
    """What is wrong by case, for all of them; empty where the rules answer all as they must."""
    tried = {case.id: wrong(case, answers(case, rules, catalogue)) for case in cases()}
    return {name: sentences for name, sentences in tried.items() if sentences}


def _born(given: Mapping[str, Any]) -> date | None:
    if "age_days" in given:
        return ON - timedelta(days=given["age_days"])
    age = given["age"]
    return None if age is None else date(ON.year - age, 1, 1)


def _ago(days: int | None) -> date | None:
    return None if days is None else ON - timedelta(days=days)


def _kidneys(given: Mapping[str, Any] | None) -> Kidneys | None:
    if given is None:
        return None
    return Kidneys(
        measured_on=_ago(given.get("days")),
        egfr=given.get("egfr"),
        creatinine=given.get("creatinine"),
        dialysis=given.get("dialysis", False),
        acute_injury=given.get("aki", False),
    )
