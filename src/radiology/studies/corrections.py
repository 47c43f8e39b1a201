"""What is served of an object instead of what it says. The stored object stays as it came.

A correction holds attributes in the DICOM JSON model that replace those of the object, for one instance (a copy with
UIDs of its own) or for all of a study (the patient, the order). What an object said itself is kept in what is served:
Original Attributes Sequence (0400,0561), PS3.3 C.12.1.1.9. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import orjson
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from radiology.standards.dicom.header import Header
from radiology.standards.dicom.names import PersonName

MODIFYING_SYSTEM = "radiology"
UTF_8 = "ISO_IR 192"

PATIENT_NAME, PATIENT_ID, ISSUER, BIRTH_DATE, SEX = "00100010", "00100020", "00100021", "00100030", "00100040"
ACCESSION_NUMBER, STUDY_DESCRIPTION, REFERRING_PHYSICIAN = "00080050", "00081030", "00080090"
_VRS = {
    PATIENT_NAME: "PN",
    PATIENT_ID: "LO",
    ISSUER: "LO",
    BIRTH_DATE: "DA",
    SEX: "CS",
    ACCESSION_NUMBER: "SH",
    STUDY_DESCRIPTION: "LO",
    REFERRING_PHYSICIAN: "PN",
}

ORIGINAL_ATTRIBUTES = "04000561"
_CHARACTER_SET = "00080005"
#: The unique identifiers that make a copy an object of its own.
STUDY, SERIES, INSTANCE = "0020000D", "0020000E", "00080018"

Reason = Literal["COERCE", "CORRECT"]
"""Reason for the Attribute Modification (0400,0565): a value of the registry or the order, or a mistake put right."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Attributes that replace those of an object; one without a value is served empty.

    source: who gave the values that are replaced (0400,0564), such as an AE title. at: when they were replaced.
    replaced: what the first object of a study said; kept so that more objects that say the same are known to be of it.
    renamed: UIDs of objects that were moved together with this one, each with the new one, a map for each move; to them
    it refers wherever it refers to an object (PS3.3 10.8).
    """

    attributes: Mapping[str, Any]
    reason: Reason
    source: str
    at: datetime
    replaced: Mapping[str, Any] = field(default_factory=dict[str, Any])
    renamed: Sequence[Mapping[str, str]] = ()

    def as_json(self) -> dict[str, Any]:
        """As it is kept in a column `corrections`."""
        return {
            "attributes": dict(self.attributes),
            "reason": self.reason,
            "source": self.source,
            "at": self.at.isoformat(),
            "replaced": dict(self.replaced),
            **({"renamed": list(self.renamed)} if self.renamed else {}),
        }

    def new_uid(self, uid: str) -> str:
        """The UID of what was moved together; any other as it is."""
        for one in self.renamed:
            uid = one.get(uid, uid)
        return uid

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Correction":
        """Of what `as_json` gave."""
        at = datetime.fromisoformat(kept["at"])
        return cls(
            kept["attributes"], kept["reason"], kept["source"], at, kept.get("replaced", {}), kept.get("renamed", ())
        )


def read(corrections: bytes) -> list[Correction]:
    """The corrections of an instance, then that of its study, as the index gives them together."""
    return [Correction.of_json(kept) for kept in orjson.loads(corrections) if kept]


def corrected_json(stored: bytes, corrections: bytes | None) -> bytes:
    """The attributes of an object as they are served."""
    if corrections is None:
        return stored
    attributes: dict[str, Any] = orjson.loads(stored)
    for correction in read(corrections):
        attributes = corrected(attributes, correction)
    return orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS)


def corrected(attributes: Mapping[str, Any], correction: Correction) -> dict[str, Any]:
    """Attributes in the DICOM JSON model with a correction applied; what they said before stands in them."""
    replaced = replaced_by(correction, attributes)
    served = {**_referring(attributes, correction), **correction.attributes}
    if _needs_utf_8(attributes.get(_CHARACTER_SET, {}).get("Value", ()), correction):
        served[_CHARACTER_SET] = {"vr": "CS", "Value": [UTF_8]}
    if replaced:
        item = _item(correction) | {"04000550": {"vr": "SQ", "Value": [replaced]}}
        before = attributes.get(ORIGINAL_ATTRIBUTES, {}).get("Value", [])
        served[ORIGINAL_ATTRIBUTES] = {"vr": "SQ", "Value": [*before, item]}
    return served


def _referring(attributes: Mapping[str, Any], correction: Correction) -> Mapping[str, Any]:
    """Attributes that refer to the new UIDs of what was moved together."""
    if not correction.renamed:
        return attributes
    return {
        tag: element if tag in (ORIGINAL_ATTRIBUTES, *correction.attributes) else _renamed(element, correction)
        for tag, element in attributes.items()
    }


def _renamed(element: Mapping[str, Any], correction: Correction) -> Mapping[str, Any]:
    values = element.get("Value", ())
    if element["vr"] == "UI":
        return {**element, "Value": [correction.new_uid(uid) for uid in values]} if values else element
    if element["vr"] != "SQ" or not values:
        return element
    items = [{tag: _renamed(inner, correction) for tag, inner in item.items()} for item in values]
    return {**element, "Value": items}


def replaced_by(correction: Correction, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that a correction replaces by others."""
    new = correction.attributes
    return {tag: attributes[tag] for tag in new if tag in attributes and attributes[tag] != new[tag]}


