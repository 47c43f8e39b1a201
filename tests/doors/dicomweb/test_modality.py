"""What modalities do by HTTP: worklist, performed procedure steps and storage commitment; and the capabilities."""

from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import fromstring

import httpx2
import orjson
import pytest
from fastapi import FastAPI
from pydicom.uid import CTImageStorage, generate_uid
from starlette.routing import Route

import make
from conftest import ClientAs
from radiology.app import App
from radiology.kit.clock import SetClock
from radiology.modality_worklist.schemas import EXAMPLE
from radiology.studies.schemas import STUDY_EXAMPLE
from worklist import begun, ended

pytestmark = pytest.mark.anyio
SCHEDULED = "/dicomweb/modality-scheduled-procedure-steps"
PERFORMED = "/dicomweb/modality-performed-procedure-steps"
COMMITMENTS = "/dicomweb/commitment-requests"
TYPE = {"Content-Type": "application/dicom+json"}


@pytest.fixture
async def client(client_as: ClientAs) -> httpx2.AsyncClient:
    return await client_as("radiographer")


async def placed(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/api/radiology/worklist", json={**EXAMPLE, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_the_worklist_is_searched_and_paged(client: httpx2.AsyncClient) -> None:
    items = [await placed(client, stationAETitles=[title]) for title in ("CT1", "CT1", "CT2")]
    found = (await client.get(SCHEDULED)).json()
    assert {each["0020000D"]["Value"][0] for each in found} == {each["studyInstanceUID"] for each in items}
    page = await client.get(f"{SCHEDULED}?ScheduledProcedureStepSequence.ScheduledStationAETitle=CT1&limit=1")
    (first,) = page.json()
    assert first["00400100"]["Value"][0]["00400001"]["Value"] == ["CT1"]
    assert "There are 1 additional results" in page.headers["warning"]
    (second,) = (await client.get(page.links["next"]["url"])).json()
    assert second["0020000D"] != first["0020000D"]
    modality = f"{SCHEDULED}?00400100.00080060=MR"
    assert (await client.get(modality)).json() == []
    assert (await client.get(f"{SCHEDULED}?NoSuchAttribute=1")).status_code == 400
    xml = await client.get(SCHEDULED, headers={"accept": "application/dicom+xml"})
    assert xml.headers["content-type"].startswith("multipart/related")


async def test_sensitive_work_is_shown_to_nobody_who_does_not_take_care(
    client_as: ClientAs, client: httpx2.AsyncClient
) -> None:
    item = await placed(client, modality="MG", requestedProcedure="Mammography")
    study = {**STUDY_EXAMPLE, "studyInstanceUID": item["studyInstanceUID"], "accessionNumber": item["accessionNumber"]}
    reader = await client_as("radiologist")
    assert len((await reader.get(SCHEDULED)).json()) == 1
    assert (await client.post("/api/radiology/studies", json=study)).status_code == 201
    assert (await reader.get(SCHEDULED)).json() == []
    assert (await reader.get("/api/radiology/worklist")).json()["results"] == []


async def test_a_step_begins_goes_on_and_ends(client: httpx2.AsyncClient) -> None:
    item = await placed(client)
    uid = generate_uid()
    began = begun()
    step = began.ScheduledStepAttributesSequence[0]
    step.StudyInstanceUID, step.ScheduledProcedureStepID = item["studyInstanceUID"], item["scheduledProcedureStepId"]
    body = orjson.dumps(began.to_json_dict())
    answer = await client.post(f"{PERFORMED}/{uid}?requester=CT1", content=body, headers=TYPE)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"].endswith(f"{PERFORMED}/{uid}")
    again = await client.post(f"{PERFORMED}/{uid}", content=body, headers=TYPE)
    assert again.status_code == 409
    (kept,) = (await client.get(f"{PERFORMED}/{uid}")).json()
    assert kept["00400252"]["Value"] == ["IN PROGRESS"]
    wrong = orjson.dumps({"00400252": {"vr": "CS", "Value": ["NONSENSE"]}})
    assert (await client.post(f"{PERFORMED}/{uid}?update", content=wrong, headers=TYPE)).status_code == 400
    last = orjson.dumps(ended("DISCONTINUED").to_json_dict())
    assert (await client.post(f"{PERFORMED}/{uid}?update", content=last, headers=TYPE)).status_code == 200
    assert (await client.post(f"{PERFORMED}/{uid}?update", content=last, headers=TYPE)).status_code == 409
    assert (await client.get(f"{PERFORMED}/1.2.3")).status_code == 404
    assert (await client.get(SCHEDULED)).json() == []


def asking(*uids: str) -> bytes:
    items = [
        {"00081150": {"vr": "UI", "Value": [CTImageStorage]}, "00081155": {"vr": "UI", "Value": [uid]}} for uid in uids
    ]
    return orjson.dumps({"00081199": {"vr": "SQ", "Value": items}})


async def test_what_is_stored_is_committed_and_what_is_not_waits(
    client: httpx2.AsyncClient, client_as: ClientAs, app: App, clock: SetClock
) -> None:
    stored = await make.a_study(app)
    all_there = await client.post(f"{COMMITMENTS}/1.2.1", content=asking(stored.sop_instance_uid), headers=TYPE)
    assert all_there.status_code == 200, all_there.text
    (item,) = all_there.json()["00081199"]["Value"]
    assert item["00081155"]["Value"] == [stored.sop_instance_uid]
    assert "00081198" not in all_there.json()
    body = asking(stored.sop_instance_uid, "1.2.3.4")
    waiting = await client.post(f"{COMMITMENTS}/1.2.2", content=body, headers=TYPE)
    assert (waiting.status_code, waiting.content) == (202, b"")
    assert (await client.get(f"{COMMITMENTS}/1.2.2")).status_code == 202
    clock.at += timedelta(minutes=2)
    for _ in range(2):
        decided = await client.get(f"{COMMITMENTS}/1.2.2")
        assert decided.status_code == 200
        (failed,) = decided.json()["00081198"]["Value"]
        assert (failed["00081155"]["Value"], failed["00081197"]["Value"]) == (["1.2.3.4"], [0x0112])
    assert (await client.post(f"{COMMITMENTS}/1.2.2", content=body, headers=TYPE)).status_code == 409
    assert (await client.post(f"{COMMITMENTS}/1.2.9", content=b"{}", headers=TYPE)).status_code == 400
    assert (await client.get(f"{COMMITMENTS}/1.2.8")).status_code == 404
    other = await client_as("radiologist")
    assert (await other.get(f"{COMMITMENTS}/1.2.2")).status_code == 404


async def test_who_may_only_read_reports_nothing(client_as: ClientAs) -> None:
    reader = await client_as("referrer")
    for path in (f"{PERFORMED}/1.2.3", f"{COMMITMENTS}/1.2.3"):
        assert (await reader.post(path, content=b"{}", headers=TYPE)).status_code == 403
    assert (await reader.get(SCHEDULED)).status_code == 200


async def test_the_capabilities_are_the_routes(client: httpx2.AsyncClient, service: FastAPI) -> None:
    there = {
        (route.path.removeprefix("/dicomweb/").replace(":path}", "}"), method)
        for route in service.routes
        if isinstance(route, Route) and route.path.startswith("/dicomweb/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    for method in ("OPTIONS", "GET"):
        answer = await client.request(method, "/dicomweb/", headers={"accept": "application/json"})
        told = answer.json()
        assert answer.status_code == 200
        pairs = [(each["path"], name) for each in told["resources"] for name in each["methods"]]
        assert {pair for pair in pairs if pair[0] != "subscribers/{subscriber}"} == there
        assert all(each["description"] for each in told["resources"])
    wadl = await client.request("OPTIONS", "/dicomweb")
    assert wadl.headers["content-type"] == "application/vnd.sun.wadl+xml"
    space = "{http://wadl.dev.java.net/2009/02}"
    root = fromstring(wadl.content)  # noqa: S314 - written by us.
    assert len(list(root.iter(f"{space}resource"))) == len(told["resources"])
    assert (await client.get("/dicomweb", headers={"accept": "image/gif"})).status_code == 406
