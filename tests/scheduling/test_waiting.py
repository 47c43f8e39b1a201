"""The waiting list: what becomes free is held for the next and offered."""

import pytest

from radiology.scheduling.waiting.actions import offer_free
from scheduling.house import a_room, an_item, booked, visit

pytestmark = pytest.mark.anyio
BOOKINGS = "/api/radiology/bookings"
PATH = "/api/radiology/waiting-list"
ONE = [{"weekdays": [4], "begins": "09:00", "ends": "09:15"}]


@pytest.fixture
async def client(client_as, app):
    """Room DX1 is open on Thursdays for one examination, 22 January is taken, and so is 29 January."""
    await a_room(app, await client_as("administrator"), "DX1", "DX", sessions=ONE)
    return await client_as("radiographer")


async def taken(client, number: int) -> dict:
    return await booked(client, await an_item(client, "DX", number=number), "DX1", "09:00")


async def waits(client, item, **changes) -> str:
    answer = await client.post(PATH, json={"item": item["id"], "minutes": 15, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def shown(client, entry: str) -> dict:
    return next(each for each in (await client.get(PATH)).json()["results"] if each["id"] == entry)


async def test_what_becomes_free_is_held_for_the_next_and_taken(client, app) -> None:
    first = await taken(client, 1)
    entry = await waits(client, await an_item(client, "DX", number=2), notBefore="2026-01-22T00:00:00+06:00")
    await client.post(f"{BOOKINGS}/{first['id']}/cancel", json={})
    assert await offer_free(app) == 1
    offer = await shown(client, entry)
    assert (offer["status"], offer["start"][:16]) == ("offered", "2026-01-22T09:00")
    late = await an_item(client, "DX", number=3)
    refused = await client.post(BOOKINGS, json=visit((late, "DX1", "09:00")))
    assert refused.status_code == 409, "it is held"
    booking = (await client.post(f"{PATH}/{entry}/accept")).json()["booking"]
    assert (await client.get(f"{BOOKINGS}/{booking}")).json()["status"] == "booked"
    assert (await client.post(f"{PATH}/{entry}/accept")).status_code == 409
    assert (await client.get(PATH)).json()["results"] == []


async def test_an_offer_that_is_declined_or_not_taken_goes_to_the_next(client, app, clock) -> None:
    urgent = await waits(client, await an_item(client, "DX", number=1), priority="urgent")
    other = await waits(client, await an_item(client, "DX", number=2))
    await offer_free(app)
    assert (await shown(client, urgent))["start"][:10] == "2026-01-22", "the urgent one comes first"
    assert (await shown(client, other))["start"][:10] == "2026-01-29"
    assert (await client.post(f"{PATH}/{other}/decline")).status_code == 204
    clock.advance(3700)
    await offer_free(app)
    assert (await shown(client, urgent))["declined"] == 1
    assert (await shown(client, other))["start"][:10] == "2026-02-05", "what was declined is not offered again"
    again = await shown(client, urgent)
    assert (again["status"], again["start"][:10]) == ("offered", "2026-01-29")


async def test_who_is_booked_for_later_is_moved(client, app) -> None:
    first = await taken(client, 1)
    item = await an_item(client, "DX", number=2)
    body = {
        "appointments": [{"item": item["id"], "device": "DX1", "start": "2026-01-29T09:00:00+06:00", "minutes": 15}]
    }
    later = (await client.post(BOOKINGS, json=body)).json()["bookings"][0]
    entry = await waits(client, item)
    assert await offer_free(app) == 0, "nothing earlier is free"
    await client.post(f"{BOOKINGS}/{first['id']}/cancel", json={})
    assert await offer_free(app) == 1
    assert (await client.post(f"{PATH}/{entry}/accept")).json()["booking"] == later["id"]
    moved = (await client.get(f"{BOOKINGS}/{later['id']}")).json()
    assert (moved["start"][:16], len(moved["history"])) == ("2026-01-22T09:00", 2)


async def test_who_leaves_frees_what_is_held(client, app) -> None:
    entry = await waits(client, await an_item(client, "DX", number=1))
    await offer_free(app)
    assert (await client.delete(f"{PATH}/{entry}")).status_code == 204
    await taken(client, 2)


async def test_an_item_waits_once(client) -> None:
    item = await an_item(client, "DX")
    await waits(client, item)
    assert (await client.post(PATH, json={"item": item["id"], "minutes": 15})).status_code == 409
