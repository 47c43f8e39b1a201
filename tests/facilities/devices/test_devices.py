"""Devices over REST: what they are, and what becomes of them."""

import pytest

from facilities.country import DEVICES, a_device, a_facility
from scheduling.house import a_room, register

pytestmark = pytest.mark.anyio


async def test_a_device_is_registered_and_changed(client_as) -> None:
    administrator = await client_as("administrator")
    await a_facility(administrator)
    made = await a_device(administrator, procedures=["CT_BRAIN"], aeTitle="CT1", maxWeightKg=200)
    address = f"{DEVICES}/{made['number']}"
    assert (made["state"], made["version"], made["procedures"]) == ("up", 1, ["CT_BRAIN"])
    body = {key: made[key] for key in ("facilityCode", "name", "modality", "aeTitle", "licenceUntil")}
    changed = await administrator.put(address, json={**body, "model": "Go"}, headers={"if-match": 'W/"1"'})
    assert (changed.status_code, changed.json()["version"], changed.json()["model"]) == (200, 2, "Go")
    assert "procedures" not in changed.json(), "all of its modality"
    assert (await administrator.put(address, json=body, headers={"if-match": 'W/"1"'})).status_code == 412
    for wrong in ({"name": "CT 1"}, {"aeTitle": "CT1", "name": "CT 2"}):
        assert (await administrator.post(DEVICES, json={**body, "aeTitle": "", **wrong})).status_code == 409
    for wrong, field in (({"procedures": ["DANCE"]}, "procedures"), ({"facilityCode": "NOWHERE"}, "facilityCode")):
        refused = await administrator.post(DEVICES, json={**body, "name": "CT 3", "aeTitle": "", **wrong})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


async def test_a_device_of_a_room_is_in_the_registry_and_keeps_its_title_and_modality(client_as, app) -> None:
    administrator = await client_as("administrator")
    room = await a_room(app, administrator)
    found = (await administrator.get(DEVICES)).json()["results"]
    assert [(each["name"], each["aeTitle"], each["room"]) for each in found] == [("CT1", "CT1", room)]
    address = f"{DEVICES}/{found[0]['number']}"
    body = {"facilityCode": "LOCAL", "name": "CT of the emergency", "modality": "CT", "aeTitle": "CT1"}
    assert (await administrator.put(address, json=body)).status_code == 200
    assert (await administrator.put(address, json={**body, "modality": "MR"})).status_code == 409
    assert (await administrator.delete(f"/api/radiology/rooms/{room}")).status_code == 204
    left = (await administrator.get(address)).json()
    assert ("room" in left, left["name"]) == (False, "CT of the emergency")


async def test_a_registered_device_is_put_into_a_room_by_its_title(client_as, app) -> None:
    administrator = await client_as("administrator")
    await register(app, "CT1")
    made = await a_device(administrator, "CT of the emergency", aeTitle="CT1")
    room = await a_room(app, administrator)
    found = (await administrator.get(DEVICES)).json()["results"]
    assert [(each["number"], each["name"], each["room"]) for each in found] == [
        (made["number"], "CT of the emergency", room)
    ]


