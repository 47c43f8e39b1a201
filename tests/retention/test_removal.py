"""Removal by two persons, the recycle bin, and what keeps a study at every step of the way out."""

from typing import Any

import httpx2
import pytest

import make
from conftest import ClientAs
from ordering import a_patient, a_procedure, placer, said
from radiology.access.model import Role
from radiology.app import App
from radiology.kit.clock import SetClock
from radiology.orders.actions.place import place_order
from radiology.retention import purging
from retention.removals import BASE, DAY, OLD, REASON, approved, files_of, items_of, run, states_of, switched_on, value

pytestmark = pytest.mark.anyio


@pytest.fixture
async def first(client_as: ClientAs) -> httpx2.AsyncClient:
    return await client_as(Role.ADMINISTRATOR, name="first")


@pytest.fixture
async def second(client_as: ClientAs) -> httpx2.AsyncClient:
    return await client_as(Role.ADMINISTRATOR, name="second")


async def test_from_what_is_due_to_nothing_left(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, client_as: ClientAs, app: App, clock: SetClock
) -> None:
    old = await make.a_study(app, instances=3, **OLD)
    young = await make.a_study(app, StudyDate="20200301")
    reader = await client_as("radiologist")
    [due] = (await first.get(f"{BASE}/due")).json()["results"]
    assert (due["studyInstanceUID"], due["instances"], due["lastCopy"]) == (old.study_instance_uid, 3, True)
    assert due["sizeBytes"] == sum(map(len, old.files.values()))
    sums = (await first.get(f"{BASE}/due/sums", params={"on": "2031-01-01"})).json()["sums"]
    assert sums["LOCAL"]["studies"] == 2
    refused = await first.post(f"{BASE}/removals", json=REASON)
    assert (refused.status_code, "switches that on" in refused.text) == (409, True)
    await switched_on(first)
    path = await approved(first, second)
    assert await purging.tend(app) == 1
    [item] = await items_of(first, path)
    assert item["state"] == "binned"
    assert (await reader.get(f"/dicomweb/studies/{old.study_instance_uid}")).status_code == 404
    assert (await reader.get(f"/dicomweb/studies/{young.study_instance_uid}")).status_code == 200
    assert await value(app, "SELECT title || ' ' || key_object_uid FROM rejections") == f"113039 {item['keyObjectUID']}"
    assert [each["id"] for each in (await first.get(f"{BASE}/recycle-bin")).json()["results"]] == [item["id"]]
    assert len(files_of(app)) == 5  # The note lies there, too.
    clock.advance(29 * DAY)
    assert await purging.tend(app) == 0
    clock.advance(2 * DAY)
    assert await purging.tend(app) == 1
    assert await states_of(first, path) == ["purged"]
    assert len(files_of(app)) == 1
    assert await value(app, "SELECT array_agg(kind ORDER BY kind) FROM tombstones") == [
        *["instance"] * 4, *["series"] * 2, "study",
    ]  # fmt: skip
    assert await value(app, "SELECT count(*) FROM imaging_studies") == 1
    assert await value(app, "SELECT count(*) FROM outbox WHERE type = 'radiology.study.purged.v1'") == 1
    assert await value(app, "SELECT count(*) FROM audit_events WHERE action = 'study.purge'") == 1
    await make.store(app, *old.files.values())
    assert (await reader.get(f"/dicomweb/studies/{old.study_instance_uid}")).status_code == 200


async def test_an_order_goes_with_the_last_of_its_studies(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App, clock: SetClock
) -> None:
    patient = a_patient(name="Karim^Abdul", birthDate="1970-01-01")
    alone = await place_order(app, placer(), said(patient=patient))
    shared = await place_order(
        app, placer(), said(patient=patient, placerNumber="E-78", procedures=[a_procedure(), a_procedure()])
    )
    for order in (alone, shared):
        uid = order.procedures[0].study_instance_uid
        await make.store(
            app, make.an_object(StudyInstanceUID=uid, PatientID="DMC-1001", PatientName="Karim^Abdul", **OLD)
        )
    await switched_on(first)
    path = await approved(first, second)
    await purging.tend(app)
    clock.advance(31 * DAY)
    await purging.tend(app)
    assert await states_of(first, path) == ["purged"] * 2
    assert await value(app, "SELECT array_agg(id) FROM orders") == [shared.id]
    assert await value(app, "SELECT array_agg(DISTINCT order_id) FROM order_history") == [shared.id]


