"""67. Given RUQ pain and a CT without ultrasound, then ultrasound with cost and dose; without a rule, no score."""

from typing import Any

import pytest

from checking import PATH, an_order_of, examined

pytestmark = pytest.mark.anyio
SAFE = {"contrast": {"previousReaction": "none"}}


async def test_s67_ultrasound_comes_first_and_what_no_rule_knows_has_no_score(client_as: Any, app: Any) -> None:
    client = await client_as("radiographer")
    order = an_order_of("CT_ABDOMEN_PELVIS_W", "CT", reason="RUQ pain", safety=SAFE)
    answer = (await client.post(f"{PATH}/check", json=order)).json()
    (procedure,) = answer["procedures"]
    assert (answer["decision"], procedure["score"]) == ("suggest_alternative", 3)
    (ultrasound,) = procedure["alternatives"]
    assert ultrasound["procedure"] == "US_ABDOMEN_WHOLE"
    assert float(ultrasound["costDifference"]) < 0
    assert ultrasound["doseDifferenceMSv"] == -8
    assert "আল্ট্রাসনোগ্রাম" in procedure["findings"][0]["text"]["bn"]
    assert (await client.post(f"{PATH}/check", json=order)).json() == answer

    await examined(app, client, "Ultrasonogram whole abdomen", "US")
    then = (await client.post(f"{PATH}/check", json=order)).json()
    assert (then["decision"], then["procedures"][0]["score"]) == ("proceed", 7)

    unknown = (await client.post(f"{PATH}/check", json=an_order_of("XR_HAND", "DX", reason="Growth disorder"))).json()
    assert (unknown["decision"], unknown["procedures"][0]["score"]) == ("proceed", None)
    assert "No guidance" in unknown["procedures"][0]["guidance"]["en"]