async def test_states_blocks_and_overrides_are_kept_with_who_and_why(client_as, app) -> None:
    administrator = await client_as("administrator")
    radiographer, consultant = await client_as("radiographer"), await client_as("consultant")
    address = f"{DEVICES}/{(await a_device(administrator))['number']}"
    assert (await radiographer.post(f"{address}/state", json={"state": "down"})).status_code == 422, "no reason"
    down = {"state": "down", "reason": "Tube failed", "backOn": "2026-01-28"}
    answer = await radiographer.post(f"{address}/state", json=down)
    assert (answer.status_code, answer.json()["state"], answer.json()["backOn"]) == (200, "down", "2026-01-28")
    assert (await radiographer.post(f"{address}/state", json={"state": "up"})).json()["state"] == "up"
    why = {"reason": "Constancy test failed"}
    assert (await radiographer.post(f"{address}/block", json=why)).status_code == 403
    blocked = await administrator.post(f"{address}/block", json=why)
    assert blocked.json()["blocked"] == "Constancy test failed"
    assert (await administrator.post(f"{address}/block", json=why)).json()["version"] == blocked.json()["version"]
    use = {"until": "2026-02-01", "reason": "The only scanner of the district"}
    assert (await radiographer.post(f"{address}/override", json=use)).status_code == 403
    assert (await consultant.post(f"{address}/override", json={**use, "until": "2026-06-01"})).status_code == 422
    overridden = (await consultant.post(f"{address}/override", json=use)).json()
    assert overridden["override"] == {
        "until": "2026-02-01", "reason": "The only scanner of the district", "by": "account:consultant"
    }  # fmt: skip
    opened = (await administrator.post(f"{address}/unblock", json={"reason": "Passed"})).json()
    assert ("blocked" in opened, "override" in opened) == (False, False)
    history = (await radiographer.get(f"{address}/history")).json()["results"]
    assert [(each["verb"], each["state"], each["actor"]) for each in history] == [
        ("unblock", "up", "account:administrator"),
        ("override", "up", "account:consultant"),
        ("block", "up", "account:administrator"),
        ("state", "up", "account:radiographer"),
        ("state", "down", "account:radiographer"),
    ]
    async with app.db.transaction() as tx:
        events = await tx.values("SELECT body->>'verb' FROM outbox WHERE type = 'radiology.device.changed.v1'")
    assert sorted(events) == ["block", "override", "state", "state", "unblock"]


async def test_a_retired_device_comes_back_by_an_administrator_only(client_as) -> None:
    administrator, radiographer = await client_as("administrator"), await client_as("radiographer")
    address = f"{DEVICES}/{(await a_device(administrator))['number']}/state"
    retired = {"state": "retired", "reason": "Sold"}
    assert (await radiographer.post(address, json=retired)).status_code == 403
    assert (await administrator.post(address, json=retired)).status_code == 200
    assert (await radiographer.post(address, json={"state": "up"})).status_code == 403


async def test_downtime_is_planned_for_the_device_and_shown_with_that_of_its_room(client_as, app) -> None:
    administrator, radiographer = await client_as("administrator"), await client_as("radiographer")
    room = await a_room(app, administrator)
    address = f"{DEVICES}/{(await administrator.get(DEVICES)).json()['results'][0]['number']}/downtimes"
    span = {"begins": "2026-01-22T09:00:00+06:00", "ends": "2026-01-22T12:00:00+06:00", "kind": "maintenance"}
    planned = (await radiographer.post(address, json=span)).json()
    cut = {**span, "begins": "2026-01-22T13:00:00+06:00", "ends": "2026-01-22T14:00:00+06:00", "kind": "power-cut"}
    await radiographer.post(f"/api/radiology/rooms/{room}/blocked", json=cut)
    found = (await radiographer.get(address)).json()["results"]
    assert [(each["kind"], each["wholeRoom"]) for each in found] == [("maintenance", False), ("power-cut", True)]
    day = (await radiographer.get(f"/api/radiology/rooms/{room}/day", params={"day": "2026-01-22"})).json()
    hours = [(each["begins"][11:16], each["ends"][11:16]) for each in day["devices"][0]["open"]]
    assert hours == [("08:00", "09:00"), ("12:00", "13:00")]
    assert [each["kind"] for each in day["blocked"]] == ["maintenance", "power-cut"]
    assert (await radiographer.delete(f"{address}/{planned['id']}")).status_code == 204
    assert (await radiographer.delete(f"{address}/{found[1]['id']}")).status_code == 404, "it is the room's"
    backwards = {**span, "ends": "2026-01-22T08:00:00+06:00"}
    assert (await radiographer.post(address, json=backwards)).status_code == 422


async def test_patients_and_links_see_no_devices(client_as) -> None:
    administrator = await client_as("administrator")
    number = (await a_device(administrator))["number"]
    for role, status in (("patient", 403), ("cashier", 403), ("manager", 200), ("referrer", 200)):
        client = await client_as(role)
        assert (await client.get(f"{DEVICES}/{number}")).status_code == status, role
