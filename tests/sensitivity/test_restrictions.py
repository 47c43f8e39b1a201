"""Restricted persons: what is there and what comes is sensitive, until the restriction ends."""

from typing import Any

import pytest

import make
from radiology.app import App
from radiology.sensitivity.actions import relabel

pytestmark = pytest.mark.anyio


async def labels(app: App) -> list[list[str]]:
    async with app.db.transaction() as tx:
        return await tx.values("SELECT sensitive_classes FROM imaging_studies ORDER BY id")


async def test_a_restriction_closes_all_studies_of_a_patient_and_no_others(client_as: Any, app: App) -> None:
    await make.a_study(app, PatientID="STAFF")
    await make.a_study(app, PatientID="OTHER")
    officer, radiologist = await client_as("privacy-officer"), await client_as("radiologist")
    async with app.db.transaction() as tx:
        patient = await tx.value("SELECT reference FROM patients WHERE patient_id = 'STAFF'")
    address = f"/api/radiology/patients/{patient}/restrictions"
    body = {"kind": "staff", "reason": "Works in the department."}
    assert (await radiologist.post(address, json=body)).status_code == 403
    assert (await radiologist.get(address)).status_code == 403
    assert (await officer.post(address, json={**body, "kind": "famous"})).status_code == 422
    made = await officer.post(address, json=body)
    assert made.status_code == 201, made.text
    assert await labels(app) == [["S7"], []]
    await make.a_study(app, PatientID="STAFF")
    assert await labels(app) == [["S7"], [], ["S7"]]
    async with app.db.transaction() as tx:
        (relabelling,) = await tx.values("SELECT id FROM relabellings WHERE cause = 'restriction' AND state = 'done'")
        assert await tx.values("SELECT DISTINCT cause FROM study_labellings ORDER BY cause") == [
            "restriction",
            "stored",
        ]
    await relabel(app, {"relabelling": str(relabelling)})
    end = f"{address}/{made.json()['id']}/end"
    assert (await officer.post(end, json={})).status_code == 422
    assert (await officer.post(end, json={"reason": "Has left."})).status_code == 204
    assert (await officer.post(end, json={"reason": "Has left."})).status_code == 404
    assert await labels(app) == [[], [], []]
    (listed,) = (await officer.get(address)).json()["results"]
    assert (listed["kind"], listed["endedBy"], listed["endReason"]) == ("staff", "account:privacy-officer", "Has left.")
    assert (await officer.get("/api/radiology/patients/Patient/0/restrictions")).status_code == 404
