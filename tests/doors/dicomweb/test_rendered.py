"""Rendered and Thumbnail (PS3.18 10.4.1.1.3, 10.4.1.1.4) as browsers and viewers ask for them."""

import asyncio
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import (
    BasicTextSRStorage,
    EncapsulatedPDFStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    JPEGBaseline8Bit,
    RLELossless,
    generate_uid,
)
from starlette.requests import Request
from starlette.types import Message

import make
from conftest import ClientAs
from multipart import parts_of
from radiology.app import App
from radiology.doors.dicomweb.rendered import unless_gone
from radiology.kit.cpu import LimitedProcesses

pytestmark = pytest.mark.anyio

STUDY, SERIES = "2.25.4711", "2.25.4712"
STEPS = np.repeat(np.array([[0, 1000], [2000, 4000]], "<u2"), 16, axis=0).repeat(16, axis=1)


def url_of(stored: make.Stored, level: str = "instance") -> str:
    study = f"/dicomweb/studies/{stored.study_instance_uid}"
    series = f"{study}/series/{stored.series_instance_uid}"
    return {"study": study, "series": series, "instance": f"{series}/instances/{stored.sop_instance_uid}"}[level]


def image_of(body: bytes) -> Image.Image:
    return Image.open(BytesIO(body))


async def of_steps(app: App, **attributes: object) -> make.Stored:
    """An image of four squares, each brighter than the one before."""
    window = {"WindowCenter": "2000", "WindowWidth": "4001"}
    return await make.a_study(app, Rows=32, Columns=32, PixelData=STEPS.tobytes(), **window | attributes)


async def test_each_media_type_and_parameter(app: App, client_as: ClientAs) -> None:
    stored = await of_steps(app)
    client = await client_as("radiologist")
    url = url_of(stored) + "/rendered"

    async def shown(query: str = "", accept: str = "image/png") -> Image.Image:
        answer = await client.get(url + query, headers={"accept": accept})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == accept
        return image_of(answer.content)

    assert np.unique(np.asarray(await shown())).tolist() == [0, 64, 128, 255]
    assert (await shown(accept="image/jpeg")).format == "JPEG"
    assert (await shown(accept="image/gif")).format == "GIF"
    assert np.unique(np.asarray(await shown("?window=500,1,LINEAR"))).tolist() == [0, 255]
    assert np.unique(np.asarray(await shown("?window=2000,1000,sigmoid"))).tolist() == [0, 5, 128, 255]
    assert (await shown("?viewport=64,100")).size == (64, 64)
    part = np.asarray(await shown("?viewport=16,16,16,0,16,16"))
    assert np.unique(part).tolist() == [64]
    turned = np.asarray(await shown("?viewport=32,32,,,-32,"))
    assert turned[0, 0] == 64
    assert "icc_profile" in (await shown("?iccprofile=srgb")).info
    small = len((await client.get(url + "?quality=1")).content)
    assert small < len((await client.get(url + "?quality=100")).content)
    patient = np.asarray(await shown("?annotation=patient,technique&viewport=256,256"))
    plain = np.asarray(await shown("?viewport=256,256"))
    assert (patient != plain).sum() > 200
    assert not (patient[100:150] != plain[100:150]).any(), "letters stay in the corners"


OUT_OF_DOMAIN = (
    "window=40",
    "window=40,0,LINEAR",
    "window=40,400,CUBIC",
    "window=nan,400,LINEAR",
    "window=40,400,LINEAR,1",
    "viewport=0,10",
    "viewport=-1,10",
    "viewport=10",
    "viewport=99999,10",
    "viewport=10,10,1,1,0,0",
    "viewport=10,10,x,1,4,4",
    "viewport=10,10,100,100,4,4",
    "quality=0",
    "quality=101",
    "quality=a",
    "annotation=everything",
    "iccprofile=cmyk",
)


async def test_what_is_out_of_its_domain_is_refused(app: App, client_as: ClientAs) -> None:
    stored = await of_steps(app)
    client = await client_as("radiologist")
    for query in OUT_OF_DOMAIN:
        answer = await client.get(f"{url_of(stored)}/rendered?{query}")
        assert answer.status_code == 400, (query, answer.text)
        assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


