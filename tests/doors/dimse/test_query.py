"""C-FIND as workstations use it: pynetdicom and DCMTK's findscu, over all levels of both models."""

import re
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pydicom.uid import ImplicitVRLittleEndian

import make
from node import Node, running_node
from query import PATIENT_ROOT, PENDING, PENDING_WARNING, STUDY_ROOT, ask, found, identifier, store, values
from radiology.application_entities.model import ApplicationEntity
from radiology.settings import Settings


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
@pytest.mark.parametrize("model", [STUDY_ROOT, PATIENT_ROOT])
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", ImplicitVRLittleEndian])
def test_every_level_gives_what_it_was_asked_for(node: Node, model: str, syntax: str) -> None:
    image = node.wait(make.a_study(node.app, instances=2, PatientName="Khatun^Rahela")).objects[0]
    how: dict[str, Any] = {"model": model, "transfer_syntax": syntax}
    if model == PATIENT_ROOT:
        patient = found(node, identifier("PATIENT", PatientID=image.PatientID, PatientName="",
                                         NumberOfPatientRelatedInstances=""), **how)[0]  # fmt: skip
        assert (str(patient.PatientName), patient.NumberOfPatientRelatedInstances) == ("Khatun^Rahela", 2)
    study = found(node, identifier("STUDY", PatientID=image.PatientID, StudyInstanceUID="", ModalitiesInStudy="",
                                   NumberOfStudyRelatedInstances="", StudyTime=""), **how)[0]  # fmt: skip
    assert (study.ModalitiesInStudy, study.NumberOfStudyRelatedInstances) == ("CT", 2)
    above = {"PatientID": image.PatientID, "StudyInstanceUID": image.StudyInstanceUID}
    series = found(node, identifier("SERIES", **above, SeriesInstanceUID="", SeriesNumber=""), **how)[0]
    assert (series.SeriesInstanceUID, series.SeriesNumber) == (image.SeriesInstanceUID, 1)
    images = found(
        node,
        identifier(
            "IMAGE", **above, SeriesInstanceUID=image.SeriesInstanceUID, InstanceNumber="", Rows=None, SOPInstanceUID=""
        ),
        **how,
    )
    assert [(each.InstanceNumber, each.Rows) for each in images] == [(1, 4), (2, 4)]


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
def test_what_is_always_told_and_nothing_that_was_not_asked_for(node: Node) -> None:
    store(node)
    answer = found(node, identifier("STUDY", PatientID=""))[0]
    assert (answer.QueryRetrieveLevel, answer.RetrieveAETitle, answer.InstanceAvailability) == (
        "STUDY",
        "RADSVC",
        "ONLINE",
    )
    assert sorted(element.keyword for element in answer) == [
        "InstanceAvailability", "PatientID", "QueryRetrieveLevel", "RetrieveAETitle", "SpecificCharacterSet",
    ]  # fmt: skip


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
def test_a_key_that_the_level_does_not_have_comes_back_empty_with_a_warning(node: Node) -> None:
    store(node)
    (status, answer), _ = ask(node, identifier("STUDY", PatientID="", SliceThickness=""))
    assert status == PENDING_WARNING
    assert answer is not None
    assert answer["SliceThickness"].is_empty
    (status, _), _ = ask(node, identifier("STUDY", PatientID="", PatientAge=""))
    assert status == PENDING


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
@pytest.mark.parametrize(
    ("model", "asked"),
    [
        (STUDY_ROOT, identifier("PATIENT", PatientID="")),
        (STUDY_ROOT, identifier("", PatientID="")),
        (STUDY_ROOT, identifier("FRAME", PatientID="")),
        (STUDY_ROOT, identifier("STUDY", StudyDate="yesterday")),
        (STUDY_ROOT, identifier("IMAGE", StudyInstanceUID="1.2", SOPInstanceUID="")),
        (STUDY_ROOT, identifier("SERIES", StudyInstanceUID=["1.2", "1.3"])),
        (PATIENT_ROOT, identifier("STUDY", StudyInstanceUID="")),
        (PATIENT_ROOT, identifier("STUDY", PatientID="P*")),
    ],
)
def test_an_identifier_that_does_not_fit_its_model_is_refused(node: Node, model: str, asked: Any) -> None:
    assert [status for status, _ in ask(node, asked, model=model)] == [0xA900]


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
def test_more_matches_than_allowed_end_with_a_comment(settings: Settings) -> None:
    with running_node(settings.model_copy(update={"find_max": 3})) as node:
        for _ in range(5):
            store(node)
        statuses = [status for status, _ in ask(node, identifier("STUDY", StudyInstanceUID=""))]
        assert statuses == [PENDING] * 3 + [0xA700]


