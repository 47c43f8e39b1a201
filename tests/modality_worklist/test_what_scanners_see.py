"""Every key that a scanner may ask with, every attribute it is given, in letters that it can show."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from node import Node, running_node
from radiology.application_entities.model import ApplicationEntity
from radiology.modality_worklist.return_keys import ITEM_KEYS, STEP_KEYS
from radiology.settings import Settings
from radiology.standards.dicom.dictionary import keyword_of
from requestor import requestor
from worklist import MPPS, MWL, begun, place, query

pytestmark = pytest.mark.peer("Modality Worklist (SCP)", "pynetdicom")

EVERYTHING: dict[str, Any] = {
    "accessionNumber": "A1",
    "requestedProcedureId": "RP1",
    "scheduledProcedureStepId": "SPS1",
    "modality": "CT",
    "stationAETitles": ["MODALITY1"],
    "stationName": "CTROOM",
    "location": "Room 4",
    "performingPhysician": "Sultana^Nasrin",
    "referringPhysician": "Hossain^Kamal",
    "requestingPhysician": "Akter^Salma",
    "requestingService": "Medicine",
    "requestedProcedure": "CT abdomen with contrast",
    "description": "Portal venous phase",
    "protocolCode": [{"code": "P1", "scheme": "99LOCAL", "display": "Abdomen portal"}],
    "reason": "Pain",
    "priority": "STAT",
    "admissionId": "V7",
    "patientLocation": "Ward 3",
    "contrastAgent": "Iohexol",
    "premedication": "None",
    "transport": "Wheelchair",
    "confidentiality": "NORMAL",
    "institution": "General Hospital",
    "placerOrderNumber": "PL1",
    "fillerOrderNumber": "FI1",
    "comments": "Slow",
    "procedureComments": "Two phases",
    "patient": {"id": "DMC-1001", "sizeM": 1.6, "medicalAlerts": "Diabetes", "specialNeeds": "Wheelchair",
                "state": "Stable", "pregnancyStatus": "not-pregnant"},
}  # fmt: skip
#: Nothing is known of the patient before the first study, so these references are empty.
REFERENCES = {"00081110", "00081120"}


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def answers(node: Node, asked: Dataset) -> list[Dataset]:
    with requestor(node, [(MWL, ExplicitVRLittleEndian)]) as association:
        return [answer for status, answer in association.send_c_find(asked, MWL) if answer is not None]


def accessions(node: Node, asked: Dataset) -> list[str]:
    return [answer.AccessionNumber for answer in answers(node, asked)]


def all_attributes() -> Dataset:
    """A query that asks for every attribute there is."""
    asked, inner = Dataset(), Dataset()
    asked.SpecificCharacterSet = "ISO_IR 192"
    for keys, into in ((STEP_KEYS, inner), (ITEM_KEYS, asked)):
        for tag in keys:
            empty: Any = [] if keys[tag].vr == "SQ" else None
            setattr(into, keyword_of(int(tag, 16)), [inner] if tag == "00400100" else empty)
    return asked


def test_every_attribute_of_an_item_that_tells_everything_has_a_value(node: Node) -> None:
    place(node, **EVERYTHING)
    (answer,) = answers(node, all_attributes())
    (step,) = answer.ScheduledProcedureStepSequence
    empty = {f"{each.tag:08X}" for each in (*answer, *step) if each.is_empty}
    assert empty == REFERENCES
    assert {f"{each.tag:08X}" for each in answer} == {*ITEM_KEYS, "00080005"}
    assert {f"{each.tag:08X}" for each in step} == set(STEP_KEYS)
    assert (answer.RequestedProcedurePriority, answer.AdmissionID, answer.PregnancyStatus) == ("STAT", "V7", 1)
    assert (answer.Allergies, answer.MedicalAlerts, answer.SpecialNeeds) == ("Iodine", "Diabetes", "Wheelchair")
    assert step.ScheduledProtocolCodeSequence[0].CodeMeaning == "Abdomen portal"


def test_of_an_item_that_tells_least_type_1_has_values_and_type_2_is_there(node: Node) -> None:
    nothing = dict.fromkeys(("birthDate", "sex", "weightKg", "pregnancyStatus", "allergies", "nameBangla"))
    place(node, patient=nothing, referringPhysician=None, reason=None, requestedProcedureCode=[])
    (answer,) = answers(node, all_attributes())
    (step,) = answer.ScheduledProcedureStepSequence
    for keys, found in ((ITEM_KEYS, answer), (STEP_KEYS, step)):
        for tag, key in keys.items():
            assert tag in found
            assert key.type != "1" or not found[tag].is_empty, tag


@pytest.mark.parametrize(
    ("keyword", "value", "found"),
    [
        ("ScheduledStationAETitle", "MODALITY1", True),
        ("ScheduledStationAETitle", "MODALITY2", False),
        ("ScheduledStationAETitle", "MOD*", True),
        ("ScheduledProcedureStepStartDate", "20260121", True),
        ("ScheduledProcedureStepStartDate", "20260122", False),
        ("ScheduledProcedureStepStartDate", "20260101-20260131", True),
        ("ScheduledProcedureStepStartTime", "100000-110000", True),
        ("ScheduledProcedureStepStartTime", "110000-", False),
        ("Modality", "CT", True),
        ("Modality", "MR", False),
        ("ScheduledPerformingPhysicianName", "SULTANA^NASRIN", True),
        ("ScheduledPerformingPhysicianName", "Sult*", True),
        ("ScheduledPerformingPhysicianName", "Rahman*", False),
        ("PatientName", "karim*", True),
        ("PatientName", "করিম*", True),
        ("PatientName", "Rahman*", False),
        ("PatientID", "DMC-1001", True),
        ("PatientID", "DMC-1002", False),
        ("AccessionNumber", "A1", True),
        ("AccessionNumber", "A2", False),
        ("RequestedProcedureID", "RP1", True),
        ("RequestedProcedureID", "RP2", False),
    ],
)
def test_each_matching_key(node: Node, keyword: str, value: str, found: bool) -> None:
    start = "2026-01-21T10:30:00+06:00"
    place(node, **{**EVERYTHING, "start": start})
    asked = query(ScheduledProcedureStepStartDate="20260121")
    holder = asked.ScheduledProcedureStepSequence[0] if keyword in asked.ScheduledProcedureStepSequence[0] else asked
    setattr(holder, keyword, value)
    assert accessions(node, asked) == (["A1"] if found else [])


def test_an_item_without_codes_is_shown_to_who_names_the_attributes_of_codes(node: Node) -> None:
    """As many scanners do: each attribute of the items of the code sequences is there, without a value."""
    place(node, accessionNumber="A1", requestedProcedureCode=[])
    code = Dataset()
    code.CodeValue = code.CodingSchemeDesignator = code.CodeMeaning = ""
    asked = query()
    asked.RequestedProcedureCodeSequence = asked.ScheduledProcedureStepSequence[0].ScheduledProtocolCodeSequence = [
        code
    ]
    assert accessions(node, asked) == ["A1"]


LATIN, BOTH = "Karim^Abdul", "Karim^Abdul=করিম^আব্দুল"


@pytest.mark.parametrize(
    ("recorded", "named", "expected"),
    [
        ("ISO_IR 100", "ISO_IR 100", LATIN),
        ("ISO_IR 100", "ISO_IR 192", LATIN),
        ("ISO_IR 192", "", BOTH),
        ("", "ISO_IR 192", BOTH),
        ("", "ISO_IR 100", LATIN),
        ("", "", LATIN),
    ],
)
def test_a_scanner_is_given_letters_that_it_can_show(node: Node, recorded: str, named: str, expected: str) -> None:
    """What its record says of the modality counts more than what it asks with."""
    node.register(ApplicationEntity("MODALITY1", default_charset=recorded))
    place(node, referringPhysician="হোসেন^কামাল", reason="বুকে ব্যথা", comments="৩ দিন")
    asked = all_attributes()
    asked.SpecificCharacterSet = named
    (answer,) = answers(node, asked)
    assert str(answer.PatientName) == expected
    physician, reason = str(answer.ReferringPhysicianName), str(answer.ReasonForTheRequestedProcedure)
    if expected == BOTH:
        assert answer.SpecificCharacterSet == "ISO_IR 192"
        assert (physician, reason) == ("Hosen^Kamal=হোসেন^কামাল", "বুকে ব্যথা")
    else:
        assert (physician, reason) == ("Hosen^Kamal", "buke byatha")
        assert "?" not in str(answer)


def test_a_hospital_may_do_without_bangla_on_its_modalities(settings: Settings) -> None:
    with running_node(settings.model_copy(update={"pn_bangla_group": "none"})) as node:
        place(node)
        (answer,) = answers(node, query())
        assert str(answer.PatientName) == LATIN


def test_a_physician_is_found_in_either_script(node: Node) -> None:
    place(node, accessionNumber="A1", performingPhysician="সুলতানা^নাসরিন")
    for name in ("sultana*", "সুলতানা*"):
        assert accessions(node, query(ScheduledPerformingPhysicianName=name)) == ["A1"]


def test_a_sensitive_procedure_is_shown_whole_to_the_modality(node: Node) -> None:
    """Its study is labelled and kept from people; the modality that is to do it sees all of it."""
    first = place(node, modality="MG", requestedProcedure="Mammography", accessionNumber="A1", patient={"sex": "F"})
    place(node, modality="MG", requestedProcedure="Mammography, magnification", accessionNumber="A1",
          studyInstanceUID=first.study_instance_uid, patient={"sex": "F"})  # fmt: skip
    with requestor(node, [(MPPS, ExplicitVRLittleEndian)]) as association:
        assert association.send_n_create(begun(first, Modality="MG"), MPPS, generate_uid())[0].Status == 0
    assert node.value("SELECT sensitive FROM imaging_studies") is True
    (answer,) = answers(node, query())
    assert answer.RequestedProcedureDescription == "Mammography, magnification"


def test_what_cannot_be_processed_is_answered_so_and_the_association_goes_on(node: Node) -> None:
    place(node)
    node.value("UPDATE scheduled_procedure_steps SET details = '{}' RETURNING 1")
    with requestor(node, [(MWL, ExplicitVRLittleEndian)]) as association:
        ((status, _),) = association.send_c_find(query(), MWL)
        assert status.Status == 0xC000
        node.value('UPDATE scheduled_procedure_steps SET details = \'{"requestedProcedure": "CT"}\' RETURNING 1')
        assert [status.Status for status, _ in association.send_c_find(query(), MWL)] == [0xFF00, 0x0000]
