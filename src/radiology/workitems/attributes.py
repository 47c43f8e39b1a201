"""Which attributes a workitem must, may and may not have (PS3.4 table CC.2.5-3). Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

from radiology.errors import AttributesRefused
from radiology.standards.dicom.attributes import keyword_of
from radiology.standards.dicom.dictionary import vr_of
from radiology.standards.dicom.uids import UNIFIED_PROCEDURE_STEP_PUSH

SOP_CLASS_UID, SOP_INSTANCE_UID = "00080016", "00080018"
CHARACTER_SET, TRANSACTION_UID = "00080005", "00081195"
START, INPUT_READINESS = "00404005", "00404041"
SCHEDULED_STATION, SCHEDULED_PERFORMERS = "00404025", "00404034"
MODIFIED_AT = "00404010"
PROCEDURE_STEP_STATE, PROGRESS, PRIORITY, LABEL = "00741000", "00741002", "00741200", "00741204"
REASON_CODE, CANCELED_AT, CANCEL_REASON = "0074100E", "00404052", "00741238"
CONTACTS, CONTACT_URI, CONTACT_NAME = "00741008", "0074100A", "0074100C"
PERFORMED, PERFORMERS = "00741216", "00404035"
PERFORMER_CODE, PERFORMER_NAME, PERFORMER_ORGANISATION = "00404009", "00404037", "00404036"

MISSING, EMPTY, INVALID_VALUE = 0x0120, 0x0121, 0x0106
#: DCM 110513, "Discontinued for unspecified reason" (PS3.16 CID 9300).
UNSPECIFIED_REASON: Final[Mapping[str, Any]] = {
    "00080100": {"vr": "SH", "Value": ["110513"]},
    "00080102": {"vr": "SH", "Value": ["DCM"]},
    "00080104": {"vr": "LO", "Value": ["Discontinued for unspecified reason"]},
}

#: Type 1 of N-CREATE, with the defined terms where there are some.
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    PROCEDURE_STEP_STATE: ("SCHEDULED",),
    PRIORITY: ("HIGH", "MEDIUM", "LOW"),
    LABEL: (),
    START: (),
    INPUT_READINESS: ("INCOMPLETE", "UNAVAILABLE", "READY"),
}
#: Of type 2 in N-CREATE, and empty there: what only the performer can know.
EMPTY_AT_FIRST: Final = (TRANSACTION_UID, PROGRESS, PERFORMED)
#: "Not allowed" in N-SET: identity, and what is managed here. The patient, the admission and the request are changed by
#: cancelling the workitem and creating another.
NOT_SET: Final = (
    SOP_CLASS_UID, SOP_INSTANCE_UID, PROCEDURE_STEP_STATE, MODIFIED_AT, "00081080", "00081084", "00100010", "00100020",
    "00100021", "00100024", "00100030", "00100040", "00380010", "00380014", "0040A370", "00741224",
)  # fmt: skip


class FinalState(StrEnum):
    """Final state codes (PS3.4 table CC.2.5-1): which ends need a value of the attribute."""

    BOTH = "R"
    CONDITIONAL = "RC"
    COMPLETED = "P"
    CANCELED = "X"


#: The codes that count for each final state.
NEEDED: Final[Mapping[str, tuple[FinalState, ...]]] = {
    "COMPLETED": (FinalState.BOTH, FinalState.COMPLETED),
    "CANCELED": (FinalState.BOTH, FinalState.CANCELED),
}

#: The attributes with final state requirements: path of tags -> code. An inner one is asked of every item around it.
FINAL_STATE: Final[Mapping[tuple[str, ...], FinalState]] = {
    (PROCEDURE_STEP_STATE,): FinalState.BOTH,
    (PRIORITY,): FinalState.BOTH,
    (LABEL,): FinalState.BOTH,
    (PROGRESS,): FinalState.CANCELED,
    (PROGRESS, REASON_CODE): FinalState.CANCELED,
    (PROGRESS, CANCELED_AT): FinalState.CANCELED,
    (PERFORMED,): FinalState.COMPLETED,
    (PERFORMED, PERFORMERS): FinalState.CONDITIONAL,
    (PERFORMED, "00404028"): FinalState.COMPLETED,
    (PERFORMED, "00404050"): FinalState.COMPLETED,
    (PERFORMED, "00404019"): FinalState.COMPLETED,
    (PERFORMED, "00404051"): FinalState.COMPLETED,
    (PERFORMED, "00404033"): FinalState.COMPLETED,
}
#: Type 2 in the end: there, but empty where the step had no output.
MAY_BE_EMPTY: Final = frozenset({"00404033"})


def check_creation(attributes: Mapping[str, Any]) -> None:
    """Raise AttributesRefused: 0120 missing, 0121 empty, 0106 with a value that is not allowed."""
    _refuse("is missing", MISSING, [tag for tag in REQUIRED if tag not in attributes])
    _refuse("has no value", EMPTY, [tag for tag in REQUIRED if not _values(attributes, tag)])
    _refuse("is empty at first", INVALID_VALUE, [tag for tag in EMPTY_AT_FIRST if _values(attributes, tag)])
    _check_terms(attributes)


def check_modification(changes: Mapping[str, Any]) -> None:
    """Raise AttributesRefused (0106, 0121) for what N-SET may not change, or not to this."""
    _refuse("may not be set", INVALID_VALUE, [tag for tag in NOT_SET if tag in changes])
    _refuse("has no value", EMPTY, [tag for tag in REQUIRED if tag in changes and not _values(changes, tag)])
    _check_terms(changes)


def _check_terms(attributes: Mapping[str, Any]) -> None:
    given = {tag: terms for tag, terms in REQUIRED.items() if terms and tag in attributes}
    wrong = [tag for tag, terms in given.items() if text(attributes, tag) not in terms]
    _refuse("has a value that is not defined", INVALID_VALUE, wrong)
    sequences = [tag for tag, each in attributes.items() if vr_of(int(tag, 16)) == "SQ" and each.get("vr") != "SQ"]
    _refuse("is no sequence", INVALID_VALUE, sequences)


def _refuse(why: str, status: int, tags: Sequence[str]) -> None:
    if tags:
        raise AttributesRefused(f"{named(tags)} {why}.", tags=tags, dimse_status=status)


def missing(state: str, attributes: Mapping[str, Any]) -> list[str]:
    """The tags that a state still needs a value of; none for a state that is not final (PS3.4 CC.2.5.1.1)."""
    needed = NEEDED.get(state, ())
    found = [path[-1] for path, code in FINAL_STATE.items() if code in needed and not _is_met(path, attributes)]
    return found + ([PERFORMERS] if needed and not _performers_are_named(attributes) else [])


def _is_met(path: tuple[str, ...], attributes: Mapping[str, Any]) -> bool:
    *outer, tag = path
    around = [attributes] if not outer else items(attributes, outer[0])
    return bool(around) and all(_has(item, tag) for item in around)


def _has(item: Mapping[str, Any], tag: str) -> bool:
    return tag in item if tag in MAY_BE_EMPTY else bool(_values(item, tag))


def _performers_are_named(attributes: Mapping[str, Any]) -> bool:
    """The condition of Actual Human Performers is that they are known: then each is named by code or name."""
    return all(
        _values(performer, PERFORMER_CODE) or _values(performer, PERFORMER_NAME)
        for performed in items(attributes, PERFORMED)
        for performer in items(performed, PERFORMERS)
    )


def identified(attributes: Mapping[str, Any], sop_instance_uid: str) -> dict[str, Any]:
    """With SOP Class and Instance UID; the class is always UPS Push (PS3.4 CC.2.5.1.3.1)."""
    return {
        **attributes,
        SOP_CLASS_UID: {"vr": "UI", "Value": [UNIFIED_PROCEDURE_STEP_PUSH]},
        SOP_INSTANCE_UID: {"vr": "UI", "Value": [sop_instance_uid]},
    }


def modified(attributes: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """With Scheduled Procedure Step Modification DateTime, and without what belongs to one message alone."""
    kept = {tag: each for tag, each in attributes.items() if tag not in (CHARACTER_SET, TRANSACTION_UID)}
    return {**kept, MODIFIED_AT: moment(at)}


def canceled(attributes: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """With the moment of the cancellation, where the performer has not given it."""
    progress = dict(first(attributes, PROGRESS))
    if not progress:
        return dict(attributes)
    return {**attributes, PROGRESS: {"vr": "SQ", "Value": [{CANCELED_AT: moment(at), **progress}]}}


def with_reasons(attributes: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """With the reason and the contact of a request to cancel as progress information."""
    progress = dict(first(attributes, PROGRESS))
    code = request.get(REASON_CODE) if _values(request, REASON_CODE) else None
    progress[REASON_CODE] = code or {"vr": "SQ", "Value": [UNSPECIFIED_REASON]}
    if _values(request, CANCEL_REASON):
        progress[CANCEL_REASON] = request[CANCEL_REASON]
    contact = {tag: request[tag] for tag in (CONTACT_URI, CONTACT_NAME) if _values(request, tag)}
    if CONTACT_URI in contact:
        progress[CONTACTS] = {"vr": "SQ", "Value": [contact]}
    return {**attributes, PROGRESS: {"vr": "SQ", "Value": [progress]}}


def moment(at: datetime) -> dict[str, Any]:
    """An aware moment as an attribute of VR DT, with its offset."""
    return {"vr": "DT", "Value": [f"{at:%Y%m%d%H%M%S}.{at.microsecond:06d}{at:%z}"]}


def named(tags: Iterable[str]) -> str:
    """Attributes by keyword."""
    return ", ".join(keyword_of(tag) or tag for tag in tags)


def text(attributes: Mapping[str, Any], tag: str) -> str:
    """The first value of an attribute as text, "" where there is none."""
    values = _values(attributes, tag)
    return str(values[0]).strip() if values and isinstance(values[0], str | int | float) else ""


def items(attributes: Mapping[str, Any], tag: str) -> list[Mapping[str, Any]]:
    """The items of a sequence; none where the attribute is something else."""
    return list(_mappings(_values(attributes, tag)))


def first(attributes: Mapping[str, Any], tag: str) -> Mapping[str, Any]:
    """The first item of a sequence, an empty one where there is none."""
    found = items(attributes, tag)
    return found[0] if found else {}


def _mappings(values: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    return (cast("Mapping[str, Any]", value) for value in values if isinstance(value, Mapping))


def _values(attributes: Mapping[str, Any], tag: str) -> list[Any]:
    element: Any = attributes.get(tag)
    values: Any = cast("Mapping[str, Any]", element).get("Value") if isinstance(element, Mapping) else None
    return [each for each in cast("list[Any]", values) if each not in (None, "")] if isinstance(values, list) else []
