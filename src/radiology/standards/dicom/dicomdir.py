"""The DICOMDIR of a file-set (PS3.10 8.6, PS3.3 annex F): records of patients, studies, series and what is in them.

Records point at each other by places in the file, so all lengths are found first and the places filled in after that.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from radiology.errors import Unprocessable
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.data_set import UTF_8, encode_element
from radiology.standards.dicom.part10 import encode_file_meta
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, new_uid

MEDIA_STORAGE_DIRECTORY: Final = "1.2.840.10008.1.3.10"
_IN_USE: Final = 0xFFFF

#: The attributes of each record (PS3.3 F.5), those that must have a value first given one where the object has none.
_KEYS: Final[Mapping[str, Sequence[str]]] = {
    "PATIENT": ("00100010", "00100020", "00100021", "00100030", "00100040"),
    "STUDY": ("00080020", "00080030", "00080050", "00081030", "0020000D", "00200010"),
    "SERIES": ("00080060", "0008103E", "00080080", "0020000E", "00200011"),
    "IMAGE": ("00080008", "00200013", "00280008", "00280010", "00280011"),
    "SR DOCUMENT": ("00080023", "00080033", "00200013", "0040A043", "0040A491", "0040A493"),
    "KEY OBJECT DOC": ("00080023", "00080033", "00200013", "0040A043"),
    "PRESENTATION": ("00081115", "00200013", "00700080", "00700081", "00700082", "00700083", "00700084"),
    "WAVEFORM": ("00080023", "00080033", "00200013"),
    "RT DOSE": ("00200013", "3004000A"),
    "RT STRUCTURE SET": ("00200013", "30060002", "30060008", "30060009"),
    "RT PLAN": ("00200013", "300A0002", "300A0006", "300A0007"),
    "RT TREAT RECORD": ("00200013", "30080250", "30080251"),
    "ENCAP DOC": ("00080023", "00080033", "00200013", "00420010", "0040A043", "00420012"),
    "RAW DATA": ("00080023", "00080033", "00200013"),
    "REGISTRATION": ("00080023", "00080033", "00200013", "00700080", "00700081", "00700084"),
    "FIDUCIAL": ("00080023", "00080033", "00200013", "00700080", "00700081", "00700084"),
    "SPECTROSCOPY": ("00080008", "00080023", "00080033", "00200013", "00280008", "00280010", "00280011"),
}
_MADE_UP: Final[Mapping[str, str]] = {"00200010": "1", "00100020": "UNKNOWN", "00080060": "OT"}
_NUMBERS: Final = ("00200011", "00200013")

#: Which record an object has, by what its SOP class begins with (PS3.3 table F.4-1); the longest that fits.
_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_TYPES: Final[Mapping[str, str]] = {
    "88.59": "KEY OBJECT DOC", "88.": "SR DOCUMENT", "104.": "ENCAP DOC", "11.": "PRESENTATION", "9.": "WAVEFORM",
    "481.2": "RT DOSE", "481.3": "RT STRUCTURE SET", "481.5": "RT PLAN", "481.8": "RT PLAN",
    "481.4": "RT TREAT RECORD", "481.6": "RT TREAT RECORD", "481.7": "RT TREAT RECORD", "481.9": "RT TREAT RECORD",
    "66": "RAW DATA", "66.1": "REGISTRATION", "66.3": "REGISTRATION", "66.2": "FIDUCIAL", "4.2": "SPECTROSCOPY",
}  # fmt: skip
_EXACT: Final = frozenset(("66", "66.1", "66.2", "66.3", "4.2", "481.2", "481.3", "481.4", "481.5"))


@dataclass(frozen=True, slots=True)
class FileReference:
    """An object of the file-set. `file_id` are the components of its name; `keys` what `keys_of` kept of it."""

    file_id: Sequence[str]
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    record_type: str
    keys: Mapping[str, Any]


@dataclass(slots=True)
class _Record:
    kind: str
    elements: dict[str, Any]
    below: "dict[str, _Record]" = field(default_factory=dict[str, "_Record"])
    offset: int = 0


def record_type_of(sop_class_uid: str, *, has_pixels: bool) -> str | None:
    """The type of the record of an object, None where the file-set has no place for it."""
    rest = sop_class_uid.removeprefix(_STORAGE)
    fitting = [part for part in _TYPES if rest == part or (part not in _EXACT and rest.startswith(part))]
    if rest != sop_class_uid and fitting:
        return _TYPES[max(fitting, key=len)]
    return "IMAGE" if has_pixels else None


def keys_of(attributes: Mapping[str, Any], record_type: str) -> dict[str, Any]:
    """The attributes of an object that its records hold."""
    tags = {tag for kind in ("PATIENT", "STUDY", "SERIES", record_type) for tag in _KEYS[kind]}
    kept = {tag: attributes[tag] for tag in sorted(tags) if tag in attributes}
    return {tag: element for tag, element in kept.items() if _can_be_written(tag, element)}


def _can_be_written(tag: str, element: Mapping[str, Any]) -> bool:
    try:
        encode_element(tag, element)
    except Unprocessable:  # A value that its VR cannot hold, or bulk data.
        return False
    return True


def encode(files: Sequence[FileReference], file_set_id: str) -> bytes:
    """The DICOMDIR of these files. `file_set_id` has at most 16 capital letters, digits and underscores."""
    roots = _tree(files)
    records = list(_in_order(roots))
    file_meta = encode_file_meta(MEDIA_STORAGE_DIRECTORY, new_uid(), EXPLICIT_VR_LITTLE_ENDIAN, "")
    before = len(file_meta) + len(_top(file_set_id, 0, 0)) + 12
    position = before
    for record in records:
        record.offset = position
        position += len(_item(record, 0))
    siblings = [group for group in (roots, *(list(record.below.values()) for record in records)) if group]
    following = {id(one): after.offset for group in siblings for one, after in pairwise(group)}
    top = _top(file_set_id, roots[0].offset if roots else 0, roots[-1].offset if roots else 0)
    head = struct.pack("<HH2sHL", 0x0004, 0x1220, b"SQ", 0, position - before)
    return b"".join((file_meta, top, head, *(_item(record, following.get(id(record), 0)) for record in records)))


def _tree(files: Sequence[FileReference]) -> list[_Record]:
    """Patients with their studies, series and objects, in the order in which they first come."""
    patients: dict[str, _Record] = {}
    for file in files:
        level, number = patients, 0
        for kind, tag in (("PATIENT", "00100020"), ("STUDY", "0020000D"), ("SERIES", "0020000E")):
            name = text_of(file.keys, tag)
            record = level.setdefault(name, _Record(kind, _elements(kind, file.keys, len(level) + 1)))
            level = record.below
        number = len(level) + 1
        level[file.sop_instance_uid] = _Record(
            file.record_type, _elements(file.record_type, file.keys, number) | _reference(file)
        )
    return list(patients.values())


def _elements(kind: str, keys: Mapping[str, Any], number: int) -> dict[str, Any]:
    elements: dict[str, Any] = {"00080005": {"vr": "CS", "Value": [UTF_8]}}
    for tag in _KEYS[kind]:
        if tag in keys:
            elements[tag] = keys[tag]
        if not text_of(elements, tag) and tag in _MADE_UP:
            elements[tag] = {"vr": "CS" if tag == "00080060" else "SH" if tag == "00200010" else "LO",
                             "Value": [_MADE_UP[tag]]}  # fmt: skip
        if tag in _NUMBERS and not text_of(elements, tag):
            elements[tag] = {"vr": "IS", "Value": [number]}
    return elements


def _reference(file: FileReference) -> dict[str, Any]:
    return {
        "00041500": {"vr": "CS", "Value": list(file.file_id)},
        "00041510": {"vr": "UI", "Value": [file.sop_class_uid]},
        "00041511": {"vr": "UI", "Value": [file.sop_instance_uid]},
        "00041512": {"vr": "UI", "Value": [file.transfer_syntax_uid]},
    }


def _in_order(records: Sequence[_Record]) -> Iterator[_Record]:
    for record in records:
        yield record
        yield from _in_order(list(record.below.values()))


def _top(file_set_id: str, first: int, last: int) -> bytes:
    return _encoded(
        {
            "00041130": {"vr": "CS", "Value": [file_set_id]},
            "00041200": {"vr": "UL", "Value": [first]},
            "00041202": {"vr": "UL", "Value": [last]},
            "00041212": {"vr": "US", "Value": [0]},
        }
    )


def _item(record: _Record, following: int) -> bytes:
    below = next(iter(record.below.values()), None)
    content = _encoded(
        {
            "00041400": {"vr": "UL", "Value": [following]},
            "00041410": {"vr": "US", "Value": [_IN_USE]},
            "00041420": {"vr": "UL", "Value": [below.offset if below else 0]},
            "00041430": {"vr": "CS", "Value": [record.kind]},
            **record.elements,
        }
    )
    return struct.pack("<HHL", 0xFFFE, 0xE000, len(content)) + content


def _encoded(elements: Mapping[str, Any]) -> bytes:
    return b"".join(encode_element(tag, elements[tag]) for tag in sorted(elements))
