"""Doses of one study from its dose reports, else its performed procedure steps, else the headers of its images. Pure.

Attributes are in the DICOM JSON model. Moments without a zone are of the facility's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Final

from radiology.dose.exposure_index import deviation
from radiology.dose.model import DoseEvent, Reading, Source, Stated
from radiology.pixels.header import items, numbers
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.content_items import Code, moment_of
from radiology.standards.dicom.dose_report import IrradiationEvent, NotADoseReportError, read_dose_report
from radiology.standards.dicom.names import display_name

Item = Mapping[str, Any]

_SHARED_GROUPS, _CT_EXPOSURE = "52009229", "00189321"
_CTDI_VOL, _CTDI_PHANTOM, _KVP = "00189345", "00189346", "00180060"
_CURRENT_MA, _TIME_MS, _CHARGE_MAS, _CHARGE_UAS = "00181151", "00181150", "00181152", "00181153"
_AREA_PRODUCT_DGY, _ENTRANCE_MGY, _ENTRANCE_DGY, _ORGAN_DGY = "0018115E", "00408302", "00400302", "00400316"
_FLUOROSCOPY_SECONDS, _EXPOSURES = "00400300", "0040030E"
_CURRENT_UA, _RADIATION_MODE = "00188151", "0018115A"
_IRRADIATION_EVENT, _SERIES, _ACQUISITION = "00083010", "0020000E", "00200012"
_BODY_PART, _VIEW, _LATERALITY, _IMAGE_LATERALITY = "00180015", "00185101", "00200060", "00200062"
_PROTOCOL, _OPERATORS, _CODE_VALUE = "00181030", "00081070", "00080100"
_EXPOSURE_INDEX, _TARGET_INDEX, _DEVIATION_INDEX = "00181411", "00181412", "00181413"
_PHANTOM_CM: Final = {"113690": 16, "113691": 32}
_SHORTEST_MGY = 1e-9


@dataclass(frozen=True, slots=True)
class Told:
    """An object or a performed procedure step that tells of doses: its SOP Instance UID and its attributes."""

    sop_instance_uid: str
    attributes: Item


@dataclass(frozen=True, slots=True)
class Image:
    """What one image of digital radiography says of its exposure. operator: who took it, as the image names them."""

    body_part: str
    laterality: str
    view: str
    operator: str
    taken_at: datetime | None
    exposure_index: float | None
    target_exposure_index: float | None
    deviation_index: float | None


def of_reports(reports: Sequence[Told], zone: tzinfo) -> Reading | None:
    """From dose reports. An event that several of them list counts once; None where none lists any or states a sum."""
    events: dict[str, DoseEvent] = {}
    stated = Stated()
    for told in reports:
        try:
            report = read_dose_report(told.attributes)
        except NotADoseReportError:
            continue
        for number, event in enumerate(report.events, 1):
            uid = event.uid or f"{told.sop_instance_uid}#{number}"
            events.setdefault(uid, _event(event, uid, told.sop_instance_uid, report.began, zone))
        stated = stated.largest(
            Stated(
                dlp_mgy_cm=report.total_dlp_mgy_cm,
                kap_gy_cm2=report.total_kap_gy_cm2,
                air_kerma_mgy=report.total_air_kerma_mgy,
                fluoroscopy_seconds=report.total_fluoroscopy_seconds,
            )
        )
    return _reading(Source.REPORT, events, stated)


def _event(event: IrradiationEvent, uid: str, told_by: str, began: datetime | None, zone: tzinfo) -> DoseEvent:
    return DoseEvent(
        event_uid=uid,
        told_by=told_by,
        started_at=_aware(event.started or began, zone),
        protocol=event.protocol[:200],
        acquisition=_meaning(event.type),
        region=_meaning(event.region),
        laterality=_meaning(event.laterality),
        plane=event.plane[:64],
        kvp=event.kvp,
        tube_current_ma=event.tube_current_ma,
        exposure_mas=event.exposure_mas,
        exposure_time_seconds=event.exposure_time_seconds,
        fluoroscopy_seconds=event.fluoroscopy_seconds,
        ctdi_vol_mgy=event.ctdi_vol_mgy,
        phantom_cm=event.phantom_cm,
        dlp_mgy_cm=event.dlp_mgy_cm,
        effective_dose_msv=event.effective_dose_msv,
        kap_gy_cm2=event.kap_gy_cm2,
        air_kerma_mgy=event.air_kerma_mgy,
        entrance_mgy=event.entrance_mgy,
        glandular_dose_mgy=event.glandular_dose_mgy,
    )


def of_performed_steps(steps: Sequence[Told]) -> Reading | None:
    """From MPPS (PS3.4 table F.7.2-1, Radiation Dose): what a modality states of a step, and its list of exposures."""
    events: dict[str, DoseEvent] = {}
    stated: list[Stated] = []
    for told in steps:
        one = Stated(
            kap_gy_cm2=_scaled(told.attributes, _AREA_PRODUCT_DGY, 0.1),
            fluoroscopy_seconds=_scaled(told.attributes, _FLUOROSCOPY_SECONDS),
            entrance_mgy=_entrance(told.attributes),
        )
        if any(getattr(one, name) for name in one.__slots__):
            stated.append(one)
        for number, item in enumerate(items(told.attributes, _EXPOSURES), 1):
            uid = f"{told.sop_instance_uid}#{number}"
            events[uid] = DoseEvent(
                uid,
                told.sop_instance_uid,
                acquisition=text_of(item, _RADIATION_MODE).strip()[:64],
                kvp=_scaled(item, _KVP),
                tube_current_ma=_scaled(item, _CURRENT_UA, 0.001),
                exposure_time_seconds=_scaled(item, _TIME_MS, 0.001),
                kap_gy_cm2=_scaled(item, _AREA_PRODUCT_DGY, 0.1),
                entrance_mgy=_entrance(item),
            )
    if not stated and all(event.kap_gy_cm2 is None and event.entrance_mgy is None for event in events.values()):
        return None
    sums = [_added([getattr(one, name) for one in stated]) for name in Stated.__slots__]
    return _reading(Source.PERFORMED_STEP, events, Stated(*sums))


def of_headers(images: Sequence[Told], zone: tzinfo) -> Reading | None:
    """From the headers of images. Images of one irradiation event, as slices of CT are, count once."""
    events: dict[str, DoseEvent] = {}
    for told in images:
        event = _of_header(told, zone)
        if event is None:
            continue
        before = events.get(event.event_uid)
        events[event.event_uid] = event if before is None else _larger(before, event)
    return _reading(Source.HEADER, events, Stated())


def _of_header(told: Told, zone: tzinfo) -> DoseEvent | None:
    attributes = told.attributes
    exposure = _ct_exposure(attributes)
    phantom = items(exposure, _CTDI_PHANTOM)
    event = DoseEvent(
        event_uid=_event_uid_of(told),
        told_by=told.sop_instance_uid,
        started_at=taken_at(attributes, zone),
        protocol=text_of(attributes, _PROTOCOL)[:200],
        region=text_of(attributes, _BODY_PART).strip()[:64],
        laterality=_laterality(attributes),
        view=text_of(attributes, _VIEW).strip().upper()[:16],
        kvp=_scaled(attributes, _KVP),
        tube_current_ma=_scaled(attributes, _CURRENT_MA),
        exposure_mas=_first(_scaled(attributes, _CHARGE_UAS, 0.001), _scaled(attributes, _CHARGE_MAS)),
        exposure_time_seconds=_scaled(attributes, _TIME_MS, 0.001),
        ctdi_vol_mgy=_scaled(exposure, _CTDI_VOL),
        phantom_cm=_PHANTOM_CM.get(text_of(phantom[0], _CODE_VALUE)) if phantom else None,
        kap_gy_cm2=_scaled(attributes, _AREA_PRODUCT_DGY, 0.1),
        entrance_mgy=_entrance(attributes),
        glandular_dose_mgy=_scaled(attributes, _ORGAN_DGY, 100),
    )
    doses = (event.ctdi_vol_mgy, event.kap_gy_cm2, event.entrance_mgy, event.glandular_dose_mgy)
    return event if any(doses) else None


def image_of(attributes: Item, zone: tzinfo) -> Image:
    """The exposure of one image, with its deviation computed anew where both indices are told (IEC 62494-1)."""
    index, target = _scaled(attributes, _EXPOSURE_INDEX), _scaled(attributes, _TARGET_INDEX)
    said = next(iter(numbers(attributes, _DEVIATION_INDEX)), None)
    computed = deviation(index, target)
    return Image(
        body_part=text_of(attributes, _BODY_PART).strip().upper()[:64],
        laterality=_laterality(attributes),
        view=text_of(attributes, _VIEW).strip().upper()[:16],
        operator=_name(attributes, _OPERATORS)[:128],
        taken_at=taken_at(attributes, zone),
        exposure_index=index,
        target_exposure_index=target,
        deviation_index=said if computed is None else computed,
    )


def size_of(attributes: Item) -> tuple[float | None, float | None]:
    """Patient's Weight (0010,1030) in kg and Size (0010,1020) in m; None where none is told that a person can have."""
    weight, height = _scaled(attributes, "00101030"), _scaled(attributes, "00101020")
    return (weight if weight and 0.2 < weight < 400 else None), (height if height and 0.2 < height < 2.6 else None)


