"""40. Given two clients, when both update with the same version, then the second gets 412."""

import asyncio
from typing import Any

import pytest

from radiology.studies.schemas import STUDY_EXAMPLE

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("by_header", [True, False])
async def test_s40_the_second_is_stale(client_as: Any, by_header: bool) -> None:
    first, second = await client_as("radiographer"), await client_as("radiographer", name="another")
    created = await first.post("/api/radiology/studies", json=STUDY_EXAMPLE)
    address = f"{created.headers['location']}/status"

    async def put(client: Any, status: str) -> int:
        body = {"status": status} if by_header else {"status": status, "version": 1}
        headers = {"if-match": created.headers["etag"]} if by_header else {}
        return (await client.put(address, json=body, headers=headers)).status_code

    answers = await asyncio.gather(put(first, "scheduled"), put(second, "arrived"))
    assert sorted(answers) == [200, 412]
