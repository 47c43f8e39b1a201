"""What the cutting modalities write: CT and MR (PS3.3 A.3, A.4)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid

from radiology.samples.attributes import window
from radiology.samples.model import Picture, Series
from radiology.samples.phantoms import sections
from radiology.samples.phantoms.canvas import Plane, to_words

Rng = np.random.Generator


def _stack(
    count: int, gap_mm: float, orientation: list[int], spacing_mm: float
) -> Iterator[tuple[float, dict[str, Any]]]:
    """Position from -1 to 1 along the stack, and the image plane module (PS3.3 C.7.6.2) of each section."""
    half = 128 * spacing_mm
    axial = orientation == [1, 0, 0, 0, 1, 0]
    for index in range(count):
        along = (index - (count - 1) / 2) * gap_mm
        yield (
            2 * index / (count - 1) - 1,
            {
                "ImagePositionPatient": [-half, -half, along] if axial else [along, -half, half],
                "ImageOrientationPatient": orientation,
                "SliceLocation": along,
                "SliceThickness": gap_mm,
                "SpacingBetweenSlices": gap_mm,
                "PixelSpacing": [spacing_mm, spacing_mm],
            },
        )


def _ct(part: str, kernel: str, windows: tuple[tuple[float, float, str], ...], dose_mgy: float) -> dict[str, Any]:
    return {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "BodyPartExamined": part,
        "PatientPosition": "HFS",
        "RescaleIntercept": -1024,
        "RescaleSlope": 1,
        "RescaleType": "HU",
        **window(*windows),
        "KVP": 120,
        "XRayTubeCurrent": 220,
        "Exposure": 180,
        "ExposureTime": 800,
        "ConvolutionKernel": kernel,
        "CTDIvol": dose_mgy,
        "GantryDetectorTilt": 0,
        "BurnedInAnnotation": "NO",
    }


def _hounsfield(plane: Plane) -> NDArray[np.uint16]:
    return np.clip(plane + 1024.5, 0, 4095).astype(np.uint16)


def ct_head(slices: int, lesion: float) -> Series:
    """An axial CT of the head; `lesion` 0 to 1 is the size of the bleed."""

    def pictures(rng: Rng) -> Iterator[Picture]:
        for z, plane in _stack(slices, 140 / slices, [1, 0, 0, 0, 1, 0], 0.9):
            yield Picture(_hounsfield(sections.head(rng, z * 0.85, sections.CT_HEAD, lesion)), plane)

    values = _ct("HEAD", "STANDARD", ((40, 80, "BRAIN"), (600, 2800, "BONE")), 48.5)
    return Series("CT", str(uid.CTImageStorage), "Head without contrast", values, pictures)


def ct_chest(slices: int) -> Series:
    """An axial CT of the chest with contrast, with a nodule in the right lung."""

    def pictures(rng: Rng) -> Iterator[Picture]:
        for z, plane in _stack(slices, 260 / slices, [1, 0, 0, 0, 1, 0], 1.45):
            yield Picture(_hounsfield(sections.thorax(rng, z, nodule=True)), plane)

    values = _ct("CHEST", "SOFT", ((40, 400, "MEDIASTINUM"), (-600, 1500, "LUNG")), 7.9)
    contrast = {"ContrastBolusAgent": "Iodinated contrast", "ContrastBolusRoute": "INTRAVENOUS"}
    return Series("CT", str(uid.CTImageStorage), "Chest with contrast", {**values, **contrast}, pictures)


def _mr(part: str, repetition_ms: float, echo_ms: float) -> dict[str, Any]:
    return {
        "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
        "BodyPartExamined": part,
        "PatientPosition": "HFS" if part == "HEAD" else "FFS",
        "ScanningSequence": "SE",
        "SequenceVariant": "SK",
        "ScanOptions": None,
        "MRAcquisitionType": "2D",
        "RepetitionTime": repetition_ms,
        "EchoTime": echo_ms,
        "EchoTrainLength": 8,
        "MagneticFieldStrength": 1.5,
        "FlipAngle": 90,
        **window((1800, 3600, "DEFAULT")),
        "BurnedInAnnotation": "NO",
    }


def mr_head(weighting: str, slices: int) -> Series:
    """An axial MR of the head, `weighting` T1 or T2."""
    tissue, times = {"T1": (sections.MR_T1_HEAD, (520, 12)), "T2": (sections.MR_T2_HEAD, (4800, 96))}[weighting]

    def pictures(rng: Rng) -> Iterator[Picture]:
        for z, plane in _stack(slices, 130 / slices, [1, 0, 0, 0, 1, 0], 0.9):
            yield Picture(to_words(np.abs(sections.head(rng, z * 0.85, tissue))), plane)

    return Series("MR", str(uid.MRImageStorage), f"{weighting} axial", _mr("HEAD", *times), pictures)


def mr_knee(side: str, slices: int) -> Series:
    """A sagittal, proton-density weighted MR of a knee."""

    def pictures(rng: Rng) -> Iterator[Picture]:
        for z, plane in _stack(slices, 4.0, [0, 1, 0, 0, 0, -1], 0.62):
            yield Picture(to_words(sections.knee(rng, z)), plane)

    values = {**_mr("KNEE", 2900, 28), "Laterality": side}
    return Series("MR", str(uid.MRImageStorage), "PD sagittal", values, pictures)
