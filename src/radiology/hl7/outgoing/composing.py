"""The message that tells how an order fares. Pure."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from radiology.hl7.mappings import SYSTEMS
from radiology.hl7.outgoing.model import RESULT_STATUSES, Receiver
from radiology.orders.model import Order, RequestedProcedure
from radiology.patients.model import Patient
from radiology.procedures.coding import as_others_may_read
from radiology.standards.dicom.names import PersonName
from radiology.standards.hl7v2.message import Value, encode, segment
from radiology.standards.hl7v2.values import sent_moment, xpn

_CODING_SYSTEMS: Final[Mapping[str, str]] = {uri: name for name, uri in SYSTEMS.items() if name != "SNOMEDCT"}
_PRIORITIES: Final[Mapping[str, str]] = {"stat": "S", "asap": "A", "urgent": "A", "routine": "R"}


def compose(
    receiver: Receiver,
    order: Order,
    patient: Patient,
    status: str,
    *,
    application: str,
    control_id: str,
    at: datetime,
    zone: tzinfo,
) -> bytes:
    """ORM^O01 or OMG^O19 with SC, in the version and character set of the receiver."""  # fmt: skip
    modern = receiver.version >= "2.5"
    start = sent_moment(order.occurrence, zone) if order.occurrence else ""
    priority = _PRIORITIES.get(order.priority, "R")
    placer: Value = (order.placer_number or "", order.placer if order.placer_number else "")
    filler: Value = (order.accession_number, order.facility_code)
    lines = [
        _header(receiver, order, application=application, control_id=control_id, at=at, zone=zone),
        _patient(patient),
        segment("ORC", "SC", placer, filler, "", status, "", "" if modern else ("", "", "", start, "", priority), "",
                sent_moment(at, zone)),
    ]  # fmt: skip
    if receiver.form == "OMG^O19":
        lines.append(segment("TQ1", "1", "", "", "", "", "", start, "", priority))
    for number, procedure in enumerate(order.procedures, 1):
        lines.append(_request(order, procedure, number, status, placer, filler))
        lines.append(segment("ZDS", (procedure.study_instance_uid, application, "Application", "DICOM")))
    return encode(lines, receiver.charset)


def _header(
    receiver: Receiver, order: Order, *, application: str, control_id: str, at: datetime, zone: tzinfo
) -> str:  # fmt: skip
    code, event = receiver.form.split("^")
    kind = (code, event, f"{code}_{event}") if receiver.version >= "2.4" else (code, event)
    said: list[Value] = [
        application, order.facility_code, receiver.receiving_application, receiver.receiving_facility,
        sent_moment(at, zone), "", kind, control_id, "P", receiver.version, "", "", "", "", "", receiver.charset,
    ]  # fmt: skip
    return "MSH|^~\\&|" + segment("", *said)[1:]


def _patient(patient: Patient) -> str:
    name = PersonName.parse(patient.patient_name)
    groups = [(name.alphabetic, "A"), (name.ideographic, "I")]
    names = "~".join(segment("", xpn(group, representation=code))[1:] for group, code in groups if group)
    number: Value = (patient.patient_id, "", "", patient.issuer_of_patient_id, "MR")
    start = segment("PID", "1", "", number, "")
    # Repetitions are no part of what `segment` writes.
    return f"{start}||{names}||{patient.birth_date}|{patient.sex}".rstrip("|")


def _request(
    order: Order, procedure: RequestedProcedure, number: int, status: str, placer: Value, filler: Value
) -> str:  # fmt: skip
    said: list[Value] = [
        str(number), placer, filler, _service(procedure), *[""] * 13, order.accession_number,
        procedure.requested_procedure_id, "", "", "", "", procedure.modality, RESULT_STATUSES[status],
    ]  # fmt: skip
    return segment("OBR", *said)


def _service(procedure: RequestedProcedure) -> Value:
    code: dict[str, Any] = procedure.content["code"]
    codings: list[dict[str, str]] = code.get("coding", [])
    if not codings:
        return ("", code.get("text", ""))
    first: dict[str, str] = as_others_may_read(codings[0])
    system = _CODING_SYSTEMS.get(first.get("system", ""), "L")
    return (first.get("code", ""), first.get("display") or code.get("text", ""), system)
