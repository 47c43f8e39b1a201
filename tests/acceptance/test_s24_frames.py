"""Scenario 24: frames come as parts in the order asked; 0 is no frame, and one that is not there is not found."""

import pytest

import make
from conftest import ClientAs
from multipart import parts_of
from radiology.app import App

pytestmark = pytest.mark.anyio


async def test_s24_frames_come_in_order_and_others_are_refused(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, NumberOfFrames=3, PixelData=bytes(range(96)))
    series = f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
    frames = f"{series}/instances/{stored.sop_instance_uid}/frames"
    client = await client_as("radiologist")
    answer = await client.get(f"{frames}/1,3")
    assert answer.status_code == 200
    assert [part for _, part in parts_of(answer)] == [bytes(range(32)), bytes(range(64, 96))]
    statuses = {"0": 400, "1,0": 400, "x": 400, "1,": 400, "-1": 400, "999": 404, "1,4": 404}
    for numbers, status in statuses.items():
        assert (await client.get(f"{frames}/{numbers}")).status_code == status, numbers
