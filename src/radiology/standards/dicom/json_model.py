"""Read what others wrote in the DICOM JSON model (PS3.18 Annex F): its form is checked before anything relies on it."""

import re
from typing import Any, cast

import orjson

from radiology.errors import Invalid
from radiology.standards.dicom.limits import shown_tag
from radiology.standards.dicom.values import KNOWN_VRS

DEEPEST = 16
MOST_DATA_SETS = 10_000

_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_FORMS = frozenset(("vr", "Value", "InlineBinary", "BulkDataURI"))
_GROUPS = frozenset(("Alphabetic", "Ideographic", "Phonetic"))


def parse(text: bytes) -> list[dict[str, Any]]:
    """The data sets of a JSON text, which is one object or an array of them. Raises Invalid, naming the attribute."""
    try:
        model: Any = orjson.loads(text)
    except ValueError as error:
        raise Invalid(f"The body is not JSON: {error}.") from error
    data_sets = cast("list[Any]", model) if isinstance(model, list) else [model]
    if len(data_sets) > MOST_DATA_SETS:
        raise Invalid(f"More than {MOST_DATA_SETS:,} data sets in one body.")
    return [checked(data_set) for data_set in data_sets]


def parse_one(text: bytes) -> dict[str, Any]:
    """The only data set of a JSON text; none of an empty one. Raises Invalid."""
    data_sets: list[dict[str, Any]] = parse(text) if text.strip() else [{}]
    if len(data_sets) != 1:
        raise Invalid(f"The body must hold one data set, not {len(data_sets)}.")
    return data_sets[0]


def checked(data_set: Any, depth: int = 0) -> dict[str, Any]:
    """A data set with tags in capitals, each attribute of one form. Raises Invalid, naming the attribute."""
    if not isinstance(data_set, dict):
        raise Invalid("A data set is a JSON object of attributes.")
    if depth > DEEPEST:
        raise Invalid(f"Sequences are nested deeper than {DEEPEST}.")
    attributes = cast("dict[str, Any]", data_set)
    return {tag.upper(): _element(tag, element, depth) for tag, element in attributes.items()}


def _element(tag: str, element: Any, depth: int) -> dict[str, Any]:
    if not _TAG.fullmatch(tag):
        raise Invalid(f"{tag[:40]!r} is no tag of eight hexadecimal digits.")
    if not isinstance(element, dict):
        raise _wrong(tag, "is no object with vr and Value")
    known = {key: value for key, value in cast("dict[str, Any]", element).items() if key in _FORMS}
    vr = known.get("vr")
    if vr not in KNOWN_VRS:
        raise _wrong(tag, "names no value representation as its vr")
    if len(known) > 2:
        raise _wrong(tag, "has more than one of Value, InlineBinary and BulkDataURI")
    if any(not isinstance(known.get(key, ""), str) for key in ("InlineBinary", "BulkDataURI")):
        raise _wrong(tag, "has InlineBinary or BulkDataURI that is no text")
    if "Value" in known:
        known["Value"] = _values(tag, vr, known["Value"], depth)
    return known


def _values(tag: str, vr: str, values: Any, depth: int) -> list[Any]:
    if not isinstance(values, list):
        raise _wrong(tag, "has a Value that is no array")
    listed = cast("list[Any]", values)
    if vr == "SQ":
        return [checked({} if item is None else item, depth + 1) for item in listed]
    return [_person_name(tag, value) if vr == "PN" else _plain(tag, value) for value in listed]


def _plain(tag: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise _wrong(tag, "has a value that is neither text nor number")
    if isinstance(value, str) and "\0" in value:
        raise _wrong(tag, "holds the character U+0000")
    return value


def _person_name(tag: str, value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    # Older writers give a name as text (PS3.18 2013).
    groups = cast("dict[str, Any]", {"Alphabetic": value} if isinstance(value, str) else value)
    if not isinstance(value, str | dict) or not groups.keys() <= _GROUPS:
        raise _wrong(tag, "has a name that is no object of Alphabetic, Ideographic and Phonetic")
    if not all(isinstance(text, str) and "\0" not in text for text in groups.values()):
        raise _wrong(tag, "has a name whose groups are not text")
    return groups


def _wrong(tag: str, sentence: str) -> Invalid:
    return Invalid(f"{shown_tag(tag.upper())} {sentence}.", tag=tag.upper())
