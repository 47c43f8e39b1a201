"""Confirm, attach and detach; each undone serves every outlet as before."""

import pytest

import make
from radiology.retention.study_queries import lock_study, remove_study
from reconciliation.outlets import served

pytestmark = pytest.mark.anyio

PLACE = "/api/radiology/reconciliation/studies"
REPAIRS = "/api/radiology/repairs"
PATIENT = {"PatientID": "A1", "PatientName": "KARIM^ABDUL", "PatientBirthDate": "19800115", "PatientSex": "M"}


def item(**changes):
    return {
        "patient": {"id": "A1", "name": "Karim^Abdul", "birthDate": "1980-01-15", "sex": "M"},
        "modality": "CT",
        "start": "2026-01-21T14:00:00+06:00",
        "requestedProcedure": "CT Chest",
        "accessionNumber": "ORDER7",
        "serviceRequest": "ServiceRequest/7",
    } | changes


async def placed(client, **changes):
    answer = await client.post("/api/radiology/worklist", json=item(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def study_of(app, match, *, flags=(), **attributes):
    stored = await make.a_study(app, **PATIENT | attributes)
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET match = %(m)s, flags = %(f)s", m=match, f=list(flags))
    return stored.study_instance_uid


async def put(client, study, verb, **body):
    return await client.post(f"{PLACE}/{study}/{verb}", json={"reason": "Asked the radiographer."} | body)


async def undo(client, repair, **body):
    return await client.post(f"{REPAIRS}/{repair['id']}/undo", json={"reason": "It was right before."} | body)


async def test_confirming_takes_a_study_off_the_worklist_and_undoing_puts_it_back(app, node, client_as):
    clerk = await client_as("records")
    study = await study_of(app, "probable", flags=["identity_review"])
    before = await served(clerk, node, study)
    made = await put(clerk, study, "confirm")
    assert made.status_code == 201, made.text
    assert made.json()["kind"] == "confirm"
    (row,) = made.json()["rows"]
    assert row["before"] == {"flags": ["identity_review"], "match": "probable"}
    assert row["after"] == {"flags": [], "match": "confirmed"}
    assert (await clerk.get("/api/radiology/reconciliation")).json()["results"] == []
    assert (await put(clerk, study, "confirm")).status_code == 409, "nothing is left to be confirmed"

    undone = await undo(clerk, made.json())
    assert undone.status_code == 200, undone.text
    assert undone.json()["undone"]["reason"] == "It was right before."
    assert len((await clerk.get("/api/radiology/reconciliation")).json()["results"]) == 2
    assert await served(clerk, node, study) == before
    assert (await undo(clerk, made.json())).status_code == 409, "once"


async def test_attached_to_an_order_its_accession_number_is_served_and_its_item_is_done(app, node, client_as):
    clerk = await client_as("records")
    study = await study_of(app, "none", AccessionNumber="TYPO")
    step = await placed(clerk)
    before = await served(clerk, node, study)
    made = await put(clerk, study, "attach", order="ServiceRequest/7")
    assert made.status_code == 201, made.text
    during = await served(clerk, node, study)
    assert b"ORDER7" in during[f"/dicomweb/studies?StudyInstanceUID={study}&includefield=all"]
    assert all(b"ORDER7" in data for data in during[f"C-GET {study}"])
    rest = during[f"rest {study}"][1]
    assert (rest["accessionNumber"], rest["basedOn"]) == ("ORDER7", [{"reference": "ServiceRequest/7"}])
    assert (await clerk.get(f"/api/radiology/worklist/{step['id']}")).json()["status"] == "STARTED"

    assert (await undo(clerk, made.json())).status_code == 200
    assert await served(clerk, node, study) == before
    assert (await clerk.get(f"/api/radiology/worklist/{step['id']}")).json()["status"] == "SCHEDULED"


async def test_an_order_of_another_patient_is_refused_and_points_to_moving(app, client_as):
    clerk = await client_as("records")
    study = await study_of(app, "none")
    step = await placed(clerk, patient={"id": "Z9", "name": "Sultana^Nasrin", "birthDate": "1999-03-03", "sex": "F"})
    refused = await put(clerk, study, "attach", item=step["id"])
    assert refused.status_code == 409
    assert "another patient" in refused.json()["detail"]
    assert "move" in refused.json()["detail"]
    assert (await put(clerk, study, "attach")).status_code == 422
    assert (await put(clerk, study, "attach", order="ServiceRequest/none")).status_code == 404


async def test_detached_it_belongs_to_no_order(app, node, client_as):
    clerk = await client_as("records")
    study = await study_of(app, "none")
    step = await placed(clerk)
    assert (await put(clerk, study, "attach", item=step["id"])).status_code == 201
    before = await served(clerk, node, study)
    made = await put(clerk, study, "detach")
    assert made.status_code == 201, made.text
    assert "basedOn" not in (await clerk.get(f"/api/radiology/studies/{study}")).json()
    assert (await clerk.get(f"/api/radiology/worklist/{step['id']}")).json()["status"] == "SCHEDULED"
    assert (await put(clerk, study, "detach")).status_code == 409
    assert (await undo(clerk, made.json())).status_code == 200
    assert await served(clerk, node, study) == before
    assert (await clerk.get(f"/api/radiology/worklist/{step['id']}")).json()["status"] == "STARTED"


async def test_only_the_newest_repair_of_a_row_can_be_undone(app, client_as):
    clerk = await client_as("records")
    study = await study_of(app, "none")
    await placed(clerk)
    first = (await put(clerk, study, "attach", order="ServiceRequest/7")).json()
    second = (await put(clerk, study, "detach")).json()
    refused = await undo(clerk, first)
    assert refused.status_code == 409
    assert second["id"] in refused.json()["detail"]
    assert (await undo(clerk, second)).status_code == 200
    assert (await undo(clerk, first)).status_code == 200


async def test_what_was_changed_since_by_other_ways_is_not_overwritten(app, client_as):
    clerk = await client_as("records")
    study = await study_of(app, "probable")
    made = (await put(clerk, study, "confirm")).json()
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET match = 'exact'")
    refused = await undo(clerk, made)
    assert refused.status_code == 409
    assert "match of imaging_studies" in refused.json()["detail"]


async def test_the_same_request_with_the_same_key_is_done_once(app, client_as):
    clerk = await client_as("records")
    study = await study_of(app, "probable")
    path, headers = f"{PLACE}/{study}/confirm", {"Idempotency-Key": "k1"}
    first = await clerk.post(path, json={"reason": "Looked."}, headers=headers)
    second = await clerk.post(path, json={"reason": "Looked."}, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert (await clerk.post(path, json={"reason": "Other."}, headers=headers)).status_code == 409
    assert (await clerk.post(path, json={"reason": "Other.", "version": 1})).status_code == 412


async def test_repairs_are_listed_audited_and_told(app, client_as):
    clerk, doctor = await client_as("records"), await client_as("radiologist")
    study = await study_of(app, "probable")
    made = (await put(clerk, study, "confirm")).json()
    await undo(clerk, made)
    (listed,) = (await clerk.get(REPAIRS, params={"studyInstanceUID": study, "kind": "confirm"})).json()["results"]
    assert listed["id"] == made["id"]
    assert listed["undone"]["by"] == "account:records"
    assert (await clerk.get(f"{REPAIRS}/{made['id']}")).json()["rows"] == made["rows"]
    async with app.db.transaction() as tx:
        told = await tx.values("SELECT type FROM outbox WHERE type LIKE 'radiology.repair%%' ORDER BY sequence")
        audited = await tx.values("SELECT action FROM audit_arrivals WHERE action LIKE 'repair%%' ORDER BY id")
    assert told == ["radiology.repair.made.v1", "radiology.repair.undone.v1"]
    assert audited == ["repair.make", "repair.undo"]
    for path in (REPAIRS, f"{REPAIRS}/{made['id']}"):
        assert (await doctor.get(path)).status_code == 403
    assert (await put(doctor, study, "confirm")).status_code == 403
    assert (await undo(doctor, made)).status_code == 403


async def test_a_study_that_is_removed_takes_its_repairs_along(app, client_as):
    clerk = await client_as("records")
    study = await study_of(app, "probable")
    assert (await put(clerk, study, "confirm")).status_code == 201
    async with app.db.transaction() as tx:
        study_id = await tx.value("SELECT id FROM imaging_studies")
        found = await lock_study(tx, study_id, zone=app.settings.time_zone)
        erasure = await tx.value(
            """
            INSERT INTO erasures (id, patient_id, reason, asked_by, asked_at)
            SELECT gen_random_uuid(), patient_id, 'Asked.', 'account:x', now() FROM imaging_studies
            RETURNING id
            """
        )
        await remove_study(tx, found, now=app.clock.now(), erasure_id=erasure)
        assert await tx.value("SELECT count(*) FROM repair_rows") == 0
