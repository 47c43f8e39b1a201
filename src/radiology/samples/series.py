"""What each modality writes: the attributes of its information object (PS3.3 A) around the phantom's pixels."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid

from radiology.samples.documents import code
from radiology.samples.model import Attributes, Picture, Series
from radiology.samples.phantoms import colour, projections, sections
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
    "LL": ("399173006", "left lateral"),
    "RL": ("399198007", "right lateral"),
    "CC": ("399162004", "cranio-caudal"),
    "MLO": ("399368009", "medio-lateral oblique"),
}


def chest(look: projections.Chest, *, view: str = "PA", computed: bool = False, inverted: bool = False) -> Series:
    """One frontal chest: CR when `computed`, else DX. `inverted` stores it as MONOCHROME1, where 0 is white."""
    flip = inverted and {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}
    spacing = 0.35 if look.newborn else 0.8
    values = {**_radiograph("CHEST", view, "", spacing), **({"ViewPosition": view} if computed else {})}

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
            yield Picture(to_words(draw(rng)), _view(view))

    values = _radiograph(part, views[0][0], side, 0.4)
    return Series("DX", str(uid.DigitalXRayImageStorageForPresentation), part.capitalize(), values, pictures)


def _view(view: str) -> dict[str, Any]:
    if view not in VIEWS:
        return {"ViewPosition": "", "ViewCodeSequence": code("399067008", "SCT", "lateral projection")}
    value, meaning = VIEWS[view]
    return {"ViewPosition": view, "ViewCodeSequence": code(value, "SCT", meaning)}


def _window(centre: float, width: float, name: str = "DEFAULT") -> dict[str, Any]:
    return {"WindowCenter": centre, "WindowWidth": width, "WindowCenterWidthExplanation": name}


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
        **_window(2047.5, 4096),
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
    return {**{k: v for k, v in values.items() if k not in digital}, "PlateType": "PHOSPHOR", "CassetteSize": "35CMX43CM"}


def mammogram(side_with_mass: str = "") -> Series:
    """The four views of a screening mammogram (PS3.3 A.26)."""

    def pictures(rng: Rng) -> Iterator[Picture]:
        for view in ("CC", "MLO"):
            for side in ("R", "L"):
                plane = projections.breast(rng, side=side, view=view, mass=side == side_with_mass)
                across = "P" if side == "L" else "A"
                facing = {"PatientOrientation": ["A" if across == "P" else "P", "L" if side == "R" and view == "CC" else "R"]}
                if view == "MLO":
                    facing = {"PatientOrientation": ["A" if side == "L" else "P", "FL" if side == "R" else "FR"]}
                turned = [{"ViewModifierCodeSequence": [], **code(*_scheme(view))[0]}]
                yield Picture(to_words(plane), {"ImageLaterality": side, "ViewPosition": view, **facing, "ViewCodeSequence": turned})

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


def _scheme(view: str) -> tuple[str, str, str]:
    value, meaning = VIEWS[view]
    return value, "SCT", meaning


def _stack(count: int, gap_mm: float, orientation: list[int], spacing_mm: float) -> Iterator[tuple[float, dict[str, Any]]]:
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
        **_window(*windows[0]),
        "WindowCenter": [centre for centre, _, _ in windows],
        "WindowWidth": [width for _, width, _ in windows],
        "WindowCenterWidthExplanation": [name for _, _, name in windows],
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
        **_window(1800, 3600),
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

    values = {**_us("HEART", "ADULT ECHO", colour.HEART), **_cine(66.7), "HeartRate": 75}
    return Series("US", str(uid.UltrasoundMultiFrameImageStorage), "Four chamber view", values, pictures)


def _cine(frame_ms: float) -> dict[str, Any]:
    return {"FrameTime": frame_ms, "FrameIncrementPointer": 0x00181063, "CineRate": round(1000 / frame_ms)}


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
        **_window(128, 256),
        **_cine(133.3),
        "BurnedInAnnotation": "NO",
    }
    return Series("XA", str(uid.XRayAngiographicImageStorage), "Left coronary artery", values, pictures)


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
            {"RadionuclideCodeSequence": code("C-163A8", "SRT", "^99m^Technetium"), "Radiopharmaceutical": "Tc-99m MDP"}
        ],
        "DetectorInformationSequence": [
            {**detector, "ImageOrientationPatient": across} for across in ([1, 0, 0, 0, 0, -1], [-1, 0, 0, 0, 0, -1])
        ],
        "PatientOrientationCodeSequence": code("102538003", "SCT", "recumbent"),
        "PatientGantryRelationshipCodeSequence": code("102540008", "SCT", "headfirst"),
        **_window(35, 70),
    }
    return Series("NM", str(uid.NuclearMedicineImageStorage), "Whole body bone scan", values, pictures)


def photograph() -> Series:
    """A photograph as Secondary Capture (PS3.3 A.8.1)."""

    def pictures(rng: Rng) -> Iterator[Picture]:
        yield Picture(colour.photograph(rng), {})

    values = {"ConversionType": "DI", "ImageType": ["ORIGINAL", "PRIMARY"], "BodyPartExamined": "FOOT", "BurnedInAnnotation": "NO"}
    return Series("OT", str(uid.SecondaryCaptureImageStorage), "Photograph of the left heel", {**values, "Laterality": "L"}, pictures)
