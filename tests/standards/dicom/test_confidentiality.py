"""The table of PS3.15 E.1-1, beside what another reader of the standard has made of it."""

import importlib
from typing import Any

import pytest

from radiology.standards.dicom._confidentiality_table import ATTRIBUTES, COLUMNS, CONTENT_ITEMS
from radiology.standards.dicom.confidentiality import Option, action_of, content_action_of

GROUPS = ("D", "U", "X", "X_D", "X_Z", "X_Z_D", "X_Z_U_STAR", "Z", "Z_D")
#: In edition 2026d and not in 2026c.
NEWER = {"3004007F"}


def test_the_basic_profile_is_what_another_reader_of_the_standard_has() -> None:
    other: Any = importlib.import_module("dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c")
    theirs = {
        f"{tag[0]:04X}{tag[1]:04X}": group.replace("_STAR", "*").replace("_", "/")
        for group in GROUPS
        for tag in getattr(other, f"{group}_TAGS")
        if len(tag) == 2
    }
    ours = dict(line.split(" ")[:2] for line in ATTRIBUTES.splitlines())
    exact = {tag for tag in ours if "x" not in tag and tag != "PRIVATE"}
    assert exact - NEWER == theirs.keys()
    assert {tag: ours[tag] for tag in theirs} == theirs


@pytest.mark.parametrize("table", [ATTRIBUTES, CONTENT_ITEMS])
def test_every_line_is_whole(table: str) -> None:
    for line in table.splitlines():
        letters = line.split(" ")[-1]
        assert len(letters) == len(COLUMNS) or set(letters) <= set("DUXZ/*")
    assert {Option(column) for column in COLUMNS} < set(Option)


def test_an_option_changes_the_action_and_cleaning_goes_before_keeping() -> None:
    assert action_of("00081030", ()) == "X"
    assert action_of("00081030", {Option.CLEAN_DESCRIPTORS}) == "C"
    assert action_of("0018700C", {Option.DEVICE_IDENTITY, Option.MODIFIED_DATES}) == "C"
    assert content_action_of("DCM", "121022", ()) == "X"
    assert content_action_of("DCM", "0", ()) is None
