"""A copy of everything, notes, legal holds and erasure, through the doors."""

import zipfile
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

import httpx2
import orjson
import pytest

import make
from ordering import a_patient, placer, said
from radiology.access.model import Role
from radiology.app import App
from radiology.audit.sealing import seal_arrivals
from radiology.data_subjects import copies, erasures, work
from radiology.kit.db import as_json
from radiology.orders.actions.place import place_order
from radiology.studies.archive import open_archive

pytestmark = pytest.mark.anyio

ClientAs = Callable[..., Awaitable[httpx2.AsyncClient]]
BASE = "/api/radiology/patients"
REASON = {"reason": "The patient asked for it by letter."}
OLD = {"StudyDate": "20050301", "PatientBirthDate": "19700101", "StudyDescription": "CT Chest"}


async def done_jobs(app: App, name: str) -> int:
    """Do the jobs of this name that wait, as the worker does."""
    run = {copies.JOB: work.run, erasures.JOB: erasures.run}[name]
    async with app.db.transaction() as tx:
        waiting = await tx.values(
            "DELETE FROM jobs.procrastinate_jobs WHERE task_name = %(name)s RETURNING args->'arguments'", name=name
        )
    with open_archive(app) as archive:
        for arguments in waiting:
            await run(archive, arguments)
    return len(waiting)


async def reference_of(app: App, stored: make.Stored) -> str:
    async with app.db.transaction() as tx:
        return await tx.value(
            "SELECT p.reference FROM imaging_studies s JOIN patients p ON p.id = s.patient_id"
            " WHERE s.study_instance_uid = %(uid)s",
            uid=stored.study_instance_uid,
        )


async def counted(app: App, table: str) -> int:
    async with app.db.transaction() as tx:
        return await tx.value(f"SELECT count(*) FROM {table}")  # type: ignore[arg-type]  # noqa: S608


async def classes_of(app: App, stored: make.Stored) -> list[str]:
    async with app.db.transaction() as tx:
        return await tx.value(
            "SELECT sensitive_classes FROM imaging_studies WHERE study_instance_uid = %(uid)s",
            uid=stored.study_instance_uid,
        )


@pytest.fixture
async def officer(client_as: ClientAs) -> httpx2.AsyncClient:
    return await client_as(Role.PRIVACY_OFFICER)


@pytest.fixture
async def second(client_as: ClientAs) -> httpx2.AsyncClient:
    return await client_as(Role.PRIVACY_OFFICER, name="second")


async def the_copy(client: httpx2.AsyncClient, app: App, reference: str) -> zipfile.ZipFile:
    asked = await client.post(f"{BASE}/{reference}/record")
    assert asked.status_code == 202, asked.text
    path = f"{BASE}/{reference}/record/{asked.json()['id']}/file"
    assert (await client.get(path)).status_code == 409
    assert await done_jobs(app, copies.JOB) == 1
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(BytesIO(answer.content))


async def test_the_copy_holds_everything_of_one_patient_and_nothing_of_another(
    officer: httpx2.AsyncClient, client_as: ClientAs, app: App
) -> None:
    stored = await make.a_study(app, PatientID="P1", StudyDescription="CT Chest")
    other = await make.a_study(app, PatientID="P2", AccessionNumber="SECRET77")
    reference = await reference_of(app, stored)
    doctor = await client_as("radiologist")
    await doctor.post(f"/api/radiology/studies/{stored.study_instance_uid}/links", json={"withPin": True})
    await doctor.get(f"/dicomweb/studies/{stored.study_instance_uid}")
    await officer.post(f"{BASE}/{reference}/notes", json={"kind": "correction", "text": "Born on 15 March 1981."})
    await seal_arrivals(app)
    copy = await the_copy(officer, app, reference)
    assert copy.testzip() is None
    read = {name: copy.read(name) for name in copy.namelist()}
    assert b"SECRET77" not in b"".join(read.values())
    assert other.study_instance_uid.encode() not in b"".join(read.values())
    studies: list[dict[str, Any]] = orjson.loads(read["studies.json"])
    assert [(each["study_instance_uid"], len(each["series"])) for each in studies] == [(stored.study_instance_uid, 1)]
    [file] = orjson.loads(read["files.json"])
    assert file["sopInstanceUID"] == stored.sop_instance_uid
    assert read[file["file"]][128:132] == b"DICM"
    [link] = orjson.loads(read["links.json"])
    assert not {"secret_sha256", "pin_hash"} & set(link)
    assert orjson.loads(read["notes.json"])[0]["text"] == "Born on 15 March 1981."
    assert "made a link for somebody else" in {each["what"] for each in orjson.loads(read["accesses.json"])}
    assert "রহমান" in read["index.html"].decode()
    assert "পরীক্ষা" in read["index.html"].decode()


