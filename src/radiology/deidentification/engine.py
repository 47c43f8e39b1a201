"""De-identify one data set by the rules of a project (PS3.15 Annex E). Without input or output.

Every element gets the action of table E.1-1 with the options of the profile; sequences are entered, private elements
and groups that the standard does not know go. What the table does not name is looked at once more: free text goes, and
no value may hold a word by which the same object names somebody (`identity`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from radiology.deidentification import content, types, values
from radiology.deidentification.identity import Words, texts_of, words_of
from radiology.deidentification.rules import Rules
from radiology.standards.dicom import dictionary
from radiology.standards.dicom.confidentiality import CLEAN, KEEP, MEANINGS, Option, action_of

_PIXELS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
#: Free text that the table does not name goes, except what is the value of a code.
_FREE_TEXT: Final = frozenset({"LT", "ST", "UC", "UR", "UT"})
_CODES: Final = frozenset({0x00080119, 0x00080120})
#: VRs whose values people write.
_WRITTEN: Final = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_DATES: Final = frozenset({"DA", "DT", "TM"})
#: Terms of the standard that say what an object is and how its pixels lie; a name in them is a coincidence.
_DEFINED: Final = frozenset({0x00080005, 0x00080008, 0x00080060, 0x0040A040, 0x0040A010, 0x00080102, 0x00280004})
#: Groups 50xx and 60xx: a curve or an overlay is of no use without the data that the table removes.
_GRAPHICS: Final = frozenset({0x50, 0x60})
_ID_OF_PATIENT: Final = 0x00100020
_TEXT_VALUE: Final = 0x0040A160
#: UIDs of classes, of coding schemes and of what defines them are nobody's (PS3.3 tables 8.8-1, C.12-1).
_CLASSES: Final = frozenset({
    0x00080016, 0x0008001A, 0x0008001B, 0x0008010C, 0x00080117, 0x00080118, 0x00081150, 0x0008115A, 0x00000002,
    0x00020002, 0x00041510, 0x00041512, 0x0008010D, 0x00080111, 0x0062000B, 0x00287FE0, 0x01000020,
})  # fmt: skip


@dataclass(slots=True)
class Changes:
    """What was replaced in one object, for who may know it: old and new."""

    patient_id: str
    pseudonym: str
    uids: dict[str, str] = field(default_factory=dict[str, str])


def deidentify(dataset: Dataset, rules: Rules) -> Changes:
    """Change a data set, its pixel data excepted, so that it says nobody's identity and how that was done."""
    dataset.decode()
    patient_id = identity_of(dataset)
    walk = _Walk.over(dataset, rules, patient_id)
    walk.enter(dataset)
    _name(dataset, walk.changes.pseudonym)
    _say_how(dataset, rules)
    return walk.changes


def identity_of(dataset: Dataset) -> str:
    """What tells the patient of an object from others: the Patient ID, else name and birth date, else the study."""
    if patient_id := str(dataset.get("PatientID") or "").strip():
        return patient_id
    name = str(dataset.get("PatientName") or "").strip(" ^=")
    return f"{name}\0{dataset.get('PatientBirthDate') or ''}" if name else str(dataset.get("StudyInstanceUID") or "")


