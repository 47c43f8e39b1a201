"""The Native DICOM Model: written so that others read it, and read back to what it was."""

import os
import subprocess
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import orjson
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from radiology.errors import Invalid
from radiology.standards.dicom import json_model, xml_model
from radiology.standards.dicom.header import HeaderError, read_header
from radiology.standards.dicom.part10 import FileMetaError, read_file_meta

HEAD = b'<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">'

EXAMPLE: dict[str, Any] = {
    "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
    "00080008": {"vr": "CS", "Value": ["ORIGINAL", None, "AXIAL", None]},
    "00081140": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2.3"]}}, {}]},
    "00090010": {"vr": "LO", "Value": ["A & B's"]},
    "00090020": {"vr": "LO", "Value": ["LATER"]},
    "00091001": {"vr": "LT", "Value": ['<tag> "quoted" & more\r\n']},
    "00092001": {"vr": "LT", "Value": ["in a block that is not the next"]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "RAHMAN^ABDUR^^^Dr", "Ideographic": "রহমান^আব্দুর"}]},
    "00101030": {"vr": "DS", "Value": [61.5]},
    "00280010": {"vr": "US", "Value": [512]},
    "00283006": {"vr": "OW", "InlineBinary": "AAEC"},
    "00289537": {"vr": "FD", "Value": [0.1234567890123456]},
    "00400555": {"vr": "SQ"},
    "7FE00010": {"vr": "OW", "BulkDataURI": "http://x/bulk?a=1&b=2"},
}


def test_a_data_set_is_the_same_after_it_was_written_and_read() -> None:
    assert xml_model.decode(xml_model.encode(EXAMPLE)) == EXAMPLE
    document = fromstring(xml_model.encode(EXAMPLE))  # noqa: S314 - written by us.
    private = next(each for each in document if each.get("privateCreator"))
    assert (private.get("tag"), private.get("privateCreator")) == ("00090001", "A & B's")


def test_shared_objects_are_the_same_after_they_were_written_and_read(shared_data: Path) -> None:
    count = 0
    for path in sorted((shared_data / "dicom").rglob("*"))[::4]:
        attributes = _attributes_of(path) if path.is_file() else None
        if attributes is not None:
            document = xml_model.encode(attributes)
            assert xml_model.encode(xml_model.decode(document)) == document, path.name
            count += 1
    assert count > 50


def _attributes_of(path: Path) -> dict[str, Any] | None:
    """The header of a file as it is stored, None for what is no DICOM file or cannot be read."""
    with path.open("rb") as file:
        head = file.read(65_536)
        try:
            meta = read_file_meta(head)
            header = read_header(
                head,
                data_set_offset=meta.data_set_offset,
                transfer_syntax_uid=meta.transfer_syntax_uid,
                size=path.stat().st_size,
                read_at=lambda at, length: os.pread(file.fileno(), length, at),
            )
        except (FileMetaError, HeaderError):
            return None
    return orjson.loads(orjson.dumps(header.attributes))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_text_comes_back_but_what_xml_cannot_carry(text: str) -> None:
    written = {"00081030": {"vr": "LO", "Value": [text]}}
    (value,) = xml_model.decode(xml_model.encode(written))["00081030"]["Value"]
    assert [a for a, b in zip(value, text, strict=True) if a != b and a != "\ufffd"] == []


@pytest.mark.peer("DICOM XML", "DCMTK")
def test_dcmtk_writes_the_same_document(tmp_path: Path) -> None:
    image = make.an_object()
    image.private_block(0x0009, "MAKER", create=True).add_new(1, "LO", "value")
    file, document = tmp_path / "image.dcm", tmp_path / "image.xml"
    file.write_bytes(make.as_file(image))
    subprocess.run(["dcm2xml", "--native-format", "--encode-base64", file, document], check=True)
    theirs = xml_model.decode(document.read_bytes())
    ours = xml_model.decode(xml_model.encode(pydicom.dcmread(file).to_json_dict()))
    for tag in ("00100010", "00100020", "00080018", "00280010", "00090010", "00091001", "00200013"):
        assert theirs[tag] == ours[tag], tag


def _bomb() -> bytes:
    entities = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
    return b'<!DOCTYPE x [<!ENTITY e0 "lol">' + entities + b"]><x>&e9;</x>"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<",
        b"<a/>",
        _bomb(),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        HEAD + b"<a>" * 100_000,
        HEAD + b'<DicomAttribute tag="0008" vr="LO"/></NativeDicomModel>',
        HEAD + b'<DicomAttribute tag="00081030" vr="ZZ"/></NativeDicomModel>',
        HEAD + b'<DicomAttribute tag="00081030" vr="LO"><Value number="99999999"/></DicomAttribute></NativeDicomModel>',
        HEAD + b'<DicomAttribute tag="00081030" vr="LO"><Value number="0"/></DicomAttribute></NativeDicomModel>',
        HEAD + b'<DicomAttribute tag="00081030" vr="LO"><x/></DicomAttribute></NativeDicomModel>',
    ],
)
def test_what_is_no_such_document_is_refused(document: bytes) -> None:
    with pytest.raises(Invalid):
        xml_model.decode(document)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"7",
        b"[" * 2000,
        b'{"PatientID": {"vr": "LO"}}',
        b'{"00100020": "x"}',
        b'{"00100020": {"Value": ["x"]}}',
        b'{"00100020": {"vr": "LO", "Value": "x"}}',
        b'{"00100020": {"vr": "LO", "Value": [{}]}}',
        b'{"00100020": {"vr": "LO", "Value": [true]}}',
        b'{"00100010": {"vr": "PN", "Value": [{"Alphabetic": 1}]}}',
        b'{"00100010": {"vr": "PN", "Value": [1]}}',
        b'{"7FE00010": {"vr": "OW", "Value": [], "BulkDataURI": "x"}}',
        b'{"00081140": {"vr": "SQ", "Value": [1]}}',
        b'{"00081140":{"vr":"SQ","Value":[' * 20 + b"{}" + b"]}}" * 20,
    ],
)
def test_what_is_no_json_model_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid):
        json_model.parse(text)


def test_an_array_is_several_data_sets_and_an_object_one() -> None:
    assert json_model.parse(b"[{},{}]") == [{}, {}]
    assert json_model.parse(b'{"0020000d":{"vr":"UI","Value":["1"]}}') == [{"0020000D": {"vr": "UI", "Value": ["1"]}}]
    assert json_model.parse_one(b" ") == {}
    with pytest.raises(Invalid):
        json_model.parse_one(b"[{},{}]")
