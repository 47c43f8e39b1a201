"""49. What a resident has written, a resident does not approve; a consultant does, and both names stay with it."""

from typing import Any

import pytest

from audit_records import records
from radiology.app import App
from radiology.reports.schemas import REPORT_EXAMPLE
from radiology.studies.schemas import STUDY_EXAMPLE

pytestmark = pytest.mark.anyio

REPORTS = "/api/radiology/reports"


async def test_s49_a_resident_never_approves_and_the_consultant_does(client_as: Any, app: App, service: Any) -> None:
    radiographer = await client_as("radiographer")
    await radiographer.post("/api/radiology/studies", json={**STUDY_EXAMPLE, "studyId": "study-123"})
    resident, consultant = await client_as("resident"), await client_as("consultant")
    report = (await resident.post(REPORTS, json=REPORT_EXAMPLE)).json()
    address = f"{REPORTS}/{report['id']}"
    assert (await resident.post(f"{address}/approve")).status_code == 403
    denials = await records(app, service, action="access.denied")
    assert [record.detail and record.detail.get("reason") for record in denials] == ["resident-never-approves"]
    assert (await consultant.post(f"{address}/approve")).json()["status"] == "final"
    versions = (await consultant.get(f"{address}/versions")).json()["results"]
    assert (versions[-1]["authors"], versions[-1]["approver"]) == (["account:resident"], "account:consultant")
