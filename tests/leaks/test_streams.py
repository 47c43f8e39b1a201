"""What never ends, listened to by everybody: server-sent events, and the event channel of workitems."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx2
import orjson
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from leaks.conftest import World, belongs
from radiology.access.model import ROLES, SYSTEM, Permission, Role
from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.workitems.subscriptions import Subscription, subscribe
from served import served

pytestmark = pytest.mark.anyio

ClientAs = Callable[..., Awaitable[httpx2.AsyncClient]]


def secrets_of(world: World, role: str) -> list[str]:
    """What no stream tells this role, which is of the facility LOCAL."""
    secrets = [text for study in world.studies for text in study.within]
    return secrets + [text for study in world.of_others for text in study.names if role != "administrator"]


@pytest.mark.parametrize("role", [each.value for each in Role])
async def test_events_tell_identifiers_of_the_own_facility_alone(
    world: World, app: App, service: FastAPI, client_as: ClientAs, role: str
) -> None:
    client = await client_as(role)
    if role != "administrator":
        await belongs(app, role)
    secrets = secrets_of(world, role)
    changes = await client.get("/api/radiology/changes")
    if changes.status_code != 200:
        refused = await client.get("/api/radiology/events", params={"after": 0})
        assert refused.status_code == changes.status_code == 403
        return
    newest = changes.json()["events"][-1]["position"]
    async with served(service) as port, httpx2.AsyncClient(headers=dict(client.headers)) as listener:
        url = f"http://127.0.0.1:{port}/api/radiology/events"
        text = await asyncio.wait_for(read_until(listener, url, f"id: {newest}\n"), 20)
    assert [secret for secret in secrets if secret in text] == []
    own = [study.uid for study in world.studies if role == "administrator" or study.facility == "LOCAL"]
    assert [uid for uid in own if uid not in text] == [], "they are told that there is something"


async def read_until(client: httpx2.AsyncClient, url: str, end: str) -> str:
    text = ""
    async with client.stream("GET", url, params={"after": 0}) as answer:
        assert answer.status_code == 200
        async for piece in answer.aiter_text():
            text += piece
            if end in text:
                return text
    return text


@pytest.mark.parametrize("role", [each.value for each in Role if Permission.ADMINISTER not in ROLES[each]])
async def test_associations_are_shown_to_administrators_alone(client_as: ClientAs, role: str) -> None:
    client = await client_as(role)
    assert (await client.get("/api/radiology/associations/stream", params={"after": 0})).status_code == 403


@pytest.mark.parametrize("role", [each.value for each in Role])
async def test_an_event_channel_tells_of_the_own_facility_alone(
    world: World, app: App, service: FastAPI, client_as: ClientAs, role: str
) -> None:
    client = await client_as(role)
    await belongs(app, role)
    async with app.db.transaction() as tx:
        await entities.save(tx, ApplicationEntity("WATCHER", facility_code="LOCAL"))
        await entities.save(tx, ApplicationEntity("FARAWAY", facility_code="OTHER"))
    for study, watcher in ((world.breast, "WATCHER"), (world.elsewhere, "FARAWAY")):
        uid = study.known_as["workitem"]
        await subscribe(app, SYSTEM, uid, Subscription(watcher), has_channel=True)
    async with served(service) as port:
        url = f"ws://127.0.0.1:{port}/dicomweb/subscribers"
        headers = {"authorization": client.headers["authorization"]}
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{url}/FARAWAY", additional_headers=headers)
        assert refused.value.response.status_code in (403, 404)
        if role == "patient" or Permission.WRITE not in ROLES[Role(role)]:
            with pytest.raises(InvalidStatus):
                await connect(f"{url}/WATCHER", additional_headers=headers)
            return
        async with connect(f"{url}/WATCHER", additional_headers=headers) as socket:
            told = str(await asyncio.wait_for(socket.recv(), 10))
    assert orjson.loads(told)["00001000"]["Value"] == [world.breast.known_as["workitem"]]
    assert [secret for study in world.studies for secret in study.all if secret in told] == []
