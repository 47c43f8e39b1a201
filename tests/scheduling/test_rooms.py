"""Rooms, what is blocked, calendars and rules over REST."""

import pytest

from scheduling.house import a_room, an_item, booked, register

pytestmark = pytest.mark.anyio
PATH = "/api/radiology/rooms"


async def test_a_room_is_added_changed_and_forgotten(client_as, app) -> None:
    administrator = await client_as("administrator")
    room = await a_room(app, administrator)
    address = f"{PATH}/{room}"
    body = (await administrator.get(address)).json()
    assert body["devices"] == [{"aeTitle": "CT1", "modality": "CT"}]
    assert body["sessions"][0]["begins"] == "08:00:00"
    changed = {key: value for key, value in body.items() if key not in ("id", "version")}
    changed |= {"name": "CT upstairs", "devices": [{"aeTitle": "CT2", "modality": "CT"}]}
    assert (await administrator.put(address, json=changed)).status_code == 422, "CT2 is not registered"
    await register(app, "CT2")
    answer = await administrator.put(address, json=changed, headers={"if-match": 'W/"1"'})
    assert (answer.status_code, answer.json()["devices"]) == (200, [{"aeTitle": "CT2", "modality": "CT"}])
    assert (await administrator.put(address, json=changed, headers={"if-match": 'W/"1"'})).status_code == 412
    assert [each["name"] for each in (await administrator.get(PATH)).json()["results"]] == ["CT upstairs"]
    assert (await administrator.delete(address)).status_code == 204
    assert (await administrator.get(address)).status_code == 404


async def test_a_room_with_bookings_is_not_forgotten(client_as, app) -> None:
    administrator, client = await client_as("administrator"), await client_as("radiographer")
    room = await a_room(app, administrator)
    await booked(client, await an_item(client))
    assert (await administrator.delete(f"{PATH}/{room}")).status_code == 409


async def test_only_an_administrator_changes_rooms_and_rules(client_as, app) -> None:
    radiographer = await client_as("radiographer")
    await register(app, "CT1")
    body = {"name": "CT", "devices": [{"aeTitle": "CT1", "modality": "CT"}]}
    assert (await radiographer.post(PATH, json=body)).status_code == 403
    assert (await radiographer.put(f"{PATH}/rules", json={})).status_code == 403
    assert (await radiographer.put(f"{PATH}/calendar", json={"days": []})).status_code == 403
    administrator = await client_as("administrator")
    made = await administrator.post(PATH, json=body)
    assert made.json()["sessions"][0]["weekdays"] == [6, 7, 1, 2, 3, 4], "Friday is the weekend"


async def test_a_day_shows_opening_breaks_holidays_and_what_is_blocked(client_as, app) -> None:
    administrator = await client_as("administrator")
    room = await a_room(app, administrator)
    rules = {"breaks": [{"weekdays": [4], "begins": "13:00", "ends": "13:30", "name": "Zuhr"}]}
    assert (await administrator.put(f"{PATH}/rules", json=rules)).status_code == 204
    assert (await administrator.get(f"{PATH}/rules")).json()["graceMinutes"] == 30
    days = {"days": [{"day": "2026-01-23", "kind": "holiday", "name": "Shab-e-Barat", "nameBangla": "শবে বরাত"}]}
    assert (await administrator.put(f"{PATH}/calendar", json=days)).json() == {"days": 1}
    assert (await administrator.get(f"{PATH}/calendar")).json()["results"][0]["nameBangla"] == "শবে বরাত"
    cut = {"begins": "2026-01-22T10:00:00+06:00", "ends": "2026-01-22T11:00:00+06:00", "kind": "power-cut"}
    blocked = await administrator.post(f"{PATH}/{room}/blocked", json=cut)
    assert (blocked.status_code, blocked.json()["affected"]) == (201, [])

    day = (await administrator.get(f"{PATH}/{room}/day", params={"day": "2026-01-22"})).json()
    hours = [(each["begins"][11:16], each["ends"][11:16]) for each in day["devices"][0]["open"]]
    assert hours == [("08:00", "10:00"), ("11:00", "13:00"), ("13:30", "14:00")]
    assert day["blocked"][0]["kind"] == "power-cut"
    assert (await administrator.get(f"{PATH}/{room}/day", params={"day": "2026-01-23"})).json()["devices"][0][
        "open"
    ] == []
    assert (await administrator.delete(f"{PATH}/{room}/blocked/{blocked.json()['id']}")).status_code == 204
    assert (await administrator.get(f"{PATH}/{room}/blocked")).json() == {"results": []}


async def test_who_blocks_a_time_is_told_which_bookings_are_to_be_moved(client_as, app) -> None:
    administrator, client = await client_as("administrator"), await client_as("radiographer")
    room = await a_room(app, administrator)
    booking = await booked(client, await an_item(client))
    cut = {"begins": "2026-01-22T09:00:00+06:00", "ends": "2026-01-22T12:00:00+06:00", "kind": "maintenance"}
    blocked = await client.post(f"{PATH}/{room}/blocked", json={**cut, "device": "CT1"})
    assert blocked.json()["affected"] == [booking["id"]]
    assert (await client.post(f"{PATH}/{room}/blocked", json={**cut, "device": "MR1"})).status_code == 404


async def test_replacing_a_year_forgets_its_days(client_as) -> None:
    administrator = await client_as("administrator")
    ramadan = {"day": "2026-02-19", "kind": "ramadan", "iftar": "17:58"}
    await administrator.put(f"{PATH}/calendar", json={"days": [ramadan, {"day": "2026-02-21", "kind": "holiday"}]})
    await administrator.put(f"{PATH}/calendar", json={"replaceYear": 2026, "days": [ramadan]})
    found = (await administrator.get(f"{PATH}/calendar", params={"year": 2026})).json()["results"]
    assert [(each["day"], each["iftar"]) for each in found] == [("2026-02-19", "17:58:00")]
