"""66. Given a final chest film of three days ago, then a new one routine suggests it; for "post-op" it proceeds."""

from typing import Any

import pytest

from checking import PATH, an_order_of, examined, findings

pytestmark = pytest.mark.anyio


async def test_s66_a_chest_film_of_three_days_ago_is_suggested_but_not_after_an_operation(
    client_as: Any, app: Any
) -> None:
    client = await client_as("radiographer")
    uid = await examined(app, client, "Chest X-ray PA", "DX")
    placed = await client.post(PATH, json=an_order_of("XR_CHEST_PA", "DX"))
    assert placed.status_code == 201, placed.text
    assert placed.json()["check"]["decision"] == "suggest_alternative"
    prior = findings(placed.json())["DUP"]["prior"]
    assert (prior["studyInstanceUID"], prior["on"]) == (uid, "2026-01-18")
    assert (await client.get(prior["link"])).status_code == 200
    after_operation = await client.post(PATH, json=an_order_of("XR_CHEST_PA", "DX", reason="post-op"))
    assert after_operation.json()["check"]["decision"] == "proceed"
