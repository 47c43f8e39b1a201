"""Orders as ServiceRequest over FHIR R4: there and back, what is refused and how, and versions."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ordering import PATH as REST
from ordering import a_procedure, an_order
from radiology.orders.fhir.mapping import said
from radiology.orders.fhir.resource import ServiceRequestIn
from radiology.orders.fhir.safety import contained

pytestmark = pytest.mark.anyio

PATH = "/fhir/R4/ServiceRequest"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "identifier": [{"system": "urn:radiology:facility:LOCAL", "value": "DMC-1001"}],
    "name": [{"family": "Karim", "given": ["Abdul"]}, {"text": "আব্দুল করিম"}],
    "gender": "male",
    "birthDate": "1980-01-15",
}


def a_request(**changes: Any) -> dict[str, Any]:
    """A ServiceRequest as an EMR sends it. None leaves an element out."""
    body = {
        "resourceType": "ServiceRequest",
        "contained": [PATIENT],
        "identifier": [
            {
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]},
                "system": "urn:emr:orders",
                "value": "E-77",
            }
        ],
        "status": "active",
        "intent": "order",
        "priority": "urgent",
        "code": {"coding": [{"system": "http://loinc.org", "code": "24627-2", "display": "CT Chest"}]},
        "orderDetail": [{"coding": [{"system": DCM, "code": "CT"}]}],
        "subject": {"reference": "#p"},
        "occurrenceDateTime": "2026-01-21T14:00:00+06:00",
        "requester": {"reference": "Practitioner/222", "display": "Dr. Kamal Hossain"},
        "reasonCode": [{"text": "Check for metastatic disease"}],
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


@pytest.fixture
async def client(client_as: Any) -> httpx2.AsyncClient:
    return await client_as("service")


async def created(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=a_request(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


def issue_of(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/fhir+json"
    assert answer.json()["resourceType"] == "OperationOutcome"
    return answer.json()["issue"][0]


async def test_an_order_is_created_and_read(client: httpx2.AsyncClient) -> None:
    answer = await client.post(PATH, content=json.dumps(a_request()), headers={"content-type": "application/fhir+json"})
    resource = answer.json()
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{PATH}/{resource['id']}/_history/1"
    assert (answer.headers["etag"], resource["meta"]["versionId"]) == ('W/"1"', "1")
    numbers = {each["type"]["coding"][0]["code"]: (each["system"], each["value"]) for each in resource["identifier"]}
    assert numbers == {
        "PLAC": ("urn:emr:orders", "E-77"),
        "ACSN": ("urn:radiology:accession:LOCAL", "LOCAL2601000001"),
    }
    assert resource["code"] == a_request()["code"]
    assert resource["orderDetail"] == [{"coding": [{"system": DCM, "code": "CT"}]}]
    assert resource["subject"]["display"] == "Karim Abdul"
    assert resource["reasonCode"] == [{"text": "Check for metastatic disease"}]
    read = await client.get(f"{PATH}/{resource['id']}")
    assert read.json() == resource
    rest = (await client.get(f"{REST}/{resource['id']}")).json()
    assert rest["procedures"][0]["worklistStatus"] == "SCHEDULED"
    assert rest["patient"]["nameBangla"] == "আব্দুল করিম"
    assert rest["reason"] == "Check for metastatic disease"


async def test_the_same_request_is_one_order(client: httpx2.AsyncClient) -> None:
    first = await created(client)
    again = await client.post(PATH, json=a_request())
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    other = await client.post(PATH, json=a_request(priority="stat"))
    assert (other.status_code, issue_of(other)["code"]) == (409, "conflict")


async def test_what_is_read_may_be_put_back(client: httpx2.AsyncClient) -> None:
    """Also an order of REST, with more than FHIR says: nothing of it is lost, and nothing is changed."""
    procedures = [a_procedure(note="Thin"), a_procedure("US", "US")]
    order = (await client.post(REST, json=an_order(procedures=procedures))).json()
    resource = (await client.get(f"{PATH}/{order['id']}")).json()
    same = await client.put(f"{PATH}/{order['id']}", json=resource, headers={"if-match": 'W/"1"'})
    assert (same.status_code, same.json()) == (200, resource)
    changed = await client.put(f"{PATH}/{order['id']}", json={**resource, "priority": "stat"})
    assert (changed.status_code, changed.json()["priority"]) == (200, "stat"), changed.text
    after = (await client.get(f"{REST}/{order['id']}")).json()
    for name in ("safety", "reason", "requester", "accessionNumber", "placerNumber", "occurrence"):
        assert after[name] == order[name], name
    for before, now in zip(order["procedures"], after["procedures"], strict=True):
        assert now == before


async def test_versions_and_ids(client: httpx2.AsyncClient) -> None:
    resource = await created(client)
    address = f"{PATH}/{resource['id']}"
    first = await client.put(address, json={**resource, "priority": "stat"}, headers={"if-match": 'W/"1"'})
    assert (first.status_code, first.headers["etag"]) == (200, 'W/"2"')
    stale = await client.put(address, json={**resource, "priority": "routine"}, headers={"if-match": 'W/"1"'})
    assert (stale.status_code, issue_of(stale)["code"]) == (412, "conflict")
    other = await client.put(address, json={**resource, "id": "another"})
    assert (other.status_code, issue_of(other)["code"]) == (400, "invalid")
    missing = await client.get(f"{PATH}/0190a0a0-0000-7000-8000-000000000000")
    assert (missing.status_code, issue_of(missing)["code"]) == (404, "not-found")


async def test_a_status_is_changed_by_an_update(client: httpx2.AsyncClient) -> None:
    resource = await created(client)
    address = f"{PATH}/{resource['id']}"
    why = {
        "url": "http://hl7.org/fhir/StructureDefinition/request-statusReason",
        "valueCodeableConcept": {"text": "Done elsewhere"},
    }
    revoked = await client.put(
        address, json={**resource, "status": "revoked", "extension": [*resource["extension"], why]}
    )
    assert (revoked.status_code, revoked.json()["status"]) == (200, "revoked"), revoked.text
    history = (await client.get(f"{REST}/{resource['id']}/history")).json()["results"]
    assert (history[-1]["verb"], history[-1]["reason"]) == ("cancel", "Done elsewhere")
    refused = await client.put(address, json={**revoked.json(), "status": "on-hold"})
    assert (refused.status_code, issue_of(refused)["code"]) == (409, "business-rule")
    again = await client.put(address, json={**revoked.json(), "status": "active"})
    assert again.json()["status"] == "active"


async def test_facts_of_safety_are_contained(client: httpx2.AsyncClient) -> None:
    def observed(id: str, code: str, **value: Any) -> dict[str, Any]:
        coding = {"system": "http://loinc.org", "code": code}
        return {"resourceType": "Observation", "id": id, "status": "final", "code": {"coding": [coding]}, **value}

    unit = "http://unitsofmeasure.org"
    facts = [
        observed("w", "29463-7", valueQuantity={"value": 61.5, "system": unit, "code": "kg"}),
        observed("h", "8302-2", valueQuantity={"value": 158, "system": unit, "code": "cm"}),
        observed("g", "98979-8", effectiveDateTime="2026-01-20T08:00:00+06:00",
                 valueQuantity={"value": 41, "system": unit, "code": "mL/min/{1.73_m2}"}),
        observed("p", "82810-3", valueCodeableConcept={
            "coding": [{"system": "http://snomed.info/sct", "code": "146799005"}]}),
        {"resourceType": "AllergyIntolerance", "id": "a", "code": {"text": "Iohexol"}, "patient": {"reference": "#p"},
         "reaction": [{"manifestation": [{"text": "Hives"}], "severity": "severe"}]},
    ]  # fmt: skip
    patient = {**PATIENT, "id": "who"}
    resource = await created(client, contained=[patient, *facts], subject={"reference": "#who"})
    order = (await client.get(f"{REST}/{resource['id']}")).json()
    assert order["safety"] == {
        "weightKg": 61.5,
        "sizeM": 1.58,
        "pregnancy": "possibly",
        "renalFunction": {"measuredOn": "2026-01-20", "egfr": 41.0},
        "allergies": [{"text": "Iohexol", "severity": "severe"}],
    }
    kinds = [each["resourceType"] for each in resource["contained"]]
    assert kinds == ["Observation"] * 4 + ["AllergyIntolerance"]
    assert {each["reference"] for each in resource["supportingInfo"]} == {f"#{e['id']}" for e in resource["contained"]}


@pytest.mark.parametrize(
    ("change", "status", "code", "where"),
    [
        ({"status": None}, 422, "value", "ServiceRequest.status"),
        ({"status": "completed"}, 422, "value", "ServiceRequest.status"),
        ({"intent": "wish"}, 422, "value", "ServiceRequest.intent"),
        ({"doNotPerform": True}, 422, "value", "ServiceRequest.doNotPerform"),
        ({"quantityQuantity": {"value": 2}}, 422, "value", "ServiceRequest.quantityQuantity"),
        ({"orderDetail": None}, 422, "value", "ServiceRequest.orderDetail"),
        ({"subject": {"reference": "Group/1"}}, 422, "value", "ServiceRequest.subject"),
        ({"subject": {"reference": "#nobody"}}, 422, "value", "ServiceRequest.subject"),
        ({"resourceType": "Task"}, 422, "value", "ServiceRequest.resourceType"),
        ({"extension": [{"url": "urn:x", "valueString": "1"}]}, 422, "value", "ServiceRequest"),
        ({"contained": [{"resourceType": "Organization", "id": "p"}]}, 422, "value", "ServiceRequest.contained[0]"),
    ],
)  # fmt: skip
async def test_a_refusal_names_the_element(
    client: httpx2.AsyncClient, change: dict[str, Any], status: int, code: str, where: str
) -> None:
    refused = await client.post(PATH, json=a_request(**change))
    assert refused.status_code == status, refused.text
    issue = issue_of(refused)
    assert issue["code"] == code
    assert where in issue.get("expression", [issue["diagnostics"]])[0]


async def test_refusals_before_the_route_are_outcomes_too(client: httpx2.AsyncClient, service: Any) -> None:
    transport = httpx2.ASGITransport(app=service)
    async with httpx2.AsyncClient(transport=transport, base_url="http://radiology.test") as nobody:
        answer = await nobody.get(PATH)
        assert (answer.status_code, issue_of(answer)["code"]) == (401, "login")
        assert "Bearer" in answer.headers["www-authenticate"]
    broken = await client.post(PATH, content=b"{", headers={"content-type": "application/fhir+json"})
    assert (broken.status_code, issue_of(broken)["code"]) == (400, "invalid")
    xml = await client.get(PATH, headers={"accept": "application/fhir+xml"})
    assert (xml.status_code, issue_of(xml)["code"]) == (415, "not-supported")


async def test_orders_are_found(client: httpx2.AsyncClient) -> None:
    one = await created(client)
    other = await created(client, identifier=[{"value": "E-78"}], status="draft", occurrenceDateTime=None)
    for criterion, count in (
        ({}, 2),
        ({"_id": one["id"]}, 1),
        ({"patient": one["subject"]["reference"]}, 2),
        ({"subject": "Patient/nobody"}, 0),
        ({"status": "draft"}, 1),
        ({"priority": "urgent"}, 2),
        ({"identifier": "E-78"}, 1),
        ({"identifier": "urn:radiology:accession:LOCAL|LOCAL2601000001"}, 1),
        ({"authored": "ge2026-01-01"}, 2),
        ({"authored": "le2026-01-01"}, 0),
    ):
        bundle = (await client.get(PATH, params=criterion)).json()
        assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
        assert len(bundle.get("entry", ())) == count, criterion
    page = (await client.get(PATH, params={"_count": 1})).json()
    assert page["entry"][0]["fullUrl"] == f"http://radiology.test{PATH}/{other['id']}"
    following = next(link["url"] for link in page["link"] if link["relation"] == "next")
    assert (await client.get(following)).json()["entry"][0]["resource"]["id"] == one["id"]
    assert (await client.get(PATH, params={"code": "1"})).status_code == 400


async def test_examples_of_the_standard_are_understood_or_refused(
    client: httpx2.AsyncClient, shared_data: Path
) -> None:
    """They are of no imaging, but for one, and none says a modality: that is named, and nothing breaks."""
    examples = sorted((shared_data / "fhir" / "r4-examples").glob("ServiceRequest-*.json"))
    assert examples
    for example in examples:
        refused = await client.post(PATH, json=json.loads(example.read_text()))
        assert refused.status_code == 422, example.name
        assert issue_of(refused)["code"] == "value"
    chest = json.loads((shared_data / "fhir" / "r4-examples" / "ServiceRequest-di.json").read_text())
    chest |= {"orderDetail": a_request()["orderDetail"], "contained": [PATIENT], "subject": {"reference": "#p"}}
    answer = await client.post(PATH, json=chest)
    assert answer.status_code == 201, answer.text
    assert answer.json()["occurrenceDateTime"] == "2013-05-08T08:33:27+06:00"


def test_the_mapping_keeps_what_it_does_not_know() -> None:
    present = {"patient": {"reference": "Patient/1"}, "procedures": [a_procedure(stationAETitles=["CT1"])],
               "flags": ["police case"], "safety": {"mobility": "bed"}}  # fmt: skip
    given = ServiceRequestIn.model_validate(a_request(contained=[], subject={"reference": "Patient/1"}))
    after = said(given, present)
    assert after["flags"] == ["police case"]
    assert after["safety"] == {"mobility": "bed"}
    assert after["procedures"][0]["stationAETitles"] == ["CT1"]


def test_an_allergy_of_unknown_severity_has_no_reaction() -> None:
    (allergy,) = contained({"allergies": [{"text": "Iohexol"}]}, {"reference": "Patient/1"})
    assert allergy["code"] == {"text": "Iohexol"}
    assert "reaction" not in allergy
