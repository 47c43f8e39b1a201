"""A clinician raises the label of a study, a privacy officer clears it, and the rules undo neither."""

from typing import Any

import pytest

import make
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.sensitivity.labelling import label

pytestmark = pytest.mark.anyio


async def again(app: App) -> None:
    async with app.db.transaction() as tx:
        await label(tx, SYSTEM, await tx.values("SELECT id FROM imaging_studies"), cause="rules")


async def classes_of(app: App) -> list[str]:
    async with app.db.transaction() as tx:
        return await tx.value("SELECT sensitive_classes FROM imaging_studies")


async def test_what_a_clinician_raised_stays_raised(client_as: Any, app: App) -> None:
    stored = await make.a_study(app)
    address = f"/api/radiology/studies/{stored.study_instance_uid}/labels"
    doctor, officer, records = [await client_as(role) for role in ("referrer", "privacy-officer", "patient")]
    body = {"classes": ["S4"], "reason": "Police case."}
    assert (await records.post(f"{address}/raise", json=body)).status_code in {403, 404}
    assert (await doctor.post(f"{address}/raise", json=body)).status_code == 204
    await again(app)
    said = (await officer.get(address)).json()
    assert (said["classes"], said["confidentiality"], said["raised"]) == (["S4"], "V", ["S4"])
    assert [change["reason"] for change in said["history"]] == ["Police case."]


async def test_only_a_privacy_officer_clears_and_the_rules_do_not_raise_it_again(client_as: Any, app: App) -> None:
    stored = await make.a_study(app, Modality="MG")
    address = f"/api/radiology/studies/{stored.study_instance_uid}/labels"
    doctor, officer = await client_as("referrer"), await client_as("privacy-officer")
    body = {"classes": ["S2"], "reason": "A phantom."}
    assert (await doctor.post(f"{address}/clear", json=body)).status_code == 403
    assert (await officer.post(f"{address}/clear", json={"classes": ["S2"]})).status_code == 422
    assert (await officer.post(f"{address}/clear", json=body)).status_code == 204
    await again(app)
    assert await classes_of(app) == []
    assert (await doctor.post(f"{address}/raise", json={"classes": ["S2"], "reason": "It is not."})).status_code == 204
    assert await classes_of(app) == ["S2"]
