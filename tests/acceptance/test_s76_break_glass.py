"""76. Break-glass with a reason: four hours of reading, audited and told; search across patients stays as it was."""

from typing import Any

import pytest

import make
from radiology.access import accounts
from radiology.app import App
from radiology.break_glass.actions import follow

pytestmark = pytest.mark.anyio

BREAK_GLASS = "/api/radiology/break-glass"
TEXT = "Unstable after an accident; earlier imaging is needed."
PASSWORD = "correct horse battery"


async def clinician(client_as: Any, app: App, name: str = "referrer") -> Any:
    client = await client_as("referrer", name=name)
    await accounts.make_account(app, name, role="referrer", password=PASSWORD, practitioner="Practitioner/5")
    return client


def asked(study: str, **changes: Any) -> dict[str, Any]:
    body = {"study": study, "reasonCode": "emergency", "text": TEXT, "password": PASSWORD, **changes}
    return {name: value for name, value in body.items() if value is not None}


async def values(app: App, statement: Any) -> list[Any]:
    async with app.db.transaction() as tx:
        return await tx.values(statement)


async def test_it_opens_one_patient_for_four_hours_and_is_told(client_as: Any, app: App) -> None:
    stored = await make.a_study(app, Modality="MG")
    uid = stored.study_instance_uid
    officer = await client_as("privacy-officer")
    doctor = await clinician(client_as, app)
    metadata = f"/dicomweb/studies/{uid}/metadata"
    assert (await doctor.get(metadata)).status_code in {403, 404}
    begun = await doctor.post(BREAK_GLASS, json=asked(uid))
    assert begun.status_code == 201, begun.text
    assert (await doctor.get(metadata)).status_code == 200
    assert (await doctor.get("/dicomweb/studies?ModalitiesInStudy=MG")).json() == []
    mine = (await doctor.get("/api/radiology/me/break-glass")).json()["results"]
    assert [use["id"] for use in mine] == [begun.json()["id"]]
    hours = await values(app, "SELECT extract(epoch FROM ends_at - begins_at)::int / 3600 FROM care_relations")
    assert hours == [4]
    told = (await officer.get("/api/radiology/me/notices")).json()["results"]
    assert told[0]["kind"] == "break-glass.start"
    assert "mammo" not in told[0]["text"].lower()
    assert (await doctor.post(BREAK_GLASS, json=asked(uid))).status_code == 409
    assert (await doctor.delete(f"{BREAK_GLASS}/{begun.json()['id']}")).status_code == 204
    assert (await doctor.get(metadata)).status_code in {403, 404}
    types = await values(app, "SELECT type FROM outbox WHERE type LIKE '%%break-glass%%' ORDER BY sequence")
    assert types == ["radiology.break-glass.started.v1", "radiology.break-glass.ended.v1"]


async def test_without_a_reason_or_password_it_is_refused(client_as: Any, app: App) -> None:
    stored = await make.a_study(app, Modality="MG")
    doctor = await clinician(client_as, app)
    for changes in ({"reasonCode": None}, {"text": None}, {"text": "too short"}, {"password": None}):
        answer = await doctor.post(BREAK_GLASS, json=asked(stored.study_instance_uid, **changes))
        assert answer.status_code == 422, answer.text
    wrong = await doctor.post(BREAK_GLASS, json=asked(stored.study_instance_uid, password="wrong"))
    assert wrong.status_code == 403
    radiographer = await client_as("radiographer")
    assert (await radiographer.post(BREAK_GLASS, json=asked(stored.study_instance_uid))).status_code == 403


async def test_forensic_material_and_the_family_stay_closed(client_as: Any, app: App) -> None:
    forensic = await make.a_study(app, StudyDescription="Age estimation")
    doctor = await clinician(client_as, app)
    refused = await doctor.post(BREAK_GLASS, json=asked(forensic.study_instance_uid))
    assert (refused.status_code, "forensic" in refused.text) == (403, True)
    family = await make.a_study(app, Modality="MG")
    async with app.db.transaction() as tx:
        await tx.run(
            """INSERT INTO practitioners (reference, patient_references)
            SELECT 'Practitioner/5', array_agg(reference) FROM patients""",
        )
    refused = await doctor.post(BREAK_GLASS, json=asked(family.study_instance_uid))
    assert (refused.status_code, "family" in refused.text) == (403, True)
    assert await values(app, "SELECT count(*) FROM break_glass_uses") == [0]


async def test_a_use_is_reviewed_once_and_told_of_when_overdue(client_as: Any, app: App) -> None:
    stored = await make.a_study(app, Modality="MG")
    officer, doctor = await client_as("privacy-officer"), await clinician(client_as, app)
    use = (await doctor.post(BREAK_GLASS, json=asked(stored.study_instance_uid))).json()
    async with app.db.transaction() as tx:
        await tx.run("UPDATE break_glass_uses SET ends_at = now(), review_due_at = now() - interval '1 hour'")
    assert await follow(app) == 2
    assert await follow(app) == 0
    waiting = (await officer.get(f"{BREAK_GLASS}/reviews")).json()["results"]
    assert [(each["id"], each["overdue"]) for each in waiting] == [(use["id"], True)]
    review = {"outcome": "justified", "note": "The patient was in shock."}
    assert (await doctor.post(f"{BREAK_GLASS}/reviews/{use['id']}", json=review)).status_code == 403
    assert (await officer.post(f"{BREAK_GLASS}/reviews/{use['id']}", json=review)).json()["outcome"] == "justified"
    assert (await officer.post(f"{BREAK_GLASS}/reviews/{use['id']}", json=review)).status_code == 409


async def test_the_fourth_use_within_a_week_raises_an_alert(client_as: Any, app: App) -> None:
    officer, doctor = await client_as("privacy-officer"), await clinician(client_as, app)
    for _ in range(4):
        stored = await make.a_study(app, Modality="MG")
        assert (await doctor.post(BREAK_GLASS, json=asked(stored.study_instance_uid))).status_code == 201
    kinds = [each["kind"] for each in (await officer.get("/api/radiology/me/notices")).json()["results"]]
    assert kinds.count("break-glass.start") == 4
    assert kinds.count("break-glass.alert") == 1
