"""The reading worklist through its door."""

from typing import Any

import httpx2
import pytest

from conftest import ClientAs
from ordering import a_procedure
from radiology.app import App
from radiology.kit.clock import SetClock
from radiology.reading_worklist.following import follow_events, release_idle
from radiology.reading_worklist.model import in_order
from radiology.reading_worklist.queries.waiting import waiting
from radiology.studies.model import Status
from reading import HEAD, PATH, images_of, move, order_of, ordered_study, row_of, told, waiting_study

pytestmark = pytest.mark.anyio


async def rows(client: httpx2.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get(PATH, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


async def counts(client: httpx2.AsyncClient) -> dict[str, int]:
    answer = await client.get(f"{PATH}/counts")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def do(client: httpx2.AsyncClient, uid: str, verb: str, status: int = 200, **body: Any) -> Any:
    answer = await client.post(f"{PATH}/{uid}/{verb}", **({"json": body} if body or verb == "release" else {}))
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def test_the_list_is_in_the_order_of_urgency_and_says_what_a_reader_needs(
    app: App, client_as: ClientAs, clock: SetClock
) -> None:
    routine = await waiting_study(app, Modality="MR", StudyDescription="MRI knee")
    order = await order_of(app, priority="stat", reason="Stroke since an hour")
    stat = (await images_of(app, order)).study_instance_uid
    await follow_events(app)
    urgent = await waiting_study(app, PatientID="77")
    client = await client_as("radiologist")
    found = await rows(client)
    assert [each["studyInstanceUID"] for each in found] == [stat, urgent, routine]
    assert [each["arriving"] for each in found] == [True, False, False]
    first, second = found[:2]
    assert (first["priority"], first["urgency"], "dueAt" in first) == ("stat", 1000, False)
    assert second["dueAt"] == "2026-01-21T14:30:00+06:00"
    assert (second["subspecialty"], second["modality"], second["numberOfInstances"]) == ("neuro", "CT", 1)
    assert second["priors"] == {"number": 0, "sameModality": False, "sameRegion": False}
    clock.advance(7200)
    assert (await rows(client))[1]["urgency"] == 550
    assert await counts(client) == {
        "all": 3, "mine": 0, "unassigned": 3, "stat": 1, "second-opinions": 0, "drafts": 0, "addenda": 0,
        "critical": 0, "breached": 0, "locked": 0,
    }  # fmt: skip


async def test_the_order_of_the_database_is_that_of_the_rule(app: App, client_as: ClientAs, clock: SetClock) -> None:
    for number, about in enumerate([HEAD, {"Modality": "MR", "StudyDescription": "MRI knee"}] * 3):
        uid = await waiting_study(app, PatientID=f"P-{number}", **about)
        clock.advance(1000 * number)
        if number in (1, 3):
            client = await client_as("consultant")
            await do(client, uid, "notes", 201, text="Looks critical.", critical=number == 1)
    async with app.db.transaction() as tx:
        by_rule = in_order(await waiting(tx, now=clock.now()), clock.now())
    shown = await rows(await client_as("radiologist"), limit=200)
    ids = [str(each.study_id) for each in by_rule]
    async with app.db.transaction() as tx:
        known = {
            each["uid"]: each["id"]
            for each in await tx.values(
                "SELECT json_build_object('uid', study_instance_uid, 'id', id) FROM imaging_studies"
            )
        }
    assert [known[each["studyInstanceUID"]] for each in shown] == ids
    assert [each["urgency"] for each in shown] == pytest.approx(
        [each.urgency(clock.now()) for each in by_rule], abs=0.01
    )


async def test_pages_hold_all_of_a_moment_though_time_goes_on(app: App, client_as: ClientAs, clock: SetClock) -> None:
    expected = {await waiting_study(app, PatientID=f"P-{number}") for number in range(7)}
    client = await client_as("radiologist")
    found: list[str] = []
    address = f"{PATH}?limit=3"
    while address:
        answer = (await client.get(address)).json()
        found += [each["studyInstanceUID"] for each in answer["results"]]
        address = answer["next"]
        clock.advance(600)
    assert len(found) == 7
    assert set(found) == expected
    assert (await client.get(PATH, params={"cursor": "bm9uc2Vuc2U"})).status_code == 400


async def test_filters_and_what_is_no_filter(app: App, client_as: ClientAs) -> None:
    head = await waiting_study(app)
    knee = await waiting_study(app, Modality="MR", StudyDescription="MRI knee", PatientBirthDate="20200101")
    client = await client_as("radiologist")

    async def found(**asked: Any) -> list[str]:
        return [each["studyInstanceUID"] for each in await rows(client, **asked)]

    assert await found(modality="MRI") == [knee]
    assert await found(subspecialty="neuro,chest") == [head]
    assert await found(age_group="child") == [knee]
    assert await found(priority="routine") == [knee]
    assert await found(facility="LOCAL", state="waiting", inpatient="false") == [head, knee]
    assert await found(facility="ELSEWHERE") == []
    assert await found(queue="unassigned", arriving="true") == []
    for wrong in ({"queue": "yours"}, {"state": "removed"}, {"inpatient": "perhaps"}, {"colour": "red"}):
        assert (await client.get(PATH, params=wrong)).status_code == 400, wrong


async def test_whoever_claims_first_has_it_and_the_second_is_told_by_name(
    app: App, client_as: ClientAs, clock: SetClock
) -> None:
    uid = await waiting_study(app)
    first = await client_as("radiologist", name="nasrin")
    second = await client_as("radiologist", name="kamal")
    claimed = await do(first, uid, "claim")
    assert (claimed["state"], claimed["claimedBy"]["id"]) == ("claimed", "account:nasrin")
    assert claimed["lockedUntil"] == "2026-01-21T11:00:00+06:00"
    refused = await do(second, uid, "claim", 409)
    assert "until 11:00" in refused["detail"]
    assert refused["errors"][0]["field"] == "claimedBy"
    begun = await second.post(
        "/api/radiology/reports", json={"studyId": uid, "status": "registered", "code": {"text": "CT head"}}
    )
    assert begun.status_code == 409, "and begins no report of it"
    assert [(await counts(each))["mine"] for each in (first, second)] == [1, 0]
    assert [each["studyInstanceUID"] for each in await rows(second, queue="locked")] == [uid]
    clock.advance(1700)
    await do(first, uid, "heartbeat", 204)
    clock.advance(1700)
    assert await release_idle(app) == 0
    clock.advance(200)
    assert await release_idle(app) == 1
    await do(first, uid, "heartbeat", 409)
    assert (await do(second, uid, "claim"))["claimedBy"]["id"] == "account:kamal"


async def test_a_claim_is_refused_with_an_old_version_and_without_privilege(app: App, client_as: ClientAs) -> None:
    uid = await waiting_study(app)
    client = await client_as("radiologist")
    before = await client.get(f"{PATH}/{uid}")
    await do(client, uid, "notes", 201, text="Moved a little.", critical=True)
    stale = await client.post(f"{PATH}/{uid}/claim", headers={"if-match": before.headers["etag"]})
    assert stale.status_code == 412
    radiographer = await client_as("radiographer")
    await do(radiographer, uid, "claim", 403)
    assert (await (await client_as("referrer")).get(PATH)).status_code == 403
    fresh = await client.get(f"{PATH}/{uid}")
    assert (await client.post(f"{PATH}/{uid}/claim", headers={"if-match": fresh.headers["etag"]})).status_code == 200
    await do(client, "1.2.3", "claim", 404)


async def test_a_report_leads_the_study_through_its_states(app: App, client_as: ClientAs) -> None:
    uid = await ordered_study(app)
    client = await client_as("radiologist")
    report = {"studyId": uid, "status": "registered", "code": {"text": "CT head"}, "findings": "No haemorrhage."}
    made = await client.post("/api/radiology/reports", json=report)
    assert made.status_code == 201, made.text
    row = await row_of(app, uid)
    assert row is not None
    assert (row.state, row.author, row.claimed_by) == ("drafted", "account:radiologist", "account:radiologist")
    assert (await counts(client))["drafts"] == 1
    address = f"/api/radiology/reports/{made.json()['reportId']}"
    edited = await client.put(address, json={"status": "preliminary", "impression": "Normal."})
    assert edited.status_code == 200, edited.text
    assert (await rows(client, queue="drafts"))[0]["state"] == "preliminary"
    await do(client, uid, "release")
    signed = await client.post(f"{address}/approve", json={})
    assert signed.status_code == 200, signed.text
    assert await rows(client) == []
    [read] = await rows(client, state="final")
    assert (read["state"], read["finishedAt"][:16]) == ("final", "2026-01-21T10:30")
    await do(client, uid, "claim", 409)
    await follow_events(app)
    assert (await row_of(app, uid)).version == row.version + 3  # type: ignore[union-attr]


async def test_a_study_is_handed_over_to_who_may_read_it(app: App, client_as: ClientAs) -> None:
    uid = await waiting_study(app)
    first = await client_as("radiologist", name="nasrin")
    second = await client_as("radiologist", name="kamal")
    await client_as("radiographer", name="technologist")
    await do(first, uid, "claim")
    await do(second, uid, "hand-over", 403, to="account:kamal")
    await do(first, uid, "hand-over", 422, to="account:technologist")
    await do(first, uid, "hand-over", 422, to="account:nobody")
    given = await do(first, uid, "hand-over", to="account:kamal", reason="My shift ends.")
    assert (given["state"], given["assignedTo"]["id"], "claimedBy" in given) == ("waiting", "account:kamal", False)
    assert [(await counts(each))["mine"] for each in (first, second)] == [0, 1]
    assert (await counts(first))["unassigned"] == 0
    notices = await second.get("/api/radiology/me/notices")
    assert "handed over" in notices.text
    head = await client_as("consultant")
    await do(head, uid, "release", 409)
    released = await do(head, uid, "release", reason="Kamal is ill.")
    assert "assignedTo" not in released


async def test_a_second_opinion_is_asked_given_declined_and_withdrawn(app: App, client_as: ClientAs) -> None:
    uid = await waiting_study(app)
    first = await client_as("radiologist", name="nasrin")
    second = await client_as("radiologist", name="kamal")
    await do(first, uid, "second-opinions", 422, of="account:nasrin", question="Mine?")
    asked = await do(first, uid, "second-opinions", 201, of="account:kamal", question="Is this a thrombus?")
    await do(first, uid, "second-opinions", 409, of="account:kamal", question="Again?")
    assert [(await counts(each))["second-opinions"] for each in (first, second)] == [0, 1]
    assert [each["studyInstanceUID"] for each in await rows(second, queue="second-opinions")] == [uid]
    address = f"{PATH}/second-opinions/{asked['id']}"
    assert (await first.post(f"{address}/give", json={"text": "Yes."})).status_code == 403
    stale = await second.post(f"{address}/give", json={"text": "Yes."}, headers={"if-match": 'W/"9"'})
    assert stale.status_code == 412
    given = await second.post(f"{address}/give", json={"text": "Yes, in the left M1."}, headers={"if-match": 'W/"1"'})
    assert (given.status_code, given.json()["status"]) == (200, "given")
    assert (await second.post(f"{address}/decline", json={"text": "No."})).status_code == 409
    again = await do(first, uid, "second-opinions", 201, of="account:kamal", question="And the right?")
    assert (await first.post(f"{PATH}/second-opinions/{again['id']}/withdraw")).json()["status"] == "withdrawn"
    listed = (await first.get(f"{PATH}/{uid}/second-opinions")).json()["results"]
    assert [(each["status"], each.get("answer")) for each in listed] == [
        ("given", "Yes, in the left M1."), ("withdrawn", None),
    ]  # fmt: skip


async def test_notes_stand_beside_a_study_and_what_looks_critical_is_read_sooner(app: App, client_as: ClientAs) -> None:
    plain = await waiting_study(app, PatientID="1")
    critical = await waiting_study(app, PatientID="2")
    technologist = await client_as("radiographer")
    await do(technologist, critical, "notes", 201, text="Midline shift?", critical=True)
    await do(technologist, plain, "notes", 201, text="Patient moved.")
    reader = await client_as("radiologist")
    assert [each["studyInstanceUID"] for each in await rows(reader)] == [critical, plain]
    assert (await counts(reader))["critical"] == 1
    notes = (await reader.get(f"{PATH}/{critical}/notes")).json()["results"]
    assert [(each["text"], each["author"]["id"]) for each in notes] == [("Midline shift?", "account:radiographer")]
    assert [each["notes"] for each in await rows(reader)] == [1, 1]


async def test_filters_are_kept_for_each_person(client_as: ClientAs) -> None:
    first = await client_as("radiologist", name="nasrin")
    second = await client_as("radiologist", name="kamal")
    kept = {"queue": "unassigned", "modality": ["CT"], "priority": ["stat", "urgent"]}
    assert (await first.put(f"{PATH}/filters/Head CT", json=kept)).status_code == 204
    assert (await first.get(f"{PATH}/filters")).json() == {"results": [{"name": "Head CT", "filter": kept}]}
    assert (await second.get(f"{PATH}/filters")).json() == {"results": []}
    assert (await second.delete(f"{PATH}/filters/Head CT")).status_code == 404
    assert (await first.put(f"{PATH}/filters/Bad", json={"colour": "red"})).status_code == 422
    assert (await first.delete(f"{PATH}/filters/Head CT")).status_code == 204


async def test_a_sensitive_study_is_masked_until_somebody_claims_it(app: App, client_as: ClientAs) -> None:
    uid = await waiting_study(app, Modality="MG", StudyDescription="Mammogram", PatientSex="F")
    await follow_events(app)
    client = await client_as("radiologist")
    [row] = await rows(client)
    assert row["masked"] is True
    assert set(row) == {
        "studyId", "studyInstanceUID", "facilityCode", "accessionNumber", "state", "priority", "version", "patient",
        "masked", "receivedOn", "modality", "description",
    }  # fmt: skip
    assert (row["modality"], row["description"]) == ("XX", "Sensitive imaging study")
    assert await rows(client, modality="MG") == []
    assert await rows(client, subspecialty="breast") == []
    assert (await client.get(f"{PATH}/{uid}/notes")).status_code == 403
    claimed = await do(client, uid, "claim")
    assert (claimed["modality"], claimed["certificates"]) == ("MG", ["mammography"])
    assert [each["modality"] for each in await rows(client, modality="MG")] == ["MG"]


async def test_a_reader_of_another_facility_sees_nothing(app: App, client_as: ClientAs) -> None:
    uid = await waiting_study(app)
    client = await client_as("radiologist")
    async with app.db.transaction() as tx:
        await tx.run("UPDATE accounts SET facility_code = 'ELSEWHERE' WHERE name = 'radiologist'")
    assert await rows(client) == []
    assert (await counts(client))["all"] == 0
    await do(client, uid, "claim", 404)


async def test_what_assignment_is_given_names_the_readers_of_priors(app: App, client_as: ClientAs) -> None:
    old = await ordered_study(app, 7)
    reader = await client_as("radiologist", practitioner="Practitioner/222")
    report = {"studyId": old, "status": "preliminary", "code": {"text": "CT head"}, "findings": "A", "impression": "B"}
    made = await reader.post("/api/radiology/reports", json=report)
    signed = await reader.post(f"/api/radiology/reports/{made.json()['reportId']}/approve", json={})
    assert signed.status_code == 200, signed.text
    await ordered_study(app, 7)
    knee = await order_of(app, 7, procedures=[a_procedure("MR", "MRI knee")])
    await move(app, (await images_of(app, knee, Modality="MR")).study_instance_uid, Status.COMPLETED)
    async with app.db.transaction() as tx:
        found = {each.modality: each for each in await waiting(tx, now=app.clock.now())}
    assert "Practitioner/222" in found["CT"].readers_of_region
    assert "account:radiologist" in found["CT"].readers_of_region
    assert found["MR"].readers_of_region == frozenset()
    assert "account:radiologist" in found["MR"].readers_of_patient


async def test_every_step_is_told_and_audited(app: App, client_as: ClientAs) -> None:
    uid = await waiting_study(app)
    client = await client_as("radiologist")
    await do(client, uid, "claim")
    await do(client, uid, "release")
    assert [each["trigger"] for each in await told(app, "radiology.reading.changed.v1")] == [
        "study.status-changed", "claim", "release",
    ]  # fmt: skip
    async with app.db.transaction() as tx:
        audited = await tx.values(
            "SELECT action FROM audit_arrivals WHERE action LIKE 'reading.%%' ORDER BY occurred_at"
        )
    assert audited == ["reading.claim", "reading.release"]
