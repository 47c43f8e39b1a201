"""UPS-RS (PS3.18 11): the workitems by HTTP, with the statuses and warnings of the standard, and the event channel."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import orjson
import pytest
from fastapi import FastAPI
from pydicom.uid import generate_uid
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from conftest import ClientAs
from procedure_steps import FILTERED, GLOBAL, performed, task
from radiology.access import sessions
from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.doors.http.actors import COOKIE
from radiology.standards.dicom import xml_model
from radiology.workitems.notices import waiting_reports
from served import served

pytestmark = pytest.mark.anyio
WORKITEMS = "/dicomweb/workitems"
JSON, XML = "application/dicom+json", "application/dicom+xml"
TYPE = {"Content-Type": JSON}


@pytest.fixture
async def client(client_as: ClientAs) -> httpx2.AsyncClient:
    return await client_as("radiographer")


async def created(client: httpx2.AsyncClient, **attributes: Any) -> str:
    answer = await client.post(WORKITEMS, content=orjson.dumps(task(**attributes).to_json_dict()), headers=TYPE)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].rpartition("/")[2]


async def change_state(client: httpx2.AsyncClient, uid: str, state: str, lock: str) -> httpx2.Response:
    body = {"00741000": {"vr": "CS", "Value": [state]}}
    if lock:
        body["00081195"] = {"vr": "UI", "Value": [lock]}
    return await client.put(f"{WORKITEMS}/{uid}/state", content=orjson.dumps(body), headers=TYPE)


async def state_of(client: httpx2.AsyncClient, uid: str) -> str:
    (workitem,) = (await client.get(f"{WORKITEMS}/{uid}")).json()
    return workitem["00741000"]["Value"][0]


async def register(app: App, ae_title: str, **columns: Any) -> None:
    async with app.db.transaction() as tx:
        await entities.save(tx, ApplicationEntity(ae_title, services=["ups"], **columns))


async def test_a_workitem_is_created_found_claimed_updated_and_completed(client: httpx2.AsyncClient) -> None:
    uid, lock = await created(client), generate_uid()
    answer = await client.get(f"{WORKITEMS}/{uid}", headers={"accept": XML})
    assert xml_model.decode(answer.content)["00741204"]["Value"] == ["Read CT chest"]
    assert (await change_state(client, uid, "IN PROGRESS", lock)).status_code == 200
    done = performed(lock).to_json_dict()
    update = await client.post(f"{WORKITEMS}/{uid}", content=orjson.dumps(done), headers=TYPE)
    assert update.status_code == 200, update.text
    assert (await change_state(client, uid, "COMPLETED", lock)).status_code == 200
    again = await change_state(client, uid, "COMPLETED", lock)
    assert again.status_code == 200
    assert again.headers["warning"].endswith('"The UPS is already in the requested state of COMPLETED."')
    assert await state_of(client, uid) == "COMPLETED"
    (workitem,) = (await client.get(f"{WORKITEMS}/{uid}")).json()
    assert "00081195" not in workitem


@pytest.mark.parametrize("form", ["?{}", "?workitem={}", "?AffectedSOPInstanceUID={}", ""])
async def test_a_workitem_has_the_uid_that_is_named(client: httpx2.AsyncClient, form: str) -> None:
    uid = generate_uid()
    attributes = task().to_json_dict() | ({} if form else {"00080018": {"vr": "UI", "Value": [uid]}})
    url = WORKITEMS + form.format(uid)
    answer = await client.post(url, content=orjson.dumps([attributes]), headers=TYPE)
    assert answer.headers["location"].endswith(f"{WORKITEMS}/{uid}")
    assert (await client.post(url, content=orjson.dumps([attributes]), headers=TYPE)).status_code == 409


async def test_what_cannot_be_done_is_refused_with_a_warning(client: httpx2.AsyncClient) -> None:
    uid, lock = await created(client), generate_uid()
    for answer, status, warning in [
        (await change_state(client, uid, "COMPLETED", lock), 409, "did not reference a claimed Workitem"),
        (await change_state(client, uid, "IN PROGRESS", ""), 400, "Transaction UID is missing"),
        (await change_state(client, uid, "SCHEDULED", lock), 409, "inconsistent with the state"),
        (await change_state(client, uid, "NONSENSE", lock), 400, ""),
        (await change_state(client, "1.2.3", "IN PROGRESS", lock), 404, ""),
        (await client.get(f"{WORKITEMS}/1.2.3"), 404, ""),
        (await client.get(f"{WORKITEMS}/x"), 400, ""),
        (await client.post(WORKITEMS, content=b"{", headers=TYPE), 400, ""),
        (await client.post(WORKITEMS, content=b"{}", headers={"Content-Type": "text/plain"}), 415, ""),
        (await client.post(f"{WORKITEMS}/{uid}?transaction-uid={lock}", content=b"{}", headers=TYPE), 409, "claimed"),
    ]:
        assert answer.status_code == status, answer.text
        assert warning in answer.headers.get("warning", "")
    missing = task().to_json_dict()
    del missing["00741204"]
    refused = await client.post(WORKITEMS, content=orjson.dumps(missing), headers=TYPE)
    assert refused.status_code == 400
    assert "ProcedureStepLabel" in refused.json()["detail"]


async def test_cancelling_what_nobody_claimed_and_what_somebody_has(client: httpx2.AsyncClient, app: App) -> None:
    uid, lock = await created(client), generate_uid()
    assert (await client.post(f"{WORKITEMS}/{uid}/cancelrequest")).status_code == 202
    assert await state_of(client, uid) == "CANCELED"
    again = await client.post(f"{WORKITEMS}/{uid}/cancelrequest")
    assert (again.status_code, "CANCELED" in again.headers["warning"]) == (202, True)
    claimed = await created(client)
    await change_state(client, claimed, "IN PROGRESS", lock)
    alone = await client.post(f"{WORKITEMS}/{claimed}/cancelrequest")
    assert (alone.status_code, "cannot be contacted" in alone.headers["warning"]) == (409, True)
    await register(app, "PERFORMER")
    assert (await client.post(f"{WORKITEMS}/{claimed}/subscribers/PERFORMER")).status_code == 201
    reason = orjson.dumps({"00741238": {"vr": "LT", "Value": ["wrong patient"]}})
    asked = await client.post(f"{WORKITEMS}/{claimed}/cancelrequest?requester=RIS", content=reason, headers=TYPE)
    assert asked.status_code == 202
    assert await state_of(client, claimed) == "IN PROGRESS"


async def test_searches_match_page_and_return_what_is_asked_for(client: httpx2.AsyncClient) -> None:
    for number in range(5):
        await created(client, ScheduledProcedureStepStartDateTime=f"202603010{number}0000", PatientID=f"P{number}")
    claimed = await created(client, WorklistLabel="MR READING")
    await change_state(client, claimed, "IN PROGRESS", generate_uid())
    page = await client.get(f"{WORKITEMS}?ProcedureStepState=SCHEDULED&limit=2&offset=1")
    assert [each["00100020"]["Value"] for each in page.json()] == [["P1"], ["P2"]]
    assert "There are 2 additional results" in page.headers["warning"]
    following = await client.get(page.links["next"]["url"])
    assert [each["00100020"]["Value"] for each in following.json()] == [["P3"], ["P4"]]
    assert "warning" not in following.headers
    (found,) = (await client.get(f"{WORKITEMS}?WorklistLabel=MR*&includefield=ScheduledWorkitemCodeSequence")).json()
    assert found["00080018"]["Value"] == [claimed]
    assert found["00404018"]["Value"][0]["00080100"]["Value"] == ["110005"]
    nested = f"{WORKITEMS}?ScheduledWorkitemCodeSequence.CodeValue=110005&limit=1&includefield=all"
    assert "00741204" in (await client.get(nested)).json()[0]
    assert (await client.get(f"{WORKITEMS}?PatientID=nobody")).json() == []
    dates = f"{WORKITEMS}?ScheduledProcedureStepStartDateTime=20260301030000-20260301040000"
    assert [each["00100020"]["Value"] for each in (await client.get(dates)).json()] == [["P3"], ["P4"]]
    for wrong in ("NoSuchAttribute=1", "limit=x", "offset=10001", "ScheduledProcedureStepStartDateTime=never"):
        assert (await client.get(f"{WORKITEMS}?{wrong}")).status_code == 400, wrong


async def test_who_may_only_read_changes_nothing(client: httpx2.AsyncClient, client_as: ClientAs) -> None:
    uid = await created(client)
    reader = await client_as("referrer")
    assert (await reader.get(f"{WORKITEMS}/{uid}")).status_code == 200
    assert (await change_state(reader, uid, "IN PROGRESS", generate_uid())).status_code == 403
    for path in (f"/{uid}/cancelrequest", f"/{uid}/subscribers/X", f"/{uid}/subscribers/X/suspend", ""):
        assert (await reader.post(WORKITEMS + path)).status_code == 403, path
    assert (await reader.delete(f"{WORKITEMS}/{uid}/subscribers/X")).status_code == 403


# The event channel


@pytest.fixture
async def port(service: FastAPI) -> AsyncIterator[int]:
    async with served(service) as number:
        yield number


def channel(client: httpx2.AsyncClient, port: int, ae_title: str) -> connect:
    headers = {"Authorization": client.headers["authorization"]}
    return connect(f"ws://127.0.0.1:{port}/dicomweb/subscribers/{ae_title}", additional_headers=headers)


async def told(socket: ClientConnection) -> tuple[int, str, dict[str, Any]]:
    event = orjson.loads(await asyncio.wait_for(socket.recv(), 10))
    return event["00001002"]["Value"][0], event["00001000"]["Value"][0], event


async def nothing_waits(app: App, ae_title: str) -> None:
    for _ in range(500):
        if not await waiting_reports(app, ae_title):
            break
        await asyncio.sleep(0.01)


async def test_a_subscriber_is_told_over_its_channel_in_order(client: httpx2.AsyncClient, app: App, port: int) -> None:
    await register(app, "WATCHER")
    assert (await client.post(f"{WORKITEMS}/{GLOBAL}/subscribers/WATCHER?deletionlock=true")).status_code == 201
    async with channel(client, port, "WATCHER") as socket:
        uid, lock = await created(client), generate_uid()
        assert (await told(socket))[:2] == (1, uid)
        await change_state(client, uid, "IN PROGRESS", lock)
        kind, _, event = await told(socket)
        assert (kind, event["00741000"]["Value"]) == (1, ["IN PROGRESS"])
        await client.post(f"{WORKITEMS}/{uid}/cancelrequest?requester=RIS")
        kind, _, event = await told(socket)
        assert (kind, event["00741236"]["Value"]) == (2, ["RIS"])
        await nothing_waits(app, "WATCHER")
    # What happens while no channel is open is told on the next.
    assert (await client.post(f"{WORKITEMS}/{GLOBAL}/subscribers/WATCHER/suspend")).status_code == 200
    await created(client)
    changes = orjson.dumps({"00404041": {"vr": "CS", "Value": ["UNAVAILABLE"]}})
    changed = await client.post(f"{WORKITEMS}/{uid}?transaction-uid={lock}", content=changes, headers=TYPE)
    assert changed.status_code == 200, changed.text
    assert (await client.delete(f"{WORKITEMS}/{GLOBAL}/subscribers/WATCHER")).status_code == 200
    await created(client)
    async with channel(client, port, "WATCHER") as socket:
        kind, workitem, event = await told(socket)
        assert (kind, workitem, event["00404041"]["Value"]) == (1, uid, ["UNAVAILABLE"])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.3)


async def test_a_filtered_subscription_tells_only_what_fits(client: httpx2.AsyncClient, app: App, port: int) -> None:
    await register(app, "WATCHER")
    path = f"{WORKITEMS}/{FILTERED}/subscribers/WATCHER"
    assert (await client.post(path)).status_code == 400
    answer = await client.post(f"{path}?filter=WorklistLabel%3DMR%20READING")
    assert answer.status_code == 201
    assert answer.headers["content-location"].startswith("ws://")
    async with channel(client, port, "WATCHER") as socket:
        await created(client)
        wanted = await created(client, WorklistLabel="MR READING")
        assert (await told(socket))[1] == wanted


async def test_a_channel_is_not_opened_by_pages_of_others_nor_by_readers(
    client: httpx2.AsyncClient, client_as: ClientAs, app: App, port: int
) -> None:
    await register(app, "WATCHER")
    url = f"ws://127.0.0.1:{port}/dicomweb/subscribers/WATCHER"
    async with app.db.transaction() as tx:
        secret = await sessions.begin(tx, "radiographer", now=app.clock.now())
    cookie = {"Cookie": f"{COOKIE}={secret}"}
    async with connect(url, additional_headers=cookie, origin=Origin(f"http://127.0.0.1:{port}")):
        pass
    for headers, origin in ((cookie, "http://elsewhere.test"), (cookie, None)):
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, additional_headers=headers, origin=Origin(origin) if origin else None)
        assert refused.value.response.status_code == 403
    reader = await client_as("referrer")
    with pytest.raises(InvalidStatus) as refused:
        await channel(reader, port, "WATCHER")
    assert refused.value.response.status_code == 403


async def test_a_channel_is_refused_to_strangers(client: httpx2.AsyncClient, app: App, port: int) -> None:
    await register(app, "DIMSE1", host="127.0.0.1", port=11112)
    for ae_title, status in {"NOBODY": 404, "DIMSE1": 409}.items():
        with pytest.raises(InvalidStatus) as refused:
            await channel(client, port, ae_title)
        assert refused.value.response.status_code == status
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{port}/dicomweb/subscribers/NOBODY")
    assert refused.value.response.status_code == 401
    uid = await created(client)
    assert (await client.post(f"{WORKITEMS}/{uid}/subscribers/NOBODY")).status_code == 404
