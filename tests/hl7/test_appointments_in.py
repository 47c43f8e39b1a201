"""Appointments by message."""

from typing import Any

import pytest

import hl7_peer as peers

pytestmark = pytest.mark.anyio


def _appointment(event: str, start: str = "20260122090000", order: str = "P1^HIS") -> bytes:
    return peers.message(
        peers.header(f"SIU^{event}"),
        f"SCH|A1^HIS|||||Check|||||^^^{start}" + "|" * 15 + order,
        peers.pid(),
        "AIG|1||CT7",
    )


async def test_an_appointment_gives_the_item_its_time(send: Any, value: Any):
    await send(peers.order("P1"))
    said = await send(_appointment("S12"))
    assert said.code == "AA", said.sentence
    assert await value("SELECT scheduled_start::text FROM scheduled_procedure_steps") == "2026-01-22 03:00:00+00"
    assert await value("SELECT station_ae_titles FROM scheduled_procedure_steps") == ["CT7"]
    assert (await send(_appointment("S13", "20260123100000"))).code == "AA"
    assert await value("SELECT scheduled_start::text FROM scheduled_procedure_steps") == "2026-01-23 04:00:00+00"
    assert (await send(_appointment("S15"))).code == "AA"
    assert await value("SELECT status FROM orders") == "active"


async def test_an_appointment_of_no_order_is_refused(send: Any):
    said = await send(_appointment("S12"))
    assert (said.code, said.place) == ("AE", "SCH^1^26")


async def test_an_appointment_without_a_start_is_refused(send: Any):
    await send(peers.order("P1"))
    said = await send(_appointment("S12", ""))
    assert (said.code, said.place) == ("AE", "SCH^1^11^1^4")


async def test_an_appointment_of_a_cancelled_order_is_refused(send: Any):
    await send(peers.order("P1"))
    await send(peers.order("P1", control="CA"))
    said = await send(_appointment("S12"))
    assert said.code == "AE"
    assert said.sentence.startswith("Nothing of the order P1 is left to be done")