@dataclass(slots=True)
class _Walk:
    """One data set on its way through the rules."""

    rules: Rules
    options: frozenset[Option]
    words: Words
    days: int
    sop_class_uid: str
    changes: Changes
    allowed: frozenset[str]

    @classmethod
    def over(cls, dataset: Dataset, rules: Rules, patient_id: str) -> "_Walk":
        options = rules.options
        words = words_of(
            dataset,
            keep_device=Option.DEVICE_IDENTITY in options,
            keep_institution=Option.INSTITUTION_IDENTITY in options,
            keep_dates=Option.FULL_DATES in options,
            keep_uids=Option.UIDS in options,
        )
        changes = Changes(patient_id, values.pseudonym(rules, patient_id))
        days = values.shift_days(rules, patient_id)
        allowed = frozenset(text.casefold().strip() for text in rules.allowed_texts)
        return cls(rules, options, words, days, str(dataset.get("SOPClassUID") or ""), changes, allowed)

    def enter(self, dataset: Dataset) -> None:
        """Everything in a data set or an item."""
        if Option.CLEAN_STRUCTURED_CONTENT in self.options and "ValueType" in dataset:
            content.clean(dataset, self.options, self._is_allowed)
        safe = _safe_private(dataset, self.rules)
        for tag in list(dataset.keys()):
            number = int(tag)
            if number in _PIXELS:
                continue
            element = _read(dataset, number)
            if element is None or not self._stays(element, safe):
                dataset.pop(tag, None)
        _complete(dataset)
        dataset.pop(0x00080005, None)  # Of the whole; items have none of their own.

    def _stays(self, element: DataElement, safe: frozenset[int]) -> bool:
        """Change an element as its rule says; False where it is to go."""
        number = int(element.tag)
        if number & 0xFFFF == 0 or number >> 24 in _GRAPHICS:  # Group lengths would be wrong now.
            return False
        if (number >> 16) & 1:
            return number in safe and self._scrubbed(element)
        if number == _TEXT_VALUE:  # Of a content item, which needs one.
            if not all(self._is_allowed(text) for text in texts_of(element.value)):
                element.value = values.REMOVED
            return self._scrubbed(element)
        action = action_of(f"{number:08X}", self.options)
        if action is None:
            return self._unnamed(element)
        return self._do(types.resolved(action, number, self.sop_class_uid), element)

    # --- The actions (PS3.15 table E.1-1a) ---

    def _do(self, action: str, element: DataElement) -> bool:
        doing: dict[str, Callable[[DataElement], bool]] = {
            "Z": self._empty, "D": self._replace, "U": self._replace_uids, KEEP: self._keep, CLEAN: self._clean,
        }  # fmt: skip
        return action in doing and doing[action](element)

    def _empty(self, element: DataElement) -> bool:
        element.value = [] if element.VR == "SQ" else None
        return True

    def _keep(self, element: DataElement) -> bool:
        if element.VR == "AS":
            element.value = values.capped_age(_first(element)) or None
        return self._scrubbed(element)

    def _replace(self, element: DataElement) -> bool:
        if element.VR == "SQ":
            return self._replace_items(element)
        element.value = self._uid(_first(element) or "removed") if element.VR == "UI" else values.dummy(element.VR)
        return True

    def _replace_items(self, element: DataElement) -> bool:
        if dictionary.keyword_of(int(element.tag)).endswith("CodeSequence"):
            element.value = [content.no_code()]
            return True
        return self._scrubbed(element)

    def _replace_uids(self, element: DataElement) -> bool:
        if element.VR == "SQ":
            return self._scrubbed(element)
        if element.VR == "UI":
            self._map_uids(element)
        else:  # A UID in an element that has lost its VR.
            element.value = None
        return True

    def _clean(self, element: DataElement) -> bool:
        """Something of similar meaning that is known not to identify anybody (PS3.15 E.3)."""
        number = int(element.tag)
        if element.VR in _DATES:
            return self._shift(element)
        if element.VR == "SH" and number == 0x00080201:  # The zone of all the times, which stay.
            return all(values.is_zone(text) for text in texts_of(element.value))
        if element.VR == "SQ" or element.VR in ("IS", "DS", "US", "UL", "SS", "SL", "FD", "FL"):
            return self._scrubbed(element)
        if all(self._is_allowed(text) for text in texts_of(element.value)):
            return self._scrubbed(element)
        basic = types.resolved(action_of(f"{number:08X}", ()) or "X", number, self.sop_class_uid)
        return self._do(basic, element)

    def _unnamed(self, element: DataElement) -> bool:
        """An element that the table does not name: kept where its kind cannot say who somebody is."""
        number = int(element.tag)
        if dictionary.vr_of(number) is None:
            return False
        if element.VR in _FREE_TEXT and number not in _CODES:
            return all(self._is_allowed(text) for text in texts_of(element.value)) and self._scrubbed(element)
        if element.VR == "PN":
            return self._empty(element)
        if element.VR in _DATES and Option.FULL_DATES not in self.options:
            return Option.MODIFIED_DATES in self.options and self._shift(element)
        if element.VR == "UI" and number not in _CLASSES and Option.UIDS not in self.options:
            self._map_uids(element)
            return True
        return self._scrubbed(element)

    # --- What they are made of ---

    def _scrubbed(self, element: DataElement) -> bool:
        """Keep an element, and enter it; a value that holds a word of somebody's identity is replaced."""
        if element.VR == "SQ":
            for item in element.value:
                self.enter(item)
            return True
        if isinstance(element.value, bytes):
            return not self.words.are_in_bytes(element.value)
        if element.VR == "IS" and any(self.words.are(text) for text in texts_of(element.value)):
            element.value = values.dummy("IS")  # Some number their series by the patient.
            return True
        if element.VR not in _WRITTEN or int(element.tag) in _DEFINED:
            return True
        kept = [values.dummy(element.VR) if self.words.are_in(text) else text for text in texts_of(element.value)]
        if kept != texts_of(element.value):
            element.value = kept[0] if len(kept) == 1 else kept
        return True

    def _shift(self, element: DataElement) -> bool:
        """The date earlier by the days of this patient; times of day stay, so that intervals do (PS3.15 E.3.6)."""
        if element.VR == "TM":
            return True
        shifted = values.shifted_date if element.VR == "DA" else values.shifted_date_time
        moved = [shifted(text, self.days) for text in texts_of(element.value)]
        element.value = moved[0] if len(moved) == 1 else moved or None
        return True

    def _map_uids(self, element: DataElement) -> None:
        mapped = [self._uid(text) for text in texts_of(element.value)]
        element.value = mapped[0] if len(mapped) == 1 else mapped or None

    def _uid(self, uid: str) -> str:
        if uid.startswith(values.REGISTERED):
            return uid
        return self.changes.uids.setdefault(uid, values.new_uid(self.rules, uid))

    def _is_allowed(self, text: str) -> bool:
        return text.casefold().strip() in self.allowed


