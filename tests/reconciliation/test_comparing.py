"""Side by side: what came, and what it may belong to, the likeliest first, with what differs."""

import pytest

import make
from reconciliation.held import SOMEBODY_ELSE, held_of, quarantine_id

pytestmark = pytest.mark.anyio

PLACE = "/api/radiology/reconciliation"


def item(**changes):
    return {
        "patient": {"id": "B2", "name": "Sultana^Nasrin", "birthDate": "1999-03-03", "sex": "F"},
        "modality": "CT",
        "start": "2026-01-21T14:00:00+06:00",
        "requestedProcedure": "CT Chest",
        "accessionNumber": "ORDER7",
        "serviceRequest": "ServiceRequest/7",
    } | changes


async def test_a_study_beside_the_items_and_studies_that_it_may_belong_to(app, client_as):
    clerk = await client_as("records")
    stored = await make.a_study(app, PatientID="B2", PatientName="SULTANA^NASRIN", PatientBirthDate="19990303",
                                PatientSex="F", AccessionNumber="TYPO", StationName="CT1")  # fmt: skip
    await make.a_study(app, PatientID="B2", PatientName="RAHMAN^ABDUR", PatientSex="M")
    for body in (item(), item(patient={"id": "C3", "name": "Karim^Abdul", "sex": "M"}, accessionNumber="ORDER8")):
        assert (await clerk.post("/api/radiology/worklist", json=body)).status_code == 201

    answer = await clerk.get(f"{PLACE}/studies/{stored.study_instance_uid}")
    assert answer.status_code == 200, answer.text
    side = answer.json()
    assert side["came"]["patient"]["name"] == "SULTANA^NASRIN"
    assert side["came"]["station"]["stationName"] == "CT1"
    (series,) = side["came"]["series"]
    assert (await clerk.get(series["thumbnail"], headers={"accept": "image/jpeg"})).status_code == 200

    best, *others = side["candidates"]
    assert (best["kind"], best["serviceRequest"], best["verdict"]) == ("item", "ServiceRequest/7", "match")
    assert best["score"] == 1.0
    assert best["parts"]["name"] == {"score": 1.0, "weight": 0.25}
    assert "accessionNumber" in best["differences"]
    assert "patient.id" not in best["differences"]
    assert [one["kind"] for one in others] == ["study", "item"]
    assert others[0]["parts"]["sex"]["score"] == 0
    assert others[1]["verdict"] == "conflict"


async def test_an_object_in_quarantine_beside_its_study(app, client_as):
    clerk = await client_as("records")
    stored = await make.a_study(app, PatientID="A1")
    (image,) = await held_of(app, stored.study_instance_uid)
    place = f"{PLACE}/quarantine/{await quarantine_id(app, image)}"
    side = (await clerk.get(place)).json()
    assert side["came"]["patient"]["id"] == SOMEBODY_ELSE["PatientID"]
    assert side["subject"]["decisions"] == ["attach", "split", "discard"]
    assert side["subject"]["sentence"]["bn"]
    (study,) = side["candidates"]
    assert study["studyInstanceUID"] == stored.study_instance_uid
    assert study["verdict"] == "conflict"
    picture = await clerk.get(side["subject"]["thumbnail"])
    assert (picture.status_code, picture.content[:2]) == (200, b"\xff\xd8"), picture.text
    assert (await (await client_as("radiologist")).get(place)).status_code == 403


async def test_a_study_without_images_is_compared_by_what_is_registered(app, client_as):
    clerk = await client_as("records")
    body = {"subject": {"reference": "Patient/9"}, "modality": [{"coding": [{"code": "CT"}]}], "status": "registered"}
    made = await clerk.post("/api/radiology/studies", json=body)
    assert made.status_code == 201, made.text
    side = (await clerk.get(f"{PLACE}/studies/{made.json()['id']}")).json()
    assert side["came"]["numberOfInstances"] == 0
