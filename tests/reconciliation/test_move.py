"""Images go where they belong: copies under new UIDs, the old ones rejected, files untouched; and all of it undone."""

import hashlib
from io import BytesIO

import pydicom
import pytest
from pydicom.uid import generate_uid

import make
from reconciliation.outlets import DICOM_JSON, served

pytestmark = pytest.mark.anyio

PLACE = "/api/radiology/reconciliation/studies"
RIGHT = {"PatientID": "B2", "PatientName": "SULTANA^NASRIN", "PatientBirthDate": "19990303", "PatientSex": "F"}


async def two_series(app, **attributes):
    """A study of two series with two images each."""
    shared = {"StudyInstanceUID": generate_uid(), "PatientID": "A1", "PatientAge": "044Y"} | attributes
    series = [generate_uid(), generate_uid()]
    images = [
        make.an_object(SeriesInstanceUID=series[number // 2], SeriesNumber=number // 2 + 1, InstanceNumber=number,
                       **shared)
        for number in range(4)
    ]  # fmt: skip
    return await make.store(app, *images)


async def put(client, study, verb, **body):
    return await client.post(f"{PLACE}/{study}/{verb}", json={"reason": "Wrong entry selected."} | body)


async def undo(client, repair):
    answer = await client.post(f"/api/radiology/repairs/{repair['id']}/undo", json={"reason": "It was right before."})
    assert answer.status_code == 200, answer.text
    return answer.json()


def files_of(app):
    return {path: hashlib.sha256(path.read_bytes()).digest() for path in app.objects.root.rglob("*.dcm")}


async def count(client, study):
    return len((await client.get(f"/dicomweb/instances?StudyInstanceUID={study}", headers=DICOM_JSON)).json())


@pytest.mark.parametrize("part", ["whole", "series", "instances"])
async def test_moved_to_a_study_of_another_patient_and_undone(app, node, client_as, part):
    clerk = await client_as("records")
    source, target = await two_series(app), await make.a_study(app, StudyDescription="Right study", **RIGHT)
    studies = source.study_instance_uid, target.study_instance_uid
    before, files = await served(clerk, node, *studies), files_of(app)
    selection = {
        "whole": {},
        "series": {"series": [str(source.objects[2].SeriesInstanceUID)]},
        "instances": {"instances": [source.sop_instance_uid]},
    }[part]
    moved = {"whole": 4, "series": 2, "instances": 1}[part]
    made = await put(clerk, studies[0], "move", to={"study": studies[1]}, **selection)
    assert made.status_code == 201, made.text
    assert made.json()["detail"]["instances"] == moved
    assert (await count(clerk, studies[0]), await count(clerk, studies[1])) == (4 - moved, 1 + moved)
    during = await served(clerk, node, *studies)
    assert len(during[f"C-GET {studies[1]}"]) == 1 + moved
    for path, content in during.items():
        if f"{studies[1]}/series" in path:
            image = pydicom.dcmread(BytesIO(content))
            assert (image.PatientID, image.StudyDescription) == ("B2", "Right study")
            assert image.StudyInstanceUID == studies[1]
            assert image.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID
            assert image.get("PatientAge", "") == "", "the age was the wrong patient's"
    (rejected,) = (await clerk.get("/api/radiology/studies/rejections")).json()["results"]
    assert (rejected["title"], len(rejected["instances"])) == ("113038", moved)
    note = await clerk.get(f"/api/radiology/studies/rejections/{rejected['id']}/note")
    said = pydicom.dcmread(BytesIO(note.content))
    assert said.SOPInstanceUID == rejected["keyObjectUID"]
    assert said.ConceptNameCodeSequence[0].CodeValue == "113038"
    named = said.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert sum(len(series.ReferencedSOPSequence) for series in named) == moved
    assert len(files_of(app)) == len(files) + 1, "no bytes of images are copied: the note is new"

    await undo(clerk, made.json())
    assert await served(clerk, node, *studies) == before
    assert files_of(app).items() >= files.items(), "files stay as they came"


async def test_moved_to_what_was_ordered_the_order_has_its_images(app, node, client_as):
    clerk = await client_as("records")
    source = await two_series(app)
    study = source.study_instance_uid
    placed = await clerk.post(
        "/api/radiology/worklist",
        json={
            "patient": {"id": "B2", "name": "Sultana^Nasrin", "birthDate": "1999-03-03", "sex": "F"},
            "modality": "CT", "start": "2026-01-21T14:00:00+06:00", "requestedProcedure": "CT Head",
            "accessionNumber": "ORDER7", "serviceRequest": "ServiceRequest/7",
        },
    )  # fmt: skip
    item = placed.json()
    before = await served(clerk, node, study, item["studyInstanceUID"])
    made = await put(clerk, study, "move", to={"item": item["id"]})
    assert made.status_code == 201, made.text
    (found,) = (await clerk.get("/dicomweb/studies?PatientID=B2", headers=DICOM_JSON)).json()
    assert found["0020000D"]["Value"] == [item["studyInstanceUID"]]
    assert found["00080050"]["Value"] == ["ORDER7"]
    assert found["00081030"]["Value"] == ["CT Head"]
    assert (await clerk.get(f"/dicomweb/studies?StudyInstanceUID={study}", headers=DICOM_JSON)).json() == []
    assert (await clerk.get(f"/api/radiology/worklist/{item['id']}")).json()["status"] == "STARTED"
    await undo(clerk, made.json())
    assert await served(clerk, node, study, item["studyInstanceUID"]) == before
    assert (await clerk.get(f"/api/radiology/worklist/{item['id']}")).json()["status"] == "SCHEDULED"


async def test_moved_to_a_patient_they_are_a_new_study(app, node, client_as):
    clerk = await client_as("records")
    source, other = await two_series(app), await make.a_study(app, **RIGHT)
    study = source.study_instance_uid
    patient = (await clerk.get(f"/api/radiology/studies/{other.study_instance_uid}")).json()["subject"]["reference"]
    before = await served(clerk, node, study)
    made = (await put(clerk, study, "move", to={"patient": patient})).json()
    new = made["studyInstanceUIDs"][1]
    assert len((await clerk.get("/dicomweb/studies?PatientID=B2", headers=DICOM_JSON)).json()) == 2
    assert await count(clerk, new) == 4
    assert (await clerk.get(f"/api/radiology/studies/{new}")).json()["subject"]["reference"] == patient
    await undo(clerk, made)
    assert await served(clerk, node, study) == before
    assert (await clerk.get(f"/api/radiology/studies/{new}")).status_code == 404


async def test_split_off_they_are_a_study_of_the_same_patient(app, node, client_as):
    clerk = await client_as("records")
    source = await two_series(app)
    study = source.study_instance_uid
    series = str(source.objects[2].SeriesInstanceUID)
    before = await served(clerk, node, study)
    made = await put(clerk, study, "split", series=[series])
    assert made.status_code == 201, made.text
    new = made.json()["studyInstanceUIDs"][1]
    assert (await count(clerk, study), await count(clerk, new)) == (2, 2)
    (found,) = (await clerk.get(f"/dicomweb/studies?StudyInstanceUID={new}", headers=DICOM_JSON)).json()
    assert found["00100020"]["Value"] == ["A1"]
    assert (await put(clerk, study, "split")).status_code == 422
    left = [str(image.SOPInstanceUID) for image in source.objects[:2]]
    assert (await put(clerk, study, "split", instances=left)).status_code == 409, "nothing would be left"
    await undo(clerk, made.json())
    assert await served(clerk, node, study) == before


async def test_merged_they_are_read_together_and_only_physically_moved_when_asked(app, node, client_as):
    clerk = await client_as("records")
    first, second = await two_series(app), await make.a_study(app, PatientID="A1")
    studies = first.study_instance_uid, second.study_instance_uid
    before = await served(clerk, node, *studies)
    grouped = await put(clerk, studies[0], "merge", **{"with": studies[1]})
    assert grouped.status_code == 201, grouped.text
    assert grouped.json()["kind"] == "group"
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(DISTINCT study_group_id) FROM imaging_studies") == 1
    assert (await put(clerk, studies[0], "merge", **{"with": studies[1]})).status_code == 409
    ungrouped = (await put(clerk, studies[1], "ungroup")).json()
    await undo(clerk, ungrouped)
    await undo(clerk, grouped.json())
    assert await served(clerk, node, *studies) == before

    merged = await put(clerk, studies[0], "merge", physical=True, **{"with": studies[1]})
    assert merged.json()["kind"] == "merge"
    assert await count(clerk, studies[1]) == 5
    await undo(clerk, merged.json())
    assert await served(clerk, node, *studies) == before

    stranger = await make.a_study(app, **RIGHT)
    refused = await put(clerk, studies[0], "merge", **{"with": stranger.study_instance_uid})
    assert refused.status_code == 409


async def test_nothing_moves_what_was_signed(app, client_as):
    clerk = await client_as("records")
    source, target = await two_series(app), await make.a_study(app, **RIGHT)
    study = source.study_instance_uid
    async with app.db.transaction() as tx:
        await tx.run(
            """
            INSERT INTO radiology_reports (study_id, patient_id, status, category, code, author)
            SELECT id, patient_id, 'final', '[]', '{}', 'account:x'
            FROM imaging_studies WHERE study_instance_uid = %(uid)s
            """,
            uid=study,
        )
    for body in ({}, {"instances": [source.sop_instance_uid]}):
        refused = await put(clerk, study, "move", to={"study": target.study_instance_uid}, **body)
        assert refused.status_code == 409
        assert "radiologist" in refused.json()["detail"]


async def test_what_cannot_be_moved_is_refused(app, client_as):
    clerk, doctor = await client_as("records"), await client_as("radiologist")
    source, other = await two_series(app), await make.a_study(app, **RIGHT)
    elsewhere = await make.a_study(app, facility_code="OTHER")
    study, to = source.study_instance_uid, {"study": other.study_instance_uid}
    assert (await put(doctor, study, "move", to=to)).status_code == 403
    assert (await put(clerk, study, "move", to={})).status_code == 422
    assert (await put(clerk, study, "move", to=to | {"patient": "Patient/1"})).status_code == 422
    assert (await put(clerk, study, "move", to={"study": study})).status_code == 409
    assert (await put(clerk, study, "move", to={"study": elsewhere.study_instance_uid})).status_code == 409
    assert (await put(clerk, study, "move", to={"study": "1.2.3"})).status_code == 404
    assert (await put(clerk, study, "move", to=to, series=["1.2.3"])).status_code == 404
    assert (await put(clerk, study, "move", to=to, instances=[source.sop_instance_uid, "1.2"])).status_code == 404
    assert (await put(clerk, study, "move", to=to, version=99)).status_code == 412


async def test_a_move_cannot_be_undone_under_what_came_since(app, client_as):
    clerk, qa = await client_as("records"), await client_as("qa")
    source = await two_series(app)
    made = (await put(clerk, source.study_instance_uid, "split", instances=[source.sop_instance_uid])).json()
    new = made["studyInstanceUIDs"][1]
    place = f"/api/radiology/repairs/{made['id']}/undo"
    image = make.an_object(StudyInstanceUID=new, PatientID="A1", PatientName=source.objects[0].PatientName)
    await make.store(app, image)
    refused = await clerk.post(place, json={"reason": "Undone."})
    assert (refused.status_code, "images came since" in refused.json()["detail"]) == (409, True)
    body = {"title": "113001", "category": "motion", "reason": "Moved."}
    rejected = await qa.post(f"/api/radiology/studies/{new}/reject", json=body)
    assert rejected.status_code == 201
    refused = await clerk.post(place, json={"reason": "Undone."})
    assert (refused.status_code, "rejected since" in refused.json()["detail"]) == (409, True)


async def test_images_that_were_moved_twice_carry_the_last_identity(app, node, client_as):
    clerk = await client_as("records")
    source, second = await two_series(app), await make.a_study(app, **RIGHT)
    third = await make.a_study(app, PatientID="C3", PatientName="HOSSAIN^KAMAL", PatientSex="M")
    studies = [one.study_instance_uid for one in (source, second, third)]
    one = (await put(clerk, studies[0], "move", to={"study": studies[1]})).json()
    between = await served(clerk, node, *studies)
    two = await put(clerk, studies[1], "move", to={"study": studies[2]})
    assert two.status_code == 201, two.text
    assert await count(clerk, studies[2]) == 6
    for content in (await served(clerk, node, studies[2])).values():
        if isinstance(content, bytes) and content[128:132] == b"DICM":
            assert pydicom.dcmread(BytesIO(content)).PatientID == "C3"
    blocked = await clerk.post(f"/api/radiology/repairs/{one['id']}/undo", json={"reason": "Undone."})
    assert blocked.status_code == 409
    await undo(clerk, two.json())
    assert await served(clerk, node, *studies) == between
    await undo(clerk, one)
