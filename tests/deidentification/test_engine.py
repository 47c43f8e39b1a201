"""De-identification of data sets: no planted secret survives, and what is kept is consistent."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.sequence import Sequence

import make
from radiology.deidentification.engine import deidentify
from radiology.deidentification.rules import OPTIONS, PrivateElement, Profile, Rules
from radiology.deidentification.values import capped_age, shifted_date, shifted_date_time
from radiology.standards.dicom import dictionary
from radiology.standards.dicom._confidentiality_table import ATTRIBUTES
from radiology.standards.dicom.confidentiality import Option, action_of
from radiology.studies.compression import encoded

EXPLICIT = "1.2.840.10008.1.2.1"
KEY = bytes(range(32))
SECRET = "Xyzzyquux"
NAMED_TEXT = [
    int(line[:8], 16)
    for line in ATTRIBUTES.splitlines()
    if "x" not in line[:8]
    and line[0] != "P"
    and not line.startswith(("0000", "0002", "0004"))
    and dictionary.vr_of(int(line[:8], 16)) in {"LO", "SH", "LT", "ST", "UT", "UC", "PN"}
]


def rules(profile: Profile = Profile.RESEARCH, **changes: Any) -> Rules:
    return Rules(profile, KEY, **changes)


def done(image: Dataset, using: Rules) -> bytes:
    """The bytes of the de-identified object, without its pixels."""
    with disable_value_validation():
        came = pydicom.dcmread(BytesIO(make.as_file(image)), stop_before_pixels=True)
        deidentify(came, using)
        written = encoded(came, EXPLICIT)
    image.clear()
    image.update(read_dataset(BytesIO(written), False, True))
    return written


def test_the_profiles_have_the_options_of_their_codes() -> None:
    codes = {profile: {str(option) for option in options} for profile, options in OPTIONS.items()}
    research = {"113100", "113101", "113103", "113104", "113105", "113107"}
    assert codes[Profile.RESEARCH] == research
    assert codes[Profile.TEACHING] == research | {"113108"}
    assert codes[Profile.TELERADIOLOGY] == research - {"113107"} | {"113106", "113109", "113110"}


@pytest.mark.parametrize("profile", list(Profile))
def test_the_object_says_how_it_was_done(profile: Profile) -> None:
    image = make.an_object()
    done(image, rules(profile))
    assert image.PatientIdentityRemoved == "YES"
    assert {item.CodeValue for item in image.DeidentificationMethodCodeSequence} == set(OPTIONS[profile])
    modified = "UNMODIFIED" if profile is Profile.TELERADIOLOGY else "MODIFIED"
    assert image.LongitudinalTemporalInformationModified == modified
    assert image.SpecificCharacterSet == "ISO_IR 192"


@settings(max_examples=60, deadline=None)
@given(tag=st.sampled_from(NAMED_TEXT), depth=st.integers(0, 3), profile=st.sampled_from([*Profile][:2]))
def test_no_text_that_the_table_names_survives(tag: int, depth: int, profile: Profile) -> None:
    image = make.an_object()
    holder = image
    for _ in range(depth):
        item = Dataset()
        holder.ReferencedSeriesSequence = Sequence([item])
        holder = item
    holder.add_new(tag, dictionary.vr_of(tag) or "LO", SECRET)
    assert SECRET.encode() not in done(image, rules(profile))


ANY_TEXT = [
    tag for tag, (vr, _) in dictionary._STANDARD.items()  # pyright: ignore[reportPrivateUsage]
    if vr in {"LO", "SH", "LT", "ST", "UT", "UC", "PN"} and tag >> 16 > 0x0008 and tag >> 16 != 0x0028
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(tag=st.sampled_from(ANY_TEXT), profile=st.sampled_from(list(Profile)), private=st.booleans())
def test_the_patient_is_named_nowhere(tag: int, profile: Profile, private: bool) -> None:
    image = make.an_object(PatientName="Qwertyson^Zoltan=রহমান^আব্দুর", PatientID="HOSP-778812")
    with disable_value_validation():
        image.add_new(tag, dictionary.vr_of(tag) or "LO", "for Qwertyson HOSP-778812 রহমান")
    if private:
        block = image.private_block(0x0011, "ACME", create=True)
        block.add_new(0x01, "LO", "Zoltan Qwertyson")
    image.PatientName, image.PatientID = "Qwertyson^Zoltan=রহমান^আব্দুর", "HOSP-778812"
    written = done(image, rules(profile, safe_private=(PrivateElement("ACME", 0x0011, 0x01),)))
    for word in ("Qwertyson", "Zoltan", "HOSP-778812", "রহমান", "আব্দুর"):
        assert word.encode() not in written


def test_private_elements_go_except_those_that_are_known_to_be_safe() -> None:
    image = make.an_object()
    block = image.private_block(0x0011, "ACME", create=True)
    block.add_new(0x01, "LO", "kernel 7")
    block.add_new(0x02, "LO", SECRET)
    written = done(image, rules(safe_private=(PrivateElement("ACME", 0x0011, 0x01),)))
    assert b"kernel 7" in written
    assert SECRET.encode() not in written
    other = make.an_object()
    other.private_block(0x0011, "ACME", create=True).add_new(0x01, "LO", "kernel 7")
    assert b"ACME" not in done(other, rules())


def test_uids_dates_and_pseudonyms_are_the_same_for_all_objects_of_a_patient() -> None:
    first, second = (make.an_object(PatientID="7", StudyInstanceUID="1.2.3.4567890") for _ in range(2))
    second.StudyDate, second.ReferencedImageSequence = "20260220", [Dataset()]
    second.ReferencedImageSequence[0].ReferencedSOPInstanceUID = first.SOPInstanceUID
    done(first, rules())
    done(second, rules())
    assert first.StudyInstanceUID == second.StudyInstanceUID
    assert first.StudyInstanceUID.startswith("2.25.")
    assert second.ReferencedImageSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert first.PatientID == second.PatientID == first.PatientName
    moved = [date.fromisoformat(image.StudyDate) for image in (first, second)]
    assert moved[1] - moved[0] == timedelta(days=30)
    assert 1 <= (date(2026, 1, 21) - moved[0]).days <= 365
    assert first.StudyTime == "140000"


def test_teleradiology_keeps_dates_devices_and_uids_and_hides_the_patient() -> None:
    image = make.an_object(DeviceSerialNumber="S-99-ABC", PatientID="HOSP-778812")
    uid = image.SOPInstanceUID
    done(image, rules(Profile.TELERADIOLOGY))
    assert (image.SOPInstanceUID, image.StudyDate, image.DeviceSerialNumber) == (uid, "20260121", "S-99-ABC")
    assert image.PatientID != "HOSP-778812"
    assert not image.PatientBirthDate


def test_teaching_keeps_age_and_sex_and_nobody_is_older_than_89() -> None:
    image = make.an_object(PatientAge="097Y")
    done(image, rules(Profile.TEACHING))
    assert (image.PatientAge, image.PatientSex) == ("089Y", "M")
    assert [capped_age(age) for age in ("089Y", "090Y", "002M", "xx")] == ["089Y", "089Y", "002M", ""]


def test_dates_and_times_move_by_days_and_keep_what_else_they_say() -> None:
    assert shifted_date("2026.03.01", 1) == "20260228"
    assert shifted_date("no date", 1) == ""
    assert shifted_date_time("20260301123456.789+0600", 1) == "20260228123456.789+0600"
    assert shifted_date_time("2026", 1) == "2026"


def test_text_and_names_of_a_report_are_replaced_at_their_place() -> None:
    report, item, name = make.an_object(), Dataset(), Dataset()
    item.ValueType, item.TextValue = "TEXT", "Nodule in the left lobe of Mrs Karim"
    name.ValueType, name.PersonName = "PNAME", "KARIM^A"
    report.ValueType, report.ContentSequence = "CONTAINER", [item, name]
    done(report, rules())
    assert [each.get("TextValue") or str(each.PersonName) for each in report.ContentSequence] == [
        "REMOVED",
        "Anonymous",
    ]


def test_descriptions_go_unless_they_are_allowed() -> None:
    image = make.an_object(SeriesDescription="Axial")
    done(image, rules(allowed_texts=frozenset({"axial"})))
    assert image.SeriesDescription == "Axial"
    assert "StudyDescription" not in image


def test_overlays_and_curves_go_whole() -> None:
    image = make.an_object()
    image.add_new(0x60000010, "US", 4)
    image.add_new(0x60003000, "OW", bytes(2))
    image.add_new(0x50003000, "OW", bytes(2))
    done(image, rules())
    assert not [tag for tag in image.keys() if tag.group in (0x5000, 0x6000)]  # noqa: SIM118


def test_the_actions_are_those_of_the_table() -> None:
    assert action_of("00100010", ()) == "Z"
    assert action_of("00181000", ()) == "X/Z/D"
    assert action_of("00181000", {Option.DEVICE_IDENTITY}) == "K"
    assert action_of("00080020", {Option.MODIFIED_DATES}) == "C"
    assert action_of("60023000", ()) == "X"
    assert action_of("00280010", ()) is None


def test_what_was_taken_leaves_nothing_half() -> None:
    image, issuer, tracked = make.an_object(), Dataset(), Dataset()
    issuer.UniversalEntityID, issuer.UniversalEntityIDType = "http://hospital.example", "URI"
    image.IssuerOfPatientIDQualifiersSequence = [issuer]
    tracked.TrackingID, tracked.TrackingUID = "Lesion of Mrs Karim", "1.2.3"
    image.SegmentSequence = [tracked]
    done(image, rules())
    (segment,) = image.SegmentSequence
    assert segment.TrackingID == segment.TrackingUID
    for item in image.get("IssuerOfPatientIDQualifiersSequence") or ():
        assert (item.LocalNamespaceEntityID, "UniversalEntityIDType" in item) == ("REMOVED", False)


def test_what_a_module_wants_is_not_removed() -> None:
    plan = make.an_object(SOPClassUID="1.2.840.10008.5.1.4.1.1.481.5", OperatorsName="Karim^A")
    report = make.an_object(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", ReferencedPerformedProcedureStepSequence=[])
    image = make.an_object(OperatorsName="Karim^A")
    for each in (plan, report, image):
        done(each, rules())
    assert str(plan.OperatorsName) == "Anonymous"
    assert "ReferencedPerformedProcedureStepSequence" in report
    assert "OperatorsName" not in image


@pytest.mark.parametrize(("zone", "stays"), [("+0600", True), ("Karim", False), ("0600", False)])
def test_a_zone_stays_where_it_is_one(zone: str, stays: bool) -> None:
    image = make.an_object(TimezoneOffsetFromUTC=zone)
    done(image, rules())
    assert ("TimezoneOffsetFromUTC" in image) == stays
