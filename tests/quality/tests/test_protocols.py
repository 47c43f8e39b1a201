"""Which tests a device needs, what passes, and when a device is not used any more."""

from datetime import date, timedelta

import pytest

from radiology.errors import Unprocessable
from radiology.quality.tests.protocols import PROTOCOLS, Standing, judge, protocols_of, reason_to_block

TODAY = date(2026, 1, 21)


def standing(
    test: str = "ct-water", *, last: int | None = None, passed: bool | None = None, begun: int = 0
) -> Standing:
    """`last`, `begun`: so many days ago."""
    done = None if last is None else TODAY - timedelta(days=last)
    return Standing(1, test, TODAY - timedelta(days=begun), True, done, passed)


def test_each_modality_has_its_tests():
    assert {each.key for each in protocols_of("CT")} == {
        "ct-water", "display", "artefacts", "kvp-output", "physicist",
    }  # fmt: skip
    assert "mammography-phantom" in {each.key for each in protocols_of("MG")}
    assert {each.key for each in protocols_of("US")} == {"display", "physicist"}


@pytest.mark.parametrize(("value", "passes"), [(0, True), (4, True), (-4, True), (4.1, False), (-4.1, False)])
def test_limits_belong_to_what_passes(value: float, passes: bool):
    judged = judge(PROTOCOLS["ct-water"], {"waterHU": value}, {"warmedUp": True})

    assert judged.passed is passes
    assert judged.results["waterHU"]["least"] == -4


def test_an_answer_of_no_fails_and_what_does_not_fit_is_refused():
    assert not judge(PROTOCOLS["display"], {}, {"patternVisible": False}).passed
    with pytest.raises(Unprocessable, match=r"values.waterHU is missing.*answers.more is not part"):
        judge(PROTOCOLS["ct-water"], {}, {"warmedUp": True, "more": True})


@pytest.mark.parametrize(
    ("given", "state", "overdue"),
    [
        (standing(last=0, passed=True), "current", 0),
        (standing(last=1, passed=True), "due", 0),
        (standing(last=2, passed=True), "overdue", 1),
        (standing(last=31, passed=True), "overdue", 30),
        (standing(last=32, passed=True), "blocking", 31),
        (standing(last=0, passed=False), "failed", 0),
        (standing(begun=30), "overdue", 30),
        (standing(begun=31), "blocking", 31),
        (standing("physicist", last=366, passed=True), "due", 0),
        (Standing(1, "display", TODAY - timedelta(days=99), False, None, None), "not-needed", 0),
    ],
)
def test_a_test_is_due_overdue_and_then_blocks(given: Standing, state: str, overdue: int):
    assert (given.state(TODAY), given.overdue_days(TODAY)) == (state, overdue)


def test_what_failed_is_told_before_what_is_overdue():
    late, failed = standing("display", begun=40), standing("artefacts", last=3, passed=False)

    assert reason_to_block([late, failed], TODAY) == "Device test failed: artefacts"
    assert reason_to_block([late], TODAY) == "Device test overdue by more than 30 days: display"
    assert reason_to_block([standing(begun=5)], TODAY) is None
