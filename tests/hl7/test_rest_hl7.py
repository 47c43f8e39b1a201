"""Senders, dry runs and the error queue, over REST."""

from typing import Any

import pytest

import hl7_peer as peers

pytestmark = pytest.mark.anyio
BASE = "/api/radiology/hl7"
SENDER: dict[str, Any] = {"sendingApplication": "HIS", "sendingFacility": "DMCH", "facilityCode": "DMCH"}
UNKNOWN = peers.order("P1", code="77^CXR^LOCAL")
MAPPED = SENDER | {"mappings": {"procedures": {"77": {"modality": "DX"}}}}


async def _failed(send: Any, client: Any) -> str:
    assert (await send(UNKNOWN)).code == "AE"
    (item,) = (await client.get(f"{BASE}/messages", params={"state": "failed"})).json()["results"]
    return item["id"]


async def test_senders_are_registered_changed_and_forgotten(client_as: Any):
    client = await client_as("administrator")
    answer = await client.put(f"{BASE}/senders/HIS", json=MAPPED)
    assert answer.status_code == 200, answer.text
    assert answer.json()["mappings"]["procedures"] == {"77": {"modality": "DX"} | _NOTHING}
    assert (await client.get(f"{BASE}/senders/HIS")).json()["sendingApplication"] == "HIS"
    assert len((await client.get(f"{BASE}/senders")).json()["results"]) == 1
    assert (await client.delete(f"{BASE}/senders/HIS")).status_code == 204
    assert (await client.get(f"{BASE}/senders/HIS")).status_code == 404
    assert (await client.delete(f"{BASE}/senders/HIS")).status_code == 404


_NOTHING = {"code": None, "system": None, "display": None, "laterality": None}


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"charset": "nonsense"}, 422),
        ({"timeZone": "Mars"}, 422),
        ({"certificateFingerprint": "77"}, 422),
        ({"mappings": {"accessionNumber": "somewhere"}}, 422),
        ({"mappings": {"priorities": {"1": "soon"}}}, 422),
        ({"unknown": 1}, 422),
    ],
)
async def test_a_sender_that_cannot_be_is_refused(client_as: Any, changed: dict[str, Any], status: int):
    client = await client_as("administrator")
    assert (await client.put(f"{BASE}/senders/HIS", json=SENDER | changed)).status_code == status


@pytest.mark.parametrize("role", ["radiographer", "radiologist", "service"])
async def test_only_administrators_see_and_change(client_as: Any, send: Any, role: str):
    client = await client_as("administrator")
    message = await _failed(send, client)
    other = await client_as(role)
    for method, path in (
        ("GET", "senders"), ("GET", "senders/HIS"), ("PUT", "senders/HIS"), ("DELETE", "senders/HIS"),
        ("POST", "senders/HIS/try"), ("GET", "messages"), ("GET", f"messages/{message}"),
        ("POST", f"messages/{message}/replay"), ("POST", f"messages/{message}/dismiss"), ("GET", "receivers"),
        ("GET", "outgoing"), ("PUT", "receivers/HIS"), ("DELETE", "receivers/HIS"),
    ):  # fmt: skip
        bodies = {"PUT": SENDER, "POST": {"reason": "x"}}
        if path.endswith("try"):
            bodies = {"POST": {"message": "x"}}
        if path.startswith("receivers"):
            bodies = {"PUT": {"host": "h", "port": 1}}
        answer = await other.request(method, f"{BASE}/{path}", json=bodies.get(method))
        assert answer.status_code == 403, (method, path, answer.text)


