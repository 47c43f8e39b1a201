"""An order is asked where its examinations are done best."""

import pytest

from facility_network import a_device, a_facility
from ordering import PATH, a_patient, a_procedure, an_order

pytestmark = pytest.mark.anyio


async def test_each_procedure_has_its_choice_by_what_the_order_tells(client_as, app) -> None:
    await a_facility(app, "LOCAL", latitude=23.7, longitude=90.4)
    await a_device(app, "LOCAL", modality="CT", max_weight_kg=50)
    await a_facility(app, "NEXT", latitude=23.8, longitude=90.4)
    await a_device(app, "NEXT", modality="CT")
    client = await client_as("radiographer")
    order = an_order(procedures=[a_procedure(text="CT head without contrast"), a_procedure("OT", "Something else")])
    made = (await client.post(PATH, json=order)).json()
    answers = (await client.get(f"{PATH}/{made['id']}/facilities")).json()["results"]
    head, other = (each["choice"] for each in answers)
    assert head["priority"] == "urgent"
    assert [each["facilityCode"] for each in head["options"]] == ["NEXT"]
    assert [(each["facilityCode"], each["filter"]) for each in head["rejected"]] == [("LOCAL", "patient-too-heavy")]
    assert other is None


async def test_an_infant_is_not_sent_to_a_device_for_adults(client_as, app) -> None:
    await a_facility(app, "LOCAL")
    await a_device(app, "LOCAL", modality="CT", youngest_months=12)
    client = await client_as("radiographer")
    order = an_order(
        patient=a_patient(birthDate="2025-06-15"),
        procedures=[a_procedure(text="CT head without contrast")],
        safety=None,
    )
    made = (await client.post(PATH, json=order)).json()
    (answer,) = (await client.get(f"{PATH}/{made['id']}/facilities")).json()["results"]
    assert [each["filter"] for each in answer["choice"]["rejected"]] == ["patient-too-young"]


async def test_who_may_not_see_the_order_is_told_nothing(client_as, app) -> None:
    await a_facility(app, "LOCAL")
    client = await client_as("radiographer")
    made = (await client.post(PATH, json=an_order())).json()
    stranger = await client_as("cashier")
    assert (await stranger.get(f"{PATH}/{made['id']}/facilities")).status_code in (403, 404)
    assert (await client.get(f"{PATH}/{made['patient']['reference'][8:]}/facilities")).status_code == 404
