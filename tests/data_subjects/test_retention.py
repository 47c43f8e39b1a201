"""How long a study is kept: each rule, and the first one that holds."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from radiology.data_subjects.model import Rule, Study, verdict_on

TODAY = date(2026, 1, 21)
OLD = Study(
    UUID(int=1), "1.2.3", date(2010, 3, 1), date(2010, 3, 2), "19700101", ["CT"], [], "CT Chest", False, False, False, 1
)


def test_a_study_of_an_adult_goes_after_ten_years() -> None:
    verdict = verdict_on(OLD, today=TODAY, last_copies=False)
    assert (verdict.erasable, verdict.rule, verdict.kept_until) == (True, Rule.ERASABLE, date(2020, 3, 2))


@pytest.mark.parametrize(
    ("changed", "rule", "until"),
    [
        ({"held": True}, Rule.LEGAL_HOLD, None),
        ({"sensitive_classes": ["S4"]}, Rule.MEDICO_LEGAL, None),
        ({"texts": "US Obstetric 2nd trimester"}, Rule.OBSTETRIC, None),
        ({"texts": "গর্ভাবস্থার আল্ট্রাসাউন্ড"}, Rule.OBSTETRIC, None),
        ({"texts": " ", "sensitive_classes": ["S1"]}, Rule.OBSTETRIC, None),
        ({"in_use": True}, Rule.IN_USE, None),
        ({"last_used_on": date(2016, 1, 22)}, Rule.ADULT, date(2026, 1, 22)),
        ({"last_used_on": date(2020, 1, 1), "modalities": ["MG"]}, Rule.MAMMOGRAPHY, date(2030, 1, 1)),
        ({"birth_date": "20050601"}, Rule.CHILD, date(2030, 6, 1)),
        ({"birth_date": "20050601", "held": True}, Rule.LEGAL_HOLD, None),
        ({"birth_date": ""}, Rule.CHILD, date(2035, 3, 1)),
        ({"birth_date": "19XX"}, Rule.CHILD, date(2035, 3, 1)),
        ({"is_last_copy": True}, Rule.LAST_COPY, date(2020, 3, 2)),
    ],
)
def test_what_is_kept(changed: dict[str, object], rule: Rule, until: date | None) -> None:
    verdict = verdict_on(replace(OLD, **changed), today=TODAY, last_copies=False)  # type: ignore[arg-type]
    assert (verdict.erasable, verdict.rule, verdict.kept_until) == (False, rule, until)
    assert verdict.reason.endswith((".", ")."))


def test_of_a_child_the_longer_time_counts() -> None:
    child = replace(OLD, birth_date="19930301")
    assert verdict_on(child, today=TODAY, last_copies=False).kept_until == date(2020, 3, 2)


def test_the_last_copy_goes_where_that_was_said_and_nothing_else() -> None:
    assert verdict_on(replace(OLD, is_last_copy=True), today=TODAY, last_copies=True).erasable
    assert not verdict_on(replace(OLD, is_last_copy=True, held=True), today=TODAY, last_copies=True).erasable


def test_the_last_day_of_february() -> None:
    leap = replace(OLD, study_date=date(2012, 2, 29), last_used_on=date(2012, 2, 29), birth_date="19720229")
    assert verdict_on(leap, today=TODAY, last_copies=False).kept_until == date(2022, 3, 1)
