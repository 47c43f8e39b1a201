"""Objects and frames in another transfer syntax than they are stored in (PS3.18 8.7.3), read by dicomweb-client."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from copy import deepcopy
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from fastapi import FastAPI
from imagecodecs import htj2k_decode
from pydicom.encaps import encapsulate
from pydicom.pixels import pixel_array
from pydicom.uid import (
    MPEG4HP41,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)
from requests import HTTPError

import make
from conftest import ClientAs
from multipart import parts_of
from radiology.access import accounts
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.doors.dicomweb.sending import Streamed
from radiology.standards.dicom.uids import TRANSFER_SYNTAXES
from radiology.studies.converting import converted_chunks
from radiology.studies.queries.retrieve import Target, instances_of
from served import served

pytestmark = pytest.mark.anyio

MEDIA_TYPES = {
    HTJ2KLossless: "image/jphc",
    HTJ2KLosslessRPCL: "image/jphc",
    JPEG2000Lossless: "image/jp2",
    JPEGLSLossless: "image/jls",
    RLELossless: "image/dicom-rle",
    ExplicitVRLittleEndian: "application/octet-stream",
}
LOSSLESS = list(MEDIA_TYPES)
HTJ2K = (HTJ2KLossless, HTJ2KLosslessRPCL)
LARGEST_FILE_BYTES = 700_000
MOST_DECODED_BYTES = 4_000_000
#: Why a shared image is not sent in another syntax: what the sentence says.
REASONS = ("of this kind is not compressed", "cannot be decompressed here", "does not decode", "cannot be decoded")


@pytest.fixture
async def judge(service: FastAPI, app: App) -> AsyncIterator[DICOMwebClient]:
    # Among the shared images are sensitive ones.
    token = await accounts.make_token(app, "judge", role="privacy-officer")
    async with served(service) as port:
        client = DICOMwebClient(f"http://127.0.0.1:{port}/dicomweb", headers={"Authorization": f"Bearer {token}"})
        yield client
        client._session.close()


def images(folder: Path) -> list[pydicom.Dataset]:
    """The shared images that pydicom decodes, each as an object of its own."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.stat().st_size > LARGEST_FILE_BYTES:
            continue
        try:
            image = pydicom.dcmread(path)
            big_endian_long = image.file_meta.TransferSyntaxUID == ExplicitVRBigEndian and image.BitsAllocated > 16
            if pixels(image).nbytes > MOST_DECODED_BYTES or big_endian_long:
                continue  # Which half of a long value comes first in a word of big endian is not agreed on.
            image.filename = None
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            image.StudyInstanceUID, image.SeriesInstanceUID = generate_uid(), generate_uid()
            make.as_file(image)
        except Exception:  # noqa: S112 - what pydicom does not decode it cannot be compared with.
            continue
        found.append(image)
    return found


def pixels(image: pydicom.Dataset) -> Any:
    """The values, without what lies in bits beside them."""
    unused = image.BitsAllocated - image.get("BitsStored", image.BitsAllocated)
    found = pixel_array(image, raw=True)
    return found << unused >> unused if found.itemsize * 8 == image.BitsAllocated else found


def targets_of(image: pydicom.Dataset) -> list[str]:
    syntax = TRANSFER_SYNTAXES[image.file_meta.TransferSyntaxUID]
    return [uid for uid in LOSSLESS if uid == ExplicitVRLittleEndian or not (syntax.lossy or syntax.deflated
            or syntax.big_endian)]  # fmt: skip


@pytest.mark.peer("DICOMweb", "dicomweb-client")
@pytest.mark.filterwarnings("ignore::UserWarning")
async def test_every_shared_image_keeps_its_pixels(app: App, judge: DICOMwebClient, shared_data: Path) -> None:
    found = images(shared_data / "dicom")
    await make.store(app, *found)
    turn, sent, refused = cycle(LOSSLESS), Counter[str](), []
    for image in found:
        possible = targets_of(image)
        wanted = next(uid for uid in turn if uid in possible)
        uids = (image.StudyInstanceUID, image.SeriesInstanceUID, image.SOPInstanceUID)
        stored = image.file_meta.TransferSyntaxUID
        try:
            whole = await asyncio.to_thread(retrieved, judge, uids, wanted)
        except HTTPError as error:
            refused.append((image.BitsAllocated, image.PhotometricInterpretation, error.response))
            continue
        assert whole.file_meta.TransferSyntaxUID == wanted
        assert whole.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID
        sent[wanted] += 1
        if TRANSFER_SYNTAXES[stored].lossy:
            assert whole.get("LossyImageCompression", "01") == "01" or stored.endswith((".91", ".203"))
            continue
        expected = pixels(image)
        assert np.array_equal(pixels(whole), expected), (stored, wanted, image.SOPClassUID.name)
        frame = await asyncio.to_thread(first_frame, judge, uids, wanted)
        first = expected[0] if int(image.get("NumberOfFrames") or 1) > 1 else expected
        assert np.array_equal(pixels(alone(image, frame, wanted)), first), (stored, wanted, image.SOPClassUID.name)
    assert sent.total() >= 100, (sent, refused)
    assert set(sent) == set(LOSSLESS)
    assert {answer.status_code for *_, answer in refused} == {406}
    unexpected = [one.text for bits, kind, one in refused if bits in (8, 16) and kind != "YBR_FULL_422"]
    # The encoder of JPEG-LS has no room for images of a few pixels.
    assert len(unexpected) <= 1, unexpected


