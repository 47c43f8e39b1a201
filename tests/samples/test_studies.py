"""The sample studies: how many, whose, when, and that other readers take them."""

import subprocess
from collections import Counter
from datetime import date, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from shutil import which

import pytest
from pydicom import Dataset, dcmread

from radiology.samples import SampleInstance, make_studies
from radiology.samples.people import PEOPLE, age_string

TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def instances() -> list[SampleInstance]:
    return list(make_studies(TODAY))


@pytest.fixture(scope="module")
def data_sets(instances: list[SampleInstance]) -> list[Dataset]:
    return [dcmread(BytesIO(instance.part10())) for instance in instances]


def test_there_are_thirty_studies_of_many_modalities(data_sets: list[Dataset]) -> None:
    assert len({data_set.StudyInstanceUID for data_set in data_sets}) == 30
    assert 90 <= len(data_sets) <= 150
    modalities = Counter(data_set.Modality for data_set in data_sets)
    assert set(modalities) == {"CR", "DX", "CT", "MR", "US", "MG", "XA", "NM", "SR", "DOC", "OT"}
    assert modalities["MG"] == 4
    series = Counter(data_set.SeriesInstanceUID for data_set in data_sets)
    assert max(series.values()) == 20


def test_all_together_are_small(instances: list[SampleInstance]) -> None:
    assert sum(len(instance.data_set) for instance in instances) < 30_000_000


def test_the_same_day_gives_the_same_bytes(instances: list[SampleInstance]) -> None:
    assert list(make_studies(TODAY)) == instances


def test_another_day_gives_other_uids_but_the_same_patients(data_sets: list[Dataset]) -> None:
    later = next(make_studies(TODAY + timedelta(days=1)))
    other = dcmread(BytesIO(later.part10()))
    assert other.StudyInstanceUID not in {data_set.StudyInstanceUID for data_set in data_sets}
    assert (other.PatientID, other.PatientBirthDate) == (data_sets[0].PatientID, data_sets[0].PatientBirthDate)


def test_they_are_made_one_at_a_time() -> None:
    made = make_studies(TODAY)
    assert next(made).sop_instance_uid != next(made).sop_instance_uid


def test_uids_are_unique_and_valid(data_sets: list[Dataset]) -> None:
    instance_uids = [data_set.SOPInstanceUID for data_set in data_sets]
    assert len(set(instance_uids)) == len(instance_uids)
    for data_set in data_sets:
        for uid in (data_set.StudyInstanceUID, data_set.SeriesInstanceUID, data_set.SOPInstanceUID):
            assert uid.is_valid
            assert uid.startswith("2.25.")
    pairs = {(data_set.SeriesInstanceUID, data_set.StudyInstanceUID, data_set.Modality) for data_set in data_sets}
    assert len(pairs) == len({series for series, _, _ in pairs})
    accessions = {(data_set.StudyInstanceUID, data_set.AccessionNumber) for data_set in data_sets}
    assert len({accession for _, accession in accessions}) == len(accessions) == 30


def test_the_instance_names_what_its_data_set_says(instances: list[SampleInstance], data_sets: list[Dataset]) -> None:
    for instance, data_set in zip(instances, data_sets, strict=True):
        assert instance.study_instance_uid == data_set.StudyInstanceUID
        assert instance.sop_class_uid == data_set.SOPClassUID == data_set.file_meta.MediaStorageSOPClassUID
        assert instance.sop_instance_uid == data_set.SOPInstanceUID == data_set.file_meta.MediaStorageSOPInstanceUID
        assert instance.transfer_syntax_uid == data_set.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
        assert instance.part10().endswith(instance.data_set)
        assert instance.data_set[:2] == b"\x08\x00"  # Group 0008 comes first: no preamble, no file meta group.
        assert len(instance.data_set) % 2 == 0


def test_studies_come_in_the_order_of_time_and_end_today(data_sets: list[Dataset]) -> None:
    moments = [data_set.StudyDate + data_set.StudyTime for data_set in data_sets]
    assert moments == sorted(moments)
    assert moments[0][:8] >= f"{TODAY - timedelta(days=14):%Y%m%d}"
    assert moments[-1][:8] == f"{TODAY:%Y%m%d}"
    assert len({moment[:8] for moment in moments}) == 14
    for before, after in pairwise(data_sets):
        if before.SeriesInstanceUID == after.SeriesInstanceUID:
            assert after.InstanceNumber == before.InstanceNumber + 1
            assert after.ContentDate + after.ContentTime > before.ContentDate + before.ContentTime


def test_every_patient_is_marked_as_a_sample(data_sets: list[Dataset]) -> None:
    assert {data_set.PatientID for data_set in data_sets} == {person.patient_id for person in PEOPLE}
    for data_set in data_sets:
        assert data_set.PatientID.startswith("SAMPLE-")
        assert data_set.PatientComments == "Synthetic sample, not a person"
        assert data_set.InstitutionName.startswith("Sample ")
    assert {data_set.PatientSex for data_set in data_sets} == {"M", "F", "O"}


def test_some_patients_have_priors(data_sets: list[Dataset]) -> None:
    studies = Counter(patient for patient, _ in {(one.PatientID, one.StudyInstanceUID) for one in data_sets})
    assert studies["SAMPLE-0001"] == 3
    assert sum(count > 1 for count in studies.values()) >= 8


