"""What the data sets of MPPS say, and what is wrong with them (PS3.4 table F.7.2-1). Pure.

Attributes of type 1 must be there with a value. Attributes of type 2 that a modality leaves out count as empty: many
do, and refusing them would keep the whole procedure step from being recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from zoneinfo import ZoneInfo

from radiology.errors import AttributesRefused
from radiology.standards.dicom.attributes import keyword_of
from radiology.standards.dicom.uids import is_valid_uid

MISSING_ATTRIBUTE, MISSING_ATTRIBUTE_VALUE, INVALID_ATTRIBUTE_VALUE = 0x0120, 0x0121, 0x0106
MAY_NO_LONGER_BE_UPDATED = 0xA710
"""Error ID (0000,0903) of an N-SET after the end (PS3.4 F.7.2.2.2)."""

STATUS, SCHEDULED_STEP_ATTRIBUTES, PERFORMED_SERIES = "00400252", "00400270", "00400340"
_STUDY_INSTANCE_UID, _SERIES_INSTANCE_UID = "0020000D", "0020000E"
_START_DATE, _START_TIME, _END_DATE, _END_TIME = "00400244", "00400245", "00400250", "00400251"
_REASON, _CODE_VALUE = "00400281", "00080100"
_REFERENCED_IMAGES, _REFERENCED_OTHERS = "00081140", "00400220"
_SOP_CLASS_UID, _SOP_INSTANCE_UID = "00081150", "00081155"

REQUIRED = ("00080060", "00400241", _START_DATE, _START_TIME, STATUS, "00400253", SCHEDULED_STEP_ATTRIBUTES)
"""Type 1 for the SCU of N-CREATE."""

FIXED = frozenset(
    ("00080060", "00100010", "00100020", "00100030", "00100040", "00081120", "00200010", "00400241", "00400242",
     "00400243", _START_DATE, _START_TIME, "00400253", SCHEDULED_STEP_ATTRIBUTES)
)  # fmt: skip
"""What N-SET may not change; a value that is sent again is left as it was created."""

INCORRECT_WORKLIST_ENTRY = "110514"
DISCONTINUATION_REASONS: Mapping[str, str] = {
    "110507": "Patient did not arrive",
    "110508": "Patient pregnant",
    "110513": "Discontinued for unspecified reason",
    INCORRECT_WORKLIST_ENTRY: "Incorrect worklist entry selected",
}
"""Of CID 9300 (PS3.16); other codes are kept as they come."""


class PerformedStatus(StrEnum):
    """Performed Procedure Step Status (0040,0252)."""

    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"


@dataclass(frozen=True, slots=True)
class ScheduledReference:
    """One item of Scheduled Step Attributes Sequence (0040,0270)."""

    study_instance_uid: str
    accession_number: str
    requested_procedure_id: str
    scheduled_procedure_step_id: str


@dataclass(frozen=True, slots=True)
class PerformedInstance:
    """An instance that a performed series references."""

    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str


def check_creation(attributes: Mapping[str, Any]) -> None:
    """Raises AttributesRefused for an N-CREATE data set with 0120, 0121 or 0106."""
    absent = [tag for tag in REQUIRED if tag not in attributes]
    steps = items(attributes, SCHEDULED_STEP_ATTRIBUTES)
    absent += [_STUDY_INSTANCE_UID for step in steps if _STUDY_INSTANCE_UID not in step][:1]
    if absent:
        raise _refused("are missing", absent, MISSING_ATTRIBUTE)
    empty = [tag for tag in REQUIRED if tag != SCHEDULED_STEP_ATTRIBUTES and not text(attributes, tag)]
    empty += [] if steps else [SCHEDULED_STEP_ATTRIBUTES]
    empty += [_STUDY_INSTANCE_UID for step in steps if not text(step, _STUDY_INSTANCE_UID)][:1]
    if empty:
        raise _refused("have no value", empty, MISSING_ATTRIBUTE_VALUE)
    wrong = [_STUDY_INSTANCE_UID for step in steps if not is_valid_uid(text(step, _STUDY_INSTANCE_UID))][:1]
    wrong += [] if text(attributes, STATUS) == PerformedStatus.IN_PROGRESS else [STATUS]
    wrong += [] if moment(attributes, _START_DATE, _START_TIME, ZoneInfo("UTC")) else [_START_DATE, _START_TIME]
    if wrong := wrong + _wrong_references(attributes):
        raise _refused("have a value that is not allowed here", wrong, INVALID_ATTRIBUTE_VALUE)


def check_change(changes: Mapping[str, Any]) -> None:
    """Raises AttributesRefused for an N-SET data set with 0121 or 0106."""
    if STATUS in changes and not text(changes, STATUS):
        raise _refused("have no value", [STATUS], MISSING_ATTRIBUTE_VALUE)
    wrong = [STATUS] if text(changes, STATUS) not in ("", *PerformedStatus) else []
    if wrong := wrong + _wrong_references(changes):
        raise _refused("have a value that is not allowed here", wrong, INVALID_ATTRIBUTE_VALUE)


def _wrong_references(attributes: Mapping[str, Any]) -> list[str]:
    for instance in instances(attributes):
        if not is_valid_uid(instance.sop_instance_uid):
            return [_SOP_INSTANCE_UID]
        if not is_valid_uid(instance.series_instance_uid):
            return [_SERIES_INSTANCE_UID]
        if instance.sop_class_uid and not is_valid_uid(instance.sop_class_uid):
            return [_SOP_CLASS_UID]
    return []


def _refused(what: str, tags: list[str], status: int) -> AttributesRefused:
    names = ", ".join(keyword_of(tag) or tag for tag in tags)
    return AttributesRefused(f"{names} {what}.", tags=tags, dimse_status=status)


def merged(attributes: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes after an N-SET; a sequence is replaced as a whole (PS3.4 F.7.2.2.2)."""
    return {**attributes, **{tag: element for tag, element in changes.items() if tag not in FIXED}}


