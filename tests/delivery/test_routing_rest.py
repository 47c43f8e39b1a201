"""Routing rules and deliveries over REST: rules are kept, tried out, and what waits is seen, cancelled and retried."""

import asyncio

import pytest

import make
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.delivery.routing import following, sending
from radiology.kit import outbox

pytestmark = pytest.mark.anyio

RULES, DELIVERIES = "/api/radiology/routing-rules", "/api/radiology/deliveries"
RULE = {"name": "CT", "conditions": {"modalities": ["CT"]}, "destinations": ["NEURO"], "timeZone": "Asia/Dhaka"}

SOMEBODY_WAITS = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted) FROM pg_sleep(0.01)"


@pytest.fixture
async def administrator(app, client_as):
    async with app.db.transaction() as tx:
        await entities.save(tx, ApplicationEntity("NEURO", "127.0.0.1", 104))
    return await client_as("administrator")


async def follow(app) -> None:
    async with app.db.transaction() as tx:
        await outbox.place(tx)
    await following.follow_events(app)


async def test_a_rule_is_added_changed_and_forgotten(administrator):
    added = (await administrator.post(RULES, json=RULE)).json()
    assert added["conditions"]["modalities"] == ["CT"]
    where = f"{RULES}/{added['id']}"
    window = {"sendFrom": "20:00", "sendUntil": "06:00"}
    changed = await administrator.put(where, json=RULE | window)
    assert (changed.status_code, changed.json()["sendFrom"]) == (200, "20:00:00")
    assert (await administrator.get(RULES)).json()["results"] == [(await administrator.get(where)).json()]
    assert (await administrator.delete(where)).status_code == 204
    assert (await administrator.get(where)).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"destinations": ["NOBODY"]}, {"sendFrom": "20:00"}, {"timeZone": "Asia/Nowhere"}, {"destinations": []}]
)
async def test_a_rule_that_cannot_work_is_refused(administrator, wrong):
    assert (await administrator.post(RULES, json=RULE | wrong)).status_code in (400, 422)


async def test_only_administrators_see_rules_and_deliveries(client_as):
    radiologist = await client_as("radiologist")
    assert (await radiologist.get(RULES)).status_code == 403
    assert (await radiologist.get(DELIVERIES)).status_code == 403
    assert (await radiologist.post(RULES, json=RULE)).status_code == 403


async def test_a_dry_run_tells_what_would_be_sent_and_why_not(app, administrator):
    await administrator.post(RULES, json=RULE)
    await make.a_study(app, StudyDate="20260121")
    await make.a_study(app, StudyDate="20260121", Modality="MR")
    results = (await administrator.post(f"{RULES}/dry-run?day=2026-01-21")).json()["results"]
    told = {result["modality"]: (result["destinations"], result["reason"]) for result in results}
    assert told == {"CT": (["NEURO"], ""), "MR": ([], "The modality is MR, not CT.")}
    assert (await administrator.get(DELIVERIES)).json()["results"] == []


async def test_what_waits_is_listed_cancelled_and_retried(app, administrator):
    await administrator.post(RULES, json=RULE)
    stored = await make.a_study(app, instances=2)
    await follow(app)
    [waiting] = (await administrator.get(f"{DELIVERIES}?state=waiting&destination=NEURO")).json()["results"]
    assert waiting["studyInstanceUid"] == stored.study_instance_uid
    assert (waiting["sent"], waiting["remaining"], waiting["rule"]) == (0, 2, "CT")
    where = f"{DELIVERIES}/{waiting['id']}"
    assert (await administrator.post(f"{where}/cancel")).status_code == 204
    assert (await administrator.post(f"{where}/cancel")).status_code == 409
    counts = (await administrator.get(f"{DELIVERIES}/counts")).json()["results"]
    assert counts == [{"destination": "NEURO", "state": "cancelled", "deliveries": 1}]
    assert (await administrator.post(f"{where}/retry")).status_code == 204
    assert await sending.start_due(app) == 1


async def test_what_is_cancelled_in_the_moment_in_which_it_is_started_stays_cancelled(app, administrator):
    await administrator.post(RULES, json=RULE)
    await make.a_study(app)
    await follow(app)
    async with app.db.transaction() as tx:
        await tx.run("UPDATE deliveries SET state = 'cancelled'")
        starting = asyncio.create_task(sending.start_due(app))
        async with app.db.transaction() as looking:
            while not await looking.value(SOMEBODY_WAITS):
                pass
    assert await starting == 0
    [cancelled] = (await administrator.get(DELIVERIES)).json()["results"]
    assert cancelled["state"] == "cancelled"
