"""Records as DICOM audit messages (PS3.15 A.5.1), and these as lines of syslog (A.6, RFC 5424, RFC 5425). Pure."""

import base64
from typing import Any, Final
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

import orjson

from radiology.audit.model import DCM, MINOR_FAILURE, Record, meaning_of

MSGID: Final = "DICOM+RFC3881"
APP_NAME: Final = "radiology"
#: Facility 10, security and authorization; severities notice and warning (PS3.15 A.6).
_FACILITY, _NOTICE, _WARNING = 10, 5, 4
_IP_ADDRESS, _MACHINE_NAME = "2", "1"
_BOM: Final = b"\xef\xbb\xbf"


def audit_message(record: Record, source_id: str, *, ae_title: str) -> bytes:
    """The message of one record as XML in UTF-8. `source_id` is AuditSourceID, `ae_title` our own."""
    root = Element("AuditMessage")
    _event(root, record)
    _participants(root, record, ae_title)
    source = SubElement(root, "AuditSourceIdentification", AuditSourceID=source_id)
    SubElement(source, "AuditSourceTypeCode", {"csd-code": "4"} | _OF_SOURCE)
    _objects(root, record)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


_OF_SOURCE: Final = {"originalText": "Application server process", "codeSystemName": "DCM"}


def _event(root: Element, record: Record) -> None:
    meaning = meaning_of(record.action)
    event = SubElement(
        root,
        "EventIdentification",
        EventActionCode=meaning.action_code,
        EventDateTime=record.occurred_at.isoformat(timespec="milliseconds"),
        EventOutcomeIndicator=str(record.outcome),
    )
    SubElement(event, "EventID", _dcm(meaning.event))
    if meaning.type:
        SubElement(event, "EventTypeCode", _dcm(meaning.type))
    action = {"csd-code": record.action, "codeSystemName": "99RADIOLOGY", "originalText": record.action}
    SubElement(event, "EventTypeCode", action)


def _participants(root: Element, record: Record, ae_title: str) -> None:
    """Who asked, in which role, on whose behalf; and we, who answered."""
    connection = record.connection or {}
    who = {"UserID": record.actor, "UserIsRequestor": "true"}
    if record.actor_display:
        who["UserName"] = record.actor_display
    if calling := connection.get("calling"):
        who["AlternativeUserID"] = f"AETITLES={calling}"
    if record.address:
        numeric = ":" in record.address or record.address.replace(".", "").isdigit()
        who |= {
            "NetworkAccessPointID": record.address,
            "NetworkAccessPointTypeCode": _IP_ADDRESS if numeric else _MACHINE_NAME,
        }
    requestor = SubElement(root, "ActiveParticipant", who)
    stores = meaning_of(record.action).event == "110104"
    if stores or meaning_of(record.action).event in ("110102", "110103"):
        role = ("110153", "Source Role ID") if stores else ("110152", "Destination Role ID")
        SubElement(requestor, "RoleIDCode", _code(*role))
    if record.actor_role:
        role_code = {"csd-code": record.actor_role, "codeSystemName": "99RADIOLOGY", "originalText": record.actor_role}
        SubElement(requestor, "RoleIDCode", role_code)
    if record.on_behalf_of:
        SubElement(root, "ActiveParticipant", UserID=record.on_behalf_of, UserIsRequestor="false")
    ours = {"UserID": record.source or APP_NAME, "UserIsRequestor": "false"}
    ours["AlternativeUserID"] = f"AETITLES={connection.get('called', ae_title)}"
    application = SubElement(root, "ActiveParticipant", ours)
    SubElement(application, "RoleIDCode", _code("110150", "Application"))


def _objects(root: Element, record: Record) -> None:
    event = meaning_of(record.action).event
    if record.study_instance_uid:
        study = _object(root, record.study_instance_uid, "2", "3", "110180", "Study Instance UID")
        _details(study, record)
        _described(study)
        _contents(study, record)
    if record.patient_reference:
        patient = _object(root, record.patient_reference, "1", "1", "2", "Patient Number", system="RFC-3881")
        _described(patient)
    if event == "110112":
        query = _object(root, record.subject, "2", "3", "10", "Search Criteria", system="RFC-3881")
        SubElement(query, "ParticipantObjectQuery").text = _base64(record.detail or {})
        _described(query)
    elif record.subject not in ("", record.study_instance_uid, record.patient_reference):
        other = _object(root, record.subject, "2", "4", "12", "URI", system="RFC-3881")
        if not record.study_instance_uid:
            _details(other, record)
        _described(other)


def _object(root: Element, id: str, kind: str, role: str, code: str, meaning: str, *, system: str = "DCM") -> Element:
    attributes = {"ParticipantObjectID": id, "ParticipantObjectTypeCode": kind, "ParticipantObjectTypeCodeRole": role}
    found = SubElement(root, "ParticipantObjectIdentification", attributes)
    SubElement(found, "ParticipantObjectIDTypeCode", _code(code, meaning, system))
    return found


def _details(of: Element, record: Record) -> None:
    details = dict(record.detail or {})
    if record.purpose:
        details["purposeOfUse"] = record.purpose
    if details:
        SubElement(of, "ParticipantObjectName").text = of.get("ParticipantObjectID")
    for name, value in sorted(details.items()):
        SubElement(of, "ParticipantObjectDetail", type=name, value=_base64(value))


def _described(of: Element) -> None:
    if of.find("ParticipantObjectName") is None and of.find("ParticipantObjectQuery") is None:
        SubElement(of, "ParticipantObjectName").text = of.get("ParticipantObjectID")


def _contents(study: Element, record: Record) -> None:
    """How many instances of the study it was about."""
    count = (record.detail or {}).get("count")
    if isinstance(count, int) and count:
        description = SubElement(study, "ParticipantObjectDescription")
        SubElement(description, "SOPClass", NumberOfInstances=str(count))
        contains = SubElement(description, "ParticipantObjectContainsStudy")
        SubElement(contains, "StudyIDs", UID=record.study_instance_uid)


def _dcm(code: str) -> dict[str, str]:
    return _code(code, DCM[code])


def _code(code: str, meaning: str, system: str = "DCM") -> dict[str, str]:
    return {"csd-code": code, "codeSystemName": system, "originalText": meaning}


def _base64(value: Any) -> str:
    raw = value.encode() if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return base64.b64encode(raw).decode()


def syslog_frame(record: Record, source_id: str, *, ae_title: str, host: str, process_id: int) -> bytes:
    """A record as a message of RFC 5424 with its length before it (RFC 5425 4.3)."""
    severity = _WARNING if record.outcome >= MINOR_FAILURE else _NOTICE
    moment = record.occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    header = f"<{_FACILITY * 8 + severity}>1 {moment} {host or '-'} {APP_NAME} {process_id} {MSGID} - "
    message = header.encode("ascii", "replace") + _BOM + audit_message(record, source_id, ae_title=ae_title)
    return f"{len(message)} ".encode() + message
