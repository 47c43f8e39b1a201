"""Orders that come by FHIR: what is blocked waits, with its reason in the resource."""

from typing import Any

import httpx2
import pytest

from checking import LOCAL

pytestmark = pytest.mark.anyio


def a_request(**changes: Any) -> dict[str, Any]:
    """A ServiceRequest for a chest film of a woman of 25."""
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "gender": "female",
        "birthDate": "2000-06-01",
        "name": [{"family": "Begum", "given": ["Salma"]}],
        "identifier": [{"system": "urn:radiology:facility:LOCAL", "value": "DMC-2002"}],
    }
    return {
        "resourceType": "ServiceRequest", "status": "active", "intent": "order",
        "code": {"coding": [{"system": LOCAL, "code": "XR_CHEST_PA", "display": "Chest X-ray PA"}]},
        "orderDetail": [{"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "DX"}]}],
        "subject": {"reference": "#p"}, "contained": [patient],
    } | changes  # fmt: skip


async def test_a_blocked_order_by_fhir_waits_with_its_reason_and_the_answer_releases_it(client_as: Any) -> None:
    client: httpx2.AsyncClient = await client_as("service")
    made = await client.post("/fhir/R4/ServiceRequest", json=a_request())
    assert made.status_code == 201, made.text
    resource = made.json()
    assert resource["status"] == "on-hold"
    (why,) = [each for each in resource["extension"] if each["url"].endswith("request-statusReason")]
    assert "PG1" in why["valueCodeableConcept"]["text"]
    address = f"/fhir/R4/ServiceRequest/{resource['id']}"
    blocked = await client.put(address, json={**resource, "status": "active"})
    assert (blocked.status_code, blocked.json()["issue"][0]["code"]) == (422, "business-rule")
    answer = {
        "resourceType": "Observation",
        "id": "pregnancy",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
        "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "60001007"}]},
    }
    released = await client.put(address, json={**resource, "contained": [answer], "status": "active"})
    assert (released.status_code, released.json()["status"]) == (200, "active")
    assert not [each for each in released.json()["extension"] if each["url"].endswith("request-statusReason")]
