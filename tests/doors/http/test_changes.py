"""The change feed and the stream of events."""

import asyncio
from typing import Any

import orjson
import pytest

from radiology.doors.http.feed import Feed
from radiology.studies.schemas import STUDY_EXAMPLE

pytestmark = pytest.mark.anyio

STUDIES, CHANGES = "/api/radiology/studies", "/api/radiology/changes"


async def register(client: Any, number: int) -> None:
    answer = await client.post(STUDIES, json={**STUDY_EXAMPLE, "studyInstanceUID": f"1.2.{number}"})
    assert answer.status_code == 201


async def test_the_feed_is_read_in_order_and_to_its_end(client_as: Any) -> None:
    client = await client_as("radiographer")
    for number in range(5):
        await register(client, number)
    first = (await client.get(f"{CHANGES}?limit=3")).json()
    assert [event["body"]["study_instance_uid"] for event in first["events"]] == ["1.2.0", "1.2.1", "1.2.2"]
    assert first["more"] is True
    rest = (await client.get(f"{CHANGES}?after={first['next']}")).json()
    assert [event["body"]["study_instance_uid"] for event in rest["events"]] == ["1.2.3", "1.2.4"]
    end = (await client.get(f"{CHANGES}?after={rest['next']}")).json()
    assert end == {"events": [], "next": rest["next"], "more": False}
    for query in ("limit=0", "limit=1001", "after=-1", "after=x", "colour=red"):
        assert (await client.get(f"{CHANGES}?{query}")).status_code == 400


async def test_a_stream_resumes_and_wakes(service: Any, client_as: Any) -> None:
    client = await client_as("radiographer")
    await register(client, 1)
    feed: Feed = service.state.feed
    stream = feed.stream(after=0, facility_codes=None)
    assert await anext(stream) == b"retry: 2000\n\n"
    frame = await asyncio.wait_for(anext(stream), 5)
    name, data = frame.split(b"\n")[1:3]
    assert name == b"event: radiology.study.registered.v1"
    assert orjson.loads(data.removeprefix(b"data: "))["body"]["study_instance_uid"] == "1.2.1"
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.05)
    await register(client, 2)
    assert b"1.2.2" in await asyncio.wait_for(waiting, 5)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.05)
    feed.stop_streams()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(waiting, 5)


async def test_application_entities(client_as: Any) -> None:
    administrator, referrer = await client_as("administrator"), await client_as("referrer")
    address = "/api/radiology/application-entities"
    assert (await referrer.get(address)).status_code == 403
    made = await administrator.put(
        f"{address}/CT1", json={"host": "10.0.0.5", "port": 104, "services": ["echo", "store"]}
    )
    assert made.status_code == 200
    assert (await administrator.get(f"{address}/CT1")).json() == made.json()
    assert [each["aeTitle"] for each in (await administrator.get(address)).json()["results"]] == ["CT1"]
    assert (await administrator.put(f"{address}/A-TITLE-THAT-IS-TOO-LONG", json={})).status_code == 422
    assert (await administrator.put(f"{address}/CT2", json={"port": 0})).status_code == 422
    assert (await administrator.put(f"{address}/CT2", json={"services": ["sing"]})).status_code == 422
    assert (await administrator.delete(f"{address}/CT1")).status_code == 204
    assert (await administrator.get(f"{address}/CT1")).status_code == 404