async def test_a_copy_is_given_to_who_asked_and_expires(
    officer: httpx2.AsyncClient, second: httpx2.AsyncClient, client_as: ClientAs, app: App, clock: Any
) -> None:
    reference = await reference_of(app, await make.a_study(app, PatientID="P1"))
    await the_copy(officer, app, reference)
    [listed] = (await second.get(f"{BASE}/{reference}/record")).json()["results"]
    path = f"{BASE}/{reference}/record/{listed['id']}/file"
    assert listed["status"] == "completed"
    assert (await second.get(path)).status_code == 404
    for role in ("radiologist", "administrator", "records"):
        answer = await (await client_as(role)).post(f"{BASE}/{reference}/record")
        assert answer.status_code == (202 if role == "administrator" else 403), role
    clock.advance(8 * 24 * 3600.0)
    await copies.tend(app)
    assert (await officer.get(path)).status_code == 409
    assert list((app.settings.data_dir / "record-copies").glob(f"{listed['id']}*")) == []


async def test_patients_get_their_own_released_record_and_nobody_elses(
    client_as: ClientAs, officer: httpx2.AsyncClient, app: App
) -> None:
    stored, other = await make.a_study(app, PatientID="P1"), await make.a_study(app, PatientID="P2")
    reference = await reference_of(app, stored)
    patient = await client_as(Role.PATIENT, name="amina")
    await make.care(app, "account:amina", reference, "self")
    elsewhere = await reference_of(app, other)
    for path in ("record", "notes"):
        assert (await patient.get(f"{BASE}/{elsewhere}/{path}")).status_code == 403
    assert (await patient.get(f"{BASE}/{reference}/erasures")).status_code == 403
    copy = await the_copy(patient, app, reference)
    assert orjson.loads(copy.read("studies.json")) == []  # No report of it was released.
    assert not [name for name in copy.namelist() if name.startswith("DICOM/")]
    assert {each.get("name") for each in orjson.loads(copy.read("accesses.json"))} <= {None}
    note = await patient.post(f"{BASE}/{reference}/notes", json={"kind": "restriction", "text": "Not for my employer."})
    assert note.status_code == 201
    path = f"{BASE}/{reference}/notes/{note.json()['id']}"
    answer = {"state": "accepted", "answer": "The department was told."}
    assert (await patient.put(path, json=answer)).status_code == 403
    assert (await officer.put(path, json=answer)).status_code == 204
    assert (await officer.put(path, json={**answer, "state": "refused"})).status_code == 409
    [listed] = (await patient.get(f"{BASE}/{reference}/notes")).json()["results"]
    assert (listed["state"], listed["answer"]) == ("accepted", "The department was told.")
    assert await classes_of(app, stored) == ["S7"]
    ended = {"state": "ended", "answer": "The patient took it back."}
    assert (await officer.put(path, json=ended)).status_code == 204
    assert await classes_of(app, stored) == []


async def test_what_was_interrupted_is_made_again(officer: httpx2.AsyncClient, app: App) -> None:
    reference = await reference_of(app, await make.a_study(app, PatientID="P1"))
    await officer.post(f"{BASE}/{reference}/record")
    async with app.db.transaction() as tx:
        await tx.run("DELETE FROM jobs.procrastinate_jobs")
    assert await copies.tend(app) == 1
    assert await done_jobs(app, copies.JOB) == 1
    assert (await officer.get(f"{BASE}/{reference}/record")).json()["results"][0]["status"] == "completed"


