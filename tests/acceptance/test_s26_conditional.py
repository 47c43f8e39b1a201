"""Scenario 26: what the client has already is not sent again; of bulk data a range of bytes can be had."""

import pytest

import make
from conftest import ClientAs
from radiology.app import App

pytestmark = pytest.mark.anyio


async def test_s26_an_etag_gives_304_and_a_range_206(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app)
    series = f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
    instance = f"{series}/instances/{stored.sop_instance_uid}"
    client = await client_as("radiologist")
    for path in (instance, f"{instance}/metadata", f"{instance}/frames/1", f"{instance}/bulkdata/7FE00010"):
        etag = (await client.get(path)).headers["etag"]
        again = await client.get(path, headers={"if-none-match": etag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag), path
    part = await client.get(f"{instance}/bulkdata/7FE00010", headers={"range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, bytes([4, 5, 6, 7]))
    assert part.headers["content-range"] == "bytes 4-7/32"
    beyond = await client.get(f"{instance}/bulkdata/7FE00010", headers={"range": "bytes=32-40"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */32")
