"""What becomes of an attribute in a de-identified object (PS3.15 Annex E), and the codes that say how it was done."""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from radiology.standards.dicom._confidentiality_table import ATTRIBUTES, COLUMNS, CONTENT_ITEMS


class Option(StrEnum):
    """The profile and its options by their codes of DCM (PS3.16 CID 7050)."""

    BASIC = "113100"
    CLEAN_PIXEL_DATA = "113101"
    CLEAN_RECOGNIZABLE_VISUAL_FEATURES = "113102"
    CLEAN_GRAPHICS = "113103"
    CLEAN_STRUCTURED_CONTENT = "113104"
    CLEAN_DESCRIPTORS = "113105"
    FULL_DATES = "113106"
    MODIFIED_DATES = "113107"
    PATIENT_CHARACTERISTICS = "113108"
    DEVICE_IDENTITY = "113109"
    UIDS = "113110"
    SAFE_PRIVATE = "113111"
    INSTITUTION_IDENTITY = "113112"


MEANINGS: Final[Mapping[Option, str]] = {
    Option.BASIC: "Basic Application Confidentiality Profile",
    Option.CLEAN_PIXEL_DATA: "Clean Pixel Data Option",
    Option.CLEAN_RECOGNIZABLE_VISUAL_FEATURES: "Clean Recognizable Visual Features Option",
    Option.CLEAN_GRAPHICS: "Clean Graphics Option",
    Option.CLEAN_STRUCTURED_CONTENT: "Clean Structured Content Option",
    Option.CLEAN_DESCRIPTORS: "Clean Descriptors Option",
    Option.FULL_DATES: "Retain Longitudinal Temporal Information Full Dates Option",
    Option.MODIFIED_DATES: "Retain Longitudinal Temporal Information Modified Dates Option",
    Option.PATIENT_CHARACTERISTICS: "Retain Patient Characteristics Option",
    Option.DEVICE_IDENTITY: "Retain Device Identity Option",
    Option.UIDS: "Retain UIDs Option",
    Option.SAFE_PRIVATE: "Retain Safe Private Option",
    Option.INSTITUTION_IDENTITY: "Retain Institution Identity Option",
}

KEEP, CLEAN = "K", "C"


def action_of(tag: str, options: Collection[str]) -> str | None:
    """The action for a tag of eight hexadecimal digits: D, Z, X, U, a choice such as X/Z/D, K or C; None where the
    table does not name it. Where two options differ, cleaning goes before keeping.
    """
    rule = _EXACT.get(tag)
    if rule is None:
        rule = next((rule for pattern, rule in _REPEATING if pattern.fullmatch(tag)), None)
    return None if rule is None else _chosen(rule, options)


def content_action_of(scheme: str, code: str, options: Collection[str]) -> str | None:
    """The action for a content item by its concept name (table E.3.4-1); None where the table does not name it."""
    rule = _CONCEPTS.get((scheme.replace(" ", "_"), code))
    return None if rule is None else _chosen(rule, options)


_Rule = tuple[str, Mapping[str, str]]


def _chosen(rule: _Rule, options: Collection[str]) -> str:
    basic, changed = rule
    asked = {changed[option] for option in options if option in changed}
    return CLEAN if CLEAN in asked else KEEP if KEEP in asked else basic


def _rule(basic: str, letters: str) -> _Rule:
    return basic, {column: letter for column, letter in zip(COLUMNS, letters, strict=False) if letter != "-"}


def _lines(table: str, keys: int) -> list[tuple[list[str], _Rule]]:
    """The words that name what a line is about, and what it says of it."""
    found: list[tuple[list[str], _Rule]] = []
    for line in table.splitlines():
        words = line.split(" ")
        found.append((words[:keys], _rule(words[keys], "".join(words[keys + 1 :]))))
    return found


_EXACT: Final = {name[0]: rule for name, rule in _lines(ATTRIBUTES, 1)}
_REPEATING: Final = [(re.compile(name.replace("x", "[0-9A-F]")), rule) for name, rule in _EXACT.items() if "x" in name]
_CONCEPTS: Final = {(name[0], name[1]): rule for name, rule in _lines(CONTENT_ITEMS, 2)}
