"""Another archive over DICOMweb and DIMSE: asked, fetched from, sent to, and looked after. Orthanc at the other end."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import make
from node import Node, free_port, running_node
from orthanc import AE_TITLE, Orthanc, orthanc
from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.delivery.moves.actions import move
from radiology.kit.jobs import Later
from radiology.remotes.health.actions import check_due
from radiology.remotes.pulls.actions import pull
from radiology.settings import Settings
from radiology.studies.archive import open_archive

pytestmark = pytest.mark.anyio

REMOTES = "/api/radiology/remotes"
QUERY = "/api/radiology/dicom/query"
MOVE = "/api/radiology/dicom/move"
PULLS = "/api/radiology/pulls"


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


async def register(app: App, entity: ApplicationEntity) -> None:
    async with app.db.transaction() as tx:
        await entities.save(tx, entity)


def web(peer: Orthanc, title: str = "CLOUD", **fields: Any) -> ApplicationEntity:
    """Orthanc as a record that is called by DICOMweb."""
    return ApplicationEntity(title, dicomweb_url=f"http://127.0.0.1:{peer.http_port}/dicom-web", **fields)


def fill(peer: Orthanc, folder: Path, instances: int = 3) -> tuple[str, list[str]]:
    """One study in Orthanc; its UID and those of its instances."""
    first = make.an_object(PatientID="REMOTE1", PatientName="Begum^Salma", AccessionNumber="R77")
    images = [first] + [
        make.an_object(
            StudyInstanceUID=first.StudyInstanceUID, SeriesInstanceUID=first.SeriesInstanceUID, PatientID="REMOTE1",
            PatientName="Begum^Salma", AccessionNumber="R77", InstanceNumber=number + 2,
        )
        for number in range(instances - 1)
    ]  # fmt: skip
    paths = []
    for number, image in enumerate(images):
        paths.append(folder / f"{number}.dcm")
        paths[-1].write_bytes(make.as_file(image))
    subprocess.run(["storescu", "-aec", AE_TITLE, "127.0.0.1", str(peer.dicom_port), *paths], check=True, timeout=20)
    return first.StudyInstanceUID, [image.SOPInstanceUID for image in images]


async def run_pull(app: App, job: str) -> None:
    with open_archive(app) as archive:
        await pull(archive, {"pull": job})


@pytest.mark.peer("DICOMweb (client)", "Orthanc")
async def test_a_study_is_found_and_fetched_over_dicomweb(app: App, client_as: Any, node: Node, tmp_path: Path) -> None:
    client = await client_as("radiographer")
    with orthanc(node, tmp_path / "orthanc", dicomweb=True) as peer:
        study, uids = await asyncio.to_thread(fill, peer, tmp_path)
        await register(app, web(peer, facility_code="DMCH"))
        body = {"level": "STUDY", "query": {"PatientName": "BEGUM*"}, "remote": "CLOUD"}
        answer = (await client.post(QUERY, json=body)).json()
        assert (answer["total"], answer["totalIsExact"]) == (1, True)
        assert answer["results"][0]["0020000D"]["Value"] == [study]
        assert answer["results"][0]["00080050"]["Value"] == ["R77"]
        images = (await client.post(QUERY, json=body | {"level": "IMAGE", "query": {"StudyInstanceUID": study}})).json()
        assert {one["00080018"]["Value"][0] for one in images["results"]} == set(uids)

        asked = await client.post(f"{REMOTES}/CLOUD/pull", json={"studyInstanceUID": study})
        assert (asked.status_code, asked.json()["status"]) == (202, "queued")
        again = await client.post(f"{REMOTES}/CLOUD/pull", json={"studyInstanceUID": study})
        assert again.json()["jobId"] == asked.json()["jobId"]
        await run_pull(app, asked.json()["jobId"])
        shown = (await client.get(asked.headers["location"])).json()
        assert (shown["status"], shown["total"], shown["came"]) == ("completed", 3, 3)
        assert await stored(app) == set(uids)
        await run_pull(app, asked.json()["jobId"])
        listed = (await client.get(PULLS)).json()["results"]
        assert [one["jobId"] for one in listed] == [asked.json()["jobId"]]


@pytest.mark.peer("DICOMweb (client)", "Orthanc")
async def test_a_study_is_sent_over_dicomweb(app: App, client_as: Any, node: Node, tmp_path: Path) -> None:
    client, study = await client_as("radiographer"), await make.a_study(app, instances=25)
    with orthanc(node, tmp_path / "orthanc", dicomweb=True) as peer:
        await register(app, web(peer, move_destination=True))
        body = {"studyInstanceUID": study.study_instance_uid, "destinationAE": "CLOUD"}
        answer = await client.post(MOVE, json=body)
        with open_archive(app) as archive:
            await move(archive, {"move": answer.json()["jobId"]})
        shown = (await client.get(answer.headers["location"])).json()
        assert (shown["status"], shown["completed"], shown["failed"]) == ("completed", 25, 0)
        there = await asyncio.to_thread(peer.call, "GET", "/instances")
        assert len(there) == 25


@pytest.mark.peer("Query/Retrieve GET (SCU)", "Orthanc")
async def test_a_study_is_fetched_over_dimse_and_tried_again_while_the_archive_is_away(
    app: App, client_as: Any, node: Node, tmp_path: Path
) -> None:
    client = await client_as("radiographer")
    await register(app, ApplicationEntity(AE_TITLE, "127.0.0.1", free_port()))
    asked = await client.post(f"{REMOTES}/{AE_TITLE}/pull", json={"studyInstanceUID": "1.2.3"})
    with pytest.raises(Later) as later:
        await run_pull(app, asked.json()["jobId"])
    assert later.value.seconds == 60
    waiting = (await client.get(asked.headers["location"])).json()
    assert (waiting["status"], waiting["attempts"]) == ("waiting", 1)
    assert AE_TITLE in waiting["sentence"]
    assert (await client.delete(asked.headers["location"])).json()["status"] == "cancelled"
    await run_pull(app, asked.json()["jobId"])
    assert (await client.delete(asked.headers["location"])).status_code == 409

    with orthanc(node, tmp_path / "orthanc") as peer:
        study, uids = await asyncio.to_thread(fill, peer, tmp_path)
        await register(app, ApplicationEntity(AE_TITLE, "127.0.0.1", peer.dicom_port))
        asked = await client.post(f"{REMOTES}/{AE_TITLE}/pull", json={"studyInstanceUID": study})
        await run_pull(app, asked.json()["jobId"])
        assert (await client.get(asked.headers["location"])).json()["status"] == "completed"
        assert await stored(app) == set(uids)
        unknown = await client.post(f"{REMOTES}/{AE_TITLE}/pull", json={"studyInstanceUID": "1.2.3"})
        await run_pull(app, unknown.json()["jobId"])
        shown = (await client.get(unknown.headers["location"])).json()
        assert (shown["status"], shown["sentence"]) == ("failed", "The foreign archive lists no instances of it.")


@pytest.mark.peer("DICOMweb (client)", "Orthanc")
async def test_who_does_not_answer_is_known_and_since_when(
    app: App, client_as: Any, node: Node, tmp_path: Path
) -> None:
    client = await client_as("radiographer")
    with orthanc(node, tmp_path / "orthanc", dicomweb=True) as peer:
        await register(app, web(peer))
        await register(app, ApplicationEntity(AE_TITLE, "127.0.0.1", peer.dicom_port))
        await register(app, ApplicationEntity("AWAY", "127.0.0.1", free_port()))
        await register(app, ApplicationEntity("CALLSONLY"))
        assert await check_due(app) == 3
        assert await check_due(app) == 0
        found = {one["aeTitle"]: one for one in (await client.get(REMOTES)).json()["results"]}
        assert {title: one["answers"] for title, one in found.items()} == {
            "CLOUD": True, AE_TITLE: True, "AWAY": False,
        }  # fmt: skip
        assert found["CLOUD"]["protocol"] == "DICOMweb"
        assert found["AWAY"]["answeredAt"] is None
        assert "does not answer" in found["AWAY"]["sentence"]
    app.clock.advance(60)  # type: ignore[attr-defined]
    gone = (await client.post(f"{REMOTES}/CLOUD/check")).json()
    assert not gone["answered"]
    found = {one["aeTitle"]: one for one in (await client.get(REMOTES)).json()["results"]}
    assert (found["CLOUD"]["answers"], found["CLOUD"]["answeredAt"] < found["CLOUD"]["since"]) == (False, True)
    changes = await values(app, "SELECT body->>'ae_title' FROM outbox WHERE type = 'radiology.remote.state-changed.v1'")
    assert sorted(changes) == ["AWAY", "CLOUD"]


async def test_a_secret_is_never_answered_and_does_not_follow_to_another_place(client_as: Any, app: App) -> None:
    client = await client_as("administrator")
    path = "/api/radiology/application-entities/CLOUD"
    record = {"dicomwebUrl": "https://pacs.example.org/dicom-web/", "dicomwebUser": "u", "dicomwebSecret": "s3cret"}
    assert "s3cret" not in (await client.put(path, json=record)).text
    read = await client.get(path)
    assert "s3cret" not in read.text
    kept = {key: value for key, value in read.json().items() if key != "aeTitle"}
    assert (await client.put(path, json=kept)).status_code == 200
    assert await values(app, "SELECT dicomweb_secret FROM application_entities") == ["s3cret"]
    await client.put(path, json=kept | {"dicomwebUrl": "https://elsewhere.example.org"})
    assert await values(app, "SELECT dicomweb_secret FROM application_entities") == [""]
    assert (await client.put(path, json=kept | {"dicomwebUrl": "ftp://x"})).status_code == 422


async def stored(app: App) -> set[str]:
    return set(await values(app, "SELECT sop_instance_uid FROM instances"))


async def values(app: App, statement: Any) -> list[Any]:
    async with app.db.transaction() as tx:
        return await tx.values(statement)
