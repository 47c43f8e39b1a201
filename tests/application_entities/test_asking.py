"""Another archive is asked over REST: the same body, the same shape of answer; what it does not do is said."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest

import make
from node import free_port, running_node
from orthanc import orthanc
from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.settings import Settings

pytestmark = pytest.mark.anyio

QUERY = "/api/radiology/dicom/query"


async def register(app: App, title: str, port: int) -> None:
    async with app.db.transaction() as tx:
        await entities.save(tx, ApplicationEntity(title, "127.0.0.1", port))


@pytest.mark.peer("Query/Retrieve FIND (SCU)", "Orthanc")
async def test_orthanc_is_asked_as_we_are(app: App, client_as: Any, settings: Settings, tmp_path: Path) -> None:
    client = await client_as("radiologist")
    image = make.an_object(PatientID="REMOTE1", PatientName="Begum^Salma", AccessionNumber="R77")
    path = tmp_path / "image.dcm"
    path.write_bytes(make.as_file(image))

    def fill(port: int) -> None:
        subprocess.run(["storescu", "-aec", "ORTHANC", "127.0.0.1", str(port), str(path)], check=True, timeout=20)

    with running_node(settings) as node, orthanc(node, tmp_path / "orthanc") as peer:
        await asyncio.to_thread(fill, peer.dicom_port)
        await register(app, "ORTHANC", peer.dicom_port)
        body = {"level": "STUDY", "query": {"PatientName": "BEGUM*", "StudyDescription": ""}, "remote": "ORTHANC"}
        answer = (await client.post(QUERY, json=body)).json()
        assert (answer["total"], answer["totalIsExact"], answer["remote"]) == (1, True, "ORTHANC")
        assert answer["results"][0]["0020000D"]["Value"] == [image.StudyInstanceUID]
        assert answer["results"][0]["00080050"]["Value"] == ["R77"]
        nothing = await client.post(QUERY, json=body | {"query": {"PatientID": "NOBODY"}})
        assert (nothing.status_code, nothing.json()["results"]) == (200, [])


async def test_an_archive_that_is_away_or_unknown_is_said(app: App, client_as: Any) -> None:
    client = await client_as("radiologist")
    body = {"level": "STUDY", "query": {"PatientID": "1"}, "remote": "AWAY"}
    assert (await client.post(QUERY, json=body)).status_code == 422
    await register(app, "AWAY", free_port())
    answer = await client.post(QUERY, json=body)
    assert answer.status_code == 502
    assert "AWAY cannot be asked" in answer.json()["detail"]
    assert (await client.post(QUERY, json=body | {"query": {"Nonsense": "1"}})).status_code == 400
