"""Licences that end: listed, and warned of once for each step."""

import pytest

from facilities.country import DEVICES, FACILITIES, a_device, a_facility, an_operator
from radiology.facilities.licences.actions import warn

pytestmark = pytest.mark.anyio


async def test_what_ends_soon_or_was_never_told_is_listed(client_as) -> None:
    administrator = await client_as("administrator")
    await a_facility(administrator)
    await a_device(administrator, "Ended", licenceUntil="2026-01-20")
    await a_device(administrator, "Later", licenceUntil="2026-12-31")
    await a_device(administrator, "Never told", licenceUntil=None)
    await a_device(administrator, "Ultrasound", modality="US", licenceUntil=None)
    await an_operator(administrator, licenceUntil="2026-02-01")
    manager = await client_as("manager")
    found = (await manager.get(f"{FACILITIES}/licences")).json()["results"]
    assert [(each["name"], each["daysLeft"]) for each in found] == [
        ("Never told", None), ("Ended", -1), ("Rokeya Sultana", 11)
    ]  # fmt: skip
    within = (await manager.get(f"{FACILITIES}/licences", params={"withinDays": 0})).json()["results"]
    assert [each["name"] for each in within] == ["Never told", "Ended"]
    assert (await (await client_as("radiographer")).get(f"{FACILITIES}/licences")).status_code == 403


async def test_each_step_is_warned_of_once(client_as, app, clock) -> None:
    administrator = await client_as("administrator")
    await a_facility(administrator)
    device = await a_device(administrator, licenceUntil="2026-02-20")
    await an_operator(administrator)

    async def told() -> list[tuple[str, int]]:
        async with app.db.transaction() as tx:
            rows = await tx.values(
                "SELECT body->>'subject_id' || ' ' || (body->>'days') FROM outbox"
                " WHERE type = 'radiology.licence.expiring.v1' ORDER BY sequence"
            )
        return [(subject, int(days)) for subject, days in (row.rsplit(" ", 1) for row in rows)]

    number = str(device["number"])
    assert (await warn(app), await warn(app)) == (1, 0)
    assert await told() == [(number, 90)], "30 days are left, which is not less than 30"
    clock.advance(2 * 86400)
    assert (await warn(app), await warn(app)) == (1, 0)
    clock.advance(28 * 86400)
    assert (await warn(app), await warn(app)) == (1, 0)
    assert await told() == [(number, 90), (number, 30), (number, 7)], "it is the last day"
    clock.advance(2 * 86400)
    assert (await warn(app), await warn(app)) == (1, 0)
    assert (await told())[-1] == (number, 0)
    body = {"facilityCode": "LOCAL", "name": "CT 1", "modality": "CT", "licenceUntil": "2026-02-26"}
    assert (await administrator.put(f"{DEVICES}/{number}", json=body)).status_code == 200
    assert await warn(app) == 1, "it is another licence"
    assert (await told())[-1] == (number, 7)
