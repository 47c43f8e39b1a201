"""Rule sets as they are written: what means nothing is refused, with its place."""

import json
from typing import Any

import pytest

from radiology.errors import Unprocessable
from radiology.procedures.appropriateness.evaluate import evaluate
from radiology.procedures.appropriateness.golden import ON
from radiology.procedures.appropriateness.kidneys import egfr_of
from radiology.procedures.appropriateness.model import Decision, Kidneys, Question
from radiology.procedures.appropriateness.ruleset import read, shipped
from radiology.procedures.model import Procedure


def written() -> dict[str, Any]:
    return json.loads(shipped().written.model_dump_json())


def small(when: Any, **outcome: Any) -> dict[str, Any]:
    text = {"en": "Text", "bn": "কথা"}
    rule = {"id": "R1", "title": text, "source": "Somewhere", "when": when,
            "outcomes": [{"effect": "proceed_with_warning", "text": text} | outcome]}  # fmt: skip
    return {"version": "1", "effective_from": "2026-01-01", "remark": "Small", "terms": {}, "groups": {},
            "repeats": {}, "rules": [rule]}  # fmt: skip


def test_what_is_shipped_reads_as_it_was_written() -> None:
    assert read(written()).written == shipped().written


@pytest.mark.parametrize(
    ("when", "sentence"),
    [
        ({"shoe_size": 42}, "rule R1 looks at shoe_size"),
        ({"age": {"any": [1]}}, "it is a number"),
        ({"age": {"above": "old"}}, "needs a number"),
        ({"age": {}}, "cannot ask age for nothing"),
        ({"terms": {"any": ["gibberish"]}}, "there is no term or group gibberish"),
        ({"groups": {"none": ["gibberish"]}}, "there is no term or group gibberish"),
        ({"priority": {"in": "stat"}}, "is of the wrong kind"),
    ],
)
def test_a_condition_that_means_nothing_is_refused(when: Any, sentence: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        read(small(when))
    assert sentence in refused.value.sentence


def test_a_text_that_names_no_fact_is_refused() -> None:
    with pytest.raises(Unprocessable, match="there is no fact"):
        read(small({}, text={"en": "Be {careful}", "bn": "কথা"}))


def test_two_rules_of_one_name_are_refused() -> None:
    content = small({})
    content["rules"] *= 2
    with pytest.raises(Unprocessable, match="two rules are called R1"):
        read(content)


def test_a_condition_on_what_nobody_has_said_does_not_hold_unless_it_asks_for_that() -> None:
    question = Question(Procedure("X", "X", "", "CT"), ON)
    for when, fires in (
        ({"age": {"above": 5}}, False),
        ({"age": {"above": 5, "or_unknown": True}}, True),
        ({"age": {"unknown": True}}, True),
        ({"age": {"unknown": False}}, False),
        ([{"age": {"above": 5}}, {"modality": "CT"}], True),
        ({"modality": {"not_in": ["CT"]}}, False),
    ):
        answer = evaluate(question, read(small(when)))
        assert bool(answer.findings) is fires
        assert answer.decision == (Decision.WARNING if fires else Decision.PROCEED)


def test_egfr_is_reckoned_where_only_creatinine_is_known() -> None:
    """CKD-EPI 2021 without race: 88.4 µmol/L of a man of 50 is 92, of a woman 69."""
    creatinine = Kidneys(ON, creatinine=88.4)
    assert egfr_of(creatinine, age=50, sex="M", size_m=None) == pytest.approx(92, abs=1)
    assert egfr_of(creatinine, age=50, sex="F", size_m=None) == pytest.approx(69, abs=1)
    assert egfr_of(creatinine, age=50, sex=None, size_m=None) == egfr_of(creatinine, age=50, sex="F", size_m=None)
    assert egfr_of(creatinine, age=10, sex="M", size_m=1.4) == pytest.approx(57.8, abs=0.1)
    assert egfr_of(creatinine, age=10, sex="M", size_m=None) is None
    assert egfr_of(creatinine, age=None, sex="M", size_m=None) is None
    assert egfr_of(Kidneys(ON, egfr=40, creatinine=88.4), age=50, sex="M", size_m=None) == 40
