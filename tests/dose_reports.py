"""X-Ray Radiation Dose Reports and images with dose in their headers, made with pydicom: small, and valid to DCMTK."""

from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import XRayRadiationDoseSRStorage, generate_uid

import make

D = codes.DCM
CT_PROCEDURE = Code("77477000", "SCT", "Computed Tomography X-Ray")
FLUOROSCOPY = Code("44491008", "SCT", "Fluoroscopy")
HEAD, CHEST, ABDOMEN = (
    Code("69536005", "SCT", "Head"),
    Code("51185008", "SCT", "Chest"),
    Code("818983003", "SCT", "Abdomen"),
)


def ct_report(
    *events: tuple[float, float], region: Code = HEAD, phantom_cm: int = 16, uids: Sequence[str] = (), **attributes: Any
) -> Dataset:
    """A report of CT (TID 10011): each event is its CTDIvol in mGy and its DLP in mGy.cm."""
    phantom = D.IECHeadDosimetryPhantom if phantom_cm == 16 else D.IECBodyDosimetryPhantom
    content = [_code(D.ProcedureReported, CT_PROCEDURE, "HAS CONCEPT MOD"), *_machine()]
    content.append(
        _container(
            D.CTAccumulatedDoseData,
            [_number(D.TotalNumberOfIrradiationEvents, len(events), "{events}"),
             _number(D.CTDoseLengthProductTotal, sum(dlp for _, dlp in events), "mGy.cm")],
        )
    )  # fmt: skip
    for number, (ctdi_vol, dlp) in enumerate(events):
        dose = _container(
            D.CTDose,
            [
                _number(D.MeanCtdivol, ctdi_vol, "mGy"),
                _code(D.CtdiwPhantomType, phantom),
                _number(D.DLP, dlp, "mGy.cm"),
            ],
        )
        source = _container(
            D.CTXRaySourceParameters,
            [_text(D.IdentificationOfTheXRaySource, "A"), _number(D.KVP, 120, "kV"),
             _number(D.XRayTubeCurrent, 200, "mA")],
        )  # fmt: skip
        parameters = _container(D.CTAcquisitionParameters, [_number(D.ExposureTime, 4.5, "s"), source])
        uid = uids[number] if number < len(uids) else generate_uid()
        content.append(
            _container(
                D.CTAcquisition,
                [
                    _text(D.AcquisitionProtocol, "Head routine"),
                    _code(D.TargetRegion, region),
                    _code(D.CTAcquisitionType, Code("116152004", "SCT", "Spiral Acquisition")),
                    _uid(D.IrradiationEventUID, uid),
                    parameters,
                    dose,
                ],
            )
        )
    return _report(content, **attributes)


def projection_report(
    *events: tuple[float, float], kind: Code = FLUOROSCOPY, region: Code = CHEST, **attributes: Any
) -> Dataset:
    """A report of projections (TID 10001): each event is its dose area product in Gy.m2 and its air kerma in Gy."""
    content = [_code(D.ProcedureReported, D.ProjectionXRay, "HAS CONCEPT MOD"), *_machine()]
    content.append(
        _container(
            D.AccumulatedXRayDoseData,
            [
                _code(D.AcquisitionPlane, D.SinglePlane, "HAS CONCEPT MOD"),
                _number(D.DoseAreaProductTotal, sum(product for product, _ in events), "Gy.m2"),
                _number(D.DoseRPTotal, sum(kerma for _, kerma in events), "Gy"),
                _number(D.TotalFluoroTime, 10 * len(events), "s"),
            ],
        )
    )
    for product, kerma in events:
        content.append(
            _container(
                D.IrradiationEventXRayData,
                [
                    _code(D.AcquisitionPlane, D.SinglePlane, "HAS CONCEPT MOD"),
                    _uid(D.IrradiationEventUID, generate_uid()),
                    _moment(D.DatetimeStarted, "20260121141500+0600"),
                    _code(D.IrradiationEventType, kind),
                    _text(D.AcquisitionProtocol, "Coronary"),
                    _code(Code("363698007", "SCT", "Finding Site"), region),
                    _number(D.DoseAreaProduct, product, "Gy.m2"),
                    _number(D.DoseRP, kerma, "Gy"),
                    _number(D.IrradiationDuration, 10, "s"),
                    _number(D.KVP, 70, "kV"),
                    _number(D.Exposure, 2500, "uA.s"),
                ],
            )
        )
    return _report(content, **attributes)


