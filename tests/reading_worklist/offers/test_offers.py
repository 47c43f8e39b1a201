"""Offers: made to the best, taken, declined, not answered, escalated, and what nobody can be offered."""

import asyncio
from typing import Any

import pytest

from network import on_call, reader
from radiology.app import App
from radiology.reading_worklist.following import follow_events
from radiology.reading_worklist.offers.tending import tend
from radiology.studies.model import Status
from reading import images_of, move, order_of, row_of, told, waiting_study

pytestmark = pytest.mark.anyio

OFFERS = "/api/radiology/reading-offers"
MINUTE = 60


async def offered_to(app: App, uid: str) -> str | None:
    row = await row_of(app, uid)
    assert row is not None
    return row.assigned_to if row.state == "offered" else None


async def offers(app: App) -> list[tuple[str, str]]:
    async with app.db.transaction() as tx:
        return [
            tuple(each)
            for each in await tx.values(
                "SELECT json_build_array(account, state) FROM reading_offers ORDER BY made_at, id"
            )
        ]


async def ordered_study(app: App, priority: str = "stat") -> str:
    """A complete head CT."""
    order = await order_of(app, priority=priority)
    await images_of(app, order)
    uid = order.procedures[0].study_instance_uid
    await follow_events(app)
    await move(app, uid, Status.COMPLETED)
    return uid


async def test_without_a_network_of_readers_nothing_is_offered(app: App) -> None:
    uid = await waiting_study(app)
    assert await tend(app) == 0
    assert await offered_to(app, uid) is None


async def test_the_best_reader_is_asked_and_takes_it(app: App, client_as: Any) -> None:
    uid = await waiting_study(app)
    await reader(app, "anika")
    await reader(app, "badal", subspecialties=["body"])
    assert await tend(app) == 1
    assert await tend(app) == 0
    assert await offered_to(app, uid) == "account:anika"
    anika = await client_as("radiologist", name="anika", practitioner="Practitioner/anika")
    [offer] = (await anika.get(OFFERS)).json()["results"]
    assert (offer["study"], offer["state"], offer["modality"]) == (uid, "open", "CT")
    assert offer["score"] == pytest.approx(sum(factor["contribution"] for factor in offer["explain"]), abs=1e-3)
    badal = await client_as("radiologist", name="badal", practitioner="Practitioner/badal")
    assert (await badal.get(OFFERS)).json()["results"] == []
    assert (await badal.post(f"{OFFERS}/{offer['id']}/accept")).status_code == 404
    taken = await anika.post(f"{OFFERS}/{offer['id']}/accept")
    assert (taken.status_code, taken.json()["state"]) == (200, "claimed")
    assert (await anika.post(f"{OFFERS}/{offer['id']}/accept")).status_code == 409
    assert (await anika.post(f"{OFFERS}/{offer['id']}/decline", json={"reason": "busy"})).status_code == 409
    assert [each["reader"] for each in await told(app, "radiology.reading.offered.v1")] == ["Practitioner/anika"]
    assert len(await told(app, "radiology.reading.offer-accepted.v1")) == 1


async def test_what_is_declined_goes_to_the_next_and_never_back(app: App, client_as: Any) -> None:
    uid = await waiting_study(app)
    await reader(app, "anika")
    await reader(app, "badal", subspecialties=["body"])
    await tend(app)
    anika = await client_as("radiologist", name="anika", practitioner="Practitioner/anika")
    [offer] = (await anika.get(OFFERS)).json()["results"]
    assert (await anika.post(f"{OFFERS}/{offer['id']}/decline", json={"reason": "bored"})).status_code == 422
    assert (await anika.post(f"{OFFERS}/{offer['id']}/decline", json={"reason": "busy"})).status_code == 204
    await tend(app)
    assert await offered_to(app, uid) == "account:badal"
    badal = await client_as("radiologist", name="badal", practitioner="Practitioner/badal")
    [second] = (await badal.get(OFFERS)).json()["results"]
    assert (await badal.post(f"{OFFERS}/{second['id']}/decline", json={"reason": "not-my-field"})).status_code == 204
    await tend(app)
    assert await offered_to(app, uid) is None
    admin = await client_as("administrator")
    [left] = (await admin.get(f"{OFFERS}/unassignable")).json()["results"]
    assert (left["study"], left["reasons"]) == (uid, {"asked-already": 2})
    history = (await admin.get(f"{OFFERS}/studies/{uid}")).json()["offers"]
    assert [(each["state"], each["reasonCode"]) for each in history] == [
        ("declined", "busy"),
        ("declined", "not-my-field"),
    ]
    assert all(factor["factor"] != "quality" for each in history for factor in each["explain"])


async def test_who_does_not_answer_is_passed_over_and_asked_again_at_last(app: App, clock: Any) -> None:
    uid = await ordered_study(app, "urgent")
    await reader(app, "anika")
    await reader(app, "badal", subspecialties=["body"])
    await tend(app)
    clock.advance(14 * MINUTE)
    await tend(app)
    assert await offered_to(app, uid) == "account:anika", "an urgent offer stands for a quarter of an hour"
    clock.advance(1 * MINUTE)
    await tend(app)
    assert await offered_to(app, uid) == "account:badal"
    assert await offers(app) == [("account:anika", "expired"), ("account:badal", "open")]
    clock.advance(15 * MINUTE)
    await tend(app)
    assert await offered_to(app, uid) == "account:anika", "nobody is left who was not asked"
    assert len(await told(app, "radiology.reading.offer-expired.v1")) == 2