@pytest.fixture
async def frame_url(app: App, client_as: ClientAs) -> tuple[Any, str, pydicom.Dataset]:
    """A client, the resource of the first frame of an image of 16 bits, and the image."""
    values = np.add.outer(np.arange(256) * 7, np.arange(256) * 5).astype("<u2")
    stored = await make.a_study(
        app, Rows=256, Columns=256, BitsAllocated=16, BitsStored=12, HighBit=11, PixelData=values.tobytes()
    )
    url = f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
    return await client_as("radiologist"), f"{url}/instances/{stored.sop_instance_uid}/frames/1", stored.objects[0]


async def test_the_beginning_of_a_frame_is_a_small_picture(frame_url: tuple[Any, str, pydicom.Dataset]) -> None:
    client, url, image = frame_url
    accept = f"image/jphc; transfer-syntax={HTJ2KLosslessRPCL}"
    whole = await client.get(url, headers={"accept": accept})
    assert whole.headers["content-type"] == "image/jphc"
    assert np.array_equal(htj2k_decode(whole.content), pixels(image))
    first_tile_part = whole.content.index(b"\xff\x90")
    first = first_tile_part + int.from_bytes(whole.content[first_tile_part + 6 : first_tile_part + 10]) - 1
    part = await client.get(url, headers={"accept": accept, "range": f"bytes=0-{first}"})
    assert (part.status_code, part.content) == (206, whole.content[: first + 1])
    small = htj2k_decode(part.content, skipres=2, resilient=True)
    assert small.shape == (64, 64)
    assert np.abs(small.astype(int) - pixels(image)[1::4, 1::4].astype(int)).max() < 40
    rest = {"accept": accept, "range": f"bytes={first + 1}-", "if-range": part.headers["etag"]}
    assert part.content + (await client.get(url, headers=rest)).content == whole.content


async def test_each_form_has_an_etag_of_its_own(frame_url: tuple[Any, str, pydicom.Dataset]) -> None:
    client, url, _ = frame_url
    tags = set()
    for uid, media_type in MEDIA_TYPES.items():
        answer = await client.get(url, headers={"accept": f"{media_type}; transfer-syntax={uid}"})
        assert answer.status_code == 200
        tags.add(answer.headers["etag"])
        again = {"accept": f"{media_type}; transfer-syntax={uid}", "if-none-match": answer.headers["etag"]}
        assert (await client.get(url, headers=again)).status_code == 304
    assert len(tags) == len(MEDIA_TYPES)


@pytest.mark.parametrize("syntax", [HTJ2KLossless, JPEG2000Lossless, ImplicitVRLittleEndian])
async def test_what_was_stored_with_loss_is_not_compressed_again(
    app: App, client_as: ClientAs, shared_data: Path, syntax: str
) -> None:
    stored = await make.store(app, (shared_data / "dicom/pydicom/SC_rgb_jpeg_dcmtk.dcm").read_bytes())
    client = await client_as("radiologist")
    url = f"/dicomweb/studies/{stored.study_instance_uid}"
    answer = await client.get(url, headers={"accept": f'multipart/related; type="application/dicom"; '
                                            f"transfer-syntax={syntax}"})  # fmt: skip
    assert answer.status_code == 406
    assert "transfer-syntax=*" in answer.json()["detail"]
    explicit = {"accept": f'multipart/related; type="application/dicom"; transfer-syntax={ExplicitVRLittleEndian}'}
    ((_, part),) = parts_of(await client.get(url, headers=explicit))
    assert pydicom.dcmread(BytesIO(part)).LossyImageCompression == "01"


