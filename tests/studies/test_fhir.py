"""A study as ImagingStudy over FHIR R4: what it says, by which id it is read, and who sees how much of it."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from audit_records import records
from leaks.conftest import World, belongs, relate, world  # noqa: F401 - a fixture.
from radiology.app import App
from radiology.studies.fhir import imaging_study

pytestmark = pytest.mark.anyio

PATH = "/fhir/R4/ImagingStudy"
ClientAs = Callable[..., Awaitable[httpx2.AsyncClient]]
#: Elements of ImagingStudy in R4, without those that every resource may have beside the ones we send.
ELEMENTS = {
    "resourceType", "id", "meta", "extension", "identifier", "status", "modality", "subject", "encounter", "started",
    "basedOn", "referrer", "interpreter", "endpoint", "numberOfSeries", "numberOfInstances", "procedureCode",
    "location", "reasonCode", "reasonReference", "description", "series",
}  # fmt: skip


def a_study(**changes: Any) -> dict[str, Any]:
    """A study as REST shows it."""
    return {
        "id": "018f0000-0000-7000-8000-000000000001",
        "version": 3,
        "updatedAt": "2026-01-21T14:00:00+06:00",
        "status": "in-progress",
        "modality": [{"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}]}],
        "subject": {"reference": "Patient/1"},
        "facilityCode": "DMCH",
        "studyInstanceUID": "1.2.3",
        "numberOfSeries": 1,
        "numberOfInstances": 1,
        **changes,
    }


@pytest.mark.parametrize(
    ("status", "instances", "expected"),
    [
        ("registered", 0, "registered"),
        ("arrived", 0, "registered"),
        ("in-progress", 0, "registered"),
        ("in-progress", 2, "available"),
        ("completed", 0, "registered"),
        ("completed", 2, "available"),
        ("cancelled", 0, "cancelled"),
        ("entered-in-error", 2, "entered-in-error"),
        ("unknown", 2, "unknown"),
    ],
)
def test_the_status_is_one_of_r4_and_the_workflow_an_extension(status: str, instances: int, expected: str) -> None:
    resource = imaging_study(a_study(status=status, numberOfInstances=instances), [])
    assert resource["status"] == expected
    assert resource["extension"] == [{"url": "urn:radiology:fhir:workflow-status", "valueCode": status}]


def test_one_interpreter_is_a_list_and_nothing_is_empty() -> None:
    resource = imaging_study(a_study(interpreter={"reference": "Practitioner/3"}, studyDescription=""), [])
    assert resource["interpreter"] == [{"reference": "Practitioner/3"}]
    assert "description" not in resource
    assert "series" not in resource


async def test_a_study_is_read_by_its_id_alone(
    world: World,  # noqa: F811
    app: App,
    client_as: ClientAs,
) -> None:
    client = await client_as("radiologist")
    await belongs(app, "radiologist")
    study = world.ordinary
    answer = await client.get(f"{PATH}/{study.id}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    resource = answer.json()
    rest = (await client.get(f"/api/radiology/studies/{study.id}")).json()
    assert set(resource) <= ELEMENTS
    assert answer.headers["etag"] == f'W/"{resource["meta"]["versionId"]}"' == f'W/"{rest["version"]}"'
    assert resource["identifier"][0] == {"system": "urn:dicom:uid", "value": f"urn:oid:{study.uid}"}
    assert resource["identifier"][1]["value"] == rest["accessionNumber"]
    assert resource["status"] == "available"
    assert [each["code"] for each in resource["modality"]] == rest["modalitiesInStudy"]
    assert (resource["subject"], resource["started"]) == (rest["subject"], rest["started"])
    assert (resource["numberOfSeries"], resource["numberOfInstances"]) == (1, 1)
    [series] = resource["series"]
    assert series["uid"] == study.image.SeriesInstanceUID
    assert series["modality"]["code"] == study.image.Modality
    assert series["numberOfInstances"] == 1
    for other in (study.uid, rest["studyId"], "018f0000-0000-7000-8000-000000000001"):
        refused = await client.get(f"{PATH}/{other}")
        assert refused.status_code == 404
        assert refused.json()["resourceType"] == "OperationOutcome"


async def test_a_sensitive_study_is_masked_and_one_of_another_facility_is_not_there(
    world: World,  # noqa: F811
    app: App,
    client_as: ClientAs,
) -> None:
    client = await client_as("radiographer")
    await belongs(app, "radiographer")
    answer = await client.get(f"{PATH}/{world.breast.id}")
    resource = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert resource["meta"] == {
        "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "MASKED"}]
    }
    assert resource["description"] == "Sensitive imaging study"
    assert [each["code"] for each in resource["modality"]] == ["XX"]
    assert resource["started"] == "2026-01-21"
    assert not {"series", "numberOfSeries", "numberOfInstances", "basedOn"} & set(resource)
    assert "Within" not in answer.text
    assert (await client.get(f"{PATH}/{world.elsewhere.id}")).status_code == 404

    await relate(app, "radiographer", world.breast, "performer")
    assert "series" in (await client.get(f"{PATH}/{world.breast.id}")).json()


async def test_reading_is_audited(
    world: World,  # noqa: F811
    app: App,
    service: FastAPI,
    client_as: ClientAs,
) -> None:
    client = await client_as("radiologist")
    await belongs(app, "radiologist")
    await client.get(f"{PATH}/{world.ordinary.id}")
    [record] = [each for each in await records(app, service) if each.subject == str(world.ordinary.id)]
    assert record.action == "study.read"
