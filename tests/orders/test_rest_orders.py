"""Orders over REST: placing, changing, moving and listing them, with what is made of them, events and history."""

from typing import Any

import httpx2
import pytest

import make
from ordering import PATH, a_patient, a_procedure, an_order
from radiology.app import App
from radiology.audit.sealing import seal_arrivals

pytestmark = pytest.mark.anyio

IF_FIRST = {"if-match": 'W/"1"'}


@pytest.fixture
async def client(client_as: Any) -> httpx2.AsyncClient:
    return await client_as("radiographer")


async def placed(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=an_order(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def moved(client: httpx2.AsyncClient, order: dict[str, Any], status: str, **more: Any) -> httpx2.Response:
    return await client.put(f"{PATH}/{order['id']}/status", json={"status": status, **more})


async def items_of(client: httpx2.AsyncClient, order: dict[str, Any]) -> list[dict[str, Any]]:
    listed = await client.get("/api/radiology/worklist", params={"serviceRequest": f"ServiceRequest/{order['id']}"})
    return listed.json()["results"]


async def test_an_order_is_one_study_and_one_item_for_each_procedure(client: httpx2.AsyncClient, app: App) -> None:
    order = await placed(client, procedures=[a_procedure(), a_procedure("US", "Abdomen US")])
    assert (order["status"], order["progress"], order["accessionNumber"]) == ("active", "scheduled", "LOCAL2601000001")
    assert order["patient"]["nameBangla"] == "করিম^আব্দুল"
    assert [each["requestedProcedureId"] for each in order["procedures"]] == ["R1.1", "R1.2"]
    items = await items_of(client, order)
    for procedure in order["procedures"]:
        study = (await client.get(f"/api/radiology/studies/{procedure['studyInstanceUID']}")).json()
        assert study["status"] == "registered"
        assert study["basedOn"] == [{"reference": f"ServiceRequest/{order['id']}"}]
        assert study["accessionNumber"] == order["accessionNumber"]
        item = next(each for each in items if each["studyInstanceUID"] == procedure["studyInstanceUID"])
        assert item["accessionNumber"] == order["accessionNumber"]
        assert item["start"] == "2026-01-21T14:00:00+06:00"
    async with app.db.transaction() as tx:
        types = await tx.values("SELECT type FROM outbox ORDER BY sequence")
    assert types.count("radiology.study.registered.v1") == types.count("radiology.procedure-step.scheduled.v1") == 2
    assert types[-1] == "radiology.order.placed.v1"


async def test_the_same_order_is_placed_once(client: httpx2.AsyncClient) -> None:
    body = an_order(placerNumber="OP-1")
    first = await client.post(PATH, json=body)
    again = await client.post(PATH, json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    other = await client.post(PATH, json={**body, "reason": "Something else"})
    assert other.status_code == 409
    assert "OP-1" in other.json()["detail"]
    elsewhere = await client.post(PATH, json={**body, "placer": "CLINIC", "reason": "Something else"})
    assert elsewhere.status_code == 201, "another placer counts by itself"


async def test_what_was_changed_since_is_still_the_same_order(client: httpx2.AsyncClient) -> None:
    body = an_order(placerNumber="OP-1")
    order = (await client.post(PATH, json=body)).json()
    assert (await client.put(f"{PATH}/{order['id']}", json={**body, "priority": "stat"})).status_code == 200
    again = await client.post(PATH, json=body)
    assert (again.status_code, again.json()["priority"], again.json()["version"]) == (200, "stat", 2)


async def test_a_change_reaches_study_and_item(client: httpx2.AsyncClient, app: App) -> None:
    order = await placed(client)
    address, procedure = f"{PATH}/{order['id']}", order["procedures"][0]
    body = an_order(
        placerNumber=order["placerNumber"],
        priority="stat",
        occurrence="2026-01-21T11:30:00+06:00",
        reason="Unconscious",
        procedures=[a_procedure(text="CT head with contrast", contrastAgent="Iohexol", stationAETitles=["CT2"])],
    )
    changed = await client.put(address, json=body, headers=IF_FIRST, params={"reason": "The patient got worse."})
    assert (changed.status_code, changed.json()["version"]) == (200, 2), changed.text
    assert changed.json()["procedures"][0]["studyInstanceUID"] == procedure["studyInstanceUID"]
    (item,) = await items_of(client, order)
    assert (item["priority"], item["start"], item["reason"]) == ("STAT", "2026-01-21T11:30:00+06:00", "Unconscious")
    assert (item["requestedProcedure"], item["contrastAgent"]) == ("CT head with contrast", "Iohexol")
    assert item["stationAETitles"] == ["CT2"]
    study = (await client.get(f"/api/radiology/studies/{procedure['studyInstanceUID']}")).json()
    assert study["studyDescription"] == "CT head with contrast"
    assert {"text": "Unconscious"} in study["reasonCode"]
    stale = await client.put(address, json=an_order(placerNumber=order["placerNumber"]), headers=IF_FIRST)
    assert stale.status_code == 412
    history = (await client.get(f"{address}/history")).json()["results"]
    assert [each["verb"] for each in history] == ["place", "change"]
    assert history[1]["reason"] == "The patient got worse."
    assert history[1]["content"]["priority"] == "stat"
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM outbox WHERE type = 'radiology.order.changed.v1'") == 1


async def test_a_change_that_says_nothing_new_changes_nothing(client: httpx2.AsyncClient) -> None:
    body = an_order()
    order = (await client.post(PATH, json=body)).json()
    answer = await client.put(f"{PATH}/{order['id']}", json=body)
    assert (answer.status_code, answer.json()["version"]) == (200, 1)


async def test_a_booked_time_is_not_moved_by_a_change(client: httpx2.AsyncClient, app: App) -> None:
    order = await placed(client)
    async with app.db.transaction() as tx:
        await tx.run(
            "UPDATE scheduled_procedure_steps SET scheduled_start = '2026-01-22T03:00:00Z', station_ae_titles = '{CT9}'"
        )
    body = an_order(placerNumber=order["placerNumber"], priority="stat", occurrence="2026-01-21T11:30:00+06:00")
    assert (await client.put(f"{PATH}/{order['id']}", json=body)).status_code == 200
    (item,) = await items_of(client, order)
    assert (item["priority"], item["start"]) == ("STAT", "2026-01-22T09:00:00+06:00")
    assert item["stationAETitles"] == ["CT9"]


async def test_procedures_come_and_go(client: httpx2.AsyncClient) -> None:
    order = await placed(client, procedures=[a_procedure(), a_procedure("US", "Abdomen US")])
    body = an_order(
        placerNumber=order["placerNumber"],
        procedures=[a_procedure("US", "Abdomen US"), a_procedure("DX", "Chest PA")],
    )
    changed = (await client.put(f"{PATH}/{order['id']}", json=body)).json()
    assert [each["modality"] for each in changed["procedures"]] == ["US", "DX"]
    assert changed["procedures"][0]["studyInstanceUID"] == order["procedures"][1]["studyInstanceUID"]
    assert changed["procedures"][1]["requestedProcedureId"].endswith(".3")
    gone = order["procedures"][0]["studyInstanceUID"]
    assert (await client.get(f"/api/radiology/studies/{gone}")).json()["status"] == "cancelled"
    items = {item["modality"]: item["status"] for item in await items_of(client, order)}
    assert items == {"CT": "CANCELED", "US": "SCHEDULED", "DX": "SCHEDULED"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"patient": a_patient(2002)}, "stays so"),
        ({"accessionNumber": "A1"}, "keeps it"),
        ({"placerNumber": "OP-OTHER"}, "keeps it"),
        ({"status": "draft"}, "its status is changed by itself"),
    ],
)
async def test_what_an_order_keeps(client: httpx2.AsyncClient, change: dict[str, Any], why: str) -> None:
    order = await placed(client)
    body = an_order(**{"placerNumber": order["placerNumber"], "reason": "New"} | change)
    refused = await client.put(f"{PATH}/{order['id']}", json=body)
    assert refused.status_code == 409, refused.text
    assert why in refused.json()["detail"]


