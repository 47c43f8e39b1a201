"""The light viewer's page: its first picture is named in it, in both languages, and it trusts no text of an image."""

import re
from collections.abc import Awaitable, Callable

import httpx2
import orjson
import pytest

import make
from radiology.app import App

pytestmark = pytest.mark.anyio

ClientAs = Callable[..., Awaitable[httpx2.AsyncClient]]


@pytest.fixture
async def reader(client_as: ClientAs) -> httpx2.AsyncClient:
    return await client_as("referrer")


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="study">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return orjson.loads(found[1])


async def test_the_first_picture_stands_in_the_page_and_comes(app: App, reader: httpx2.AsyncClient) -> None:
    study = await make.a_study(app, instances=7, WindowCenter="40", WindowWidth="80")
    page = await reader.get(f"/light/{study.study_instance_uid}")
    assert page.status_code == 200
    picture = re.search(r'<img id="picture" alt="" src="([^"]+)"', page.text)
    assert picture is not None
    path = picture[1].replace("&amp;", "&")
    assert str(study.objects[3].SOPInstanceUID) in path, "of a stack the middle comes first"
    answer = await reader.get(path, headers={"accept": "image/*"})
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8")
    (series,) = data_of(page.text)["series"]
    assert (series["window"], series["images"], series["place"]) == ([40.0, 80.0], 7, 3)
    assert "রহমান আব্দুর · RAHMAN ABDUR" in page.text
    assert "script-src 'self';" in page.headers["content-security-policy"]


async def test_it_speaks_bangla_when_asked_and_remembers(app: App, reader: httpx2.AsyncClient) -> None:
    study = await make.a_study(app)
    path = f"/light/{study.study_instance_uid}"
    assert ">Contrast<" in (await reader.get(path)).text
    assert ">কনট্রাস্ট<" in (await reader.get(path, headers={"accept-language": "bn-BD,bn;q=0.9"})).text
    assert ">কনট্রাস্ট<" in (await reader.get(path + "?lang=bn")).text
    assert ">কনট্রাস্ট<" in (await reader.get(path)).text


async def test_text_of_an_image_is_never_markup(app: App, reader: httpx2.AsyncClient) -> None:
    evil = '</script><script>alert(1)</script>{json}"'
    study = await make.a_study(app, PatientName=evil, SeriesDescription=evil, StudyDescription=evil)
    page = (await reader.get(f"/light/{study.study_instance_uid}")).text
    assert page.count("</script>") == 2
    assert "<script>alert" not in page
    assert data_of(page)["series"][0]["title"] == evil


async def test_the_images_of_a_series_in_their_order(app: App, reader: httpx2.AsyncClient) -> None:
    study = await make.a_study(app, instances=3)
    path = f"/light/{study.study_instance_uid}/{study.series_instance_uid}"
    answer = await reader.get(path)
    assert answer.json() == [[str(each.SOPInstanceUID), 1] for each in study.objects]
    assert (await reader.get(f"/light/{study.study_instance_uid}/1.2.3")).status_code == 404


async def test_what_is_no_image_is_a_document_to_open(app: App, reader: httpx2.AsyncClient) -> None:
    report = make.an_object(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", Modality="SR", Rows=None, Columns=None, PixelData=b"", Frames=None
    )
    del report.PixelData
    study = await make.store(app, report)
    page = (await reader.get(f"/light/{study.study_instance_uid}")).text
    assert data_of(page)["series"][0]["kind"] == "document"
    assert 'src=""' in page


async def test_it_needs_a_session_and_a_study_that_may_be_seen(
    app: App, client: httpx2.AsyncClient, reader: httpx2.AsyncClient
) -> None:
    study = await make.a_study(app)
    path = f"/light/{study.study_instance_uid}"
    asked = await client.get(path, headers={"accept": "text/html"})
    assert (asked.status_code, asked.headers["location"].split("?")[0]) == (303, "/login")
    assert (await reader.get("/light/1.2.3")).status_code == 404
    assert (await reader.get("/light/../secret")).status_code in {400, 401, 404}


async def test_script_and_style_are_kept_for_ever_and_small(app: App, reader: httpx2.AsyncClient) -> None:
    study = await make.a_study(app)
    page = (await reader.get(f"/light/{study.study_instance_uid}")).text
    for path in re.findall(r'(?:src|href)="(/light/page/[^"]+)"', page):
        answer = await reader.get(path)
        assert "immutable" in answer.headers["cache-control"]
        assert int(answer.headers["content-length"]) < 10_000
        assert len(answer.content) < 30_000
    assert (await reader.get("/light/page/x/secret")).status_code == 404
