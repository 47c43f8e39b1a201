"""WADO-URI (PS3.18 9): forms, transfer syntaxes, and parameters that do not go together."""

from io import BytesIO

import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import MPEG2MPML, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RawDataStorage, RLELossless

import make
from conftest import ClientAs
from radiology.app import App

pytestmark = pytest.mark.anyio


def parameters_of(stored: make.Stored, **more: str) -> dict[str, str]:
    return {
        "requestType": "WADO",
        "studyUID": stored.study_instance_uid,
        "seriesUID": stored.series_instance_uid,
        "objectUID": stored.sop_instance_uid,
        "contentType": "application/dicom",
    } | more


async def test_an_object_comes_as_explicit_little_endian(app: App, client_as: ClientAs) -> None:
    stored = await make.store(app, make.an_object(ImplicitVRLittleEndian))
    client = await client_as("radiologist")
    for more in ({}, {"transferSyntax": ExplicitVRLittleEndian}):
        answer = await client.get("/dicomweb/wado", params=parameters_of(stored, **more))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == f"application/dicom; transfer-syntax={ExplicitVRLittleEndian}"
    again = await client.get("/wado", params=parameters_of(stored), headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"contentType": "application/dicom, image/jpeg;q=0.5"}, 200),
        ({"contentType": "application/*"}, 200),
        ({"contentType": "image/jp2"}, 406),
        ({"presentationUID": "1.2", "presentationSeriesUID": "1.3"}, 400),
        ({"contentType": "image/jpeg", "presentationUID": "1.2", "presentationSeriesUID": "1.3"}, 404),
        ({"contentType": "image/jpeg", "presentationUID": "1.2"}, 400),
        ({"contentType": "image/jpeg", "windowCenter": "1"}, 400),
        ({"contentType": "image/jpeg", "transferSyntax": RLELossless}, 400),
        ({"contentType": "image/jpeg", "imageQuality": "101"}, 400),
        ({"contentType": "image/jpeg", "frameNumber": "x"}, 400),
        ({"contentType": "image/jpeg", "frameNumber": "2"}, 404),
        ({"contentType": "image/jpeg", "region": "0,0,2,1"}, 400),
        ({"contentType": "image/jpeg", "rows": "0"}, 400),
        ({"contentType": "text/plain"}, 406),
        ({"charset": "utf-8"}, 200),
        ({"charset": "iso-8859-1"}, 406),
        ({"anonymize": "no"}, 400),
        ({"anonymize": "yes"}, 200),
        ({"anonymize": "yes", "contentType": "image/jpeg"}, 400),
        ({"anonymize": "yes", "frameNumber": "1"}, 400),
        ({"transferSyntax": MPEG2MPML}, 406),
        ({"transferSyntax": "nonsense"}, 400),
        ({"transferSyntax": ImplicitVRLittleEndian}, 400),
        ({"rows": "10"}, 400),
        ({"frameNumber": "1"}, 400),
        ({"objectUID": "x"}, 400),
        ({"requestType": "WADO2"}, 400),
    ],
)
async def test_parameters_decide(app: App, client_as: ClientAs, more: dict[str, str], status: int) -> None:
    stored = await make.a_study(app)
    client = await client_as("radiologist")
    assert (await client.get("/wado", params=parameters_of(stored, **more))).status_code == status


@pytest.mark.parametrize(
    ("more", "form", "size"),
    [
        ({}, "JPEG", (64, 32)),
        ({"contentType": "image/png", "rows": "16"}, "PNG", (32, 16)),
        ({"contentType": "image/jp2, image/gif;q=0.5", "columns": "16", "rows": "16"}, "GIF", (16, 8)),
        ({"region": "0.5,0,1,1", "windowCenter": "40", "windowWidth": "400", "imageQuality": "50"}, "JPEG", (32, 32)),
        ({"frameNumber": "1", "annotation": "patient"}, "JPEG", (64, 32)),
    ],
)
async def test_a_picture_is_what_rendered_gives(
    app: App, client_as: ClientAs, more: dict[str, str], form: str, size: tuple[int, int]
) -> None:
    stored = await make.a_study(app, Rows=32, Columns=64, PixelData=bytes(4096))
    client = await client_as("radiologist")
    parameters = parameters_of(stored)
    del parameters["contentType"]
    answer = await client.get("/wado", params=parameters | more)
    assert answer.status_code == 200, answer.text
    picture = Image.open(BytesIO(answer.content))
    assert (picture.format, picture.size) == (form, size)


async def test_what_is_no_picture_comes_as_the_object_where_that_is_accepted(app: App, client_as: ClientAs) -> None:
    raw = make.an_object(SOPClassUID=RawDataStorage, PixelData=b"")
    del raw.PixelData
    stored = await make.store(app, raw)
    client = await client_as("radiologist")
    answer = await client.get("/wado", params=parameters_of(stored, contentType="*/*"))
    assert answer.headers["content-type"].startswith("application/dicom")
    assert (await client.get("/wado", params=parameters_of(stored, contentType="image/*"))).status_code == 406


async def test_who_may_not_see_it_does_not_find_it(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app)
    client = await client_as("radiologist")
    assert (await client.get("/wado", params=parameters_of(stored), headers={"authorization": ""})).status_code == 401


async def test_a_de_identified_object_says_nothing_of_the_patient_and_how_it_was_made(
    app: App, client_as: ClientAs
) -> None:
    stored = await make.a_study(app, BodyPartExamined="CHEST", PatientName="Qwertyson^Zoltan", PatientID="HOSP-778812")
    client = await client_as("radiologist")
    answer = await client.get("/wado", params=parameters_of(stored, anonymize="yes"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-type"] == f"application/dicom; transfer-syntax={ExplicitVRLittleEndian}"
    for secret in ("Qwertyson", "HOSP-778812", stored.study_instance_uid, stored.sop_instance_uid):
        assert secret.encode() not in answer.content
    image = dcmread(BytesIO(answer.content))
    assert image.PatientIdentityRemoved == "YES"
    assert {"113100", "113101"} <= {item.CodeValue for item in image.DeidentificationMethodCodeSequence}
    assert image.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID
    again = await client.get("/wado", params=parameters_of(stored, anonymize="yes", transferSyntax=RLELossless))
    other = dcmread(BytesIO(again.content))
    assert (other.file_meta.TransferSyntaxUID, other.SOPInstanceUID) == (RLELossless, image.SOPInstanceUID)
    assert (other.pixel_array == image.pixel_array).all()
    assert not list(app.objects.root.rglob("*.part"))


async def test_what_may_show_who_it_is_is_refused_with_the_reason(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, BodyPartExamined="CHEST", BurnedInAnnotation="YES")
    client = await client_as("radiologist")
    answer = await client.get("/wado", params=parameters_of(stored, anonymize="yes"))
    assert (answer.status_code, "Text may be burned into the image" in answer.json()["detail"]) == (406, True)
    assert not list(app.objects.root.rglob("*.part"))
