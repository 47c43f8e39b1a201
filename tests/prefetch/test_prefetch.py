"""Earlier studies come from an old archive when a study arrives or a procedure is scheduled. Orthanc is the archive."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

import make
from node import Node, free_port, running_node
from orthanc import AE_TITLE, orthanc
from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.kit import outbox
from radiology.kit.jobs import Later
from radiology.prefetch.actions import run
from radiology.prefetch.following import follow_events
from radiology.remotes.pulls.actions import pull
from radiology.settings import Settings
from radiology.studies.archive import open_archive

pytestmark = pytest.mark.anyio

RULES = "/api/radiology/prefetch-rules"
PREFETCHES = "/api/radiology/prefetches"
KARIM = {"PatientID": "DMC-1", "PatientName": "KARIM^ABDUL", "PatientBirthDate": "19800115", "PatientSex": "M"}
SALMA = {"PatientID": "DMC-1", "PatientName": "BEGUM^SALMA", "PatientBirthDate": "19920301", "PatientSex": "F"}


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


async def register(app: App, *known: ApplicationEntity) -> None:
    async with app.db.transaction() as tx:
        for entity in known:
            await entities.save(tx, entity)


def fill(port: int, folder: Path, *images: Dataset) -> None:
    paths = [folder / f"{image.SOPInstanceUID}.dcm" for image in images]
    for path, image in zip(paths, images, strict=True):
        path.write_bytes(make.as_file(image))
    subprocess.run(["storescu", "-aec", AE_TITLE, "127.0.0.1", str(port), *paths], check=True, timeout=20)


async def follow(app: App) -> int:
    async with app.db.transaction() as tx:
        await outbox.place(tx)
    return await follow_events(app)


async def values(app: App, statement: Any) -> list[Any]:
    async with app.db.transaction() as tx:
        return await tx.values(statement)


async def do(app: App) -> None:
    """Do what waits: the prefetch, what it has fetched, and the prefetch again."""
    (prefetch,) = await values(app, "SELECT id::text FROM prefetches")
    with open_archive(app) as archive:
        try:
            await run(archive, {"prefetch": prefetch})
        except Later:
            for job in await values(app, "SELECT id::text FROM pulls WHERE status = 'queued'"):
                await pull(archive, {"pull": job})
            await run(archive, {"prefetch": prefetch})


@pytest.mark.peer("Query/Retrieve FIND (SCU)", "Orthanc")
async def test_priors_are_fetched_and_sent_on_when_a_study_arrives(
    app: App, client_as: Any, node: Node, tmp_path: Path
) -> None:
    client = await client_as("administrator")
    old = make.an_object(**KARIM, StudyDate="20250310", StudyDescription="CT Chest")
    knee = make.an_object(**KARIM, StudyDate="20250410", Modality="DX", StudyDescription="X-ray knee")
    other = make.an_object(**SALMA, StudyDate="20250510", StudyDescription="CT Chest")
    with orthanc(node, tmp_path / "orthanc") as peer:
        await asyncio.to_thread(fill, peer.dicom_port, tmp_path, old, knee, other)
        await register(
            app,
            ApplicationEntity(AE_TITLE, "127.0.0.1", peer.dicom_port),
            ApplicationEntity("READING1", "127.0.0.1", free_port(), move_destination=True),
        )
        rule = {"name": "CT", "conditions": {"modalities": ["CT"]}, "sources": [AE_TITLE], "destinations": ["READING1"]}
        assert (await client.post(RULES, json=rule | {"sources": ["NOBODY"]})).status_code == 422
        made = await client.post(RULES, json=rule)
        assert made.status_code == 201
        assert (await client.post(RULES, json=rule)).status_code == 409
        new = await make.a_study(app, **KARIM, StudyDate="20260121", StudyDescription="CT Chest")
        assert await follow(app) == 1
        assert await follow(app) == 0

        tried = (await client.post(f"{RULES}/{made.json()['id']}/dry-run?study={new.study_instance_uid}")).json()
        assert [one["studyInstanceUID"] for one in tried["results"] if one["chosen"]] == [old.StudyInstanceUID]
        await do(app)
        (shown,) = (await client.get(PREFETCHES, params={"study": new.study_instance_uid})).json()["results"]
        assert (shown["state"], shown["rule"], shown["cause"]) == ("done", "CT", "study-arrived")
        reasons = {one["studyInstanceUID"]: (one["chosen"], one["pullStatus"]) for one in shown["studies"]}
        assert reasons[old.StudyInstanceUID] == (True, "completed")
        assert reasons[knee.StudyInstanceUID] == (False, None)
        assert reasons[other.StudyInstanceUID] == (False, None)
        assert set(await values(app, "SELECT study_instance_uid FROM imaging_studies")) == {
            new.study_instance_uid, old.StudyInstanceUID,
        }  # fmt: skip
        moved = "SELECT s.study_instance_uid FROM moves m JOIN imaging_studies s ON s.id = m.study_id"
        assert await values(app, moved) == [old.StudyInstanceUID]
        # What was fetched is no new study: nothing is fetched for it.
        assert await follow(app) == 0


@pytest.mark.peer("Query/Retrieve FIND (SCU)", "Orthanc")
async def test_priors_are_there_before_the_patient(app: App, client_as: Any, node: Node, tmp_path: Path) -> None:
    client = await client_as("administrator")
    old = make.an_object(**KARIM, StudyDate="20250310", StudyDescription="CT Brain")
    with orthanc(node, tmp_path / "orthanc") as peer:
        await asyncio.to_thread(fill, peer.dicom_port, tmp_path, old)
        await register(app, ApplicationEntity(AE_TITLE, "127.0.0.1", peer.dicom_port))
        await client.post(RULES, json={"name": "all", "sources": [AE_TITLE]})
        item = {
            "patient": {"id": "DMC-1", "name": "Karim^Abdul", "birthDate": "1980-01-15", "sex": "M"},
            "modality": "CT", "start": "2026-01-22T10:00:00+06:00", "requestedProcedure": "CT head",
        }  # fmt: skip
        placed = await (await client_as("radiographer")).post("/api/radiology/worklist", json=item)
        assert placed.status_code == 201, placed.text
        assert await follow(app) == 1
        await do(app)
        assert await values(app, "SELECT study_instance_uid FROM imaging_studies") == [old.StudyInstanceUID]


async def test_an_archive_that_is_away_is_asked_again_and_said(app: App, client_as: Any) -> None:
    client = await client_as("administrator")
    await register(app, ApplicationEntity("AWAY", "127.0.0.1", free_port()))
    await client.post(RULES, json={"name": "all", "sources": ["AWAY"]})
    await make.a_study(app, **KARIM, StudyDate="20260121")
    assert await follow(app) == 1
    (prefetch,) = await values(app, "SELECT id::text FROM prefetches")
    with open_archive(app) as archive:
        for seconds in (60, 300, 900):
            with pytest.raises(Later) as later:
                await run(archive, {"prefetch": prefetch})
            assert later.value.seconds == seconds
        await run(archive, {"prefetch": prefetch})
    (shown,) = (await client.get(PREFETCHES)).json()["results"]
    assert (shown["state"], shown["attempts"]) == ("done", 4)


async def test_studies_of_long_ago_fetch_nothing(app: App, client_as: Any) -> None:
    client = await client_as("administrator")
    await client.post(RULES, json={"name": "all"})
    await make.a_study(app, **KARIM, StudyDate="20200121")
    assert await follow(app) == 0
