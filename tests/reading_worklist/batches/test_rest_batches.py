"""Batches over REST: claimed together, kept together, each study by itself; STAT comes first."""

from typing import Any

import pytest

from network import reader
from radiology.app import App
from radiology.reading_worklist.following import follow_events, release_idle
from radiology.reading_worklist.offers.tending import tend
from radiology.studies.model import Status
from reading import images_of, move, order_of, row_of

pytestmark = pytest.mark.anyio

BATCHES = "/api/radiology/reading-batches"


async def ordered(app: App, number: int, priority: str = "routine") -> str:
    """A complete head CT of a patient."""
    order = await order_of(app, number, priority=priority)
    await images_of(app, order)
    uid = order.procedures[0].study_instance_uid
    await follow_events(app)
    await move(app, uid, Status.COMPLETED)
    return uid


async def anika_of(app: App, client_as: Any, **changes: Any) -> Any:
    await reader(app, "anika", **changes)
    return await client_as("radiologist", name="anika", practitioner="Practitioner/anika")


async def test_a_batch_is_claimed_kept_and_ended(app: App, client_as: Any, clock: Any) -> None:
    uids = [await ordered(app, 1001), await ordered(app, 1002)]
    anika = await anika_of(app, client_as)
    [shown] = (await anika.get(BATCHES)).json()["results"]
    assert (shown["studies"], shown["modality"], shown["facilityCode"]) == (2, "CT", "LOCAL")
    alike = {name: shown[name] for name in ("facilityCode", "modality", "region", "procedure")}
    begun = await anika.post(BATCHES, json=alike)
    assert begun.status_code == 201
    path = f"{BATCHES}/{begun.json()['id']}"
    batch = (await anika.get(path)).json()["batch"]
    assert {each["study"] for each in batch["studies"]} == set(uids)
    assert all(each["state"] == "claimed" and each["isYours"] for each in batch["studies"])
    assert batch["next"] == batch["studies"][0]["study"]
    assert (await anika.get(BATCHES)).json()["results"] == [], "what is claimed is in no batch"
    assert (await anika.post(BATCHES, json=alike)).status_code == 404

    clock.advance(20 * 60)
    assert (await anika.post(f"{path}/renew")).json() == {"renewed": 2, "interruptedBy": []}
    clock.advance(20 * 60)
    await release_idle(app)
    assert all(each["isYours"] for each in (await anika.get(path)).json()["batch"]["studies"])
    clock.advance(11 * 60)
    await release_idle(app)
    assert [each["state"] for each in (await anika.get(path)).json()["batch"]["studies"]] == ["waiting"] * 2
    assert (await anika.post(f"{path}/renew")).json()["renewed"] == 0
    assert (await anika.post(f"{path}/end")).status_code == 204
    assert (await anika.post(f"{path}/end")).status_code == 409
    assert (await anika.post(f"{path}/renew")).status_code == 409


async def test_ending_a_batch_releases_what_nothing_is_written_of(app: App, client_as: Any) -> None:
    uid = await ordered(app, 1001)
    anika = await anika_of(app, client_as)
    [shown] = (await anika.get(BATCHES)).json()["results"]
    alike = {name: shown[name] for name in ("facilityCode", "modality", "region", "procedure")}
    batch_id = (await anika.post(BATCHES, json=alike)).json()["id"]
    other = await client_as("consultant")
    assert (await other.get(f"{BATCHES}/{batch_id}")).status_code == 404
    assert (await other.post(f"{BATCHES}/{batch_id}/end")).status_code == 404
    assert (await anika.post(f"{BATCHES}/{batch_id}/end")).status_code == 204
    row = await row_of(app, uid)
    assert row is not None
    assert (row.state, row.claimed_by) == ("waiting", None)


async def test_stat_comes_before_a_batch(app: App, client_as: Any) -> None:
    await ordered(app, 1001)
    anika = await anika_of(app, client_as)
    [shown] = (await anika.get(BATCHES)).json()["results"]
    alike = {name: shown[name] for name in ("facilityCode", "modality", "region", "procedure")}
    path = f"{BATCHES}/{(await anika.post(BATCHES, json=alike)).json()['id']}"
    stat = await ordered(app, 1002, "stat")
    await tend(app)
    assert [each["study"] for each in (await anika.post(f"{path}/renew")).json()["interruptedBy"]] == [stat]
    assert [each["study"] for each in (await anika.get(path)).json()["interruptedBy"]] == [stat]


async def test_who_lacks_a_credential_sees_no_batch(app: App, client_as: Any) -> None:
    await ordered(app, 1001)
    anika = await anika_of(app, client_as, contracts=[])
    assert (await anika.get(BATCHES)).json()["results"] == []
    nobody = await client_as("consultant")
    assert (await nobody.get(BATCHES)).status_code == 403
    radiographer = await client_as("radiographer")
    assert (await radiographer.get(BATCHES)).status_code == 403