async def test_erasure_is_tried_asked_decided_by_another_and_done(
    officer: httpx2.AsyncClient, second: httpx2.AsyncClient, client_as: ClientAs, app: App
) -> None:
    old = await make.a_study(app, PatientID="P1", **OLD)
    young = await make.a_study(app, PatientID="P1", **OLD | {"StudyDate": "20200301"})
    reference = await reference_of(app, old)
    doctor = await client_as("radiologist")
    await doctor.post(f"/api/radiology/studies/{old.study_instance_uid}/links", json={})
    tried = (await officer.get(f"{BASE}/{reference}/erasures/dry-run")).json()["results"]
    assert [each["rule"] for each in tried] == ["last-copy", "adult"]
    asked = await officer.post(f"{BASE}/{reference}/erasures", json=REASON)
    assert asked.status_code == 201, asked.text
    decision = f"{BASE}/{reference}/erasures/{asked.json()['id']}/decision"
    body = {"erase": True, "lastCopies": True, "answer": "The time is over, and it may go."}
    assert (await officer.post(decision, json=body)).status_code == 403
    assert (await second.post(decision, json=body)).status_code == 202
    assert (await second.post(decision, json=body)).status_code == 409
    async with app.db.transaction() as tx:
        key = await tx.value(
            "SELECT object_key FROM instances WHERE sop_instance_uid = %(uid)s", uid=old.sop_instance_uid
        )
    assert app.objects.path(key).exists()
    assert await done_jobs(app, erasures.JOB) == 1
    assert not app.objects.path(key).exists()
    assert (await doctor.get(f"/dicomweb/studies/{old.study_instance_uid}")).status_code == 404
    assert (await doctor.get(f"/dicomweb/studies/{young.study_instance_uid}")).status_code == 200
    [told] = (await officer.get(f"{BASE}/{reference}/erasures")).json()["results"]
    assert (told["state"], sorted(each["rule"] for each in told["studies"])) == ("done", ["adult", "last-copy"])
    assert await counted(app, "tombstones") == 3
    assert await counted(app, "study_links") == 0
    async with app.db.transaction() as tx:
        kept = str(await tx.values("SELECT to_jsonb(t)::text FROM tombstones AS t UNION ALL"
                                   " SELECT to_jsonb(e)::text FROM erasure_studies AS e"))  # fmt: skip
        actions = await tx.values("SELECT action FROM audit_events WHERE action LIKE 'privacy.erasure%%'"
                                  " OR action = 'study.delete' ORDER BY occurred_at, id")  # fmt: skip
        person = await tx.value("SELECT patient_name FROM patients WHERE reference = %(r)s", r=reference)
    assert old.study_instance_uid not in kept
    assert actions == ["privacy.erasure-try", "privacy.erasure-ask", "privacy.erasure-decide", "study.delete",
                       "privacy.erasure-done"]  # fmt: skip
    assert person == make.BANGLA_NAME


async def test_of_whom_nothing_is_left_the_name_goes_too(
    officer: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App
) -> None:
    reference = await reference_of(app, await make.a_study(app, PatientID="P1", **OLD))
    await erased(officer, second, app, reference)
    assert (await officer.get(f"{BASE}/{reference}/erasures")).status_code == 404
    async with app.db.transaction() as tx:
        assert await tx.values("SELECT patient_name || patient_id || birth_date || sex FROM patients") == [""]


async def test_an_order_is_in_the_copy_and_goes_with_its_study(
    officer: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App
) -> None:
    patient = a_patient(name="Karim^Abdul", birthDate="1970-01-01")
    order = await place_order(app, placer(), said(patient=patient, reason="OnlyInTheOrder"))
    uid = order.procedures[0].study_instance_uid
    stored = await make.store(
        app, make.an_object(StudyInstanceUID=uid, PatientID="DMC-1001", PatientName="Karim^Abdul", **OLD)
    )
    reference = await reference_of(app, stored)
    [told] = orjson.loads((await the_copy(officer, app, reference)).read("orders.json"))
    assert told["content"]["reason"] == "OnlyInTheOrder"
    assert (told["procedures"][0]["study_instance_uid"], told["history"][0]["verb"]) == (uid, "place")
    await erased(officer, second, app, reference)
    assert (await counted(app, "orders"), await counted(app, "order_history")) == (0, 0)
    async with app.db.transaction() as tx:
        assert await tx.values("SELECT patient_name || patient_id || birth_date || sex FROM patients") == [""]


async def test_a_signed_report_goes_with_its_study_and_never_otherwise(
    officer: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App
) -> None:
    stored = await make.a_study(app, PatientID="P1", **OLD)
    reference = await reference_of(app, stored)
    async with app.db.transaction() as tx:
        await tx.run(
            "WITH report AS (INSERT INTO radiology_reports (study_id, patient_id, status, category, code, author,"
            " issued, updated_at) SELECT id, patient_id, 'final', '[]', '{}', 'account:rahim', '2005-03-02',"
            " '2005-03-02' FROM imaging_studies RETURNING id)"
            " INSERT INTO report_versions (report_id, version_no, status, content_json, rendered_text, sha256,"
            " author_ids, signed_at) SELECT id, 1, 'final', '{}', '', '', '{}', now() FROM report"
        )
    with pytest.raises(Exception, match="cannot be changed or removed"):
        async with app.db.transaction() as tx:
            await tx.run("DELETE FROM report_versions")
    await erased(officer, second, app, reference)
    assert (await counted(app, "radiology_reports"), await counted(app, "report_versions")) == (0, 0)


