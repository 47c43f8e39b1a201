"""Scenario 80: a name is found in both scripts and however it is spelled; a national number in Bangla digits."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

pytestmark = pytest.mark.anyio
PATH = "/api/radiology/patients"


async def test_one_patient_is_found_by_every_spelling_and_ranked(
    client_as: Callable[..., Awaitable[httpx2.AsyncClient]],
) -> None:
    client = await client_as("radiographer")
    wanted = await register(
        client, name="Md. Rahman", nameBangla="মোঃ রহমান", identifiers=[{"type": "NID", "value": "1990123456789"}]
    )
    await register(client, name="Rahmatullah^Sheikh")
    await register(client, name="Khatun^Rahima")
    for query in ("রহমান", "Rohman", "Md. Rahman", "Rahaman", "মো. রহমান", "RAHMAN"):
        first, *others = await found(client, query)
        assert first["patient"]["id"] == wanted, query
        assert first["score"] > 0.95
        assert all(other["score"] < first["score"] for other in others)
    for query in ("১৯৯০১২৩৪৫৬৭৮৯", "1990 1234 56789"):
        (by_number,) = await found(client, query)
        assert (by_number["patient"]["id"], by_number["foundBy"]) == (wanted, "number")


async def register(client: httpx2.AsyncClient, **patient: Any) -> str:
    answer = await client.post(PATH, json=patient)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def found(client: httpx2.AsyncClient, query: str) -> list[dict[str, Any]]:
    answer = await client.get(PATH, params={"query": query})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]
