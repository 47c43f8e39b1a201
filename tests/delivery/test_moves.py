"""Moves over REST: asked for, sent by the worker, again where something failed, cancelled, retried."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pynetdicom import AE, AllStoragePresentationContexts, evt

import make
from node import free_port
from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.delivery import attempt, sending
from radiology.delivery.moves.actions import move, start_due
from radiology.delivery.moves.model import Counts, Status, status_after
from radiology.delivery.moves.schemas import MoveOut
from radiology.kit.clock import SetClock
from radiology.studies.archive import open_archive

pytestmark = pytest.mark.anyio

PATH = "/api/radiology/dicom/move"
SOMEBODY_WAITS = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted) FROM pg_sleep(0.01)"


@contextmanager
def receiver(
    port: int, refuses: set[str] | None = None, before: Callable[[int], None] = lambda _count: None
) -> Iterator[list[str]]:
    """A storage SCP that keeps what it has taken; it answers A700 to what it `refuses`.

    `before` is called before each answer with how many it has taken.
    """
    taken: list[str] = []

    def store(event: evt.Event) -> int:
        uid = str(event.request.AffectedSOPInstanceUID)
        if uid in (refuses or set()):
            return 0xA700
        taken.append(uid)
        before(len(taken))
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
    """What the worker does."""
    with open_archive(app) as archive:
        await move(archive, {"move": job})


async def end_job(app: App, how: str = "DELETE FROM jobs.procrastinate_jobs RETURNING 1") -> None:
    """What becomes of a job that was done."""
    async with app.db.transaction() as tx:
        await tx.value(how)  # type: ignore[arg-type]


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
    assert MoveOut.model_validate(shown).commitment.state == "none"
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
async def test_only_what_failed_is_sent_again_when_its_time_has_come(app: App, client_as: Any, clock: SetClock) -> None:
    client, study, port = await client_as("radiographer"), await make.a_study(app, instances=10), free_port()
    await a_destination(app, port)
    bad = study.sop_instance_uid
    asked = {"studyInstanceUID": study.study_instance_uid, "destinationAE": "DEST"}
    job = (await client.post(PATH, json=asked)).json()["jobId"]
    with receiver(port, {bad}) as taken:
        await do(app, job)
    await end_job(app)
    assert len(taken) == 9
    shown = (await client.get(f"{PATH}/{job}")).json()
    assert (shown["status"], shown["failed"], shown["failedSOPInstanceUIDs"]) == ("waiting", 1, [bad])
    assert "A700" in shown["sentence"]
    clock.advance(59)
    assert await start_due(app) == 0
    clock.advance(1)
    assert await start_due(app) == 1
    assert await start_due(app) == 0, "its job waits already"
    port_again = free_port()
    await a_destination(app, port_again)
    with receiver(port_again) as again:
        await do(app, job)
    assert again == [bad]
    assert (await client.get(f"{PATH}/{job}")).json()["status"] == "completed"


async def test_a_destination_that_is_away_fails_after_three_more_attempts_and_gets_all_on_retry(
    app: App, client_as: Any, clock: SetClock
) -> None:
    client, study, port = await client_as("radiographer"), await make.a_study(app, instances=2), free_port()
    await a_destination(app, port)
    asked = {"studyInstanceUID": study.study_instance_uid, "destinationAE": "DEST"}
    job = (await client.post(PATH, json=asked)).json()["jobId"]
    for minutes in (1, 5, 15):
        await do(app, job)
        await end_job(app)
        clock.advance(minutes * 60)
        assert await start_due(app) == 1
    await do(app, job)
    shown = (await client.get(f"{PATH}/{job}")).json()
    assert (shown["status"], shown["failed"], shown["attempts"]) == ("failed", 2, 4)
    assert "DEST" in shown["sentence"]
    await end_job(app)
    assert (await client.post(f"{PATH}/{job}/retry")).json()["status"] == "queued"
    with receiver(port) as taken:
        await do(app, job)
    assert sorted(taken) == sorted(study.files)
    assert (await client.post(f"{PATH}/{job}/retry")).status_code == 409


async def test_a_worker_that_died_is_no_attempt_and_a_move_without_a_job_is_found_again(
    app: App, client_as: Any
) -> None:
    client, study = await client_as("radiographer"), await make.a_study(app)
    await a_destination(app, free_port())
    asked = {"studyInstanceUID": study.study_instance_uid, "destinationAE": "DEST"}
    job = (await client.post(PATH, json=asked)).json()["jobId"]
    await end_job(app, "UPDATE moves SET status = 'running' RETURNING 1")
    assert await start_due(app) == 0, "its job is taken over"
    await end_job(app)
    assert await start_due(app) == 1
    await do(app, job)
    assert (await client.get(f"{PATH}/{job}")).json()["attempts"] == 1


async def test_a_move_whose_job_was_given_up_has_failed(app: App, client_as: Any) -> None:
    client, study = await client_as("radiographer"), await make.a_study(app)
    await a_destination(app, free_port())
    asked = {"studyInstanceUID": study.study_instance_uid, "destinationAE": "DEST"}
    job = (await client.post(PATH, json=asked)).json()["jobId"]
    await end_job(app, "UPDATE moves SET status = 'running' RETURNING 1")
    await end_job(app, "UPDATE jobs.procrastinate_jobs SET status = 'failed' RETURNING 1")
    assert await start_due(app) == 1
    shown = (await client.get(f"{PATH}/{job}")).json()
    assert (shown["status"], shown["remaining"]) == ("failed", 1)
    assert "log of the worker" in shown["sentence"]
    assert (await client.post(f"{PATH}/{job}/retry")).status_code == 202
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM jobs.procrastinate_jobs WHERE status = 'todo'") == 1


def test_what_is_left_unsent_counts_as_failed() -> None:
    assert status_after(Counts(2, 0, 0, "")) is Status.COMPLETED
    assert status_after(Counts(2, 0, 1, "")) is Status.PARTIAL
    assert status_after(Counts(2, 1, 1, "")) is Status.FAILED


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


@pytest.mark.parametrize("stalls", [False, True])
async def test_cancelled_in_the_middle_and_retried_at_once(
    app: App, client_as: Any, monkeypatch: pytest.MonkeyPatch, stalls: bool
) -> None:
    monkeypatch.setattr(attempt, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(sending, "STOPPED_SECONDS", 0.1)
    client, study, port = await client_as("radiographer"), await make.a_study(app, instances=4), free_port()
    await a_destination(app, port)
    asked = {"studyInstanceUID": study.study_instance_uid, "destinationAE": "DEST"}
    job = (await client.post(PATH, json=asked)).json()["jobId"]
    in_the_air, cancelled, over = asyncio.Event(), threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def before(count: int) -> None:
        if count == 2:
            loop.call_soon_threadsafe(in_the_air.set)
            (over if stalls else cancelled).wait(10)

    with receiver(port, before=before) as taken:
        attempting = asyncio.create_task(do(app, job))
        await in_the_air.wait()
        assert (await client.get(f"{PATH}/{job}")).json()["completed"] == 1, "each answer is noted at once"
        assert (await client.delete(f"{PATH}/{job}")).json()["status"] == "cancelled"
        assert (await client.post(f"{PATH}/{job}/retry")).json()["status"] == "queued"
        assert await start_due(app) == 0, "the attempt before is not over"
        cancelled.set()
        await asyncio.wait_for(attempting, 5)
        over.set()
        assert len(taken) == 2
        await end_job(app)
        assert await start_due(app) == 1
        await do(app, job)
    assert set(taken) == set(study.files)
    assert len(taken) == 4 + stalls, "only what was in the air and not answered for comes again"
    assert (await client.get(f"{PATH}/{job}")).json()["status"] == "completed"


async def test_a_destination_gets_as_many_moves_at_once_as_it_takes_associations(app: App, client_as: Any) -> None:
    client, study = await client_as("radiographer"), await make.a_study(app)
    await a_destination(app, free_port(), outgoing_associations=1)
    asked = {"studyInstanceUID": study.study_instance_uid, "destinationAE": "DEST"}
    first = (await client.post(PATH, json=asked)).json()["jobId"]
    for priority in ("low", "high"):
        await client.post(PATH, json=asked | {"priority": priority})
    waiting = "SELECT string_agg(priority, ' ' ORDER BY priority) FROM moves WHERE job IS NULL"
    async with app.db.transaction() as tx:
        assert await tx.value(waiting) == "high low"
    await do(app, first)
    async with app.db.transaction() as tx:
        assert await tx.value(waiting) == "low", "the end of one starts the next"


async def test_what_is_cancelled_in_the_moment_in_which_it_is_started_stays_cancelled(app: App, client_as: Any) -> None:
    client, study = await client_as("radiographer"), await make.a_study(app)
    await a_destination(app, free_port())
    asked = {"studyInstanceUID": study.study_instance_uid, "destinationAE": "DEST"}
    job = (await client.post(PATH, json=asked)).json()["jobId"]
    await end_job(app)
    async with app.db.transaction() as tx:
        await tx.run("UPDATE moves SET status = 'cancelled'")
        starting = asyncio.create_task(start_due(app))
        async with app.db.transaction() as looking:
            while not await looking.value(SOMEBODY_WAITS):
                pass
    await starting
    assert (await client.get(f"{PATH}/{job}")).json()["status"] == "cancelled"
