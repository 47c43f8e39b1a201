"""Images that another archive keeps go from here only where that is proven, and fresh proof is asked for again."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

import make
from conftest import ClientAs
from node import free_port
from orthanc import orthanc
from radiology.access.model import Role
from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.kit.clock import SetClock
from radiology.retention import purging
from retention.removals import BASE, DAY, OLD, approved, items_of, run, switched_on, value

pytestmark = pytest.mark.anyio

YOUNG = OLD | {"StudyDate": "20240301"}
RULE = {"code": "hub", "title": "The hub keeps the images.", "titleBn": "হাব ছবিগুলি রাখে।", "keptElsewhere": "HUB",
        "localDays": 365}  # fmt: skip


@pytest.fixture
async def first(client_as: ClientAs) -> httpx2.AsyncClient:
    return await client_as(Role.ADMINISTRATOR, name="first")


@pytest.fixture
async def second(client_as: ClientAs) -> httpx2.AsyncClient:
    return await client_as(Role.ADMINISTRATOR, name="second")


async def with_hub(app: App, client: httpx2.AsyncClient, entity: ApplicationEntity | None) -> None:
    """A rule that lets the images go a year after the study, since the hub keeps them."""
    held = (await client.get(f"{BASE}/rules")).json()
    body = {"basedOn": held["version"], "reason": "The disk here is small.", "rules": [*held["rules"], RULE]}
    assert (await client.put(f"{BASE}/rules", json=body)).status_code == 200
    await switched_on(client)
    if entity is not None:
        async with app.db.transaction() as tx:
            await entities.save(tx, entity)


@pytest.mark.peer("DICOMweb (client)", "Orthanc")
async def test_what_the_other_archive_gives_out_byte_for_byte_goes_and_comes_again(
    first: httpx2.AsyncClient,
    second: httpx2.AsyncClient,
    client_as: ClientAs,
    app: App,
    clock: SetClock,
    tmp_path: Path,
) -> None:
    kept, gone = await make.a_study(app, instances=2, **YOUNG), await make.a_study(app, instances=2, **YOUNG)
    node: Any = SimpleNamespace(port=free_port())
    with orthanc(node, tmp_path / "orthanc", dicomweb=True) as peer:
        await with_hub(app, first, ApplicationEntity("HUB", dicomweb_url=peer.dicomweb_url))
        for file in [*gone.files.values(), next(iter(kept.files.values()))]:
            await asyncio.to_thread(peer.send, file)
        due = (await first.get(f"{BASE}/due")).json()["results"]
        assert {(each["keptElsewhere"], each["keptUntil"], each["lastCopy"]) for each in due} == {
            ("HUB", "2034-03-01", False)
        }
        path = await approved(first, second, last_copies=False)
        await purging.tend(app)
        items = {each["studyInstanceUID"]: each for each in await items_of(first, path)}
        assert items[gone.study_instance_uid]["state"] == "binned"
        assert items[kept.study_instance_uid]["state"] == "kept"
        assert "did not give out 1 of" in items[kept.study_instance_uid]["sentence"]
        clock.advance(31 * DAY)
        await purging.tend(app)
        assert {each["state"] for each in await items_of(first, path)} == {"purged", "kept"}
        reader = await client_as("radiologist")
        assert (await reader.get(f"/dicomweb/studies/{gone.study_instance_uid}")).status_code == 404
        shown = await reader.get(f"/api/radiology/studies/{gone.study_instance_uid}")
        assert shown.json()["numberOfInstances"] == 0, "the study itself stays"
        assert await value(app, "SELECT count(*) FROM tombstones") == 0
        assert len(list(app.objects.keys())) == 2
        await make.store(app, *gone.files.values())
        assert (await reader.get(f"/dicomweb/studies/{gone.study_instance_uid}")).status_code == 200


@pytest.mark.peer("DICOMweb (client)", "Orthanc")
async def test_what_the_other_archive_has_lost_meanwhile_is_shown_again(
    first: httpx2.AsyncClient,
    second: httpx2.AsyncClient,
    client_as: ClientAs,
    app: App,
    clock: SetClock,
    tmp_path: Path,
) -> None:
    stored = await make.a_study(app, **YOUNG)
    node: Any = SimpleNamespace(port=free_port())
    with orthanc(node, tmp_path / "orthanc", dicomweb=True) as peer:
        await with_hub(app, first, ApplicationEntity("HUB", dicomweb_url=peer.dicomweb_url))
        await asyncio.to_thread(peer.send, stored.files[stored.sop_instance_uid])
        path = await approved(first, second)
        await purging.tend(app)
        clock.advance(31 * DAY)
        [there] = await asyncio.to_thread(peer.call, "GET", "/instances")
        await asyncio.to_thread(peer.call, "DELETE", f"/instances/{there}")
        await purging.tend(app)
    assert [each["state"] for each in await items_of(first, path)] == ["kept"]
    reader = await client_as("radiologist")
    assert (await reader.get(f"/dicomweb/studies/{stored.study_instance_uid}")).status_code == 200


@pytest.mark.parametrize("entity", [None, ApplicationEntity("HUB", "127.0.0.1", 104, enabled=False)])
async def test_without_an_archive_that_can_be_asked_nothing_goes(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App, entity: ApplicationEntity | None
) -> None:
    await make.a_study(app, **YOUNG)
    await with_hub(app, first, entity)
    path = await approved(first, second)
    await purging.tend(app)
    [item] = await items_of(first, path)
    assert (item["state"], item["sentence"]) == ("kept", "HUB is no archive that can be asked.")


async def test_an_archive_that_is_away_is_asked_again(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App, clock: SetClock
) -> None:
    await make.a_study(app, **YOUNG)
    await with_hub(app, first, ApplicationEntity("HUB", "127.0.0.1", free_port()))
    path = await approved(first, second)
    await purging.tend(app)
    [item] = await items_of(first, path)
    assert (item["state"], "cannot be called" in item["sentence"]) == ("approved", True)
    assert await purging.tend(app) == 0
    clock.advance(601)
    assert await purging.tend(app) == 1


ANSWER = """
    WITH answered AS (
        UPDATE commitment_inquiries SET state = 'answered', changed_at = %(at)s WHERE state = 'open' RETURNING id
    )
    UPDATE commitment_outcomes SET outcome = %(outcome)s WHERE inquiry_id IN (SELECT id FROM answered)
