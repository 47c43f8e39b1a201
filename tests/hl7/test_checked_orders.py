"""Orders that come by message: what is blocked waits, and the acknowledgement says why."""

from typing import Any

import pytest

import hl7_peer as peers

pytestmark = pytest.mark.anyio

WOMAN = peers.pid("2002", "Begum^Salma", "20000601", "F")
CHEST = "CXR^X-ray chest PA^L"


async def test_a_blocked_order_by_hl7_waits_and_the_acknowledgement_says_why(send: Any, value: Any) -> None:
    said = await send(peers.order("P1", patient=WOMAN, code=CHEST))
    assert said.code == "AA"
    assert "on hold" in said.sentence
    assert "PG1" in said.sentence
    assert said.lines["ERR"][4] == "W"
    assert await value("SELECT status FROM orders") == "on-hold"
    assert await value("SELECT status FROM scheduled_procedure_steps") == "CANCELED"
    assert await value("SELECT reason_code FROM order_history WHERE verb = 'hold'") == "order-check"


async def test_the_answer_by_hl7_releases_it(send: Any, value: Any) -> None:
    await send(peers.order("P1", patient=WOMAN, code=CHEST))
    answer = peers.order("P1", control="XO", patient=WOMAN, code=CHEST).decode()
    answer += "OBX|1|CE|82810-3^Pregnancy status^LN||60001007^Not pregnant^SCT||||||F|||20260121\r"
    said = await send(answer.encode())
    assert (said.code, said.sentence) == ("AA", "")
    assert await value("SELECT status FROM orders") == "active"
    assert await value("SELECT status FROM scheduled_procedure_steps") == "SCHEDULED"


async def test_a_release_by_hl7_of_what_is_blocked_is_refused(send: Any, value: Any) -> None:
    await send(peers.order("P1", patient=WOMAN, code=CHEST))
    said = await send(peers.order("P1", control="RL", patient=WOMAN, code=CHEST))
    assert said.code == "AE"
    assert "PG1" in said.sentence
    assert await value("SELECT status FROM orders") == "on-hold"