def _read(dataset: Dataset, number: int) -> DataElement | None:
    """An element with its value; None for a value that cannot be read and so cannot be judged."""
    try:
        return dataset[number]
    except Exception:  # Values of others break their VR in any way; pydicom raises whatever that makes it.
        return None


def _first(element: DataElement) -> str:
    return next(iter(texts_of(element.value)), "")


def _safe_private(dataset: Dataset, rules: Rules) -> frozenset[int]:
    """The tags of private elements that the project keeps, with those of their creators (PS3.15 E.3.10)."""
    safe: set[int] = set()
    for each in rules.safe_private:
        for block in range(0x10, 0x100):
            creator = _read(dataset, each.group << 16 | block) if each.group << 16 | block in dataset else None
            tag = each.group << 16 | block << 8 | each.element
            if creator is not None and str(creator.value).strip() == each.creator and tag in dataset:
                safe |= {int(creator.tag), tag}
    return frozenset(safe)


def _complete(dataset: Dataset) -> None:
    """What must be there because of what is still there: PS3.3 tables 10-17 and C.8.20-4."""
    if "UniversalEntityIDType" in dataset and "UniversalEntityID" not in dataset:
        del dataset.UniversalEntityIDType
        dataset.LocalNamespaceEntityID = values.REMOVED
    if "TrackingUID" in dataset and "TrackingID" not in dataset:
        dataset.TrackingID = str(dataset.TrackingUID)


def _name(dataset: Dataset, pseudonym: str) -> None:
    if "SOPInstanceUID" in dataset or _ID_OF_PATIENT in dataset:
        dataset.PatientName = pseudonym
        dataset.PatientID = pseudonym


def _say_how(dataset: Dataset, rules: Rules) -> None:
    """Patient Identity Removed and its methods (PS3.3 C.7.1.1, C.12.1.1), and that all text is in UTF-8."""
    options = rules.options
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = f"PS3.15 Annex E, profile {rules.profile}"
    dataset.DeidentificationMethodCodeSequence = [
        content.code(str(option), "DCM", MEANINGS[option]) for option in sorted(options)
    ]
    modified = "UNMODIFIED" if Option.FULL_DATES in options else "MODIFIED"
    dataset.LongitudinalTemporalInformationModified = modified
    dataset.SpecificCharacterSet = "ISO_IR 192"
