"""Scenario 78: a de-identified export of ultrasound with a burned-in name."""

import io
import zipfile
from typing import Any

import numpy as np
import orjson
import pydicom
import pytest
from pydicom.dataset import Dataset

import make
from radiology.app import App
from radiology.deidentification.work import run
from radiology.studies.archive import open_archive

pytestmark = pytest.mark.anyio

PATH = "/api/radiology"
ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"
ROWS, COLUMNS, BANNER = 24, 32, 6


def _ultrasound(number: int) -> dict[str, Any]:
    region = Dataset()
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 0, BANNER
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = COLUMNS - 1, ROWS - 1
    return {
        "SOPClassUID": ULTRASOUND, "Modality": "US", "PatientID": f"HOSP-77{number}",
        "PatientName": f"QWERTYSON^Z{number}",
        "Rows": ROWS, "Columns": COLUMNS, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7,
        "PixelData": bytes([200]) * (ROWS * COLUMNS), "SequenceOfUltrasoundRegions": [region] if number else None,
    }  # fmt: skip


async def _exported(app: App, client_as: Any) -> tuple[dict[str, Any], zipfile.ZipFile, Any, list[Any]]:
    records, officer = await client_as("records"), await client_as("privacy-officer")
    studies = [await make.a_study(app, instances=2, **_ultrasound(number)) for number in range(6)]
    project = {"name": "us", "purpose": "Teaching a machine to see", "profile": "research"}
    made = (await records.post(f"{PATH}/projects", json=project)).json()
    asked = {"project": "us", "studyInstanceUIDs": [study.study_instance_uid for study in studies]}
    assert (await records.post(f"{PATH}/exports", json=asked)).status_code == 409  # Not approved yet.
    assert (await records.post(f"{PATH}/projects/{made['id']}/approval")).status_code == 403
    assert (await officer.post(f"{PATH}/projects/{made['id']}/approval")).status_code == 200
    few = await records.post(f"{PATH}/exports", json={**asked, "studyInstanceUIDs": asked["studyInstanceUIDs"][:3]})
    assert (few.status_code, "fewer than 5" in few.json()["detail"]) == (422, True)
    answer = await records.post(f"{PATH}/exports", json=asked)
    assert answer.status_code == 202
    with open_archive(app) as archive:
        await run(archive, {"export": answer.json()["id"]})
        await run(archive, {"export": answer.json()["id"]})  # A job that is done twice changes nothing.
    location = answer.headers["location"]
    shown = (await records.get(location)).json()
    file = await records.get(f"{location}/file")
    assert (await officer.get(f"{location}/file")).status_code == 404
    return shown, zipfile.ZipFile(io.BytesIO(file.content)), officer, studies


async def test_burned_in_names_are_masked_or_withheld(app: App, client_as: Any) -> None:
    shown, archive, officer, studies = await _exported(app, client_as)
    assert (shown["status"], shown["written"], shown["withheld"]) == ("completed", 10, 2)
    assert {each["studyInstanceUID"] for each in shown["withheldInstances"]} == {studies[0].study_instance_uid}
    manifest = orjson.loads(archive.read("manifest.json"))
    images = [pydicom.dcmread(io.BytesIO(archive.read(line["file"]))) for line in manifest["instances"]]
    for image in images:
        pixels = image.pixel_array
        assert not pixels[:BANNER].any()
        assert np.all(pixels[BANNER:] == 200)
        assert (image.PatientIdentityRemoved, image.BurnedInAnnotation) == ("YES", "NO")
    content = b"".join(archive.read(name) for name in archive.namelist())
    for study in studies:
        for secret in (study.study_instance_uid, *study.files, "QWERTYSON", "HOSP-77"):
            assert secret.encode() not in content
    assert len({image.StudyInstanceUID for image in images}) == 5
    by_patient = {(image.PatientID, image.StudyDate) for image in images}
    assert len(by_patient) == 5  # All dates of a patient moved by the same days.
    who = await officer.get(f"{PATH}/projects/{(await officer.get(PATH + '/projects')).json()[0]['id']}"
                            f"/patients/{images[0].PatientID}")  # fmt: skip
    assert who.json()["patientId"].startswith("HOSP-77")
    mapping = (await officer.get(f"{PATH}/exports/{shown['id']}/mapping")).json()
    assert {each["new"] for each in mapping} == {str(image.SOPInstanceUID) for image in images}
