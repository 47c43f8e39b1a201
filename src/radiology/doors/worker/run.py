"""`radi serve worker`: jobs, what is done on a timetable, and recovery after a crash."""

import asyncio

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.audit.context import Circumstances, begin
from radiology.audit.trail import Access
from radiology.doors.worker import timetable
from radiology.doors.worker.jobs import handlers
from radiology.kit import jobs
from radiology.kit.log import get_logger
from radiology.kit.processes import stop_asked
from radiology.settings import Settings
from radiology.studies.archive import Archive, open_archive

JOBS_AT_ONCE = 8
RETRY_SECONDS = 5.0

log = get_logger()


def run(settings: Settings) -> None:
    """Work until SIGTERM; a task or job that has begun is finished."""
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    app = App.of(settings, connections=10)
    await app.db.open()
    stopped = stop_asked()
    begin(Circumstances(source="worker"))
    with open_archive(app) as archive:
        archive.trail.keep(Access(SYSTEM.id, "service.start", "worker"), after_the_fact=True)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_do_jobs(archive, stopped))
            for task in timetable.of(archive):
                tasks.create_task(timetable.keep(task, stopped))
        archive.trail.keep(Access(SYSTEM.id, "service.stop", "worker"), after_the_fact=True)
    await app.db.close()


async def _do_jobs(archive: Archive, stopped: asyncio.Event) -> None:
    """Do jobs until stopped. A queue that fails, as by a lost database, is opened again."""
    settings = archive.app.settings
    while not stopped.is_set():
        queue = jobs.queue(settings.database_dsn, handlers(archive))
        try:
            await jobs.work(queue, stopped, concurrency=JOBS_AT_ONCE, drain_seconds=settings.drain_seconds)
        except Exception as error:  # The database may be away; jobs wait in it.
            log.error("jobs.interrupted", exc_info=error)
            await asyncio.sleep(RETRY_SECONDS)
