"""kill -9 on the way out: each step is done or to be done, nothing is half removed, and nothing is left behind."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import make
from conftest import ClientAs
from radiology.access.model import Role
from radiology.app import App
from radiology.kit import clock as system_clock
from radiology.kit.clock import SetClock
from radiology.retention import purging
from radiology.studies.actions.recover import recover
from radiology.studies.archive import open_archive
from retention.removals import DAY, OLD, approved, states_of, switched_on, value

pytestmark = pytest.mark.anyio

KILLED = """
import asyncio, os, sys
from radiology.app import App
from radiology.kit.objects import LocalObjects, ObjectWriter
from radiology.retention import purging, removal_queries
from radiology.settings import Settings
from radiology.studies.actions import noting
from radiology.studies.queries import noting as notes
from radiology.studies.queries import recompress, rejection

async def main():
    app = App.of(Settings(data_dir=sys.argv[1], database_url=sys.argv[2], disk_reserve_bytes=0))
    await app.db.open()
    await purging.tend(app)

if __name__ == "__main__":
    setattr(STEP, lambda *args, **kwargs: os.kill(os.getpid(), 9))
    asyncio.run(main())
"""
HIDING = {
    "note written, without its name": 'ObjectWriter, "commit"',
    "note named, nothing hidden": 'noting, "arrival_of"',
    "in the middle of hiding": 'notes, "insert_note"',
    "hidden": 'purging, "delete_superseded"',
}
PURGING = {
    "in the middle of removing": 'removal_queries, "change"',
    "before the end of it": 'purging, "emit"',
    "rows gone, no file yet": 'LocalObjects, "delete"',
    "files gone, still listed": 'recompress, "keep"',
}


async def killed(app: App, tmp_path: Path, step: str) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED.replace("STEP", step))
    arguments = [sys.executable, str(script), str(app.settings.data_dir), str(app.settings.database_dsn)]
    ended = await asyncio.to_thread(subprocess.run, arguments, capture_output=True, check=False)
    found = await value(app, "SELECT state || ' ' || sentence FROM retention_items")
    assert ended.returncode == -9, f"{found} {ended.stderr.decode()}"


async def recovered(app: App) -> None:
    """What the worker does at its start."""
    with open_archive(app) as archive:
        await recover(archive, older_than_seconds=-400 * DAY)


@pytest.mark.parametrize(
    ("state", "step"),
    [*(("approved", step) for step in HIDING.values()), *(("binned", step) for step in PURGING.values())],
    ids=[*HIDING, *PURGING],
)
async def test_killed_at_any_point(
    app: App, client_as: ClientAs, clock: SetClock, tmp_path: Path, state: str, step: str
) -> None:
    first, second = [await client_as(Role.ADMINISTRATOR, name=name) for name in ("first", "second")]
    clock.at = system_clock.now() - timedelta(days=60)
    old = await make.a_study(app, instances=2, **OLD)
    async with app.db.transaction() as tx:  # As recovery knows them, by the hour in which they came.
        await tx.run("UPDATE instances SET stored_at = now()")
    await switched_on(first)
    path = await approved(first, second)
    if state == "binned":
        await purging.tend(app)
        assert await states_of(first, path) == ["binned"]
    await killed(app, tmp_path, step)
    clock.at = system_clock.now() + timedelta(days=1)
    reader = await client_as("radiologist")
    [now] = await states_of(first, path)
    if now == "approved":
        found = await reader.get(f"/dicomweb/studies/{old.study_instance_uid}/instances")
        assert len(found.json()) == 2
    await recovered(app)
    for _ in range(3):
        clock.advance(40 * DAY)
        await purging.tend(app)
    await purging.delete_superseded(app)
    await recovered(app)
    assert await states_of(first, path) == ["purged"]
    assert await value(app, "SELECT count(*) FROM imaging_studies") == 0
    assert await value(app, "SELECT count(*) FROM quarantine") == 0
    app.objects.discard_parts(older_than_seconds=-400 * DAY)
    left: list[Any] = [each for each in app.objects.root.rglob("*") if each.is_file()]
    assert left == []
