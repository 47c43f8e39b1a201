"""Which objects may be stored, and what is said of those that may not."""

from pathlib import Path
from typing import Any

import pytest

from radiology.standards.dicom import uids
from radiology.standards.dicom.checks import Refusal, cannot_understand, check_storable, expected_pixel_bytes
from radiology.standards.dicom.header import Header, HeaderError, read_header
from radiology.standards.dicom.part10 import read_file_meta

CT = "1.2.840.10008.5.1.4.1.1.2"


def header(pixel_data_length: int | None = None, flags: frozenset[str] = frozenset(), **changes: Any) -> Header:
    attributes: dict[str, dict[str, Any]] = {
        "00080016": {"vr": "UI", "Value": [CT]},
        "00080018": {"vr": "UI", "Value": ["1.2.3"]},
        "0020000D": {"vr": "UI", "Value": ["1.2.4"]},
        "0020000E": {"vr": "UI", "Value": ["1.2.5"]},
        "00280010": {"vr": "US", "Value": [3]},
        "00280011": {"vr": "US", "Value": [5]},
        "00280100": {"vr": "US", "Value": [8]},
    }
    for tag, value in changes.items():
        attributes[tag[1:]] = {"vr": "UI", "Value": value if isinstance(value, list) else [value]}
    return Header(uids.EXPLICIT_VR_LITTLE_ENDIAN, (), attributes, None, pixel_data_length, flags)


def refusal(checked: Header, sop_class_uid: str | None = None, sop_instance_uid: str | None = None) -> Refusal:
    with pytest.raises(Refusal) as refused:
        check_storable(checked, sop_class_uid=sop_class_uid, sop_instance_uid=sop_instance_uid)
    return refused.value


def test_a_sound_object_has_no_remarks() -> None:
    assert check_storable(header(), sop_class_uid=CT, sop_instance_uid="1.2.3") == []
    assert check_storable(header(), sop_class_uid=None, sop_instance_uid=None) == []


@pytest.mark.parametrize(
    ("sop_class_uid", "sop_instance_uid", "tag", "shown"),
    [("1.2", "1.2.3", "00080016", "(0008,0016)"), (CT, "1.2.33", "00080018", "(0008,0018)")],
)
def test_other_uids_than_the_command(sop_class_uid: str, sop_instance_uid: str, tag: str, shown: str) -> None:
    refused = refusal(header(), sop_class_uid, sop_instance_uid)
    assert (refused.status, refused.tag) == (0xA900, tag)
    assert shown in refused.sentence


@pytest.mark.parametrize("tag", ["00080016", "00080018", "0020000D", "0020000E"])
@pytest.mark.parametrize("value", [[], "1" * 65, "1.2/../../etc", "..", ["1.2", "1.3"]])
def test_missing_and_invalid_uids(tag: str, value: Any) -> None:
    refused = refusal(header(**{f"_{tag}": value}))
    assert (refused.status, refused.tag) == (0xC101, tag)
    assert f"({tag[:4]},{tag[4:]})" in refused.sentence


def test_a_data_set_that_ends_before_its_uids_is_not_understood() -> None:
    cut = Header(uids.EXPLICIT_VR_LITTLE_ENDIAN, (), {}, None, None, frozenset(["truncated"]))
    assert refusal(cut).status == 0xC100


@pytest.mark.parametrize("uid", sorted(uids.NON_PATIENT_SOP_CLASSES))
def test_objects_of_no_study_are_refused_by_the_study(uid: str) -> None:
    refused = refusal(header(_00080016=uid, _0020000D=[]))
    assert (refused.status, refused.tag) == (0xC101, "0020000D")
    assert uids.NON_PATIENT_SOP_CLASSES[uid] in refused.sentence


def test_leading_zeros_are_stored_with_a_remark() -> None:
    remarks = check_storable(header(_0020000D="1.02.3"), sop_class_uid=None, sop_instance_uid=None)
    assert remarks == ["uid_nonconformant"]


@pytest.mark.parametrize(
    ("length", "fits"), [(15, True), (16, True), (14, False), (17, False), (0, False), (None, True)]
)
def test_pixel_length(length: int | None, fits: bool) -> None:
    remarks = check_storable(header(length), sop_class_uid=None, sop_instance_uid=None)
    assert remarks == ([] if fits else ["pixel_length"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 15),
        ({"_00280008": 4}, 60),
        ({"_00280100": 1}, 2),
        ({"_00280002": 3}, 45),
        ({"_00280002": 3, "_00280004": "YBR_FULL_422"}, 30),
        ({"_00280008": "1A"}, None),
        ({"_00280010": []}, None),
    ],
)
def test_expected_pixel_bytes(changes: dict[str, Any], expected: int | None) -> None:
    assert expected_pixel_bytes(header(**changes)) == expected


def test_remarks_come_in_order() -> None:
    remarks = check_storable(
        header(1, frozenset(["truncated", "charset", "value"]), _0020000E="1.0.01"),
        sop_class_uid=None,
        sop_instance_uid=None,
    )
    assert remarks == ["uid_nonconformant", "pixel_length", "charset", "truncated"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pydicom/CT_small.dcm", []),
        ("pydicom/MR_truncated.dcm", ["truncated"]),
        ("pydicom/MR_small_padded.dcm", ["pixel_length"]),
        ("pydicom-data/color-pl.dcm", ["uid_nonconformant"]),
        ("pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm", ["truncated"]),
        ("pydicom/reportsi.dcm", []),
        ("weasis/NeurosurgeryPlan.dcm", "0020000D"),
        ("pydicom/dicomdirtests/DICOMDIR", "0020000D"),
        ("pydicom/dicomdirtests/DICOMDIR-nooffset", "0020000D"),
        ("pydicom/dicomdirtests/DICOMDIR-bigEnd", "0020000D"),
        ("pydicom/priv_SQ.dcm", "00080016"),
        ("pydicom-data/JLSL_RGB_ILV0.dcm", "00080018"),
    ],
)
def test_real_files(shared_data: Path, name: str, expected: list[str] | str) -> None:
    data = (shared_data / "dicom" / name).read_bytes()
    meta = read_file_meta(data)
    found = read_header(
        data,
        data_set_offset=meta.data_set_offset,
        transfer_syntax_uid=meta.transfer_syntax_uid,
        size=len(data),
    )
    if isinstance(expected, str):
        assert refusal(found).tag == expected
    else:
        assert check_storable(found, sop_class_uid=None, sop_instance_uid=None) == expected


def test_what_cannot_be_read_is_refused_by_its_element() -> None:
    refused = cannot_understand(HeaderError("it has no known VR", "54000100/0/54001010"))
    assert (refused.status, refused.tag) == (0xC100, "54001010")
    assert refused.sentence == "(5400,0100)/0/(5400,1010): it has no known VR."
