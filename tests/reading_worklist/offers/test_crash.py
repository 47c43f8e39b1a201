"""Offers while things go wrong: the registry away, the process killed between claim and offer, two that escalate."""

import asyncio
from typing import Any

import pytest

from network import on_call, reader
from node import free_port
from radiology.app import App
from radiology.errors import Unavailable
from radiology.external.practitioners.fhir import FHIRRegistry
from radiology.reading_worklist.actions import claims
from radiology.reading_worklist.offers import escalating, queries
from radiology.reading_worklist.offers.tending import tend
from reading import told, waiting_study

pytestmark = pytest.mark.anyio


async def states(app: App) -> list[str]:
    async with app.db.transaction() as tx:
        return await tx.values("SELECT state FROM reading_offers ORDER BY made_at, id")


async def test_where_the_registry_is_away_nobody_is_asked_and_it_is_told_why(app: App, clock: Any) -> None:
    await waiting_study(app)
    await reader(app, "anika")
    kept = app.practitioners
    object.__setattr__(app, "practitioners", FHIRRegistry(f"http://127.0.0.1:{free_port()}"))
    await tend(app)
    assert await states(app) == []
    [event] = await told(app, "radiology.reading.unassignable.v1")
    assert event["reasons"] == {"not-known-to-registry": 1}
    object.__setattr__(app, "practitioners", kept)
    clock.advance(61)
    await tend(app)
    assert await states(app) == ["open"]


async def test_an_offer_follows_a_claim_whose_process_died(app: App, client_as: Any, monkeypatch: Any) -> None:
    await waiting_study(app)
    await reader(app, "anika")
    await tend(app)
    anika = await client_as("radiologist", name="anika", practitioner="Practitioner/anika")
    [offer] = (await anika.get("/api/radiology/reading-offers")).json()["results"]
    claim = claims.claim

    async def dies_after(*given: Any, **more: Any) -> Any:
        await claim(*given, **more)
        raise Unavailable("The process ended here.")

    monkeypatch.setattr(claims, "claim", dies_after)
    assert (await anika.post(f"/api/radiology/reading-offers/{offer['id']}/accept")).status_code == 503
    assert await states(app) == ["open"], "the claim is there, the offer not yet"
    await tend(app)
    assert await states(app) == ["accepted"]
    assert len(await told(app, "radiology.reading.offer-accepted.v1")) == 1


async def test_two_workers_escalate_once(app: App, clock: Any) -> None:
    await waiting_study(app)
    await reader(app, "anika", shifts=[])
    await on_call(app, "neuro", ["anika"])
    clock.advance(2 * 3600)
    await asyncio.gather(*(escalating.escalate(app, limit=10) for _ in range(4)))
    assert [each["step"] for each in await told(app, "radiology.reading.escalated.v1")] == [1]
    async with app.db.transaction() as tx:
        recipients = await tx.values("SELECT recipient FROM notices WHERE kind = 'reading.escalated'")
    assert recipients == ["account:anika"]


async def test_what_is_assigned_in_a_transaction_that_fails_is_assigned_again(app: App, monkeypatch: Any) -> None:
    await waiting_study(app)
    await reader(app, "anika")
    insert = queries.insert

    async def fails(*given: Any, **more: Any) -> None:
        await insert(*given, **more)
        raise Unavailable("The database went away.")

    monkeypatch.setattr(queries, "insert", fails)
    with pytest.raises(Unavailable):
        await tend(app)
    assert await states(app) == []
    assert await told(app, "radiology.reading.offered.v1") == []
    monkeypatch.setattr(queries, "insert", insert)
    await tend(app)
    assert await states(app) == ["open"]