async def test_one_person_alone_removes_nothing(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, client_as: ClientAs, app: App
) -> None:
    await make.a_study(app, **OLD)
    await switched_on(first)
    proposed = await first.post(f"{BASE}/removals", json=REASON)
    decision = f"{BASE}/removals/{proposed.json()['id']}/decision"
    body = {"approve": True, "answer": "It may all go, I think."}
    assert (await first.post(decision, json=body)).status_code == 403
    for role in (Role.RECORDS, Role.QA, Role.CONSULTANT, Role.PRIVACY_OFFICER):
        assert (await (await client_as(role)).post(decision, json=body)).status_code == 403, role
    assert (await second.post(decision, json={**body, "approve": False})).status_code == 202
    assert (await second.post(decision, json=body)).status_code == 409
    assert await purging.tend(app) == 0
    assert await states_of(first, f"{BASE}/removals/{proposed.json()['id']}") == ["refused"]
    assert len((await first.get(f"{BASE}/due")).json()["results"]) == 1, "it may be proposed again"


async def test_the_last_copy_stays_unless_that_is_said(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App
) -> None:
    await make.a_study(app, **OLD)
    await switched_on(first)
    path = await approved(first, second, last_copies=False)
    await purging.tend(app)
    [item] = await items_of(first, path)
    assert (item["state"], "lastCopies" in item["sentence"]) == ("kept", True)


async def test_one_call_restores(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, client_as: ClientAs, app: App, clock: SetClock
) -> None:
    old = await make.a_study(app, instances=2, **OLD)
    reader = await client_as("radiologist")
    search = f"/dicomweb/studies?StudyInstanceUID={old.study_instance_uid}&includefield=all"
    metadata = f"/dicomweb/studies/{old.study_instance_uid}/metadata"
    before = [(await reader.get(search)).json(), (await reader.get(metadata)).json()]
    await switched_on(first)
    path = await approved(first, second)
    await purging.tend(app)
    assert (await reader.get(search)).json() == []
    [item] = await items_of(first, path)
    restore = f"{BASE}/recycle-bin/{item['id']}/restore"
    assert [(await first.post(restore, json=REASON)).status_code for _ in range(2)] == [204, 404]
    assert [(await reader.get(search)).json(), (await reader.get(metadata)).json()] == before
    clock.advance(100 * DAY)
    assert await purging.tend(app) == 0
    assert await states_of(first, path) == ["restored"]


HOLD = """
    INSERT INTO legal_holds (id, patient_id, reason, set_by, set_at)
    SELECT gen_random_uuid(), patient_id, 'court', 'account:x', now() FROM imaging_studies
"""
REPORT = """
    INSERT INTO radiology_reports (study_id, patient_id, status, category, code, author, updated_at)
    SELECT id, patient_id, 'preliminary', '[]', '{}', 'account:x', '2010-03-02' FROM imaging_studies
"""
DOUBT = "UPDATE imaging_studies SET flags = ARRAY['identity_review']"
PROBABLE = "UPDATE imaging_studies SET match = 'probable'"
DAMAGE = """
    INSERT INTO damaged_objects (id, object_key, sop_instance_uid, study_id, study_instance_uid, facility_code, problem,
        found_at, changed_at)
    SELECT gen_random_uuid(), 'x', '1', id, study_instance_uid, 'LOCAL', 'altered', now(), now() FROM imaging_studies
"""
MARK = """
    INSERT INTO retention_marks (study_id, reason, made_by, made_at) SELECT id, 'teaching', 'x', now()
    FROM imaging_studies
"""