"""


@pytest.mark.parametrize(("second_answer", "state"), [("committed", "purged"), ("failed", "kept")])
async def test_storage_commitment_proves_it_and_an_old_one_does_not(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App, clock: SetClock, second_answer: str, state: str
) -> None:
    await make.a_study(app, instances=2, **YOUNG)
    await with_hub(app, first, ApplicationEntity("HUB", "127.0.0.1", free_port(), offers_commitment=True))
    path = await approved(first, second)

    async def tended() -> str:
        await purging.tend(app)
        [item] = await items_of(first, path)
        return item["state"]

    assert await tended() == "approved"
    assert await value(app, "SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'commitment.ask'") == 1
    clock.advance(700)
    assert await tended() == "approved", "it was asked, and has not answered"
    await run(app, ANSWER, at=clock.now(), outcome="committed")
    clock.advance(700)
    assert await tended() == "binned"
    clock.advance(31 * DAY)
    assert await tended() == "binned", "that was a month ago"
    assert await value(app, "SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'commitment.ask'") == 2
    await run(app, ANSWER, at=clock.now(), outcome=second_answer)
    clock.advance(700)
    assert await tended() == state


async def test_a_study_whose_own_time_is_over_goes_whole_only_where_that_was_approved(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App
) -> None:
    """Between approving and hiding the rules change, so that only the images might go: it stays."""
    await make.a_study(app, **OLD)
    await switched_on(first)
    path = await approved(first, second)
    held = (await first.get(f"{BASE}/rules")).json()
    longer = [{**rule, "years": 40} if rule["code"] == "adult" else rule for rule in held["rules"]]
    body = {"basedOn": 0, "reason": "The law was changed, it seems.", "rules": [*longer, RULE]}
    assert (await first.put(f"{BASE}/rules", json=body)).status_code == 200
    await purging.tend(app)
    assert [each["state"] for each in await items_of(first, path)] == ["kept"]
