"""dicomweb-client as an independent judge, over a real port."""

import asyncio
from collections.abc import AsyncIterator

import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from fastapi import FastAPI

import make
from radiology.access import accounts
from radiology.app import App
from served import served

pytestmark = pytest.mark.anyio


@pytest.fixture
async def judge(service: FastAPI, app: App) -> AsyncIterator[DICOMwebClient]:
    """A client of somebody else's making, signed in as a radiologist."""
    await accounts.make_account(app, "judge", role="radiologist")
    token = await accounts.make_token(app, "judge", role="radiologist")
    async with served(service) as port:
        client = DICOMwebClient(f"http://127.0.0.1:{port}/dicomweb", headers={"Authorization": f"Bearer {token}"})
        yield client
        client._session.close()


async def test_it_searches_and_retrieves(app: App, judge: DICOMwebClient) -> None:
    stored = await make.a_study(app, instances=2, PatientID="77", NumberOfFrames=2, PixelData=bytes(range(64)))
    uids = (stored.study_instance_uid, stored.series_instance_uid)

    studies = await asyncio.to_thread(judge.search_for_studies, search_filters={"PatientName": "rahman*"})
    assert pydicom.Dataset.from_json(studies[0]).PatientID == "77"
    assert len(await asyncio.to_thread(judge.search_for_series, uids[0])) == 1
    assert len(await asyncio.to_thread(judge.search_for_instances, *uids)) == 2
    files = await asyncio.to_thread(judge.retrieve_series, *uids)
    assert [file.pixel_array.tolist() for file in files] == [one.pixel_array.tolist() for one in stored.objects]
    one = await asyncio.to_thread(judge.retrieve_instance, *uids, stored.sop_instance_uid)
    assert one == stored.objects[0]
    metadata = await asyncio.to_thread(judge.retrieve_series_metadata, *uids)
    assert [instance["00200013"]["Value"] for instance in metadata] == [[1], [2]]
    frames = await asyncio.to_thread(judge.retrieve_instance_frames, *uids, stored.sop_instance_uid, [2, 1])
    assert frames == [bytes(range(32, 64)), bytes(range(32))]
