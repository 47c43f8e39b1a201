"""Real files of many vendors through every profile: what comes out is valid DICOM and holds nothing of who it was."""

import shutil
import subprocess
import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

import make
from deidentified import Here
from radiology.deidentification.copying import Copied
from radiology.deidentification.originals import copy_in, instance_of
from radiology.deidentification.pixel_policy import Withheld, decide
from radiology.deidentification.rules import DeviceRegions, Profile, Rectangle, Rules
from radiology.errors import RadiologyError
from radiology.kit.cpu import LimitedProcesses
from radiology.kit.objects import LocalObjects

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

KEY = bytes(range(32))
SHORTEST = 6
#: What stands for a name in our objects too.
DUMMIES = {"Anonymous"}


def made(path: Path, folder: Path, rules: Rules) -> Copied | Withheld:
    objects = LocalObjects(folder / "objects")
    return copy_in(Here(), objects, instance_of(path), folder / "out", rules)  # type: ignore[arg-type]


def secrets_of(image: Dataset, *, with_uids: bool) -> set[str]:
    """Values that must not be found again."""
    found = {str(image.get(name) or "").strip() for name in ("PatientID", "AccessionNumber", "PatientBirthDate")}
    found.add(str(image.get("PatientName") or "").strip(" ^="))
    if with_uids:
        found |= {str(image.get(n) or "") for n in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")}
        found.add(str(image.get("StudyDate") or ""))
    else:
        found.discard(str(image.get("StudyDate") or ""))  # Kept, and sometimes a birth date too.
    return {value for value in found - DUMMIES if len(value) >= SHORTEST and not set(value) <= set("0. ")}


@pytest.mark.parametrize("profile", list(Profile))
def test_every_shared_file(profile: Profile, shared_data: Path, tmp_path: Path) -> None:
    rules, written, leaks = Rules(profile, KEY, keep_faces=True), 0, list[str]()
    for path in sorted((shared_data / "dicom").rglob("*.dcm")):
        (tmp_path / "out").unlink(missing_ok=True)
        try:
            outcome = made(path, tmp_path, rules)
        except RadiologyError:
            assert not (tmp_path / "out").exists()
            continue
        if isinstance(outcome, Withheld):
            assert not (tmp_path / "out").exists()
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            before = pydicom.dcmread(path, force=True, stop_before_pixels=True)
            after = pydicom.dcmread(tmp_path / "out")
            head = (tmp_path / "out").read_bytes()[: after["PixelData"].file_tell if "PixelData" in after else None]
        written += 1
        assert after.PatientIdentityRemoved == "YES"
        assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID == outcome.sop_instance_uid
        leaks += [
            f"{path.name}: {secret}"
            for secret in secrets_of(before, with_uids=profile is not Profile.TELERADIOLOGY)
            if secret.encode() in head
        ]
    assert written >= 100
    assert not leaks


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="DCMTK is not installed")
def test_dcmdump_reads_what_was_written(shared_data: Path, tmp_path: Path) -> None:
    clean = DeviceRegions("TOSHIBA_MEC", "MRT50H1", 64, 64, ())  # Somebody has said that it burns nothing in.
    rules = Rules(Profile.RESEARCH, KEY, keep_faces=True, regions=(clean,))
    for name in ("CT_small.dcm", "MR_small_bigendian.dcm", "MR_small_jp2klossless.dcm", "MR_small_implicit.dcm"):
        (tmp_path / "out").unlink(missing_ok=True)
        outcome = made(shared_data / "dicom" / "pydicom" / name, tmp_path, rules)
        assert isinstance(outcome, Copied)
        shown = subprocess.run(["dcmdump", "-q", str(tmp_path / "out")], capture_output=True, text=True, check=True)
        assert "PatientIdentityRemoved" in shown.stdout
        assert not shown.stderr


@pytest.mark.parametrize("name", ["examples_ybr_color.dcm", "examples_jpeg2k.dcm", "examples_palette.dcm"])
def test_every_frame_is_masked_and_the_rest_is_as_it_was(name: str, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "dicom" / "pydicom" / name
    before = pydicom.dcmread(path)
    device = DeviceRegions(
        str(before.get("Manufacturer") or ""), str(before.get("ManufacturerModelName") or ""), before.Rows,
        before.Columns, (Rectangle(0, 0, before.Columns - 1, 19),),
    )  # fmt: skip
    outcome = made(path, tmp_path, Rules(Profile.RESEARCH, KEY, regions=(device,)))
    assert isinstance(outcome, Copied)
    assert outcome.masked
    after = pydicom.dcmread(tmp_path / "out")
    frames = after.pixel_array.reshape(int(after.get("NumberOfFrames") or 1), after.Rows, after.Columns, -1)
    assert not frames[:, :20].reshape(len(frames), -1).any()
    assert frames[:, 20:].any()


def test_what_may_have_text_is_withheld_where_nobody_said_where() -> None:
    rules = Rules(Profile.RESEARCH, KEY)
    secondary = make.an_object(SOPClassUID="1.2.840.10008.5.1.4.1.1.7", BurnedInAnnotation="NO")
    assert isinstance(decide(secondary, rules, has_pixels=True), Withheld)
    burned = make.an_object(BurnedInAnnotation="YES", BodyPartExamined="CHEST")
    assert isinstance(decide(burned, rules, has_pixels=True), Withheld)
    assert decide(make.an_object(BodyPartExamined="CHEST"), rules, has_pixels=True) is None
    head = make.an_object(BodyPartExamined="HEAD")
    assert isinstance(decide(head, rules, has_pixels=True), Withheld)
    assert decide(head, Rules(Profile.RESEARCH, KEY, keep_faces=True), has_pixels=True) is None
    document = make.an_object(SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1")
    assert isinstance(decide(document, rules, has_pixels=False), Withheld)


def test_a_process_with_limits_makes_the_file(tmp_path: Path) -> None:
    path, processes = tmp_path / "in.dcm", LimitedProcesses(count=1)
    path.write_bytes(make.as_file(make.an_object(BodyPartExamined="CHEST")))
    try:
        outcome = copy_in(
            processes, LocalObjects(tmp_path / "o"), instance_of(path), tmp_path / "out", Rules(Profile.TEACHING, KEY)
        )
    finally:
        processes.close()
    assert isinstance(outcome, Copied)