async def test_an_order_is_held_and_resumed(client: httpx2.AsyncClient, app: App) -> None:
    order = await placed(client)
    assert (await moved(client, order, "on-hold")).status_code == 422, "a reason is needed"
    held = await moved(client, order, "on-hold", reason="Creatinine first")
    assert (held.json()["status"], held.json()["version"]) == ("on-hold", 2)
    assert [item["status"] for item in await items_of(client, order)] == ["CANCELED"]
    app.clock.advance(3600 * 24)
    resumed = await moved(client, order, "active", version=2)
    assert resumed.json()["progress"] == "scheduled"
    (item,) = await items_of(client, order)
    assert (item["status"], item["start"]) == ("SCHEDULED", "2026-01-22T10:30:00+06:00"), "for now: its time is over"


async def test_an_order_is_changed_while_it_is_held(client: httpx2.AsyncClient) -> None:
    order = await placed(client)
    await moved(client, order, "on-hold", reason="Creatinine first")
    body = an_order(
        placerNumber=order["placerNumber"], reason="New", procedures=[a_procedure(), a_procedure("US", "US")]
    )
    changed = await client.put(f"{PATH}/{order['id']}", json=body)
    assert changed.status_code == 200, changed.text
    assert {item["status"] for item in await items_of(client, order)} == {"CANCELED"}
    await moved(client, order, "active")
    items = await items_of(client, order)
    assert [item["status"] for item in items] == ["SCHEDULED", "SCHEDULED"]
    assert {item["reason"] for item in items} == {"New"}


