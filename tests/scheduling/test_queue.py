"""Arrival, walk-ins, calls, slips, the waiting room, and who does not come."""

from datetime import timedelta

import pytest

from radiology.kit import outbox
from radiology.kit.barcodes import code128
from radiology.scheduling.actions.miss import follow_events, mark_missed
from scheduling.house import a_room, an_item, booked

pytestmark = pytest.mark.anyio
BOOKINGS = "/api/radiology/bookings"
QUEUE = "/api/radiology/queue"


@pytest.fixture
async def administrator(client_as):
    return await client_as("administrator")


@pytest.fixture
async def client(client_as):
    return await client_as("radiographer")


async def follow(app) -> int:
    async with app.db.transaction() as tx:
        await outbox.place(tx)
    return await follow_events(app)


async def a_study(client, item) -> str:
    body = {
        "studyInstanceUID": item["studyInstanceUID"],
        "modality": [{"coding": [{"code": "CT"}]}],
        "subject": {"reference": "Patient/DMC-1"},
    }
    return (await client.post("/api/radiology/studies", json=body)).headers["location"]


async def walk_in(client, room: str, item, **facts) -> dict:
    answer = await client.post(QUEUE, json={"item": item["id"], "room": room, **facts})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_who_arrives_gets_a_token_and_item_and_study_follow(client, administrator, app) -> None:
    room = await a_room(app, administrator)
    item = await an_item(client)
    study = await a_study(client, item)
    booking = await booked(client, item)
    token = (await client.post(f"{BOOKINGS}/{booking['id']}/arrive")).json()
    assert (token["number"], token["status"], token["bookedFor"][11:16]) == (1, "waiting", "09:00")
    assert (await client.get(f"/api/radiology/worklist/{item['id']}")).json()["status"] == "ARRIVED"
    assert (await client.get(study)).json()["status"] == "arrived"
    assert (await client.get(f"{BOOKINGS}/{booking['id']}")).json()["token"] == 1
    assert (await client.post(f"{BOOKINGS}/{booking['id']}/arrive")).status_code == 409
    found = (await client.get(f"{QUEUE}/{room}")).json()
    assert [each["patientId"] for each in found["waiting"]] == ["DMC-1"]


async def test_walk_ins_are_called_by_urgency_then_fasting_then_time_and_isolation_last(
    client, administrator, app
) -> None:
    room = await a_room(app, administrator)
    asked = [{"isolation": True}, {}, {"fastingHours": 6}, {"fastingHours": 6, "diabetic": True}, {"priority": "stat"}]
    for number, facts in enumerate(asked, 1):
        token = await walk_in(client, room, await an_item(client, number=number), **facts)
        assert token["number"] == number
    order = [(await client.post(f"{QUEUE}/{room}/next")).json()["number"] for _ in asked]
    assert order == [5, 4, 3, 2, 1]
    assert (await client.post(f"{QUEUE}/{room}/next")).status_code == 404


async def test_a_walk_in_is_refused_where_it_cannot_be(client, administrator, app) -> None:
    room = await a_room(app, administrator)
    ultrasound = await an_item(client, "US")
    assert (await client.post(QUEUE, json={"item": ultrasound["id"], "room": room})).status_code == 422
    item = await an_item(client)
    await walk_in(client, room, item)
    assert (await client.post(QUEUE, json={"item": item["id"], "room": room})).status_code == 409
    other = await an_item(client, number=2)
    await booked(client, other)
    assert (await client.post(QUEUE, json={"item": other["id"], "room": room})).status_code == 409


async def test_who_does_not_come_when_called_waits_again_when_back(client, administrator, app) -> None:
    room = await a_room(app, administrator)
    await walk_in(client, room, await an_item(client))
    token = (await client.post(f"{QUEUE}/{room}/next")).json()
    address = f"{QUEUE}/{room}/tokens/{token['id']}"
    assert (await client.put(address, json={"status": "called"})).json()["calls"] == 2
    assert (await client.put(address, json={"status": "missed"})).json()["status"] == "missed"
    assert [each["number"] for each in (await client.get(f"{QUEUE}/{room}")).json()["missed"]] == [1]
    assert (await client.put(address, json={"status": "waiting"})).json()["status"] == "waiting"
    assert (await client.put(address, json={"status": "left"})).status_code == 200
    assert (await client.put(address, json={"status": "called"})).status_code == 409
    assert (await client.get(f"{QUEUE}/{room}")).json()["waiting"] == []


async def test_who_is_being_examined_has_left_the_queue(client, administrator, app) -> None:
    room = await a_room(app, administrator)
    item = await an_item(client)
    await walk_in(client, room, item)
    await client.put(f"/api/radiology/worklist/{item['id']}/status", json={"status": "STARTED"})
    found = (await client.get(f"{QUEUE}/{room}")).json()
    assert (found["waiting"], found["called"]) == ([], [])


