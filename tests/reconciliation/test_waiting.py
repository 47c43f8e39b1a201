"""The reconciliation worklist: what waits, for how long, and what can be done about it."""

from datetime import timedelta
from itertools import count

import pytest
from pydicom.uid import generate_uid

import make
from reconciliation.held import held_of

pytestmark = pytest.mark.anyio

WORKLIST = "/api/radiology/reconciliation"
_NUMBERS = count()


async def study_with(app, *, match=None, flags=(), **attributes):
    # Patients with names of their own, so that nobody is perhaps the same as another.
    stored = await make.a_study(app, **{"PatientName": f"PATIENT{next(_NUMBERS)}^A"} | attributes)
    async with app.db.transaction() as tx:
        await tx.run(
            "UPDATE imaging_studies SET match = %(match)s, flags = %(flags)s WHERE study_instance_uid = %(uid)s",
            match=match,
            flags=list(flags),
            uid=stored.study_instance_uid,
        )
    return stored


async def held(app):
    """Two objects of another patient, in quarantine."""
    stored = await study_with(app, match="exact", PatientID="A1")
    await held_of(app, stored.study_instance_uid, count=2)
    return stored


async def test_each_kind_says_what_it_is_and_what_can_be_done(app, client_as):
    clerk = await client_as("records")
    await study_with(app, match="none")
    await study_with(app, match="probable")
    await study_with(app, match="exact", flags=["identity_review"])
    await study_with(app, match="exact", flags=["wrong_worklist_entry"])
    await study_with(app, match="exact")
    conflict = await held(app)

    found = (await clerk.get(WORKLIST)).json()["results"]
    assert sorted(each["kind"] for each in found) == [
        "identity-review", "no-order", "patient-conflict", "probable-match", "wrong-worklist-entry",
    ]  # fmt: skip
    by_kind = {each["kind"]: each for each in found}
    assert by_kind["patient-conflict"]["numberOfInstances"] == 2, "objects of one study wait together"
    assert by_kind["patient-conflict"]["studyInstanceUID"] == conflict.study_instance_uid
    assert [step["verb"] for step in by_kind["probable-match"]["next"]][:2] == ["compare", "confirm"]
    assert by_kind["no-order"]["sentence"]["en"].startswith("No order fits")
    assert "অর্ডার" in by_kind["no-order"]["sentence"]["bn"]
    assert found == sorted(found, key=lambda each: each["dueAt"])

    counts = (await clerk.get(f"{WORKLIST}/counts")).json()
    assert counts["total"] == 5
    assert counts["kinds"]["no-order"] == 1
    assert counts["kinds"]["unindexable"] == 0


async def test_pages_by_key_and_filters(app, client_as):
    clerk = await client_as("records")
    for number in range(5):
        await study_with(app, match="none" if number else "probable", Modality="MR" if number == 4 else "CT")
    first = (await clerk.get(WORKLIST, params={"limit": 3})).json()
    second = (await clerk.get(first["next"])).json()
    ids = [each["id"] for each in first["results"] + second["results"]]
    assert len(set(ids)) == 5
    assert second["next"] is None
    assert first["results"][0]["kind"] == "probable-match", "it may wait four hours, the others a day"

    assert len((await clerk.get(WORKLIST, params={"kind": "no-order", "modality": "MR"})).json()["results"]) == 1
    assert (await clerk.get(WORKLIST, params={"facility": "ELSEWHERE"})).json()["results"] == []
    assert (await clerk.get(WORKLIST, params={"kind": "nothing"})).status_code == 400


