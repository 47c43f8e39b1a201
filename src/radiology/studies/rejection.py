"""Rejection of instances by key objects (IHE Imaging Object Change Management, RAD-66). Pure.

A rejected instance is hidden everywhere, and the same SOP Instance UID is refused when it comes again; only what was
rejected because its retention had expired is taken as new.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from radiology.access.model import Role
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.header import Header

KEY_OBJECT_SELECTION_DOCUMENT = "1.2.840.10008.5.1.4.1.1.88.59"
MAY_REJECT = frozenset({Role.QA, Role.ADMINISTRATOR})
MAY_WITHDRAW_REJECTION = frozenset({Role.ADMINISTRATOR})

_TITLE, _CONTENT, _CODE, _SCHEME = "0040A043", "0040A730", "00080100", "00080102"
_TEXT, _CONCEPT = "0040A160", "0040A168"
_EVIDENCE = ("0040A375",)
_KEY_OBJECT_DESCRIPTION = "113012"


class Title(StrEnum):
    """Document titles that reject (PS3.16 CID 7010), codes of DCM."""

    QUALITY = "113001"
    PATIENT_SAFETY = "113037"
    WORKLIST_ENTRY = "113038"
    RETENTION_EXPIRED = "113039"


class Category(StrEnum):
    """Why, for the analysis of rejects."""

    POSITIONING = "positioning"
    EXPOSURE = "exposure"
    MOTION = "motion"
    ARTEFACT = "artefact"
    WRONG_PATIENT = "wrong-patient"
    EQUIPMENT = "equipment"
    OTHER = "other"


MEANINGS: Mapping[Title, str] = {
    Title.QUALITY: "Rejected for Quality Reasons",
    Title.PATIENT_SAFETY: "Rejected for Patient Safety Reasons",
    Title.WORKLIST_ENTRY: "Incorrect Modality Worklist Entry",
    Title.RETENTION_EXPIRED: "Data Retention Policy Expired",
}

#: Reasons of the Document Title Modifier of a rejection for quality (PS3.16 CID 7011), codes of DCM.
_CATEGORIES: Mapping[str, Category] = {
    "111209": Category.POSITIONING,
    "111210": Category.MOTION,
    **dict.fromkeys(("111211", "111212", "111213", "113026"), Category.EXPOSURE),
    **dict.fromkeys(("111207", "111208", "111214", "111215"), Category.ARTEFACT),
    **dict.fromkeys(("111216", "111217", "111218", "111219"), Category.EQUIPMENT),
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Instances of one study that are to be rejected together."""

    id: UUID
    study_instance_uid: str
    facility_code: str
    title: Title
    category: Category
    reason: str
    actor: str
    sop_instance_uids: tuple[str, ...]
    key_object_uid: str | None = None


@dataclass(frozen=True, slots=True)
class RejectionNote:
    """What a key object selection document says that rejects: instances by study."""

    title: Title
    category: Category
    reason: str
    references: Mapping[str, tuple[str, ...]]


def rejection_note(header: Header) -> RejectionNote | None:
    """The rejection that an object asks for, None where it is anything else (PS3.3 C.17.6, PS3.16 TID 2010)."""
    if header.text("00080016") != KEY_OBJECT_SELECTION_DOCUMENT:
        return None
    title = next((code for code in _codes(header.values(_TITLE)) if code in set(Title)), None)
    if title is None:
        return None
    content = [item for item in header.values(_CONTENT) if item]
    return RejectionNote(Title(title), _category(Title(title), content), _reason(Title(title), content), _named(header))


def _codes(items: list[Any]) -> list[str]:
    return [_first(item, _CODE) for item in items if item and _first(item, _SCHEME) == "DCM"]


def _first(item: Mapping[str, Any], tag: str) -> str:
    return text_of(item, tag).strip()


def _items(item: Mapping[str, Any], tag: str) -> list[Any]:
    return [each for each in item.get(tag, {}).get("Value", []) if each]


def _category(title: Title, content: list[Any]) -> Category:
    modifiers = [code for item in content for code in _codes(_items(item, _CONCEPT))]
    named = next((_CATEGORIES[code] for code in modifiers if code in _CATEGORIES), None)
    return named or (Category.WRONG_PATIENT if title is Title.WORKLIST_ENTRY else Category.OTHER)


def _reason(title: Title, content: list[Any]) -> str:
    texts = (_first(item, _TEXT) for item in content if _KEY_OBJECT_DESCRIPTION in _codes(_items(item, _TITLE)))
    return next(filter(None, texts), MEANINGS[title])[:1000]


def _named(header: Header) -> dict[str, tuple[str, ...]]:
    named: dict[str, list[str]] = {}
    for study in (item for tag in _EVIDENCE for item in header.values(tag) if item):
        for series in _items(study, "00081115"):
            uids = [_first(item, "00081155") for item in _items(series, "00081199")]
            named.setdefault(_first(study, "0020000D"), []).extend(filter(None, uids))
    return {study: tuple(dict.fromkeys(uids)) for study, uids in named.items() if study and uids}
