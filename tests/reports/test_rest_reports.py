"""Reports over REST: the specification's payload, approval with its guards, the hash chain."""

from typing import Any

import pytest

from radiology.reports.schemas import APPROVAL_EXAMPLE, REPORT_EXAMPLE
from radiology.studies.schemas import STUDY_EXAMPLE

pytestmark = pytest.mark.anyio

STUDIES, REPORTS = "/api/radiology/studies", "/api/radiology/reports"
PRACTITIONER = "Practitioner/222"


@pytest.fixture
async def study(client_as: Any) -> dict[str, Any]:
    radiographer = await client_as("radiographer")
    return (await radiographer.post(STUDIES, json={**STUDY_EXAMPLE, "studyId": "study-123"})).json()


@pytest.fixture
async def radiologist(client_as: Any) -> Any:
    return await client_as("radiologist", practitioner=PRACTITIONER)


async def begun(client: Any, **changes: Any) -> dict[str, Any]:
    body = {name: value for name, value in {**REPORT_EXAMPLE, **changes}.items() if value is not None}
    answer = await client.post(REPORTS, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_the_payload_of_the_specification_begins_a_report(study: Any, radiologist: Any) -> None:
    answer = await radiologist.post(REPORTS, json=REPORT_EXAMPLE)
    assert answer.status_code == 201
    report = answer.json()
    assert answer.headers["location"] == f"{REPORTS}/{report['id']}"
    for name, value in REPORT_EXAMPLE.items():
        if name not in {"category", "code"}:
            assert report[name] == value
    assert report["category"][0]["coding"][0] == {
        "code": "imaging", "system": "http://terminology.hl7.org/CodeSystem/observation-category",
    }  # fmt: skip
    assert report["category"][1]["coding"][0]["code"] == "RAD"
    assert "issued" not in report
    again = await radiologist.get(f"{REPORTS}/{report['reportId']}")
    assert again.json() == report


async def test_approval_is_by_who_is_signed_in_and_now(study: Any, radiologist: Any, clock: Any, app: Any) -> None:
    report = await begun(radiologist)
    address = f"{REPORTS}/{report['id']}/approve"
    other = await radiologist.post(address, json={"approver": {"reference": "Practitioner/999"}})
    assert other.status_code == 403
    stale = await radiologist.post(address, json=APPROVAL_EXAMPLE)
    assert (stale.status_code, stale.json()["errors"][0]["field"]) == (422, "issued")
    assert (await radiologist.post(address, headers={"if-match": '"7"'})).status_code == 412
    body = {**APPROVAL_EXAMPLE, "issued": "2026-01-21T10:31:00+06:00"}
    approved = await radiologist.post(address, json=body)
    assert approved.status_code == 200, approved.text
    final = approved.json()
    assert (final["status"], final["version"], final["issued"]) == ("final", 2, "2026-01-21T10:30:00+06:00")
    assert final["approver"]["reference"] == PRACTITIONER
    assert final["selfApproved"] is True
    clock.advance(3600)
    repeated = await radiologist.post(address, json=body)
    assert (repeated.status_code, repeated.json()) == (200, final)
    async with app.db.transaction() as tx:
        types = await tx.values("SELECT type FROM outbox WHERE type LIKE '%%report%%' ORDER BY sequence")
    assert types == ["radiology.report.created.v1", "radiology.report.finalized.v1"]


async def test_what_is_signed_is_never_changed(study: Any, radiologist: Any, client_as: Any) -> None:
    report = await begun(radiologist)
    address = f"{REPORTS}/{report['id']}"
    assert (await radiologist.post(f"{address}/approve")).status_code == 200
    assert (await radiologist.put(address, json={"impression": "Something else"})).status_code == 409
    consultant = await client_as("consultant", practitioner="Practitioner/9")
    assert (await consultant.post(f"{address}/approve", json={"status": "final"})).status_code == 409


async def test_the_chain_is_verified_and_tells_of_tampering(study: Any, radiologist: Any, app: Any) -> None:
    report = await begun(radiologist)
    address = f"{REPORTS}/{report['id']}"
    edited = await radiologist.put(address, json={"impression": "Normal.", "version": 1})
    assert (edited.json()["version"], edited.json()["impression"]) == (2, "Normal.")
    assert (await radiologist.put(address, json={"impression": "Old", "version": 1})).status_code == 412
    await radiologist.post(f"{address}/approve")
    versions = (await radiologist.get(f"{address}/versions")).json()["results"]
    assert [version["version"] for version in versions] == [1, 2, 3]
    assert [version["prevSha256"] for version in versions] == [None, versions[0]["sha256"], versions[1]["sha256"]]
    first = (await radiologist.get(f"{address}?version=1")).json()
    assert first["content"]["sections"][4]["text"] == REPORT_EXAMPLE["impression"]
    assert (await radiologist.get(f"{address}?version=9")).status_code == 404
    assert (await radiologist.get(f"{address}/verify")).json() == {"valid": True, "versions": 3, "problems": []}
    async with app.db.transaction() as tx:
        await tx.run("""UPDATE radiology_reports SET sections = jsonb_set(sections, '{4,text}', '"Mass."')""")
    assert (await radiologist.get(f"{address}/verify")).json()["valid"] is False


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"studyId": "study-999"}, 422, "studyId"),
        ({"subject": {"reference": "Patient/777"}}, 409, "subject.reference"),
        ({"status": "final"}, 422, "status"),
        ({"findings": "Size {{findings.size}}"}, 422, "findings"),
        ({"technique": "___ views"}, 422, "technique"),
        ({"effectiveDateTime": "soon"}, 422, "effectiveDateTime"),
        ({"colour": "red"}, 422, "colour"),
    ],
)
async def test_a_wrong_report_is_refused_by_name(
    study: Any, radiologist: Any, changes: dict[str, Any], status: int, field: str
) -> None:
    answer = await radiologist.post(REPORTS, json={**REPORT_EXAMPLE, **changes})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)


