"""Exactly one record for what comes by DICOM, and what searching the record gives."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom.sop_class import (
    ModalityWorklistInformationFind,
    StudyRootQueryRetrieveInformationModelFind,
    Verification,
)

import make
from audit_records import records
from conftest import ClientAs
from node import KNOWN, Node, running_node
from query import identifier
from radiology.app import App
from radiology.application_entities.model import ApplicationEntity
from radiology.settings import Settings
from requestor import requestor

CONTEXTS = [
    (Verification, ExplicitVRLittleEndian),
    (CTImageStorage, ExplicitVRLittleEndian),
    (StudyRootQueryRetrieveInformationModelFind, ExplicitVRLittleEndian),
    (ModalityWorklistInformationFind, ExplicitVRLittleEndian),
]


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def made(node: Node) -> list[tuple[str, str, int, Any]]:
    """Action, subject, outcome and count of each record, sealed; all by the machine, from here."""
    node.archive.trail.stop()
    found = node.wait(records(node.app))
    for record in found:
        assert (record.actor, record.actor_kind, record.address) == (f"ae:{KNOWN}", "application-entity", "127.0.0.1")
        assert record.connection is not None
        assert record.connection["calling"] == KNOWN
        assert record.source == "dimse"
    return [(record.action, record.subject, record.outcome, (record.detail or {}).get("count")) for record in found]


@pytest.mark.peer("Storage (SCP)", "pynetdicom")
def test_what_an_association_stores_is_one_record_for_each_study(node: Node) -> None:
    first, second = make.an_object(), make.an_object()
    again = make.an_object(StudyInstanceUID=first.StudyInstanceUID, PatientID=first.PatientID)
    with requestor(node, CONTEXTS) as association:
        for image in (first, second, again):
            assert association.send_c_store(image).Status == 0
        assert association.send_c_echo().Status == 0
    node.server.stop()
    assert sorted(made(node)) == sorted(
        [("study.store", first.StudyInstanceUID, 0, 2), ("study.store", second.StudyInstanceUID, 0, 1)]
    )


@pytest.mark.peer("Modality Worklist (SCP)", "pynetdicom")
def test_queries_and_refused_operations_are_one_record_each(node: Node) -> None:
    node.register(ApplicationEntity(KNOWN, services=["find", "mwl"]))
    with requestor(node, CONTEXTS) as association:
        asked = identifier("STUDY", PatientID="P-7")
        assert [status.Status for status, _ in association.send_c_find(asked, CONTEXTS[2][0])] == [0]
        steps = identifier("STUDY", PatientName="*")
        del steps.QueryRetrieveLevel
        assert list(association.send_c_find(steps, CONTEXTS[3][0]))[-1][0].Status == 0
        wrong = identifier("NOTHING")
        assert list(association.send_c_find(wrong, CONTEXTS[2][0]))[-1][0].Status == 0xA900
    assert [(action, outcome) for action, _, outcome, _ in made(node)] == [
        ("study.find", 0),
        ("worklist.find", 0),
        ("access.failed", 4),
    ]


@pytest.mark.anyio
async def test_the_record_is_searched_by_page_and_as_fhir_and_that_is_recorded(
    app: App, service: FastAPI, client_as: ClientAs
) -> None:
    stored = await make.a_study(app)
    reader, officer = await client_as("radiologist"), await client_as("privacy-officer")
    path = f"/api/radiology/studies/{stored.study_instance_uid}"
    for _ in range(3):
        assert (await reader.get(path)).status_code == 200
        await records(app, service)
    searched = f"/api/radiology/audit?study={stored.study_instance_uid}&action=study.read&limit=2"
    first = (await officer.get(searched)).json()
    assert [(each["action"], each["role"], each["outcome"]) for each in first["results"]] == [
        ("study.read", "radiologist", 0)
    ] * 2
    second = (await officer.get(first["next"])).json()
    assert (len(second["results"]), second["next"]) == (1, None)
    assert not {each["id"] for each in first["results"]} & {each["id"] for each in second["results"]}
    answer = await officer.get(searched, headers={"accept": "application/fhir+json"})
    assert answer.headers["content-type"] == "application/fhir+json"
    bundle = answer.json()
    assert (bundle["type"], {entry["resource"]["resourceType"] for entry in bundle["entry"]}) == (
        "searchset",
        {"AuditEvent"},
    )
    assert {link["relation"] for link in bundle["link"]} == {"self", "next"}
    assert len(await records(app, service, action="audit.search")) == 3
    assert (await officer.get("/api/radiology/audit?outcome=0&from=2026-01-01&to=2125-01-01")).status_code == 200
    for wrong in ("outcome=1", "from=yesterday", "limit=0", "nothing=1", "cursor=x"):
        assert (await officer.get(f"/api/radiology/audit?{wrong}")).status_code == 400, wrong


@pytest.mark.anyio
async def test_a_patient_sees_who_saw_and_no_names(app: App, service: FastAPI, client_as: ClientAs) -> None:
    stored = await make.a_study(app, PatientID="P-81")
    reader, patient = await client_as("radiologist"), await client_as("patient")
    assert (await reader.get(f"/dicomweb/studies/{stored.study_instance_uid}/metadata")).status_code == 200
    await records(app, service)
    path = "/api/radiology/patients/P-81/accesses"
    assert (await patient.get(path)).status_code == 403
    await make.care(app, (await patient.get("/api/radiology/me")).json()["id"], "P-81", "self")
    answer = await patient.get(path)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert {(each["who"], each["name"]) for each in told["results"]} >= {("Radiologist", None)}
    assert {each["name"] for each in told["results"]} == {None}
