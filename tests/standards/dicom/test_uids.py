"""UIDs against the dictionaries they were generated from, and the rules of PS3.5 9.1."""

import pynetdicom.sop_class as sop_class
import pytest
from pydicom.uid import UID, UID_dictionary

from radiology.standards.dicom import uids


def test_storage_classes_are_those_of_pynetdicom() -> None:
    known = {str(uid) for uid in sop_class._STORAGE_CLASSES.values()}
    assert uids.STORAGE_SOP_CLASSES.keys() == known
    assert len(known) == 170


def test_non_patient_classes_are_those_of_pynetdicom_and_the_dicomdir() -> None:
    known = {str(uid) for uid in sop_class._NON_PATIENT_OBJECT_CLASSES.values()}
    assert uids.NON_PATIENT_SOP_CLASSES.keys() == known | {uids.MEDIA_STORAGE_DIRECTORY}


def test_names_are_the_standards_names() -> None:
    for table in (uids.STORAGE_SOP_CLASSES, uids.RETIRED_STORAGE_SOP_CLASSES, uids.NON_PATIENT_SOP_CLASSES):
        for uid, name in table.items():
            if uid in UID_dictionary:
                assert name == UID_dictionary[uid][0]


def test_services_are_those_of_pynetdicom() -> None:
    assert uids.SERVICE_SOP_CLASSES["Verification"] == uids.VERIFICATION
    assert uids.SERVICE_SOP_CLASSES["StudyRootQueryRetrieveInformationModelFind"] == uids.STUDY_ROOT_FIND
    for keyword, uid in uids.SERVICE_SOP_CLASSES.items():
        assert getattr(sop_class, keyword) == uid


@pytest.mark.parametrize("syntax", uids.TRANSFER_SYNTAXES.values(), ids=lambda syntax: syntax.name)
def test_transfer_syntaxes_agree_with_pydicom(syntax: uids.TransferSyntax) -> None:
    theirs = UID(syntax.uid)
    assert theirs.is_transfer_syntax
    assert syntax.name == UID_dictionary[syntax.uid][0]
    assert (syntax.implicit_vr, syntax.big_endian) == (theirs.is_implicit_VR, not theirs.is_little_endian)
    assert syntax.deflated == theirs.is_deflated
    assert syntax.encapsulated == theirs.is_encapsulated


def test_syntaxes_without_pixel_data_in_the_object_are_not_accepted() -> None:
    assert not any("JPIP" in s.name or "SMPTE" in s.name for s in uids.TRANSFER_SYNTAXES.values())
    assert set(uids.ACCEPTED_TRANSFER_SYNTAXES) == uids.TRANSFER_SYNTAXES.keys()


@pytest.mark.parametrize(
    ("uid", "valid", "nonconformant"),
    [
        ("1.2.840.10008.1.1", True, False),
        ("2.25.0", True, False),
        ("1.2.03", True, True),
        ("1.2..3", True, True),
        ("9.9.9", True, True),
        ("1" * 64, True, True),
        ("1" * 65, False, True),
        ("", False, True),
        ("..", False, True),
        ("1.2/../3", False, True),
        ("1.2.a", False, True),
        ("1.2\n", False, True),
        ("১.২", False, True),
    ],
)
def test_validity(uid: str, valid: bool, nonconformant: bool) -> None:
    assert uids.is_valid_uid(uid) is valid
    assert uids.uid_nonconformant(uid) is nonconformant


def test_new_uids_are_valid_and_differ() -> None:
    one, other = uids.new_uid(), uids.new_uid()
    assert one != other
    assert all(uids.is_valid_uid(uid) and not uids.uid_nonconformant(uid) for uid in (one, other))
    assert uids.is_valid_uid(uids.IMPLEMENTATION_CLASS_UID)
    assert len(uids.IMPLEMENTATION_VERSION_NAME) <= 16


def test_names_of_classes() -> None:
    assert uids.sop_class_name("1.2.840.10008.5.1.4.1.1.2") == "CT Image Storage"
    assert uids.sop_class_name("1.3.12.2.1107.5.9.1") is None
