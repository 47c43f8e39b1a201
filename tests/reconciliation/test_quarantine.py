"""Decisions about what is held: each is a repair, and undone every outlet serves what it served before."""

from io import BytesIO

import pydicom
import pytest
from pydicom.uid import generate_uid

import make
from reconciliation.held import SOMEBODY_ELSE, come, held_of, quarantine_id, refused_by_index
from reconciliation.outlets import DICOM_JSON, received, served

pytestmark = pytest.mark.anyio

PLACE = "/api/radiology/reconciliation/quarantine"
PATIENT = {"PatientID": "A1", "PatientName": "KARIM^ABDUL", "PatientBirthDate": "19800115", "PatientSex": "M"}


async def decide(client, place, decision, **body):
    return await client.post(f"{PLACE}/{place}/decide", json={"reason": "Looked at it.", "decision": decision} | body)


async def undo(client, repair):
    answer = await client.post(f"/api/radiology/repairs/{repair['id']}/undo", json={"reason": "It was right before."})
    assert answer.status_code == 200, answer.text


async def waiting(client):
    return [each["kind"] for each in (await client.get("/api/radiology/reconciliation?kind=patient-conflict,"
            "conflicting-duplicate,series-conflict,rejected,unindexable")).json()["results"]]  # fmt: skip


async def test_attached_they_are_served_as_of_the_patient_of_the_study(app, node, client_as):
    clerk = await client_as("records")
    stored = await make.a_study(app, **PATIENT)
    study = stored.study_instance_uid
    images = await held_of(app, study, count=2, PatientAge="027Y")
    before = await served(clerk, node, study)
    place = await quarantine_id(app, images[0])
    made = await decide(clerk, place, "attach", allAlike=True)
    assert made.status_code == 201, made.text
    assert made.json()["detail"] == {"decision": "attach", "reason": "patient_conflict", "objects": 2}
    assert await waiting(clerk) == []
    assert len(received(node, study)) == 3
    for image in images:
        path = f"/dicomweb/studies/{study}/series/{image.SeriesInstanceUID}/instances/{image.SOPInstanceUID}"
        answer = await clerk.get(path, headers={"accept": "application/dicom; transfer-syntax=*"})
        seen = pydicom.dcmread(BytesIO(answer.content))
        assert (seen.PatientID, seen.PatientName, seen.PatientAge) == ("A1", "KARIM^ABDUL", "")
        item = seen.OriginalAttributesSequence[0]
        assert item.ReasonForTheAttributeModification == "COERCE"
        assert item.ModifiedAttributesSequence[0].PatientID == SOMEBODY_ELSE["PatientID"]
    assert (await decide(clerk, place, "attach")).status_code == 409, "it is decided"
    await undo(clerk, made.json())
    assert await served(clerk, node, study) == before
    assert await waiting(clerk) == ["patient-conflict"]


async def test_split_off_they_are_a_study_of_the_patient_whom_they_name(app, node, client_as):
    clerk = await client_as("records")
    study = (await make.a_study(app, **PATIENT)).study_instance_uid
    images = await held_of(app, study, count=3)
    before = await served(clerk, node, study)
    made = await decide(clerk, await quarantine_id(app, images[0]), "split", allAlike=True)
    assert made.status_code == 201, made.text
    new = made.json()["studyInstanceUIDs"][1]
    (found,) = (await clerk.get("/dicomweb/studies?PatientID=B2", headers=DICOM_JSON)).json()
    assert found["0020000D"]["Value"] == [new]
    assert found["00201208"]["Value"] == [3]
    assert len(received(node, new)) == 3
    assert await served(clerk, node, study) == before, "the study itself is as it was"
    await undo(clerk, made.json())
    assert (await clerk.get("/dicomweb/studies?PatientID=B2", headers=DICOM_JSON)).json() == []
    assert await waiting(clerk) == ["patient-conflict"]


async def test_attached_to_another_study_than_they_name(app, node, client_as):
    clerk = await client_as("records")
    study = (await make.a_study(app, **PATIENT)).study_instance_uid
    right = (await make.a_study(app, **SOMEBODY_ELSE, StudyDescription="Right study")).study_instance_uid
    (image,) = await held_of(app, study)
    before = await served(clerk, node, study, right)
    made = await decide(clerk, await quarantine_id(app, image), "attach", study=right)
    assert made.status_code == 201, made.text
    assert len(received(node, right)) == 2
    await undo(clerk, made.json())
    assert await served(clerk, node, study, right) == before