async def test_the_waiting_room_shows_numbers_and_no_names_to_who_has_the_link(client, administrator, app) -> None:
    room = await a_room(app, administrator)
    for number in range(3):
        await walk_in(client, room, await an_item(client, number=number))
    await client.post(f"{QUEUE}/{room}/next")
    assert (await client.post(f"/api/radiology/rooms/{room}/links")).status_code == 403
    links = (await administrator.post(f"/api/radiology/rooms/{room}/links")).json()
    client.headers.pop("authorization")
    shown = await client.get(links["waitingRoom"])
    assert shown.json() == {
        "room": {"name": "Room CT1", "nameBangla": "কক্ষ CT1"}, "called": [1], "waiting": [2, 3],
    }  # fmt: skip
    await administrator.post(f"/api/radiology/rooms/{room}/links")
    assert (await client.get(links["waitingRoom"])).status_code == 404, "a renewed link ends the old one"


async def test_the_slip_has_number_barcodes_and_preparation_in_two_languages(client, administrator, app) -> None:
    room = await a_room(app, administrator, "US1", "US")
    item = await an_item(client, "US", requestedProcedure="Ultrasonogram whole abdomen")
    token = await walk_in(client, room, item)
    slip = await client.get(f"{QUEUE}/{room}/tokens/{token['id']}/slip")
    assert slip.status_code == 200
    for text in ("Token 1", "টোকেন ১", "কক্ষ US1", item["accessionNumber"], "Code 128", "QR", "খালি পেটে"):
        assert text in slip.text
    assert "Karim" not in slip.text


def test_code_128_has_its_start_check_and_stop() -> None:
    """PJJ123C adds up to 879 with the start of code set B, so its check is 55."""
    widths = code128("PJJ123C")
    assert widths.startswith("211214")
    assert widths.endswith("311321" + "2331112")
    assert sum(map(int, widths)) == 11 * 9 + 13
    with pytest.raises(ValueError, match="ASCII"):
        code128("রহিম")


async def test_who_does_not_come_is_missed_after_the_grace_and_may_come_late(client, administrator, app, clock) -> None:
    await a_room(app, administrator)
    item = await an_item(client)
    study = await a_study(client, item)
    booking = await booked(client, item)
    clock.advance(timedelta(hours=22, minutes=55).total_seconds())
    assert await mark_missed(app) == 0, "the grace is half an hour"
    clock.advance(600)
    assert await mark_missed(app) == 1
    assert (await client.get(f"{BOOKINGS}/{booking['id']}")).json()["status"] == "no-show"
    assert (await client.get(f"/api/radiology/worklist/{item['id']}")).json()["status"] == "CANCELED"
    assert (await client.get(study)).json()["status"] == "cancelled"
    assert await follow(app) == 0
    assert (await client.get(f"{BOOKINGS}/{booking['id']}")).json()["status"] == "no-show", (
        "it is not cancelled by itself"
    )

    token = await client.post(f"{BOOKINGS}/{booking['id']}/arrive")
    assert token.json()["number"] == 1, token.text
    assert (await client.get(f"/api/radiology/worklist/{item['id']}")).json()["status"] == "ARRIVED"
    assert (await client.get(study)).json()["status"] == "arrived"


async def test_who_was_missed_is_booked_again(client, administrator, app, clock) -> None:
    await a_room(app, administrator)
    item = await an_item(client)
    booking = await booked(client, item)
    clock.advance(timedelta(hours=24).total_seconds())
    await mark_missed(app)
    later = {"device": "CT1", "start": "2026-01-22T12:00:00+06:00"}
    moved = await client.put(f"{BOOKINGS}/{booking['id']}", json=later)
    assert (moved.status_code, moved.json()["status"]) == (200, "booked")
    assert (await client.get(f"/api/radiology/worklist/{item['id']}")).json()["status"] == "SCHEDULED"


async def test_an_item_that_is_cancelled_frees_its_time(client, administrator, app) -> None:
    await a_room(app, administrator)
    item = await an_item(client)
    booking = await booked(client, item)
    await client.put(f"/api/radiology/worklist/{item['id']}/status", json={"status": "CANCELED", "reason": "order"})
    assert await follow(app) == 1
    assert (await client.get(f"{BOOKINGS}/{booking['id']}")).json()["status"] == "cancelled"
    await booked(client, await an_item(client, number=2))
    assert await follow(app) == 0


async def test_an_item_that_a_modality_has_begun_was_come_to(client, administrator, app) -> None:
    await a_room(app, administrator)
    item = await an_item(client)
    booking = await booked(client, item)
    await client.put(f"/api/radiology/worklist/{item['id']}/status", json={"status": "STARTED"})
    assert await follow(app) == 1
    assert (await client.get(f"{BOOKINGS}/{booking['id']}")).json()["status"] == "arrived"


async def test_an_item_that_its_order_changes_keeps_its_time_and_station(client, administrator, app) -> None:
    await a_room(app, administrator)
    item = await an_item(client)
    await booked(client, item)
    again = {
        key: item[key] for key in ("patient", "modality", "requestedProcedure", "start")
    } | {"reason": "new words"}  # fmt: skip
    assert (await client.put(f"/api/radiology/worklist/{item['id']}", json=again)).status_code == 200
    assert [await follow(app), await follow(app)] == [1, 0]
    kept = (await client.get(f"/api/radiology/worklist/{item['id']}")).json()
    assert (kept["start"][:16], kept["stationAETitles"]) == ("2026-01-22T09:00", ["CT1"])
    assert kept["reason"] == "new words"
