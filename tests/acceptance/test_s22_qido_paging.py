"""Scenario 22: QIDO-RS pages through a stable order; a bad date is refused; no match is an empty list."""

import pytest

import make
from conftest import ClientAs
from radiology.app import App

pytestmark = pytest.mark.anyio


async def test_s22_qido_pages_in_a_stable_order(app: App, client_as: ClientAs) -> None:
    images = [make.an_object(StudyDate=f"202601{1 + number % 9:02}", StudyTime="101500") for number in range(25)]
    await make.store(app, *images)
    expected = [
        str(image.StudyInstanceUID)
        for image in sorted(sorted(images, key=lambda one: one.StudyInstanceUID), key=lambda one: -int(one.StudyDate))
    ]
    client = await client_as("radiologist")
    answer = await client.get("/dicomweb/studies?limit=10&offset=10")
    assert answer.status_code == 200
    assert [study["0020000D"]["Value"][0] for study in answer.json()] == expected[10:20]
    assert answer.headers["warning"].startswith("299 ")
    assert "There are 5 additional results that can be requested" in answer.headers["warning"]
    assert (await client.get("/dicomweb/studies?StudyDate=20261399")).status_code == 400
    nothing = await client.get("/dicomweb/studies?PatientID=nobody")
    assert (nothing.status_code, nothing.json()) == (200, [])
