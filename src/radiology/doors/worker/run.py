"""`radi serve worker`: what is done on a timetable, and recovery after a crash."""

import asyncio
import signal

from radiology.app import App
from radiology.doors.worker import timetable
from radiology.kit.log import configure
from radiology.settings import Settings
from radiology.studies.archive import open_archive


def run(settings: Settings) -> None:
    """Work until SIGTERM; a task that has begun is finished."""
    configure("worker", level=settings.log_level, form=settings.log_format)
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    app = App.of(settings, connections=4)
    await app.db.open()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    with open_archive(app) as archive:
        async with asyncio.TaskGroup() as tasks:
            for task in timetable.of(archive):
                tasks.create_task(timetable.keep(task, stopped))
    await app.db.close()
