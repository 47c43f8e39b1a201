"""What is served is put right, on every outlet at once; files stay, and undoing serves every byte as before."""

import hashlib
from io import BytesIO

import orjson
import pydicom
import pytest

import make
from reconciliation.outlets import AS_STORED, DICOM_JSON, served

pytestmark = pytest.mark.anyio

PLACE = "/api/radiology/reconciliation/studies"
BANGLA = "KARIM^ABDUL=করিম^আব্দুল"
RIGHT = {
    "reason": "The hospital number was typed wrong.",
    "patient": {"id": "H-77", "name": BANGLA, "birthDate": "1979-12-31", "sex": "M"},
    "accessionNumber": "A-RIGHT",
    "referringPhysician": "HOSSAIN^KAMAL",
    "studyDescription": "CT Head",
}


async def undo(client, repair):
    return await client.post(f"/api/radiology/repairs/{repair['id']}/undo", json={"reason": "It was right before."})


async def test_put_right_everywhere_and_undone_everywhere(app, node, client_as):
    clerk = await client_as("records")
    stored = await make.a_study(app, instances=3, PatientAge="044Y", PatientName="WRONG^NAME", PatientID="W1")
    study = stored.study_instance_uid
    before = await served(clerk, node, study)
    files = {path: hashlib.sha256(path.read_bytes()).digest() for path in app.objects.root.rglob("*.dcm")}

    made = await clerk.post(f"{PLACE}/{study}/correct", json=RIGHT)
    assert made.status_code == 201, made.text
    during = await served(clerk, node, study)
    assert sorted(during) == sorted(before)
    assert all(during[outlet] != before[outlet] for outlet in before if "C-FIND SERIES" not in outlet)
    assert "H-77" in during[f"C-FIND STUDY {study}"][0]
    for data in during[f"C-GET {study}"]:
        assert "করিম".encode() in data
        assert b"WRONG^NAME" in data, "what it said stands in Original Attributes Sequence"
    rest = during[f"rest {study}"][1]
    assert (rest["accessionNumber"], rest["studyDescription"]) == ("A-RIGHT", "CT Head")
    assert rest["subject"]["display"] == BANGLA, "it is another patient's study from now on"
    (path,) = [name for name in during if stored.sop_instance_uid in name]
    image = pydicom.dcmread(BytesIO(during[path]))
    assert (image.PatientID, image.PatientAge, image.ReferringPhysicianName) == ("H-77", "", "HOSSAIN^KAMAL")
    assert (await clerk.get("/dicomweb/studies?PatientID=W1", headers=DICOM_JSON)).json() == []

    undone = await undo(clerk, made.json())
    assert undone.status_code == 200, undone.text
    assert await served(clerk, node, study) == before
    assert {path: hashlib.sha256(path.read_bytes()).digest() for path in app.objects.root.rglob("*.dcm")} == files


async def test_a_preview_shows_what_would_be_served_and_changes_nothing(app, node, client_as):
    clerk = await client_as("records")
    stored = await make.a_study(app, PatientName="WRONG^NAME")
    study, uid = stored.study_instance_uid, stored.sop_instance_uid
    before = await served(clerk, node, study)
    shown = await clerk.post(f"{PLACE}/{study}/correct/preview", json=RIGHT)
    assert shown.status_code == 200, shown.text
    told = shown.json()
    assert told["before"]["headers"][uid]["00100010"]["Value"] == [{"Alphabetic": "WRONG^NAME"}]
    assert await served(clerk, node, study) == before
    assert (await clerk.get("/api/radiology/repairs")).json()["results"] == []

    await clerk.post(f"{PLACE}/{study}/correct", json=RIGHT)
    (metadata,) = (await clerk.get(f"/dicomweb/studies/{study}/metadata", headers=DICOM_JSON)).json()
    without = {"7FE00010", "04000561"}  # Bulk data is told by its address, and the moment of change is another one.
    promised = told["after"]["headers"][uid]
    assert {tag: promised[tag] for tag in promised if tag not in without} == {
        tag: metadata[tag] for tag in metadata if tag not in without
    }
    (found,) = (await clerk.get(f"/dicomweb/studies?StudyInstanceUID={study}", headers=DICOM_JSON)).json()
    assert {tag: found[tag] for tag in found if tag != "00081190"} == {
        tag: told["after"]["search"][tag] for tag in found if tag != "00081190"
    }


async def test_a_second_correction_adds_to_the_first_and_each_is_undone_in_turn(app, node, client_as):
    clerk = await client_as("records")
    study = (await make.a_study(app)).study_instance_uid
    views = [await served(clerk, node, study)]
    repairs = []
    for change in ({"patient": {"name": "FIRST^ONE"}}, {"accessionNumber": "SECOND"}):
        made = await clerk.post(f"{PLACE}/{study}/correct", json={"reason": "Typed wrong."} | change)
        assert made.status_code == 201, made.text
        repairs.append(made.json())
        views.append(await served(clerk, node, study))
    assert (await undo(clerk, repairs[0])).status_code == 409
    assert (await undo(clerk, repairs[1])).status_code == 200
    assert await served(clerk, node, study) == views[1]
    assert (await undo(clerk, repairs[0])).status_code == 200
    assert await served(clerk, node, study) == views[0]


async def test_what_cannot_be_put_right_is_refused(app, client_as):
    clerk = await client_as("records")
    study = (await make.a_study(app, PatientName="RAHMAN^ABDUR")).study_instance_uid
    path = f"{PLACE}/{study}/correct"
    assert (await clerk.post(path, json={"reason": "Nothing given."})).status_code == 422
    assert (await clerk.post(path, json={"reason": "So.", "patient": {"name": "RAHMAN^ABDUR"}})).status_code == 409
    assert (await clerk.post(path, json={"reason": "So.", "accessionNumber": "A" * 17})).status_code == 422
    assert (await clerk.post(path, json={"reason": "So.", "version": 99, "accessionNumber": "B"})).status_code == 412
    for role in ("radiologist", "referrer"):
        assert (await (await client_as(role)).post(path, json=RIGHT)).status_code == 403
    async with app.db.transaction() as tx:
        await tx.run(
            """
            INSERT INTO radiology_reports (study_id, patient_id, status, category, code, author)
            SELECT id, patient_id, 'final', '[]', '{}', 'account:x' FROM imaging_studies
            """
        )
    refused = await clerk.post(path, json=RIGHT)
    assert refused.status_code == 409
    assert "final report" in refused.json()["detail"]
    assert (await clerk.post(path, json={"reason": "Typed.", "accessionNumber": "B2"})).status_code == 201


async def test_the_bytes_of_an_image_are_what_its_metadata_says(app, client_as):
    clerk = await client_as("records")
    stored = await make.a_study(app, PatientName="WRONG^NAME")
    await clerk.post(f"{PLACE}/{stored.study_instance_uid}/correct", json=RIGHT)
    path = (
        f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
        f"/instances/{stored.sop_instance_uid}"
    )
    image = pydicom.dcmread(BytesIO((await clerk.get(path, headers=AS_STORED)).content))
    (metadata,) = orjson.loads((await clerk.get(f"{path}/metadata", headers=DICOM_JSON)).content)
    del image.PixelData
    told = pydicom.Dataset.from_json({tag: element for tag, element in metadata.items() if tag != "7FE00010"})
    assert told == image