@pytest.mark.parametrize("what", [HOLD, REPORT, DOUBT, PROBABLE, DAMAGE, MARK])
@pytest.mark.parametrize("when", ["approved", "binned"])
async def test_what_comes_meanwhile_keeps_it(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, client_as: ClientAs, app: App, clock: SetClock,
    what: Any, when: str,
) -> None:  # fmt: skip
    old = await make.a_study(app, **OLD)
    await switched_on(first)
    path = await approved(first, second)
    if when == "binned":
        await purging.tend(app)
        clock.advance(31 * DAY)
    await run(app, what)
    assert await purging.tend(app) == 1
    [item] = await items_of(first, path)
    assert (item["state"], bool(item["sentence"])) == ("kept", True)
    reader = await client_as("radiologist")
    assert (await reader.get(f"/dicomweb/studies/{old.study_instance_uid}")).status_code == 200
    assert len(files_of(app)) >= 1


async def test_switched_off_nothing_goes_further(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App, clock: SetClock
) -> None:
    await make.a_study(app, **OLD)
    await switched_on(first)
    path = await approved(first, second)
    off = {"removes": False, "reason": "Something is strange here."}
    await first.put(f"{BASE}/switch", json=off)
    assert await purging.tend(app) == 0
    await switched_on(first, binDays=1)
    await purging.tend(app)
    await first.put(f"{BASE}/switch", json=off)
    clock.advance(9 * DAY)
    assert await purging.tend(app) == 0
    assert await states_of(first, path) == ["binned"]
    assert len(files_of(app)) == 2


async def test_what_is_stored_again_meanwhile_is_not_purged(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, client_as: ClientAs, app: App, clock: SetClock
) -> None:
    old = await make.a_study(app, instances=2, **OLD)
    await switched_on(first)
    path = await approved(first, second)
    await purging.tend(app)
    uid, other = old.files
    await make.store(app, old.files[uid])
    clock.advance(31 * DAY)
    await purging.tend(app)
    [item] = await items_of(first, path)
    assert (item["state"], "stored or shown again" in item["sentence"]) == ("kept", True)
    reader = await client_as("radiologist")
    found = (await reader.get(f"/dicomweb/studies/{old.study_instance_uid}/instances")).json()
    assert {each["00080018"]["Value"][0] for each in found} == {uid, other}


async def test_a_signed_report_goes_with_its_study(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App, clock: SetClock
) -> None:
    await make.a_study(app, **OLD)
    await run(
        app,
        "WITH report AS (INSERT INTO radiology_reports (study_id, patient_id, status, category, code, author, issued,"
        " updated_at) SELECT id, patient_id, 'final', '[]', '{}', 'account:rahim', '2012-03-02', '2012-03-02'"
        " FROM imaging_studies RETURNING id)"
        " INSERT INTO report_versions (report_id, version_no, status, content_json, rendered_text, sha256, author_ids,"
        " signed_at) SELECT id, 1, 'final', '{}', '', '', '{}', now() FROM report",
    )
    await switched_on(first)
    path = await approved(first, second)
    await purging.tend(app)
    clock.advance(31 * DAY)
    await purging.tend(app)
    assert await states_of(first, path) == ["purged"]
    assert await value(app, "SELECT count(*) FROM radiology_reports") == 0


async def test_an_object_that_another_row_names_is_never_deleted(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, client_as: ClientAs, app: App, clock: SetClock
) -> None:
    """Copies share the object of what they were made from: whichever goes first, the other is read as before."""
    old = await make.a_study(app, **OLD)
    other = await make.a_study(app, StudyDate="20250301")
    keys = files_of(app)
    await run(
        app,
        "UPDATE instances SET object_key = (SELECT object_key FROM instances WHERE sop_instance_uid = %(old)s)"
        " WHERE sop_instance_uid = %(other)s",
        old=old.sop_instance_uid,
        other=other.sop_instance_uid,
    )
    await switched_on(first)
    path = await approved(first, second)
    await purging.tend(app)
    clock.advance(31 * DAY)
    await purging.tend(app)
    assert await states_of(first, path) == ["purged"]
    shared = await value(app, "SELECT object_key FROM instances")
    assert app.objects.path(shared).exists()
    assert set(files_of(app)) <= set(keys)


NAMED = """
    SELECT array_agg(object_key)
    FROM (
        SELECT object_key FROM instances
        UNION SELECT object_key FROM rejected_instances
        UNION SELECT object_key FROM superseded_objects
    ) AS named
"""


