"""WADO-RS (PS3.18 10.4) as clients see it."""

from io import BytesIO
from typing import Any

import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

import make
from conftest import ClientAs
from multipart import parts_of
from radiology.app import App

pytestmark = pytest.mark.anyio

AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'


def url_of(stored: make.Stored, level: str = "instance") -> str:
    """The resource of what was stored first."""
    study = f"/dicomweb/studies/{stored.study_instance_uid}"
    series = f"{study}/series/{stored.series_instance_uid}"
    return {"study": study, "series": series, "instance": f"{series}/instances/{stored.sop_instance_uid}"}[level]


@pytest.mark.parametrize("level", ["study", "series", "instance"])
async def test_files_come_back_byte_for_byte(app: App, client_as: ClientAs, level: str) -> None:
    stored = await make.a_study(app, instances=1 if level == "instance" else 3)
    client = await client_as("radiologist")
    answer = await client.get(url_of(stored, level), headers={"accept": AS_STORED})
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    parts = parts_of(answer)
    assert [part for _, part in parts] == list(stored.files.values())
    assert {kind for kind, _ in parts} == {f"application/dicom; transfer-syntax={ExplicitVRLittleEndian}"}


async def test_one_object_comes_bare_when_asked(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app)
    client = await client_as("radiologist")
    answer = await client.get(url_of(stored), headers={"accept": "application/dicom; transfer-syntax=*"})
    assert answer.content == stored.files[stored.sop_instance_uid]
    assert answer.headers["content-type"].startswith("application/dicom")
    head = await client.head(url_of(stored), headers={"accept": "application/dicom; transfer-syntax=*"})
    assert (head.content, head.headers["content-length"]) == (b"", str(len(answer.content)))


async def test_a_large_object_comes_in_chunks(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, Rows=2048, Columns=1024, PixelData=bytes(range(256)) * 16384)
    client = await client_as("radiologist")
    answer = await client.get(url_of(stored), headers={"accept": AS_STORED})
    assert [part for _, part in parts_of(answer)] == list(stored.files.values())


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
async def test_uncompressed_objects_become_explicit_little_endian(app: App, client_as: ClientAs, syntax: str) -> None:
    image = make.an_object(syntax)
    image.RequestAttributesSequence = [pydicom.Dataset()]
    image.RequestAttributesSequence[0].ScheduledProcedureStepID = "7"
    stored = await make.store(app, image)
    client = await client_as("radiologist")
    ((kind, part),) = parts_of(await client.get(url_of(stored)))
    assert kind.endswith(ExplicitVRLittleEndian)
    converted = pydicom.dcmread(BytesIO(part))
    assert converted.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert converted == pydicom.dcmread(BytesIO(stored.files[stored.sop_instance_uid]))
    asked = await client.get(url_of(stored), headers={"accept": AS_STORED})
    assert [part for _, part in parts_of(asked)] == list(stored.files.values())


async def test_big_endian_objects_become_little_endian(app: App, client_as: ClientAs, shared_data: Any) -> None:
    files = [path for path in shared_data.rglob("*") if path.name == "ExplVR_BigEnd.dcm"]
    if not files:
        pytest.skip("the shared files have no such big endian object")
    original = pydicom.dcmread(files[0])
    stored = await make.store(app, files[0].read_bytes())
    client = await client_as("radiologist")
    ((_, part),) = parts_of(await client.get(url_of(stored)))
    converted = pydicom.dcmread(BytesIO(part))
    assert (converted.pixel_array == original.pixel_array).all()


async def test_compressed_objects_are_sent_as_they_are_or_not_at_all(app: App, client_as: ClientAs) -> None:
    stored = await make.store(app, _compressed(1))
    client = await client_as("radiologist")
    for accept in ("*/*", AS_STORED, f'multipart/related; type="application/dicom"; transfer-syntax={RLELossless}'):
        answer = await client.get(url_of(stored), headers={"accept": accept})
        assert [part for _, part in parts_of(answer)] == list(stored.files.values()), accept
    explicit = f'multipart/related; type="application/dicom"; transfer-syntax={ExplicitVRLittleEndian}'
    assert (await client.get(url_of(stored), headers={"accept": explicit})).status_code == 406


async def test_metadata_names_bulk_data_by_urls_that_work(app: App, client_as: ClientAs) -> None:
    image = make.an_object(Rows=64, Columns=64, PixelData=bytes(8192))
    item = pydicom.Dataset()
    item.EncapsulatedDocument = b"%PDF" * 1000
    item.add_new(0x00420012, "LO", "application/pdf")
    image.ReferencedImageEvidenceSequence = [pydicom.Dataset(), item]
    stored = await make.store(app, image)
    client = await client_as("radiologist")
    answer = await client.get(url_of(stored, "study") + "/metadata")
    assert answer.headers["content-type"] == "application/dicom+json"
    (metadata,) = answer.json()
    assert metadata["00100020"]["Value"] == [image.PatientID]
    assert (await client.get(metadata["7FE00010"]["BulkDataURI"])).content == bytes(8192)
    nested = metadata["00089092"]["Value"][1]["00420011"]["BulkDataURI"]
    assert (await client.get(nested)).content == b"%PDF" * 1000
    assert (await client.get(nested.replace("/1/", "/2/"))).status_code == 404
    assert (await client.get(url_of(stored) + "/bulkdata/nonsense")).status_code == 404


