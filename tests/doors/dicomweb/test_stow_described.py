"""STOW-RS with metadata in JSON or XML and bulk data in parts of their own (PS3.18 10.5.1)."""

from io import BytesIO
from typing import Any

import httpx2
import orjson
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

import make
from conftest import ClientAs
from multipart import BOUNDARY
from radiology.app import App
from radiology.standards.dicom import xml_model

pytestmark = pytest.mark.anyio
STUDIES = "/dicomweb/studies"
JSON, XML = "application/dicom+json", "application/dicom+xml"
AS_STORED = "application/dicom; transfer-syntax=*"


@pytest.fixture
async def client(client_as: ClientAs) -> httpx2.AsyncClient:
    return await client_as("radiographer")


def metadata_of(image: Dataset, **uris: str) -> dict[str, Any]:
    """The metadata of an object, with bulk data by reference."""
    metadata = image.to_json_dict()
    for keyword, uri in uris.items():
        tag = f"{pydicom.datadict.tag_for_keyword(keyword):08X}"
        metadata[tag] = {"vr": image[keyword].VR, "BulkDataURI": uri}
    return metadata


def body_of(*parts: tuple[str, str, bytes]) -> bytes:
    """Content-Type, Content-Location and bytes of each part."""
    text = b""
    for kind, location, content in parts:
        where = f"\r\nContent-Location: {location}" if location else ""
        text += f"--{BOUNDARY}\r\nContent-Type: {kind}{where}\r\n\r\n".encode() + content + b"\r\n"
    return text + f"--{BOUNDARY}--\r\n".encode()


def described(part_type: str, *metadata: dict[str, Any]) -> list[tuple[str, str, bytes]]:
    if part_type == JSON:
        return [(JSON, "", orjson.dumps(metadata))]
    return [(XML, "", xml_model.encode(one)) for one in metadata]


def content_type(part_type: str) -> dict[str, str]:
    return {"Content-Type": f'multipart/related; type="{part_type}"; boundary={BOUNDARY}'}


async def stored(client: httpx2.AsyncClient, answer: Any) -> Dataset:
    assert answer.status_code == 200, answer.text
    url = answer.json()["00081199"]["Value"][0]["00081190"]["Value"][0]
    return pydicom.dcmread(BytesIO((await client.get(url, headers={"accept": AS_STORED})).content))


@pytest.mark.parametrize("part_type", [JSON, XML])
async def test_metadata_and_pixels_become_the_object(client: httpx2.AsyncClient, part_type: str) -> None:
    image = make.an_object(Rows=64, Columns=64, PixelData=bytes(range(256)) * 32)
    item = Dataset()
    item.EncapsulatedDocument = b"%PDF-1.7" * 300
    image.ReferencedImageEvidenceSequence = [Dataset(), item]
    image.private_block(0x0009, "MAKER", create=True).add_new(1, "LO", "value")
    metadata = metadata_of(image, PixelData="pixels")
    metadata["00089092"]["Value"][1]["00420011"] = {"vr": "OB", "BulkDataURI": "document"}
    parts = described(part_type, metadata)
    bulk = [
        ("application/octet-stream", "pixels", image.PixelData),
        ("application/pdf", "document", b"%PDF-1.7" * 300),
    ]
    answer = await client.post(STUDIES, content=body_of(*parts, *bulk), headers=content_type(part_type))
    made = await stored(client, answer)
    assert made == image
    assert made.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


async def test_frames_of_an_encapsulated_image_come_one_part_each(client: httpx2.AsyncClient) -> None:
    image = make.an_object(NumberOfFrames=3)
    kind = f"image/dicom-rle; transfer-syntax={RLELossless}"
    frames = [(kind, "frames", bytes([number]) * (9 + number)) for number in range(3)]
    body = body_of(*frames, *described(JSON, metadata_of(image, PixelData="frames")))
    made = await stored(client, await client.post(STUDIES, content=body, headers=content_type(JSON)))
    assert made.file_meta.TransferSyntaxUID == RLELossless
    found = list(pydicom.encaps.generate_frames(made.PixelData, number_of_frames=3))
    assert [frame.rstrip(b"\0") for frame in found[1:]] == [b"\1" * 10, b"\2" * 11]