def taken_at(attributes: Item, zone: tzinfo) -> datetime | None:
    """When an image was acquired, else when its content, series or study began."""
    moment = moment_of(text_of(attributes, "0008002A"))
    for day, clock in (("00080022", "00080032"), ("00080023", "00080033"), ("00080021", "00080031")):
        if moment is None and text_of(attributes, day):
            moment = moment_of(text_of(attributes, day) + text_of(attributes, clock))
            moment = moment or moment_of(text_of(attributes, day))
    return _aware(moment, zone)


def _reading(source: Source, events: Mapping[str, DoseEvent], stated: Stated) -> Reading | None:
    if not events and stated == Stated():
        return None
    return Reading(source, tuple(events.values()), stated)


def _event_uid_of(told: Told) -> str:
    """The irradiation event; else the acquisition of a series of CT, else the image itself."""
    attributes = told.attributes
    if uid := text_of(attributes, _IRRADIATION_EVENT).strip():
        return uid
    if text_of(attributes, "00080060").strip() == "CT":
        return f"{text_of(attributes, _SERIES)}#{text_of(attributes, _ACQUISITION)}"
    return told.sop_instance_uid


def _larger(one: DoseEvent, other: DoseEvent) -> DoseEvent:
    """Of one event as two images tell it: each dose as large as either says. Slices of CT tell of their own part."""
    return replace(
        one,
        ctdi_vol_mgy=_most(one.ctdi_vol_mgy, other.ctdi_vol_mgy),
        kap_gy_cm2=_most(one.kap_gy_cm2, other.kap_gy_cm2),
        entrance_mgy=_most(one.entrance_mgy, other.entrance_mgy),
        glandular_dose_mgy=_most(one.glandular_dose_mgy, other.glandular_dose_mgy),
    )