async def test_an_order_is_cancelled_and_reinstated(client: httpx2.AsyncClient) -> None:
    order = await placed(client)
    study = f"/api/radiology/studies/{order['procedures'][0]['studyInstanceUID']}"
    cancelled = await moved(client, order, "revoked", reason="Done elsewhere")
    assert (cancelled.json()["status"], cancelled.json()["progress"]) == ("revoked", "cancelled")
    assert [item["status"] for item in await items_of(client, order)] == ["CANCELED"]
    assert (await client.get(study)).json()["status"] == "cancelled"
    other = an_order(placerNumber=order["placerNumber"], reason="New")
    assert (await client.put(f"{PATH}/{order['id']}", json=other)).status_code == 409
    again = await moved(client, order, "active", reason="It was not done elsewhere")
    assert (again.json()["status"], again.json()["progress"]) == ("active", "scheduled")
    assert (await client.get(study)).json()["status"] == "registered"
    assert again.json()["accessionNumber"] == order["accessionNumber"]


async def test_an_order_with_images_is_not_cancelled_but_withdrawn(client: httpx2.AsyncClient, app: App) -> None:
    order = await placed(client)
    uid = order["procedures"][0]["studyInstanceUID"]
    await make.store(
        app,
        make.an_object(
            StudyInstanceUID=uid, PatientID="DMC-1001", PatientName="Karim^Abdul", PatientBirthDate="19800115",
            AccessionNumber=order["accessionNumber"],
        ),
    )  # fmt: skip
    refused = await moved(client, order, "revoked", reason="Done elsewhere")
    assert refused.status_code == 409
    assert "entered-in-error" in refused.json()["detail"]
    body = an_order(placerNumber=order["placerNumber"], procedures=[a_procedure(text="Another")])
    assert (await client.put(f"{PATH}/{order['id']}", json=body)).status_code == 409
    withdrawn = await moved(client, order, "entered-in-error", reason="Wrong patient")
    assert withdrawn.json()["status"] == "entered-in-error", withdrawn.text
    study = (await client.get(f"/api/radiology/studies/{uid}")).json()
    assert "order_withdrawn" in study["flags"]
    assert "basedOn" not in study
    assert (await moved(client, order, "active", reason="x")).status_code == 409
    assert (await client.get(PATH)).json()["results"] == []
    assert len((await client.get(PATH, params={"status": "entered-in-error"})).json()["results"]) == 1


async def test_a_draft_is_nothing_but_itself_until_it_is_active(client: httpx2.AsyncClient) -> None:
    order = await placed(client, status="draft")
    assert (order["status"], order["progress"]) == ("draft", "not-scheduled")
    assert await items_of(client, order) == []
    active = await moved(client, order, "active")
    assert (active.json()["status"], active.json()["progress"]) == ("active", "scheduled")
    (item,) = await items_of(client, order)
    assert item["studyInstanceUID"] == order["procedures"][0]["studyInstanceUID"]


