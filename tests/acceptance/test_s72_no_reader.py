"""Scenario 72: a reader whose BMDC registration has expired is excluded with the reason; nobody left is an alert."""

from datetime import date
from typing import Any

import pytest

from network import reader
from radiology.app import App
from radiology.reading_worklist.following import follow_events
from radiology.reading_worklist.offers.tending import tend
from radiology.studies.model import Status
from reading import images_of, move, order_of, told

pytestmark = pytest.mark.anyio
OFFERS = "/api/radiology/reading-offers"


async def test_s72_an_expired_registration_and_nobody_left(app: App, client_as: Any) -> None:
    admin = await client_as("administrator")
    head = await client_as("consultant", name="head")
    await admin.put("/api/radiology/duties/head/LOCAL", json={"accounts": ["account:head"]})
    await reader(app, "anika", registered_until=date(2026, 1, 20))
    order = await order_of(app, priority="stat")
    await images_of(app, order)
    uid = order.procedures[0].study_instance_uid
    await follow_events(app)
    await move(app, uid, Status.COMPLETED)

    await tend(app)
    anika = await client_as("radiologist", name="anika", practitioner="Practitioner/anika")
    assert (await anika.get(OFFERS)).json()["results"] == [], "never silently assigned"
    [left] = (await head.get(f"{OFFERS}/unassignable")).json()["results"]
    assert (left["study"], left["reasons"]) == (uid, {"no-valid-registration": 1})
    [event] = await told(app, "radiology.reading.unassignable.v1")
    assert event["reasons"] == {"no-valid-registration": 1}
    notices = (await head.get("/api/radiology/me/notices")).json()["results"]
    assert "reading.unassignable" in [each["kind"] for each in notices]
    sentences = {each["reason"]: each["text"] for each in (await head.get(f"{OFFERS}/reasons")).json()["results"]}
    assert sentences["no-valid-registration"]["en"] == "Has no BMDC registration that is valid today."
