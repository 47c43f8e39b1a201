"""Scenario 71: a STAT head CT at 02:00 is offered to who is on call, offered again after 5 minutes, escalated at 30."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from radiology.app import App
from radiology.practitioners.schemas import EXAMPLE as PRACTITIONER
from radiology.reading_worklist.following import follow_events
from radiology.reading_worklist.offers.tending import tend
from radiology.studies.model import Status
from reading import images_of, move, order_of

pytestmark = pytest.mark.anyio
API = "/api/radiology"
OFFERS = f"{API}/reading-offers"
NIGHT = datetime(2026, 1, 21, 20, 0, tzinfo=UTC)
DAY_SHIFT = {"days": [1, 2, 3, 4, 5, 6, 7], "begins": "08:00", "ends": "20:00"}


async def a_reader(client_as: Any, admin: Any, name: str, subspecialty: str) -> Any:
    """A reader of the country who works by day, with an account; returns the client."""
    said = {
        **PRACTITIONER, "name": f"Dr. {name}", "registration": f"A-{sum(map(ord, name)):05}",
        "privileges": [{"facilityCode": "*", "modalities": ["*"]}],
    }  # fmt: skip
    assert (await admin.put(f"{API}/practitioners/{name}", json=said)).status_code == 204
    given = {"subspecialties": [subspecialty], "contracts": [{"scope": "national"}], "shifts": [DAY_SHIFT]}
    assert (await admin.put(f"{API}/readers/{name}", json=given)).status_code == 204
    return await client_as("radiologist", name=name, practitioner=f"Practitioner/{name}")


async def on_call(admin: Any, group: str, line: str, name: str) -> None:
    rota = {"name": f"Rota {group}", "subspecialtyGroup": group}
    assert (await admin.put(f"{API}/rotas/{group}", json=rota)).status_code == 204
    turn = {
        "line": line, "reader": f"Practitioner/{name}", "beginsAt": "2026-01-21T20:00:00+06:00",
        "endsAt": "2026-01-22T08:00:00+06:00",
    }  # fmt: skip
    assert (await admin.post(f"{API}/rotas/{group}/turns", json=turn)).status_code == 201


async def studies_of(client: Any) -> list[str]:
    return [each["study"] for each in (await client.get(OFFERS)).json()["results"]]


async def test_s71_a_stat_head_ct_at_night(app: App, client_as: Any, clock: Any) -> None:
    clock.at = NIGHT
    admin = await client_as("administrator")
    neuro = await a_reader(client_as, admin, "anika", "neuro")
    second = await a_reader(client_as, admin, "badal", "neuro")
    chest = await a_reader(client_as, admin, "chaya", "chest")
    await on_call(admin, "neuro", "primary", "anika")
    await on_call(admin, "neuro", "secondary", "badal")
    await on_call(admin, "thorax", "primary", "chaya")
    order = await order_of(app, priority="stat")
    await images_of(app, order)
    uid = order.procedures[0].study_instance_uid
    await follow_events(app)
    await move(app, uid, Status.COMPLETED)

    await tend(app)
    assert [await studies_of(each) for each in (neuro, second, chest)] == [[uid], [], []]
    [offer] = (await neuro.get(OFFERS)).json()["results"]
    assert datetime.fromisoformat(offer["expiresAt"]) == NIGHT + timedelta(minutes=5)
    assert {each["factor"] for each in offer["explain"]} == {
        "subspecialty", "load", "deadline", "continuity", "nearness", "quality"
    }  # fmt: skip
    notices = (await neuro.get(f"{API}/me/notices")).json()["results"]
    assert [each["kind"] for each in notices] == ["reading.offered"]

    clock.advance(5 * 60)
    await tend(app)
    assert [await studies_of(each) for each in (neuro, second, chest)] == [[], [uid], []]

    clock.advance(25 * 60)
    await tend(app)
    assert [await studies_of(each) for each in (neuro, second, chest)] == [[uid], [], []]
    shown = (await admin.get(f"{OFFERS}/studies/{uid}")).json()
    assert [each["step"] for each in shown["escalation"]] == [1]
    assert shown["offers"][-1]["reader"] == "Practitioner/anika"
    assert shown["offers"][0]["state"] == "expired"

    [offer] = (await neuro.get(OFFERS)).json()["results"]
    taken = await neuro.post(f"{OFFERS}/{offer['id']}/accept")
    assert taken.json()["state"] == "claimed"
    async with app.db.transaction() as tx:
        kinds = await tx.values("SELECT DISTINCT type FROM outbox WHERE type LIKE 'radiology.reading.%%' ORDER BY type")
    assert {
        "radiology.reading.offered.v1", "radiology.reading.offer-expired.v1", "radiology.reading.escalated.v1",
        "radiology.reading.offer-accepted.v1",
    } <= set(kinds)  # fmt: skip
