"""The generated instances that the benchmarks store: made in code, always the same, written once and reused."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    generate_uid,
)

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".radi" / "bench"
EDITION = "sets-1"  # A new name whenever what is generated changes, so that an old cache is not taken for the new one.

LARGE_FRAMES = 2048  # 2,048 frames of 512 KiB are 1 GiB of pixel data.
FRAME_BYTES = 512 * 1024
ITEM = b"\xfe\xff\x00\xe0"


@dataclass(frozen=True)
class SetSpec:
    """One study of CT-like instances: `count` in `series` equal series, square images of `side` pixels, 16 bit."""

    name: str
    count: int
    series: int
    side: int


SPECS = {
    spec.name: spec
    for spec in (
        SetSpec("ct", 1000, 4, 512),
        *(SetSpec(f"ct-four-{n}", 250, 1, 512) for n in range(1, 5)),
        SetSpec("small", 2000, 4, 36),  # 2.5 KiB of pixels and 1.3 KiB of header: a file of 4 KiB.
        *(SetSpec(f"small-four-{n}", 500, 1, 36) for n in range(1, 5)),
        SetSpec("warm", 24, 1, 36),
        SetSpec("fifty", 50, 1, 512),
        SetSpec("hundred", 100, 1, 512),
    )
}


def uid(*parts: object) -> str:
    """A UID that depends on nothing but `parts`."""
    return str(generate_uid(entropy_srcs=[EDITION, *map(str, parts)]))


def study_uid(name: str) -> str:
    """The Study Instance UID of the set `name`."""
    return uid(name, "study")


def sop_instance_uid(name: str, index: int) -> str:
    """The SOP Instance UID of instance `index` (from 0) of the set `name`."""
    return uid(name, "instance", index)


def ct_header(spec: SetSpec, index: int) -> Dataset:
    """The 47 elements that a CT image of a usual scanner has, pixel data apart."""
    series, number = divmod(index, spec.count // spec.series)
    header = Dataset()
    _patient_and_study(header, spec.name)
    _series_and_equipment(header, spec.name, series)
    _acquisition(header, number)
    _image(header, spec.name, index, number)
    _pixel_description(header, spec.side)
    return header


def _patient_and_study(ds: Dataset, name: str) -> None:
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20260105"
    ds.StudyTime = "091500"
    ds.AccessionNumber = f"B{int(uid(name)[-10:]):010d}"
    ds.ReferringPhysicianName = "Bench^Referrer"
    ds.StudyDescription = "CT CHEST"
    ds.PatientName = f"Bench^{name}"
    ds.PatientID = f"BENCH-{name}"
    ds.PatientBirthDate = "19700101"
    ds.PatientSex = "O"
    ds.StudyInstanceUID = study_uid(name)
    ds.StudyID = "1"


def _series_and_equipment(ds: Dataset, name: str, series: int) -> None:
    ds.Modality = "CT"
    ds.Manufacturer = "Generated"
    ds.InstitutionName = "Bench"
    ds.SeriesDescription = f"Axial {series + 1}"
    ds.SeriesTime = f"0916{series:02d}"
    ds.BodyPartExamined = "CHEST"
    ds.PatientPosition = "HFS"
    ds.SeriesInstanceUID = uid(name, "series", series)
    ds.FrameOfReferenceUID = uid(name, "frame of reference")
    ds.SeriesNumber = series + 1


def _acquisition(ds: Dataset, number: int) -> None:
    ds.AcquisitionTime = f"0920{number % 60:02d}"
    ds.SliceThickness = "1.25"
    ds.KVP = "120"
    ds.XRayTubeCurrent = 200 + number % 50


def _image(ds: Dataset, name: str, index: int, number: int) -> None:
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = sop_instance_uid(name, index)
    ds.InstanceNumber = number + 1
    ds.ImagePositionPatient = ["-160", "-160", f"{-1.25 * number:.2f}"]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.SliceLocation = f"{-1.25 * number:.2f}"


def _pixel_description(ds: Dataset, side: int) -> None:
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows = ds.Columns = side
    ds.PixelSpacing = ["0.625", "0.625"]
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit = 15
    ds.PixelRepresentation = 0
    ds.RescaleIntercept = "-1024"
    ds.RescaleSlope = "1"


def _write(ds: Dataset, path: Path, transfer_syntax_uid: UID = ExplicitVRLittleEndian) -> None:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = transfer_syntax_uid
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.save_as(path, enforce_file_format=True)


def _generate(spec: SetSpec, folder: Path) -> None:
    noise = np.random.default_rng(seed=47).integers(0, 4096, spec.side * spec.side, dtype="<u2")
    for index in range(spec.count):
        ds = ct_header(spec, index)
        ds.add_new("PixelData", "OW", np.roll(noise, index * 97).tobytes())
        _write(ds, folder / f"{index:05d}.dcm")


def files(name: str, limit: int | None = None) -> list[Path]:
    """The files of the set `name` in order, generated first when they are not there; at most `limit` of them."""
    folder = CACHE / EDITION / name
    if not folder.is_dir():
        unfinished = folder.with_name(f"{name}.{os.getpid()}.part")
        unfinished.mkdir(parents=True)
        _generate(SPECS[name], unfinished)
        unfinished.rename(folder)
    return sorted(folder.glob("*.dcm"))[:limit]


def large_file(frames: int = LARGE_FRAMES) -> Path:
    """One multi-frame object of `frames` x 512 KiB. Each frame begins with its number, the rest is a hole."""
    path = CACHE / EDITION / f"large-{frames}.dcm"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        _write_large(unfinished, frames)
        unfinished.rename(path)
    return path


def large_encapsulated_file(frames: int = LARGE_FRAMES) -> Path:
    """The same as encapsulated pixel data, a fragment of 512 KiB for each frame, with a Basic Offset Table.

    Nobody decodes it here: frames are asked for as they are stored.
    """
    path = CACHE / EDITION / f"large-encapsulated-{frames}.dcm"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        _write_large_encapsulated(unfinished, frames)
        unfinished.rename(path)
    return path


def _write_large_encapsulated(path: Path, frames: int) -> None:
    ds = _large_header(f"large-encapsulated-{frames}", frames)
    _write(ds, path, JPEG2000Lossless)
    with path.open("ab") as out:
        offsets = range(0, frames * (8 + FRAME_BYTES), 8 + FRAME_BYTES)
        out.write(b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + ITEM + (4 * frames).to_bytes(4, "little"))
        out.write(np.array(offsets, "<u4").tobytes())
        for frame in range(frames):
            out.write(ITEM + FRAME_BYTES.to_bytes(4, "little") + frame.to_bytes(4, "little"))
            out.truncate(out.seek(FRAME_BYTES - 4, os.SEEK_CUR))
        out.write(b"\xfe\xff\xdd\xe0\0\0\0\0")


def _large_header(name: str, frames: int) -> Dataset:
    ds = ct_header(SetSpec(name, 1, 1, 512), 0)
    ds.SOPClassUID = MultiFrameGrayscaleWordSecondaryCaptureImageStorage
    ds.Modality = "OT"
    ds.ConversionType = "WSD"
    ds.NumberOfFrames = frames
    ds.BurnedInAnnotation = "NO"
    ds.PresentationLUTShape = "IDENTITY"
    ds.FrameIncrementPointer = 0x00200013  # Instance Number; the frames have no time of their own.
    return ds


def _write_large(path: Path, frames: int) -> None:
    _write(_large_header(f"large-{frames}", frames), path)
    length = frames * FRAME_BYTES
    with path.open("ab") as out:
        out.write(b"\xe0\x7f\x10\x00OW\x00\x00" + length.to_bytes(4, "little"))
        start = out.tell()
        out.truncate(start + length)
    with path.open("r+b") as out:
        for frame in range(frames):
            out.seek(start + frame * FRAME_BYTES)
            out.write(frame.to_bytes(4, "little"))
