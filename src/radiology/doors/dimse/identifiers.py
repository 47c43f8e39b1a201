"""Identifiers: reading them, and the level and unique keys of a C-MOVE or C-GET (PS3.4 C.4.2.1.4, C.6, Y.4, Z.4)."""

from collections.abc import Mapping
from datetime import timezone
from typing import Any, Final

from radiology.dicom_network.connection import DataSet
from radiology.dicom_network.items import PDUError
from radiology.errors import DataSetMismatch, Unprocessable
from radiology.standards.dicom import data_set
from radiology.standards.dicom.uids import (
    COMPOSITE_INSTANCE_ROOT_GET,
    COMPOSITE_INSTANCE_ROOT_MOVE,
    COMPOSITE_INSTANCE_WITHOUT_BULK_DATA_GET,
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
    is_valid_uid,
)
from radiology.standards.dicom.zones import TIMEZONE_OFFSET, parse_offset
from radiology.studies.queries.retrieve import Selection

LIMIT_BYTES: Final = 8 * 1024 * 1024
"""A list of 65,535 UIDs fits."""
CHARACTER_SET = "00080005"
LEVEL, PATIENT_ID, STUDY, SERIES, INSTANCE = "00080052", "00100020", "0020000D", "0020000E", "00080018"

#: Levels of each information model from its root down, and the unique key of each.
_STUDY_ROOT: Final = (("STUDY", STUDY), ("SERIES", SERIES), ("IMAGE", INSTANCE))
_PATIENT_ROOT: Final = (("PATIENT", PATIENT_ID), *_STUDY_ROOT)
_INSTANCE_ROOT: Final = (("IMAGE", INSTANCE),)
MODELS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    PATIENT_ROOT_MOVE: _PATIENT_ROOT,
    PATIENT_ROOT_GET: _PATIENT_ROOT,
    STUDY_ROOT_MOVE: _STUDY_ROOT,
    STUDY_ROOT_GET: _STUDY_ROOT,
    COMPOSITE_INSTANCE_ROOT_MOVE: _INSTANCE_ROOT,
    COMPOSITE_INSTANCE_ROOT_GET: _INSTANCE_ROOT,
    COMPOSITE_INSTANCE_WITHOUT_BULK_DATA_GET: _INSTANCE_ROOT,
}


def read(data: DataSet, limit_bytes: int = LIMIT_BYTES) -> dict[str, Any]:
    """The identifier in the DICOM JSON model. Raises DataSetMismatch (A900) for what is no data set, or too long."""
    try:
        return data_set.decode(data.read(limit_bytes), data.transfer_syntax_uid)
    except PDUError as error:
        raise DataSetMismatch(f"The identifier is longer than {limit_bytes} bytes.") from error
    except Unprocessable as error:
        raise DataSetMismatch(error.sentence, tag=error.tag) from error


def charset_of(profile: str, identifier: Mapping[str, Any]) -> str:
    """The character set of the answers: UTF-8 or Latin-1 where the record or the request allows it, else ASCII."""
    allowed = {profile, *_values(identifier, CHARACTER_SET)}
    return next((charset for charset in (data_set.UTF_8, data_set.LATIN_1) if charset in allowed), data_set.ASCII)


def offset_of(identifier: Mapping[str, Any]) -> timezone | None:
    """Timezone Offset From UTC (0008,0201), None where it has no value. Raises DataSetMismatch (A900)."""
    values = _values(identifier, TIMEZONE_OFFSET)
    try:
        return parse_offset(values[0]) if values else None
    except ValueError as error:
        raise DataSetMismatch("Timezone Offset From UTC has the form +0600.", tag=TIMEZONE_OFFSET) from error


def selection_of(sop_class_uid: str, data: DataSet) -> Selection:
    """What an identifier names. Raises DataSetMismatch (A900) where it is not valid for the model and its level."""
    return _selection(MODELS[sop_class_uid], read(data))


def _selection(model: tuple[tuple[str, str], ...], attributes: Mapping[str, Any]) -> Selection:
    asked = _values(attributes, LEVEL)
    levels = [level for level, _ in model]
    if len(asked) != 1 or asked[0] not in levels:
        raise DataSetMismatch(f"Query/Retrieve Level is one of {', '.join(levels)}.", tag=LEVEL)
    at = levels.index(asked[0])
    keys = {tag: _key(attributes, tag, many=number == at) for number, (_, tag) in enumerate(model[: at + 1])}
    return Selection(
        patient_id="".join(keys.get(PATIENT_ID, ())),
        study_instance_uids=keys.get(STUDY, ()),
        series_instance_uids=keys.get(SERIES, ()),
        sop_instance_uids=keys.get(INSTANCE, ()),
    )


def _key(attributes: Mapping[str, Any], tag: str, *, many: bool) -> tuple[str, ...]:
    """The values of a unique key: one above the level that is asked for, at that level a list of UIDs too."""
    values = _values(attributes, tag)
    if not values or (len(values) > 1 and (not many or tag == PATIENT_ID)):
        raise DataSetMismatch("A unique key is missing, or has more than one value.", tag=tag)
    if tag == PATIENT_ID:
        if any("*" in value or "?" in value for value in values):
            raise DataSetMismatch("A retrieval names one patient, without wildcards.", tag=tag)
    elif not all(is_valid_uid(value) for value in values):
        raise DataSetMismatch("A unique key is no UID.", tag=tag)
    return values


def _values(attributes: Mapping[str, Any], tag: str) -> tuple[str, ...]:
    element: Mapping[str, Any] = attributes.get(tag, {})
    values: list[Any] = element.get("Value", [])
    return tuple(str(value).strip() for value in values if value not in (None, ""))
