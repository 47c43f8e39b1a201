"""dicomweb-client as an independent judge, over a real port."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO

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
    """A client of somebody else's making, signed in as a radiologist.

    It leaves the port out of the header Host, so the service is told where it is called.
    """
    await accounts.make_account(app, "judge", role="radiologist")
    token = await accounts.make_token(app, "judge", role="radiologist")
    async with served(service) as port:
        settings = app.settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})
        service.state.app = replace(app, settings=settings)
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


@pytest.mark.peer("DICOMweb Store (origin server)", "dicomweb-client")
async def test_it_stores_and_is_told_what_failed(judge: DICOMwebClient) -> None:
    made = [make.an_object(StudyInstanceUID="1.2.3.4", PatientID="77") for _ in range(3)]
    # Read from files, since the client writes no preamble of its own.
    images = [pydicom.dcmread(BytesIO(make.as_file(image))) for image in made]
    answer = await asyncio.to_thread(judge.store_instances, images)
    assert [item.ReferencedSOPInstanceUID for item in answer.ReferencedSOPSequence] == [
        image.SOPInstanceUID for image in images
    ]
    assert answer.RetrieveURL.endswith("/studies/1.2.3.4")
    assert len(await asyncio.to_thread(judge.search_for_instances, "1.2.3.4")) == 3
    image = images[0]
    uids = (image.StudyInstanceUID, image.SeriesInstanceUID, image.SOPInstanceUID)
    assert await asyncio.to_thread(judge.retrieve_instance, *uids) == image
    image.PixelData = bytes(32)
    with pytest.raises(Exception, match="409"):
        await asyncio.to_thread(judge.store_instances, [image])


@pytest.mark.peer("DICOMweb Search (origin server)", "dicomweb-client")
async def test_it_pages_filters_and_asks_for_attributes(app: App, judge: DICOMwebClient) -> None:
    for number in range(5):
        await make.a_study(app, PatientID=f"P{number}", StudyDate=f"2026010{number + 1}")
    first = await asyncio.to_thread(judge.search_for_studies, limit=2, offset=1)
    assert [study["00100020"]["Value"] for study in first] == [["P3"], ["P2"]]
    everything = await asyncio.to_thread(judge.search_for_studies, limit=2, get_remaining=True)
    assert len(everything) == 5
    dates, name = {"StudyDate": "20260102-20260103"}, {"PatientName": "Rohman"}
    fields = ["InstitutionName", "00081010"]
    assert len(await asyncio.to_thread(judge.search_for_studies, fields=fields, search_filters=dates)) == 2
    assert len(await asyncio.to_thread(judge.search_for_studies, fuzzymatching=True, search_filters=name)) == 5
    assert await asyncio.to_thread(judge.search_for_studies, search_filters={"PatientID": "nobody"}) == []


@pytest.mark.peer("DICOMweb Retrieve (origin server)", "dicomweb-client")
async def test_it_retrieves_bulk_data_frames_and_pictures(app: App, judge: DICOMwebClient) -> None:
    pixels = bytes(range(256)) * 64
    stored = await make.a_study(app, instances=2, Rows=64, Columns=64, NumberOfFrames=2, PixelData=pixels)
    uids = (stored.study_instance_uid, stored.series_instance_uid, stored.sop_instance_uid)
    metadata = await asyncio.to_thread(judge.retrieve_instance_metadata, *uids)
    url = metadata["7FE00010"]["BulkDataURI"]
    assert await asyncio.to_thread(judge.retrieve_bulkdata, url) == [pixels]
    assert b"".join(await asyncio.to_thread(lambda: list(judge.iter_bulkdata(url)))) == pixels
    frames = await asyncio.to_thread(lambda: list(judge.iter_instance_frames(*uids, [1, 2])))
    assert frames == [pixels[:8192], pixels[8192:]]
    files = await asyncio.to_thread(lambda: list(judge.iter_study(uids[0])))
    assert files == stored.objects
    assert len(await asyncio.to_thread(judge.retrieve_study_metadata, uids[0])) == 2
    rendered = await asyncio.to_thread(judge.retrieve_instance_frames_rendered, *uids, [1])
    assert rendered[:2] == b"\xff\xd8"
