"""63. Given a woman of 25 and a CT of the abdomen, pregnancy unknown: routine is blocked, STAT is warned."""

from typing import Any

import pytest

from checking import PATH, a_woman, an_order_of, findings

pytestmark = pytest.mark.anyio


async def test_s63_routine_is_blocked_until_answered_and_stat_is_warned(client_as: Any) -> None:
    client = await client_as("radiographer")
    order = an_order_of("CT_ABDOMEN_PELVIS_W", "CT", patient=a_woman())
    refused = await client.post(PATH, json=order)
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:radiology:problem:order-blocked"
    pregnancy = findings(refused.json())["PG1"]
    assert pregnancy["effect"] == "blocked"
    assert "pregnancy" in pregnancy["asks"]
    assert set(pregnancy["text"]) == {"en", "bn"}
    stat = await client.post(PATH, json=an_order_of("CT_ABDOMEN_PELVIS_W", "CT", patient=a_woman(), priority="stat"))
    assert stat.status_code == 201
    assert (stat.json()["status"], stat.json()["check"]["decision"]) == ("active", "proceed_with_warning")
    assert findings(stat.json())["PG1"]["effect"] == "proceed_with_warning"
    answered = await client.post(PATH, json={**order, "safety": {"pregnancy": "not-pregnant"}})
    assert answered.status_code == 201
    assert "PG1" not in findings(answered.json())
