"""Studies over REST: the specification's payload as it stands, search by every criterion, status by the table."""

from typing import Any

import pytest

from radiology.reports.schemas import REPORT_EXAMPLE
from radiology.studies.schemas import STATUS_EXAMPLE, STUDY_EXAMPLE

pytestmark = pytest.mark.anyio

STUDIES = "/api/radiology/studies"


async def posted(client: Any, **changes: Any) -> dict[str, Any]:
    body = {**STUDY_EXAMPLE, **changes}
    answer = await client.post(STUDIES, json={name: value for name, value in body.items() if value is not None})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_the_payload_of_the_specification_is_registered_as_it_stands(client_as: Any) -> None:
    client = await client_as("radiographer")
    answer = await client.post(STUDIES, json=STUDY_EXAMPLE)
    assert answer.status_code == 201
    study = answer.json()
    assert answer.headers["location"] == f"{STUDIES}/{study['id']}"
    assert answer.headers["etag"] == 'W/"1"'
    for name, value in STUDY_EXAMPLE.items():
        if name != "procedureCode":
            assert study[name] == value
    codings = study["procedureCode"][0]["coding"]
    assert codings[0] == STUDY_EXAMPLE["procedureCode"][0]["coding"][0]
    assert codings[1]["code"] == "42272-5"
    assert {warning["code"] for warning in study["warnings"]} == {"code-not-in-system", "display-mismatch"}
    assert study["studyId"].startswith("study-")
    assert study["numberOfInstances"] == 0


@pytest.mark.parametrize("form", ["id", "studyId", "studyInstanceUID"])
async def test_a_study_is_read_by_each_of_its_names(client_as: Any, form: str) -> None:
    client = await client_as("referrer")
    study = await posted(await client_as("radiographer"))
    answer = await client.get(f"{STUDIES}/{study[form]}")
    assert answer.status_code == 200
    assert answer.json() == study
    again = await client.get(f"{STUDIES}/{study[form]}", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


async def test_what_is_taken_is_refused(client_as: Any) -> None:
    client = await client_as("radiographer")
    await posted(client, studyId="study-5")
    same_uid = await client.post(STUDIES, json=STUDY_EXAMPLE)
    assert same_uid.status_code == 409
    same_name = await client.post(STUDIES, json={**STUDY_EXAMPLE, "studyId": "study-5", "studyInstanceUID": "1.2.3"})
    assert same_name.status_code == 409
    later = [await posted(client, studyInstanceUID=None) for _ in range(6)]
    assert [study["studyId"] for study in later] == [f"study-{n}" for n in range(6, 12)]
    assert all(study["studyInstanceUID"].startswith("2.25.") for study in later)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"studyInstanceUID": "1.2.x"}, "studyInstanceUID"),
        ({"status": "completed"}, "status"),
        ({"status": "nonsense"}, "status"),
        ({"modality": []}, "modality"),
        ({"modality": [{"coding": [{"system": "x"}]}]}, "modality[0].coding[0].code"),
        ({"subject": {"reference": "Group/1"}}, "subject"),
        ({"subject": {}}, "subject"),
        ({"started": "yesterday"}, "started"),
        ({"started": "2026-01-21"}, "started"),
        ({"colour": "red"}, "colour"),
        ({"procedureCode": "34839-5"}, "procedureCode"),
    ],
)
async def test_a_wrong_value_is_named(client_as: Any, changes: dict[str, Any], field: str) -> None:
    client = await client_as("radiographer")
    answer = await client.post(STUDIES, json={**STUDY_EXAMPLE, **changes})
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_codings_and_aliases_are_taken(client_as: Any) -> None:
    study = await posted(await client_as("radiographer"), modality=[{"code": "MRI"}, {"code": "PT"}])
    assert [concept["coding"][0]["code"] for concept in study["modality"]] == ["MR", "PT"]
    assert study["modalitiesInStudy"] == ["MR", "PT"]


async def test_each_criterion_finds_and_excludes(client_as: Any) -> None:
    client = await client_as("radiographer")
    performer = [{"actor": {"reference": "Practitioner/111"}}]
    study = await posted(client, performer=performer)
    await posted(
        client,
        modality=[{"code": "CT"}], subject={"reference": "Patient/777"}, encounter=None, interpreter=None,
        procedureCode=None, accessionNumber=None, studyInstanceUID=None, started="2025-06-01T08:00:00+06:00",
        status="scheduled",
    )  # fmt: skip
    for query in (
        "patient=12345", "patient=Patient/12345", "patient_id=12345", "patientId=12345", "encounter_id=67890",
        "encounter=Encounter/67890", "status=registered", "status=registered,completed", "modality=DX",
        "modality=DX,MR", "procedure_code=34839-5", "procedureCode=42272-5", "procedure_code=http://loinc.org|34839-5",
        "performer_id=111", "interpreter_id=Practitioner/333", "date_from=2026-01-21",
        "date_from=2026-01-21T14:00:00%2B06:00",
        "date_from=2025-12-01&date_to=2026-01-21", "accession_number=ACC-2026-001234",
        f"study_instance_uid={study['studyInstanceUID']}",
        f"studyInstanceUID={study['studyInstanceUID']}&status=registered",
    ):  # fmt: skip
        answer = await client.get(f"{STUDIES}?{query}")
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"results": [study], "next": None}, query
    for query in ("patient=1234", "status=available", "modality=MG", "date_to=2025-01-01", "performer=112&modality=DX"):
        assert (await client.get(f"{STUDIES}?{query}")).json()["results"] == [], query
    assert len((await client.get(STUDIES)).json()["results"]) == 2


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("colour=red", "colour"), ("patient=1&patient_id=2", "patient_id"), ("status=done", "status"),
        ("date_from=soon", "date_from"), ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"),
        ("cursor=zzz", "cursor"), ("patient=%00", "patient"),
    ],
)  # fmt: skip
async def test_a_wrong_parameter_is_named(client_as: Any, query: str, named: str) -> None:
    client = await client_as("referrer")
    answer = await client.get(f"{STUDIES}?{query}")
    assert answer.status_code == 400
    assert named in answer.json()["detail"]


