"""The catalogue is loaded once, kept in memory, and dropped when it is changed."""

import asyncio
from typing import Any

import pytest

from radiology.app import App
from radiology.kit.clock import SetClock
from radiology.procedures import catalogue as module
from radiology.procedures import entries
from radiology.procedures.catalogue import catalogue, follow_shipped

pytestmark = pytest.mark.anyio


async def test_it_is_loaded_once_and_kept(app: App) -> None:
    first = await catalogue(app)
    assert await catalogue(app) is first
    loaded = await asyncio.gather(follow_shipped(app), follow_shipped(app))
    assert sorted(loaded) == [0, 84]
    second = await catalogue(app)
    assert await catalogue(app) is second
    assert {each.key for each in first.procedures} == {each.key for each in second.procedures}
    assert await follow_shipped(app) == 0
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM procedure_entries WHERE is_shipped AND version = 1") == 84


async def test_whoever_holds_every_connection_may_ask(app: App) -> None:
    async def ask() -> int:
        async with app.db.transaction():
            return len((await catalogue(app)).procedures)

    assert await asyncio.wait_for(asyncio.gather(*(ask() for _ in range(20))), 5) == [84] * 20


async def test_a_change_by_another_process_is_seen_at_once(app: App) -> None:
    await follow_shipped(app)
    before = await catalogue(app)
    async with app.db.transaction() as tx:
        await tx.run("UPDATE procedure_catalogue SET generation = gen_random_uuid()")
        await tx.run("DELETE FROM procedure_entries WHERE key = 'XR_FOOT'")
    after = await catalogue(app)
    assert before.by_key("XR_FOOT")
    assert after.by_key("XR_FOOT") is None


async def test_it_is_read_anew_after_four_hours_and_on_another_day(app: App, clock: SetClock) -> None:
    first = await catalogue(app)
    clock.advance(4 * 3600 - 1)
    assert await catalogue(app) is first
    clock.advance(1)
    second = await catalogue(app)
    assert second is not first
    clock.advance(24 * 3600)
    assert (await catalogue(app)).on > second.on


async def test_a_new_release_changes_only_what_nobody_has_changed(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    await follow_shipped(app)
    async with app.db.transaction() as tx:
        await tx.run(
            """
            INSERT INTO procedure_entries (key, version, effective_from, body, is_shipped, changed_by, changed_at)
            SELECT key, 2, '2026-01-01', body || '{"turnaround_hours": 3}', false, 'account:head', now()
            FROM procedure_entries
            WHERE key = 'XR_FOOT'
            """
        )
    newer: dict[str, Any] = {key: {**body, "turnaround_hours": 99} for key, body in entries.shipped().items()}
    monkeypatch.setattr(module, "shipped", lambda: {**newer, "XR_NEW": newer["XR_FOOT"]})
    monkeypatch.setattr(module, "shipped_sha256", lambda: "newer")
    assert await follow_shipped(app) == 84
    found = await catalogue(app)
    hours = {each.key: each.turnaround_hours for each in found.procedures}
    assert (hours.pop("XR_FOOT"), hours["XR_NEW"], set(hours.values())) == (3, 99, {99})
    async with app.db.transaction() as tx:
        dates = await tx.values("SELECT effective_from FROM procedure_entries WHERE key = 'XR_HAND' ORDER BY version")
    assert [day.isoformat() for day in dates] == ["1900-01-01", "2026-01-21"]
    monkeypatch.undo()
    assert await follow_shipped(app) == 0
