"""DICOM audit messages: valid by the schema of PS3.15 A.5.1, as lines of syslog, and FHIR AuditEvent of the same."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from radiology.audit import fhir
from radiology.audit.messages import audit_message, syslog_frame
from radiology.audit.model import DCM, MEANINGS, Record, meaning_of
from radiology.kit.ids import uuid7

SCHEMA = Path(__file__).with_name("audit_message.rng")
RECORD = Record(
    id=uuid7(),
    occurred_at=datetime(2026, 1, 21, 8, 45, tzinfo=UTC),
    actor="account:rahim",
    actor_kind="person",
    actor_display='রহিম <&> "x"',
    actor_role="radiologist",
    on_behalf_of="account:karim",
    action="study.retrieve",
    subject="1.2.3",
    outcome=0,
    purpose="BTG",
    address="10.0.0.7",
    source="http",
    request_id="r1",
    connection={"calling": "CT1", "called": "RADSVC", "agent": "browser"},
    detail={"by": "WADO-RS", "count": 3, "requests": 1},
    study_instance_uid="1.2.3",
    patient_reference="Patient/12345",
    sequence=7,
)


def message(record: Record) -> bytes:
    return audit_message(record, "radsvc@10000033", ae_title="RADSVC")


@pytest.mark.skipif(not which("xmllint"), reason="xmllint is not installed")
def test_the_message_of_every_action_is_valid(tmp_path: Path) -> None:
    files = []
    for number, name in enumerate(MEANINGS):
        action = name.replace("*", "something")
        for form, study in enumerate(("", "1.2.3")):
            patient = "Patient/1" if study else ""
            made = replace(RECORD, action=action, study_instance_uid=study, patient_reference=patient)
            if form:
                made = replace(made, subject="", detail=None, connection=None, address="", actor_role="", outcome=8)
            files.append(tmp_path / f"{number}-{form}.xml")
            files[-1].write_bytes(message(made))
    done = subprocess.run(
        ["xmllint", "--noout", "--relaxng", SCHEMA, *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[:3000]


def test_the_message_says_who_what_when_from_where_and_on_what() -> None:
    root = ET.fromstring(message(RECORD))  # noqa: S314 - our own.
    event = root.find("EventIdentification")
    assert event is not None
    assert event.attrib == {
        "EventActionCode": "R",
        "EventDateTime": "2026-01-21T08:45:00.000+00:00",
        "EventOutcomeIndicator": "0",
    }
    assert [(code.tag, code.get("csd-code")) for code in event] == [
        ("EventID", "110103"),
        ("EventTypeCode", "study.retrieve"),
    ]
    who, behalf, ours = root.findall("ActiveParticipant")
    assert (who.get("UserID"), who.get("AlternativeUserID"), who.get("NetworkAccessPointID")) == (
        "account:rahim",
        "AETITLES=CT1",
        "10.0.0.7",
    )
    assert (behalf.get("UserID"), ours.get("UserIsRequestor")) == ("account:karim", "false")
    study, patient = root.findall("ParticipantObjectIdentification")
    assert (study.get("ParticipantObjectID"), study[0].get("csd-code")) == ("1.2.3", "110180")
    assert (patient.get("ParticipantObjectID"), patient.get("ParticipantObjectTypeCodeRole")) == ("Patient/12345", "1")


def test_a_line_of_syslog_carries_its_length() -> None:
    frame = syslog_frame(RECORD, "s", ae_title="RADSVC", host="host", process_id=7)
    length, _, line = frame.partition(b" ")
    assert int(length) == len(line)
    assert line.startswith(b"<85>1 2026-01-21T08:45:00.000Z host radiology 7 DICOM+RFC3881 - \xef\xbb\xbf<?xml")
    failed = syslog_frame(replace(RECORD, outcome=8), "s", ae_title="RADSVC", host="", process_id=7)
    assert failed.partition(b" ")[2].startswith(b"<84>1 2026-01-21T08:45:00.000Z - radiology")


def test_emergency_access_is_what_the_standard_calls_it() -> None:
    started, stopped = meaning_of("break-glass.start"), meaning_of("break-glass.stop")
    assert (started.event, started.type, stopped.event, stopped.type) == ("110113", "110127", "110113", "110138")
    assert fhir.audit_event(RECORD, "s")["purposeOfEvent"][0]["coding"][0]["code"] == "BTG"


def test_every_code_is_one_of_the_standard() -> None:
    for action, meaning in MEANINGS.items():
        assert meaning.event in DCM, action
        assert not meaning.type or meaning.type in DCM, action
        assert meaning.action_code in "CRUDE", action


@pytest.mark.parametrize("action", ["study.retrieve", "study.find", "access.denied", "session.begin"])
def test_an_audit_event_has_what_fhir_requires(action: str) -> None:
    event: dict[str, Any] = fhir.audit_event(replace(RECORD, action=action), "radsvc@10000033")
    assert event["resourceType"] == "AuditEvent"
    assert {"type", "recorded", "agent", "source"} <= event.keys()  # 1..1 and 1..* of R4.
    assert event["recorded"] == "2026-01-21T08:45:00+00:00"
    assert event["outcome"] == "0"
    assert all(isinstance(agent["requestor"], bool) for agent in event["agent"])
    assert event["entity"][0]["what"] == {"reference": "Patient/12345"}
    for entity in event["entity"]:
        assert not {"name", "query"} <= entity.keys()  # sev-1
