"""WADO-URI (PS3.18 9): forms, transfer syntaxes, and parameters that do not go together."""

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

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
        ({"contentType": "*/*"}, 200),
        ({"contentType": "text/plain"}, 406),
        ({"charset": "utf-8"}, 200),
        ({"charset": "iso-8859-1"}, 406),
        ({"anonymize": "no"}, 400),
        ({"anonymize": "yes"}, 406),
        ({"transferSyntax": RLELossless}, 406),
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


async def test_who_may_not_see_it_does_not_find_it(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app)
    client = await client_as("radiologist")
    assert (await client.get("/wado", params=parameters_of(stored), headers={"authorization": ""})).status_code == 401
