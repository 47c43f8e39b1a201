"""Tests of devices over REST: what fails or is overdue blocks, what passes lifts that, and nothing else does."""

from datetime import timedelta
from typing import Any

import pytest

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.facilities.devices import actions as facilities
from radiology.quality.tests.actions import see_to_tests

pytestmark = pytest.mark.anyio
PATH = "/api/radiology/quality/tests"
WATER = {"test": "ct-water", "doneOn": "2026-01-21", "values": {"waterHU": 1.5}, "answers": {"warmedUp": True}}


async def a_device(app: App, modality: str = "CT", facility_code: str = "LOCAL") -> int:
    async with app.db.transaction() as tx:
        return await tx.value(
            "INSERT INTO devices (facility_code, name, modality) VALUES (%(facility)s, %(name)s, %(modality)s) "
            "RETURNING number",
            facility=facility_code,
            name=f"{modality} 1",
            modality=modality,
        )


async def blocked(app: App, number: int) -> Any:
    async with app.db.transaction() as tx:
        return await tx.value("SELECT blocked FROM devices WHERE number = %(number)s", number=number)


async def test_a_failed_test_blocks_the_device_and_a_passing_one_lifts_it(app, client_as):
    number = await a_device(app)
    radiographer = await client_as("radiographer")

    failed = await radiographer.post(f"{PATH}/devices/{number}", json=WATER | {"values": {"waterHU": 9}})

    assert failed.status_code == 201, failed.text
    assert failed.json()["passed"] is False
    assert await blocked(app, number) == "Device test failed: ct-water"

    passed = await radiographer.post(f"{PATH}/devices/{number}", json=WATER)

    assert passed.json()["passed"] is True
    assert await blocked(app, number) is None
    results = (await radiographer.get(f"{PATH}/devices/{number}")).json()["results"]
    assert [each["passed"] for each in results] == [True, False]
    assert results[1]["results"]["waterHU"] == {"value": 9, "unit": "HU", "least": -4, "most": 4, "passed": False}
    async with app.db.transaction() as tx:
        assert str(await tx.value("SELECT tested_on FROM devices WHERE number = %(n)s", n=number)) == "2026-01-21"
        events = await tx.values("SELECT type FROM outbox WHERE type LIKE 'radiology.device%%' ORDER BY sequence")
    assert events.count("radiology.device-test.recorded.v1") == 2
    assert events.count("radiology.device.changed.v1") == 2


async def test_a_block_for_another_reason_stays_whatever_the_tests_say(app, client_as):
    number = await a_device(app)
    async with app.db.transaction() as tx:
        await facilities.block_in(tx, app, SYSTEM, number, "Water in the gantry")
    radiographer = await client_as("radiographer")

    for values in ({"waterHU": 9}, {"waterHU": 1}):
        await radiographer.post(f"{PATH}/devices/{number}", json=WATER | {"values": values})
        assert await blocked(app, number) == "Water in the gantry"


async def test_overdue_tests_warn_and_block_after_thirty_days_and_only_passing_lifts(app, clock, client_as):
    number = await a_device(app, "US")
    quality, radiographer = await client_as("qa", name="mina"), await client_as("radiographer")
    await see_to_tests(app)
    assert await see_to_tests(app) == 0

    clock.advance(timedelta(days=30).total_seconds())
    assert await see_to_tests(app) == 1
    assert await see_to_tests(app) == 0
    assert await blocked(app, number) is None
    due = (await quality.get(f"{PATH}/due")).json()["results"]
    assert {(each["test"], each["state"], each["overdueDays"]) for each in due} == {
        ("display", "overdue", 30), ("physicist", "overdue", 30),
    }  # fmt: skip

    clock.advance(timedelta(days=1).total_seconds())
    await see_to_tests(app)
    assert await blocked(app, number) == "Device test overdue by more than 30 days: display, physicist"

    today = {"doneOn": "2026-02-21"}
    await radiographer.post(
        f"{PATH}/devices/{number}", json={"test": "display", "answers": {"patternVisible": True}, **today}
    )
    assert await blocked(app, number) == "Device test overdue by more than 30 days: physicist"
    await radiographer.post(
        f"{PATH}/devices/{number}", json={"test": "physicist", "answers": {"acceptable": True}, **today}
    )
    assert await blocked(app, number) is None


async def test_the_head_says_which_tests_a_device_does_not_need(app, clock, client_as):
    number = await a_device(app, "US")
    await see_to_tests(app)
    clock.advance(timedelta(days=40).total_seconds())
    await see_to_tests(app)
    body = {"active": False, "reason": "It has no display of its own."}

    refused = await (await client_as("qa")).put(f"{PATH}/devices/{number}/plans/display", json=body)
    assert refused.status_code == 403
    head = await client_as("consultant")
    assert (await head.put(f"{PATH}/devices/{number}/plans/display", json=body)).status_code == 204

    assert await blocked(app, number) == "Device test overdue by more than 30 days: physicist"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"test": "none"}, 404), ({"doneOn": "2026-01-22"}, 422), ({"values": {}}, 422), ({"test": "aec"}, 422),
        ({"values": {"waterHU": "NaN"}}, 422), ({"values": {"waterHU": 1, "other": 2}}, 422),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_and_changes_nothing(app, client_as, change, status):
    number = await a_device(app)
    radiographer = await client_as("radiographer")

    answer = await radiographer.post(f"{PATH}/devices/{number}", json=WATER | change)

    assert answer.status_code == status, answer.text
    assert (await radiographer.get(f"{PATH}/devices/{number}")).json()["results"] == []


async def test_devices_of_other_facilities_are_not_there_and_referrers_test_nothing(app, client_as):
    number = await a_device(app, facility_code="OTHER")
    own = await client_as("radiographer")
    async with app.db.transaction() as tx:
        await tx.run("UPDATE accounts SET facility_code = 'LOCAL' WHERE name = 'radiographer'")

    assert (await own.post(f"{PATH}/devices/{number}", json=WATER)).status_code == 404
    assert (await own.get(f"{PATH}/devices/{number}")).status_code == 404
    assert (await (await client_as("referrer")).post(f"{PATH}/devices/{number}", json=WATER)).status_code == 403
    sheet = (await own.get(f"{PATH}/due.csv")).text
    assert sheet.splitlines()[0].lstrip("\ufeff").startswith("facility,device,name")
    protocols = (await own.get(f"{PATH}/protocols")).json()["results"]
    assert {"test", "title", "period", "values"} <= set(protocols[0])
