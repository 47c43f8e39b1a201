"""The worklist as modalities ask for it: pynetdicom and DCMTK's findscu."""

import subprocess
from datetime import timedelta

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation

from node import running_node
from requestor import requestor
from worklist import MWL, place, query

pytestmark = pytest.mark.peer("Modality Worklist (SCP)", "pynetdicom")

DHAKA = timedelta(hours=6)


@pytest.fixture
def node(settings):
    with running_node(settings) as running:
        yield running


def find(node, asked, *, transfer_syntax=ExplicitVRLittleEndian, extended=None):
    negotiation = []
    if extended is not None:
        item = SOPClassExtendedNegotiation()
        item.sop_class_uid, item.service_class_application_information = MWL, extended
        negotiation = [item]
    with requestor(node, [(MWL, transfer_syntax)], ext_neg=negotiation) as association:
        answered = list(association.send_c_find(asked, MWL))
    return [(status.Status, answer) for status, answer in answered]


def accessions(node, asked, **how):
    return sorted(answer.AccessionNumber for status, answer in find(node, asked, **how) if status in (0xFF00, 0xFF01))


def today(node, days=0):
    return f"{node.app.clock.now() + DHAKA + timedelta(days=days):%Y%m%d}"


@pytest.mark.parametrize("transfer_syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_every_attribute_has_its_value(node, transfer_syntax) -> None:
    item = place(node, accessionNumber="ACC1", stationAETitles=["MODALITY1"], performingPhysician="Sultana^Nasrin")
    (status, answer), (last, _) = find(node, query(), transfer_syntax=transfer_syntax)
    assert (status, last) == (0xFF00, 0x0000)
    assert str(answer.PatientName) == "Karim^Abdul=করিম^আব্দুল"
    assert (answer.PatientBirthDate, answer.PatientSex, answer.PatientWeight) == ("19800115", "M", 62.5)
    assert (answer.PregnancyStatus, answer.Allergies, answer.MedicalAlerts) == (4, "Iodine", "")
    assert answer.RequestedProcedureCodeSequence[0].CodeValue == "RPID22"
    (step,) = answer.ScheduledProcedureStepSequence
    assert (step.ScheduledStationAETitle, step.Modality) == ("MODALITY1", "CT")
    assert step.ScheduledProcedureStepStartDate == today(node)
    assert step.ScheduledProcedureStepID == item.scheduled_procedure_step_id
    assert str(step.ScheduledPerformingPhysicianName) == "Sultana^Nasrin"
    assert step.ScheduledProcedureStepStatus == "SCHEDULED"


def test_without_keys_a_station_sees_its_own_items_of_these_days(node) -> None:
    place(node, accessionNumber="MINE", stationAETitles=["MODALITY1"])
    place(node, accessionNumber="ANY")
    place(node, accessionNumber="OTHER", stationAETitles=["CT9"])
    place(node, accessionNumber="LATER", hours=72)
    assert accessions(node, query()) == ["ANY", "MINE"]
    assert accessions(node, query(ScheduledStationAETitle="CT9")) == ["ANY", "OTHER"]
    assert accessions(node, query(ScheduledStationAETitle="*")) == ["ANY", "MINE", "OTHER"]
    assert accessions(node, query(ScheduledProcedureStepStartDate=today(node, 3))) == ["LATER"]
    assert accessions(node, query(ScheduledProcedureStepStartDate=f"{today(node)}-")) == ["ANY", "LATER", "MINE"]


def test_matching_keys(node) -> None:
    place(node, accessionNumber="A1", requestedProcedureId="RP1")
    place(
        node,
        accessionNumber="A2",
        modality="MR",
        patient={"id": "DMC-2", "name": "Rahman^Md. Abdur", "nameBangla": None},
    )
    for keyword, value, found in (
        ("PatientName", "RAHMAN*", ["A2"]),
        ("PatientName", "করিম*", ["A1"]),
        ("PatientID", "DMC-2", ["A2"]),
        ("AccessionNumber", "A?", ["A1", "A2"]),
        ("RequestedProcedureID", "RP1", ["A1"]),
        ("ReferringPhysicianName", "hossain*", ["A1", "A2"]),
        ("ReferringPhysicianName", "Nobody", []),
        ("PatientSex", "F", []),
    ):
        asked = query()
        setattr(asked, keyword, value)
        assert accessions(node, asked) == found, (keyword, value)
    assert accessions(node, query(Modality="MR")) == ["A2"]
    assert accessions(node, query(ScheduledProcedureStepStatus="COMPLETED")) == []
    code = Dataset()
    code.CodeValue = "RPID22"
    asked = query()
    asked.RequestedProcedureCodeSequence = [code]
    assert accessions(node, asked) == ["A1", "A2"]


def test_fuzzy_names_and_another_zone_where_they_are_negotiated(node) -> None:
    place(node, accessionNumber="A1", patient={"name": "Rohoman^Abdur"})
    asked = query()
    asked.PatientName = "Rahman"
    assert accessions(node, asked) == []
    assert accessions(node, asked, extended=b"\1\1\1\1") == ["A1"]
    asked = query()
    asked.TimezoneOffsetFromUTC = "+0000"
    (_, answer), _ = find(node, asked, extended=b"\1\1\0\1")
    assert answer.TimezoneOffsetFromUTC == "+0000"


def test_what_is_not_known_is_returned_empty_with_a_warning(node) -> None:
    place(node)
    asked = query()
    asked.PatientComments = ""
    (status, answer), _ = find(node, asked)
    assert status == 0xFF01
    assert answer.PatientComments == ""


@pytest.mark.parametrize("keyword", ["PatientID", "AccessionNumber"])
def test_a_key_that_cannot_be_matched_is_refused(node, keyword) -> None:
    asked = query()
    setattr(asked, keyword, ["A", "B"])
    ((status, _),) = find(node, asked)
    assert status == 0xA900


def test_too_many_answers_end_with_a_status(settings) -> None:
    with running_node(settings.model_copy(update={"find_max": 2})) as node:
        for _ in range(3):
            place(node)
        assert [status for status, _ in find(node, query())] == [0xFF00, 0xFF00, 0xA700]


def test_the_queries_of_dcmtk(node, shared_data, tmp_path) -> None:
    place(node, accessionNumber="ACC1")
    for number in (0, 1, 3, 11):
        folder = tmp_path / str(number)
        folder.mkdir()
        run = subprocess.run(
            ["findscu", "-W", "-X", "-aet", "MODALITY1", "-aec", "RADSVC", "-od", folder, "127.0.0.1", str(node.port),
             shared_data / "worklist" / "query" / f"wlistqry{number}.dcm"],
            capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
        assert "Failed" not in run.stderr
        (answer,) = folder.iterdir()
        assert str(dcmread(answer, force=True).PatientName) == "Karim^Abdul"
