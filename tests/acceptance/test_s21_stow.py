import pytest

from data_sets import data_set, part10
from multipart import RELATED, related

pytestmark = pytest.mark.anyio
STUDIES = "/dicomweb/studies"


async def test_s21_three_good_and_one_bad_give_202_and_name_the_bad_one(client_as):
    client = await client_as("radiographer")
    good, bad = [data_set() for _ in range(3)], data_set(SeriesInstanceUID=None)
    answer = await client.post(STUDIES, content=related(*map(part10, [*good, bad])), headers={"Content-Type": RELATED})
    assert answer.status_code == 202
    body = answer.json()
    failed = body["00081198"]["Value"]
    assert [item["00081155"]["Value"][0] for item in failed] == [bad.SOPInstanceUID]
    assert failed[0]["00081197"]["Value"] == [0xC101]
    stored = {item["00081155"]["Value"][0] for item in body["00081199"]["Value"]}
    assert stored == {ds.SOPInstanceUID for ds in good}
    found = (await client.get("/dicomweb/instances")).json()
    assert {item["00080018"]["Value"][0] for item in found} == stored


async def test_s21_none_good_gives_409(client_as):
    client = await client_as("radiographer")
    bad = related(part10(data_set(StudyInstanceUID=None)))
    answer = await client.post(STUDIES, content=bad, headers={"Content-Type": RELATED})
    assert answer.status_code == 409
    assert "00081199" not in answer.json()


@pytest.mark.parametrize("content_type", ["application/json", "image/jpeg", 'multipart/form-data; boundary="x"', ""])
async def test_s21_a_wrong_media_type_gives_415(client_as, content_type):
    client = await client_as("radiographer")
    answer = await client.post(STUDIES, content=b"{}", headers={"Content-Type": content_type})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing like multipart",
        related(part10(data_set()))[:-20],
        related(part10(data_set())).replace(b"\r\n\r\n", b"\r\n", 1),
        related(part10(data_set()), part10(data_set()), b"x").replace(b"\r\n\r\nx", b"\r\nno header"),
    ],
    ids=["empty", "no boundary", "cut short", "header without end", "broken behind whole parts"],
)
async def test_s21_a_broken_multipart_gives_400_and_stores_nothing(client_as, app, body):
    client = await client_as("radiographer")
    answer = await client.post(STUDIES, content=body, headers={"Content-Type": RELATED})
    assert answer.status_code == 400, answer.text
    assert (await client.get("/dicomweb/instances")).json() == []
    assert [path for path in app.objects.root.rglob("*") if path.is_file()] == []


async def test_s21_a_missing_boundary_gives_400(client_as):
    client = await client_as("radiographer")
    headers = {"Content-Type": 'multipart/related; type="application/dicom"'}
    assert (await client.post(STUDIES, content=related(b"x"), headers=headers)).status_code == 400