async def test_a_stat_order_comes_first_and_what_is_late_is_overdue(app, client_as, clock):
    clerk = await client_as("records")
    await study_with(app, match="probable")
    urgent = await study_with(app, match="probable")
    placed = await clerk.post(
        "/api/radiology/worklist",
        json={
            "patient": {"id": "P1", "name": "Karim^Abdul"}, "modality": "CT", "start": "2026-01-21T14:00:00+06:00",
            "requestedProcedure": "CT head", "priority": "STAT", "studyInstanceUID": urgent.study_instance_uid,
        },
    )  # fmt: skip
    assert placed.status_code == 201, placed.text
    async with app.db.transaction() as tx:
        clock.at = await tx.value("SELECT now() + interval '2 hours'")
    first, second = (await clerk.get(WORKLIST, params={"kind": "probable-match"})).json()["results"]
    assert (first["studyInstanceUID"], first["priority"], first["overdue"]) == (urgent.study_instance_uid, "stat", True)
    assert (second["priority"], second["overdue"]) == ("routine", False)
    assert first["ageSeconds"] >= timedelta(hours=1).total_seconds()


async def test_a_step_with_missing_images_waits_after_a_quarter_of_an_hour(app, client_as, clock):
    clerk = await client_as("radiographer")
    async with app.db.transaction() as tx:
        for minutes in (5, 20):
            await tx.run(
                """
                INSERT INTO performed_procedure_steps (id, sop_instance_uid, facility_code, source_ae_title, status,
                    study_instance_uids, modality, started_at, attributes, received_end_at, number_of_instances,
                    number_missing)
                VALUES (gen_random_uuid(), %(uid)s, 'LOCAL', 'CT1', 'COMPLETED', ARRAY['1.2.3'], 'CT', now(), '{}',
                    %(end)s, 120, 2)
                """,
                uid=generate_uid(),
                end=clock.now() - timedelta(minutes=minutes),
            )
    (only,) = (await clerk.get(WORKLIST)).json()["results"]
    assert (only["kind"], only["numberMissing"], only["numberOfInstances"]) == ("incomplete-transfer", 2, 120)


async def test_patients_who_are_perhaps_one_wait_beside_the_rest(app, client_as):
    clerk = await client_as("records")
    for sex in ("M", "F"):
        await make.a_study(app, PatientID="SAME", PatientName="RAHMAN^ABDUR", PatientBirthDate="19800215",
                           PatientSex=sex)  # fmt: skip
    await make.a_study(app, PatientID="SAME", PatientName="SULTANA^NASRIN", PatientBirthDate="19990303", PatientSex="F")
    answer = await clerk.get(WORKLIST, params={"kind": "patient-duplicate"})
    assert answer.status_code == 200, answer.text
    found = answer.json()["results"]
    assert found
    assert {each["because"] for each in found} == {"number"}
    assert [step["verb"] for step in found[0]["next"]] == ["merge", "link"]
    assert found[0]["next"][0]["href"].endswith(f"{found[0]['id']}/merge")
    assert found[0]["patients"][-1] == f"Patient/{found[0]['id']}"
    await study_with(app, match="probable", PatientID="OTHER", PatientName="HOSSAIN^KAMAL")
    both = (await clerk.get(WORKLIST, params={"kind": "patient-duplicate,probable-match"})).json()["results"]
    assert [each["kind"] for each in both] == ["probable-match", *["patient-duplicate"] * len(found)]
    paged = (await clerk.get(WORKLIST, params={"kind": "patient-duplicate,probable-match", "limit": 1})).json()
    rest = (await clerk.get(paged["next"])).json()["results"]
    assert [each["id"] for each in paged["results"] + rest] == [each["id"] for each in both][: 1 + len(rest)]
    assert (await clerk.get(f"{WORKLIST}/counts")).json()["kinds"]["patient-duplicate"] == len(found)
    assert (await clerk.get(WORKLIST, params={"kind": "patient-duplicate", "modality": "CT"})).json()["results"] == []


async def test_who_may_not_reconcile_is_refused(client_as):
    for role in ("radiologist", "referrer", "service"):
        client = await client_as(role)
        assert (await client.get(WORKLIST)).status_code == 403, role
        assert (await client.get(f"{WORKLIST}/counts")).status_code == 403, role
