"""Data sets of messages: there and back for any values, and as pydicom reads and writes them."""

import base64
from contextlib import suppress
from io import BytesIO
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from radiology.errors import Unprocessable
from radiology.standards.dicom import uids
from radiology.standards.dicom.data_set import LIMITS, decode, encode

IMPLICIT, EXPLICIT = uids.IMPLICIT_VR_LITTLE_ENDIAN, uids.EXPLICIT_VR_LITTLE_ENDIAN
SYNTAXES = st.sampled_from((IMPLICIT, EXPLICIT))
BANGLA = "রহমান^মোঃ আব্দুর"

# Values in the form in which they are read: no padding, no empty ones.
NO_CONTROLS = st.characters(exclude_categories=("C", "Z"), exclude_characters="\\=^")
TEXT = st.text(NO_CONTROLS, min_size=1, max_size=7)
PLAIN = st.text(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), min_size=1, max_size=16)
UID = st.from_regex(r"[1-9][0-9]{0,5}(\.(0|[1-9][0-9]{0,5})){1,5}", fullmatch=True)
NAME = st.fixed_dictionaries({"Alphabetic": TEXT}, optional={"Ideographic": TEXT, "Phonetic": TEXT})


def several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=3)


def of(vr: str, values: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(st.just({"vr": vr}), values.map(lambda found: {"vr": vr, "Value": found}))


BINARY = st.one_of(
    st.just({"vr": "OB"}),
    st.binary(min_size=2, max_size=40)
    .map(lambda raw: raw[: len(raw) // 2 * 2])
    .map(lambda raw: {"vr": "OB", "InlineBinary": base64.b64encode(raw).decode()}),
)
PLAIN_ELEMENTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "00080018": of("UI", several(UID)),
    "00080020": of("DA", several(st.sampled_from(("20260101", "20260101-20260131", "-20260131")))),
    "00080050": of("SH", several(TEXT)),
    "00080052": of("CS", several(PLAIN)),
    "00080054": of("AE", several(PLAIN)),
    "00081030": of("LO", several(TEXT)),
    "00081190": of("UR", PLAIN.map(lambda text: [f"http://{text}"])),
    "00100010": of("PN", several(NAME)),
    "00104000": of("LT", TEXT.map(lambda text: [f"{text}\\{text}"])),
    "00101030": of("DS", several(st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda value: float(f"{value:.6g}")))),
    "00200013": of("IS", several(st.integers(-(2**31), 2**31 - 1))),
    "00280010": of("US", several(st.integers(0, 2**16 - 1))),
    "00189219": of("SS", several(st.integers(-(2**15), 2**15 - 1))),
    "00209165": of("AT", several(st.sampled_from(("00100010", "7FE00010")))),
    "00720076": of("FL", several(st.floats(width=32, allow_nan=False, allow_infinity=False))),
    "00189073": of("FD", several(st.floats(allow_nan=False, allow_infinity=False))),
    "00420011": BINARY,
}
ITEMS = st.fixed_dictionaries({}, optional=PLAIN_ELEMENTS)
SEQUENCE = of("SQ", st.lists(ITEMS, min_size=1, max_size=3))
DATA_SETS = st.fixed_dictionaries({}, optional={**PLAIN_ELEMENTS, "00081115": SEQUENCE, "00400275": SEQUENCE})


def in_order(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        tag: {"vr": "SQ", "Value": [in_order(item) for item in element["Value"]]}
        if element["vr"] == "SQ" and "Value" in element
        else element
        for tag, element in sorted(attributes.items())
    }


def without_charset(attributes: dict[str, Any]) -> dict[str, Any]:
    return {tag: element for tag, element in attributes.items() if tag != "00080005"}


def normal(attributes: dict[str, Any]) -> dict[str, Any]:
    """Without decimal strings, to which pydicom gives another form, and without empty values and name groups."""
    return {tag: _normal(element) for tag, element in attributes.items() if element["vr"] != "DS"}


def _normal(element: dict[str, Any]) -> dict[str, Any]:
    values = element.get("Value", [])
    if element["vr"] == "SQ":
        values = [normal(item) for item in values]
    elif element["vr"] == "PN":
        values = [{group: text for group, text in name.items() if text} for name in values]
    return {**element, "Value": values}


@given(DATA_SETS, SYNTAXES)
def test_there_and_back(attributes: dict[str, Any], syntax: str) -> None:
    data = encode(attributes, syntax)
    assert len(data) % 2 == 0
    found = decode(data, syntax)
    assert without_charset(found) == in_order(attributes)
    assert list(found) == sorted(found)
    assert encode(found, syntax) == data


@given(DATA_SETS, SYNTAXES)
def test_pydicom_reads_what_is_written(attributes: dict[str, Any], syntax: str) -> None:
    data = encode(attributes, syntax, charset="ISO_IR 192")
    theirs = read_dataset(BytesIO(data), syntax == IMPLICIT, True).to_json_dict(bulk_data_threshold=10**9)
    assert theirs.pop("00080005") == {"vr": "CS", "Value": ["ISO_IR 192"]}
    assert normal(theirs) == normal(in_order(attributes))


@given(DATA_SETS, SYNTAXES)
def test_read_what_pydicom_writes(attributes: dict[str, Any], syntax: str) -> None:
    theirs = Dataset.from_json(attributes)
    theirs.SpecificCharacterSet = "ISO_IR 192"
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = syntax == IMPLICIT, True
    write_dataset(buffer, theirs)
    assert without_charset(decode(buffer.getvalue(), syntax)) == in_order(attributes)


@given(st.binary(max_size=400), SYNTAXES)
def test_any_bytes_are_read_or_refused(data: bytes, syntax: str) -> None:
    try:
        attributes = decode(data, syntax)
    except Unprocessable:
        return
    assert list(attributes) == sorted(attributes)


@given(DATA_SETS, SYNTAXES, st.data())
def test_a_cut_data_set_is_refused_or_shorter(attributes: dict[str, Any], syntax: str, data: st.DataObject) -> None:
    whole = encode(attributes, syntax)
    if not whole:
        return
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with suppress(Unprocessable):
        assert decode(cut, syntax).items() <= decode(whole, syntax).items()


def name(text: str, **groups: str) -> dict[str, Any]:
    return {"00100010": {"vr": "PN", "Value": [{"Alphabetic": text, **groups}]}}


def test_text_beyond_ascii_is_utf8_and_says_so() -> None:
    data = encode(name("Rahman^Abdur", Ideographic=BANGLA), EXPLICIT)
    assert decode(data, EXPLICIT)["00080005"]["Value"] == ["ISO_IR 192"]
    assert str(read_dataset(BytesIO(data), False, True).PatientName) == f"Rahman^Abdur={BANGLA}"


def test_ascii_text_needs_no_character_set() -> None:
    assert "00080005" not in decode(encode(name("Rahman^Abdur"), EXPLICIT), EXPLICIT)


@pytest.mark.parametrize(
    ("charset", "shown", "declared"),
    [
        ("ISO_IR 192", "Müller^রহমান", {"vr": "CS", "Value": ["ISO_IR 192"]}),
        ("ISO_IR 100", "Müller^?????", {"vr": "CS", "Value": ["ISO_IR 100"]}),
        ("", "M?ller^?????", {"vr": "CS"}),
        ("ISO_IR 6", "M?ller^?????", {"vr": "CS"}),
    ],
)
def test_what_a_character_set_cannot_write_is_a_question_mark(charset: str, shown: str, declared: Any) -> None:
    found = decode(encode(name("Müller^রহমান"), IMPLICIT, charset=charset), IMPLICIT)
    assert found["00100010"]["Value"] == [{"Alphabetic": shown}]
    assert found["00080005"] == declared


def test_text_is_read_by_the_character_set_it_declares() -> None:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.PatientName = "Müller"
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = True, True
    write_dataset(buffer, ds)
    assert decode(buffer.getvalue(), IMPLICIT)["00100010"]["Value"] == [{"Alphabetic": "Müller"}]


def test_unknown_and_private_tags_are_kept() -> None:
    data = pack("<HHL", 0x0009, 0x0001, 4) + b"abcd" + pack("<HHL", 0x7777, 0x0002, 2) + b"xy"
    found = decode(data, IMPLICIT)
    assert found == {
        "00090001": {"vr": "UN", "InlineBinary": base64.b64encode(b"abcd").decode()},
        "77770002": {"vr": "UN", "InlineBinary": base64.b64encode(b"xy").decode()},
    }
    assert encode(found, IMPLICIT) == data


def test_a_value_too_long_for_its_vr_is_written_as_un() -> None:
    long = "x" * 70_000
    data = encode({"00081030": {"vr": "LO", "Value": [long]}}, EXPLICIT)
    assert data[4:6] == b"UN"
    assert decode(data, EXPLICIT)["00081030"]["Value"] == [long]
    assert bytes(read_dataset(BytesIO(data), False, True)[0x00081030].value) == long.encode()


def test_numbers_as_text_fit_their_vr() -> None:
    written = encode({"00101030": {"vr": "DS", "Value": [1 / 3, -1.23456789012345e-7, 70, "12.50"]}}, IMPLICIT)
    parts = written[8:].strip().decode().split("\\")
    assert all(len(part) <= 16 for part in parts)
    assert [float(part) for part in parts] == pytest.approx([1 / 3, -1.23456789012345e-7, 70, 12.5], rel=1e-8)


@pytest.mark.parametrize(
    ("tag", "element"),
    [
        ("00280010", {"vr": "US", "Value": [70_000]}),
        ("00280010", {"vr": "US", "Value": ["many"]}),
        ("00200013", {"vr": "XX", "Value": [1]}),
        ("00100010", {"vr": "PN", "Value": ["Rahman"]}),
        ("00081030", {"vr": "LO", "Value": [7]}),
        ("00420011", {"vr": "OB", "InlineBinary": "%%%"}),
        ("7FE00010", {"vr": "OW", "BulkDataURI": "@/7FE00010"}),
        ("00209165", {"vr": "AT", "Value": ["PatientName"]}),
    ],
)
def test_a_value_that_its_vr_cannot_hold_is_refused_with_its_tag(tag: str, element: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable) as refused:
        encode({tag: element}, EXPLICIT)
    assert refused.value.tag == tag


def test_nesting_is_bounded_both_ways() -> None:
    attributes: dict[str, Any] = {}
    for _ in range(LIMITS.depth):
        attributes = {"00081115": {"vr": "SQ", "Value": [attributes]}}
    data = encode(attributes, IMPLICIT)
    assert decode(data, IMPLICIT) == attributes
    deeper = {"00081115": {"vr": "SQ", "Value": [attributes]}}
    with pytest.raises(Unprocessable):
        encode(deeper, IMPLICIT)
    item = pack("<HHL", 0xFFFE, 0xE000, len(data)) + data
    with pytest.raises(Unprocessable):
        decode(pack("<HHL", 0x0008, 0x1115, len(item)) + item, IMPLICIT)


@pytest.mark.parametrize("syntax", [uids.EXPLICIT_VR_BIG_ENDIAN, uids.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN])
def test_other_encodings_are_not_used_for_messages(syntax: str) -> None:
    with pytest.raises(Unprocessable):
        decode(b"\0" * 16, syntax)
    with pytest.raises(Unprocessable):
        encode({}, syntax)


def test_an_empty_data_set_is_empty_both_ways() -> None:
    assert decode(b"", IMPLICIT) == {}
    assert encode({}, IMPLICIT) == b""


def test_a_data_set_may_begin_with_any_group() -> None:
    session = {"20000010": {"vr": "IS", "Value": [1]}, "20000020": {"vr": "CS", "Value": ["MED"]}}
    for syntax in (uids.EXPLICIT_VR_LITTLE_ENDIAN, uids.IMPLICIT_VR_LITTLE_ENDIAN):
        assert decode(encode(session, syntax), syntax) == session
