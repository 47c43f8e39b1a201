"""The golden cases, one test each, and that every rule has the three that it needs."""

import json
from importlib.resources import files
from time import perf_counter

import pytest

from radiology.procedures.appropriateness import golden
from radiology.procedures.appropriateness.evaluate import evaluate
from radiology.procedures.appropriateness.model import Decision
from radiology.procedures.appropriateness.ruleset import read, shipped
from radiology.procedures.entries import procedure_of
from radiology.procedures.entries import shipped as entries

CATALOGUE = {key: procedure_of(key, body) for key, body in entries().items()}
RULES = shipped()


@pytest.mark.parametrize("case", golden.cases(), ids=lambda case: case.id)
def test_a_golden_case_is_answered_as_it_must_be(case: golden.Case) -> None:
    assert golden.wrong(case, golden.answers(case, RULES, CATALOGUE)) == []


@pytest.mark.parametrize("rule", [each.written.id for each in RULES.rules])
def test_every_rule_has_a_case_that_fires_one_that_does_not_and_one_that_is_stat(rule: str) -> None:
    of_rule = [(case, golden.answers(case, RULES, CATALOGUE)) for case in golden.cases() if case.rule == rule]
    severe = [answer.decision != Decision.PROCEED for _, answer in of_rule]
    assert any(severe)
    assert not all(severe)
    assert any(case.given.get("priority") == "stat" for case, _ in of_rule)


def test_case_ids_are_unique() -> None:
    ids = [case.id for case in golden.cases()]
    assert len(ids) == len(set(ids))


def test_what_rules_name_is_in_the_catalogue() -> None:
    grouped = {key for keys in RULES.written.groups.values() for key in keys}
    suggested = {key for rule in RULES.written.rules for outcome in rule.outcomes for key in outcome.suggests}
    assert (grouped | suggested) <= CATALOGUE.keys()


def test_a_case_that_is_answered_otherwise_is_told() -> None:
    content = json.loads(RULES.written.model_dump_json())
    content["rules"] = [rule for rule in content["rules"] if rule["id"] != "MR1"]
    told = golden.failures(read(content), CATALOGUE)
    assert "MR1-pacemaker" in told
    assert not any(name.startswith("PG1") for name in told)
    assert "decision: blocked is wanted, not proceed" in told["MR1-pacemaker"]


def test_an_answer_takes_less_than_ten_milliseconds() -> None:
    questions = [golden.question_of(case, CATALOGUE) for case in golden.cases()]
    fastest = []
    for question in questions:
        taken = []
        for _ in range(3):
            begun = perf_counter()
            evaluate(question, RULES)
            taken.append(perf_counter() - begun)
        fastest.append(min(taken))
    assert max(fastest) < 0.010


def test_every_text_stands_in_both_languages() -> None:
    written = files("radiology.procedures.appropriateness").joinpath("rules.json").read_text("utf-8")
    for rule in json.loads(written)["rules"]:
        for said in (rule["title"], *(outcome["text"] for outcome in rule["outcomes"])):
            assert any("\u0980" <= char <= "\u09ff" for char in said["bn"])
            assert not any("\u0980" <= char <= "\u09ff" for char in said["en"])