def coercions(header: Header, registered: Mapping[str, str]) -> dict[str, Any]:
    """The attributes of an object that registry or order know otherwise; what these do not know stays."""
    return {tag: element_of(tag, text) for tag, text in registered.items() if text and text != header.text(tag)}


def element_of(tag: str, text: str) -> dict[str, Any]:
    """The element of an attribute named above; one without text is empty."""
    if _VRS[tag] == "PN":
        name = PersonName.parse(text).as_json()
        return {"vr": "PN", "Value": [name]} if name else {"vr": "PN"}
    return {"vr": _VRS[tag], "Value": [text]} if text else {"vr": _VRS[tag]}


def said_before(kept: Mapping[str, Any]) -> dict[str, str]:
    """What the first object of a study said of its patient, as text, where that is served otherwise."""
    header = Header("", (), kept.get("replaced", {}), None, None, frozenset())
    return {tag: header.text(tag) for tag in header.attributes}


def after(before: Correction | None, correction: Correction) -> Correction:
    """One correction that says what two say, the later one last."""
    if before is None:
        return correction
    return replace(
        correction,
        attributes={**before.attributes, **correction.attributes},
        replaced={**correction.replaced, **before.replaced},
    )


def _item(correction: Correction) -> dict[str, Any]:
    """An item of Original Attributes Sequence, but for the attributes that it keeps."""
    return {
        "04000562": {"vr": "DT", "Value": [f"{correction.at:%Y%m%d%H%M%S.%f%z}"]},
        "04000563": {"vr": "LO", "Value": [MODIFYING_SYSTEM]},
        "04000564": {"vr": "LO", "Value": [correction.source]} if correction.source else {"vr": "LO"},
        "04000565": {"vr": "CS", "Value": [correction.reason]},
    }


def correct(data_set: Dataset, corrections: bytes) -> None:
    """Apply corrections to the elements of a data set before its pixels, however they are encoded."""
    for correction in read(corrections):
        _correct(data_set, correction)


def _correct(data_set: Dataset, correction: Correction) -> None:
    terms = data_set.get("SpecificCharacterSet") or ()
    if _needs_utf_8([terms] if isinstance(terms, str) else list(terms), correction):
        data_set.decode()
        data_set.SpecificCharacterSet = UTF_8
    new = Dataset.from_json(dict(correction.attributes))
    if correction.renamed:
        for element in data_set:
            if element.tag not in new and element.keyword != "OriginalAttributesSequence":
                _rename(element, correction)
    replaced = Dataset()
    for element in new:
        if element.tag in data_set and data_set[element.tag] != element:
            replaced.add(deepcopy(data_set[element.tag]))
        data_set.add(element)
    if replaced:
        item = Dataset.from_json(_item(correction))
        item.ModifiedAttributesSequence = Items([replaced])
        before = data_set.get("OriginalAttributesSequence") or ()
        data_set.OriginalAttributesSequence = Items([*before, item])


def _rename(element: DataElement, correction: Correction) -> None:
    if element.VR == "UI" and element.value:
        uids = [element.value] if element.VM == 1 else list(element.value)
        element.value = [correction.new_uid(uid) for uid in uids] if len(uids) > 1 else correction.new_uid(uids[0])
    elif element.VR == "SQ":
        for item in element.value:
            for inner in item:
                _rename(inner, correction)


def _needs_utf_8(terms: Sequence[Any], correction: Correction) -> bool:
    """Whether text of a correction cannot be written in the character set of an object (PS3.3 C.12.1.1.2)."""
    return UTF_8 not in terms and not all(text.isascii() for text in _texts(correction.attributes))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(each)
