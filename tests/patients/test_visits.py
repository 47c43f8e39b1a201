"""Visits over REST, and by messages."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest

from leaks.conftest import belongs
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.errors import Conflict
from radiology.patients.actions.visit import end_visit_in, record_visit
from radiology.patients.visits import TRANSITIONS, Class, Status, Verb, VisitSaid

pytestmark = pytest.mark.anyio

PATH = "/api/radiology/patients"
ClientAs = Callable[..., Awaitable[httpx2.AsyncClient]]
WARD: dict[str, Any] = {"class": "IMP", "number": "ADM-17", "ward": "Neurosurgery", "bed": "12",
                        "attending": "Practitioner/222", "beganAt": "2026-01-20T09:00:00+06:00"}  # fmt: skip


async def patient(client: httpx2.AsyncClient, number: str = "P-1") -> str:
    answer = await client.post(PATH, json={"name": "Karim^Abdul", "identifiers": [{"type": "MR", "value": number}]})
    return answer.json()["id"]


async def test_a_visit_is_opened_changed_and_ended(client_as: ClientAs, app: App) -> None:
    client = await client_as("radiographer")
    visits = f"{PATH}/{await patient(client)}/visits"
    made = await client.post(visits, json=WARD)
    assert made.status_code == 201, made.text
    address = made.headers["location"]
    moved = await client.put(address, json=WARD | {"bed": "14", "version": 1})
    assert (moved.json()["bed"], moved.json()["version"], moved.json()["status"]) == ("14", 2, "in-progress")
    stale = await client.put(address, json=WARD | {"version": 1})
    assert stale.status_code == 412
    ended = await client.put(f"{address}/status", json={"status": "finished"})
    assert (ended.json()["status"], ended.json()["endedAt"][:16]) == ("finished", "2026-01-21T04:30")
    for refused in (
        await client.put(address, json=WARD),
        await client.put(f"{address}/status", json={"status": "cancelled"}),
    ):
        assert refused.json()["type"] == "urn:radiology:problem:transition-refused"
    assert (await client.put(f"{address}/status", json={"status": "in-progress"})).json()["status"] == "in-progress"
    assert [each["number"] for each in (await client.get(visits)).json()["results"]] == ["ADM-17"]
    async with app.db.transaction() as tx:
        told = await tx.values(
            "SELECT body->>'status' FROM outbox WHERE type = 'radiology.patient.visit-changed.v1' ORDER BY sequence"
        )
    assert told == ["in-progress", "in-progress", "finished", "in-progress"]


async def test_a_number_is_one_visit_of_its_facility(client_as: ClientAs, app: App) -> None:
    client = await client_as("radiographer")
    await belongs(app, "radiographer")
    visits = f"{PATH}/{await patient(client)}/visits"
    first = await client.post(visits, json=WARD)
    assert (await client.post(visits, json=WARD)).status_code == 409
    assert (await client.post(visits, json={"class": "AMB"})).json()["number"].startswith("V")
    elsewhere = await client_as("radiographer", name="elsewhere")
    await belongs(app, "elsewhere", "OTHER")
    assert (await elsewhere.get(visits)).status_code == 404
    other = f"{PATH}/{await patient(elsewhere, 'O-1')}/visits"
    assert (await elsewhere.post(other, json=WARD)).status_code == 201
    assert (await elsewhere.put(first.headers["location"], json=WARD)).status_code == 404
    assert (await client.put(f"{other}/{first.json()['id']}", json=WARD)).status_code == 404


async def test_a_message_opens_changes_and_ends_the_visit_of_its_number(client_as: ClientAs, app: App) -> None:
    client = await client_as("radiographer")
    one, other = UUID(await patient(client)), UUID(await patient(client, "P-2"))
    said = VisitSaid(Class.EMERGENCY, "E-1", ward="ER", attending="Practitioner/222")
    moved = VisitSaid(Class.INPATIENT, "E-1", ward="ICU", began_at=datetime(2026, 1, 20, tzinfo=UTC))
    async with app.db.transaction() as tx:
        first = await record_visit(tx, app, SYSTEM, one, said, facility_code="LOCAL")
        assert await end_visit_in(tx, app, SYSTEM, "E-1", Verb.FINISH, facility_code="LOCAL")
        assert not await end_visit_in(tx, app, SYSTEM, "E-1", Verb.FINISH, facility_code="LOCAL")
        assert await record_visit(tx, app, SYSTEM, one, moved, facility_code="LOCAL") == first
    (visit,) = (await client.get(f"{PATH}/{one}/visits")).json()["results"]
    assert (visit["class"], visit["ward"], visit["status"]) == ("IMP", "ICU", "in-progress")
    assert visit["attending"] == "Practitioner/222"
    with pytest.raises(Conflict):
        async with app.db.transaction() as tx:
            await record_visit(tx, app, SYSTEM, other, said, facility_code="LOCAL")


def test_the_steps_that_are_not_there() -> None:
    refused = {(status, verb) for status in Status for verb in Verb} - set(TRANSITIONS)
    assert refused == {
        (Status.IN_PROGRESS, Verb.REOPEN),
        *((status, verb) for status in (Status.FINISHED, Status.CANCELLED)
          for verb in (Verb.CHANGE, Verb.FINISH, Verb.CANCEL)),
    }  # fmt: skip
