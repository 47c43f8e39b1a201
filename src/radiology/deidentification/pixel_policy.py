"""Whether the pixels of an object may be passed on, must be masked, or are withheld (PS3.15 E.3.1, E.3.2).

What is likely to have text burned in is never passed on as it is: it is masked where somebody has said where the text
lies, or where the object says where its ultrasound lies, and withheld otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydicom.dataset import Dataset

from radiology.deidentification.rules import DeviceRegions, Rectangle, Rules

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_CANNOT_BE_CLEANED: Final = {
    f"{_STORAGE}104.": "An encapsulated document (PDF, CDA, model) cannot be searched for names.",
    f"{_STORAGE}9.4.": "A recorded voice can be recognised.",
    f"{_STORAGE}66": "Raw data has a form of its own that cannot be searched for names.",
    "1.2.840.10008.1.3.10": "A directory of a medium is no object of a patient.",
}
_BURNS_IN: Final = tuple(f"{_STORAGE}{part}" for part in ("3", "6", "7", "77.1"))
"""Ultrasound, secondary capture, visible light: with `.` or nothing behind."""
_BURNING_MODALITIES: Final = frozenset({"US", "XC", "ES", "GM", "DMS", "DOC", "HC", "SC", "IVUS", "SMR"})
#: What came from a machine by acquisition; text that is burned into other images must be denied by the object.
_ACQUIRED: Final = frozenset(
    f"{_STORAGE}{part}"
    for part in ("1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1", "2", "2.1", "2.2", "4", "4.1", "4.3", "4.4",
                 "12.1", "12.1.1", "12.2", "12.2.1", "13.1.1", "13.1.2", "13.1.3", "20", "30", "66.4", "66.7", "77.1.6",
                 "128", "128.1", "130", "481.1", "481.2")
)  # fmt: skip
_SECONDARY: Final = frozenset({"SECONDARY", "SCREEN SAVE", "LABEL", "OVERVIEW"})
_FACES: Final = frozenset(f"{_STORAGE}{part}" for part in ("2", "2.1", "2.2", "4", "4.1", "4.3", "4.4", "13.1.2"))
_HEAD: Final = ("head", "brain", "skull", "face", "facial", "neuro", "orbit", "sinus", "sella", "pituitar", "temporal",
                "jaw", "mandib", "maxill", "dental", "cerebr", "crani", "neck", "eye", "ear", "iac", "tmj", "nose",
                "whole", "মাথা", "মস্তিষ্ক", "মুখ")  # fmt: skip
_TELL_WHAT_IS_SHOWN: Final = ("BodyPartExamined", "StudyDescription", "SeriesDescription", "ProtocolName",
                              "RequestedProcedureDescription")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mask:
    """What is painted over in every frame: `rectangles`, and all that lies outside of `kept` where that is given.

    With `clear_unused_bits` what lies in bits beside the values goes too, such as an overlay (PS3.5 8.1.1).
    """

    rectangles: tuple[Rectangle, ...] = ()
    kept: tuple[Rectangle, ...] = ()
    clear_unused_bits: bool = False


@dataclass(frozen=True, slots=True)
class Withheld:
    """An object is not passed on, and why."""

    reason: str


def decide(header: Dataset, rules: Rules, *, has_pixels: bool) -> Mask | Withheld | None:
    """What is to be done with an object as it came; None where its pixels may stay as they are."""
    sop_class_uid = str(header.get("SOPClassUID") or "")
    for beginning, reason in _CANNOT_BE_CLEANED.items():
        if sop_class_uid == beginning or (beginning.endswith(".") and sop_class_uid.startswith(beginning)):
            return Withheld(reason)
    if not has_pixels:
        return None
    if not rules.keep_faces and sop_class_uid in _FACES and (reason := _may_show_a_face(header)):
        return Withheld(reason)
    clear = _has_overlay_in_pixels(header)
    if not _may_have_text(header, sop_class_uid):
        return Mask(clear_unused_bits=True) if clear else None
    if (device := _of_device(header, rules.regions)) is not None:
        return Mask(rectangles=device.rectangles, clear_unused_bits=clear) if device.rectangles or clear else None
    if kept := _ultrasound(header):
        return Mask(kept=kept, clear_unused_bits=clear)
    return Withheld(
        "Text may be burned into the image, and nobody has said where images of this device "
        f"({_text(header, 'Manufacturer') or 'no manufacturer'}, {_text(header, 'ManufacturerModelName') or 'no model'}"
        f", {header.get('Rows')} x {header.get('Columns')}) have it."
    )


def _may_have_text(header: Dataset, sop_class_uid: str) -> bool:
    burned = _text(header, "BurnedInAnnotation").upper()
    kinds = {str(kind).upper() for kind in _several(header.get("ImageType"))}
    is_slide = sop_class_uid == f"{_STORAGE}77.1.6" and not kinds & _SECONDARY
    if _begins(sop_class_uid, _BURNS_IN) and not is_slide:
        return True
    if _text(header, "Modality").upper() in _BURNING_MODALITIES or _text(header, "ConversionType"):
        return True
    if burned:
        return burned != "NO"
    return sop_class_uid not in _ACQUIRED or bool(kinds & _SECONDARY)


def _begins(sop_class_uid: str, classes: Sequence[str]) -> bool:
    return any(sop_class_uid == each or sop_class_uid.startswith(each + ".") for each in classes)


def _may_show_a_face(header: Dataset) -> str:
    """Why an image may be one of which a face can be made; empty where it says that it shows something else."""
    said = [_text(header, name) for name in _TELL_WHAT_IS_SHOWN]
    said += [str(item.get("CodeMeaning") or "") for item in header.get("AnatomicRegionSequence") or ()]
    text = " ".join(said).casefold().strip()
    if not text:
        return "CT and MR that does not say which part of the body it shows may show a face."
    return "A face can be made of CT and MR of the head." if any(word in text for word in _HEAD) else ""


def _has_overlay_in_pixels(header: Dataset) -> bool:
    groups = [group for group in range(0x6000, 0x6020, 2) if (group << 16 | 0x0010) in header]
    return any((group << 16 | 0x3000) not in header for group in groups)


def _of_device(header: Dataset, regions: Sequence[DeviceRegions]) -> DeviceRegions | None:
    device = (_text(header, "Manufacturer").casefold(), _text(header, "ManufacturerModelName").casefold(),
              header.get("Rows"), header.get("Columns"))  # fmt: skip
    named = ((each.manufacturer.casefold(), each.model.casefold(), each.rows, each.columns) for each in regions)
    return next((each for each, name in zip(regions, named, strict=True) if name == device), None)


def _ultrasound(header: Dataset) -> tuple[Rectangle, ...]:
    """Sequence of Ultrasound Regions (PS3.3 C.8.5.5); empty where they leave nothing to be masked."""
    try:
        found = tuple(
            Rectangle(int(item.RegionLocationMinX0), int(item.RegionLocationMinY0), int(item.RegionLocationMaxX1),
                      int(item.RegionLocationMaxY1))
            for item in header.get("SequenceOfUltrasoundRegions") or ()
        )  # fmt: skip
    except (AttributeError, TypeError, ValueError):
        return ()
    rows, columns = int(header.get("Rows") or 0), int(header.get("Columns") or 0)
    if any(each.right < each.left or each.bottom < each.top or min(each.left, each.top) < 0 for each in found):
        return ()
    # Where a region reaches from the first row on, the lines with the name lie in it.
    is_all = any(each.top == 0 and each.right - each.left + 1 >= columns for each in found)
    return () if is_all or any(each.right >= columns or each.bottom >= rows for each in found) else found


def _text(header: Dataset, name: str) -> str:
    return str(header.get(name) or "").strip()


def _several(value: Any) -> list[Any]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)
