"""Moves over REST: asked for, sent by the worker, again where something failed, cancelled."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pynetdicom import AE, AllStoragePresentationContexts, evt

import make
from node import free_port
from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.delivery.moves.actions import move
from radiology.kit.jobs import Later
from radiology.studies.archive import open_archive

pytestmark = pytest.mark.anyio

PATH = "/api/radiology/dicom/move"


@contextmanager
def receiver(port: int, refuses: set[str] | None = None) -> Iterator[list[str]]:
    """A storage SCP that keeps what it has taken; it answers A700 to what it `refuses`."""
    taken: list[str] = []

    def store(event: evt.Event) -> int:
        uid = str(event.request.AffectedSOPInstanceUID)
        if uid in (refuses or set()):
            return 0xA700
        taken.append(uid)
        return 0

    ae = AE(ae_title="DEST")
    ae.supported_contexts = AllStoragePresentationContexts[:120]
    server = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    try:
        yield taken
    finally:
        server.shutdown()


async def a_destination(app: App, port: int, **changes: Any) -> None:
    async with app.db.transaction() as tx:
        entity = ApplicationEntity("DEST", "127.0.0.1", port, move_destination=True, **changes)
        await entities.save(tx, entity)


async def do(app: App, job: str) -> None:
    with open_archive(app) as archive:
        await move(archive, {"move": job})


@pytest.mark.peer("Storage (SCU)", "pynetdicom")
async def test_a_study_is_moved_and_every_instance_is_told(app: App, client_as: Any) -> None:
    client, study, port = await client_as("radiographer"), await make.a_study(app, instances=12), free_port()
    await a_destination(app, port)
    answer = await client.post(PATH, json={"studyInstanceUID": study.study_instance_uid, "destinationAE": "DEST"})
    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["remaining"]) == ("queued", 12)
    with receiver(port) as taken:
        await do(app, answer.json()["jobId"])
        await do(app, answer.json()["jobId"])  # A job that is run twice sends nothing twice.
    assert sorted(taken) == sorted(study.files)
    shown = (await client.get(answer.headers["location"])).json()
    assert (shown["status"], shown["completed"], shown["failed"], shown["failedSOPInstanceUIDs"]) == (
        "completed",
        12,
        0,
        [],
    )
    assert {one["result"] for one in shown["instances"]} == {"completed"}
    listed = (await client.get(PATH)).json()["results"]
    assert [one["jobId"] for one in listed] == [answer.json()["jobId"]]


@pytest.mark.peer("Storage (SCU)", "pynetdicom")
async def test_only_what_failed_is_sent_again(app: App, client_as: Any) -> None:
    client, study, port = await client_as("radiographer"), await make.a_study(app, instances=10), free_port()
    await a_destination(app, port)
    bad = study.sop_instance_uid
    asked = {"studyInstanceUID": study.study_instance_uid, "destinationAE": "DEST"}
    job = (await client.post(PATH, json=asked)).json()["jobId"]
    with receiver(port, {bad}) as taken, pytest.raises(Later) as later:
        await do(app, job)
    assert (len(taken), later.value.seconds) == (9, 60)
    shown = (await client.get(f"{PATH}/{job}")).json()
    assert (shown["status"], shown["failed"], shown["failedSOPInstanceUIDs"]) == ("waiting", 1, [bad])
    assert "A700" in shown["sentence"]
    port_again = free_port()
    await a_destination(app, port_again)
    with receiver(port_again) as again:
        await do(app, job)
    assert again == [bad]
    assert (await client.get(f"{PATH}/{job}")).json()["status"] == "completed"


async def test_a_destination_that_is_away_fails_after_three_more_attempts(app: App, client_as: Any) -> None:
    client, study = await client_as("radiographer"), await make.a_study(app, instances=2)
    await a_destination(app, free_port())
    asked = {"studyInstanceUID": study.study_instance_uid, "destinationAE": "DEST"}
    job = (await client.post(PATH, json=asked)).json()["jobId"]
    for minutes in (1, 5, 15):
        with pytest.raises(Later) as later:
            await do(app, job)
        assert later.value.seconds == minutes * 60
    await do(app, job)
    shown = (await client.get(f"{PATH}/{job}")).json()
    assert (shown["status"], shown["failed"], shown["attempts"]) == ("failed", 2, 4)
    assert "DEST" in shown["sentence"]


async def test_what_cannot_be_moved_is_refused(app: App, client_as: Any) -> None:
    client, study = await client_as("radiographer"), await make.a_study(app)
    asked = {"studyInstanceUID": study.study_instance_uid, "destinationAE": "DEST"}
    unknown = await client.post(PATH, json=asked)
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "destinationAE")
    await a_destination(app, free_port())
    assert (await client.post(PATH, json=asked | {"studyInstanceUID": "2.25.404"})).status_code == 404
    assert (await client.post(PATH, json=asked | {"seriesInstanceUID": "2.25.404"})).status_code == 404
    assert (await client.post(PATH, json={"destinationAE": "DEST"})).status_code == 422
    assert (await (await client_as("referrer")).post(PATH, json=asked)).status_code == 403


async def test_a_cancelled_move_sends_nothing_more(app: App, client_as: Any) -> None:
    client, study, port = await client_as("radiographer"), await make.a_study(app, instances=3), free_port()
    await a_destination(app, port)
    asked = {"studyInstanceUID": study.study_instance_uid, "destinationAE": "DEST"}
    job = (await client.post(PATH, json=asked)).json()["jobId"]
    assert (await client.delete(f"{PATH}/{job}")).json()["status"] == "cancelled"
    with receiver(port) as taken:
        await do(app, job)
    assert taken == []
    assert (await client.delete(f"{PATH}/{job}")).status_code == 409
