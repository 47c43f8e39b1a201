"""Facilities, places and tiers over REST, and the network as one."""

import re

import pytest

from facilities.country import DEVICES, FACILITIES, OPERATORS, a_device, a_facility, an_operator
from radiology.facilities.model import DeviceState
from radiology.facilities.network import network

pytestmark = pytest.mark.anyio


async def test_the_tiers_of_the_specification_are_given_word_for_word(client_as) -> None:
    answer = await (await client_as("referrer")).get(f"{FACILITIES}/patterns")
    patterns = answer.json()
    assert patterns["Urban_Hospitals"] == {
        "common_modalities": ["DX", "CT", "MRI", "US", "MG"],
        "advanced_imaging": True,
        "247_service": True,
        "subspecialty": ["Neuroradiology", "Cardiac Imaging", "Interventional Radiology"],
    }
    for tier, modalities, subspecialty in (
        ("District_Hospitals", ["DX", "US", "CT"], "General Radiology"),
        ("Upazila_Health_Complexes", ["DX", "US"], "Basic Radiology"),
        ("Private_Clinics", ["DX", "US", "CT"], "General Radiology"),
    ):
        assert patterns[tier] == {
            "common_modalities": modalities, "advanced_imaging": False, "247_service": False,
            "subspecialty": [subspecialty],
        }  # fmt: skip
    assert len(patterns) == 9


async def test_divisions_and_districts_are_there(client_as) -> None:
    client = await client_as("referrer")

    async def places(**asked: str) -> list[dict[str, str]]:
        return (await client.get(f"{FACILITIES}/places", params=asked)).json()["results"]

    divisions, districts = await places(level="division"), await places(level="district")
    assert (len(divisions), len(districts)) == (8, 64)
    assert {each["parent"] for each in districts} == {each["code"] for each in divisions}
    assert {each["code"]: each["name"] for each in districts}["3026"] == "Dhaka"
    assert [each["name"] for each in await places(parent="45")] == ["Jamalpur", "Mymensingh", "Netrokona", "Sherpur"]
    assert all(re.search("[\u0980-\u09ff]", each["nameBangla"]) for each in [*divisions, *districts])
    assert all(20.5 < each["latitude"] < 26.7 and 88 < each["longitude"] < 92.7 for each in districts)


async def test_a_facility_is_added_changed_and_found(client_as) -> None:
    administrator, referrer = await client_as("administrator"), await client_as("referrer")
    made = await a_facility(administrator, "10000033", nameBangla="ঢাকা মেডিকেল", tier="Medical_College_Hospitals")
    assert (made["version"], made["district"]) == (1, "3026")
    await a_facility(administrator, "10000099", division="10", district="1004")
    address = f"{FACILITIES}/10000033"
    body = {key: value for key, value in made.items() if key not in ("code", "version")}
    same = await administrator.put(address, json=body)
    assert (same.status_code, same.json()["version"]) == (200, 1), "nothing was changed"
    changed = await administrator.put(address, json={**body, "sedation": True}, headers={"if-match": 'W/"1"'})
    assert (changed.status_code, changed.json()["version"], changed.headers["etag"]) == (200, 2, 'W/"2"')
    assert (await administrator.put(address, json=body, headers={"if-match": 'W/"1"'})).status_code == 412
    assert (await referrer.get(address)).json()["sedation"] is True
    assert (await referrer.put(address, json=body)).status_code == 403

    async def codes(**asked: str) -> list[str]:
        return [each["code"] for each in (await referrer.get(FACILITIES, params=asked)).json()["results"]]

    assert await codes() == ["10000033", "10000099"]
    assert await codes(place="1004") == await codes(cursor="10000033") == ["10000099"]
    assert await codes(name="মেডিকেল") == await codes(tier="Medical_College_Hospitals") == ["10000033"]
    page = (await referrer.get(FACILITIES, params={"limit": "1"})).json()
    assert [each["code"] for each in (await referrer.get(page["next"])).json()["results"]] == ["10000099"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"district": "9999"}, "district"),
        ({"division": "3026"}, "division"),
        ({"division": "10", "district": "3026"}, "district"),
        ({"tier": "Palace"}, "tier"),
        ({"latitude": 91}, "latitude"),
    ],
)
async def test_a_facility_in_no_known_place_is_refused(client_as, changes, field) -> None:
    body = {"name": "Somewhere", "ownership": "public", **changes}
    answer = await (await client_as("administrator")).put(f"{FACILITIES}/X1", json=body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("code", ["patterns", "with%20blank", "x" * 17])
async def test_a_code_that_is_none_is_refused(client_as, code) -> None:
    body = {"name": "Somewhere", "ownership": "public"}
    answer = await (await client_as("administrator")).put(f"{FACILITIES}/{code}", json=body)
    assert answer.status_code == 400


async def test_an_operator_is_added_changed_and_kept_from_others(client_as) -> None:
    administrator = await client_as("administrator")
    await a_facility(administrator)
    made = await an_operator(administrator)
    address = f"{OPERATORS}/{made['id']}"
    body = {key: value for key, value in made.items() if key not in ("id", "version")}
    assert (await administrator.post(OPERATORS, json=body)).status_code == 409, "the licence is there"
    changed = await administrator.put(address, json={**body, "active": False}, headers={"if-match": 'W/"1"'})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    found = (await administrator.get(OPERATORS, params={"modality": "DX", "active": "false"})).json()["results"]
    assert [each["id"] for each in found] == [made["id"]]
    assert (await administrator.post(OPERATORS, json={**body, "facilityCode": "NOWHERE"})).status_code == 422
    for role in ("radiographer", "referrer"):
        client = await client_as(role)
        assert [(await client.get(each)).status_code for each in (OPERATORS, address)] == [403, 403]


async def test_the_network_is_read_anew_when_something_changes_and_only_then(client_as, app) -> None:
    administrator = await client_as("administrator")
    await a_facility(administrator)
    device = await a_device(administrator)
    await an_operator(administrator)
    first = await network(app)
    assert [each.code for each in first.facilities] == ["LOCAL"]
    assert [each.name for each in first.devices_of("LOCAL")] == ["CT 1"]
    assert [each.sex for each in first.operators_of("LOCAL")] == ["F"]
    assert await network(app) is first
    await administrator.post(f"{DEVICES}/{device['number']}/state", json={"state": "down", "reason": "tube"})
    assert (await network(app)).devices[0].state == DeviceState.DOWN
    await administrator.post(f"{DEVICES}/{device['number']}/state", json={"state": "retired", "reason": "sold"})
    after = await network(app)
    assert (after.devices, after.devices_of("LOCAL"), after.facility("LOCAL")) == ((), (), first.facility("LOCAL"))
