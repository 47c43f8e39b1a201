"""A link opens one study, and only that: by every route there is, and until it ends."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx2
import pytest
from fastapi import FastAPI
from pydicom.dataset import Dataset

import make
from leaks.walking import JSON, OURS, SEEDED, walk
from radiology.access import accounts
from radiology.app import App
from radiology.kit.clock import SetClock

pytestmark = pytest.mark.anyio

ClientAs = Callable[..., Awaitable[httpx2.AsyncClient]]


class Shared:
    """Two studies of one patient, and a browser that opened a link to the first."""

    def __init__(self, one: make.Stored, other: make.Stored, link: dict[str, str]) -> None:
        self.one, self.other, self.link = one, other, link


@dataclass
class Other:
    """A study as the walk over all routes names it."""

    image: Dataset
    known_as: dict[str, str]


@pytest.fixture
async def shared(app: App, client_as: ClientAs, client: httpx2.AsyncClient) -> Shared:
    one = await make.a_study(app, PatientID="P1", StudyDate="20260120", StudyDescription="CT Chest")
    other = await make.a_study(app, PatientID="P1", StudyDate="20260101", AccessionNumber="SECRET77")
    doctor = await client_as("radiologist")
    answer = await doctor.post(f"/api/radiology/studies/{one.study_instance_uid}/links", json={"hours": 24})
    assert answer.status_code == 201, answer.text
    opened = await client.get(answer.json()["url"])
    assert opened.status_code == 303, opened.text
    assert opened.headers["location"] == f"/viewer/viewer?StudyInstanceUIDs={one.study_instance_uid}"
    return Shared(one, other, answer.json())


async def test_the_study_of_the_link_is_seen_whole(shared: Shared, client: httpx2.AsyncClient) -> None:
    study = f"/dicomweb/studies/{shared.one.study_instance_uid}"
    assert (await client.get(study)).status_code == 200
    assert len((await client.get(f"{study}/series")).json()) == 1
    assert len((await client.get(f"{study}/metadata")).json()) == 1
    found = (await client.get("/dicomweb/studies", params={"PatientID": "P1", "includefield": "all"})).json()
    assert [each["0020000D"]["Value"] for each in found] == [[shared.one.study_instance_uid]]


async def test_no_other_study_is_seen_by_any_route(
    shared: Shared, client: httpx2.AsyncClient, service: FastAPI, app: App
) -> None:
    async with app.db.transaction() as tx:
        own_id = await tx.value(
            "SELECT id FROM imaging_studies WHERE study_instance_uid = %(uid)s", uid=shared.other.study_instance_uid
        )
    other = Other(shared.other.objects[0], dict.fromkeys(SEEDED, str(own_id)))
    secrets = [shared.other.study_instance_uid, shared.other.sop_instance_uid, str(other.image.AccessionNumber)]
    for answer in await walk(service, client, [other], secrets, OURS | JSON):
        asked = answer.request
        if asked.method != "GET":
            assert answer.status_code >= 400 or asked.url.path == "/login", (asked.method, asked.url, answer.text)
        elif shared.other.study_instance_uid in asked.url.path:
            assert answer.status_code >= 400 or answer.json() == [], (asked.url, answer.text)


async def test_wado_with_the_study_of_the_link_and_the_series_of_another(
    shared: Shared, client: httpx2.AsyncClient
) -> None:
    """The path names the study that may be seen, and below it what lies elsewhere."""
    series = f"/dicomweb/studies/{shared.one.study_instance_uid}/series/{shared.other.series_instance_uid}"
    for path in (series, f"{series}/metadata", f"{series}/instances/{shared.other.sop_instance_uid}/frames/1"):
        assert (await client.get(path)).status_code == 404
    assert (await client.get(f"{series}/instances")).json() == []


async def test_a_link_session_can_store_nothing(shared: Shared, client: httpx2.AsyncClient) -> None:
    study = f"/dicomweb/studies/{shared.one.study_instance_uid}"
    headers = OURS | {"content-type": 'multipart/related; type="application/dicom"; boundary=x'}
    answer = await client.post(study, headers=headers, content=b"--x--")
    assert answer.status_code == 403, answer.text


async def test_the_viewer_is_told_to_show_no_list(shared: Shared, client: httpx2.AsyncClient) -> None:
    configuration = await client.get("/viewer/app-config.js")
    assert configuration.text.startswith('window.radiology = {"onlyStudy":true};')


async def test_a_link_ends_with_its_time_and_when_it_is_ended(
    shared: Shared, client: httpx2.AsyncClient, client_as: ClientAs, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "SESSION_REMEMBERED_SECONDS", 0.0)
    study = f"/api/radiology/studies/{shared.one.study_instance_uid}"
    doctor = await client_as("radiologist")
    second = (await doctor.post(f"{study}/links", json={"hours": 2})).json()
    await client.get(second["lightUrl"])
    assert (await client.get("/dicomweb/studies")).status_code == 200
    clock.advance(2 * 3600.0)
    assert (await client.get("/dicomweb/studies")).status_code == 401
    gone = await client.get(second["url"])
    assert gone.status_code == 404
    assert "মেয়াদ শেষ" in gone.text
    await client.get(shared.link["url"])
    assert (await client.get("/dicomweb/studies")).status_code == 200
    assert (await doctor.delete(f"{study}/links/{shared.link['id']}")).status_code == 204
    assert (await client.get("/dicomweb/studies")).status_code == 401
    assert (await client.get(shared.link["url"])).status_code == 404


async def test_who_works_here_stays_who_they_are_when_they_open_a_link(
    shared: Shared, client: httpx2.AsyncClient, app: App
) -> None:
    await accounts.make_account(app, "nasrin", role="radiologist", password="jamuna river")
    await client.post("/login", data={"name": "nasrin", "password": "jamuna river"}, headers=OURS)
    await client.get(shared.link["url"])
    assert len((await client.get("/dicomweb/studies")).json()) == 2


async def test_who_may_only_read_gives_no_links_away(shared: Shared, client_as: ClientAs) -> None:
    referrer = await client_as("referrer")
    path = f"/api/radiology/studies/{shared.one.study_instance_uid}/links"
    assert (await referrer.post(path, json={})).status_code == 403


async def test_the_address_of_a_study_names_the_prior_beside_it(shared: Shared, client_as: ClientAs) -> None:
    doctor = await client_as("radiologist")
    path = f"/api/radiology/studies/{shared.one.study_instance_uid}/viewer"
    answer = (await doctor.get(path)).json()
    uids = f"{shared.one.study_instance_uid},{shared.other.study_instance_uid}"
    assert answer["url"] == f"http://radiology.test/viewer/viewer?StudyInstanceUIDs={uids}"
    assert answer["priors"] == [shared.other.study_instance_uid]
    assert (await doctor.get(f"{path}?priors=0")).json()["priors"] == []
    led = await doctor.get(path, headers={"accept": "text/html"})
    assert (led.status_code, led.headers["location"]) == (302, f"/viewer/viewer?StudyInstanceUIDs={uids}")
    older = await doctor.get(f"/api/radiology/studies/{shared.other.study_instance_uid}/viewer")
    assert older.json()["priors"] == []
