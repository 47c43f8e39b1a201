"""Durable jobs: enqueued in the transaction of what causes them, done by a worker, again after a crash.

Procrastinate does the work; its tables lie in the schema `jobs`. A job says what is to be done by a name and a few ids;
how far it has come stands in the table of the feature, so that a job that is run twice does nothing twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job, Status

from radiology.kit.db import Transaction, as_json
from radiology.kit.log import get_logger

Handler = Callable[[Mapping[str, Any]], Awaitable[None]]

#: What people call how urgent a job is; a higher number is done first.
PRIORITIES: Mapping[str, int] = {"low": -10, "medium": 0, "high": 10}
SCHEMA = "jobs"
HEARTBEAT_SECONDS = 2.0
STALLED_SECONDS = 10.0
#: A job that is free starts at once, by NOTIFY; one that waited for the lock of another is found by looking.
POLLING_SECONDS = 0.5
#: With the growing delay about two days; then a job is left as failed, and so is one that ends every worker.
MOST_ATTEMPTS = 200
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 5.0, 900.0
KEPT_HOURS = 14 * 24
GIVEN_UP = "The job that sends it failed again and again. Look for job.failed in the log of the worker, then retry."

log = get_logger()


class Later(Exception):
    """Raised by a handler that wants to be run again after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:g} s")
        self.seconds = seconds


async def enqueue(
    tx: Transaction,
    name: str,
    arguments: Mapping[str, Any],
    *,
    run_at: datetime | None = None,
    lock: str | None = None,
    priority: int = 0,
) -> int:
    """Have a job done once this transaction is committed, not before `run_at`; returns its number.

    Jobs with the same `lock` are done one after the other, in order. A higher `priority` is done first.
    """
    return await tx.value(
        """
        SELECT unnest(jobs.procrastinate_defer_jobs_v1(ARRAY[ROW(
            'default', %(name)s, %(priority)s, %(lock)s, NULL, %(arguments)s, %(run_at)s
        )::jobs.procrastinate_job_to_defer_v1]))
        """,
        name=name,
        priority=priority,
        lock=lock,
        arguments=as_json({"arguments": dict(arguments)}),
        run_at=run_at,
    )


def is_live(number: LiteralString) -> LiteralString:
    """SQL: whether the job whose number stands in this column waits or is being done."""
    return (
        "EXISTS (SELECT 1 FROM jobs.procrastinate_jobs AS job WHERE job.id = "  # noqa: S608 - a literal, by its type.
        + number
        + " AND job.status IN ('todo', 'doing'))"
    )


def has_failed(number: LiteralString) -> LiteralString:
    """SQL: whether the job whose number stands in this column was left as failed."""
    return (
        "EXISTS (SELECT 1 FROM jobs.procrastinate_jobs AS job WHERE job.id = "  # noqa: S608 - a literal, by its type.
        + number
        + " AND job.status = 'failed')"
    )


class _Retry(BaseRetryStrategy):
    """When a job that failed is done again: as it asked, or after a while that grows; in the end it is left failed."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, Later):
            seconds = exception.seconds
        elif job.attempts >= MOST_ATTEMPTS:
            return None
        else:
            seconds = min(FIRST_DELAY_SECONDS * 2 ** min(job.attempts, 16), LONGEST_DELAY_SECONDS)
        return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=seconds))


def queue(dsn: str, handlers: Mapping[str, Handler]) -> App:
    """The queue of a database, and what is done for each name of a job. Open it with `open_async`."""
    connector = PsycopgConnector(
        conninfo=dsn, min_size=1, max_size=4, kwargs={"options": f"-c search_path={SCHEMA},public"}
    )
    app = App(connector=connector)
    for name, handler in handlers.items():
        app.task(name=name, retry=_Retry())(_called(name, handler))
    return app


def _called(name: str, handler: Handler) -> Callable[..., Awaitable[None]]:
    async def run(arguments: Mapping[str, Any]) -> None:
        try:
            await handler(arguments)
        except Later:
            raise
        except Exception as error:
            log.warning("job.failed", step=name, exc_info=error)
            raise

    return run


async def work(app: App, stopped: asyncio.Event, *, concurrency: int, drain_seconds: float) -> None:
    """Do jobs until stopped; those that have begun may end, up to the limit, and are done again otherwise."""
    async with app.open_async():
        recovering = asyncio.create_task(_recover(app))
        running = asyncio.create_task(
            app.run_worker_async(
                concurrency=concurrency,
                fetch_job_polling_interval=POLLING_SECONDS,
                install_signal_handlers=False,
                delete_jobs="successful",
                shutdown_graceful_timeout=drain_seconds,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
            )
        )
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in (running, recovering, waiting):
            task.cancel()
        results = await asyncio.gather(running, recovering, waiting, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]


async def _recover(app: App) -> None:
    """Put jobs back whose worker has died, and forget those that failed long ago."""
    manager = app.job_manager
    while True:
        try:
            for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
                log.warning("job.taken-over", step=job.task_name)
                if job.attempts < MOST_ATTEMPTS:
                    await manager.retry_job(job)
                else:
                    await manager.finish_job(job, status=Status.FAILED, delete_job=False)
            await manager.delete_old_jobs(nb_hours=KEPT_HOURS, include_failed=True, include_cancelled=True)
        except Exception as error:  # The database may be away; the next round tries again.
            log.warning("jobs.recovery-postponed", exc_info=error)
        await asyncio.sleep(STALLED_SECONDS)
