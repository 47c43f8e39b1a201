"""The choice of a facility over REST: what is told of facilities, ways, places, and wrong questions."""

import pytest

from facility_network import a_device, a_facility

pytestmark = pytest.mark.anyio
PATH = "/api/radiology/facilities"
CHEST = {"procedure": "XR_CHEST_PA", "from": {"facilityCode": "HERE"}}


@pytest.fixture
async def here_and_there(app) -> None:
    """A facility without device, and one 10 km away."""
    await a_facility(app, "HERE", latitude=23.70, longitude=90.40)
    await a_facility(app, "THERE", latitude=23.79, longitude=90.40)
    await a_device(app, "THERE")


def factor(option, name: str):
    """A factor of an explanation."""
    return next(each for each in option["explain"] if each["factor"] == name)


async def test_a_way_is_estimated_until_it_was_measured(here_and_there, client_as) -> None:
    administrator = await client_as("administrator")
    option = (await administrator.post(f"{PATH}/choose", json=CHEST)).json()["options"][0]
    assert option["travelMinutes"] == pytest.approx(60 * 1.4 * 10.0 / 25, rel=0.01)
    assert "great circle" in factor(option, "hours: travel")["source"]
    ways = {"ways": [{"to": "THERE", "minutes": 95, "km": 22.5, "cost": "140.00"}]}
    assert (await administrator.put(f"{PATH}/HERE/ways", json=ways)).status_code == 204
    option = (await administrator.post(f"{PATH}/choose", json=CHEST)).json()["options"][0]
    assert option["travelMinutes"] == 95
    assert factor(option, "hours: travel")["source"] == "table of travel"
    read = (await administrator.get(f"{PATH}/HERE/ways")).json()
    assert read == {"results": [{"to": "THERE", "minutes": 95, "km": 22.5, "cost": "140.00"}]}


async def test_what_a_facility_tells_counts_at_once(here_and_there, client_as) -> None:
    administrator = await client_as("administrator")
    before = (await administrator.post(f"{PATH}/choose", json=CHEST)).json()["options"][0]
    told = {
        "waitMinutes": 30,
        "turnaroundHours": 2,
        "rejectRate": 0.0,
        "slaMet": 1.0,
        "doseRatio": 0.5,
        "subsidy": "50.00",
    }
    assert (await administrator.put(f"{PATH}/THERE/figures/DX", json=told)).status_code == 204
    after = (await administrator.post(f"{PATH}/choose", json=CHEST)).json()["options"][0]
    assert after["quality"] == 1.0
    assert after["hours"] < before["hours"]
    assert float(after["cost"]) == float(before["cost"]) - 50
    (read,) = (await administrator.get(f"{PATH}/THERE/figures")).json()["results"]
    assert read["waitMinutes"] == 30


async def test_figures_of_cr_are_those_of_dx(here_and_there, client_as) -> None:
    administrator = await client_as("administrator")
    assert (await administrator.put(f"{PATH}/THERE/figures/CR", json={"waitMinutes": 7})).status_code == 204
    option = (await administrator.post(f"{PATH}/choose", json=CHEST)).json()["options"][0]
    assert factor(option, "hours: waiting")["source"] == "figures of this facility"


async def test_a_patient_is_anywhere(here_and_there, client_as) -> None:
    client = await client_as("referrer")
    at = {"procedure": "XR_CHEST_PA", "from": {"latitude": 23.79, "longitude": 90.40}}
    assert (await client.post(f"{PATH}/choose", json=at)).json()["options"][0]["travelMinutes"] == 0
    by_place = {"procedure": "XR_CHEST_PA", "from": {"place": "3026"}}
    assert (await client.post(f"{PATH}/choose", json=by_place)).json()["options"][0]["travelMinutes"] > 0


async def test_facilities_for_tests_are_none(app, client_as) -> None:
    await a_facility(app, "TRAINING", test=True)
    await a_device(app, "TRAINING")
    client = await client_as("referrer")
    answer = (await client.post(f"{PATH}/choose", json={"procedure": "XR_CHEST_PA"})).json()
    assert (answer["options"], answer["rejected"], answer["suitable"]) == ([], [], 0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"procedure": "XR_SOUL"}, "procedure"),
        ({"code": {"system": "http://loinc.org", "code": "99999-9"}}, "code"),
        ({"procedure": "XR_CHEST_PA", "from": {"place": "nowhere"}}, "from.place"),
        ({}, None),
        ({"procedure": "XR_CHEST_PA", "code": {"code": "24648-8"}}, None),
        ({"procedure": "XR_CHEST_PA", "from": {"latitude": 23.0}}, None),
        ({"procedure": "XR_CHEST_PA", "deadline": "2026-01-22T09:00:00"}, None),
        ({"procedure": "XR_CHEST_PA", "weightKg": -1}, None),
    ],
)
async def test_a_wrong_question_is_told_what_is_wrong(client_as, body, field) -> None:
    client = await client_as("referrer")
    answer = await client.post(f"{PATH}/choose", json=body)
    assert answer.status_code in (400, 422)
    if field:
        assert field in answer.text


async def test_a_code_names_the_procedure_too(here_and_there, client_as) -> None:
    client = await client_as("referrer")
    body = {"code": {"system": "http://loinc.org", "code": "24648-8"}, "from": {"facilityCode": "HERE"}}
    assert (await client.post(f"{PATH}/choose", json=body)).json()["procedure"] == "XR_CHEST_PA"


async def test_only_an_administrator_tells(here_and_there, client_as) -> None:
    client = await client_as("radiographer")
    assert (await client.put(f"{PATH}/THERE/figures/DX", json={})).status_code == 403
    assert (await client.put(f"{PATH}/HERE/ways", json={"ways": []})).status_code == 403
    administrator = await client_as("administrator")
    assert (await administrator.put(f"{PATH}/NOWHERE/figures/DX", json={})).status_code == 404
    loop = {"ways": [{"to": "HERE", "minutes": 1, "km": 1}]}
    assert (await administrator.put(f"{PATH}/HERE/ways", json=loop)).status_code == 422