async def test_negotiation_caching_and_permission(app: App, client_as: ClientAs, service: FastAPI) -> None:
    stored = await of_steps(app)
    client, elsewhere = await client_as("radiologist"), await client_as("radiographer")
    url = url_of(stored) + "/rendered"
    video = await client.get(url, headers={"accept": "video/mp4"})
    assert (video.status_code, "image/gif" in video.json()["detail"]) == (406, True)
    assert (await client.get(url, headers={"accept": "application/pdf"})).status_code == 406
    first = await client.get(url)
    assert first.headers["cache-control"] == "private, max-age=86400"
    again = await client.get(url, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get(url + "?quality=50")
    assert other.headers["etag"] != first.headers["etag"]
    assert (await elsewhere.get(url)).content == first.content
    # What was rendered for one reader is not shown to another who may not see the study.
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET facility_code = 'OTHER'")
        await tx.run("UPDATE accounts SET facility_code = 'LOCAL' WHERE name = 'radiographer'")
    service.state.authenticator._remembered.clear()
    assert (await elsewhere.get(url)).status_code == 404
    assert (await elsewhere.get(url, headers={"if-none-match": first.headers["etag"]})).status_code == 404
    assert (await client.get(url)).content == first.content


async def test_thumbnails_of_every_level(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(
        app, instances=3, Rows=300, Columns=600, PixelData=bytes(300 * 600 * 2), PixelSpacing=["1", "1"]
    )
    client = await client_as("radiologist")
    for url in (url_of(stored), url_of(stored, "series"), url_of(stored, "study"), url_of(stored) + "/frames/1"):
        answer = await client.get(url + "/thumbnail")
        assert answer.status_code == 200, answer.text
        assert image_of(answer.content).format == "JPEG"
        assert image_of(answer.content).size == (256, 128)
    assert (await client.get(url_of(stored, "study") + "/rendered")).status_code == 200
    several = await client.get(
        url_of(stored, "series") + "/rendered", headers={"accept": 'multipart/related; type="image/jpeg"'}
    )
    assert [kind for kind, _ in parts_of(several)] == ["image/jpeg"] * 3


async def test_frames(app: App, client_as: ClientAs) -> None:
    frames = np.stack([np.full((8, 8), value, np.uint8) for value in (10, 90, 200)])
    stored = await make.a_study(
        app, Rows=8, Columns=8, BitsAllocated=8, BitsStored=8, HighBit=7, NumberOfFrames=3, PixelData=frames.tobytes()
    )
    client = await client_as("radiologist")
    url = url_of(stored)
    one = await client.get(url + "/frames/2/rendered", headers={"accept": "image/png"})
    assert np.unique(np.asarray(image_of(one.content))).tolist() == [90]
    two = await client.get(url + "/frames/3,1/rendered", headers={"accept": 'multipart/related; type="image/png"'})
    shown = [int(np.asarray(image_of(part)).max()) for kind, part in parts_of(two)]
    assert shown == [200, 10]
    moving = await client.get(url + "/rendered", headers={"accept": "image/gif"})
    assert image_of(moving.content).n_frames == 3
    middle = await client.get(url + "/rendered", headers={"accept": "image/png"})
    assert int(np.asarray(image_of(middle.content)).max()) == 90
    assert (await client.get(url + "/frames/4/rendered")).status_code == 404
    assert (await client.get(url + "/frames/0/rendered")).status_code == 400
    assert (await client.get(url + "/frames/1,2/rendered", headers={"accept": "image/png"})).status_code == 406


async def test_as_many_frames_as_an_object_dares_to_name(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, NumberOfFrames=2**31 - 1)
    client = await client_as("radiologist")
    answer = await client.get(url_of(stored) + "/rendered", headers={"accept": "image/gif"})
    assert answer.status_code in {404, 422}, answer.text


def reference_to(image: Dataset, *frames: int) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    if frames:
        reference.ReferencedFrameNumber = list(frames)
    return reference


def state_of(*references: Dataset, **attributes: object) -> Dataset:
    """A presentation state of the images that are referred to, all in one series."""
    state = make.an_object(
        SeriesInstanceUID=generate_uid(), PatientID="PS1", Modality="PR",
        SOPClassUID=GrayscaleSoftcopyPresentationStateStorage, **attributes,
    )  # fmt: skip
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(state, keyword)
    shown = Dataset()
    shown.SeriesInstanceUID, shown.ReferencedImageSequence = SERIES, list(references)
    state.ReferencedSeriesSequence = [shown]
    return state


def steps(**attributes: object) -> Dataset:
    """The image of four squares, in the series that states refer to."""
    return make.an_object(
        StudyInstanceUID=STUDY, SeriesInstanceUID=SERIES, PatientID="PS1", Rows=32, Columns=32,
        WindowCenter="2000", WindowWidth="4001", **{"PixelData": STEPS.tobytes()} | attributes,
    )  # fmt: skip


async def test_a_presentation_state_shows_its_image(app: App, client_as: ClientAs) -> None:
    image = steps()
    state = state_of(reference_to(image), StudyInstanceUID=STUDY)
    voi = Dataset()
    voi.WindowCenter, voi.WindowWidth = "1500", "1"
    state.SoftcopyVOILUTSequence = [voi]
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [17, 1], [32, 32]
    area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", [1, 1]
    state.DisplayedAreaSelectionSequence = [area]
    state.ImageRotation, state.ImageHorizontalFlip, state.PresentationLUTShape = 90, "N", "INVERSE"
    await make.store(app, image, state)
    client = await client_as("radiologist")
    url = f"/dicomweb/studies/{STUDY}/series/{state.SeriesInstanceUID}/instances/{state.SOPInstanceUID}/rendered"
    answer = await client.get(url, headers={"accept": "image/png"})
    assert answer.status_code == 200, answer.text
    pixels = np.asarray(image_of(answer.content))
    # The right half (1000 above 4000), windowed at 1500, inverted, turned clockwise: 4000 lies left and is black.
    assert pixels.shape == (16, 32)
    assert (int(pixels[8, 4]), int(pixels[8, 28])) == (0, 255)


async def test_a_presentation_state_shows_each_of_its_images_and_the_one_that_is_asked_for(
    app: App, client_as: ClientAs
) -> None:
    one = steps()
    several = steps(NumberOfFrames=3, PixelData=b"".join((STEPS // part).tobytes() for part in (4, 2, 1)))
    stranger = steps()
    state = state_of(
        reference_to(one), reference_to(several, 3, 2), StudyInstanceUID=STUDY, PresentationLUTShape="INVERSE"
    )
    await make.store(app, one, several, stranger, state)
    client = await client_as("radiologist")
    url = f"/dicomweb/studies/{STUDY}/series/{state.SeriesInstanceUID}/instances/{state.SOPInstanceUID}/rendered"
    parts = parts_of(await client.get(url, headers={"accept": 'multipart/related; type="image/png"'}))
    assert [int(np.asarray(image_of(part)).min()) for _, part in parts] == [0, 0, 127]

    async def shown(image: Dataset, **more: str) -> tuple[int, object]:
        parameters = {
            "requestType": "WADO", "studyUID": STUDY, "seriesUID": SERIES, "objectUID": image.SOPInstanceUID,
            "presentationSeriesUID": state.SeriesInstanceUID, "presentationUID": state.SOPInstanceUID,
            "contentType": "image/png", **more,
        }  # fmt: skip
        answer = await client.get("/wado", params=parameters)
        if answer.status_code != 200:
            return answer.status_code, answer.json()["errors"][0]["field"] if "errors" in answer.json() else None
        return 200, int(np.asarray(image_of(answer.content)).min())

    assert await shown(one) == (200, 0)
    assert await shown(several) == (200, 0)
    assert await shown(several, frameNumber="2", rows="16", annotation="patient", contentType="image/jpeg") >= (200, 0)
    assert await shown(several, frameNumber="2") == (200, 127)
    assert await shown(several, frameNumber="1") == (400, "presentationUID")
    assert await shown(stranger) == (400, "presentationUID")
    assert await shown(one, presentationUID=one.SOPInstanceUID, presentationSeriesUID=SERIES) == (
        400,
        "presentationUID",
    )
    assert await shown(one, presentationUID="1.2.3") == (404, None)
    assert await shown(one, presentationSeriesUID="") == (400, "presentationSeriesUID")
    assert await shown(one, region="0,0,1,1") == (400, "region")
    assert await shown(one, windowCenter="1", windowWidth="2") == (400, "windowCenter")
    assert await shown(one, contentType="application/dicom") == (400, "presentationUID")


async def test_reports_documents_and_what_shows_nothing(app: App, client_as: ClientAs) -> None:
    def document(sop_class: str, **attributes: object) -> Dataset:
        ds = make.an_object(SOPClassUID=sop_class, Modality="DOC", **attributes)
        for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"):
            delattr(ds, keyword)
        return ds

    text = Dataset()
    text.RelationshipType, text.ValueType = "CONTAINS", "TEXT"
    text.TextValue = "<script>alert(1)</script> ফুসফুস পরিষ্কার"
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "121071", "DCM", "Finding"
    text.ConceptNameCodeSequence = [code]
    report = document(BasicTextSRStorage, ContentSequence=[text], ValueType="CONTAINER")
    pdf = b"%PDF-1.4 hello"
    paper = document(EncapsulatedPDFStorage, EncapsulatedDocument=pdf, MIMETypeOfEncapsulatedDocument="application/pdf")
    stored = [await make.store(app, one) for one in (report, paper)]
    client = await client_as("radiologist")
    page = await client.get(url_of(stored[0]) + "/rendered", headers={"accept": "text/html"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert "ফুসফুস পরিষ্কার" in page.text
    assert 'lang="bn"' in page.text
    assert (await client.get(url_of(stored[0]) + "/rendered", headers={"accept": "image/jpeg"})).status_code == 406
    assert (await client.get(url_of(stored[0]) + "/thumbnail")).status_code == 404
    assert (await client.get(url_of(stored[0], "study") + "/thumbnail")).status_code == 404
    whole = await client.get(url_of(stored[1]) + "/rendered")
    assert whole.headers["content-type"] == "application/pdf"
    assert whole.content == pdf
    piece = await client.get(url_of(stored[1]) + "/rendered", headers={"range": "bytes=1-3"})
    assert (piece.status_code, piece.content) == (206, b"PDF")


async def test_video_is_sent_as_it_is(app: App, client_as: ClientAs, shared_data: Path) -> None:
    stored = await make.store(app, (shared_data / "dicom/derived/video_mpeg4_avc.dcm").read_bytes())
    client = await client_as("radiologist")
    answer = await client.get(url_of(stored) + "/rendered", headers={"range": "bytes=0-99"})
    assert answer.status_code == 206, answer.text
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.content[4:8] == b"ftyp"


def items(*values: bytes) -> bytes:
    """Encapsulated pixel data: an offset table and fragments (PS3.5 A.4)."""
    heads = (b"\xfe\xff\x00\xe0" + len(value).to_bytes(4, "little") + value for value in values)
    return b"".join(heads) + b"\xfe\xff\xdd\xe0" + bytes(4)


OUTSIDE = b"\xff\xff\xff\x7f" * 2


BROKEN = (
    (None, {"Rows": 60000, "Columns": 60000}),
    (None, {"Rows": 0}),
    (None, {"BitsAllocated": 13}),
    (None, {"Rows": 64}),
    (None, {"NumberOfFrames": 0, "Rows": 400}),
    (None, {"PhotometricInterpretation": "PALETTE COLOR"}),
    (RLELossless, {"PixelData": items(b"", bytes(8))}),
    (JPEGBaseline8Bit, {"PixelData": items(b"", b"\xff\xd8\xff\xd9")}),
    (JPEGBaseline8Bit, {"PixelData": items(b"")}),
    (JPEGBaseline8Bit, {"PixelData": items(OUTSIDE, b"ab", b"ab", b"ab"), "NumberOfFrames": 2}),
)


async def test_broken_pixels_say_what_is_wrong_with_them(app: App, client_as: ClientAs) -> None:
    client, good = await client_as("radiologist"), await of_steps(app)
    for syntax, attributes in BROKEN:
        image = make.an_object(syntax) if syntax else make.an_object()
        for keyword, value in attributes.items():
            setattr(image, keyword, value)
        if syntax:
            image["PixelData"].VR = "OB"
            image["PixelData"].is_undefined_length = True
        answer = await client.get(url_of(await make.store(app, image)) + "/rendered")
        assert answer.status_code in {404, 415, 422}, (attributes, answer.text)
        assert len(answer.json()["detail"]) > 20
        assert (await client.get(url_of(good) + "/rendered?quality=90")).status_code == 200


async def test_what_is_no_longer_to_be_seen_is_not_shown_from_memory(
    app: App, client_as: ClientAs, service: FastAPI
) -> None:
    stored = await of_steps(app)
    client = await client_as("radiologist")
    url = url_of(stored) + "/rendered"
    assert (await client.get(url)).status_code == 200
    told = service.state.feed.woken
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET status = 'entered-in-error'")
        await tx.value("SELECT pg_notify('outbox', '')")  # As every event does.
    async with asyncio.timeout(5):
        await told.wait()
    assert (await client.get(url)).status_code == 404


async def test_who_has_gone_is_not_waited_for(service: FastAPI) -> None:
    """A client that leaves while the decoders are busy gives its place up, and the next one is served."""
    decoders: LimitedProcesses = service.state.decoders
    decoders.count = 1
    assert await decoders.call(len, "warm") == 4

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    leaving = Request({"type": "http"}, receive)
    busy = asyncio.create_task(decoders.call(time.sleep, 0.4))
    assert await unless_gone(leaving, decoders.call(time.sleep, 60)) is None
    assert await unless_gone(leaving, decoders.call(time.sleep, 60)) is None
    await busy
    assert await decoders.call(len, "next") == 4
