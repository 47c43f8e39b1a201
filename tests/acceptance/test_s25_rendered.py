"""Scenario 25: a picture of the size and the window asked for; MONOCHROME1 is turned once; quality=101 is refused."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import make
from conftest import ClientAs
from radiology.app import App

pytestmark = pytest.mark.anyio

SIDE = 512


def shades(body: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(body))).astype(int)


async def test_s25_rendered(app: App, client_as: ClientAs) -> None:
    # From left to right 0 to 80 HU: the left half of the window 40,400 begins at -160.
    hounsfield = np.tile(np.linspace(-160, 240, SIDE), (SIDE, 1))
    size = {"Rows": SIDE, "Columns": SIDE, "RescaleIntercept": "-1024", "RescaleSlope": "1"}
    pixels = (hounsfield + 1024).astype("<u2").tobytes()
    stored = await make.a_study(app, **size, PixelData=pixels)
    film = await make.a_study(app, **size, PixelData=pixels, PhotometricInterpretation="MONOCHROME1")
    client = await client_as("radiologist")

    def url(of: make.Stored) -> str:
        series = f"/dicomweb/studies/{of.study_instance_uid}/series/{of.series_instance_uid}"
        return f"{series}/instances/{of.sop_instance_uid}/rendered?window=40,400,LINEAR&viewport=256,256"

    answer = await client.get(url(stored))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    shown = shades(answer.content)
    assert shown.shape == (256, 256)
    assert np.abs(shown[128] - np.linspace(0, 255, 256)).max() <= 3
    turned = shades((await client.get(url(film))).content)
    assert np.abs(turned[128] - np.linspace(255, 0, 256)).max() <= 3
    refused = await client.get(url(stored) + "&quality=101")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "quality"