def test_bangla_names_decode_in_both_groups(data_sets: list[Dataset]) -> None:
    names = {data_set.PatientID: data_set.PatientName for data_set in data_sets}
    assert all(data_set.SpecificCharacterSet == "ISO_IR 192" for data_set in data_sets)
    assert names["SAMPLE-0002"].alphabetic == "করিম^আব্দুল"
    assert names["SAMPLE-0001"].alphabetic == "Rahman^Md. Abdur"
    assert names["SAMPLE-0001"].ideographic == "রহমান^মোঃ আব্দুর"
    assert {str(name) for name in names.values()} == {person.name for person in PEOPLE}
    note = next(data_set for data_set in data_sets if data_set.Modality == "SR")
    assert "ফুসফুসে" in note.ContentSequence[-1].TextValue


def test_ages_reach_from_the_newborn_to_the_old(data_sets: list[Dataset]) -> None:
    ages = {data_set.PatientAge for data_set in data_sets}
    assert "015D" in ages
    assert "008Y" in ages
    assert max(ages) >= "089Y"


@pytest.mark.parametrize(
    ("born_on", "age"),
    [
        (date(2026, 11, 24), "000D"),
        (date(2026, 10, 25), "030D"),
        (date(2026, 10, 23), "001M"),
        (date(2024, 11, 25), "023M"),
        (date(2024, 11, 24), "002Y"),
        (date(1936, 11, 25), "089Y"),
        (date(2026, 11, 25), "000D"),
    ],
)
def test_an_age_counts_days_then_months_then_years(born_on: date, age: str) -> None:
    assert age_string(born_on, TODAY) == age


def test_leap_day_is_a_day_like_any_other() -> None:
    assert next(make_studies(date(2028, 2, 29))).data_set


def test_pictures_have_the_pixels_they_declare(data_sets: list[Dataset]) -> None:
    for data_set in data_sets:
        if data_set.Modality in {"SR", "DOC"}:
            assert "PixelData" not in data_set
            continue
        pixels = data_set.pixel_array
        assert pixels.nbytes == len(data_set.PixelData)
        assert 128 <= data_set.Columns <= 512
        assert pixels.max() < 1 << data_set.BitsStored
        assert pixels.std() > 0


def test_the_one_inverted_radiograph_shows_bone_as_low_values(data_sets: list[Dataset]) -> None:
    inverted = [one for one in data_sets if one.get("PhotometricInterpretation") == "MONOCHROME1"]
    assert [(one.Modality, one.PresentationLUTShape) for one in inverted] == [("CR", "INVERSE")]
    pixels = inverted[0].pixel_array
    spine, air = pixels[240:300, 235:245].mean(), pixels[:20, :20].mean()
    assert spine < air


def test_a_ct_is_in_hounsfield_units_and_its_sections_are_in_order(data_sets: list[Dataset]) -> None:
    head = [one for one in data_sets if one.Modality == "CT" and one.StudyDate == f"{TODAY:%Y%m%d}"]
    assert len(head) == 20
    middle = head[12].pixel_array * head[12].RescaleSlope + head[12].RescaleIntercept
    assert middle[:10, :10].mean() < -950
    assert middle.max() > 800
    assert list(head[0].WindowCenter) == [40, 600]
    places = [float(one.ImagePositionPatient[2]) for one in head]
    assert places == sorted(places)


def test_frames_and_colour(data_sets: list[Dataset]) -> None:
    frames = {one.Modality: int(one.NumberOfFrames) for one in data_sets if "NumberOfFrames" in one}
    assert frames == {"US": 10, "XA": 10, "NM": 2}
    assert {one.PhotometricInterpretation for one in data_sets if one.Modality in {"US", "OT"}} == {"RGB"}


def test_the_letter_is_a_pdf(data_sets: list[Dataset]) -> None:
    letter = next(one for one in data_sets if one.Modality == "DOC")
    document = letter.EncapsulatedDocument[: letter.EncapsulatedDocumentLength]
    assert document.startswith(b"%PDF-1.4")
    assert document.endswith(b"%%EOF\n")
    start = int(document.split(b"startxref\n")[1].split(b"\n")[0])
    assert document[start : start + 4] == b"xref"


@pytest.mark.skipif(which("dcmdump") is None, reason="DCMTK is not installed")
def test_dcmtk_reads_all_without_a_word(instances: list[SampleInstance], tmp_path: Path) -> None:
    for number, instance in enumerate(instances):
        (tmp_path / f"{number:03d}.dcm").write_bytes(instance.part10())
    said = subprocess.run(["dcmdump", "-q", *sorted(tmp_path.iterdir())], capture_output=True, check=True)
    assert said.stderr == b""


@pytest.mark.skipif(which("dsrdump") is None, reason="DCMTK is not installed")
def test_dcmtk_reads_the_structured_report(instances: list[SampleInstance], tmp_path: Path) -> None:
    note = next(one for one in instances if one.sop_class_uid == "1.2.840.10008.5.1.4.1.1.88.11")
    (tmp_path / "note.dcm").write_bytes(note.part10())
    said = subprocess.run(["dsrdump", tmp_path / "note.dcm"], capture_output=True, check=True)
    assert b"Solid nodule" in said.stdout
    assert b"E:" not in said.stderr