def test_counts_of_a_patient_are_told_and_do_not_narrow_the_search(node: Node) -> None:
    image = store(node)
    asked = identifier("PATIENT", PatientID=image.PatientID, NumberOfPatientRelatedStudies="7")
    (status, answer), (last, _) = ask(node, asked, model=PATIENT_ROOT)
    assert (status, last) == (PENDING_WARNING, 0)
    assert answer is not None
    assert answer.NumberOfPatientRelatedStudies == 1


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
def test_bangla_comes_as_it_may(node: Node) -> None:
    store(node, PatientName="Khatun^Rahela=রাহেলা^খাতুন", PatientID="BN1")
    latin = found(node, identifier("STUDY", PatientID="BN1", PatientName=""))[0]
    assert str(latin.PatientName).startswith("Khatun^Rahela")
    assert latin["SpecificCharacterSet"].is_empty
    whole = found(node, identifier("STUDY", SpecificCharacterSet="ISO_IR 192", PatientID="BN1", PatientName=""))[0]
    assert (whole.SpecificCharacterSet, whole.PatientName.ideographic) == ("ISO_IR 192", "রাহেলা^খাতুন")
    asked = identifier("STUDY", SpecificCharacterSet="ISO_IR 192", PatientName="*খাতুন*", PatientID="")
    assert values(found(node, asked), "PatientID") == ["BN1"]


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
def test_what_was_negotiated_decides_how_is_matched(node: Node) -> None:
    store(node, StudyDate="20260101", StudyTime="230000", PatientName="Rohman^Abdur", PatientID="A")
    store(node, StudyDate="20260102", StudyTime="010000", PatientName="Karim^Abdul", PatientID="B")
    store(node, StudyDate="20260102", StudyTime="230000", PatientName="", PatientID="C")
    night = identifier("STUDY", StudyDate="20260101-20260102", StudyTime="220000-020000", PatientID="")
    assert values(found(node, night, extended=b"\0\1"), "PatientID") == ["A", "B"]
    fuzzy = identifier("STUDY", PatientName="Rahman", PatientID="")
    assert values(found(node, fuzzy, extended=b"\0\0\1"), "PatientID") == ["A"]
    assert found(node, fuzzy) == []
    nameless = identifier("STUDY", PatientName='""', PatientID="")
    assert values(found(node, nameless, extended=b"\0\0\0\0\0\1\0"), "PatientID") == ["C"]


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
def test_another_facility_sees_nothing(node: Node) -> None:
    store(node, PatientID="HERE")
    node.register(ApplicationEntity("MODALITY1", facility_code="ELSEWHERE"))
    assert found(node, identifier("STUDY", PatientID="")) == []


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
def test_without_a_database_it_says_that_it_cannot(node: Node, settings: Settings) -> None:
    store(node)
    with psycopg.connect(settings.database_dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE imaging_studies RENAME TO elsewhere")
        assert [status for status, _ in ask(node, identifier("STUDY", PatientID=""))] == [0xC000]
        connection.execute("ALTER TABLE elsewhere RENAME TO imaging_studies")
    assert len(found(node, identifier("STUDY", PatientID=""))) == 1


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "DCMTK findscu")
@pytest.mark.parametrize("model", ["-S", "-P"])
def test_dcmtk_finds_studies(node: Node, model: str) -> None:
    store(node, PatientID="D1", PatientName="Begum^Salma")
    store(node, PatientID="D2", PatientName="Begum^Salma")
    keys = [
        "-k",
        "QueryRetrieveLevel=STUDY",
        "-k",
        "PatientID=D1",
        "-k",
        "PatientName=BEGUM*",
        "-k",
        "StudyInstanceUID",
    ]
    done = subprocess.run(
        ["findscu", "-v", model, "-aet", "MODALITY1", "-aec", "RADSVC", *keys, "127.0.0.1", str(node.port)],
        capture_output=True, text=True, check=True, timeout=20,
    )  # fmt: skip
    output = done.stdout + done.stderr
    assert len(re.findall(r"Find Response: \d+ \(Pending\)", output)) == 1, output
    assert "[D1]" in output
    assert "Begum^Salma" in output


