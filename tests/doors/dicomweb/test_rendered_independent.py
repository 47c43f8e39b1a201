"""Pictures over a real port: dicomweb-client as an independent judge, and a client that hangs up."""

import asyncio
import time
from collections.abc import AsyncIterator
from io import BytesIO

import numpy as np
import pytest
from dicomweb_client import DICOMwebClient
from fastapi import FastAPI
from PIL import Image

import make
from radiology.access import accounts
from radiology.app import App
from radiology.kit.cpu import LimitedProcesses
from served import served

pytestmark = pytest.mark.anyio

FRAMES = np.stack([np.full((8, 8), value, np.uint8) for value in (10, 90, 200)])


@pytest.fixture
async def token(app: App) -> str:
    await accounts.make_account(app, "judge", role="radiologist")
    return await accounts.make_token(app, "judge", role="radiologist")


@pytest.fixture
async def port(service: FastAPI) -> AsyncIterator[int]:
    async with served(service) as opened:
        yield opened


async def of_frames(app: App) -> make.Stored:
    return await make.a_study(
        app, Rows=8, Columns=8, BitsAllocated=8, BitsStored=8, HighBit=7, NumberOfFrames=3, PixelData=FRAMES.tobytes()
    )


@pytest.mark.peer("DICOMweb Retrieve (origin server)", "dicomweb-client")
async def test_it_retrieves_pictures(app: App, port: int, token: str) -> None:
    stored = await of_frames(app)
    uids = (stored.study_instance_uid, stored.series_instance_uid)
    judge = DICOMwebClient(f"http://127.0.0.1:{port}/dicomweb", headers={"Authorization": f"Bearer {token}"})
    try:
        instance = (*uids, stored.sop_instance_uid)
        for retrieve, arguments, value in (
            (judge.retrieve_instance_rendered, instance, 90),
            (judge.retrieve_instance_frames_rendered, (*instance, [3]), 200),
            (judge.retrieve_series_rendered, uids, 90),
        ):
            body = await asyncio.to_thread(retrieve, *arguments, media_types=("image/png",))
            assert int(np.asarray(Image.open(BytesIO(body))).max()) == value
        asked = {"window": "100,2,LINEAR", "viewport": "16,16"}
        body = await asyncio.to_thread(
            judge.retrieve_instance_rendered, *instance, media_types=("image/png",), params=asked
        )
        assert Image.open(BytesIO(body)).size == (16, 16)
    finally:
        judge._session.close()


async def test_a_client_that_hangs_up_gives_its_place_up(app: App, service: FastAPI, port: int, token: str) -> None:
    stored = await of_frames(app)
    url = f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
    url = f"{url}/instances/{stored.sop_instance_uid}/frames/1/rendered"
    decoders: LimitedProcesses = service.state.decoders
    decoders.count = 1
    assert await decoders.call(len, "warm") == 4
    busy = asyncio.create_task(decoders.call(time.sleep, 1.0))
    head = f"GET {url} HTTP/1.1\r\nHost: radiology.test\r\nAuthorization: Bearer {token}\r\n\r\n"
    _, leaving = await asyncio.open_connection("127.0.0.1", port)
    leaving.write(head.encode())
    async with asyncio.timeout(5):
        while decoders.waiting == 0:  # noqa: ASYNC110 - a queue of threads has no event to wait for.
            await asyncio.sleep(0.01)
    leaving.close()
    await leaving.wait_closed()
    await busy
    before = service.state.pictures.size_bytes
    assert await decoders.call(len, "next") == 4
    assert service.state.pictures.size_bytes == before == 0, "nobody made the picture that nobody waits for"