async def test_pages_hold_every_study_once(client_as: Any) -> None:
    client = await client_as("radiographer")
    made = [
        (await posted(client, studyInstanceUID=None, started=started))["studyId"]
        for started in ("2026-01-01T00:00:00Z", None, "2026-01-01T00:00:00Z", "2020-01-01T00:00:00Z", None)
    ]
    seen: list[str] = []
    address: str | None = f"{STUDIES}?limit=2&patient=12345"
    while address:
        answer = await client.get(address)
        page = answer.json()
        seen += [study["studyId"] for study in page["results"]]
        address = page["next"]
        assert ("link" in answer.headers) == (address is not None)
    assert sorted(seen) == sorted(made)
    assert seen[-1] == made[3]


async def test_status_follows_the_table(client_as: Any, app: Any) -> None:
    client = await client_as("radiographer")
    study = await posted(client)
    address = f"{STUDIES}/{study['studyId']}/status"
    refused = await client.put(address, json=STATUS_EXAMPLE)
    assert refused.status_code == 409
    started = await client.put(address, json={"status": "in-progress"}, headers={"if-match": 'W/"1"'})
    assert started.json()["version"] == 2
    assert (await client.put(address, json={"status": "scheduled"})).status_code == 409
    early = await client.put(
        address, json={"status": "completed", "completed": "2026-01-21T13:00:00+06:00", "reasonNoImages": "film"}
    )
    assert early.status_code == 422
    assert early.json()["errors"][0]["field"] == "completed"
    late = await client.put(
        address, json={**STATUS_EXAMPLE, "completed": "2027-01-21T13:00:00Z", "reasonNoImages": "x"}
    )
    assert late.status_code == 422
    async with app.db.transaction() as tx:
        assert await tx.values("SELECT to_status FROM study_transitions ORDER BY id") == ["registered", "in-progress"]
        assert await tx.values("SELECT type FROM outbox ORDER BY sequence") == [
            "radiology.study.registered.v1", "radiology.study.status-changed.v1",
        ]  # fmt: skip
        assert await tx.values("SELECT action FROM audit_events ORDER BY id") == ["study.register", "study.start"]


async def test_withdrawing_needs_a_quality_officer_and_hides_the_study(client_as: Any) -> None:
    radiographer, officer = await client_as("radiographer"), await client_as("qa")
    administrator = await client_as("administrator")
    study = await posted(radiographer)
    address = f"{STUDIES}/{study['id']}/status"
    wrong = {"status": "entered-in-error", "reason": "wrong patient"}
    assert (await radiographer.put(address, json=wrong)).status_code == 403
    assert (await officer.put(address, json={"status": "entered-in-error"})).status_code == 422
    assert (await officer.put(address, json=wrong)).status_code == 200
    assert (await officer.get(STUDIES)).json()["results"] == []
    assert (await administrator.put(address, json={"status": "completed", "reason": "no"})).status_code == 409
    assert (await officer.put(address, json={"status": "registered", "reason": "was right"})).status_code == 403
    restored = await administrator.put(address, json={"status": "registered", "reason": "was right"})
    assert restored.json()["status"] == "registered"


async def test_who_may_not_write_is_refused(client_as: Any) -> None:
    referrer = await client_as("referrer")
    assert (await referrer.post(STUDIES, json=STUDY_EXAMPLE)).status_code == 403


async def test_a_patient_known_from_images_is_the_same(client_as: Any, app: Any) -> None:
    async with app.db.transaction() as tx:
        await tx.run(
            """
            INSERT INTO patients (id, reference, patient_id, issuer_of_patient_id, patient_name, sex)
            SELECT id, 'Patient/' || id, '12345', 'LOCAL', 'RAHMAN^ABDUR', 'M'
            FROM (SELECT gen_random_uuid() AS id) AS made
            """
        )
    study = await posted(await client_as("radiographer"))
    assert study["subject"] == {"reference": "Patient/12345", "display": "RAHMAN^ABDUR"}
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM patients") == 1


async def test_a_study_with_a_signed_report_is_withdrawn_by_two_persons(client_as: Any, app: Any) -> None:
    radiographer, radiologist = await client_as("radiographer"), await client_as("radiologist")
    study = (await radiographer.post(STUDIES, json={**STUDY_EXAMPLE, "studyId": "study-123"})).json()
    report = (await radiologist.post("/api/radiology/reports", json=REPORT_EXAMPLE)).json()
    assert (await radiologist.post(f"/api/radiology/reports/{report['id']}/approve")).status_code == 200
    first, second = await client_as("qa"), await client_as("qa", name="second")
    address, wrong = f"{STUDIES}/{study['id']}/status", {"status": "entered-in-error", "reason": "Another patient."}
    asked = (await first.put(address, json=wrong)).json()
    assert (asked["status"], asked["flags"]) == ("registered", ["withdrawal_asked"])
    assert (await first.put(address, json=wrong)).status_code == 409
    done = (await second.put(address, json=wrong)).json()
    assert (done["status"], done["flags"]) == ("entered-in-error", [])
    assert (await first.get(f"/api/radiology/reports/{report['id']}")).json()["status"] == "entered-in-error"
    assert (await first.get(f"/api/radiology/reports/{report['id']}/verify")).json()["valid"]
