"""64. Given an eGFR of 25 and a CT with contrast, then consult a radiologist; on dialysis, a warning."""

from typing import Any

import pytest

from checking import PATH, an_order_of, findings

pytestmark = pytest.mark.anyio


async def test_s64_bad_kidneys_mean_consult_and_dialysis_a_warning(client_as: Any) -> None:
    client = await client_as("radiographer")
    kidneys = {"measuredOn": "2026-01-20", "egfr": 25}
    said = {"contrast": {"previousReaction": "none"}, "renalFunction": kidneys}
    placed = await client.post(PATH, json=an_order_of("CT_ABDOMEN_PELVIS_W", "CT", safety=said))
    assert placed.status_code == 201
    assert placed.json()["check"]["decision"] == "consult_radiologist"
    kidney = findings(placed.json())["CM1"]
    assert "Hydrate" in kidney["text"]["en"]
    assert {"factor": "egfr", "raw": 25.0} in [
        {key: each[key] for key in ("factor", "raw")} for each in kidney["explain"]
    ]
    on_dialysis = {**said, "renalFunction": {**kidneys, "dialysis": True}}
    placed = await client.post(PATH, json=an_order_of("CT_ABDOMEN_PELVIS_W", "CT", safety=on_dialysis))
    assert placed.json()["check"]["decision"] == "proceed_with_warning"