async def test_a_dry_run_shows_what_would_become_of_a_message(client_as: Any, value: Any):
    client = await client_as("administrator")
    await client.put(f"{BASE}/senders/HIS", json=SENDER)
    tried = (await client.post(f"{BASE}/senders/HIS/try", json={"message": UNKNOWN.decode()})).json()
    assert (tried["code"], tried["place"]) == ("AE", "OBR-4")
    assert tried["patient"]["name"] == "Karim^Abdul"
    await client.put(f"{BASE}/senders/HIS", json=MAPPED)
    tried = (
        await client.post(f"{BASE}/senders/HIS/try", json={"message": UNKNOWN.decode().replace("\r", "\n")})
    ).json()
    assert tried["code"] == "AA", tried
    assert tried["orders"][0]["procedures"][0]["modality"] == "DX"
    assert tried["references"][0].startswith("ServiceRequest/")
    for table in ("orders", "patients", "hl7_messages", "outbox", "scheduled_procedure_steps"):
        assert await value(f"SELECT count(*) FROM {table}") == 0, table  # noqa: S608


async def test_a_message_is_replayed_when_its_code_is_mapped(client_as: Any, send: Any, value: Any):
    client = await client_as("administrator")
    message = await _failed(send, client)
    answer = await client.post(f"{BASE}/messages/{message}/replay", json={"reason": "tried"})
    assert answer.status_code == 422
    assert "Map it in procedures of HIS" in answer.json()["detail"]
    await client.put(f"{BASE}/senders/HIS", json=MAPPED)
    answer = await client.post(f"{BASE}/messages/{message}/replay", json={"reason": "mapped now"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["references"][0].startswith("ServiceRequest/")
    assert await value("SELECT count(*) FROM orders") == 1
    kept = (await client.get(f"{BASE}/messages/{message}")).json()
    assert (kept["state"], kept["attempts"], kept["reason"]) == ("processed", 2, "mapped now")
    assert (await client.post(f"{BASE}/messages/{message}/replay", json={"reason": "again"})).status_code == 409
    assert (await send(UNKNOWN)).code == "AE"  # The same message is answered the same.
    assert await value("SELECT count(*) FROM orders") == 1


async def test_a_message_is_replayed_as_it_was_corrected(client_as: Any, send: Any, value: Any):
    client = await client_as("administrator")
    message = await _failed(send, client)
    shown = (await client.get(f"{BASE}/messages/{message}")).json()
    assert shown["message"] == UNKNOWN.decode()
    corrected = shown["message"].replace("77^CXR", "77^DX Chest")
    answer = await client.post(f"{BASE}/messages/{message}/replay", json={"reason": "a typo", "message": corrected})
    assert answer.status_code == 200, answer.text
    assert await value("SELECT content FROM hl7_messages") == UNKNOWN
    assert (await client.get(f"{BASE}/messages/{message}")).json()["corrected"] == corrected
    actions = await value("SELECT array_agg(DISTINCT action) FROM audit_arrivals WHERE action LIKE 'hl7.%%'")
    assert {"hl7.read", "hl7.replay"} <= set(actions)


async def test_a_message_is_dismissed_with_a_reason(client_as: Any, send: Any):
    client = await client_as("administrator")
    message = await _failed(send, client)
    assert (await client.post(f"{BASE}/messages/{message}/dismiss", json={})).status_code == 422
    assert (await client.post(f"{BASE}/messages/{message}/dismiss", json={"reason": "a test"})).status_code == 204
    shown = (await client.get(f"{BASE}/messages/{message}")).json()
    assert (shown["state"], shown["reason"]) == ("dismissed", "a test")
    assert (await client.post(f"{BASE}/messages/{message}/dismiss", json={"reason": "again"})).status_code == 409


async def test_messages_are_listed_by_pages(client_as: Any, send: Any):
    client = await client_as("administrator")
    for number in range(3):
        await send(peers.order(f"P{number}"))
    first = (await client.get(f"{BASE}/messages", params={"limit": 2, "type": "ORM^O01"})).json()
    second = (await client.get(first["next"])).json()
    ids = [item["id"] for item in first["results"] + second["results"]]
    assert len(set(ids)) == 3
    assert "Karim" not in str(first)
    (one,) = (
        await client.get(f"{BASE}/messages", params={"controlId": first["results"][0]["controlId"], "sender": "HIS"})
    ).json()["results"]
    assert one["id"] == ids[0]
