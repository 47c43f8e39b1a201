"""Exposure indices over REST: each image with its colour, and shares by machine and projection."""

from typing import Any

import pytest
from pydicom.uid import DigitalXRayImageStorageForPresentation, generate_uid

import make
from dose_reading import settle

pytestmark = pytest.mark.anyio
PATH = "/api/radiology/quality/exposure"


async def chests(app, *indices: float | None) -> make.Stored:
    shared: dict[str, Any] = {
        "StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid(), "PatientID": "P1", "Modality": "DX",
        "SOPClassUID": DigitalXRayImageStorageForPresentation, "BodyPartExamined": "CHEST", "ViewPosition": "PA",
        "TargetExposureIndex": 400, "AcquisitionDate": "20260120",
    }  # fmt: skip
    return await make.store(app, *(make.an_object(**shared, ExposureIndex=index) for index in indices))


async def test_each_image_has_its_colour(app, client_as):
    stored = await chests(app, 400, 600, 900, None)
    await settle(app)

    told = (await (await client_as("radiographer")).get(f"{PATH}/studies/{stored.study_instance_uid}")).json()

    by_index = {each["exposureIndex"]: (each["deviationIndex"], each["colour"]) for each in told["results"]}
    assert by_index == {400: (0, "green"), 600: (1.8, "amber"), 900: (3.5, "red"), None: (None, None)}
    assert set(told["texts"]) == {"green", "amber", "red"}
    last = (await (await client_as("radiologist")).get(f"{PATH}/devices/NOBODY/last")).json()
    assert last["results"] == []


async def test_shares_and_median_are_of_images_that_tell_an_index(app, client_as):
    await chests(app, 400, 420, 600, 900, None)
    await settle(app)
    quality = await client_as("qa")

    told = (await quality.get(f"{PATH}/deviations")).json()

    assert told["results"] == [
        {
            "facilityCode": "LOCAL", "aeTitle": "", "modality": "DX", "bodyPart": "CHEST", "view": "PA", "images": 5,
            "n": 4, "within1": 0.5, "within3": 0.75, "median": 1.0,
        }
    ]  # fmt: skip
    assert "CHEST,PA,5,4,0.5,0.75" in (await quality.get(f"{PATH}/deviations.csv")).text
    assert (await quality.get(f"{PATH}/deviations", params={"date_to": "2026-01-19"})).json()["results"] == []
    assert (await quality.get(f"{PATH}/deviations", params={"date_from": "2027-01-19"})).status_code == 400
    assert (await (await client_as("radiographer")).get(f"{PATH}/deviations")).status_code == 403