async def test_a_hold_that_comes_after_the_decision_still_keeps_the_study(
    officer: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App
) -> None:
    stored = await make.a_study(app, PatientID="P1", **OLD)
    reference = await reference_of(app, stored)
    asked = await officer.post(f"{BASE}/{reference}/erasures", json=REASON)
    decision = f"{BASE}/{reference}/erasures/{asked.json()['id']}/decision"
    await second.post(decision, json={"erase": True, "lastCopies": True, "answer": "The time is over."})
    holds = f"{BASE}/{reference}/legal-holds"
    hold = await officer.post(holds, json={**REASON, "studyInstanceUID": stored.study_instance_uid})
    assert hold.status_code == 201
    assert await done_jobs(app, erasures.JOB) == 1
    [told] = (await officer.get(f"{BASE}/{reference}/erasures")).json()["results"]
    assert told["studies"][0]["rule"] == "legal-hold"
    assert await counted(app, "imaging_studies") == 1
    lift = f"{holds}/{hold.json()['id']}/lift"
    assert [(await officer.post(lift, json=REASON)).status_code for _ in range(2)] == [204, 404]
    assert (await officer.get(holds)).json()["results"][0]["liftReason"] == REASON["reason"]
    await erased(officer, second, app, reference)
    assert await counted(app, "imaging_studies") == 0


async def test_an_erasure_that_was_interrupted_goes_on(
    officer: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App
) -> None:
    reference = await reference_of(app, await make.a_study(app, PatientID="P1", **OLD))
    asked = await officer.post(f"{BASE}/{reference}/erasures", json=REASON)
    decision = f"{BASE}/{reference}/erasures/{asked.json()['id']}/decision"
    await second.post(decision, json={"erase": True, "lastCopies": True, "answer": "The time is over."})
    async with app.db.transaction() as tx:
        await tx.run("DELETE FROM jobs.procrastinate_jobs")
    assert await erasures.tend(app) == 1
    assert await done_jobs(app, erasures.JOB) == 1
    assert await counted(app, "imaging_studies") == 0


async def erased(officer: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App, reference: str) -> None:
    asked = await officer.post(f"{BASE}/{reference}/erasures", json=REASON)
    decision = f"{BASE}/{reference}/erasures/{asked.json()['id']}/decision"
    answer = await second.post(decision, json={"erase": True, "lastCopies": True, "answer": "The time is over."})
    assert answer.status_code == 202, answer.text
    assert await done_jobs(app, erasures.JOB) == 1


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.RECORDS, Role.REFERRER, Role.QA])
async def test_nobody_else_asks_for_anything(role: str, client_as: ClientAs, app: App) -> None:
    reference = await reference_of(app, await make.a_study(app, PatientID="P1"))
    somebody = await client_as(role)
    for path in ("record", "notes", "legal-holds", "erasures", "erasures/dry-run"):
        assert (await somebody.get(f"{BASE}/{reference}/{path}")).status_code == 403, path
    assert (await somebody.post(f"{BASE}/{reference}/erasures", json=REASON)).status_code == 403
    assert (await somebody.post(f"{BASE}/{reference}/legal-holds", json=REASON)).status_code == 403


async def test_messages_that_named_an_erased_person_say_nothing_any_more(
    officer: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App
) -> None:
    old = await make.a_study(app, PatientID="P1", **OLD)
    reference = await reference_of(app, old)
    messages = {
        "of-its-study": (b"ORC|NW", {}, [old.study_instance_uid], "processed"),
        "of-the-person": (b"PID|||H-9", {"references": [reference]}, [], "processed"),
        "not-understood": (b"MSH|..\rPID|||P1^^^DMC~77^^^NID||Karim^Abdul", {}, [], "failed"),
        "of-somebody-else": (b"MSH|..\rPID|||P10^^^DMC||Das^Sumitra", {}, [], "failed"),
    }
    async with app.db.transaction() as tx:
        for control_id, (content, effects, uids, state) in messages.items():
            await tx.run(
                """
                INSERT INTO hl7_messages (id, sending_application, sending_facility, control_id, type, host,
                    received_at, state, code, content, digest, acknowledgement, effects, study_instance_uids, sentence)
                VALUES (gen_random_uuid(), 'HIS', 'DMC', %(control_id)s, 'ADT^A08', '127.0.0.1', now(), %(state)s, 'AA',
                    %(content)s, '', '', %(effects)s, %(uids)s, 'PID-5 is Karim.')
                """,
                control_id=control_id,
                state=state,
                content=content,
                effects=as_json(effects),
                uids=uids,
            )
    await erased(officer, second, app, reference)
    async with app.db.transaction() as tx:
        left = await tx.values("SELECT control_id FROM hl7_messages WHERE content <> '' OR sentence <> ''")
        waiting = await tx.values("SELECT control_id FROM hl7_messages WHERE state = 'failed'")
    assert left == waiting == ["of-somebody-else"]
