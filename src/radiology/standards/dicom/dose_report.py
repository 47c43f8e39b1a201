"""The X-Ray Radiation Dose Report (PS3.16 TID 10001 projection and mammography, TID 10011 CT). Pure.

Reports are read as they are made: whatever is missing, or in a unit that nobody knows, is left out, and a quantity
always comes in the one unit that its name says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from radiology.standards.dicom.content_items import Code, Item, content_of

SOP_CLASS_UIDS: Final = frozenset(
    {"1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.88.22", "1.2.840.10008.5.1.4.1.1.88.33",
     "1.2.840.10008.5.1.4.1.1.88.34"}
)  # fmt: skip
"""What a dose report may be: its own SOP class, and the SR classes in which older machines write the same template."""

_REPORT = "113701"
_PROJECTION_EVENT, _CT_EVENT = "113706", "113819"
_PROJECTION_TOTAL, _CT_TOTAL = "113702", "113811"
_EVENT_UID, _STARTED, _PROTOCOL, _EVENT_TYPE, _CT_TYPE = "113769", "111526", "125203", "113721", "113820"
_PLANE, _TARGET, _BEGAN, _ENDED = "113764", "123014", "113809", "113810"
_FINDING_SITES = ("T-D0005", "363698007", "G-C0E3", "123037004")
_LATERALITIES = ("G-C171", "272741003")
_PHANTOM = "113835"
_PHANTOM_CM: Final = {"113690": 16, "113691": 32}
_MAKER, _MODEL, _SERIAL, _NAME = "121014", "121015", "121016", "121013"
_FLUOROSCOPY: Final = frozenset({"P5-06000", "44491008"})
"""Irradiation event type Fluoroscopy (CID 10002), in the old codes and in those of SNOMED CT."""
_LARGEST = 1e7

_DOSE: Final = {"gy": 1e3, "dgy": 1e2, "cgy": 10.0, "mgy": 1.0, "ugy": 1e-3}
_AREA_PRODUCT: Final = {
    **{f"{unit}m2": factor * 10 for unit, factor in _DOSE.items()},
    **{f"{unit}cm2": factor / 1000 for unit, factor in _DOSE.items()},
}
_LENGTH_PRODUCT: Final = {f"{unit}cm": factor for unit, factor in _DOSE.items()}
_SECONDS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0}
_KILOVOLT: Final = {"kv": 1.0, "kvp": 1.0, "v": 1e-3}
_MILLIAMPERE: Final = {"ma": 1.0, "ua": 1e-3, "a": 1e3}
_CHARGE: Final = {"mas": 1.0, "uas": 1e-3, "as": 1e3}
_EFFECTIVE: Final = {"msv": 1.0, "sv": 1e3, "usv": 1e-3}
_LENGTH: Final = {"mm": 1.0, "cm": 10.0, "m": 1e3}
_NO_UNIT: Final = {"": 1.0, "1": 1.0, "no units": 1.0, "{nounits}": 1.0}


class NotADoseReportError(ValueError):
    """The document is no X-Ray Radiation Dose Report."""


@dataclass(frozen=True, slots=True)
class IrradiationEvent:
    """One exposure (TID 10003, TID 10013). What was not told is None or empty.

    kind: CT or projection. phantom_cm: to which CTDIvol and DLP refer, 16 (head) or 32 (body). kap_gy_cm2: the dose
    area product. air_kerma_mgy: at the reference point. entrance_mgy: entrance exposure at the reference point.
    """

    uid: str
    kind: str
    started: datetime | None = None
    protocol: str = ""
    type: Code | None = None
    region: Code | None = None
    laterality: Code | None = None
    plane: str = ""
    kvp: float | None = None
    tube_current_ma: float | None = None
    exposure_mas: float | None = None
    exposure_time_seconds: float | None = None
    fluoroscopy_seconds: float | None = None
    ctdi_vol_mgy: float | None = None
    phantom_cm: int | None = None
    dlp_mgy_cm: float | None = None
    effective_dose_msv: float | None = None
    kap_gy_cm2: float | None = None
    air_kerma_mgy: float | None = None
    entrance_mgy: float | None = None
    glandular_dose_mgy: float | None = None
    exposure_index: float | None = None
    target_exposure_index: float | None = None
    deviation_index: float | None = None


@dataclass(frozen=True, slots=True)
class DoseReport:
    """A whole report: who made it, each exposure, and the sums that it states itself, of all planes together."""

    manufacturer: str
    model: str
    serial_number: str
    device_name: str
    began: datetime | None
    ended: datetime | None
    events: tuple[IrradiationEvent, ...]
    total_dlp_mgy_cm: float | None
    total_kap_gy_cm2: float | None
    total_air_kerma_mgy: float | None
    total_fluoroscopy_seconds: float | None


def is_dose_report(attributes: Mapping[str, Any]) -> bool:
    """Whether a document says of itself that it is one."""
    return content_of({"0040A043": attributes.get("0040A043")}).name == _REPORT


def read_dose_report(attributes: Mapping[str, Any]) -> DoseReport:
    """Read a document in the DICOM JSON model. Raises NotADoseReportError, and nothing else."""
    root = content_of(attributes)
    if root.name != _REPORT:
        raise NotADoseReportError("The document title is not X-Ray Radiation Dose Report (113701, DCM).")
    totals = [*root.find(_PROJECTION_TOTAL), *root.find(_CT_TOTAL)]
    return DoseReport(
        manufacturer=_text(root, _MAKER),
        model=_text(root, _MODEL),
        serial_number=_text(root, _SERIAL),
        device_name=_text(root, _NAME),
        began=_moment(root, _BEGAN),
        ended=_moment(root, _ENDED),
        events=tuple(_events(root)),
        total_dlp_mgy_cm=_sum(totals, "113813", _LENGTH_PRODUCT),
        total_kap_gy_cm2=_sum(totals, "113722", _AREA_PRODUCT),
        total_air_kerma_mgy=_sum(totals, "113725", _DOSE),
        total_fluoroscopy_seconds=_sum(totals, "113730", _SECONDS),
    )


def _events(root: Item) -> Iterator[IrradiationEvent]:
    for item in root.find(_CT_EVENT):
        yield _ct_event(item)
    for item in root.find(_PROJECTION_EVENT):
        yield _projection_event(item)


def _ct_event(item: Item) -> IrradiationEvent:
    phantom = _code(item, _PHANTOM)
    return IrradiationEvent(
        uid=_uid(item),
        kind="ct",
        started=_moment(item, _STARTED),
        protocol=_text(item, _PROTOCOL),
        type=_code(item, _CT_TYPE),
        region=_code(item, _TARGET),
        kvp=_number(item, "113733", _KILOVOLT),
        tube_current_ma=_number(item, "113734", _MILLIAMPERE),
        exposure_time_seconds=_number(item, "113824", _SECONDS),
        ctdi_vol_mgy=_number(item, "113830", _DOSE),
        phantom_cm=_PHANTOM_CM.get(phantom.value) if phantom else None,
        dlp_mgy_cm=_number(item, "113838", _LENGTH_PRODUCT),
        effective_dose_msv=_number(item, "113839", _EFFECTIVE),
    )


def _projection_event(item: Item) -> IrradiationEvent:
    kind = _code(item, _EVENT_TYPE)
    plane = _code(item, _PLANE)
    duration = _number(item, "113742", _SECONDS)
    return IrradiationEvent(
        uid=_uid(item),
        kind="projection",
        started=_moment(item, _STARTED),
        protocol=_text(item, _PROTOCOL),
        type=kind,
        region=_first_code(item, (_TARGET, *_FINDING_SITES)),
        laterality=_first_code(item, _LATERALITIES),
        plane=plane.meaning if plane else "",
        kvp=_number(item, "113733", _KILOVOLT),
        tube_current_ma=_number(item, "113734", _MILLIAMPERE),
        exposure_mas=_number(item, "113736", _CHARGE),
        exposure_time_seconds=_number(item, "113824", _SECONDS),
        fluoroscopy_seconds=duration if kind and kind.value in _FLUOROSCOPY else None,
        kap_gy_cm2=_number(item, "122130", _AREA_PRODUCT),
        air_kerma_mgy=_number(item, "113738", _DOSE),
        entrance_mgy=_number(item, "111636", _DOSE),
        glandular_dose_mgy=_number(item, "111631", _DOSE),
        exposure_index=_number(item, "113845", _NO_UNIT),
        target_exposure_index=_number(item, "113846", _NO_UNIT),
        deviation_index=_number(item, "113847", _NO_UNIT, signed=True),
    )


def _uid(item: Item) -> str:
    found = item.first(_EVENT_UID)
    return found.uid if found else ""


def _text(item: Item, name: str) -> str:
    found = item.first(name)
    return found.text if found else ""


def _moment(item: Item, name: str) -> datetime | None:
    found = item.first(name)
    return found.moment if found else None


def _code(item: Item, name: str) -> Code | None:
    found = item.first(name)
    return found.code if found else None


def _first_code(item: Item, names: tuple[str, ...]) -> Code | None:
    return next((code for name in names if (code := _code(item, name)) is not None), None)


def _number(item: Item, name: str, units: Mapping[str, float], *, signed: bool = False) -> float | None:
    """The first measurement below an item that can be used: of a tube with two sources, of the first."""
    return next((value for found in item.find(name) if (value := _value(found, units, signed)) is not None), None)


def _value(item: Item, units: Mapping[str, float], signed: bool) -> float | None:
    if (measured := item.measured) is None:
        return None
    number, unit = measured
    # UCUM writes Gy.m2 and uA.s; machines leave the dot out, or write another sign.
    plain = unit.casefold().translate({ord(sign): None for sign in ".*·_^ "}).replace("µ", "u").replace("μ", "u")
    factor = units.get(unit.casefold(), units.get(plain))
    if factor is None or abs(number) > _LARGEST or (number < 0 and not signed):
        return None
    return number * factor


def _sum(totals: list[Item], name: str, units: Mapping[str, float]) -> float | None:
    values = [value for total in totals if (value := _number(total, name, units)) is not None]
    return sum(values) if values else None
