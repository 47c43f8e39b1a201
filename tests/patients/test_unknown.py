"""Patients nobody knows yet."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx2
import pytest

pytestmark = pytest.mark.anyio
PATH = "/api/radiology/patients"


async def test_unknown_patients_are_numbered_by_facility_and_day(
    client_as: Callable[..., Awaitable[httpx2.AsyncClient]],
) -> None:
    client = await client_as("radiographer")
    made = await client.post(f"{PATH}/unknown", json={"kind": "male", "ageYears": 40})
    assert made.status_code == 201, made.text
    (one,) = made.json()["results"]
    assert (one["name"], one["sex"], one["birthDate"], one["temporary"]) == ("UNKNOWN^MALE", "M", "1986-01-01", True)
    assert one["birthDateEstimated"] is True
    assert one["identifiers"][0]["value"] == "UNK-LOCAL-20260121-001"
    many = await asyncio.gather(
        *(client.post(f"{PATH}/unknown", json={"kind": kind, "count": 4}) for kind in ("female", "child", "male"))
    )
    numbers = [each["identifiers"][0]["value"] for answer in many for each in answer.json()["results"]]
    assert sorted(numbers) == [f"UNK-LOCAL-20260121-{number:03}" for number in range(2, 14)]
    (child, *_) = many[1].json()["results"]
    assert (child["name"], child.get("sex")) == ("UNKNOWN^CHILD", None)
