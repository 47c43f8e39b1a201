"""Scenario 69: an upazila complex without a working X-ray is never offered, whatever its tier promises."""

import pytest

from facility_network import a_device, a_facility

pytestmark = pytest.mark.anyio
CHOOSE = "/api/radiology/facilities/choose"
UPAZILA = "Upazila_Health_Complexes"
PLACE = {"latitude": 23.7, "longitude": 90.4}


@pytest.mark.parametrize(
    ("device", "filter_"),
    [
        (None, "no-device"),
        ({"state": "down"}, "device-down"),
        ({"state": "retired"}, "no-device"),
        ({"blocked": "the output test failed"}, "device-blocked"),
        ({"licence_until": "2020-01-01"}, "no-licence"),
        ({"licence_until": None}, "no-licence"),
        ({"operator": ""}, "no-operator"),
    ],
)
async def test_s69_an_upazila_without_working_x_ray_is_not_offered(app, client_as, device, filter_) -> None:
    await a_facility(app, "UHC", tier=UPAZILA, **PLACE)
    await a_facility(app, "DISTRICT", tier="District_Hospitals", latitude=24.4, longitude=90.4)
    await a_device(app, "DISTRICT")
    if device is not None:
        await a_device(app, "UHC", **device)
    client = await client_as("referrer")
    body = {"procedure": "XR_CHEST_PA", "from": {"facilityCode": "UHC"}}
    for priority in ("stat", "urgent", "routine"):
        answer = (await client.post(CHOOSE, json={**body, "priority": priority})).json()
        assert [each["facilityCode"] for each in answer["options"]] == ["DISTRICT"]
        assert [(each["facilityCode"], each["filter"]) for each in answer["rejected"]] == [("UHC", filter_)]
        assert answer["rejected"][0]["sentence"]["bn"]


async def test_s69_one_that_works_is_offered(app, client_as) -> None:
    await a_facility(app, "UHC", tier=UPAZILA, **PLACE)
    await a_device(app, "UHC")
    client = await client_as("referrer")
    answer = (await client.post(CHOOSE, json={"procedure": "XR_CHEST_PA", "from": {"facilityCode": "UHC"}})).json()
    assert [each["facilityCode"] for each in answer["options"]] == ["UHC"]
    assert answer["options"][0]["travelMinutes"] == 0


async def test_s69_where_nothing_is_in_time_a_higher_level_is_named_with_a_note_for_the_way(app, client_as) -> None:
    await a_facility(app, "UHC", tier=UPAZILA, **PLACE)
    await a_facility(app, "DISTRICT", tier="District_Hospitals", latitude=24.4, longitude=90.4)
    await a_device(app, "DISTRICT")
    client = await client_as("referrer")
    body = {"procedure": "XR_CHEST_PA", "from": {"facilityCode": "UHC"}, "priority": "stat"}
    answer = (await client.post(CHOOSE, json={**body, "deadline": "2026-01-21T14:45:00+06:00"})).json()
    assert answer["options"] == []
    assert answer["referral"]["facilityCode"] == "DISTRICT"
    assert "ambulance" in answer["referral"]["note"]["en"]
