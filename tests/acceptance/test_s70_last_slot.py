"""Scenario 70: two bookings of the last slot, and a day with an ultrasound and a barium meal."""

import asyncio

import pytest

from scheduling.house import a_room, an_item, booked, visit

pytestmark = pytest.mark.anyio
BOOKINGS = "/api/radiology/bookings"


async def test_s70_of_two_bookings_of_the_last_slot_one_is_made(client_as, app) -> None:
    administrator, client = await client_as("administrator"), await client_as("radiographer")
    open_for_one = [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "begins": "09:00", "ends": "09:30"}]
    await a_room(app, administrator, "DX1", "DX", sessions=open_for_one)
    first, *both = [await an_item(client, "DX", number=number) for number in range(3)]
    await booked(client, first, "DX1", "09:00")
    await booked(client, await an_item(client, "DX", number=3), "DX1", "09:10")
    answers = await asyncio.gather(*(client.post(BOOKINGS, json=visit((item, "DX1", "09:20"))) for item in both))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_s70_a_bundle_of_one_day_puts_ultrasound_before_barium(client_as, app) -> None:
    administrator, client = await client_as("administrator"), await client_as("radiographer")
    await a_room(app, administrator, "RF1", "RF")
    await a_room(app, administrator, "US1", "US")
    barium = await an_item(client, "RF", requestedProcedure="Barium meal stomach and duodenum")
    ultrasound = await an_item(client, "US", requestedProcedure="Ultrasonogram whole abdomen")
    wanted = [{"item": barium["id"]}, {"item": ultrasound["id"]}]
    found = (await client.post("/api/radiology/slots/search", json={"examinations": wanted})).json()
    best = found["results"][0]
    assert [each["modality"] for each in best["appointments"]] == ["US", "RF"]
    assert best["visits"] == 1
    assert [each["start"][:16] for each in best["appointments"]] == ["2026-01-22T08:00", "2026-01-22T08:20"]
    body = {"appointments": [{key: each[key] for key in ("item", "device", "start")} for each in best["appointments"]]}
    answer = await client.post(BOOKINGS, json=body)
    assert [each["modality"] for each in answer.json()["bookings"]] == ["US", "RF"]
