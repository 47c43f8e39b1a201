"""What US, NM and the camera write (PS3.3 A.6, A.7, A.5, A.8.1)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from pydicom import uid

from radiology.samples.attributes import cine, code, window
from radiology.samples.model import Picture, Series
from radiology.samples.phantoms import colour

Rng = np.random.Generator


def _us(part: str, kind: str, shape: tuple[int, int], *, flow: bool = False) -> dict[str, Any]:
    """The ultrasound modules; the region (PS3.3 C.8.5.5) tells that a pixel of the fan is a length in cm."""
    region = {
        "RegionSpatialFormat": 1,
        "RegionDataType": 2 if flow else 1,
        "RegionFlags": 0,
        "RegionLocationMinX0": 20,
        "RegionLocationMinY0": 0,
        "RegionLocationMaxX1": shape[1] - 21,
        "RegionLocationMaxY1": shape[0] - 1,
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 15.0 / shape[0],
        "PhysicalDeltaY": 15.0 / shape[0],
    }
    return {
        "ImageType": ["ORIGINAL", "PRIMARY", kind, "0010" if flow else "0001"],
        "BodyPartExamined": part,
        "SequenceOfUltrasoundRegions": [region],
        "UltrasoundColorDataPresent": int(flow),
        "TransducerType": "SECTOR_PHASED" if part == "HEART" else "CURVED LINEAR",
        "BurnedInAnnotation": "NO",
    }


def us_stills(part: str, kind: str, *organs: str) -> Series:
    """Sonograms in RGB, one an instance."""

    def pictures(rng: Rng) -> Iterator[Picture]:
        for organ in organs:
            flow = organ == "doppler"
            yield Picture(colour.sonogram(rng, organ), _us(part, kind, colour.SECTOR, flow=flow))

    return Series("US", str(uid.UltrasoundImageStorage), f"{part.capitalize()} stills", {}, pictures)


def us_heart() -> Series:
    """One beat of a heart: a multi-frame in RGB."""

    def pictures(rng: Rng) -> Iterator[Picture]:
        yield Picture(np.stack(list(colour.heartbeat(rng))), {})

    values = {**_us("HEART", "ADULT ECHO", colour.HEART), **cine(66.7), "HeartRate": 75}
    return Series("US", str(uid.UltrasoundMultiFrameImageStorage), "Four chamber view", values, pictures)


def bone_scan() -> Series:
    """A whole-body bone scan: one NM image of two frames, from the front and from the back (PS3.3 C.8.4)."""

    def pictures(rng: Rng) -> Iterator[Picture]:
        frames = np.stack([colour.bone_scan(rng, back=back) for back in (False, True)])
        yield Picture(frames, {"CountsAccumulated": int(frames.sum())})

    detector = {"CollimatorType": "PARA", "FocalDistance": [], "ImagePositionPatient": [0, 0, 0]}
    values = {
        "ImageType": ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"],
        "BodyPartExamined": "WHOLEBODY",
        "BitsStored": 16,
        "HighBit": 15,
        "PixelSpacing": [3.6, 3.6],
        "FrameIncrementPointer": [0x00540010, 0x00540020],
        "EnergyWindowVector": [1, 1],
        "NumberOfEnergyWindows": 1,
        "DetectorVector": [1, 2],
        "NumberOfDetectors": 2,
        "EnergyWindowInformationSequence": [
            {"EnergyWindowRangeSequence": [{"EnergyWindowLowerLimit": 126, "EnergyWindowUpperLimit": 154}]}
        ],
        "RadiopharmaceuticalInformationSequence": [
            {
                "RadionuclideCodeSequence": code("72454006", "SCT", "^99m^Technetium"),
                "Radiopharmaceutical": "Tc-99m MDP",
            }
        ],
        "DetectorInformationSequence": [
            {**detector, "ImageOrientationPatient": across} for across in ([1, 0, 0, 0, 0, -1], [-1, 0, 0, 0, 0, -1])
        ],
        "PatientOrientationCodeSequence": code("102538003", "SCT", "recumbent"),
        "PatientGantryRelationshipCodeSequence": code("102540008", "SCT", "headfirst"),
        **window((35, 70, "DEFAULT")),
    }
    return Series("NM", str(uid.NuclearMedicineImageStorage), "Whole body bone scan", values, pictures)


def photograph() -> Series:
    """A photograph as Secondary Capture (PS3.3 A.8.1)."""

    def pictures(rng: Rng) -> Iterator[Picture]:
        yield Picture(colour.photograph(rng), {})

    values = {
        "ConversionType": "DI",
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "BodyPartExamined": "FOOT",
        "BurnedInAnnotation": "NO",
    }
    return Series(
        "OT",
        str(uid.SecondaryCaptureImageStorage),
        "Photograph of the left heel",
        {**values, "Laterality": "L"},
        pictures,
    )
