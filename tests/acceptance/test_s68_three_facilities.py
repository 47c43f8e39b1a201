"""Scenario 68: of three facilities the cheapest suitable comes first, for STAT the fastest; always the same."""

import pytest

from facility_network import a_device, a_facility

pytestmark = pytest.mark.anyio
FACILITIES = "/api/radiology/facilities"


@pytest.fixture
async def three(app, client_as):
    """A public hospital with a queue, a quick and dear private centre, and one in between."""
    administrator = await client_as("administrator")
    await a_facility(app, "LOCAL", latitude=23.7, longitude=90.4)
    for code, ownership, wait in (("PUBLIC", "public", 1500), ("QUICK", "private", 5), ("MIDDLE", "ngo", 600)):
        await a_facility(app, code, ownership=ownership, latitude=23.75, longitude=90.4)
        await a_device(app, code, modality="CT")
        figures = {"waitMinutes": wait, "turnaroundHours": 1, "rejectRate": 0.05, "slaMet": 0.9, "doseRatio": 0.9}
        assert (await administrator.put(f"{FACILITIES}/{code}/figures/CT", json=figures)).status_code == 204
    return administrator


async def test_s68_routine_prefers_the_cheapest_and_stat_the_fastest(three, client_as) -> None:
    client = await client_as("referrer")
    body = {"procedure": "CT_HEAD_WO", "from": {"facilityCode": "LOCAL"}}
    routine = (await client.post(f"{FACILITIES}/choose", json=body)).json()
    stat = (await client.post(f"{FACILITIES}/choose", json={**body, "priority": "stat"})).json()
    assert {each["facilityCode"] for each in routine["options"]} == {"PUBLIC", "QUICK", "MIDDLE"}
    costs = [float(each["cost"]) for each in routine["options"]]
    assert costs[0] == min(costs)
    hours = [each["hours"] for each in stat["options"]]
    assert hours[0] == min(hours)
    assert stat["options"][0]["facilityCode"] == "QUICK"


async def test_s68_each_option_has_its_factors_and_the_same_question_the_same_answer(three, client_as) -> None:
    client = await client_as("referrer")
    body = {"procedure": "CT_HEAD_WO", "priority": "urgent", "from": {"facilityCode": "LOCAL"}}
    answers = [(await client.post(f"{FACILITIES}/choose", json=body)).json() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    for option in answers[0]["options"]:
        terms = option["explain"][:4]
        assert [each["weight"] for each in terms] == [0.45, 0.20, 0.20, 0.15]
        assert sum(each["contribution"] for each in terms) == pytest.approx(option["score"], abs=0.01)
        assert all(each["source"] for each in option["explain"])
    assert answers[0]["ruleSetVersion"]
    rejected = {each["facilityCode"]: each["filter"] for each in answers[0]["rejected"]}
    assert rejected == {"LOCAL": "no-device"}
