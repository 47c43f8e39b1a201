"""Rejection notes that we write: Key Object Selection Documents (PS3.3 A.35.4, PS3.16 TID 2010, IHE RAD-66). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from radiology.standards.dicom.data_set import UTF_8, encode
from radiology.standards.dicom.part10 import encode_file_meta
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN
from radiology.studies.rejection import KEY_OBJECT_SELECTION_DOCUMENT, MEANINGS, Title

Attributes = Mapping[str, Any]

#: Of the study's own attributes those that a note repeats (PS3.3 C.7.1.1, C.7.2.1).
_REPEATED: Final = (
    "00080020", "00080030", "00080050", "00080090", "00100010", "00100020", "00100021", "00100030", "00100040",
    "0020000D", "00200010",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NotedInstance:
    """An instance that a note names."""

    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class Note:
    """What a note is, and what it says. `made_at` in the zone in which it is to be written."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    title: Title
    reason: str
    made_at: datetime
    instances: Sequence[NotedInstance]


def rejection_note_file(note: Note, study: Attributes) -> bytes:
    """The PS3.10 file of a note. `study`: attributes of patient and study in the DICOM JSON model."""
    meta = encode_file_meta(KEY_OBJECT_SELECTION_DOCUMENT, note.sop_instance_uid, EXPLICIT_VR_LITTLE_ENDIAN, "")
    return meta + encode(_attributes(note, study), EXPLICIT_VR_LITTLE_ENDIAN)


def _attributes(note: Note, study: Attributes) -> dict[str, Any]:
    empty = {"00080020": "DA", "00080030": "TM", "00080050": "SH", "00080090": "PN", "00100010": "PN",
             "00100020": "LO", "00100030": "DA", "00100040": "CS", "00200010": "SH"}  # fmt: skip
    attributes: dict[str, Any] = {tag: {"vr": vr} for tag, vr in empty.items()}
    attributes |= {tag: study[tag] for tag in _REPEATED if tag in study}
    attributes |= {
        "00080005": _value("CS", UTF_8),
        "00080016": _value("UI", KEY_OBJECT_SELECTION_DOCUMENT),
        "00080018": _value("UI", note.sop_instance_uid),
        "00080023": _value("DA", f"{note.made_at:%Y%m%d}"),
        "00080033": _value("TM", f"{note.made_at:%H%M%S}"),
        "00080060": _value("CS", "KO"),
        "00080070": _value("LO", "radiology"),
        "00081111": {"vr": "SQ"},
        "0020000D": _value("UI", note.study_instance_uid),
        "0020000E": _value("UI", note.series_instance_uid),
        "00200011": _value("IS", 1),
        "00200013": _value("IS", 1),
        "0040A040": _value("CS", "CONTAINER"),
        "0040A043": _code(note.title, "DCM", MEANINGS[note.title]),
        "0040A050": _value("CS", "SEPARATE"),
        "0040A375": _value("SQ", _evidence(note)),
        "0040A504": _value("SQ", {"00080105": _value("CS", "DCMR"), "0040DB00": _value("CS", "2010")}),
        "0040A730": {"vr": "SQ", "Value": [_description(note.reason), *map(_content, note.instances)]},
    }
    return dict(sorted(attributes.items()))


def _evidence(note: Note) -> dict[str, Any]:
    """Current Requested Procedure Evidence Sequence (0040,A375): the instances, series by series."""

    def series_of(instance: NotedInstance) -> str:
        return instance.series_instance_uid

    series = [
        {"00081199": {"vr": "SQ", "Value": list(map(_reference, named))}, "0020000E": _value("UI", uid)}
        for uid, named in groupby(sorted(note.instances, key=series_of), key=series_of)
    ]
    return {"00081115": {"vr": "SQ", "Value": series}, "0020000D": _value("UI", note.study_instance_uid)}


def _description(text: str) -> dict[str, Any]:
    return {
        "0040A010": _value("CS", "CONTAINS"),
        "0040A040": _value("CS", "TEXT"),
        "0040A043": _code("113012", "DCM", "Key Object Description"),
        "0040A160": _value("UT", text),
    }


def _content(instance: NotedInstance) -> dict[str, Any]:
    return {
        "00081199": _value("SQ", _reference(instance)),
        "0040A010": _value("CS", "CONTAINS"),
        "0040A040": _value("CS", "COMPOSITE"),
    }


def _reference(instance: NotedInstance) -> dict[str, Any]:
    return {"00081150": _value("UI", instance.sop_class_uid), "00081155": _value("UI", instance.sop_instance_uid)}


def _code(value: str, scheme: str, meaning: str) -> dict[str, Any]:
    item = {"00080100": _value("SH", value), "00080102": _value("SH", scheme), "00080104": _value("LO", meaning)}
    return _value("SQ", item)


def _value(vr: str, *values: object) -> dict[str, Any]:
    return {"vr": vr, "Value": list(_plain(values))}


def _plain(values: Iterable[object]) -> Iterable[object]:
    """Enumerations as the texts that they are."""
    return (str(value) if isinstance(value, str) else value for value in values)
