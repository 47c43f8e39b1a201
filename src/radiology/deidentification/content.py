"""Content items of structured reports, acquisition contexts and annotations (PS3.15 E.3.4, table E.3.4-1).

An item stays at its place, so that others may refer to it by its position; its value is what changes. Text and names
are never kept, measurements and codes are, except those that the table names.
"""

from collections.abc import Callable, Collection
from typing import Any, Final

from pydicom.dataset import Dataset

from radiology.deidentification.values import REMOVED
from radiology.standards.dicom.confidentiality import CLEAN, KEEP, content_action_of

_NO_CODE, _NO_SCHEME, _NO_MEANING = "REMOVED", "99DEID", "Removed"
_TEXT_VALUES: Final = {"TEXT": "TextValue", "PNAME": "PersonName"}


def clean(item: Dataset, options: Collection[str], is_allowed: Callable[[str], bool]) -> None:
    """The value of one content item; what is nested in it is cleaned when it is entered."""
    kind = str(item.get("ValueType") or "")
    if kind == "TEXT" and not is_allowed(str(item.get("TextValue") or "")):
        item.TextValue = REMOVED
    elif kind == "PNAME":
        item.PersonName = "Anonymous"
    elif kind in ("NUM", "CODE") and not _may_stay(item, options):
        if kind == "NUM":
            item.MeasuredValueSequence = []
        else:
            item.ConceptCodeSequence = [no_code()]
    for name in ("ConceptNameCodeSequence", "ConceptCodeSequence"):
        for each in item.get(name) or ():
            _clean_local_meaning(each, is_allowed)


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """An item of a code sequence (PS3.3 table 8.8-1)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def no_code() -> Dataset:
    """A code that says that there was one."""
    return code(_NO_CODE, _NO_SCHEME, _NO_MEANING)


def _may_stay(item: Dataset, options: Collection[str]) -> bool:
    """Whether the table keeps a value of this concept name, or says nothing of it."""
    names: Any = item.get("ConceptNameCodeSequence") or ()
    for name in names:
        scheme, value = str(name.get("CodingSchemeDesignator") or ""), str(name.get("CodeValue") or "")
        if content_action_of(scheme, value, options) not in (None, KEEP, CLEAN):
            return False
    return True


def _clean_local_meaning(item: Dataset, is_allowed: Callable[[str], bool]) -> None:
    """A local code has a meaning that somebody here wrote (PS3.16 section 8: designators that begin with 99)."""
    scheme = str(item.get("CodingSchemeDesignator") or "")
    if (not scheme or scheme.startswith("99")) and not is_allowed(str(item.get("CodeMeaning") or "")):
        item.CodeMeaning = REMOVED
