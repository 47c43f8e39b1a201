"""What the projecting modalities write: CR, DX, MG and XA (PS3.3 A.2, A.26, A.14)."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from pydicom import uid

from radiology.samples.attributes import cine, code, window
from radiology.samples.model import Attributes, Picture, Series
from radiology.samples.phantoms import projections
from radiology.samples.phantoms.canvas import Plane, to_words

Rng = np.random.Generator

REGIONS = {
    "CHEST": ("51185008", "Thorax"),
    "HAND": ("85562004", "Hand"),
    "FOREARM": ("14975008", "Forearm"),
    "KNEE": ("72696002", "Knee"),
    "BREAST": ("76752008", "Breast"),
}
VIEWS = {
    "AP": ("399348003", "antero-posterior"),
    "PA": ("272479007", "postero-anterior"),
    "LATERAL": ("399067008", "lateral"),
    "OBLIQUE": ("399182000", "oblique"),
    "CC": ("399162004", "cranio-caudal"),
    "MLO": ("399368009", "medio-lateral oblique"),
}


def chest(look: projections.Chest, *, view: str = "PA", computed: bool = False, inverted: bool = False) -> Series:
    """One frontal chest: CR when `computed`, else DX. `inverted` stores it as MONOCHROME1, where 0 is white."""
    flip = inverted and {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}
    spacing = 0.35 if look.newborn else 0.8
    values = _radiograph("CHEST", view, "", spacing)

    def pictures(rng: Rng) -> Iterator[Picture]:
        words = to_words(projections.chest(rng, look))
        yield Picture(4095 - words if inverted else words, flip or {})

    if computed:
        return Series("CR", str(uid.ComputedRadiographyImageStorage), f"Chest {view}", _computed(values), pictures)
    return Series("DX", str(uid.DigitalXRayImageStorageForPresentation), f"Chest {view}", values, pictures)


def limb(part: str, side: str, *views: tuple[str, Callable[[Rng], Plane]]) -> Series:
    """The radiographs of one limb, a view an instance."""

    def pictures(rng: Rng) -> Iterator[Picture]:
        for view, draw in views:
            facing = ["R", "H"] if part == "HAND" else ["P" if view == "LATERAL" else "L", "F"]
            yield Picture(to_words(draw(rng)), {**_view(view), "PatientOrientation": facing})

    values = _radiograph(part, views[0][0], side, 0.4)
    return Series("DX", str(uid.DigitalXRayImageStorageForPresentation), part.capitalize(), values, pictures)


def _view(view: str) -> dict[str, Any]:
    value, meaning = VIEWS[view]
    # ViewPosition (0018,5101) has no term for the oblique, and its laterals are those of a trunk.
    return {"ViewPosition": view if len(view) < 4 else "", "ViewCodeSequence": code(value, "SCT", meaning)}


def _radiograph(part: str, view: str, side: str, spacing_mm: float) -> dict[str, Any]:
    """The DX modules (PS3.3 C.8.11). Dense is bright, so a lower value means more radiation: the sign is -1."""
    value, meaning = REGIONS[part]
    return {
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "BodyPartExamined": part,
        "AnatomicRegionSequence": code(value, "SCT", meaning),
        "ImageLaterality": side or "U",
        "PatientOrientation": ["L", "F"],
        "PresentationIntentType": "FOR PRESENTATION",
        "PixelIntensityRelationship": "LOG",
        "PixelIntensityRelationshipSign": -1,
        "PresentationLUTShape": "IDENTITY",
        "RescaleIntercept": 0,
        "RescaleSlope": 1,
        "RescaleType": "US",
        **window((2047.5, 4096, "DEFAULT")),
        "ImagerPixelSpacing": [spacing_mm, spacing_mm],
        "PixelSpacing": [spacing_mm, spacing_mm],
        "BurnedInAnnotation": "NO",
        "DetectorType": "SCINTILLATOR",
        "DetectorID": "SAMPLE-1",
        "AcquisitionContextSequence": [],
        "KVP": 110 if part == "CHEST" else 28 if part == "BREAST" else 55,
        "ExposureInuAs": 4000,
        **_view(view),
    }


def _computed(values: Attributes) -> dict[str, Any]:
    """A CR image (PS3.3 A.2) keeps the plainer attributes and tells the plate instead of the detector."""
    digital = {"PresentationIntentType", "DetectorType", "DetectorID", "AcquisitionContextSequence", "ImageLaterality"}
    return {
        **{k: v for k, v in values.items() if k not in digital},
        "PlateType": "PHOSPHOR",
        "CassetteSize": "35CMX43CM",
    }


def mammogram(side_with_mass: str = "") -> Series:
    """The four views of a screening mammogram (PS3.3 A.26)."""

    def pictures(rng: Rng) -> Iterator[Picture]:
        for view in ("CC", "MLO"):
            for side in ("R", "L"):
                plane = projections.breast(rng, side=side, view=view, mass=side == side_with_mass)
                yield Picture(to_words(plane), _mammogram_view(side, view))

    values = {
        **_radiograph("BREAST", "CC", "R", 0.45),
        "PositionerType": "MAMMOGRAPHIC",
        "OrganExposed": "BREAST",
        "PartialView": "NO",
        "BreastImplantPresent": "NO",
        "CompressionForce": 110,
        "BodyPartThickness": 52,
    }
    kind = str(uid.DigitalMammographyXRayImageStorageForPresentation)
    return Series("MG", kind, "Screening views", values, pictures)


def _mammogram_view(side: str, view: str) -> dict[str, Any]:
    """The chest wall of a right breast is at the right edge, so its rows run backwards (PS3.3 C.7.6.1.1.1)."""
    value, meaning = VIEWS[view]
    coded: dict[str, Any] = {**code(value, "SCT", meaning)[0], "ViewModifierCodeSequence": []}
    inwards = "L" if side == "R" else "R"
    return {
        "ImageLaterality": side,
        "ViewPosition": view,
        "PatientOrientation": ["P" if side == "R" else "A", f"F{inwards}" if view == "MLO" else inwards],
        "ViewCodeSequence": [coded],
    }


def angiogram() -> Series:
    """Two runs of a coronary angiogram (PS3.3 A.14)."""

    def pictures(rng: Rng) -> Iterator[Picture]:
        for angle in (-30, 25):
            turn = {"PositionerPrimaryAngle": angle, "PositionerSecondaryAngle": 20}
            yield Picture(np.stack(list(projections.angiogram(rng))), turn)

    values = {
        "ImageType": ["ORIGINAL", "PRIMARY", "SINGLE PLANE"],
        "BodyPartExamined": "HEART",
        "PixelIntensityRelationship": "LIN",
        "KVP": 78,
        "XRayTubeCurrent": 450,
        "ExposureTime": 8,
        "RadiationSetting": "GR",
        "PositionerMotion": "STATIC",
        "ImagerPixelSpacing": [0.6, 0.6],
        "ContrastBolusAgent": "Iodinated contrast",
        "PatientOrientation": ["L", "F"],
        **window((128, 256, "DEFAULT")),
        **cine(133.3),
        "BurnedInAnnotation": "NO",
    }
    return Series("XA", str(uid.XRayAngiographicImageStorage), "Left coronary artery", values, pictures)
