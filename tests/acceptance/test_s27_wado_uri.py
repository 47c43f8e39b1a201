"""Scenario 27: WADO-URI needs the three UIDs, and finds only what is there."""

import pytest

import make
from conftest import ClientAs
from radiology.app import App

pytestmark = pytest.mark.anyio


async def test_s27_a_missing_uid_is_400_and_an_unknown_one_404(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app)
    client = await client_as("radiologist")
    asked = {
        "requestType": "WADO",
        "studyUID": stored.study_instance_uid,
        "seriesUID": stored.series_instance_uid,
        "objectUID": stored.sop_instance_uid,
        "contentType": "application/dicom",
    }
    there = await client.get("/wado", params=asked)
    assert (there.status_code, there.content) == (200, stored.files[stored.sop_instance_uid])
    for name in ("objectUID", "seriesUID", "studyUID", "requestType"):
        rest = {key: value for key, value in asked.items() if key != name}
        refused = await client.get("/wado", params=rest)
        assert refused.status_code == 400
        assert name in refused.json()["detail"]
    for name in ("objectUID", "seriesUID", "studyUID"):
        assert (await client.get("/wado", params=asked | {name: "1.2.3"})).status_code == 404, name