async def test_a_jpeg_says_itself_how_it_is_compressed(client: httpx2.AsyncClient) -> None:
    file = BytesIO()
    Image.new("L", (8, 8), 100).save(file, "JPEG")
    image = make.an_object(Rows=8, Columns=8, BitsAllocated=8, BitsStored=8, HighBit=7, PixelData=bytes(64))
    body = body_of(*described(JSON, metadata_of(image, PixelData="x")), ("image/jpeg", "x", file.getvalue()))
    made = await stored(client, await client.post(STUDIES, content=body, headers=content_type(JSON)))
    assert made.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert made.pixel_array.shape == (8, 8)


async def test_metadata_alone_is_an_object_without_bulk_data(client: httpx2.AsyncClient) -> None:
    image = make.an_object()
    answer = await client.post(STUDIES, content=orjson.dumps(image.to_json_dict()), headers={"Content-Type": JSON})
    assert await stored(client, answer) == image


async def test_what_is_broken_fails_alone_and_says_why(client: httpx2.AsyncClient) -> None:
    good, dangling, nameless, alien = (make.an_object() for _ in range(4))
    del nameless.SOPInstanceUID
    metadata = [
        good.to_json_dict(),
        metadata_of(dangling, PixelData="nowhere"),
        nameless.to_json_dict(),
        metadata_of(alien, PixelData="alien"),
    ]
    bulk = [
        ("image/jpeg; transfer-syntax=1.2.3.4", "alien", b"?"),
        ("application/octet-stream", "orphan", b"nobody names me"),
    ]
    body = body_of(*described(JSON, *metadata), *bulk)
    answer = await client.post(STUDIES, content=body, headers=content_type(JSON))
    assert answer.status_code == 202
    assert [item["00081155"]["Value"][0] for item in answer.json()["00081199"]["Value"]] == [good.SOPInstanceUID]
    failed = {
        item["00081155"]["Value"][0]: (item["00081197"]["Value"][0], item["00000901"]["Value"][0])
        for item in answer.json()["00081198"]["Value"]
    }
    assert failed == {dangling.SOPInstanceUID: (0xC100, "7FE00010"), alien.SOPInstanceUID: (0xC122, "00020010")}
    others = [item["00081197"]["Value"][0] for item in answer.json()["0008119A"]["Value"]]
    assert sorted(others) == [0xC100, 0xC101]


@pytest.mark.parametrize(
    ("part_type", "text"),
    [
        (JSON, b"{"),
        (JSON, b'[{"00100020": "x"}]'),
        (JSON, b"[]"),
        (XML, b"<NativeDicomModel"),
        (XML, b'<!DOCTYPE x [<!ENTITY e "x">]><x>&e;</x>'),
        (XML, b"<a>" * 50_000),
    ],
)
async def test_metadata_that_is_none_stores_nothing(
    client: httpx2.AsyncClient, app: App, part_type: str, text: bytes
) -> None:
    body = body_of((part_type, "", text), ("application/octet-stream", "x", bytes(1000)))
    answer = await client.post(STUDIES, content=body, headers=content_type(part_type))
    assert answer.status_code == 400, answer.text
    assert [path for path in app.objects.root.rglob("*") if path.is_file()] == []


async def test_the_answer_is_xml_where_that_is_asked_for(client: httpx2.AsyncClient) -> None:
    image = make.an_object()
    headers = {"Content-Type": JSON, "accept": XML}
    answer = await client.post(STUDIES, content=orjson.dumps(image.to_json_dict()), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, XML)
    (item,) = xml_model.decode(answer.content)["00081199"]["Value"]
    assert item["00081155"]["Value"] == [image.SOPInstanceUID]
