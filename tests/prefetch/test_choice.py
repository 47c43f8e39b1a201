"""Which earlier studies are chosen: the relevant ones of the same patient, never those of somebody else."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from radiology.prefetch.model import Candidate, Conditions, Rule, Subject, choose, one_of_each
from radiology.procedures.regions import regions_of
from radiology.standards.dicom.identity import PatientIdentity

KARIM = PatientIdentity("P1", "", "KARIM^ABDUL", "19800115", "M")
SUBJECT = Subject("1.1", "DMCH", "P1", "", "KARIM^ABDUL", "19800115", "M", ["CT"], ["RPID16"], "CT Chest", "20260121")


def rule(**changes: Any) -> Rule:
    fields: dict[str, Any] = {
        "id": uuid4(), "name": "r", "enabled": True, "causes": ["study-arrived"], "conditions": Conditions(),
        "sources": [], "destinations": [], "most": 3, "not_older_than_days": 1825, "related_only": True,
        "created_at": datetime.now(UTC),
    }  # fmt: skip
    return Rule(**fields | changes)


def prior(uid: str, **changes: Any) -> Candidate:
    fields: dict[str, Any] = {
        "source": "OLD", "patient": KARIM, "study_date": "20250101", "modalities": ["CT"], "description": "CT Chest",
        "instances": 10,
    }  # fmt: skip
    return Candidate(uid, **fields | changes)


def chosen(*candidates: Candidate, **changes: Any) -> dict[str, str]:
    """What is chosen, in its order, with its reason."""
    choices = choose(rule(**changes), SUBJECT, candidates, today="20260121", oldest="20210122")
    assert {choice.candidate.study_instance_uid for choice in choices} == {
        each.study_instance_uid for each in candidates
    }
    return {choice.candidate.study_instance_uid: choice.reason for choice in choices if choice.is_chosen}


def test_the_same_region_comes_before_the_same_modality_and_the_newer_before_the_older() -> None:
    found = chosen(
        prior("1.brain", description="CT Brain"),
        prior("1.film", modalities=["DX"], description="Chest PA"),
        prior("1.older", study_date="20240101"),
        prior("1.newer", study_date="20250601"),
    )
    assert list(found) == ["1.newer", "1.older", "1.film"]
    assert found["1.newer"] == "Same region (chest), same modality."


def test_what_is_not_related_is_chosen_only_where_the_rule_says_so() -> None:
    knee = prior("1.knee", modalities=["DX"], description="X-ray Knee AP")
    assert chosen(knee) == {}
    assert list(chosen(knee, related_only=False)) == ["1.knee"]


@pytest.mark.parametrize(
    "patient",
    [
        PatientIdentity("P1", "", "BEGUM^SALMA", "19920301", "F"),
        PatientIdentity("P1", "", "KARIM^ABDUL", "19550704", "F"),
        PatientIdentity("P2", "", "KARIM^ABDUL", "19800115", "M"),
    ],
)
def test_a_study_that_may_be_of_somebody_else_is_never_chosen(patient: PatientIdentity) -> None:
    assert chosen(prior("1.other", patient=patient), related_only=False) == {}


def test_dates_out_of_range_and_the_study_itself_are_left_out() -> None:
    assert chosen(prior("1.1"), prior("1.2", study_date="20260301"), prior("1.3", study_date="20100101"),
                  prior("1.4", study_date="")) == {}  # fmt: skip


def test_a_study_is_taken_from_where_most_of_it_is() -> None:
    here, there = prior("1.2", source="", instances=3), prior("1.2", source="OLD", instances=10)
    assert one_of_each([here, there]) == [there]
    assert one_of_each([prior("1.2", source="", instances=10), there])[0].source == ""


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("CT CHEST W/O CONTRAST", {"chest"}),
        ("CXR P/A View", {"chest"}),
        ("USG of Whole Abdomen", {"abdomen", "pelvis"}),
        ("X-Ray Cervical Spine B/V", {"spine"}),
        ("MRI_LS_SPINE", {"spine"}),
        ("NCCT Head", {"head"}),
        ("বুক এক্স-রে", {"chest"}),
        ("Whatever", set()),
    ],
)
def test_regions_by_the_words_of_the_field(text: str, regions: set[str]) -> None:
    assert regions_of(text) == regions


def test_a_rule_says_why_it_does_not_apply() -> None:
    assert rule().why_not(SUBJECT, "study-arrived") == ""
    assert rule(enabled=False).why_not(SUBJECT, "study-arrived") == "The rule is disabled."
    assert rule().why_not(SUBJECT, "procedure-scheduled") == "The rule waits for study-arrived."
    assert "not MR" in rule(conditions=Conditions(modalities=["MR"])).why_not(SUBJECT, "study-arrived")
    assert "does not match" in rule(conditions=Conditions(study_description="*brain*")).why_not(
        SUBJECT, "study-arrived"
    )
