"""Exports that are ended, expire, are interrupted or cannot go on: nothing is lost, nothing is left, and it is said."""

import asyncio
import io
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from psycopg import AsyncConnection

import make
from conftest import ClientAs
from deidentified import an_approved_project, an_export
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.deidentification import exports, projects, queries
from radiology.deidentification.model import KEPT_DAYS
from radiology.deidentification.work import run
from radiology.errors import Conflict, NotFound, Unavailable
from radiology.kit.clock import SetClock
from radiology.settings import Settings
from radiology.studies.archive import open_archive
from waiting import until

pytestmark = pytest.mark.anyio

Connection = AsyncConnection[Any]
INSTANCES = 6
DAY_SECONDS = 24 * 3600


@pytest.fixture
async def export(app: App) -> UUID:
    """A queued export of six instances."""
    await an_approved_project(app)
    return await an_export(app, await make.a_study(app, instances=INSTANCES, BodyPartExamined="CHEST"))


async def make_it(app: App, export: UUID) -> None:
    """What the worker does."""
    with open_archive(app) as archive:
        await run(archive, {"export": str(export)})


async def shown(app: App, export: UUID) -> dict[str, Any]:
    async with app.db.transaction() as tx:
        return orjson.loads(await queries.export_body(tx, export, visible_to=SYSTEM))


def left(app: App) -> list[Path]:
    """Files of exports on the disk."""
    return [path for path in (app.settings.data_dir / "exports").rglob("*") if path.is_file()]


async def content(app: App, export: UUID) -> zipfile.ZipFile:
    path = await exports.file_of(app, SYSTEM, export)
    return zipfile.ZipFile(io.BytesIO(path.read_bytes()))


@asynccontextmanager
async def held(settings: Settings, export: UUID, is_reached: Callable[[int], bool]) -> AsyncGenerator[Connection]:
    """The export locked, as soon as so many instances are written: who makes it stands still until the block ends."""
    connection = await AsyncConnection.connect(settings.database_dsn)
    async with connection, asyncio.timeout(60):
        while True:
            await connection.execute("SELECT 1 FROM exports WHERE id = %s FOR UPDATE", [export])
            found = await connection.execute(
                "SELECT count(*) FROM export_instances WHERE export_id = %s AND result = 'written'", [export]
            )
            if is_reached((await found.fetchone() or (0,))[0]):
                break
            await connection.rollback()
        yield connection


def in_the_middle(written: int) -> bool:
    return 1 <= written < INSTANCES


async def test_what_is_ended_before_it_begins_is_never_made(app: App, export: UUID) -> None:
    await exports.end_export(app, SYSTEM, export)
    await make_it(app, export)
    assert ((await shown(app, export))["status"], left(app)) == ("cancelled", [])
    with pytest.raises(Conflict, match="cancelled already"):
        await exports.end_export(app, SYSTEM, export)


async def test_what_is_ended_in_the_middle_leaves_nothing(app: App, export: UUID) -> None:
    making = asyncio.create_task(make_it(app, export))
    async with held(app.settings, export, in_the_middle):
        ending = asyncio.create_task(exports.end_export(app, SYSTEM, export))
    await asyncio.gather(making, ending)
    found = await shown(app, export)
    assert (found["status"], found["remaining"] > 0, left(app)) == ("cancelled", True, [])


async def test_a_file_expires(app: App, export: UUID, clock: SetClock) -> None:
    await make_it(app, export)
    assert [path.suffix for path in left(app)] == [".zip"]
    clock.advance(KEPT_DAYS * DAY_SECONDS - 1)
    assert await exports.tend(app) == 0
    clock.advance(1)
    assert await exports.tend(app) == 1
    found = await shown(app, export)
    assert (found["status"], found["sentence"]) == ("expired", "The file has expired. Ask for a new export.")
    assert left(app) == []
    with pytest.raises(Conflict, match="there is no file"):
        await exports.file_of(app, SYSTEM, export)


async def test_a_file_that_is_not_needed_any_more_can_be_removed(app: App, export: UUID) -> None:
    await make_it(app, export)
    await exports.end_export(app, SYSTEM, export)
    assert ((await shown(app, export))["status"], left(app)) == ("expired", [])


async def test_who_is_interrupted_when_the_archive_is_written_makes_it_again(app: App, export: UUID) -> None:
    making = asyncio.create_task(make_it(app, export))
    async with held(app.settings, export, lambda written: written == INSTANCES):
        place = exports.archive_path(app.settings, export)
        await asyncio.to_thread(until, place.exists)
        making.cancel()
        await asyncio.wait([making])
    assert (await shown(app, export))["status"] == "running"
    await make_it(app, export)
    assert len((await content(app, export)).namelist()) == INSTANCES + 1
    assert left(app) == [place]


