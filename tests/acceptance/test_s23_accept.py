"""Scenario 23: an object is no image where it was asked for as it is; `transfer-syntax=*` gives its bytes."""

import pytest
from pydicom.uid import ImplicitVRLittleEndian

import make
from conftest import ClientAs
from multipart import parts_of
from radiology.app import App

pytestmark = pytest.mark.anyio


async def test_s23_a_ct_is_not_sent_as_gif_and_any_transfer_syntax_gives_its_bytes(
    app: App, client_as: ClientAs
) -> None:
    stored = await make.store(app, make.an_object(ImplicitVRLittleEndian))
    series = f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
    instance = f"{series}/instances/{stored.sop_instance_uid}"
    client = await client_as("radiologist")
    for path in ("", "/frames/1", "/metadata", "/bulkdata/7FE00010"):
        assert (await client.get(instance + path, headers={"accept": "image/gif"})).status_code == 406, path
    wanted = 'multipart/related; type="application/dicom"; transfer-syntax=*'
    answer = await client.get(instance, headers={"accept": wanted})
    assert [part for _, part in parts_of(answer)] == list(stored.files.values())
    asked = await client.get(instance, params={"accept": wanted}, headers={"accept": "image/gif"})
    assert [part for _, part in parts_of(asked)] == list(stored.files.values())
