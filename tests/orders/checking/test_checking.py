"""The check of orders over REST: refused, overridden, held and released, kept, counted, and told to whom."""

from typing import Any

import httpx2
import pytest

from checking import PATH, a_woman, an_order_of, by_key, examined, findings
from radiology.app import App

pytestmark = pytest.mark.anyio
NO_REACTION = {"contrast": {"previousReaction": "none"}}
REASON = "No other way to find the bleeding; she was told."


@pytest.fixture
async def client(client_as: Any) -> httpx2.AsyncClient:
    return await client_as("radiographer")


async def placed(client: httpx2.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def rows(app: App, statement: Any) -> list[Any]:
    async with app.db.transaction() as tx:
        return await tx.values(statement)


async def test_a_refused_order_leaves_nothing_but_a_count(client: httpx2.AsyncClient, app: App) -> None:
    refused = await client.post(PATH, json=an_order_of("XR_CHEST_PA", "DX", patient=a_woman()))
    assert refused.status_code == 422
    assert await rows(app, "SELECT count(*) FROM orders") == [0]
    assert await rows(app, "SELECT count(*) FROM patients") == [0]
    assert await rows(app, "SELECT rule || ' ' || outcome FROM order_alerts") == ["PG1 refused"]
    assert await rows(app, "SELECT action FROM audit_arrivals WHERE starts_with(action, 'order.')") == ["order.refuse"]


async def test_a_block_is_overridden_by_the_roles_of_its_rule_with_a_reason(client_as: Any, app: App) -> None:
    body = an_order_of("XR_CHEST_PA", "DX", patient=a_woman(), overrides=[{"rule": "PG1", "reason": REASON}])
    radiographer, radiologist = await client_as("radiographer"), await client_as("radiologist")
    refused = await radiographer.post(PATH, json=body)
    assert refused.status_code == 403
    assert "radiologist or consultant" in refused.json()["detail"]
    short = await radiologist.post(PATH, json={**body, "overrides": [{"rule": "PG1", "reason": "why"}]})
    assert (short.status_code, short.json()["errors"][0]["field"]) == (422, "overrides[0].reason")
    order = await placed(radiologist, body)
    assert order["check"]["decision"] == "proceed_with_warning"
    assert findings(order)["PG1"]["overridden"] == REASON
    (made,) = order["check"]["overrides"]
    assert (made["rule"], made["by"], made["role"]) == ("PG1", "account:radiologist", "radiologist")
    assert "order.override" in await rows(app, "SELECT action FROM audit_arrivals")
    assert await rows(app, "SELECT outcome FROM order_alerts") == ["overridden"]
    assert "overrides" not in order
    again = await radiologist.post(PATH, json=body)
    assert (again.status_code, again.json()["id"]) == (200, order["id"])


async def test_an_override_holds_as_long_as_the_rule_says_the_same(client_as: Any) -> None:
    client = await client_as("radiologist")
    body = an_order_of("XR_CHEST_PA", "DX", patient=a_woman(), overrides=[{"rule": "PG1", "reason": REASON}])
    order = await placed(client, body)
    changed = await client.put(f"{PATH}/{order['id']}", json={**body, "overrides": [], "note": "Wheelchair"})
    assert (changed.status_code, changed.json()["status"]) == (200, "active")
    worse = await client.put(f"{PATH}/{order['id']}/facts", json={"pregnancy": "possibly"})
    assert (worse.json()["status"], worse.json()["check"]["held"]) == ("on-hold", True)


async def test_a_hysterosalpingogram_in_pregnancy_is_overridden_by_a_consultant_alone(client_as: Any) -> None:
    body = an_order_of("RF_HSG", "RF", patient=a_woman(), safety={**NO_REACTION, "pregnancy": "definitely"},
                       overrides=[{"rule": "PG2", "reason": REASON}])  # fmt: skip
    assert (await (await client_as("radiologist")).post(PATH, json=body)).status_code == 403
    assert (await (await client_as("consultant")).post(PATH, json=body)).status_code == 201


async def test_facts_hold_an_order_and_release_it(client: httpx2.AsyncClient, app: App) -> None:
    order = await placed(client, an_order_of("MR_BRAIN_WO", "MR", safety={"noImplants": True}))
    address = f"{PATH}/{order['id']}"
    held = await client.put(f"{address}/facts", json={"implants": [{"text": "Cochlear implant"}]})
    assert (held.status_code, held.json()["status"]) == (200, "on-hold")
    assert held.json()["procedures"][0]["worklistStatus"] == "CANCELED"
    assert (await client.put(f"{address}/status", json={"status": "active", "reason": "Go on"})).status_code == 422
    clearance = {"on": "2026-01-21", "note": "Removed in 2024, seen on the X-ray"}
    released = await client.put(f"{address}/facts", json={"mrClearance": clearance})
    assert (released.json()["status"], released.json()["check"]["held"]) == ("active", False)
    assert released.json()["procedures"][0]["worklistStatus"] == "SCHEDULED"
    another = await client.put(f"{address}/facts", json={"implants": [{"text": "Pacemaker"}]})
    assert another.json()["status"] == "on-hold", "the clearance was for what was known then"
    assert "mrClearance" not in another.json()["safety"]
    verbs = [each["verb"] for each in (await client.get(f"{address}/history")).json()["results"]]
    assert verbs == ["place", "change", "hold", "change", "resume", "change", "hold"]
    told = await rows(app, "SELECT body ->> 'held' FROM outbox WHERE type = 'radiology.order.checked.v1'")
    assert told[0] == "true"


async def test_an_order_that_a_person_holds_is_not_released_by_the_check(client: httpx2.AsyncClient) -> None:
    order = await placed(client, an_order_of("MR_BRAIN_WO", "MR", safety={"noImplants": True}))
    address = f"{PATH}/{order['id']}"
    await client.put(f"{address}/status", json={"status": "on-hold", "reason": "Waits for a relative"})
    changed = await client.put(f"{address}/facts", json={"pregnancy": "not-pregnant"})
    assert changed.json()["status"] == "on-hold"


async def test_a_change_to_something_dangerous_is_kept_and_waits(client: httpx2.AsyncClient) -> None:
    safety = {"implants": [{"text": "Pacemaker", "mrSafety": "conditional"}]}
    body = an_order_of("CT_HEAD_WO", "CT", safety=safety)
    order = await placed(client, body)
    changed = await client.put(f"{PATH}/{order['id']}", json={**body, "procedures": [by_key("MR_BRAIN_WO", "MR")]})
    assert (changed.status_code, changed.json()["status"]) == (200, "on-hold")
    assert findings(changed.json())["MR1"]["effect"] == "blocked"


async def test_a_clearance_is_recorded_by_who_may_clear(client_as: Any) -> None:
    safety = {"implants": [{"text": "Pacemaker"}], "mrClearance": {"on": "2026-01-21", "note": "It is fine"}}
    body = an_order_of("MR_BRAIN_WO", "MR", safety=safety)
    assert (await (await client_as("records")).post(PATH, json=body)).status_code == 403
    assert (await (await client_as("radiographer")).post(PATH, json=body)).status_code == 201


async def test_all_answers_are_kept_with_the_order(client: httpx2.AsyncClient) -> None:
    order = await placed(client, an_order_of("CT_ABDOMEN_PELVIS_W", "CT", reason="RUQ pain", safety=NO_REACTION))
    await client.put(f"{PATH}/{order['id']}/facts", json={"renalFunction": {"measuredOn": "2026-01-20", "egfr": 20}})
    kept = (await client.get(f"{PATH}/{order['id']}/check")).json()["results"]
    assert [(each["trigger"], each["decision"]) for each in kept] == [
        ("change", "consult_radiologist"),
        ("place", "suggest_alternative"),
    ]
    assert kept[0]["ruleSetVersion"] == "2026.1"


async def test_facts_that_say_nothing_or_contradict_are_refused(client: httpx2.AsyncClient) -> None:
    order = await placed(client, an_order_of("MR_BRAIN_WO", "MR"))
    address = f"{PATH}/{order['id']}/facts"
    assert (await client.put(address, json={})).status_code == 422
    both = {"noImplants": True, "implants": [{"text": "Clip"}]}
    assert (await client.put(address, json=both)).status_code == 422
    assert (await client.put(address, json={"noImplants": True}, headers={"if-match": 'W/"7"'})).status_code == 412


async def test_what_was_cancelled_or_replaced_is_counted_as_saved(client: httpx2.AsyncClient, app: App) -> None:
    body = an_order_of("CT_ABDOMEN_PELVIS_W", "CT", reason="RUQ pain", safety=NO_REACTION)
    order = await placed(client, body)
    await client.put(f"{PATH}/{order['id']}/status", json={"status": "revoked", "reason": "Ultrasound first"})
    saved = (
        "SELECT json_build_array(rule, outcome, saved_bdt::float, saved_msv) FROM order_alerts ORDER BY shown_at, rule"
    )
    assert await rows(app, saved) == [["FL-biliary", "accepted", 5000.0, 8.0]]
    replaced = await placed(client, {**body, "placerNumber": "OP-REPLACED"})
    instead = [by_key("US_ABDOMEN_WHOLE", "US")]
    await client.put(f"{PATH}/{replaced['id']}", json={**body, "placerNumber": "OP-REPLACED", "procedures": instead})
    assert (await rows(app, saved))[1] == ["FL-biliary", "accepted", 4740.0, 8.0]


async def test_a_check_before_placing_registers_nobody(client_as: Any, app: App) -> None:
    client = await client_as("radiographer")
    answer = await client.post(f"{PATH}/check", json=an_order_of("XR_CHEST_PA", "DX", patient=a_woman()))
    assert (answer.status_code, answer.json()["decision"]) == (200, "blocked")
    assert await rows(app, "SELECT count(*) FROM patients") == [0]
    assert await rows(app, "SELECT count(*) FROM order_alerts") == [0]
    assert (
        await (await client_as("referrer")).post(f"{PATH}/check", json=an_order_of("XR_HAND", "DX"))
    ).status_code == 403


async def test_what_the_catalogue_does_not_know_is_checked_by_its_modality(client: httpx2.AsyncClient) -> None:
    body = an_order_of("XR_CHEST_PA", "DX", placerNumber=None)
    unknown = [{"modality": "US", "code": {"text": "Something of our own"}}]
    order = await placed(client, {**body, "procedures": unknown})
    assert order["check"]["decision"] == "proceed"
    assert "the catalogue does not know" in order["check"]["procedures"][0]["guidance"]["en"]
    pacemaker = {"implants": [{"text": "Pacemaker"}]}
    magnet = [{"modality": "MR", "code": {"text": "Something of our own"}}]
    assert (await client.post(PATH, json={**body, "procedures": magnet, "safety": pacemaker})).status_code == 422


async def test_dose_of_a_year_is_that_of_what_was_done(client: httpx2.AsyncClient, app: App) -> None:
    young = {"PatientBirthDate": "19960115"}
    for day in range(10, 19):
        await examined(app, client, "Triphasic CT abdomen", "CT", on=f"202510{day}", **young)
    patient = {"id": "DMC-1001", "name": "Karim^Abdul", "birthDate": "1996-01-15", "sex": "M"}
    order = await placed(client, an_order_of("CT_CHEST_WO", "CT", patient=patient))
    assert findings(order)["CUM"]["effect"] == "proceed_with_warning"
    assert "About 135 mSv" in findings(order)["CUM"]["text"]["en"]


async def test_an_earlier_sensitive_examination_is_told_to_who_may_know_of_it_alone(client_as: Any, app: App) -> None:
    treats, other = await client_as("radiographer"), await client_as("records")
    hers = {"PatientID": "DMC-2002", "PatientName": "Begum^Salma", "PatientBirthDate": "19750601", "PatientSex": "F"}
    uid = await examined(
        app, treats, "Screening mammogram, both breasts", "MG", on="20251001", carer="account:radiographer", **hers
    )
    safety = {"pregnancy": "not-pregnant"}
    body = an_order_of("MG_SCREENING_BILAT", "MG", patient=a_woman("1975-06-01"), safety=safety)
    assert uid in (await treats.post(f"{PATH}/check", json=body)).text
    told = (await other.post(f"{PATH}/check", json=body)).text
    assert uid not in told
    assert "DUP" not in told


async def test_both_languages_are_in_an_answer_and_in_a_refusal(client: httpx2.AsyncClient) -> None:
    refused = (await client.post(PATH, json=an_order_of("XR_CHEST_PA", "DX", patient=a_woman()))).json()
    assert "গর্ভবতী" in findings(refused)["PG1"]["text"]["bn"]
    assert refused["detail"].startswith("The order is blocked. PG1: Nobody has said whether she is pregnant.")
    assert findings(refused)["PG1"]["overrideBy"] == ["radiologist", "consultant"]
