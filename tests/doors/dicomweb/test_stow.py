"""STOW-RS and the specification's REST store: outcomes per instance, and bodies that break off."""

from dataclasses import replace

import pytest

from data_sets import data_set, part10
from multipart import BOUNDARY, RELATED, related

pytestmark = pytest.mark.anyio
STUDIES, STORE = "/dicomweb/studies", "/api/radiology/dicom/store"
DICOM = {"Content-Type": "application/dicom"}


@pytest.fixture
async def client(client_as):
    return await client_as("radiographer")


async def test_all_stored_gives_200_with_urls_that_work(client):
    ds = data_set()
    answer = await client.post(STUDIES, content=related(part10(ds)), headers={"Content-Type": RELATED})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/dicom+json"
    item = answer.json()["00081199"]["Value"][0]
    url = item["00081190"]["Value"][0]
    accept = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
    assert part10(ds) in (await client.get(url, headers=accept)).content
    assert answer.json()["00081190"]["Value"][0].endswith(f"/studies/{ds.StudyInstanceUID}")


async def test_a_single_object_without_multipart(client):
    answer = await client.post(STUDIES, content=part10(data_set()), headers=DICOM)
    assert answer.status_code == 200


async def test_another_study_than_the_path_names_fails_with_a900(client):
    mine, other = data_set(), data_set()
    body = related(part10(mine), part10(other))
    path = f"{STUDIES}/{mine.StudyInstanceUID}"
    answer = await client.post(path, content=body, headers={"Content-Type": RELATED})
    assert answer.status_code == 202
    failed = answer.json()["00081198"]["Value"][0]
    assert failed["00081155"]["Value"] == [other.SOPInstanceUID]
    assert failed["00081197"]["Value"] == [0xA900]
    assert len((await client.get("/dicomweb/instances")).json()) == 1


async def test_an_unreadable_part_is_among_the_other_failures(client):
    body = related(part10(data_set()), b"this is no DICOM file at all" * 40)
    answer = await client.post(STUDIES, content=body, headers={"Content-Type": RELATED})
    assert answer.status_code == 202
    assert answer.json()["0008119A"]["Value"][0]["00081197"]["Value"] == [0xC100]


async def test_the_same_again_is_stored_and_other_content_is_c104(client):
    ds = data_set()
    body = related(part10(ds))
    for _ in range(2):
        assert (await client.post(STUDIES, content=body, headers={"Content-Type": RELATED})).status_code == 200
    ds.PixelData = bytes(128)
    answer = await client.post(STUDIES, content=related(part10(ds)), headers={"Content-Type": RELATED})
    assert answer.status_code == 409
    assert answer.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xC104]


async def test_a_full_disk_gives_503_and_when_to_try_again(client, app):
    app.objects.reserve_bytes = 2**62
    answer = await client.post(STUDIES, content=related(part10(data_set())), headers={"Content-Type": RELATED})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    rest = await client.post(STORE, content=part10(data_set()), headers=DICOM)
    assert rest.status_code == 503
    assert [path for path in app.objects.root.rglob("*") if path.is_file()] == []
    app.objects.reserve_bytes = 0
    assert (await client.post(STORE, content=part10(data_set()), headers=DICOM)).status_code == 201


async def test_who_may_not_write_may_not_store(client_as):
    reader = await client_as("referrer")
    assert (await reader.post(STORE, content=part10(data_set()), headers=DICOM)).status_code == 403


async def test_many_small_chunks_and_a_boundary_across_them(client):
    ds = data_set()
    body = related(part10(ds), part10(data_set()))

    async def dribble():
        for start in range(0, len(body), 13):
            yield body[start : start + 13]

    answer = await client.post(STUDIES, content=dribble(), headers={"Content-Type": RELATED})
    assert answer.status_code == 200
    assert len(answer.json()["00081199"]["Value"]) == 2


async def test_a_quoted_boundary_a_preamble_and_lower_case_headers(client):
    body = b"a preamble that readers skip\r\n" + related(part10(data_set())).replace(b"Content-Type", b"content-type")
    headers = {"Content-Type": f'Multipart/Related; boundary="{BOUNDARY}"; type=application/dicom'}
    answer = await client.post(STUDIES, content=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_rest_store_answers_as_the_specification_says(client):
    ds = data_set()
    first = await client.post(STORE, content=part10(ds), headers=DICOM)
    assert first.status_code == 201
    body = first.json()
    assert body["status"] == "0000"
    assert body["sopInstanceUid"] == ds.SOPInstanceUID
    assert body["created"] == {"study": True, "series": True}
    assert body["matched"] == {"order": None, "confidence": "none"}
    assert (await client.get(f"/api/radiology/studies/{body['studyId']}")).status_code == 200
    again = await client.post(STORE, content=part10(ds), headers=DICOM)
    assert again.status_code == 200
    assert again.json()["created"] == {"study": False, "series": False}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"no DICOM", DICOM, 400),
        (b"{}", {"Content-Type": "application/json"}, 415),
        (part10(data_set(SeriesInstanceUID=None)), DICOM, 422),
    ],
    ids=["unparsable", "media type", "missing UID"],
)
async def test_rest_store_refuses_with_a_problem_that_says_why(client, body, headers, status):
    answer = await client.post(STORE, content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.json()["detail"]) > 20


async def test_rest_store_of_other_content_is_409(client):
    ds = data_set()
    await client.post(STORE, content=part10(ds), headers=DICOM)
    ds.PixelData = bytes(128)
    assert (await client.post(STORE, content=part10(ds), headers=DICOM)).status_code == 409


async def test_rest_store_of_several(client):
    body = related(part10(data_set()), part10(data_set(StudyInstanceUID=None)))
    answer = await client.post(STORE, content=body, headers={"Content-Type": RELATED})
    assert answer.status_code == 207
    assert [item["status"] for item in answer.json()["instances"]] == ["0000", "C101"]


async def test_too_large_a_body_is_413(service, client_as):
    archive = service.state.archive
    small = archive.app.settings.model_copy(update={"max_request_bytes": 1000})
    service.state.archive = replace(archive, app=replace(archive.app, settings=small))
    client = await client_as("radiographer")
    answer = await client.post(STORE, content=part10(data_set(PixelData=bytes(5000))), headers=DICOM)
    assert answer.status_code == 413
