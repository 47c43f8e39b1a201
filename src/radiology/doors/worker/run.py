"""`radi serve worker`: what is done on a timetable, and recovery after a crash."""

import asyncio

from radiology.app import App
from radiology.doors.worker import timetable
from radiology.kit.processes import stop_asked
from radiology.settings import Settings
from radiology.studies.archive import open_archive


def run(settings: Settings) -> None:
    """Work until SIGTERM; a task that has begun is finished."""
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    app = App.of(settings, connections=4)
    await app.db.open()
    stopped = stop_asked()
    with open_archive(app) as archive:
        async with asyncio.TaskGroup() as tasks:
            for task in timetable.of(archive):
                tasks.create_task(timetable.keep(task, stopped))
    await app.db.close()