def references(attributes: Mapping[str, Any]) -> list[ScheduledReference]:
    """What the step was scheduled as; a modality may have joined several steps."""
    return [
        ScheduledReference(
            study_instance_uid=text(item, _STUDY_INSTANCE_UID),
            accession_number=text(item, "00080050"),
            requested_procedure_id=text(item, "00401001"),
            scheduled_procedure_step_id=text(item, "00400009"),
        )
        for item in items(attributes, SCHEDULED_STEP_ATTRIBUTES)
    ]


def instances(attributes: Mapping[str, Any]) -> list[PerformedInstance]:
    """What the step says it made, each instance once."""
    found = (
        PerformedInstance(text(series, _SERIES_INSTANCE_UID), text(item, _SOP_CLASS_UID), text(item, _SOP_INSTANCE_UID))
        for series in items(attributes, PERFORMED_SERIES)
        for tag in (_REFERENCED_IMAGES, _REFERENCED_OTHERS)
        for item in items(series, tag)
    )
    return list({instance.sop_instance_uid: instance for instance in found}.values())


def started_at(attributes: Mapping[str, Any], zone: ZoneInfo) -> datetime | None:
    """Performed Procedure Step Start Date and Time, aware."""
    return moment(attributes, _START_DATE, _START_TIME, zone)


def ended_at(attributes: Mapping[str, Any], zone: ZoneInfo) -> datetime | None:
    """Performed Procedure Step End Date and Time, aware; None where they are empty or no moment."""
    return moment(attributes, _END_DATE, _END_TIME, zone)


def discontinuation_code(attributes: Mapping[str, Any]) -> str | None:
    """The code of Performed Procedure Step Discontinuation Reason Code Sequence (0040,0281), CID 9300."""
    return next((text(item, _CODE_VALUE)[:64] or None for item in items(attributes, _REASON)), None)


def moment(attributes: Mapping[str, Any], date_tag: str, time_tag: str, zone: ZoneInfo) -> datetime | None:
    """A DA and a TM as one moment in the zone of the data set, or else in that of the service."""
    days, hours = text(attributes, date_tag), text(attributes, time_tag).partition(".")[0]
    offset = text(attributes, "00080201")
    try:
        naive = datetime.strptime(days + hours.ljust(6, "0"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - its zone follows.
        if offset:
            return datetime.strptime(f"{naive:%Y%m%d%H%M%S}{offset}", "%Y%m%d%H%M%S%z")
        return naive.replace(tzinfo=zone) if naive.year > 1 else None
    except ValueError:
        return None


def text(attributes: Mapping[str, Any], tag: str) -> str:
    """The first value of an attribute as text, "" where there is none."""
    values = _values(attributes, tag)
    return str(values[0]).strip() if values and isinstance(values[0], str | int | float) else ""


def items(attributes: Mapping[str, Any], tag: str) -> list[Mapping[str, Any]]:
    """The items of a sequence; none where the attribute is something else."""
    return [cast("Mapping[str, Any]", value) for value in _values(attributes, tag) if isinstance(value, Mapping)]


def _values(attributes: Mapping[str, Any], tag: str) -> list[Any]:
    element: Any = attributes.get(tag)
    values: Any = cast("Mapping[str, Any]", element).get("Value") if isinstance(element, Mapping) else None
    return cast("list[Any]", values) if isinstance(values, list) else []
