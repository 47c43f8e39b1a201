"""Placing, changing, moving and listing items over REST, with the permissions, the events and the history."""

import pytest

from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.modality_worklist.schemas import EXAMPLE

pytestmark = pytest.mark.anyio
PATH = "/api/radiology/worklist"


async def test_an_item_is_placed_changed_and_cancelled(client_as, app) -> None:
    client = await client_as("radiographer")
    placed = await client.post(PATH, json=EXAMPLE)
    assert placed.status_code == 201, placed.text
    body = placed.json()
    assert body["status"] == "SCHEDULED"
    assert body["studyInstanceUID"].startswith("2.25.")
    assert body["start"] == "2026-01-21T14:00:00+06:00"
    address = placed.headers["location"]

    changed = await client.put(address, json={**EXAMPLE, "stationAETitles": ["CT2"]}, headers={"if-match": 'W/"1"'})
    assert (changed.status_code, changed.json()["stationAETitles"]) == (200, ["CT2"])
    assert changed.json()["studyInstanceUID"] == body["studyInstanceUID"]
    stale = await client.put(address, json=EXAMPLE, headers={"if-match": 'W/"1"'})
    assert stale.status_code == 412

    arrived = await client.put(f"{address}/status", json={"status": "ARRIVED"})
    assert arrived.json()["status"] == "ARRIVED"
    cancelled = await client.put(f"{address}/status", json={"status": "CANCELED", "reason": "Did not come"})
    assert cancelled.json()["status"] == "CANCELED"
    assert (await client.put(address, json=EXAMPLE)).status_code == 409
    async with app.db.transaction() as tx:
        types = await tx.values("SELECT type FROM outbox ORDER BY sequence")
        steps = await tx.values("SELECT trigger FROM scheduled_procedure_step_transitions ORDER BY id")
    assert types == [
        "radiology.procedure-step.scheduled.v1",
        "radiology.procedure-step.changed.v1",
        "radiology.procedure-step.status-changed.v1",
        "radiology.procedure-step.status-changed.v1",
    ]
    assert steps == ["request", "arrive", "cancel"]


async def test_a_list_is_filtered_and_paged(client_as) -> None:
    client = await client_as("radiographer")
    for number in range(3):
        assert (await client.post(PATH, json={**EXAMPLE, "start": f"2026-01-21T1{number}:00:00"})).status_code == 201
    first = (await client.get(PATH, params={"limit": 2, "modality": "CT"})).json()
    assert [item["start"][11:13] for item in first["results"]] == ["12", "11"]
    second = (await client.get(first["next"])).json()
    assert [item["start"][11:13] for item in second["results"]] == ["10"]
    assert (await client.get(PATH, params={"status": "CANCELED"})).json()["results"] == []
    assert len((await client.get(PATH, params={"serviceRequest": "ServiceRequest/111"})).json()["results"]) == 3


async def test_who_may_only_read_may_not_place(client_as) -> None:
    referrer = await client_as("referrer")
    assert (await referrer.post(PATH, json=EXAMPLE)).status_code == 403
    assert (await referrer.get(PATH)).status_code == 200


async def test_numbers_of_another_patient_are_refused(client_as) -> None:
    client = await client_as("radiographer")
    await client.post(PATH, json=EXAMPLE)
    other = {**EXAMPLE, "patient": {**EXAMPLE["patient"], "id": "DMC-2002"}}
    assert (await client.post(PATH, json=other)).status_code == 409
    assert (await client.post(PATH, json=EXAMPLE)).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [{"accessionNumber": "A" * 17}, {"start": "2026-01-21"}, {"modality": "ct"}, {"patient": {"id": "", "name": "A"}},
     {"studyInstanceUID": "abc"}, {"reason": "a\\b"}, {"unknown": 1}],
)  # fmt: skip
async def test_what_no_modality_could_read_is_refused(client_as, wrong) -> None:
    client = await client_as("radiographer")
    assert (await client.post(PATH, json={**EXAMPLE, **wrong})).status_code == 422


async def test_pools_and_why_a_station_does_not_see_an_item(client_as, app) -> None:
    client = await client_as("radiographer")
    async with app.db.transaction() as tx:
        for title in ("CT1", "CT9"):
            await entities.save(tx, ApplicationEntity(title))
    assert (await client.put(f"{PATH}/pools/CT", json={"modality": "CT", "aeTitles": ["CT1"]})).status_code == 204
    pooled = {**EXAMPLE, "stationAETitles": [], "stationPool": "CT"}
    address = (await client.post(PATH, json=pooled)).headers["location"]
    assert (await client.get(f"{address}/shown/CT1")).json()["shown"] is True
    assert "CT7" in (await client.get(f"{address}/shown/CT7")).json()["english"]
    hidden = (await client.get(f"{address}/shown/CT9")).json()
    assert hidden["shown"] is False
    assert "CT9" in hidden["english"]
    assert (await client.get(f"{PATH}/pools")).json()["results"] == [
        {"name": "CT", "modality": "CT", "aeTitles": ["CT1"]}
    ]
    assert (await client.delete(f"{PATH}/pools/CT")).status_code == 204
    assert (await client.delete(f"{PATH}/pools/CT")).status_code == 404
