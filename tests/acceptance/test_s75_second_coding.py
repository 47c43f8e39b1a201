"""75. A study whose second coding is on the list is sensitive, wherever the code stands, and is seen masked."""

from typing import Any

import pytest

from leaks.conftest import belongs
from radiology.app import App
from radiology.studies.schemas import STUDY_EXAMPLE

pytestmark = pytest.mark.anyio

STUDIES = "/api/radiology/studies"
CHEST = {"system": "http://loinc.org", "code": "34839-5", "display": "Chest X-ray"}
MAMMOGRAM = {"system": "http://loinc.org", "code": "24606-6", "display": "Mammogram"}
HIV = {"system": "http://hl7.org/fhir/sid/icd-10", "code": "B20", "display": "HIV disease"}


@pytest.mark.parametrize(
    "changes",
    [
        {"procedureCode": [{"coding": [CHEST, MAMMOGRAM]}]},
        {"procedureCode": [{"coding": [CHEST]}, {"coding": [MAMMOGRAM]}]},
        {"reasonCode": [{"coding": [{"code": "R05", "display": "Cough"}]}, {"coding": [HIV]}]},
        {"flags": ["police case"]},
    ],
    ids=["second coding", "second procedure", "second reason", "flag"],
)
async def test_any_coding_makes_a_study_sensitive(client_as: Any, app: App, changes: dict[str, Any]) -> None:
    radiographer, other = await client_as("radiographer"), await client_as("referrer")
    await belongs(app, "referrer")
    answer = await radiographer.post(STUDIES, json={**STUDY_EXAMPLE, **changes})
    assert answer.status_code == 201, answer.text
    address = f"{STUDIES}/{answer.json()['id']}"
    seen = (await other.get(address)).json()
    assert (seen["studyDescription"], seen["masked"]) == ("Sensitive imaging study", True)
    assert seen["procedureCode"] == [{"text": "Sensitive imaging study"}]
    assert "flags" not in seen
    officer = await client_as("privacy-officer")
    full = (await officer.get(address)).json()
    assert full["studyDescription"] == STUDY_EXAMPLE["studyDescription"]
    assert full["flags"] == changes.get("flags", [])
    assert (await officer.get(f"{address}/labels")).json()["classes"] != []


async def test_the_flags_of_the_service_are_its_own(client_as: Any) -> None:
    radiographer = await client_as("radiographer")
    refused = await radiographer.post(STUDIES, json={**STUDY_EXAMPLE, "flags": ["identity_review"]})
    assert refused.status_code == 422