async def test_a_study_has_one_open_report_of_a_procedure(study: Any, radiologist: Any) -> None:
    first = await begun(radiologist)
    assert (await radiologist.post(REPORTS, json=REPORT_EXAMPLE)).status_code == 409
    await begun(radiologist, code={"coding": [{"system": "http://loinc.org", "code": "24558-9"}]})
    await radiologist.post(f"{REPORTS}/{first['id']}/approve")
    await begun(radiologist)


async def test_an_unfinished_draft_is_not_signed(study: Any, radiologist: Any) -> None:
    draft = await begun(radiologist, status="registered", findings=None, impression=None)
    address = f"{REPORTS}/{draft['id']}"
    assert [warning["field"] for warning in draft["warnings"] if warning["code"] == "section-empty"] == [
        "findings",
        "impression",
    ]
    refused = await radiologist.post(f"{address}/approve")
    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (
        422,
        ["findings", "impression"],
    )
    presented = await radiologist.put(
        address, json={"status": "preliminary", "findings": "Clear.", "impression": "Normal."}
    )
    assert presented.json()["status"] == "preliminary"
    assert (await radiologist.post(f"{address}/approve")).json()["status"] == "final"


async def test_what_is_left_out_comes_from_the_study(study: Any, radiologist: Any) -> None:
    report = await begun(radiologist, code=None, subject=None, encounter=None, effectiveDateTime=None)
    assert report["code"] == study["procedureCode"][0]
    assert report["effectiveDateTime"] == study["started"]
    assert (report["subject"], report["encounter"]) == (study["subject"], study["encounter"])


@pytest.mark.parametrize(
    ("role", "begins", "approves"), [("resident", 201, 403), ("radiographer", 403, 403), ("referrer", 403, 403)]
)
async def test_roles(study: Any, radiologist: Any, client_as: Any, role: str, begins: int, approves: int) -> None:
    client = await client_as(role)
    answer = await client.post(REPORTS, json=REPORT_EXAMPLE)
    assert answer.status_code == begins
    report = answer.json() if begins == 201 else await begun(radiologist)
    assert (await client.post(f"{REPORTS}/{report['id']}/approve")).status_code == approves
    approved = await radiologist.post(f"{REPORTS}/{report['id']}/approve")
    assert approved.json()["selfApproved"] is (begins != 201)


async def test_a_referrer_reads_only_what_is_signed(study: Any, radiologist: Any, client_as: Any) -> None:
    referrer = await client_as("referrer")
    report = await begun(radiologist)
    assert (await referrer.get(f"{REPORTS}/{report['id']}")).status_code == 404
    assert (await referrer.get(REPORTS)).json()["results"] == []
    await radiologist.post(f"{REPORTS}/{report['id']}/approve")
    assert (await referrer.get(f"{REPORTS}/{report['id']}")).status_code == 200
    assert len((await referrer.get(f"{REPORTS}/{report['id']}/versions")).json()["results"]) == 1


async def test_search(study: Any, radiologist: Any) -> None:
    report = await begun(radiologist)
    for query in ("patient=12345&status=preliminary&modality=DX", "study=study-123", f"study={study['id']}",
                  "date_from=2026-01-21&date_to=2026-01-21", "accession=ACC-2026-001234"):  # fmt: skip
        assert (await radiologist.get(f"{REPORTS}?{query}")).json() == {"results": [report], "next": None}, query
    for query in ("status=final", "modality=CT", "patient=1", "date_to=2026-01-20"):
        assert (await radiologist.get(f"{REPORTS}?{query}")).json()["results"] == [], query
    assert (await radiologist.get(f"{REPORTS}?colour=red")).status_code == 400