async def test_a_list_is_filtered_and_paged(client: httpx2.AsyncClient) -> None:
    for number in range(3):
        await placed(client, patient=a_patient(number), priority="stat" if number else "routine")
    first = (await client.get(PATH, params={"limit": 2})).json()
    second = (await client.get(first["next"])).json()
    found = [each["patient"]["id"] for each in [*first["results"], *second["results"]]]
    assert found == ["DMC-2", "DMC-1", "DMC-0"]
    assert second["next"] is None
    one = first["results"][0]
    for criterion, count in (
        ({"patient": "DMC-1"}, 1),
        ({"patient": one["patient"]["reference"]}, 1),
        ({"accession": one["accessionNumber"]}, 1),
        ({"placerNumber": one["placerNumber"]}, 1),
        ({"studyInstanceUID": one["procedures"][0]["studyInstanceUID"]}, 1),
        ({"status": "active"}, 3),
        ({"status": "revoked,draft"}, 0),
        ({"priority": "stat,asap"}, 2),
        ({"modality": "CT"}, 3),
        ({"modality": "MR"}, 0),
        ({"from": "2026-01-01"}, 3),
        ({"to": "2026-01-01"}, 0),
    ):
        assert len((await client.get(PATH, params=criterion)).json()["results"]) == count, criterion
    assert (await client.get(PATH, params={"status": "lost"})).status_code == 400


async def test_who_may_only_read_may_not_order(client_as: Any) -> None:
    referrer = await client_as("referrer")
    assert (await referrer.post(PATH, json=an_order())).status_code == 403
    assert (await referrer.get(PATH)).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"patient": {"name": "Karim"}},
        {"patient": {"reference": "Practitioner/1"}},
        {"procedures": []},
        {"procedures": [{"modality": "CT"}]},
        {"procedures": [a_procedure("ct")]},
        {"procedures": [a_procedure(studyInstanceUID="x")]},
        {"status": "completed"},
        {"priority": "soon"},
        {"accessionNumber": "A" * 17},
        {"occurrence": "tomorrow"},
        {"unknown": 1},
    ],
)
async def test_what_cannot_be_ordered_is_refused(client: httpx2.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await client.post(PATH, json=an_order(**wrong))).status_code == 422


async def test_a_patient_nobody_can_show_is_refused(client: httpx2.AsyncClient) -> None:
    refused = await client.post(PATH, json=an_order(patient={"reference": "Patient/777"}))
    assert refused.status_code == 422
    assert "patient.name" in refused.json()["detail"]


async def test_who_saw_an_order_saw_its_patient(client: httpx2.AsyncClient, app: App) -> None:
    order = await placed(client)
    await seal_arrivals(app)
    async with app.db.transaction() as tx:
        sealed = await tx.value("SELECT patient_reference FROM audit_records WHERE action = 'order.place'")
    assert sealed == order["patient"]["reference"]


async def test_images_find_their_order_by_its_accession_number(client: httpx2.AsyncClient, app: App) -> None:
    """The modality gave them a Study Instance UID of its own, and still the order knows them."""
    order = await placed(client)
    stored = await make.store(
        app,
        make.an_object(
            PatientID="DMC-1001", PatientName="Karim^Abdul", PatientBirthDate="19800115", PatientSex="M",
            AccessionNumber=order["accessionNumber"],
        ),
    )  # fmt: skip
    found = (await client.get(f"{PATH}/{order['id']}")).json()
    (procedure,) = found["procedures"]
    assert (found["progress"], procedure["numberOfInstances"]) == ("in-progress", 1)
    assert procedure["imagesStudyInstanceUID"] == stored.study_instance_uid
    assert procedure["studyInstanceUID"] == order["procedures"][0]["studyInstanceUID"]
    (listed,) = (await client.get(PATH, params={"studyInstanceUID": stored.study_instance_uid})).json()["results"]
    assert listed["id"] == order["id"]