async def test_video_is_never_converted(app: App, client_as: ClientAs) -> None:
    video = make.an_object(MPEG4HP41)
    video.PixelData = encapsulate([b"\0\0\1\xba" * 8])
    video["PixelData"].VR = "OB"
    stored = await make.store(app, video)
    client = await client_as("radiologist")
    url = f"/dicomweb/studies/{stored.study_instance_uid}"
    for uid in LOSSLESS:
        accept = f'multipart/related; type="application/dicom"; transfer-syntax={uid}'
        assert (await client.get(url, headers={"accept": accept})).status_code == 406


async def test_what_does_not_decode_is_406_with_the_reason(app: App, client_as: ClientAs) -> None:
    broken = make.an_object(JPEG2000Lossless)
    broken.PixelData = encapsulate([b"no codestream at all, but even."])
    broken["PixelData"].VR = "OB"
    stored = await make.store(app, broken)
    client = await client_as("radiologist")
    instance = (
        f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
        f"/instances/{stored.sop_instance_uid}"
    )
    for url, media_type in ((instance, "application/dicom"), (f"{instance}/frames/1", "application/octet-stream")):
        for form in (f"{media_type}; ", f'multipart/related; type="{media_type}"; '):
            accept = f"{form}transfer-syntax={ExplicitVRLittleEndian}"
            answer = await client.get(url, headers={"accept": accept})
            assert answer.status_code == 406, (url, form)
            assert "decode" in answer.json()["detail"]


async def test_what_is_made_for_a_client_ends_with_it() -> None:
    ended, waiting = asyncio.Event(), asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield b"a beginning"
            waiting.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def receive() -> dict[str, str]:
        await waiting.wait()
        return {"type": "http.disconnect"}

    async def send(_message: object) -> None:
        pass

    answer = Streamed(chunks(), media_type="application/octet-stream", size_bytes=None)
    async with asyncio.timeout(10):
        await answer({"type": "http", "method": "GET"}, receive, send)  # type: ignore[arg-type]
    assert ended.is_set()


async def test_a_conversion_that_is_given_up_leaves_no_file(app: App, shared_data: Path) -> None:
    stored = await make.store(app, (shared_data / "dicom/pydicom/CT_small.dcm").read_bytes())
    async with app.db.transaction() as tx:
        (instance,) = await instances_of(tx, Target(stored.study_instance_uid), visible_to=SYSTEM)
    converting = asyncio.create_task(anext(converted_chunks(app.objects, instance, HTJ2KLossless)))
    await asyncio.sleep(0)
    assert list(app.objects.root.rglob("*.part"))
    converting.cancel()
    with suppress(asyncio.CancelledError):
        await converting
    assert not list(app.objects.root.rglob("*.part"))


def retrieved(judge: DICOMwebClient, uids: tuple[str, str, str], wanted: str) -> pydicom.Dataset:
    """An instance by the client; where it does not know the transfer syntax, over its session."""
    if wanted not in HTJ2K:
        return judge.retrieve_instance(*uids, (("application/dicom", wanted),))
    return pydicom.dcmread(BytesIO(asked(judge, uids, "", f'"application/dicom"; transfer-syntax={wanted}')))


def first_frame(judge: DICOMwebClient, uids: tuple[str, str, str], wanted: str) -> bytes:
    if wanted not in HTJ2K:
        return judge.retrieve_instance_frames(*uids, [1], ((MEDIA_TYPES[wanted], wanted),))[0]
    return asked(judge, uids, "/frames/1", f'"image/jphc"; transfer-syntax={wanted}')


def asked(judge: DICOMwebClient, uids: tuple[str, str, str], path: str, wanted: str) -> bytes:
    study, series, instance = uids
    url = f"{judge.base_url}/studies/{study}/series/{series}/instances/{instance}{path}"
    answer = judge._session.get(url, headers={"Accept": f"multipart/related; type={wanted}"})
    answer.raise_for_status()
    ((_, part),) = parts_of(answer)
    return part


def alone(image: pydicom.Dataset, frame: bytes, transfer_syntax_uid: str) -> pydicom.Dataset:
    """One frame as an object, so that pydicom decodes it."""
    one = deepcopy(image)
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in one:
            delattr(one, keyword)
    one.NumberOfFrames = 1
    one.file_meta.TransferSyntaxUID = transfer_syntax_uid
    native = transfer_syntax_uid == ExplicitVRLittleEndian
    data = bytes(frame) + b"\0" * (len(frame) % 2) if native else encapsulate([bytes(frame)])
    one.add_new("PixelData", "OW" if native and one.BitsAllocated > 8 else "OB", data)
    if one.SamplesPerPixel > 1 and (not native or TRANSFER_SYNTAXES[image.file_meta.TransferSyntaxUID].encapsulated):
        one.PlanarConfiguration = 0
    return one