def _report(content: list[Dataset], **attributes: Any) -> Dataset:
    image = make.an_object(
        **{
            "SOPClassUID": XRayRadiationDoseSRStorage,
            "Modality": "SR",
            "SeriesInstanceUID": generate_uid(),
            "SeriesDescription": "Dose report",
            "CompletionFlag": "COMPLETE",
            "VerificationFlag": "UNVERIFIED",
            "ContentDate": "20260121",
            "ContentTime": "141500",
            "Manufacturer": "Maker",
        }
        | attributes
    )
    for keyword in ("SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored",
                    "HighBit", "PixelRepresentation", "PixelData"):  # fmt: skip
        delattr(image, keyword)
    image.ReferencedPerformedProcedureStepSequence, image.PerformedProcedureCodeSequence = [], []
    image.ValueType, image.ContinuityOfContent = "CONTAINER", "SEPARATE"
    image.ConceptNameCodeSequence = [_coded(D.XRayRadiationDoseReport)]
    image.ContentSequence = content
    return image


def _machine() -> list[Dataset]:
    return [
        _code(D.ObserverType, D.Device, "HAS OBS CONTEXT"),
        _uid(D.DeviceObserverUID, generate_uid(), "HAS OBS CONTEXT"),
        _text(D.DeviceObserverManufacturer, "Maker", "HAS OBS CONTEXT"),
        _text(D.DeviceObserverModelName, "Model 1", "HAS OBS CONTEXT"),
        _text(D.DeviceObserverSerialNumber, "SN7", "HAS OBS CONTEXT"),
        _moment(D.StartOfXRayIrradiation, "20260121140500", "HAS OBS CONTEXT"),
        _moment(D.EndOfXRayIrradiation, "20260121141000", "HAS OBS CONTEXT"),
        _code(D.ScopeOfAccumulation, D.Study, "HAS OBS CONTEXT"),
    ]


def _coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item


def _item(kind: str, name: Code, relation: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType, item.ConceptNameCodeSequence = relation, kind, [_coded(name)]
    return item


def _container(name: Code, content: list[Dataset]) -> Dataset:
    item = _item("CONTAINER", name, "CONTAINS")
    item.ContinuityOfContent, item.ContentSequence = "SEPARATE", content
    return item


def _code(name: Code, value: Code, relation: str = "CONTAINS") -> Dataset:
    item = _item("CODE", name, relation)
    item.ConceptCodeSequence = [_coded(value)]
    return item


def _text(name: Code, value: str, relation: str = "CONTAINS") -> Dataset:
    item = _item("TEXT", name, relation)
    item.TextValue = value
    return item


def _uid(name: Code, value: str, relation: str = "CONTAINS") -> Dataset:
    item = _item("UIDREF", name, relation)
    item.UID = value
    return item


def _moment(name: Code, value: str, relation: str = "CONTAINS") -> Dataset:
    item = _item("DATETIME", name, relation)
    item.DateTime = value
    return item


def _number(name: Code, value: float, unit: str) -> Dataset:
    item = _item("NUM", name, "CONTAINS")
    measured = Dataset()
    measured.NumericValue = f"{value:.10g}"
    measured.MeasurementUnitsCodeSequence = [_coded(Code(unit, "UCUM", unit))]
    item.MeasuredValueSequence = [measured]
    return item
