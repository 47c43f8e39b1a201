"""File meta information: ours read by pydicom, theirs and damaged ones read by us."""

import io
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.standards.dicom import uids
from radiology.standards.dicom.part10 import FileMetaError, encode_file_meta, guess_transfer_syntax, read_file_meta

CT = "1.2.840.10008.5.1.4.1.1.2"


@pytest.mark.parametrize("ae_title", ["", "RADSVC", "ODD", "SIXTEEN_LETTERS_"])
def test_pydicom_reads_what_we_encode(ae_title: str) -> None:
    head = encode_file_meta(CT, "1.2.3", uids.EXPLICIT_VR_LITTLE_ENDIAN, ae_title)
    dataset = pydicom.dcmread(io.BytesIO(head))
    assert head[:128] == bytes(128)
    assert dataset.file_meta.FileMetaInformationGroupLength == len(head) - 144
    assert dataset.file_meta.MediaStorageSOPClassUID == CT
    assert dataset.file_meta.TransferSyntaxUID == uids.EXPLICIT_VR_LITTLE_ENDIAN
    assert dataset.file_meta.ImplementationClassUID == uids.IMPLEMENTATION_CLASS_UID
    assert dataset.file_meta.get("SourceApplicationEntityTitle", "") == ae_title


def test_we_read_what_we_encode() -> None:
    head = encode_file_meta(CT, "1.2.3", uids.EXPLICIT_VR_LITTLE_ENDIAN, "CT1")
    meta = read_file_meta(memoryview(head))
    assert meta.data_set_offset == len(head)
    assert meta.has_preamble
    assert not meta.guessed
    assert (meta.media_storage_sop_class_uid, meta.media_storage_sop_instance_uid) == (CT, "1.2.3")
    assert (meta.source_ae_title, meta.transfer_syntax_uid) == ("CT1", uids.EXPLICIT_VR_LITTLE_ENDIAN)


@pytest.mark.parametrize("length", [0, 3, 0xFFFFFFFF])
def test_group_length_is_not_believed(length: int) -> None:
    head = bytearray(encode_file_meta(CT, "1.2.3", uids.EXPLICIT_VR_LITTLE_ENDIAN, "CT1"))
    head[140:144] = length.to_bytes(4, "little")
    assert read_file_meta(bytes(head)).data_set_offset == len(head)


@pytest.mark.parametrize(
    ("name", "syntax", "has_preamble", "guessed"),
    [
        ("pydicom/ExplVR_BigEndNoMeta.dcm", uids.EXPLICIT_VR_BIG_ENDIAN, False, True),
        ("pydicom/ExplVR_LitEndNoMeta.dcm", uids.EXPLICIT_VR_LITTLE_ENDIAN, False, True),
        ("pydicom/rtstruct.dcm", uids.IMPLICIT_VR_LITTLE_ENDIAN, False, True),
        ("pydicom/meta_missing_tsyntax.dcm", uids.IMPLICIT_VR_LITTLE_ENDIAN, True, True),
        ("pydicom/no_meta_group_length.dcm", uids.IMPLICIT_VR_LITTLE_ENDIAN, True, False),
        ("pydicom-data/OT-PAL-8-face.dcm", uids.IMPLICIT_VR_LITTLE_ENDIAN, False, True),
        ("pydicom-data/JLSL_RGB_ILV0.dcm", "1.2.840.10008.1.2.4.80", False, False),
        ("pynetdicom/CTImageStorage_bad_meta.dcm", uids.EXPLICIT_VR_LITTLE_ENDIAN, True, False),
    ],
)
def test_odd_heads(shared_data: Path, name: str, syntax: str, has_preamble: bool, guessed: bool) -> None:
    meta = read_file_meta((shared_data / "dicom" / name).read_bytes()[:4096])
    assert (meta.transfer_syntax_uid, meta.has_preamble, meta.guessed) == (syntax, has_preamble, guessed)


def test_a_data_set_that_begins_with_a_stray_byte_is_refused_by_name(shared_data: Path) -> None:
    with pytest.raises(FileMetaError, match=r"\(0820,0500\): this is not DICOM") as refusal:
        read_file_meta((shared_data / "dicom/pydicom/no_meta.dcm").read_bytes())
    assert refusal.value.tag == "08200500"


def test_a_value_past_the_end_names_its_element() -> None:
    head = encode_file_meta(CT, "1.2.3", uids.EXPLICIT_VR_LITTLE_ENDIAN, "")
    with pytest.raises(FileMetaError, match=r"\(0002,0010\): its length of \d+ bytes runs past"):
        read_file_meta(head[:220])


@pytest.mark.parametrize("text", [b"", b"%PDF-1.7 what a day", b"\0" * 4, b"GIF89a" + bytes(200), b"PK\3\4" * 50])
def test_other_files_are_no_dicom(text: bytes) -> None:
    with pytest.raises(FileMetaError):
        read_file_meta(text)


@given(st.binary(max_size=600), st.booleans())
def test_any_bytes_give_meta_or_one_error(data: bytes, preamble: bool) -> None:
    head = bytes(128) + b"DICM" + data if preamble else data
    try:
        meta = read_file_meta(head)
    except FileMetaError:
        return
    assert meta.data_set_offset <= len(head)


@given(st.binary(max_size=16))
def test_any_first_element_gives_a_syntax_or_one_error(first: bytes) -> None:
    try:
        assert guess_transfer_syntax(first) in uids.TRANSFER_SYNTAXES
    except FileMetaError:
        return
