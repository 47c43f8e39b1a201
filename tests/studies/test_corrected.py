"""Headers that were put right: the same on every outlet at once, the stored object as it came, and all of it undone."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import orjson
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)
from pynetdicom import build_role, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Get

import make
from conftest import ClientAs
from multipart import parts_of
from node import Node, running_node
from radiology.app import App
from radiology.settings import Settings
from radiology.standards.dicom.identity import PatientIdentity
from radiology.studies.actions.correct import correct, empty_personal, patient_attributes, put_back
from radiology.studies.actions.recompress import recompress_due
from radiology.studies.corrections import Correction
from radiology.studies.queries.correct import served_columns
from requestor import requestor

BANGLA = "KARIM^ABDUL=করিম^আব্দুল"
RIGHT = PatientIdentity("H-77", "DMCH", BANGLA, "19791231", "M")
SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
AS_STORED = "application/dicom; transfer-syntax=*"


async def put_right(app: App, stored: make.Stored, attributes: dict[str, Any] | None = None) -> UUID:
    """Serve these for a study; returns its id."""
    correction = Correction(attributes or patient_attributes(RIGHT), "CORRECT", "CT_1", app.clock.now())
    async with app.db.transaction() as tx:
        uid = stored.study_instance_uid
        study: UUID = await tx.value("SELECT id FROM imaging_studies WHERE study_instance_uid = %(uid)s", uid=uid)
        await correct(tx, app, study, correction)
    return study


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    """Our DICOM server."""
    with running_node(settings) as running:
        yield running


def path_of(stored: make.Stored) -> str:
    return (
        f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
        f"/instances/{stored.sop_instance_uid}"
    )


def image_in(syntax: str, **attributes: Any) -> Dataset:
    image = make.an_object(syntax, **attributes)
    if syntax == RLELossless:
        image.PixelData = encapsulate([b"\1\0\0\0\x40" + b"\0" * 59 + b"\x0f" + bytes(16) + b"\x0f" + bytes(16)])
        image["PixelData"].VR = "OB"
    return image


@pytest.mark.anyio
@pytest.mark.parametrize("syntax", [*SYNTAXES, RLELossless])
async def test_bytes_and_metadata_say_the_same_in_every_syntax(app: App, client_as: ClientAs, syntax: str) -> None:
    stored = await make.store(app, image_in(syntax, SpecificCharacterSet="ISO_IR 100", PatientName="Péña^José"))
    client = await client_as("radiologist")
    before = (await client.get(path_of(stored), headers={"accept": AS_STORED})).content
    await put_right(app, stored)
    sent = await client.get(path_of(stored), headers={"accept": AS_STORED})
    served, original = pydicom.dcmread(BytesIO(sent.content)), pydicom.dcmread(BytesIO(before))
    assert served.file_meta.TransferSyntaxUID == syntax
    assert (served.PatientName, served.PatientID, served.PatientBirthDate) == (BANGLA, "H-77", "19791231")
    assert served.SpecificCharacterSet == "ISO_IR 192"
    assert served.PixelData == original.PixelData
    (item,) = served.OriginalAttributesSequence
    (was,) = item.ModifiedAttributesSequence
    assert (was.PatientName, was.PatientID) == ("Péña^José", original.PatientID)
    assert (item.ReasonForTheAttributeModification, item.SourceOfPreviousValues) == ("CORRECT", "CT_1")
    untouched = {element.tag for element in original} - {element.tag for element in was} - {0x00080005}
    assert all(served[tag] == original[tag] for tag in untouched)

    (metadata,) = (await client.get(f"{path_of(stored)}/metadata")).json()
    told = Dataset.from_json({tag: element for tag, element in metadata.items() if tag != "7FE00010"})
    del served.PixelData
    assert told == served


@pytest.mark.anyio
async def test_searches_show_it_at_once_at_every_level(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, PatientName="WRONG^NAME", PatientID="W1")
    client = await client_as("radiologist")
    await put_right(app, stored, patient_attributes(RIGHT) | {"00080050": {"vr": "SH", "Value": ["A-RIGHT"]}})
    assert (await client.get("/dicomweb/studies?PatientID=W1")).json() == []
    for search in ("PatientID=H-77", "AccessionNumber=A-RIGHT", "PatientName=করিম*", "PatientName=KARIM*"):
        for level in ("studies", "series", "instances"):
            (found,) = (await client.get(f"/dicomweb/{level}?{search}&includefield=all")).json()
            assert found["00100020"]["Value"] == ["H-77"], (search, level)
            assert found["00080050"]["Value"] == ["A-RIGHT"], (search, level)


@pytest.mark.anyio
async def test_the_stored_object_stays_and_undoing_serves_the_same_bytes_again(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, instances=2)
    client = await client_as("radiologist")
    outlets = [
        (path_of(stored), AS_STORED),
        (f"{path_of(stored)}/metadata", "application/dicom+json"),
        (f"/dicomweb/studies/{stored.study_instance_uid}/metadata", "application/dicom+json"),
        (f"/dicomweb/studies?StudyInstanceUID={stored.study_instance_uid}&includefield=all", "application/dicom+json"),
        (f"/dicomweb/instances?StudyInstanceUID={stored.study_instance_uid}", "application/dicom+json"),
    ]
    before = [(await client.get(url, headers={"accept": kind})) for url, kind in outlets]
    files = {path: hashlib.sha256(path.read_bytes()).digest() for path in app.objects.root.rglob("*.dcm")}
    async with app.db.transaction() as tx:
        study: UUID = await tx.value("SELECT id FROM imaging_studies")
        kept = orjson.loads(orjson.dumps(await served_columns(tx, study)))
    await put_right(app, stored)
    during = [(await client.get(url, headers={"accept": kind})) for url, kind in outlets]
    assert all(one.content != other.content for one, other in zip(before, during, strict=True))
    assert all(
        one.headers["etag"] != other.headers["etag"]
        for one, other in zip(before, during, strict=True)
        if "etag" in one.headers
    )
    async with app.db.transaction() as tx:
        await put_back(tx, study, kept)
    again = [(await client.get(url, headers={"accept": kind})) for url, kind in outlets]
    assert [answer.content for answer in again] == [answer.content for answer in before]
    assert {path: hashlib.sha256(path.read_bytes()).digest() for path in app.objects.root.rglob("*.dcm")} == files


@pytest.mark.anyio
async def test_a_second_correction_adds_to_the_first(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, PatientName="FIRST^ONE")
    client = await client_as("radiologist")
    await put_right(app, stored)
    await put_right(app, stored, {"00081030": {"vr": "LO", "Value": ["মাথার সিটি"]}})
    served = pydicom.dcmread(BytesIO((await client.get(path_of(stored), headers={"accept": AS_STORED})).content))
    assert (served.PatientName, served.StudyDescription) == (BANGLA, "মাথার সিটি")
    (item,) = served.OriginalAttributesSequence
    assert item.ModifiedAttributesSequence[0].PatientName == "FIRST^ONE"


@pytest.mark.anyio
async def test_what_is_another_patients_is_served_empty(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, PatientAge="044Y", PatientAddress="Road 7", AdditionalPatientHistory="secret")
    client = await client_as("radiologist")
    stated = {"00101010": {"vr": "AS", "Value": ["044Y"]}, "00101040": {}, "001021B0": {}}
    await put_right(app, stored, patient_attributes(RIGHT) | empty_personal(stated))
    served = pydicom.dcmread(BytesIO((await client.get(path_of(stored), headers={"accept": AS_STORED})).content))
    assert not any((served.PatientAge, served.PatientAddress, served.AdditionalPatientHistory))


@pytest.mark.anyio
async def test_what_was_compressed_at_rest_is_given_back_with_the_header_put_right(
    app: App, client_as: ClientAs, clock: Any
) -> None:
    stored = await make.store(app, image_in(ImplicitVRLittleEndian, Rows=64, Columns=64, PixelData=bytes(8192)))
    shortly = App(app.settings.model_copy(update={"recompress_after_days": 1}), app.db, app.objects, clock)
    clock.at += timedelta(days=3000)
    assert await recompress_due(shortly) == 1
    await put_right(app, stored)
    client = await client_as("radiologist")
    for accept in (AS_STORED, f"application/dicom; transfer-syntax={ExplicitVRLittleEndian}", "application/dicom"):
        sent = await client.get(path_of(stored), headers={"accept": accept})
        served = pydicom.dcmread(BytesIO(sent.content))
        assert served.PatientName == BANGLA, accept
        assert served.pixel_array.shape == (64, 64), accept
    zipped = await client.get(f"/dicomweb/studies/{stored.study_instance_uid}", headers={"accept": "application/zip"})
    assert zipped.status_code == 200
    assert "করিম".encode() in zipped.content


@pytest.mark.anyio
async def test_all_instances_of_a_study_come_in_one_answer(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, instances=3)
    await put_right(app, stored)
    client = await client_as("radiologist")
    answer = await client.get(
        f"/dicomweb/studies/{stored.study_instance_uid}",
        headers={"accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'},
    )
    names = [pydicom.dcmread(BytesIO(part)).PatientName for _, part in parts_of(answer)]
    assert names == [BANGLA] * 3


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_c_get_sends_it_too(node: Node, syntax: str) -> None:
    stored = node.wait(make.store(node.app, image_in(syntax)))
    node.wait(put_right(node.app, stored))
    received: list[Dataset] = []

    def on_store(event: evt.Event) -> int:
        received.append(event.dataset)
        return 0x0000

    ds = Dataset()
    ds.QueryRetrieveLevel, ds.StudyInstanceUID = "STUDY", stored.study_instance_uid
    contexts = [(Get, ExplicitVRLittleEndian), (CTImageStorage, syntax)]
    role = build_role(CTImageStorage, scp_role=True)
    with requestor(node, contexts, ext_neg=[role], evt_handlers=[(evt.EVT_C_STORE, on_store)]) as association:
        *_, (status, _) = association.send_c_get(ds, Get)
    assert status.Status == 0x0000
    assert (received[0].PatientName, received[0].PatientID) == (BANGLA, "H-77")
    assert received[0].PixelData == bytes(range(32)) or syntax == ExplicitVRBigEndian


@pytest.mark.anyio
async def test_what_the_registry_knows_better_is_served_and_what_came_is_kept(app: App, client_as: ClientAs) -> None:
    client = await client_as("radiographer")
    item = {
        "patient": {"id": "H-9", "name": "RAHMAN^ABDUR", "nameBangla": "রহমান^আব্দুর", "birthDate": "1980-02-15",
                    "sex": "M"},
        "modality": "CT", "requestedProcedure": "CT brain", "start": "2026-01-21T14:00:00+06:00",
    }  # fmt: skip
    placed = (await client.post("/api/radiology/worklist", json=item)).json()
    image = make.an_object(
        PatientID="H-9", PatientName="RAHMAN^ABDUR", AccessionNumber=placed["accessionNumber"],
        StudyInstanceUID=placed["studyInstanceUID"], SpecificCharacterSet="ISO_IR 100",
    )  # fmt: skip
    stored = await make.store(app, image)
    reader = await client_as("radiologist")
    served = pydicom.dcmread(BytesIO((await reader.get(path_of(stored), headers={"accept": AS_STORED})).content))
    assert served.PatientName == "RAHMAN^ABDUR=রহমান^আব্দুর"
    (original,) = served.OriginalAttributesSequence
    assert original.ReasonForTheAttributeModification == "COERCE"
    assert original.ModifiedAttributesSequence[0].PatientName == "RAHMAN^ABDUR"
    (found,) = (await reader.get(f"/dicomweb/studies?StudyInstanceUID={stored.study_instance_uid}")).json()
    assert found["00100010"]["Value"] == [{"Alphabetic": "RAHMAN^ABDUR", "Ideographic": "রহমান^আব্দুর"}]


@pytest.mark.anyio
async def test_more_images_of_a_study_that_was_put_right_are_of_it(app: App) -> None:
    stored = await make.a_study(app, PatientName="WRONG^PERSON", PatientID="W-1", PatientSex="F")
    await put_right(app, stored)
    first = stored.objects[0]
    await make.store(app, make.an_object(
        StudyInstanceUID=first.StudyInstanceUID, SeriesInstanceUID=first.SeriesInstanceUID, PatientName="WRONG^PERSON",
        PatientID="W-1", PatientSex="F",
    ))  # fmt: skip
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT number_of_instances FROM imaging_studies") == 2
        assert await tx.value("SELECT flags FROM imaging_studies") == []


@pytest.mark.anyio
async def test_what_was_given_out_and_comes_back_is_known(app: App, client_as: ClientAs) -> None:
    stored = await make.a_study(app, PatientName="RAHMAN^ABDUL", PatientID="H-77")
    await put_right(app, stored)
    client = await client_as("radiologist")
    given_out = (await client.get(path_of(stored), headers={"accept": AS_STORED})).content
    await make.store(app, given_out)
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM quarantine") == 0
        assert await tx.value("SELECT number_of_instances FROM imaging_studies") == 1
    assert len([*app.objects.root.rglob("*.dcm")]) == 1
