"""A destination that is away for days, by the clock: called again and again, and given up in the end."""

from datetime import timedelta

import pytest
from pydicom.uid import CTImageStorage
from pynetdicom import AE, evt

import make
from node import free_port
from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.delivery.routing import following, queries, sending
from radiology.kit import outbox
from radiology.kit.clock import SetClock
from radiology.studies.archive import open_archive
from routing_rules import a_rule

pytestmark = pytest.mark.anyio

DONE = "DELETE FROM jobs.procrastinate_jobs RETURNING args->'arguments'->>'delivery'"


async def value(app: App, statement: str) -> object:
    async with app.db.transaction() as tx:
        return await tx.value(statement)  # type: ignore[arg-type]


async def attempts_in(app: App, clock: SetClock, span: timedelta) -> int:
    """Let time pass; how often the destination was called."""
    attempts, end = 0, clock.now() + span
    with open_archive(app) as archive:
        while clock.now() < end and await sending.start_due(app):
            await sending.deliver(archive, {"delivery": await value(app, DONE)})
            attempts += 1
            clock.at = max(clock.at, await value(app, "SELECT next_attempt_at FROM deliveries"))  # type: ignore[type-var]
    return attempts


@pytest.fixture
async def port(app: App) -> int:
    """A study waits for a destination that is to listen there. It is given up after two days."""
    port = free_port()
    async with app.db.transaction() as tx:
        await queries.save_rule(tx, a_rule("RECEIVER", give_up_after_days=2))
        await entities.save(tx, ApplicationEntity("RECEIVER", "127.0.0.1", port))
    await make.a_study(app)
    async with app.db.transaction() as tx:
        await outbox.place(tx)
    await following.follow_events(app)
    return port


async def test_one_that_is_back_after_a_day_gets_it(app: App, clock: SetClock, port: int) -> None:
    assert await attempts_in(app, clock, timedelta(days=1)) == 3 + 24
    ae = AE(ae_title="RECEIVER")
    ae.add_supported_context(CTImageStorage)
    server = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, lambda _event: 0)])
    try:
        assert await attempts_in(app, clock, timedelta(hours=2)) == 1
    finally:
        server.shutdown()
    assert await value(app, "SELECT state FROM deliveries") == "sent"


async def test_one_that_stays_away_is_given_up(app: App, clock: SetClock, port: int) -> None:
    began = clock.now()
    assert await attempts_in(app, clock, timedelta(days=3)) > 48
    assert timedelta(days=2) - timedelta(hours=1) <= clock.now() - began <= timedelta(days=2)
    assert await value(app, "SELECT state FROM deliveries") == "failed"
    assert "RECEIVER cannot be called" in str(await value(app, "SELECT sentence FROM deliveries"))
    assert await value(app, "SELECT count(*) FROM outbox WHERE type = 'radiology.delivery.failed.v1'") == 1
