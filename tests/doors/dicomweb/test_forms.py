"""In which form answers come: JSON or XML, which character set, compressed or not (PS3.18 8.7)."""

import gzip

import imagecodecs
import orjson
import pytest
from starlette.requests import Request

import make
from conftest import ClientAs
from multipart import parts_of
from radiology.app import App
from radiology.doors.dicomweb.media_types import parse_accept
from radiology.doors.http.negotiation import encoding_of
from radiology.standards.dicom import xml_model

pytestmark = pytest.mark.anyio
XML = "application/dicom+xml"
XML_PARTS = 'multipart/related; type="application/dicom+xml"'


@pytest.mark.parametrize("accept", [XML, XML_PARTS])
async def test_searches_and_metadata_come_as_parts_of_xml(app: App, client_as: ClientAs, accept: str) -> None:
    stored = await make.a_study(app, instances=3)
    client = await client_as("radiologist")
    study = f"/dicomweb/studies/{stored.study_instance_uid}"
    for path in (f"{study}/metadata", f"{study}/instances", "/dicomweb/studies"):
        expected = (await client.get(path)).json()
        answer = await client.get(path, headers={"accept": accept})
        assert answer.headers["content-type"].startswith(XML_PARTS + "; boundary=")
        parts = parts_of(answer)
        assert [kind for kind, _ in parts] == [XML] * len(expected)
        assert [xml_model.decode(part) for _, part in parts] == expected
    nothing = await client.get("/dicomweb/studies?PatientID=nobody", headers={"accept": accept})
    assert (nothing.status_code, nothing.content) == (204, b"")
    etag = (await client.get(f"{study}/metadata", headers={"accept": accept})).headers["etag"]
    again = await client.get(f"{study}/metadata", headers={"accept": accept, "if-none-match": etag})
    assert again.status_code == 304


async def test_the_parameter_goes_before_the_header(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app)
    client = await client_as("radiologist")
    path = f"/dicomweb/studies/{stored.study_instance_uid}/metadata"
    for parameter in ("application/dicom%2Bxml", "application/dicom+xml"):
        answer = await client.get(f"{path}?accept={parameter}", headers={"accept": "application/dicom+json"})
        assert answer.headers["content-type"].startswith(XML_PARTS), parameter
    assert (await client.get(f"{path}?accept=image/gif", headers={"accept": "*/*"})).status_code == 406


async def test_quality_decides(app: App, client_as: ClientAs) -> None:
    await make.a_study(app)
    client = await client_as("radiologist")
    for accept, expected in {
        f"{XML}; q=0.5, application/dicom+json; q=0.9": "application/dicom+json",
        f"{XML}; q=0.5, application/dicom+json; q=0.1": "multipart/related",
        "image/gif, application/json; q=0.2": "application/json",
        "application/dicom+json; q=0, */*; q=0.1": "application/json",
        "application/*, application/dicom+json; q=0.5": "application/json",
    }.items():
        answer = await client.get("/dicomweb/studies", headers={"accept": accept})
        assert answer.headers["content-type"].partition(";")[0] == expected, accept
    assert (await client.get("/dicomweb/studies", headers={"accept": "text/html"})).status_code == 406


def test_accept_is_read_with_its_quotes_and_qualities() -> None:
    best, second = parse_accept(['a/b; q=0.3, multipart/related; type="x,y/z; w"; q=0.7'])
    assert (best.content, best.quality, second.type) == ("x,y/z; w", 0.7, "a/b")


async def test_only_utf_8_is_a_character_set(client_as: ClientAs) -> None:
    client = await client_as("radiologist")
    for charset, status in {"utf-8": 200, "UTF-8, iso-8859-1;q=0.5": 200, "*": 200, "iso-8859-1": 406}.items():
        answer = await client.get("/dicomweb/studies", params={"charset": charset})
        assert answer.status_code == status, charset


async def test_long_json_is_compressed_for_who_takes_it_and_images_are_not(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, instances=20, Rows=64, Columns=64, PixelData=bytes(8192))
    client = await client_as("radiologist")
    plain = await client.get("/dicomweb/instances", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for coding, decode in {"gzip": gzip.decompress, "zstd": imagecodecs.zstd_decode}.items():
        headers = {"accept-encoding": coding}
        async with client.stream("GET", "/dicomweb/instances", headers=headers) as answer:
            body = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == coding
        assert int(answer.headers["content-length"]) == len(body) < len(plain.content) / 4
        assert orjson.loads(decode(body)) == plain.json()
    series = f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
    frame = await client.get(f"{series}/instances/{stored.sop_instance_uid}/frames/1")
    assert "content-encoding" not in frame.headers


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", None),
        ("identity", None),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("gzip;q=0", None),
        ("*", "zstd"),
        ("gzip;q=x", None),
    ],
)
def test_the_coding_that_is_liked_best_is_used(header: str, coding: str | None) -> None:
    request = Request({"type": "http", "headers": [(b"accept-encoding", header.encode())]})
    assert encoding_of(request, ["zstd", "gzip"]) == coding


async def test_requests_are_counted_by_their_route(client_as: ClientAs) -> None:
    client = await client_as("administrator")
    await client.get("/dicomweb/studies/1.2.3/metadata")
    metrics = (await client.get("/metrics")).text
    assert 'endpoint="/dicomweb/studies/{study}/metadata"' in metrics
