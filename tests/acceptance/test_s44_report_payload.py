"""44. The specification's report payload is stored as preliminary with all seven sections.

`34839-5` is accepted with a warning, and the right code 42272-5 is added.
"""

from typing import Any

import pytest

from radiology.reports.schemas import REPORT_EXAMPLE
from radiology.studies.schemas import STUDY_EXAMPLE

pytestmark = pytest.mark.anyio


async def test_s44_the_payload_is_stored_whole(client_as: Any) -> None:
    radiographer, radiologist = await client_as("radiographer"), await client_as("radiologist")
    await radiographer.post("/api/radiology/studies", json={**STUDY_EXAMPLE, "studyId": "study-123"})
    created = await radiologist.post("/api/radiology/reports", json=REPORT_EXAMPLE)
    assert created.status_code == 201
    report = (await radiologist.get(created.headers["location"])).json()
    assert report["status"] == "preliminary"
    texts = {section["id"]: section["text"] for section in report["sections"]}
    assert list(texts) == [
        "patient_info", "clinical_info", "technique", "findings", "impression", "comparison", "recommendation",
    ]  # fmt: skip
    for name in ("technique", "findings", "impression", "comparison", "recommendation"):
        assert texts[name] == REPORT_EXAMPLE[name]
    assert texts["clinical_info"] == "Indication: Chest pain"
    assert [coding["code"] for coding in report["code"]["coding"]] == ["34839-5", "42272-5"]
    assert [warning["code"] for warning in report["warnings"]] == ["code-not-in-system"]