async def test_whoever_claims_it_ends_the_offer(app: App, client_as: Any) -> None:
    uid = await waiting_study(app)
    await reader(app, "anika")
    await tend(app)
    other = await client_as("consultant")
    assert (await other.post(f"/api/radiology/reading-worklist/{uid}/claim")).status_code == 200
    await tend(app)
    assert await offers(app) == [("account:anika", "withdrawn")]
    assert len(await told(app, "radiology.reading.offer-withdrawn.v1")) == 1


async def test_two_workers_make_one_offer(app: App) -> None:
    for number in range(3):
        await waiting_study(app, AccessionNumber=f"A{number}", PatientID=f"P{number}")
    await reader(app, "anika")
    await asyncio.gather(*(tend(app) for _ in range(4)))
    await tend(app)
    assert await offers(app) == [("account:anika", "open")] * 3


async def test_the_time_for_a_study_is_escalated_step_by_step(app: App, clock: Any, client_as: Any) -> None:
    uid = await ordered_study(app)
    for name in ("anika", "badal"):
        await reader(app, name, shifts=[])
    await reader(app, "chaya", shifts=[], contracts=[{"scope": "facility", "place": "LOCAL"}])
    await on_call(app, "neuro", ["anika"], ["badal"])
    admin = await client_as("administrator")
    await client_as("consultant", name="head")
    await admin.put("/api/radiology/duties/head/LOCAL", json={"accounts": ["account:head"]})
    await tend(app)
    first = await offered_to(app, uid)
    clock.advance(30 * MINUTE)
    await tend(app)
    assert await offered_to(app, uid) == "account:anika", "on call first"
    clock.advance(15 * MINUTE)
    await tend(app)
    assert await offered_to(app, uid) == "account:badal", "on call second"
    clock.advance(15 * MINUTE)
    await tend(app)
    await tend(app)
    assert first == "account:anika"
    assert [each["step"] for each in await told(app, "radiology.reading.escalated.v1")] == [1, 2, 3]
    async with app.db.transaction() as tx:
        notices = await tx.values(
            "SELECT recipient FROM notices WHERE kind = 'reading.escalated' ORDER BY made_at, recipient"
        )
    assert notices[:3] == ["account:anika", "account:badal", "account:head"]
    assert "account:administrator" in notices[3:], "nobody is director, so administrators are told"
    shown = (await admin.get(f"{OFFERS}/studies/{uid}")).json()
    assert [each["step"] for each in shown["escalation"]] == [1, 2, 3]


async def test_a_worker_that_was_down_takes_the_last_step_at_once(app: App, clock: Any) -> None:
    uid = await ordered_study(app)
    await reader(app, "anika", shifts=[])
    clock.advance(600 * MINUTE)
    await tend(app)
    assert [each["step"] for each in await told(app, "radiology.reading.escalated.v1")] == [3]
    assert await offered_to(app, uid) == "account:anika", "a reader for the whole country is asked off duty"


async def test_nobody_eligible_is_told_once_with_reasons(app: App, client_as: Any, clock: Any) -> None:
    uid = await ordered_study(app)
    await reader(app, "anika", shifts=[])
    await reader(app, "badal", account=False)
    admin = await client_as("administrator")
    for _ in range(3):
        await tend(app)
        clock.advance(61)
    [event] = await told(app, "radiology.reading.unassignable.v1")
    assert event["reasons"] == {"no-account": 1, "off-duty": 1}
    notices = (await admin.get("/api/radiology/me/notices")).json()["results"]
    assert [each["kind"] for each in notices] == ["reading.unassignable"]
    [shown] = (await admin.get(f"{OFFERS}/unassignable")).json()["results"]
    assert shown["study"] == uid
    await on_call(app, "neuro", ["anika"])
    await tend(app)
    assert await offered_to(app, uid) == "account:anika"
    assert (await admin.get(f"{OFFERS}/unassignable")).json()["results"] == []


async def test_a_routine_study_that_waits_for_a_shift_rouses_nobody(app: App, client_as: Any) -> None:
    await ordered_study(app, "routine")
    await reader(app, "anika", shifts=[])
    admin = await client_as("administrator")
    await tend(app)
    assert (await admin.get("/api/radiology/me/notices")).json()["results"] == []
    assert len((await admin.get(f"{OFFERS}/unassignable")).json()["results"]) == 1


async def test_who_may_look(client_as: Any) -> None:
    radiologist = await client_as("radiologist")
    assert (await radiologist.get(f"{OFFERS}/unassignable")).status_code == 403
    radiographer = await client_as("radiographer")
    assert (await radiographer.get(OFFERS)).status_code == 403
    reasons = (await radiographer.get(f"{OFFERS}/reasons")).json()["results"]
    assert all(each["text"]["en"] and each["text"]["bn"] for each in reasons)