def _ct_exposure(attributes: Item) -> Item:
    """Where CTDIvol stands: in a functional group of an enhanced image, else at the top."""
    for group in items(attributes, _SHARED_GROUPS):
        for exposure in items(group, _CT_EXPOSURE):
            return exposure
    return attributes


def _entrance(attributes: Item) -> float | None:
    """Entrance Dose in mGy (0040,8302), else the old one in dGy, which is whole and often zero."""
    return _first(_scaled(attributes, _ENTRANCE_MGY), _scaled(attributes, _ENTRANCE_DGY, 100))


def _laterality(attributes: Item) -> str:
    return (text_of(attributes, _IMAGE_LATERALITY) or text_of(attributes, _LATERALITY)).strip().upper()[:16]


def _scaled(attributes: Item, tag: str, factor: float = 1) -> float | None:
    """A quantity above zero; headers say 0 where nothing was measured."""
    value = next(iter(numbers(attributes, tag)), None)
    return value * factor if value is not None and value > _SHORTEST_MGY else None


def _most(*values: float | None) -> float | None:
    return max((value for value in values if value), default=None)


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value), None)


def _added(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _name(attributes: Item, tag: str) -> str:
    names = items(attributes, tag)
    return display_name(str(names[0].get("Alphabetic", ""))) if names else ""


def _meaning(code: Code | None) -> str:
    return code.meaning[:64] if code else ""


def _aware(moment: datetime | None, zone: tzinfo) -> datetime | None:
    return moment.replace(tzinfo=zone) if moment is not None and moment.tzinfo is None else moment


def protocols_of(reading: Reading) -> Iterator[str]:
    """What the events name as their protocol, each once."""
    yield from dict.fromkeys(event.protocol for event in reading.events if event.protocol)
