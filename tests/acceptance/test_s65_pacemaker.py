"""65. Given a pacemaker and an MRI, then blocked until a clearance is recorded."""

from typing import Any

import pytest

from checking import PATH, an_order_of, findings

pytestmark = pytest.mark.anyio
CLEARED = {"on": "2026-01-21", "note": "MR conditional at 1.5 T, checked by cardiology"}


async def test_s65_a_pacemaker_blocks_mr_until_somebody_has_cleared_it(client_as: Any) -> None:
    client = await client_as("radiographer")
    safety = {"implants": [{"text": "Pacemaker", "mrSafety": "conditional"}]}
    refused = await client.post(PATH, json=an_order_of("MR_BRAIN_WO", "MR", safety=safety))
    assert refused.status_code == 422
    assert findings(refused.json())["MR1"]["effect"] == "blocked"
    stat = await client.post(PATH, json=an_order_of("MR_BRAIN_WO", "MR", safety=safety, priority="stat"))
    assert stat.status_code == 422, "a magnet does not wait for anybody"
    draft = await client.post(PATH, json=an_order_of("MR_BRAIN_WO", "MR", safety=safety, status="draft"))
    address = f"{PATH}/{draft.json()['id']}"
    assert (await client.put(f"{address}/status", json={"status": "active"})).status_code == 422
    cleared = await client.put(f"{address}/facts", json={"mrClearance": CLEARED})
    assert cleared.status_code == 200
    assert "MR1" not in findings(cleared.json())
    active = await client.put(f"{address}/status", json={"status": "active"})
    assert (active.status_code, active.json()["status"]) == (200, "active")
