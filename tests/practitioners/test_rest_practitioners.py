"""Practitioners and delegations over REST, and what they decide about reports."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit_records import records
from node import free_port
from radiology.access import accounts
from radiology.app import App
from radiology.external.practitioners.fhir import FHIRRegistry
from radiology.practitioners.schemas import EXAMPLE
from radiology.reports.schemas import REPORT_EXAMPLE
from radiology.studies.schemas import STUDY_EXAMPLE

pytestmark = pytest.mark.anyio

PRACTITIONERS, DELEGATIONS = "/api/radiology/practitioners", "/api/radiology/delegations"
REPORTS = "/api/radiology/reports"
HERE = {**EXAMPLE, "privileges": [{"facilityCode": "LOCAL", "modalities": ["DX"]}]}


@pytest.fixture
async def study(client_as: Any) -> Any:
    radiographer = await client_as("radiographer")
    return (await radiographer.post("/api/radiology/studies", json={**STUDY_EXAMPLE, "studyId": "study-123"})).json()


async def reasons(app: App, service: Any) -> list[str]:
    """The reasons of the denials in the audit record."""
    denials = await records(app, service, action="access.denied")
    return [record.detail["reason"] for record in denials if record.detail and "reason" in record.detail]


def soon(days: float = 3) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


async def test_an_administrator_keeps_practitioners(client_as: Any) -> None:
    admin = await client_as("administrator")
    assert (await admin.put(f"{PRACTITIONERS}/222", json={**EXAMPLE, "registration": "12345"})).status_code == 204
    found = (await admin.get(f"{PRACTITIONERS}/222")).json()
    assert found | {"active": True} == found
    assert (found["registration"], found["nameBangla"]) == ("A-12345", EXAMPLE["nameBangla"])
    assert (await admin.put(f"{PRACTITIONERS}/223", json=EXAMPLE)).status_code == 409, "one registration, one person"
    for wrong in ({"registration": "X-1"}, {"specialties": [" "]}, {"name": ""}, {"colour": "red"}):
        assert (await admin.put(f"{PRACTITIONERS}/224", json={**EXAMPLE, **wrong})).status_code == 422, wrong
    assert (await admin.post(f"{PRACTITIONERS}/222/disable")).status_code == 204
    assert (await admin.post(f"{PRACTITIONERS}/999/disable")).status_code == 404
    listed = (await admin.get(PRACTITIONERS)).json()["results"]
    assert [(each["reference"], each["active"]) for each in listed] == [("Practitioner/222", False)]
    assert (await admin.get(f"{PRACTITIONERS}?after=Practitioner/222")).json()["results"] == []
    other = await client_as("radiologist")
    assert (await other.get(PRACTITIONERS)).status_code == 403
    assert (await other.put(f"{PRACTITIONERS}/225", json=EXAMPLE)).status_code == 403


async def test_the_registry_decides_about_reports(study: Any, client_as: Any, app: App, service: Any) -> None:
    admin = await client_as("administrator")
    radiologist = await client_as("radiologist", practitioner="Practitioner/222")
    await admin.put(f"{PRACTITIONERS}/222", json={**HERE, "registeredUntil": "2026-01-20"})
    assert (await radiologist.post(REPORTS, json=REPORT_EXAMPLE)).status_code == 403, "the registration has lapsed"
    await admin.put(f"{PRACTITIONERS}/222", json=HERE)
    report = (await radiologist.post(REPORTS, json=REPORT_EXAMPLE)).json()
    await admin.post(f"{PRACTITIONERS}/222/disable")
    assert (await radiologist.put(f"{REPORTS}/{report['id']}", json={"findings": "Clear."})).status_code == 403
    assert (await radiologist.post(f"{REPORTS}/{report['id']}/approve")).status_code == 403
    await admin.put(f"{PRACTITIONERS}/222", json=HERE)
    assert (await radiologist.post(f"{REPORTS}/{report['id']}/approve")).status_code == 200
    assert await reasons(app, service) == ["no-valid-registration", "practitioner-inactive", "practitioner-inactive"]


async def test_who_demands_a_practitioner_of_all_gets_no_report_without(
    study: Any, client_as: Any, app: App, service: Any
) -> None:
    object.__setattr__(app, "settings", app.settings.model_copy(update={"practitioner_registry": "required"}))
    nobody = await client_as("radiologist", name="nobody")
    stranger = await client_as("radiologist", name="stranger", practitioner="Practitioner/404")
    assert (await nobody.post(REPORTS, json=REPORT_EXAMPLE)).status_code == 403
    assert (await stranger.post(REPORTS, json=REPORT_EXAMPLE)).status_code == 403
    assert await reasons(app, service) == ["account-names-no-practitioner", "practitioner-unknown"]


async def test_without_the_registry_nobody_interprets_and_break_glass_still_opens(
    study: Any, client_as: Any, app: App, service: Any
) -> None:
    object.__setattr__(app, "practitioners", FHIRRegistry(f"http://127.0.0.1:{free_port()}"))
    radiologist = await client_as("radiologist", practitioner="Practitioner/222")
    assert (await radiologist.post(REPORTS, json=REPORT_EXAMPLE)).status_code == 403
    assert await reasons(app, service) == ["registry-unreachable"]
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET confidentiality = 'R'")
    await accounts.make_account(app, "radiologist", role="radiologist", password="correct horse")
    address = f"/api/radiology/studies/{study['id']}"
    assert (await radiologist.get(address)).json()["studyDescription"] == "Sensitive imaging study"
    asked = {"study": study["id"], "reasonCode": "emergency", "text": "Unstable after an accident, needed at once.",
             "password": "correct horse"}  # fmt: skip
    assert (await radiologist.post("/api/radiology/break-glass", json=asked)).status_code == 201
    assert (await radiologist.get(address)).json()["studyDescription"] == STUDY_EXAMPLE["studyDescription"]


async def test_radiology_personnel_write_technical_data_only(
    study: Any, client_as: Any, app: App, service: Any
) -> None:
    radiologist, radiographer = await client_as("radiologist"), await client_as("radiographer")
    report = (await radiologist.post(REPORTS, json=REPORT_EXAMPLE)).json()
    address = f"{REPORTS}/{report['id']}"
    written = await radiographer.put(address, json={"technique": "PA view, 110 kV."})
    assert written.json() == {"id": report["id"], "version": 2, "status": "preliminary"}
    assert (await radiologist.get(address)).json()["technique"] == "PA view, 110 kV."
    assert (await radiographer.get(address)).status_code == 404
    assert (await radiographer.put(address, json={"findings": "Clear."})).status_code == 403
    assert (await radiographer.put(address, json={"technique": "PA.", "findings": "Clear."})).status_code == 403
    records = await client_as("records")
    assert (await records.put(address, json={"technique": "PA view."})).status_code == 403
    assert await reasons(app, service) == ["no-permission"]


async def test_a_consultant_delegates_approval_until_it_is_ended(study: Any, client_as: Any, app: App) -> None:
    admin, consultant = await client_as("administrator"), await client_as("consultant")
    await admin.put(f"{PRACTITIONERS}/222", json={**HERE, "privileges": []})
    stand_in = await client_as("radiologist", practitioner="Practitioner/222")
    report = (await consultant.post(REPORTS, json=REPORT_EXAMPLE)).json()
    approve = f"{REPORTS}/{report['id']}/approve"
    assert (await stand_in.post(approve)).status_code == 403
    body = {"to": "Practitioner/222", "facilityCode": "LOCAL", "endsAt": soon()}
    assert (await stand_in.post(DELEGATIONS, json=body)).status_code == 403
    for wrong in ({"to": "account:consultant"}, {"to": "Practitioner/404"}, {"endsAt": soon(-1)}, {"endsAt": soon(99)}):
        assert (await consultant.post(DELEGATIONS, json={**body, **wrong})).status_code == 422, wrong
    first = (await consultant.post(DELEGATIONS, json=body)).json()
    assert (await stand_in.get(DELEGATIONS)).json()["results"] == [first]
    assert (await stand_in.delete(f"{DELEGATIONS}/{first['id']}")).status_code == 204
    assert (await stand_in.delete(f"{DELEGATIONS}/{first['id']}")).status_code == 409
    assert (await stand_in.post(approve)).status_code == 403
    assert (await consultant.post(DELEGATIONS, json={**body, "to": "account:radiologist"})).status_code == 201
    other = await client_as("radiologist", name="other")
    assert (await other.get(DELEGATIONS)).json()["results"] == []
    assert (await other.delete(f"{DELEGATIONS}/{first['id']}")).status_code == 404
    assert (await stand_in.post(approve)).status_code == 200
    async with app.db.transaction() as tx:
        by = await tx.values("SELECT detail->>'delegated_by' FROM audit_arrivals WHERE action = 'report.approve'")
    assert by == ["account:consultant"]
