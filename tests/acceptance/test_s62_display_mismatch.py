"""62. The reason 267036007 "Chest pain" is stored as sent, with the warning `display-mismatch`; no code acts alone.

The code means dyspnea. Codes of the specification that LOINC cannot have are accepted with a warning and the right code
beside them; over FHIR, all others are refused, and none goes out under the name of LOINC.
"""

from typing import Any

import pytest

from ordering import an_order
from radiology.app import App
from radiology.procedures.catalogue import catalogue
from radiology.procedures.lookup import codings_of
from radiology.reports.schemas import REPORT_EXAMPLE
from radiology.studies.schemas import STUDY_EXAMPLE

pytestmark = pytest.mark.anyio

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
REASON = {"coding": [{"system": SNOMED, "code": "267036007", "display": "Chest pain"}]}
CHEST = {"coding": [{"system": LOINC, "code": "34839-5", "display": "Chest X-ray"}]}
RIGHT = {"system": LOINC, "code": "42272-5", "display": "Chest X-ray PA and lateral"}
PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "identifier": [{"system": "urn:radiology:facility:LOCAL", "value": "DMC-1001"}],
    "name": [{"family": "Karim", "given": ["Abdul"]}],
}
ORDERS, FHIR = "/api/radiology/orders", "/fhir/R4/ServiceRequest"


def codes_of(body: dict[str, Any]) -> list[str]:
    return [each["code"] for each in body["warnings"]]


async def test_s62_what_was_sent_is_stored_and_warned_of(client_as: Any, app: App) -> None:
    client = await client_as("radiographer")
    body = an_order(reasonCode=[REASON], procedures=[{"modality": "DX", "code": CHEST}])
    answer = await client.post(ORDERS, json=body)
    assert answer.status_code == 201
    order = (await client.get(answer.headers["location"])).json()
    assert order["reasonCode"] == [REASON]
    assert order["procedures"][0]["code"] == {"coding": [*CHEST["coding"], RIGHT]}
    assert codes_of(order) == ["display-mismatch", "code-not-in-system"]
    assert "29857009" in order["warnings"][0]["message"]
    study = (await client.get(f"/api/radiology/studies/{order['procedures'][0]['studyInstanceUID']}")).json()
    assert study["reasonCode"][0] == REASON
    assert "display-mismatch" in codes_of(study)
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT sensitive_classes FROM imaging_studies") == []
    known = await catalogue(app)
    (coding,) = codings_of([REASON])
    assert known.disagrees(coding)
    assert known.find([coding], text="Chest pain") is None


async def test_s62_the_same_order_again_is_the_same(client_as: Any) -> None:
    client = await client_as("radiographer")
    body = an_order(reasonCode=[REASON], procedures=[{"modality": "DX", "code": CHEST}])
    first, again = await client.post(ORDERS, json=body), await client.post(ORDERS, json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    changed = await client.put(f"{ORDERS}/{first.json()['id']}", json={**body, "priority": "stat"})
    assert (changed.status_code, len(changed.json()["procedures"][0]["code"]["coding"])) == (200, 2)
    assert codes_of(changed.json()) == ["display-mismatch", "code-not-in-system"]


async def test_s62_reports_are_warned_of_words_that_are_of_another_code(client_as: Any) -> None:
    radiographer, radiologist = await client_as("radiographer"), await client_as("radiologist")
    await radiographer.post("/api/radiology/studies", json={**STUDY_EXAMPLE, "studyId": "study-123"})
    knee = {"coding": [{"system": LOINC, "code": "24648-8", "display": "MRI knee"}]}
    answer = await radiologist.post("/api/radiology/reports", json={**REPORT_EXAMPLE, "code": knee})
    assert answer.status_code == 201
    assert codes_of(answer.json()) == ["display-mismatch"]
    assert answer.json()["code"] == knee


def a_request(code: str, display: str) -> dict[str, Any]:
    system = "http://dicom.nema.org/resources/ontology/DCM"
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"coding": [{"system": LOINC, "code": code, "display": display}]},
        "orderDetail": [{"coding": [{"system": system, "code": "DX"}]}],
        "contained": [PATIENT],
        "subject": {"reference": "#p"},
        "reasonCode": [REASON],
    }


async def test_s62_over_fhir_no_impossible_code_comes_in_or_goes_out(client_as: Any) -> None:
    client = await client_as("service")
    refused = await client.post(FHIR, json=a_request("42272-6", "Chest X-ray"))
    assert refused.status_code == 422
    assert refused.json()["issue"][0]["expression"] == ["ServiceRequest.code.coding[0]"]
    taken = await client.post(FHIR, json=a_request("34839-5", "Chest X-ray"))
    assert taken.status_code == 201, taken.text
    resource = taken.json()
    local = {"system": "urn:bd:radiology:local-procedure", "code": "34839-5", "display": "Chest X-ray"}
    assert resource["code"]["coding"] == [local, RIGHT]
    again = await client.put(f"{FHIR}/{resource['id']}", json=resource)
    assert (again.status_code, again.json()["meta"]["versionId"]) == (200, "1")
    sent = {**a_request("34839-5", "Chest X-ray"), "id": resource["id"], "priority": "stat"}
    changed = await client.put(f"{FHIR}/{resource['id']}", json=sent)
    assert (changed.status_code, changed.json()["priority"]) == (200, "stat")
    found = await client.get(FHIR, params={"_id": resource["id"]})
    assert found.json()["entry"][0]["resource"]["code"]["coding"] == [local, RIGHT]
    study = (await client.get("/api/radiology/studies")).json()["results"][0]
    image = (await client.get(f"/fhir/R4/ImagingStudy/{study['id']}")).json()
    assert image["procedureCode"][0]["coding"] == [local, RIGHT]
