"""The states of a scheduled step, and why a station does not see an item."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from radiology.errors import TransitionRefused
from radiology.modality_worklist.model import (
    OPEN,
    TRANSITIONS,
    Admission,
    ScheduledProcedureStep,
    Station,
    Status,
    Verb,
    step,
    why_not_shown,
)

DHAKA = ZoneInfo("Asia/Dhaka")
NOW = datetime(2026, 1, 21, 4, 30, tzinfo=UTC)
CT1 = Station("CT1", "LOCAL", frozenset({"CT"}))


def item(**changes) -> ScheduledProcedureStep:
    values = {
        "id": UUID(int=1), "scheduled_procedure_step_id": "SPS1", "facility_code": "LOCAL", "status": "SCHEDULED",
        "status_trigger": "request", "status_reason": None,
        "version": 1, "service_request": None, "accession_number": "A1", "requested_procedure_id": "RP1",
        "study_instance_uid": "2.25.1", "modality": "CT", "station_ae_titles": [], "station_pool": None,
        "scheduled_start": NOW, "patient_id": "P1", "issuer_of_patient_id": "LOCAL", "patient_name": "Karim",
        "details": {},
    }  # fmt: skip
    return ScheduledProcedureStep(**{**values, **changes})


@pytest.mark.parametrize(("status", "verb"), sorted(set(product(Status, Verb)) - set(TRANSITIONS)))
def test_every_other_step_is_refused(status: Status, verb: Verb) -> None:
    with pytest.raises(TransitionRefused, match="possible"):
        step(status, verb)


def test_what_is_cancelled_or_complete_leaves_the_list() -> None:
    assert {step(status, Verb.CANCEL) for status in OPEN} == {Status.CANCELED}
    assert not {Status.STARTED, Status.COMPLETED, Status.DISCONTINUED, Status.CANCELED} & set(OPEN)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"station_ae_titles": ["CT1"]},
        {"station_pool": "CT", "pool_ae_titles": ["CT1", "CT2"]},
        {"scheduled_start": NOW + timedelta(hours=37)},
        {"scheduled_start": NOW - timedelta(hours=34)},
    ],
)
def test_an_item_that_is_shown(changes) -> None:
    assert why_not_shown(item(**changes), CT1, at=NOW, zone=DHAKA) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"facility_code": "DMCH"}, "facility DMCH"),
        ({"status": "STARTED"}, "is STARTED"),
        ({"status": "CANCELED", "status_reason": "Did not come"}, "is CANCELED (Did not come)"),
        ({"scheduled_start": NOW + timedelta(days=2)}, "scheduled for 23/01/2026"),
        ({"scheduled_start": NOW - timedelta(days=2)}, "scheduled for 19/01/2026"),
        ({"station_ae_titles": ["CT2"]}, "station CT2"),
        ({"station_pool": "CT", "pool_ae_titles": ["CT2"]}, "station CT2"),
        ({"station_pool": "NIGHT", "pool_ae_titles": None}, "pool NIGHT"),
        ({"modality": "MR"}, "modality MR"),
    ],
)
def test_the_filter_that_hides_an_item(changes, said: str) -> None:
    reason = why_not_shown(item(**changes), CT1, at=NOW, zone=DHAKA)
    assert reason is not None
    assert said in reason.english
    assert any("\u0980" <= char <= "\u09ff" for char in reason.bangla)


@pytest.mark.parametrize(
    ("admission", "said"),
    [
        (Admission.UNKNOWN, "No machine called CT1"),
        (Admission.DISABLED, "switched off"),
        (Admission.WITHOUT_WORKLIST, "service mwl"),
    ],
)
def test_a_machine_that_may_not_ask_sees_nothing(admission: Admission, said: str) -> None:
    reason = why_not_shown(item(), replace(CT1, admission=admission), at=NOW, zone=DHAKA)
    assert reason is not None
    assert said in reason.english
    assert any("\u0980" <= char <= "\u09ff" for char in reason.bangla)