async def test_a_crash_leaves_each_step_done_or_to_be_done(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, app: App, clock: SetClock
) -> None:
    """The database refuses at the end of each step, which is where a crash would leave most behind."""
    old = await make.a_study(app, instances=2, **OLD)
    await switched_on(first)
    path = await approved(first, second)
    block = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''down''; END'"
    await run(app, block)
    for state, files in (("approved", 3), ("binned", 3)):
        await run(app, "CREATE TRIGGER refused BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION refuse()")
        with pytest.raises(Exception, match="down"):
            await purging.tend(app)
        await run(app, "DROP TRIGGER refused ON outbox")
        assert await states_of(first, path) == [state]
        assert len(files_of(app)) == files
        clock.advance(31 * DAY)
        # Recovery never takes a note without a row for something that was sent.
        assert set(files_of(app)) == set(await value(app, NAMED))
        await purging.tend(app)
        clock.advance(31 * DAY)
    assert await states_of(first, path) == ["purged"]
    assert await value(app, "SELECT count(*) FROM imaging_studies") == 0
    await purging.delete_superseded(app)
    assert files_of(app) == []
    assert old.files


async def test_rules_are_made_tried_and_kept_in_versions(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, client_as: ClientAs, app: App
) -> None:
    await make.a_study(app, StudyDate="20180301", PatientBirthDate="19700101")
    held = (await first.get(f"{BASE}/rules")).json()
    assert (held["version"], [rule["code"] for rule in held["rules"]][-1]) == (0, "adult")
    shorter = [{**rule, "years": 5} if rule["code"] in {"adult", "mammography"} else rule for rule in held["rules"]]
    tried = (await first.post(f"{BASE}/rules/dry-run", json={"rules": shorter})).json()
    assert (tried["now"], tried["then"]["LOCAL"]["studies"]) == ({}, 1)
    body = {"basedOn": 0, "reason": "The licence says five years.", "rules": shorter}
    assert (await first.put(f"{BASE}/rules", json=body)).json() == {"version": 1}
    assert (await second.put(f"{BASE}/rules", json=body)).status_code == 412
    assert (await first.put(f"{BASE}/rules", json={**body, "basedOn": 1, "rules": shorter[:1]})).status_code == 422
    assert len((await first.get(f"{BASE}/due")).json()["results"]) == 1
    [version] = (await first.get(f"{BASE}/rules/versions")).json()["results"]
    assert (version["madeBy"], version["version"]) == ("account:first", 1)
    assert (await (await client_as("records")).put(f"{BASE}/rules", json=body)).status_code == 403


async def test_any_reader_is_told_until_when_and_why(first: httpx2.AsyncClient, client_as: ClientAs, app: App) -> None:
    stored = await make.a_study(app, StudyDate="20250301", PatientBirthDate="20200615")
    reader, path = await client_as("radiologist"), f"{BASE}/studies/{stored.study_instance_uid}"
    told = (await reader.get(path)).json()
    assert (told["erasable"], told["rule"], told["keptUntil"]) == (False, "child", "2045-06-15")
    assert "২৫ বছর" in told["reasonBn"]
    assert "১৫/০৬/২০৪৫" in told["reasonBn"]
    assert (await reader.put(f"{path}/mark", json=REASON)).status_code == 403
    assert (await first.put(f"{path}/mark", json=REASON)).status_code == 204
    assert (await reader.get(path)).json()["rule"] == "marked-permanent"
    assert [(await first.delete(f"{path}/mark")).status_code for _ in range(2)] == [204, 404]
    assert (await reader.get(path)).json()["rule"] == "child"


async def test_pages_of_what_is_due(first: httpx2.AsyncClient, app: App) -> None:
    stored = [await make.a_study(app, **OLD) for _ in range(5)]
    found, path = list[str](), f"{BASE}/due?limit=2"
    while path:
        answer = (await first.get(path)).json()
        found += [each["studyInstanceUID"] for each in answer["results"]]
        path = answer["next"]
    assert sorted(found) == sorted(each.study_instance_uid for each in stored)
