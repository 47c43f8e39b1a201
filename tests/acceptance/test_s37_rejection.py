"""A key object of title 113037 hides images everywhere, and the same UID is refused when it comes again."""

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, KeyObjectSelectionDocumentStorage, generate_uid

import make
from availability_peers import happen, told
from multipart import RELATED, related
from node import running_node
from requestor import requestor
from working import worker

SAFETY, EXPIRED = "113037", "113039"
TRUSTED = "UPDATE application_entities SET trusted_for_rejection = true WHERE ae_title = 'MODALITY1' RETURNING 1"


def key_object(title: str, *images: Dataset) -> Dataset:
    """A rejection note for images of one series."""
    note = make.an_object(
        SOPClassUID=KeyObjectSelectionDocumentStorage,
        SOPInstanceUID=generate_uid(),
        StudyInstanceUID=images[0].StudyInstanceUID,
        SeriesInstanceUID=generate_uid(),
        PatientID=images[0].PatientID,
        Modality="KO",
        ConceptNameCodeSequence=[code(title)],
        CurrentRequestedProcedureEvidenceSequence=[evidence(images)],
    )
    del note.PixelData, note.Rows, note.Columns
    return note


def code(value: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", "Rejected"
    return item


def evidence(images: tuple[Dataset, ...]) -> Dataset:
    study, series = Dataset(), Dataset()
    study.StudyInstanceUID = images[0].StudyInstanceUID
    study.ReferencedSeriesSequence = [series]
    series.SeriesInstanceUID = images[0].SeriesInstanceUID
    series.ReferencedSOPSequence = []
    for image in images:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
        series.ReferencedSOPSequence.append(item)
    return study


def images_of_one_series(count: int = 2) -> list[Dataset]:
    shared = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid(), "PatientID": "R1"}
    return [make.an_object(**shared, InstanceNumber=number) for number in range(1, count + 1)]


def send(node: Any, *objects: Dataset) -> list[int]:
    contexts = [(uid, ExplicitVRLittleEndian) for uid in (CTImageStorage, KeyObjectSelectionDocumentStorage)]
    with requestor(node, contexts) as association:
        return [association.send_c_store(one).Status for one in objects]


@pytest.fixture
def trusted(settings):
    """A node that trusts MODALITY1 for rejection."""
    with running_node(settings) as node:

        async def trust() -> None:
            async with node.app.db.transaction() as tx:
                await tx.value(TRUSTED)

        node.wait(trust())
        yield node


def test_s37_what_a_trusted_key_object_names_is_hidden_and_refused_when_it_comes_again(trusted):
    first, second = images_of_one_series()
    assert send(trusted, first, second) == [0, 0]
    assert send(trusted, key_object(SAFETY, first)) == [0]

    assert trusted.value("SELECT count(*) FROM instances") == 2, "one image, and the key object"
    assert trusted.value("SELECT number_of_instances FROM imaging_studies") == 2
    assert trusted.value("SELECT sop_instance_uid FROM rejected_instances") == first.SOPInstanceUID
    assert trusted.value("SELECT body->>'title' FROM outbox WHERE type LIKE '%%instances-rejected%%'") == SAFETY

    assert send(trusted, first) == [0], "C-STORE cannot know"
    assert trusted.value("SELECT reason FROM quarantine WHERE resolved_at IS NULL") == "rejected"
    assert trusted.value("SELECT count(*) FROM outbox WHERE type = 'radiology.instance.quarantined.v1'") == 1
    assert trusted.value("SELECT count(*) FROM instances") == 2


def test_s37_without_trust_a_key_object_is_an_object(node):
    images = images_of_one_series()
    assert send(node, *images) == [0, 0]
    assert send(node, key_object(SAFETY, *images)) == [0]
    assert node.value("SELECT count(*) FROM instances") == 3
    assert node.value("SELECT count(*) FROM rejections") == 0


def test_s37_what_was_rejected_for_its_age_is_taken_as_new(trusted):
    images = images_of_one_series(1)
    send(trusted, *images)
    send(trusted, key_object(EXPIRED, *images))
    assert trusted.value("SELECT count(*) FROM instances") == 1
    send(trusted, *images)
    assert trusted.value("SELECT count(*) FROM instances") == 2
    assert trusted.value("SELECT count(*) FROM quarantine") == 0


def test_s37_peers_hear_that_rejected_images_are_unavailable(trusted):
    first, second = images_of_one_series()
    with told(trusted) as notices, worker(trusted):
        send(trusted, first, second)
        send(trusted, key_object(SAFETY, first))
        trusted.wait(happen(trusted))
        notice = notices.get(timeout=15)
    assert notice.study_instance_uid == first.StudyInstanceUID
    assert notice.availability == {first.SOPInstanceUID: "UNAVAILABLE"}


@pytest.mark.anyio
async def test_s37_rejected_by_rest_it_is_gone_from_dicomweb_and_stow_says_c105(app, client_as):
    stored = await make.a_study(app, instances=2)
    qa, radiographer, administrator = [await client_as(role) for role in ("qa", "radiographer", "administrator")]
    study, uid = stored.study_instance_uid, stored.sop_instance_uid
    instances = f"/dicomweb/studies/{study}/instances"
    path = f"/dicomweb/studies/{study}/series/{stored.series_instance_uid}/instances/{uid}"
    body = {"title": SAFETY, "category": "wrong-patient", "reason": "Another patient.", "instances": [uid]}

    assert (await radiographer.post(f"/api/radiology/studies/{study}/reject", json=body)).status_code == 403
    answer = await qa.post(f"/api/radiology/studies/{study}/reject", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["instances"] == [uid]

    assert (await qa.get(path)).status_code == 404
    assert len((await qa.get(instances)).json()) == 1
    assert (await qa.get(f"/api/radiology/studies/{study}")).json()["numberOfInstances"] == 1
    again = await qa.post("/dicomweb/studies", content=related(stored.files[uid]), headers={"content-type": RELATED})
    assert again.status_code == 409
    assert again.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xC105]

    rejection = answer.json()["id"]
    withdrawal = f"/api/radiology/studies/rejections/{rejection}/withdraw"
    assert (await qa.post(withdrawal, json={"reason": "It was right."})).status_code == 403
    shown = await administrator.post(withdrawal, json={"reason": "It was right."})
    assert shown.json()["withdrawal"]["reason"] == "It was right."
    assert (await administrator.post(withdrawal, json={"reason": "Again."})).status_code == 409
    assert (await qa.get(path)).status_code == 200
    listed = (await qa.get("/api/radiology/studies/rejections", params={"studyInstanceUID": study})).json()
    assert [one["id"] for one in listed["results"]] == [rejection]


@pytest.mark.anyio
async def test_s37_a_series_that_is_rejected_whole_is_not_found(app, client_as):
    stored = await make.a_study(app)
    qa = await client_as("qa")
    body = {"title": "113001", "category": "motion", "reason": "The patient moved."}
    assert (await qa.post(f"/api/radiology/studies/{stored.study_instance_uid}/reject", json=body)).status_code == 201
    for level in ("studies", "series", "instances"):
        assert (await qa.get(f"/dicomweb/{level}")).json() == [], level


@pytest.mark.anyio
async def test_a_rejected_instance_keeps_every_column(app):
    statement = """
        SELECT array_agg(column_name::text ORDER BY ordinal_position)
        FROM information_schema.columns
        WHERE table_name = %(table)s
    """
    async with app.db.transaction() as tx:
        columns = await tx.value(statement, table="instances")
        assert await tx.value(statement, table="rejected_instances") == [*columns, "rejection_id"]
