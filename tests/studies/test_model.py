"""The status machine of studies: what is possible, and every pair that must be refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from radiology.errors import Conflict, StaleVersion, TransitionRefused, Unprocessable
from radiology.studies.model import (
    FHIR_STATUS,
    TRANSITIONS,
    Status,
    StatusChange,
    Study,
    Verb,
    fhir_status,
    needs_second_person,
    step,
    steps_to_progress,
    verbs_for,
)

NOW = datetime(2026, 1, 21, 9, tzinfo=UTC)
STUDY = Study(
    uuid4(), "study-1", "1.2.3", None, "LOCAL", "registered", 3, NOW - timedelta(hours=1), 0, 0, 0, None, None, None
)

REFUSED = {
    "registered": {"complete", "reopen", "reinstate", "restore"},
    "scheduled": {"schedule", "complete", "reopen", "reinstate", "restore"},
    "arrived": {"schedule", "arrive", "complete", "reopen", "reinstate", "restore"},
    "in-progress": {"schedule", "arrive", "start", "reopen", "reinstate", "restore"},
    "completed": {"schedule", "arrive", "start", "complete", "cancel", "reinstate", "restore"},
    "cancelled": {"schedule", "arrive", "start", "complete", "cancel", "reopen", "restore"},
    "entered-in-error": set(Verb),
    "unknown": set(Verb) - {"withdraw"},
}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("verb", Verb)
def test_every_pair_is_decided(status: Status, verb: Verb) -> None:
    if verb in REFUSED[status]:
        assert (status, verb) not in TRANSITIONS
        with pytest.raises(TransitionRefused):
            step(status, verb)
    else:
        assert step(status, verb) in Status


def test_every_status_has_its_fhir_code() -> None:
    assert set(FHIR_STATUS) == set(Status)
    assert set(FHIR_STATUS.values()) == {"registered", "available", "cancelled", "entered-in-error", "unknown"}


def test_a_study_with_images_is_completed_by_two_steps() -> None:
    with_images = replace(STUDY, number_of_instances=2)
    assert verbs_for(with_images, StatusChange(Status.COMPLETED), at=NOW) == [Verb.START, Verb.COMPLETE]


@pytest.mark.parametrize(
    ("study", "change", "error"),
    [
        ({}, StatusChange(Status.COMPLETED), Conflict),
        ({"number_of_instances": 1}, StatusChange(Status.CANCELLED), Conflict),
        ({"number_of_instances": 1, "status": "completed"}, StatusChange(Status.IN_PROGRESS), TransitionRefused),
        ({}, StatusChange(Status.REGISTERED), TransitionRefused),
        ({}, StatusChange(Status.UNKNOWN), TransitionRefused),
        ({}, StatusChange(Status.SCHEDULED, version=2), StaleVersion),
        ({"status": "cancelled"}, StatusChange(Status.REGISTERED), Unprocessable),
        ({"status": "cancelled", "final_reports": 1}, StatusChange(Status.REGISTERED, reason="again"), Conflict),
        ({}, StatusChange(Status.ENTERED_IN_ERROR), Unprocessable),
        (
            {"status": "entered-in-error", "withdrawn_from": "completed", "withdrawn_at": NOW},
            StatusChange(Status.IN_PROGRESS, reason="was right"),
            TransitionRefused,
        ),
        (
            {"status": "entered-in-error", "withdrawn_from": "completed", "withdrawn_at": NOW},
            StatusChange(Status.COMPLETED),
            Unprocessable,
        ),
        (
            {"number_of_instances": 1},
            StatusChange(Status.COMPLETED, completed=NOW + timedelta(minutes=6)),
            Unprocessable,
        ),
        ({"number_of_instances": 1}, StatusChange(Status.COMPLETED, completed=NOW - timedelta(hours=2)), Unprocessable),
        (
            {"status": "entered-in-error", "withdrawn_from": "completed", "withdrawn_at": NOW - timedelta(days=31)},
            StatusChange(Status.COMPLETED, reason="was right"),
            TransitionRefused,
        ),
    ],
)
def test_guards(study: dict[str, object], change: StatusChange, error: type[Exception]) -> None:
    with pytest.raises(error):
        verbs_for(replace(STUDY, **study), change, at=NOW)


def test_what_has_no_images_is_not_available() -> None:
    assert {status: fhir_status(status, 0) for status in Status} == {
        "registered": "registered",
        "scheduled": "registered",
        "arrived": "registered",
        "in-progress": "registered",
        "completed": "registered",
        "cancelled": "cancelled",
        "entered-in-error": "entered-in-error",
        "unknown": "unknown",
    }
    assert [fhir_status(status, 1) for status in ("in-progress", "completed")] == ["available", "available"]


@pytest.mark.parametrize(
    ("status", "steps"),
    [
        ("registered", ["in-progress"]),
        ("scheduled", ["in-progress"]),
        ("arrived", ["in-progress"]),
        ("in-progress", []),
        ("completed", ["in-progress"]),
        ("cancelled", ["registered", "in-progress"]),
        ("entered-in-error", []),
        ("unknown", []),
    ],
)
def test_what_an_object_that_comes_does(status: str, steps: list[str]) -> None:
    assert [after for _, after in steps_to_progress(status)] == steps


def test_a_signed_report_is_withdrawn_by_two_persons() -> None:
    signed = replace(STUDY, final_reports=1)
    assert not needs_second_person(STUDY, Verb.WITHDRAW, by="account:a")
    assert needs_second_person(signed, Verb.WITHDRAW, by="account:a")
    asked = replace(signed, withdrawal_asked_by="account:a")
    with pytest.raises(Conflict):
        needs_second_person(asked, Verb.WITHDRAW, by="account:a")
    assert not needs_second_person(asked, Verb.WITHDRAW, by="account:b")