async def test_when_the_database_goes_away_it_goes_on_later(app: App, export: UUID) -> None:
    making = asyncio.create_task(make_it(app, export))
    async with held(app.settings, export, in_the_middle) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
    with pytest.raises(Unavailable):
        await making
    assert (await shown(app, export))["remaining"] > 0
    await make_it(app, export)
    assert len((await content(app, export)).namelist()) == INSTANCES + 1


async def test_it_says_what_it_waits_for(app: App, export: UUID) -> None:
    keys, away = app.settings.data_dir / "keys", app.settings.data_dir / "away"
    keys.rename(away)
    with pytest.raises(Unavailable):
        await make_it(app, export)
    found = await shown(app, export)
    assert (found["status"], "Restore the folder `keys`" in found["sentence"]) == ("running", True)
    shutil.rmtree(keys)
    away.rename(keys)
    await make_it(app, export)
    found = await shown(app, export)
    assert (found["status"], found["sentence"]) == ("completed", "")


async def test_an_export_of_a_project_that_has_ended_fails(app: App, export: UUID) -> None:
    async with app.db.transaction() as tx:
        project = await queries.project(tx, "elsewhere")
    await projects.end_project(app, SYSTEM, project.id)
    await make_it(app, export)
    found = await shown(app, export)
    assert (found["status"], found["sentence"], left(app)) == ("failed", "The project elsewhere is ended.", [])
    with pytest.raises(Conflict, match="is ended"):
        await an_export(app, await make.a_study(app))


async def test_an_export_whose_files_have_disappeared_fails(app: App, export: UUID) -> None:
    making = asyncio.create_task(make_it(app, export))
    async with held(app.settings, export, in_the_middle):
        making.cancel()
        await asyncio.wait([making])
    shutil.rmtree(exports.folder(app.settings, export))
    await make_it(app, export)
    found = await shown(app, export)
    assert (found["status"], "have disappeared" in found["sentence"], left(app)) == ("failed", True, [])


async def test_an_export_whose_job_is_given_up_fails_and_one_without_a_job_gets_a_new_one(
    app: App, export: UUID
) -> None:
    async with app.db.transaction() as tx:
        await tx.run("DELETE FROM jobs.procrastinate_jobs")
    assert await exports.tend(app) == 1
    assert (await shown(app, export))["status"] == "queued"
    assert await exports.tend(app) == 0
    async with app.db.transaction() as tx:
        await tx.run("UPDATE jobs.procrastinate_jobs SET status = 'doing'")
        await tx.run("UPDATE jobs.procrastinate_jobs SET status = 'failed'")
    assert await exports.tend(app) == 1
    found = await shown(app, export)
    assert (found["status"], "failed again and again" in found["sentence"]) == ("failed", True)
    assert await exports.tend(app) == 0


async def test_only_who_asked_is_given_the_file(app: App, export: UUID, client_as: ClientAs) -> None:
    await make_it(app, export)
    for role in ("records", "privacy-officer", "administrator"):
        client = await client_as(role)
        assert (await client.get(f"/api/radiology/exports/{export}/file")).status_code == 404
    with pytest.raises(NotFound):
        await exports.file_of(app, SYSTEM, UUID(int=0))


@contextmanager
def worker_process(settings: Settings, log: Path) -> Generator[subprocess.Popen[bytes]]:
    """`radi serve worker` over the database and the folder of the test, until the block ends."""
    environment = os.environ | {
        "RADI_DATABASE_URL": settings.database_dsn,
        "RADI_DATA_DIR": str(settings.data_dir),
        "RADI_DISK_RESERVE_BYTES": "0",
    }
    with log.open("ab") as out:
        command = [sys.executable, "-m", "radiology.cli", "serve", "worker"]
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_worker_that_is_killed_in_the_middle_loses_nothing(app: App, export: UUID, tmp_path: Path) -> None:
    with worker_process(app.settings, tmp_path / "worker.log") as process:
        async with held(app.settings, export, in_the_middle):
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait, 30)
    found = await shown(app, export)
    assert (found["status"], 0 < found["remaining"] < INSTANCES) == ("running", True)
    await make_it(app, export)
    archive = await content(app, export)
    assert len(archive.namelist()) == INSTANCES + 1
    assert archive.testzip() is None
