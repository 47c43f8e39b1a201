"""Which attribute belongs to which level of patient, study, series (PS3.4 C.6.1.1, C.6.2.1; PS3.18 table 10.6.3-3).

Patient and study attributes are kept once per study, series attributes once per series; an instance keeps everything.
"""

from collections.abc import Mapping
from typing import Any

PATIENT = frozenset({
    "00100010",  # PatientName
    "00100020",  # PatientID
    "00100021",  # IssuerOfPatientID
    "00100024",  # IssuerOfPatientIDQualifiersSequence
    "00100030",  # PatientBirthDate
    "00100032",  # PatientBirthTime
    "00100040",  # PatientSex
    "00101002",  # OtherPatientIDsSequence
    "00101001",  # OtherPatientNames
    "00102160",  # EthnicGroup
    "00104000",  # PatientComments
})  # fmt: skip

STUDY = frozenset({
    "00080005",  # SpecificCharacterSet
    "00080020",  # StudyDate
    "00080030",  # StudyTime
    "00080050",  # AccessionNumber
    "00080051",  # IssuerOfAccessionNumberSequence
    "00080090",  # ReferringPhysicianName
    "00080201",  # TimezoneOffsetFromUTC
    "00081030",  # StudyDescription
    "00081032",  # ProcedureCodeSequence
    "00081048",  # PhysiciansOfRecord
    "00081060",  # NameOfPhysiciansReadingStudy
    "00081080",  # AdmittingDiagnosesDescription
    "00101010",  # PatientAge
    "00101020",  # PatientSize
    "00101030",  # PatientWeight
    "00102180",  # Occupation
    "001021B0",  # AdditionalPatientHistory
    "0020000D",  # StudyInstanceUID
    "00200010",  # StudyID
})  # fmt: skip

SERIES = frozenset({
    "00080021",  # SeriesDate
    "00080031",  # SeriesTime
    "00080060",  # Modality
    "00080070",  # Manufacturer
    "00080080",  # InstitutionName
    "00081010",  # StationName
    "0008103E",  # SeriesDescription
    "00081040",  # InstitutionalDepartmentName
    "00081050",  # PerformingPhysicianName
    "00081070",  # OperatorsName
    "00081090",  # ManufacturerModelName
    "00180015",  # BodyPartExamined
    "00181000",  # DeviceSerialNumber
    "00181030",  # ProtocolName
    "0020000E",  # SeriesInstanceUID
    "00200011",  # SeriesNumber
    "00200052",  # FrameOfReferenceUID
    "00200060",  # Laterality
    "00400244",  # PerformedProcedureStepStartDate
    "00400245",  # PerformedProcedureStepStartTime
    "00400253",  # PerformedProcedureStepID
    "00400254",  # PerformedProcedureStepDescription
    "00400275",  # RequestAttributesSequence
})  # fmt: skip


def patient_and_study(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that are kept once per study."""
    return {tag: attributes[tag] for tag in attributes if tag in PATIENT or tag in STUDY}


def series(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that are kept once per series."""
    return {tag: attributes[tag] for tag in attributes if tag in SERIES}
