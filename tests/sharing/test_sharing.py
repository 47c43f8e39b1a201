"""Links: PINs and their limits, openings, ends, reports, sensitive studies, and what is recorded of them."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

import make
from radiology.access import accounts
from radiology.access.model import Role
from radiology.app import App
from radiology.doors.http.assemble import build
from radiology.kit.clock import SetClock
from radiology.reports.schemas import REPORT_EXAMPLE
from radiology.sharing.model import network_of

pytestmark = pytest.mark.anyio

ClientAs = Callable[..., Awaitable[httpx2.AsyncClient]]
OURS = {"origin": "http://radiology.test"}
MAMMOGRAPHY = {"Modality": "MG", "StudyDescription": "Mammography", "BodyPartExamined": "BREAST"}


@pytest.fixture
async def study(app: App) -> str:
    return (await make.a_study(app, PatientID="P1", StudyDescription="CT Chest")).study_instance_uid


@pytest.fixture
async def doctor(client_as: ClientAs) -> httpx2.AsyncClient:
    return await client_as("radiologist", practitioner="Practitioner/222")


async def a_link(doctor: httpx2.AsyncClient, study: str, **wanted: Any) -> dict[str, Any]:
    answer = await doctor.post(f"/api/radiology/studies/{study}/links", json=wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def opened(client: httpx2.AsyncClient, link: dict[str, Any], **fields: str) -> httpx2.Response:
    return await client.post(link["url"], data=fields, headers=OURS)


async def links_of(doctor: httpx2.AsyncClient, study: str) -> list[dict[str, Any]]:
    answer = await doctor.get(f"/api/radiology/studies/{study}/links")
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


async def recorded(app: App, action: str) -> list[dict[str, Any]]:
    async with app.db.transaction() as tx:
        return await tx.values(
            "SELECT detail FROM audit_events WHERE action = %(action)s ORDER BY occurred_at, id", action=action
        )


async def a_report(app: App, doctor: httpx2.AsyncClient, study: str, *, final: bool) -> str:
    """A report of the study of a patient who is in no registry but ours, and that needs no order."""
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET match = 'confirmed' WHERE study_instance_uid = %(uid)s", uid=study)
        reference = await tx.value(
            "SELECT p.reference FROM imaging_studies s JOIN patients p ON p.id = s.patient_id"
            " WHERE s.study_instance_uid = %(uid)s",
            uid=study,
        )
    body = {**REPORT_EXAMPLE, "studyId": study, "subject": {"reference": reference},
            "impression": "<b>No fracture</b>\nof the ribs"}  # fmt: skip
    answer = await doctor.post("/api/radiology/reports", json={k: v for k, v in body.items() if k != "encounter"})
    assert answer.status_code == 201, answer.text
    if final:
        approved = await doctor.post(f"/api/radiology/reports/{answer.json()['id']}/approve")
        assert approved.status_code == 200, approved.text
    return answer.json()["id"]


async def test_a_link_with_a_pin_opens_with_it_alone(
    study: str, doctor: httpx2.AsyncClient, client: httpx2.AsyncClient, app: App
) -> None:
    link = await a_link(doctor, study, withPin=True)
    assert len(link["pin"]) == 6
    asked = await client.get(link["lightUrl"])
    assert (asked.status_code, "পিন" in asked.text) == (200, True)
    assert (await client.get("/dicomweb/studies")).status_code == 401
    assert (await opened(client, link)).status_code == 401
    assert (await opened(client, link, pin="x")).status_code == 401
    assert (await client.post(link["url"], data={"pin": link["pin"]})).status_code == 403
    right = await opened(client, link, pin=link["pin"])
    assert (right.status_code, right.headers["location"]) == (303, f"/viewer/viewer?StudyInstanceUIDs={study}")
    assert len((await client.get("/dicomweb/studies")).json()) == 1
    [listed] = await links_of(doctor, study)
    assert (listed["opened"], listed["wrongPins"], listed["withPin"], listed["opens"]) == (1, 2, True, True)
    assert [each["reason"] for each in await recorded(app, "link.refused")] == ["wrong-pin", "wrong-pin"]
    async with app.db.transaction() as tx:
        kept = str(await tx.values("SELECT l::text FROM study_links AS l UNION ALL SELECT a.detail::text FROM"
                                   " audit_events AS a"))  # fmt: skip
    assert link["pin"] not in kept
    assert link["url"].rpartition("/")[2].partition("?")[0] not in kept


async def test_who_guesses_is_closed_out_for_a_while_and_then_for_good(
    study: str, doctor: httpx2.AsyncClient, client: httpx2.AsyncClient, clock: SetClock
) -> None:
    link = await a_link(doctor, study, withPin=True)
    for _ in range(3):
        assert [(await opened(client, link, pin="x")).status_code for _ in range(5)] == [401] * 5
        assert (await opened(client, link, pin=link["pin"])).status_code == 429
        assert (await client.get(link["url"])).status_code == 429
        clock.advance(15 * 60.0)
    assert [(await opened(client, link, pin="x")).status_code for _ in range(5)] == [401] * 4 + [404]
    clock.advance(15 * 60.0)
    assert (await opened(client, link, pin=link["pin"])).status_code == 404
    assert [each["opens"] for each in await links_of(doctor, study)] == [False]


async def test_the_last_attempt_may_be_the_right_one(
    study: str, doctor: httpx2.AsyncClient, client: httpx2.AsyncClient
) -> None:
    link = await a_link(doctor, study, withPin=True)
    for _ in range(4):
        await opened(client, link, pin="x")
    assert (await opened(client, link, pin=link["pin"])).status_code == 303
    assert (await opened(client, link, pin=link["pin"])).status_code == 303


async def test_a_link_opens_as_often_as_it_says_and_looking_does_not_use_it_up(
    study: str, doctor: httpx2.AsyncClient, client: httpx2.AsyncClient
) -> None:
    link = await a_link(doctor, study, mostOpenings=2)
    for _ in range(3):
        assert (await client.get(link["url"])).status_code == 200
    assert [(await opened(client, link)).status_code for _ in range(3)] == [303, 303, 404]
    assert (await client.get("/dicomweb/studies")).status_code == 200
    [listed] = await links_of(doctor, study)
    assert (listed["opens"], listed["mostOpenings"], len(listed["openings"])) == (False, 2, 2)
    assert set(listed["openings"][0]) == {"at", "network"}


async def test_an_ended_link_takes_its_sessions_with_it(
    study: str, doctor: httpx2.AsyncClient, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, app: App
) -> None:
    monkeypatch.setattr(accounts, "SESSION_REMEMBERED_SECONDS", 0.0)
    link, other = await a_link(doctor, study), await a_link(doctor, study)
    await client.get(link["url"])
    assert (await client.get("/dicomweb/studies")).status_code == 200
    elsewhere = (await make.a_study(app, PatientID="P2")).study_instance_uid
    assert (await doctor.delete(f"/api/radiology/studies/{elsewhere}/links/{link['id']}")).status_code == 404
    assert (await client.get("/dicomweb/studies")).status_code == 200
    assert (await doctor.delete(f"/api/radiology/studies/{study}/links/{link['id']}")).status_code == 204
    assert (await client.get("/dicomweb/studies")).status_code == 401
    assert (await client.get(link["url"])).status_code == 404
    assert (await client.get(other["url"])).status_code == 303
    assert [each["reason"] for each in await recorded(app, "link.refused")] == ["ended"]
    assert (len(await recorded(app, "link.make")), len(await recorded(app, "link.end"))) == (2, 1)


async def test_links_and_their_sessions_outlive_the_process(
    study: str, doctor: httpx2.AsyncClient, client: httpx2.AsyncClient, app: App
) -> None:
    link = await a_link(doctor, study, withPin=True)
    await opened(client, link, pin=link["pin"])
    anew = build(app)
    async with anew.router.lifespan_context(anew):
        await app.db.open()
        transport = httpx2.ASGITransport(app=anew)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://radiology.test", cookies=client.cookies
        ) as again:
            assert len((await again.get("/dicomweb/studies")).json()) == 1
            assert (await opened(again, link, pin=link["pin"])).status_code == 303


async def test_a_signed_report_is_read_as_a_page_and_opens_no_images(
    study: str, doctor: httpx2.AsyncClient, client: httpx2.AsyncClient, app: App
) -> None:
    report = await a_report(app, doctor, study, final=True)
    answer = await doctor.post(f"/api/radiology/reports/{report}/links", json={"withPin": True})
    link = answer.json()
    assert "lightUrl" not in link
    assert (await client.get(link["url"])).status_code == 200
    page = await opened(client, link, pin=link["pin"])
    assert page.status_code == 200
    assert "&lt;b&gt;No fracture&lt;/b&gt;\nof the ribs" in page.text
    assert "রহমান আব্দুর" in page.text
    assert "মতামত" in page.text
    assert "চূড়ান্ত" in page.text
    assert "script" not in page.text
    assert (await client.get("/dicomweb/studies")).status_code == 401
    assert (await client.get(f"/light/{study}")).status_code in {303, 401}
    [listed] = (await doctor.get(f"/api/radiology/reports/{report}/links")).json()["results"]
    assert (listed["opened"], listed["reportId"][:7]) == (1, "report-")
    assert [each["id"] for each in await links_of(doctor, study)] == [listed["id"]]
    assert (await doctor.delete(f"/api/radiology/reports/{report}/links/{link['id']}")).status_code == 204
    assert (await opened(client, link, pin=link["pin"])).status_code == 404


async def test_a_report_that_nobody_signed_is_not_shared(study: str, doctor: httpx2.AsyncClient, app: App) -> None:
    report = await a_report(app, doctor, study, final=False)
    answer = await doctor.post(f"/api/radiology/reports/{report}/links", json={})
    assert answer.status_code == 409, answer.text


async def test_a_sensitive_study_is_shared_with_a_pin_by_who_sees_it(
    client_as: ClientAs, doctor: httpx2.AsyncClient, client: httpx2.AsyncClient, app: App
) -> None:
    stored = await make.a_study(app, PatientID="P9", **MAMMOGRAPHY)
    uid = stored.study_instance_uid
    path = f"/api/radiology/studies/{uid}/links"
    assert (await doctor.post(path, json={"withPin": True})).status_code == 403
    assert (await doctor.get(path)).status_code == 403
    await make.care(app, "account:radiologist", uid)
    refused = await doctor.post(path, json={})
    assert (refused.status_code, "withPin" in refused.text) == (422, True)
    link = await a_link(doctor, uid, withPin=True)
    assert (await opened(client, link, pin=link["pin"])).status_code == 303
    assert len((await client.get("/dicomweb/studies")).json()) == 1


async def test_a_link_without_pin_closes_when_its_study_becomes_sensitive(
    study: str, doctor: httpx2.AsyncClient, client: httpx2.AsyncClient, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "SESSION_REMEMBERED_SECONDS", 0.0)
    await make.care(app, "account:radiologist", study)
    link = await a_link(doctor, study)
    assert (await client.get(link["url"])).status_code == 303
    async with app.db.transaction() as tx:
        await tx.run(
            "UPDATE imaging_studies SET sensitive_classes = '{S1}' WHERE study_instance_uid = %(uid)s",
            uid=study,
        )
    assert (await client.get("/dicomweb/studies")).status_code == 401
    assert (await client.get(link["url"])).status_code == 404


@pytest.mark.parametrize("role", [Role.REFERRER, Role.RADIOGRAPHER, Role.RESIDENT, Role.PATIENT, Role.QA])
async def test_who_may_not_share(role: str, study: str, client_as: ClientAs) -> None:
    somebody = await client_as(role)
    path = f"/api/radiology/studies/{study}/links"
    assert (await somebody.post(path, json={})).status_code == 403
    assert (await somebody.get(path)).status_code == 403


async def test_the_slip_has_the_code_and_the_address_and_not_the_pin(study: str, doctor: httpx2.AsyncClient) -> None:
    path = f"/api/radiology/studies/{study}/links"
    slip = await doctor.post(path, json={"withPin": True}, headers={"accept": "text/html"})
    assert slip.status_code == 201
    assert [part for part in ("<svg", "/open/", "P1") if part not in slip.text] == []
    assert slip.headers["x-link-pin"] not in slip.text
    plain = await doctor.post(path, json={})
    assert plain.json()["qr"].startswith("<svg")


async def test_an_opening_is_one_record_with_the_link_as_actor(
    study: str, doctor: httpx2.AsyncClient, client: httpx2.AsyncClient, app: App
) -> None:
    link = await a_link(doctor, study)
    await client.get(link["url"])
    async with app.db.transaction() as tx:
        assert await tx.values("SELECT actor FROM audit_events WHERE action = 'link.open'") == [f"link:{link['id']}"]


def test_of_an_address_its_network_is_kept() -> None:
    assert [network_of(each) for each in ("203.0.113.77", "2001:db8:1:2::3", "", "testclient")] == [
        "203.0.113.0/24", "2001:db8:1::/48", "", "",
    ]  # fmt: skip