async def test_metadata_of_many_instances_is_one_list_in_order(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, instances=230)
    client = await client_as("radiologist")
    metadata = (await client.get(url_of(stored, "series") + "/metadata")).json()
    assert [instance["00200013"]["Value"] for instance in metadata] == [[number] for number in range(1, 231)]


async def test_an_etag_that_is_known_gives_304(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app)
    client = await client_as("radiologist")
    for path in ("", "/metadata", "/frames/1", "/bulkdata/7FE00010"):
        first = await client.get(url_of(stored) + path)
        assert first.status_code == 200, path
        again = await client.get(url_of(stored) + path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_a_study_that_grows_gets_another_etag(app: App, client_as: ClientAs) -> None:
    image = make.an_object()
    stored = await make.store(app, image)
    client = await client_as("radiologist")
    before = (await client.get(url_of(stored, "study"))).headers["etag"]
    await make.store(
        app,
        make.an_object(
            StudyInstanceUID=image.StudyInstanceUID,
            SeriesInstanceUID=image.SeriesInstanceUID,
            PatientID=image.PatientID,
            AccessionNumber=image.AccessionNumber,
            StudyID=image.StudyID,
        ),
    )
    assert (await client.get(url_of(stored, "study"))).headers["etag"] != before


@pytest.mark.parametrize(
    ("range_", "status", "expected"),
    [
        ("bytes=0-3", 206, slice(0, 4)),
        ("bytes=30-", 206, slice(30, 32)),
        ("bytes=-4", 206, slice(28, 32)),
        ("bytes=0-99", 206, slice(0, 32)),
        ("bytes=0-1,4-5", 200, slice(0, 32)),
        ("items=0-1", 200, slice(0, 32)),
        ("bytes=32-", 416, None),
        ("bytes=5-4", 416, None),
        ("bytes=-0", 416, None),
    ],
)
async def test_bulk_data_gives_a_range(
    app: App, client_as: ClientAs, range_: str, status: int, expected: slice | None
) -> None:
    stored = await make.a_study(app)
    client = await client_as("radiologist")
    answer = await client.get(url_of(stored) + "/bulkdata/7FE00010", headers={"range": range_})
    assert answer.status_code == status
    if expected is not None:
        assert answer.content == bytes(range(32))[expected]
    if status == 416:
        assert answer.headers["content-range"] == "bytes */32"


async def test_native_frames_come_in_the_order_asked(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, NumberOfFrames=3, PixelData=bytes(range(96)))
    client = await client_as("radiologist")
    answer = await client.get(url_of(stored) + "/frames/3,1")
    assert [part for _, part in parts_of(answer)] == [bytes(range(64, 96)), bytes(range(32))]
    bare = await client.get(url_of(stored) + "/frames/2", headers={"accept": "application/octet-stream"})
    assert bare.content == bytes(range(32, 64))


async def test_frames_of_single_bits_begin_at_a_byte(app: App, client_as: ClientAs) -> None:
    # Three frames of 12 bits each lie one behind the other without padding (PS3.5 8.1.1).
    packed = (0xABC | 0x123 << 12 | 0xFED << 24).to_bytes(6, "little")
    stored = await make.a_study(
        app, NumberOfFrames=3, Rows=3, Columns=4, BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=packed
    )
    client = await client_as("radiologist")
    parts = parts_of(await client.get(url_of(stored) + "/frames/1,2,3"))
    assert [int.from_bytes(part, "little") for _, part in parts] == [0xABC, 0x123, 0xFED]


async def test_compressed_frames_are_their_fragments(app: App, client_as: ClientAs) -> None:
    stored = await make.store(app, _compressed(3))
    client = await client_as("radiologist")
    accept = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
    parts = parts_of(await client.get(url_of(stored) + "/frames/1,3", headers={"accept": accept}))
    assert [part for _, part in parts] == [b"\1" * 10, b"\3" * 10]
    assert parts[0][0] == f"application/octet-stream; transfer-syntax={RLELossless}"
    rle = await client.get(url_of(stored) + "/frames/2", headers={"accept": "image/dicom-rle"})
    assert (rle.headers["content-type"], rle.content) == ("image/dicom-rle", b"\2" * 10)


async def test_frames_of_several_fragments_follow_the_offset_table(app: App, client_as: ClientAs) -> None:
    image = _compressed(2, fragments=2)
    stored = await make.store(app, image)
    client = await client_as("radiologist")
    answer = await client.get(url_of(stored) + "/frames/2,1", headers={"accept": "*/*"})
    assert [part for _, part in parts_of(answer)] == [b"\2" * 10, b"\1" * 10]


async def test_what_is_not_there_is_404(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app)
    client = await client_as("radiologist")
    for path in (
        "/dicomweb/studies/1.2.3",
        "/dicomweb/studies/1.2.3/metadata",
        url_of(stored, "study") + "/series/1.2",
    ):
        assert (await client.get(path)).status_code == 404
    assert (await client.get("/dicomweb/studies/x.y")).status_code == 400


def _compressed(frames: int, *, fragments: int = 1) -> bytes:
    """An object whose frames are ten bytes of their number, with an offset table."""
    image = make.an_object(RLELossless, NumberOfFrames=frames)
    data = [bytes([number]) * 10 for number in range(1, frames + 1)]
    image.PixelData = encapsulate(data, fragments_per_frame=fragments)
    image["PixelData"].VR = "OB"
    image["PixelData"].is_undefined_length = True
    return make.as_file(image)
