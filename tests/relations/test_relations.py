"""Who treats a patient sees the sensitive studies, until the relation ends."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import make
from radiology.app import App
from radiology.doors.dicomweb import permitted
from radiology.studies.schemas import STUDY_EXAMPLE

pytestmark = pytest.mark.anyio


async def patient_of(app: App, uid: str) -> str:
    async with app.db.transaction() as tx:
        return await tx.value(
            """SELECT p.reference FROM patients AS p JOIN imaging_studies AS s ON s.patient_id = p.id
            WHERE s.study_instance_uid = %(uid)s""",
            uid=uid,
        )


def soon(days: float = 3) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


async def test_a_relation_opens_a_sensitive_study_and_its_end_closes_it(client_as: Any, app: App) -> None:
    stored = await make.a_study(app, Modality="MG")
    officer, doctor = await client_as("privacy-officer"), await client_as("referrer")
    metadata = f"/dicomweb/studies/{stored.study_instance_uid}/metadata"
    address = f"/api/radiology/patients/{await patient_of(app, stored.study_instance_uid)}/relations"
    ward = {"actor": "account:referrer", "kind": "ward", "endsAt": soon()}
    assert (await doctor.post(address, json=ward)).status_code == 403
    assert (await doctor.get(metadata)).status_code in {403, 404}
    made = await officer.post(address, json=ward)
    assert made.status_code == 201, made.text
    assert (await doctor.get(metadata)).status_code == 200
    listed = (await doctor.get(address)).json()["results"]
    assert [(each["actor"], each["kind"], each["running"]) for each in listed] == [("account:referrer", "ward", True)]
    assert (await officer.delete(f"{address}/{made.json()['id']}")).status_code == 204
    assert (await doctor.get(metadata)).status_code in {403, 404}
    assert (await officer.delete(f"{address}/{made.json()['id']}")).status_code == 404


async def test_a_relation_has_an_end_and_an_account(client_as: Any, app: App) -> None:
    stored = await make.a_study(app)
    officer = await client_as("privacy-officer")
    address = f"/api/radiology/patients/{await patient_of(app, stored.study_instance_uid)}/relations"
    for body in (
        {"actor": "account:privacy-officer", "kind": "ward"},
        {"actor": "account:privacy-officer", "kind": "ward", "endsAt": soon(-1)},
        {"actor": "account:privacy-officer", "kind": "ward", "endsAt": soon(500)},
        {"actor": "account:nobody", "kind": "ward", "endsAt": soon()},
        {"actor": "account:privacy-officer", "kind": "break-glass", "endsAt": soon()},
    ):
        assert (await officer.post(address, json=body)).status_code == 422, body


async def test_who_ordered_a_study_and_has_an_account_treats_its_patient(client_as: Any, app: App) -> None:
    await client_as("referrer", practitioner="Practitioner/77")
    radiographer = await client_as("radiographer")
    body = {**STUDY_EXAMPLE, "studyId": "study-78", "referrer": {"reference": "Practitioner/77"}}
    assert (await radiographer.post("/api/radiology/studies", json=body)).status_code == 201
    async with app.db.transaction() as tx:
        found = await tx.values("SELECT ARRAY[actor, kind, source] FROM care_relations WHERE kind = 'orderer'")
    assert found == [["account:referrer", "orderer", "study"]]


async def test_the_end_of_a_relation_ends_the_permission_that_is_remembered(
    client_as: Any, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permitted, "REMEMBERED_SECONDS", 3600.0)
    stored = await make.a_study(app, Modality="MG")
    officer, doctor = await client_as("privacy-officer"), await client_as("radiographer")
    address = f"/api/radiology/patients/{await patient_of(app, stored.study_instance_uid)}/relations"
    ward = {"actor": "account:radiographer", "kind": "ward", "endsAt": soon()}
    made = (await officer.post(address, json=ward)).json()
    instance = f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}/instances"
    frame = f"{instance}/{stored.sop_instance_uid}/rendered"
    assert (await doctor.get(frame)).status_code == 200
    assert (await officer.delete(f"{address}/{made['id']}")).status_code == 204
    for _ in range(200):
        if (closed := (await doctor.get(frame)).status_code) != 200:
            break
        await asyncio.sleep(0.005)
    assert closed == 404
