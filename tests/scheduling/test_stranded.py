"""What a device that may not be used does to bookings: nothing new, and what is there is listed and planned anew."""

from typing import Any

import httpx2
import pytest

from scheduling.house import a_room, an_item, booked, visit

pytestmark = pytest.mark.anyio

DEVICES = "/api/radiology/devices"
STRANDED = "/api/radiology/bookings/stranded"
REPLAN = "/api/radiology/bookings/replan"


async def number_of(client: httpx2.AsyncClient, title: str) -> int:
    found = (await client.get(DEVICES)).json()["results"]
    return next(each["number"] for each in found if each["aeTitle"] == title)


async def offered(client: httpx2.AsyncClient, **changes: Any) -> tuple[list[tuple[str, str]], str | None]:
    """Device and start of what is offered for a CT, and why nothing is."""
    body = {"examinations": [{"modality": "CT", "requestedProcedure": "CT head"}], "days": 14, **changes}
    answer = (await client.post("/api/radiology/slots/search", json=body)).json()
    places = [(each["appointments"][0]["device"], each["appointments"][0]["start"][:10]) for each in answer["results"]]
    return places, answer["why"] and answer["why"]["english"]


async def test_nothing_is_booked_on_a_device_before_it_is_back(client_as, app) -> None:
    administrator, client = await client_as("administrator"), await client_as("radiographer")
    await a_room(app, administrator)
    state = f"{DEVICES}/{await number_of(client, 'CT1')}/state"
    down = {"state": "down", "reason": "Tube failed", "backOn": "2026-01-23"}
    assert (await client.post(state, json=down)).status_code == 200
    places, _ = await offered(client)
    assert {day for _, day in places} == {"2026-01-23"}
    refused = await client.post("/api/radiology/bookings", json=visit((await an_item(client), "CT1", "09:00")))
    assert refused.status_code == 409
    assert "out of order" in refused.json()["detail"]
    await client.post(state, json={"state": "down", "reason": "Tube failed"})
    places, why = await offered(client)
    assert (places, "out of order" in (why or "")) == ([], True)
    await client.post(state, json={"state": "up"})
    assert {day for _, day in (await offered(client))[0]} == {"2026-01-21"}


async def test_nothing_is_booked_behind_the_licence_unless_the_head_answers_for_it(client_as, app) -> None:
    administrator, consultant = await client_as("administrator"), await client_as("consultant")
    await a_room(app, administrator)
    address = f"{DEVICES}/{await number_of(administrator, 'CT1')}"
    body = {"facilityCode": "LOCAL", "name": "CT1", "modality": "CT", "aeTitle": "CT1", "licenceUntil": "2026-01-21"}
    assert (await administrator.put(address, json=body)).status_code == 200
    later = {"firstDay": "2026-01-22"}
    assert {day for _, day in (await offered(administrator))[0]} == {"2026-01-21"}
    assert (await offered(administrator, **later))[0] == []
    use = {"until": "2026-01-22", "reason": "Renewed, the letter is on its way"}
    assert (await consultant.post(f"{address}/override", json=use)).status_code == 200
    assert {day for _, day in (await offered(administrator, **later))[0]} == {"2026-01-22"}


async def test_bookings_on_a_blocked_device_are_listed_with_why_and_planned_anew(client_as, app) -> None:
    administrator, client = await client_as("administrator"), await client_as("radiographer")
    await a_room(app, administrator)
    first = await booked(client, await an_item(client))
    second = await booked(client, await an_item(client, number=2), time="10:00")
    assert (await client.get(STRANDED)).json() == {"results": []}
    await a_room(app, administrator, "CT2")
    number = await number_of(client, "CT1")
    blocked = {"reason": "Constancy test failed"}
    assert (await administrator.post(f"{DEVICES}/{number}/block", json=blocked)).status_code == 200
    found = (await client.get(STRANDED, params={"device": number})).json()["results"]
    assert [(each["id"], each["why"]["code"]) for each in found] == [
        (first["id"], "device-blocked"), (second["id"], "device-blocked")
    ]  # fmt: skip
    assert (await (await client_as("referrer")).post(REPLAN)).status_code == 403
    answer = (await client.post(REPLAN, params={"device": number})).json()
    assert answer == {"moved": [first["id"], second["id"]], "left": []}
    for before in (first, second):
        after = (await client.get(f"/api/radiology/bookings/{before['id']}")).json()
        assert (after["device"], after["start"]) == ("CT2", before["start"])
        assert after["history"][-1]["reason"] == "the device may not be used"
    assert (await client.get(STRANDED)).json() == {"results": []}


async def test_a_booking_for_which_nothing_is_free_is_left_with_why(client_as, app) -> None:
    administrator, client = await client_as("administrator"), await client_as("radiographer")
    await a_room(app, administrator)
    booking = await booked(client, await an_item(client))
    await client.post(f"{DEVICES}/{await number_of(client, 'CT1')}/state", json={"state": "down", "reason": "Tube"})
    answer = (await client.post(REPLAN)).json()
    assert (answer["moved"], [(each["id"], each["why"]["code"]) for each in answer["left"]]) == (
        [], [(booking["id"], "device-down")],
    )  # fmt: skip
    assert (await client.get(f"/api/radiology/bookings/{booking['id']}")).json()["status"] == "booked"


async def test_planned_downtime_strands_what_lies_in_it_and_nothing_else(client_as, app) -> None:
    administrator, client = await client_as("administrator"), await client_as("radiographer")
    await a_room(app, administrator)
    inside = await booked(client, await an_item(client))
    await booked(client, await an_item(client, number=2), time="12:00")
    span = {"begins": "2026-01-22T08:00:00+06:00", "ends": "2026-01-22T10:00:00+06:00", "kind": "quality-control"}
    downtimes = f"{DEVICES}/{await number_of(client, 'CT1')}/downtimes"
    assert (await client.post(downtimes, json=span)).status_code == 201
    found = (await client.get(STRANDED)).json()["results"]
    assert [(each["id"], each["why"]["code"]) for each in found] == [(inside["id"], "blocked-time")]
    assert (await client.post(REPLAN)).json()["moved"] == [inside["id"]]
    moved = (await client.get(f"/api/radiology/bookings/{inside['id']}")).json()
    assert moved["start"] >= "2026-01-22T10:00:00+06:00"