NEGOTIATES_ZONE = b"\0\1\0\1"


def in_zone(node: Node, offset: str, level: str = "STUDY", **keys: str) -> list[Any]:
    asked = identifier(level, TimezoneOffsetFromUTC=offset, **keys)
    return found(node, asked, extended=NEGOTIATES_ZONE)


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
def test_dates_and_times_are_asked_and_answered_in_the_zone_that_was_negotiated(node: Node) -> None:
    """Two in the night of the 21st in Dhaka (+0600) is still the 20th at +0000."""
    store(node, StudyDate="20260121", StudyTime="020000.5", PatientID="LOCAL", AccessionNumber="A")
    store(node, StudyDate="20260121", StudyTime="020000", PatientID="OWN", TimezoneOffsetFromUTC="+0000")
    (answer,) = in_zone(node, "+0000", StudyDate="20260120", StudyTime="", PatientID="")
    assert (answer.PatientID, answer.StudyDate, answer.StudyTime) == ("LOCAL", "20260120", "200000.5")
    assert answer.TimezoneOffsetFromUTC == "+0000"
    assert values(in_zone(node, "+0000", StudyDate="20260121", PatientID=""), "PatientID") == ["OWN"]
    assert values(in_zone(node, "-0530", StudyDate="20260120", PatientID=""), "PatientID") == ["LOCAL", "OWN"]
    (answer,) = in_zone(node, "-0530", StudyTime="1400-1459", PatientID="", StudyDate="")
    assert (answer.PatientID, answer.StudyTime) == ("LOCAL", "143000.5")
    (answer,) = in_zone(node, "+0000", StudyDate="20260121-20260121", StudyTime="0100-0300", PatientID="")
    assert (answer.PatientID, answer.StudyDate) == ("OWN", "20260121")


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
def test_what_has_no_moment_stays_as_it_is_in_every_zone(node: Node) -> None:
    store(node, StudyDate="20260121", StudyTime=None, PatientBirthDate="19800215")
    (answer,) = in_zone(node, "-1200", StudyDate="20260121", StudyTime="", PatientBirthDate="")
    assert (answer.StudyDate, answer.StudyTime, answer.PatientBirthDate) == ("20260121", "", "19800215")


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
def test_a_zone_without_negotiation_changes_nothing_and_one_that_is_none_is_refused(node: Node) -> None:
    image = store(node, StudyDate="20260121", StudyTime="020000", ContentDate="20260121", ContentTime="0210")
    asked = identifier("STUDY", TimezoneOffsetFromUTC="+0000", StudyDate="20260121", StudyTime="")
    (answer,) = found(node, asked)
    assert (answer.StudyDate, answer.StudyTime, "TimezoneOffsetFromUTC" in answer) == ("20260121", "020000", False)
    wrong = identifier("STUDY", TimezoneOffsetFromUTC="six", StudyDate="20260121")
    assert ask(node, wrong, extended=NEGOTIATES_ZONE)[-1][0] == 0xA900
    above = {"StudyInstanceUID": image.StudyInstanceUID, "SeriesInstanceUID": image.SeriesInstanceUID}
    (answer,) = in_zone(node, "+0000", "IMAGE", **above, ContentDate="")
    assert (answer.ContentDate, "ContentTime" in answer) == ("20260120", False)