async def test_of_a_conflicting_duplicate_the_stored_one_is_kept_or_the_new_one_taken(app, node, client_as):
    clerk = await client_as("records")
    stored = await make.a_study(app, **PATIENT)
    study, first = stored.study_instance_uid, stored.objects[0]
    again = make.an_object(
        **PATIENT, StudyInstanceUID=study, SeriesInstanceUID=stored.series_instance_uid,
        SOPInstanceUID=stored.sop_instance_uid, AccessionNumber=first.AccessionNumber, StudyID=first.StudyID,
        PixelData=bytes(32),
    )  # fmt: skip
    assert await come(app, again) == ["conflicting_duplicate"]
    before = await served(clerk, node, study)
    place = await quarantine_id(app, again)
    taken = await decide(clerk, place, "take")
    assert taken.status_code == 201, taken.text
    (sent,) = received(node, study)
    assert sent.endswith(bytes(32))
    await undo(clerk, taken.json())
    assert await served(clerk, node, study) == before
    kept = await decide(clerk, place, "keep")
    assert kept.status_code == 201, kept.text
    assert await waiting(clerk) == []
    assert await served(clerk, node, study) == before


async def test_discarded_it_is_refused_when_it_comes_again(app, node, client_as):
    clerk = await client_as("records")
    study = (await make.a_study(app, **PATIENT)).study_instance_uid
    (image,) = await held_of(app, study)
    place = await quarantine_id(app, image)
    before = await served(clerk, node, study)
    made = await decide(clerk, place, "discard", category="wrong-patient")
    assert made.status_code == 201, made.text
    assert await come(app, image) == ["rejected"]
    assert await served(clerk, node, study) == before
    await undo(clerk, made.json())
    assert sorted(await waiting(clerk)) == ["patient-conflict", "rejected"]


async def test_a_series_of_another_study_is_split_off(app, node, client_as):
    clerk = await client_as("records")
    stored = await make.a_study(app, **PATIENT)
    image = make.an_object(**PATIENT, SeriesInstanceUID=stored.series_instance_uid)
    assert await come(app, image) == ["series_conflict"]
    place = await quarantine_id(app, image)
    assert (await decide(clerk, place, "attach")).status_code == 422
    made = await decide(clerk, place, "split")
    assert made.status_code == 201, made.text
    (found,) = (
        await clerk.get(f"/dicomweb/studies?StudyInstanceUID={made.json()['studyInstanceUIDs'][1]}", headers=DICOM_JSON)
    ).json()
    assert found["00100020"]["Value"] == ["A1"]


async def test_what_the_index_refused_is_tried_again(app, client_as):
    clerk = await client_as("records")
    stored = await make.a_study(app, **PATIENT)
    image = make.an_object(**PATIENT, StudyInstanceUID=stored.study_instance_uid, SeriesInstanceUID=generate_uid())
    other = (await held_of(app, stored.study_instance_uid))[0]
    place = await quarantine_id(app, other)
    async with app.db.transaction() as tx:
        await tx.run("UPDATE quarantine SET reason = 'unindexable'")
    again = await decide(clerk, place, "retry")
    assert again.status_code == 409
    assert "patient_conflict" in again.json()["detail"]
    assert await waiting(clerk) == ["patient-conflict"]

    await come(app, image)
    refused = await refused_by_index(app, image)
    done = await decide(clerk, refused, "retry")
    assert done.status_code == 201, done.text
    assert done.json() == {"studyInstanceUID": stored.study_instance_uid}
    assert await waiting(clerk) == ["patient-conflict"]


async def test_who_may_not_reconcile_decides_nothing(app, client_as):
    study = (await make.a_study(app, **PATIENT)).study_instance_uid
    (image,) = await held_of(app, study)
    place = await quarantine_id(app, image)
    for role in ("radiologist", "service"):
        client = await client_as(role)
        for decision in ("attach", "split", "discard"):
            assert (await decide(client, place, decision)).status_code == 403, (role, decision)
