"""How long a study is kept: each rule, the one that keeps longest, and what keeps whatever the rules say."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.retention.defaults import RULES
from radiology.retention.model import (
    AgeGroup,
    Keeps,
    Rule,
    Study,
    Verdict,
    is_about,
    kept_until,
    rules_of,
    shortest_years,
    verdict_on,
    why_not,
    years_after,
)

TODAY = date(2026, 1, 21)
OLD = Study(
    UUID(int=1), "1.2.3", date(2010, 3, 1), date(2010, 3, 2), "19700101", ["CT"], [], "CT Chest", False, False, False, 1
)
ALL = Rule(code="all", title="All.", title_bn="সব।", years=10)


def judged(study: Study, rules: Sequence[Rule] = RULES, *, today: date = TODAY, last_copies: bool = False) -> Verdict:
    return verdict_on(study, rules, today=today, last_copies=last_copies)


def test_a_study_of_an_adult_goes_after_ten_years() -> None:
    verdict = judged(OLD)
    assert (verdict.erasable, verdict.rule, verdict.kept_until) == (True, Keeps.ERASABLE, date(2020, 3, 2))
    assert "০২/০৩/২০২০" in verdict.reason_bn


@pytest.mark.parametrize(
    ("changed", "rule", "until"),
    [
        ({"held": True}, Keeps.LEGAL_HOLD, None),
        ({"marked_permanent": True}, Keeps.MARKED, None),
        ({"sensitive_classes": ["S4"]}, "medico-legal", None),
        ({"texts": "US Obstetric 2nd trimester"}, "obstetric", None),
        ({"texts": "গর্ভাবস্থার আল্ট্রাসাউন্ড"}, "obstetric", None),
        ({"texts": " ", "sensitive_classes": ["S1"]}, "obstetric", None),
        ({"in_use": True}, Keeps.IN_USE, None),
        ({"unconfirmed": True}, Keeps.UNCONFIRMED, None),
        ({"damaged": True}, Keeps.DAMAGED, None),
        ({"last_used_on": date(2016, 1, 22)}, "adult", date(2026, 1, 22)),
        ({"last_used_on": date(2020, 1, 1), "modalities": ["MG"]}, "mammography", date(2030, 1, 1)),
        ({"birth_date": "20050601"}, "child", date(2030, 6, 1)),
        ({"birth_date": "20050601", "held": True}, Keeps.LEGAL_HOLD, None),
        ({"birth_date": ""}, "child", date(2035, 3, 1)),
        ({"birth_date": "19XX"}, "child", date(2035, 3, 1)),
        ({"is_last_copy": True}, Keeps.LAST_COPY, date(2020, 3, 2)),
    ],
)
def test_what_is_kept(changed: dict[str, object], rule: str, until: date | None) -> None:
    verdict = judged(replace(OLD, **changed))  # type: ignore[arg-type]
    assert (verdict.erasable, verdict.rule, verdict.kept_until) == (False, rule, until)
    assert verdict.reason.endswith((".", ")."))
    assert verdict.reason_bn.endswith("।")


def test_of_a_child_the_longer_time_counts() -> None:
    assert judged(replace(OLD, birth_date="19930301")).kept_until == date(2020, 3, 2)


def test_the_last_copy_goes_where_that_was_said_and_nothing_else() -> None:
    assert judged(replace(OLD, is_last_copy=True), last_copies=True).erasable
    assert not judged(replace(OLD, is_last_copy=True, held=True), last_copies=True).erasable


def test_the_last_day_of_february() -> None:
    leap = replace(OLD, study_date=date(2012, 2, 29), last_used_on=date(2012, 2, 29), birth_date="19720229")
    assert judged(leap).kept_until == date(2022, 3, 1)


@pytest.mark.parametrize(
    ("narrower", "is_so"),
    [
        ({"modalities": ["US", "CT"]}, True),
        ({"modalities": ["US"]}, False),
        ({"procedure_codes": ["24627-2"]}, True),
        ({"procedure_codes": ["other"]}, False),
        ({"facility_codes": ["LOCAL"]}, True),
        ({"facility_codes": ["ELSEWHERE"]}, False),
        ({"sensitive_classes": ["S2"]}, False),
        ({"age_group": AgeGroup.ADULT}, True),
        ({"age_group": AgeGroup.CHILD}, False),
        ({"obstetric": True}, False),
        ({"modalities": ["CT"], "facility_codes": ["ELSEWHERE"]}, False),
    ],
)
def test_which_studies_a_rule_is_about(narrower: dict[str, object], is_so: bool) -> None:
    study = replace(OLD, facility_code="LOCAL", procedure_codes=["24627-2"])
    assert is_about(replace(ALL, **narrower), study) is is_so  # type: ignore[arg-type]


def test_the_images_go_where_another_archive_keeps_them_and_nothing_keeps_them_here() -> None:
    here = Rule(code="hub", title="The hub.", title_bn="হাব।", kept_elsewhere="HUB", local_days=365)
    young = replace(OLD, last_used_on=date(2024, 1, 1))
    verdict = judged(young, [*RULES, here])
    assert (verdict.erasable, verdict.kept_elsewhere, verdict.kept_until) == (True, "HUB", date(2034, 1, 1))
    assert judged(replace(young, last_used_on=date(2025, 6, 1)), [*RULES, here]).rule == "adult"
    longer = replace(here, code="hub-2", kept_elsewhere="HUB2", local_days=900)
    assert not judged(young, [*RULES, here, longer]).erasable
    for changed in ({"held": True}, {"marked_permanent": True}, {"texts": "Antenatal"}, {"damaged": True}):
        assert not judged(replace(young, **changed), [*RULES, here]).erasable  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([ALL, replace(ALL, years=3)], "code of its own"),
        ([replace(ALL, modalities=["CT"])], "every study"),
        ([replace(ALL, enabled=False)], "every study"),
        ([ALL, replace(ALL, code="legal-hold")], "something else"),
        ([ALL, replace(ALL, code="x", years=None)], "how many years"),
        ([ALL, replace(ALL, code="x", kept_elsewhere="HUB")], "belong together"),
        ([ALL, replace(ALL, code="x", kept_elsewhere="HUB", local_days=3)], "another archive"),
        (list(RULES), ""),
    ],
)
def test_rules_that_cannot_be(rules: list[Rule], told: str) -> None:
    assert told in why_not(rules) if told else why_not(rules) == ""


def test_rules_are_stored_and_read() -> None:
    assert [rule.as_json() for rule in rules_of([rule.as_json() for rule in RULES])] == [r.as_json() for r in RULES]
    assert rules_of([rule.as_json() for rule in RULES])[2].age_group == AgeGroup.CHILD


days = st.dates(date(1950, 1, 1), date(2026, 1, 21))
keeping = st.builds(
    Rule,
    code=st.uuids().map(str),
    title=st.just("So it is."),
    title_bn=st.just("তাই।"),
    modalities=st.lists(st.sampled_from(["CT", "MG", "US"]), max_size=2),
    age_group=st.sampled_from([None, *AgeGroup]),
    facility_codes=st.lists(st.sampled_from(["A", "B"]), max_size=1),
    sensitive_classes=st.lists(st.sampled_from(["S1", "S4"]), max_size=1),
    obstetric=st.booleans(),
    years=st.integers(0, 60),
    to_age_years=st.none() | st.integers(18, 40),
    permanent=st.booleans(),
    enabled=st.booleans(),
)
local = st.builds(
    Rule, code=st.uuids().map(str), title=st.just("Hub."), title_bn=st.just("হাব।"),
    modalities=st.lists(st.sampled_from(["CT", "MG"]), max_size=1), kept_elsewhere=st.just("HUB"),
    local_days=st.integers(0, 4000),
)  # fmt: skip
studies = st.builds(
    lambda day, later, **others: Study(study_date=day, last_used_on=day + timedelta(days=later), **others),
    day=days,
    later=st.integers(0, 900),
    id=st.just(UUID(int=1)),
    study_instance_uid=st.just("1.2.3"),
    birth_date=st.just("") | days.map(lambda day: f"{day:%Y%m%d}"),
    modalities=st.lists(st.sampled_from(["CT", "MG", "US"]), min_size=1, max_size=2),
    sensitive_classes=st.lists(st.sampled_from(["S1", "S2", "S4"]), max_size=2),
    texts=st.sampled_from(["", "CT Chest", "antenatal"]),
    held=st.booleans(),
    in_use=st.booleans(),
    is_last_copy=st.booleans(),
    number_of_instances=st.just(1),
    facility_code=st.sampled_from(["A", "B"]),
    marked_permanent=st.booleans(),
    unconfirmed=st.booleans(),
    damaged=st.booleans(),
)


@given(studies, st.lists(keeping | local, max_size=6), st.booleans())
def test_what_may_go_is_kept_by_nothing(study: Study, rules: list[Rule], last_copies: bool) -> None:
    verdict = judged(study, rules, last_copies=last_copies)
    about = [rule for rule in rules if rule.enabled and is_about(rule, study)]
    moments = [kept_until(rule, study) for rule in about if not rule.kept_elsewhere]
    if not verdict.erasable:
        return
    assert not any([study.held, study.in_use, study.marked_permanent, study.unconfirmed, study.damaged])
    assert moments
    assert None not in moments
    assert verdict.kept_until == max(moments)  # type: ignore[type-var]
    if verdict.kept_elsewhere:
        [*days_here] = [rule.local_days or 0 for rule in about if rule.kept_elsewhere]
        assert study.last_used_on + timedelta(days=max(days_here)) <= TODAY
    else:
        assert max(moments) <= TODAY  # type: ignore[type-var,operator]
        assert last_copies or not study.is_last_copy


@given(studies, st.lists(keeping, max_size=6), keeping)
def test_a_rule_more_never_keeps_shorter(study: Study, rules: list[Rule], more: Rule) -> None:
    before, after = judged(study, rules, last_copies=True), judged(study, [*rules, more], last_copies=True)
    if not before.erasable and before.rule != Keeps.NO_RULE:
        assert not after.erasable
    if before.erasable and after.kept_until is not None:
        assert before.kept_until is not None
        assert after.kept_until >= before.kept_until


@given(studies, st.lists(keeping | local, max_size=6), st.integers(0, 20_000))
def test_what_may_go_may_go_tomorrow(study: Study, rules: list[Rule], later: int) -> None:
    if judged(study, rules, last_copies=True).erasable:
        assert judged(study, rules, today=TODAY + timedelta(days=later), last_copies=True).erasable


@given(studies, st.lists(keeping | local, max_size=6))
def test_what_is_younger_than_the_shortest_rule_need_not_be_looked_at(study: Study, rules: list[Rule]) -> None:
    if judged(study, rules, last_copies=True).erasable:
        assert (TODAY - study.last_used_on).days >= int(shortest_years(rules) * 365)


@given(days, st.integers(0, 100))
def test_years_are_years(day: date, years: int) -> None:
    after = years_after(day, years)
    assert after.year == day.year + years
    assert abs((after - day).days - years * 365.2425) < 2
