"""Routing rules as plain values: what they match, when they send, how long they wait."""

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import pytest

from radiology.delivery.routing.model import Conditions, Rule, Subject, destinations_of, next_attempt_at
from radiology.delivery.routing.sending import pausing
from routing_rules import a_rule

ARRIVED = datetime(2026, 1, 21, 4, 30, tzinfo=UTC)  # A Wednesday, 10:30 in Dhaka.


def subject(**fields) -> Subject:
    given = {
        "series_id": uuid4(),
        "minute": ARRIVED,
        "source_ae_title": "CT1",
        "modality": "CT",
        "station_name": "CT-EMERGENCY",
        "body_part": "CHEST",
        "procedure_codes": ["71250"],
        "study_description": "CT Chest plain",
        "facility_code": "DMCH",
    }
    return Subject(**given | fields)


def rule(conditions: Conditions | None = None, **fields) -> Rule:
    given = {
        "id": uuid4(),
        "name": "rule",
        "enabled": True,
        "priority": 0,
        "conditions": conditions or Conditions(),
        "destinations": ["NEURO"],
        "send_when": "instances-stored",
        "send_from": None,
        "send_until": None,
        "time_zone": "Asia/Dhaka",
        "bandwidth_kib_per_second": None,
        "give_up_after_days": 7,
        "created_at": ARRIVED,
    }
    return Rule(**given | fields)


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(),
        Conditions(calling_ae_titles=["CT2", "CT1"], modalities=["CT"], station_names=["CT-EMERGENCY"]),
        Conditions(body_parts=["CHEST"], procedure_codes=["71250"], study_description="ct chest*"),
        Conditions(facility_codes=["DMCH"], days=["wed"], arrived_from=time(8), arrived_until=time(14)),
    ],
)
def test_matches(conditions):
    assert rule(conditions).why_not(subject()) == ""


@pytest.mark.parametrize(
    ("conditions", "sentence"),
    [
        (Conditions(calling_ae_titles=["MR1"]), "The calling AE title is CT1, not MR1."),
        (Conditions(modalities=["MR", "US"]), "The modality is CT, not MR or US."),
        (Conditions(station_names=["MR-1"]), "The station name is CT-EMERGENCY, not MR-1."),
        (Conditions(body_parts=["HEAD"]), "The body part is CHEST, not HEAD."),
        (Conditions(procedure_codes=["1"]), "The procedure code is 71250, not 1."),
        (Conditions(study_description="*brain*"), "The study description does not match *brain*."),
        (Conditions(facility_codes=["CMCH"]), "The facility is DMCH, not CMCH."),
        (Conditions(days=["fri"]), "The day of arrival is wed, not fri."),
        (Conditions(arrived_from=time(20), arrived_until=time(6)), "It arrived at 10:30, not from 20:00 to 06:00."),
    ],
)
def test_tells_why_it_does_not_match(conditions, sentence):
    assert rule(conditions).why_not(subject()) == sentence


def test_a_disabled_rule_matches_nothing():
    assert rule(enabled=False).why_not(subject()) == "The rule is disabled."


def test_the_first_rule_that_names_a_destination_counts_and_the_sender_gets_nothing_back():
    first, second = rule(destinations=["NEURO"]), rule(destinations=["CT1", "NEURO", "BACKUP"])
    assert destinations_of([first, second], subject()) == {"NEURO": first, "BACKUP": second}


@pytest.mark.parametrize(("hour", "minutes_until"), [(19, 60), (20, 0), (23, 0), (5, 0), (6, 14 * 60)])
def test_a_window_may_span_midnight(hour, minutes_until):
    nightly = rule(send_from=time(20), send_until=time(6))
    now = datetime(2026, 1, 21, hour, tzinfo=UTC) - timedelta(hours=6)
    assert nightly.opens_at(now) - now == timedelta(minutes=minutes_until)


def test_attempts_grow_apart_until_the_rule_gives_up():
    def seconds(attempts: int) -> float:
        following = next_attempt_at(attempts, since=ARRIVED, now=ARRIVED, give_up_after_days=2)
        return (following - ARRIVED).total_seconds()

    assert [seconds(number) for number in (1, 2, 3, 4, 30)] == [60, 300, 900, 3600, 3600]
    late = ARRIVED + timedelta(days=2)
    assert next_attempt_at(50, since=ARRIVED, now=late, give_up_after_days=2) is None


def test_all_that_one_rule_sends_to_one_destination_shares_its_limit():
    limited = a_rule("A", "B", bandwidth_kib_per_second=1)
    first, second, other = pausing(limited, "A"), pausing(limited, "A"), pausing(limited, "B")
    assert first
    assert second
    assert other
    assert first(10 * 1024) == pytest.approx(10, abs=0.5)
    assert second(10 * 1024) == pytest.approx(20, abs=0.5)
    assert other(1024) == pytest.approx(1, abs=0.5)
    assert pausing(a_rule("A"), "A") is None
