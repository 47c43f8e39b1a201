"""A study as a ZIP: the objects byte for byte, a DICOMDIR that others read, and a page with pictures."""

import subprocess
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pydicom
import pytest
from PIL import Image
from pydicom.fileset import FileSet
from pydicom.uid import BasicTextSRStorage, RawDataStorage, generate_uid

import make
from conftest import ClientAs
from radiology.app import App

pytestmark = pytest.mark.anyio
ZIP = {"accept": "application/zip"}


async def a_mixed_study(app: App) -> make.Stored:
    """Two images of two series, a report, and one object without numbers and dates."""
    study, patient = generate_uid(), "P77"
    shared = {"StudyInstanceUID": study, "PatientID": patient, "AccessionNumber": "ACC77", "StudyID": "77"}
    images = [
        make.an_object(**shared, SeriesNumber=number, Rows=8, Columns=8, PixelData=bytes(128)) for number in (1, 2)
    ]
    report = make.an_object(**shared, SOPClassUID=BasicTextSRStorage, Modality="SR")
    report.ContentDate, report.ContentTime, report.CompletionFlag = "20260121", "150000", "COMPLETE"
    report.VerificationFlag, report.ValueType = "VERIFIED", "CONTAINER"
    code = pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "18748-4", "LN", "রিপোর্ট"
    report.ConceptNameCodeSequence = [code]
    bare = make.an_object(**shared, SOPClassUID=RawDataStorage, SeriesNumber=None, InstanceNumber=None)
    for each in (report, bare):
        del each.PixelData
    return await make.store(app, *images, report, bare)


def read_by(*command: str, folder: Path) -> str:
    """What a tool of DCMTK says of the folder, which it must not complain about."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


async def zip_of(app: App, client_as: ClientAs, path: str) -> tuple[ZipFile, bytes]:
    client = await client_as("radiologist")
    answer = await client.get(path, headers=ZIP)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"].startswith("attachment;")
    archive = ZipFile(BytesIO(answer.content))
    assert archive.testzip() is None
    return archive, answer.content


async def test_the_objects_are_those_that_are_stored(app: App, client_as: ClientAs) -> None:
    stored = await a_mixed_study(app)
    archive, _ = await zip_of(app, client_as, f"/dicomweb/studies/{stored.study_instance_uid}")
    names = archive.namelist()
    assert {archive.read(name) for name in names if name.startswith("DICOM/")} == set(stored.files.values())
    assert {name.rpartition("/")[2] for name in names if name.startswith("DICOM/")} == {
        f"0000000{number}" for number in range(1, 5)
    }
    assert {"DICOMDIR", "INDEX.HTM", "README.TXT"} <= set(names)


@pytest.mark.peer("File-set (reader)", "DCMTK")
async def test_others_read_the_dicomdir(app: App, client_as: ClientAs, tmp_path: Path) -> None:
    stored = await a_mixed_study(app)
    archive, _ = await zip_of(app, client_as, f"/dicomweb/studies/{stored.study_instance_uid}")
    archive.extractall(tmp_path)
    file_set = FileSet(tmp_path / "DICOMDIR")
    assert len(file_set) == 4
    assert file_set.find_values("PatientName") == [make.BANGLA_NAME]
    assert {str(each.SOPInstanceUID) for each in file_set} == set(stored.files)
    for each in file_set:
        assert archive.read(str(Path(each.path).relative_to(tmp_path))) == stored.files[str(each.SOPInstanceUID)]
    file_set._stage["t"].cleanup()  # pydicom leaves that to the garbage collector, which warns.
    types = {record.DirectoryRecordType for record in pydicom.dcmread(tmp_path / "DICOMDIR").DirectoryRecordSequence}
    assert types == {"PATIENT", "STUDY", "SERIES", "IMAGE", "SR DOCUMENT", "RAW DATA"}
    assert read_by("dcmdump", "+L", "DICOMDIR", folder=tmp_path).count("DirectoryRecordType") == 1 + 1 + 4 + 4
    # DCMTK adds to it, and so follows every offset.
    another = make.an_object(
        StudyInstanceUID=stored.study_instance_uid, PatientID="P77", AccessionNumber="ACC77", StudyID="77"
    )
    (tmp_path / "DICOM" / "NEW00001").write_bytes(make.as_file(another))
    read_by("dcmgpdir", "--append", "DICOM/NEW00001", folder=tmp_path)
    assert read_by("dcmdump", "+L", "DICOMDIR", folder=tmp_path).count("DirectoryRecordType") == 12


async def test_the_page_shows_pictures_and_escapes_names(app: App, client_as: ClientAs) -> None:
    image = make.an_object(PatientName="<B>^&", Rows=8, Columns=8, PixelData=bytes(128))
    stored = await make.store(app, image)
    archive, _ = await zip_of(app, client_as, f"/dicomweb/studies/{stored.study_instance_uid}")
    picture = Image.open(BytesIO(archive.read("IHE_PDI/00000001.JPG")))
    assert (picture.format, picture.size) == ("JPEG", (8, 8))
    page = archive.read("INDEX.HTM").decode()
    assert "&lt;B&gt; &amp;" in page
    assert "<B>" not in page
    assert "IHE_PDI/00000001.JPG" in page


async def test_a_series_and_the_path_of_the_specification(app: App, client_as: ClientAs) -> None:
    stored = await a_mixed_study(app)
    series = f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
    archive, _ = await zip_of(app, client_as, series)
    assert [archive.read(name) for name in archive.namelist() if name.startswith("DICOM/")] == [
        stored.files[stored.sop_instance_uid]
    ]
    whole, _ = await zip_of(app, client_as, f"/api/radiology/studies/{stored.study_instance_uid}/dicom/zip")
    assert len([name for name in whole.namelist() if name.startswith("DICOM/")]) == 4


async def test_a_zip_of_nothing_is_404(client_as: ClientAs) -> None:
    client = await client_as("radiologist")
    assert (await client.get("/dicomweb/studies/1.2.3", headers=ZIP)).status_code == 404
