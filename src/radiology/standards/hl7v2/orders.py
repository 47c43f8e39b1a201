"""Orders as values: ORC, OBR, TQ1, IPC and ZDS of one order group (HL7 2.5.1 4.5; IHE RAD TF-2 4.2, 4.3, 4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from radiology.standards.hl7v2 import segments, values
from radiology.standards.hl7v2.errors import Code, HL7Error, Place
from radiology.standards.hl7v2.message import Message, Segment
from radiology.standards.hl7v2.segments import Observation
from radiology.standards.hl7v2.values import Coded, Identifier, Person


@dataclass(frozen=True, slots=True)
class Step:
    """IPC: a scheduled procedure step of imaging (4.5.6)."""

    accession_number: str
    requested_procedure_id: str
    study_instance_uid: str
    scheduled_procedure_step_id: str
    modality: str
    protocol: Coded
    station_name: str
    location: str
    station_ae_titles: Sequence[str]


@dataclass(frozen=True, slots=True)
class Procedure:
    """OBR: one procedure that is asked for."""

    placer_number: Identifier
    filler_number: Identifier
    service: Coded
    procedure: Coded
    start_at: datetime | None
    priority: str
    danger: str
    clinical_information: str
    reasons: Sequence[Coded]
    ordering: Person
    phone: str
    fields: Sequence[str]
    """OBR-18 to OBR-21: fields of the placer and of the filler, which many senders use for numbers of radiology."""
    transport: str
    technician: Person
    section: str
    """OBR-24, the diagnostic service section (table 0074)."""
    status: str
    notes: str
    observations: Sequence[Observation]


@dataclass(frozen=True, slots=True)
class Order:
    """ORC with what belongs to it: the control code of table 0119, its numbers, and the procedures."""

    control: str
    placer_number: Identifier
    filler_number: Identifier
    group_number: Identifier
    status: str
    start_at: datetime | None
    priority: str
    entered_at: datetime | None
    entered_by: Person
    ordering: Person
    location: str
    reason: Coded
    organization: Coded
    procedures: Sequence[Procedure]
    steps: Sequence[Step]
    study_instance_uid: str
    notes: str
    group: Message


def orders(message: Message, *, zone: tzinfo) -> list[Order]:
    """The orders of a message, each begun by its ORC. Raises HL7Error."""
    found = [_order(group, zone=zone) for group in message.groups("ORC")]
    if not found:
        message.one("ORC")
    return found


def _order(group: Message, *, zone: tzinfo) -> Order:
    control = group.segments[0]
    timing = group.find("TQ1")
    quantity = control.field(7)
    code = control.must(1, "the order control code is needed (table 0119)").upper()
    study = group.find("ZDS")
    start = _timed(timing, zone) or _component(control, 7, 4, zone)
    return Order(
        control=code,
        placer_number=values.entity(control.field(2)),
        filler_number=values.entity(control.field(3)),
        group_number=values.entity(control.field(4)),
        status=control.text(5),
        start_at=start,
        priority=(timing.text(9) if timing else "") or quantity.text(6),
        entered_at=values.moment(control, 9, zone=zone),
        entered_by=values.person(control.field(10)),
        ordering=values.person(control.field(12)),
        location=str(values.location(control.field(13))),
        reason=values.coded(control.field(16)),
        organization=values.coded(control.field(17)),
        procedures=[_procedure(part, zone=zone) for part in group.groups("OBR")],
        steps=[_step(each) for each in group.all("IPC")],
        study_instance_uid=study.text(1) if study else "",
        notes=segments.notes(group.before("OBR")),
        group=group,
    )


def _procedure(group: Message, *, zone: tzinfo) -> Procedure:
    request = group.segments[0]
    timing = group.find("TQ1")
    reasons = [values.coded(field) for field in request.repetitions(31)]
    return Procedure(
        placer_number=values.entity(request.field(2)),
        filler_number=values.entity(request.field(3)),
        service=values.coded(request.field(4)),
        procedure=values.coded(request.field(44)),
        start_at=_timed(timing, zone) or values.moment(request, 36, zone=zone) or _component(request, 27, 4, zone)
        or values.moment(request, 6, zone=zone),
        priority=request.field(27).text(6) or request.text(5),
        danger=request.text(12, 2) or request.text(12),
        clinical_information=request.text(13),
        reasons=[reason for reason in reasons if reason],
        ordering=values.person(request.field(16)),
        phone=request.text(17),
        fields=[request.text(number) for number in (18, 19, 20, 21)],
        transport=request.text(30),
        technician=values.person(request.field(34)),
        section=request.text(24),
        status=request.text(25),
        notes=segments.notes(group),
        observations=segments.observations(group),
    )  # fmt: skip


def _timed(timing: Segment | None, zone: tzinfo) -> datetime | None:
    return values.moment(timing, 7, zone=zone) if timing else None


def _component(segment: Segment, number: int, component: int, zone: tzinfo) -> datetime | None:
    return values.moment(segment, number, zone=zone, component=component)


def _step(segment: Segment) -> Step:
    return Step(
        accession_number=segment.text(1),
        requested_procedure_id=segment.text(2),
        study_instance_uid=segment.text(3),
        scheduled_procedure_step_id=segment.text(4),
        modality=segment.text(5),
        protocol=values.coded(segment.field(6)),
        station_name=segment.text(7),
        location=segment.text(8),
        station_ae_titles=[field.text() for field in segment.repetitions(9) if field.text()],
    )


@dataclass(frozen=True, slots=True)
class Appointment:
    """SCH with the orders, procedures and rooms that it is for (chapter 10)."""

    placer_id: Identifier
    filler_id: Identifier
    order_numbers: Sequence[Identifier]
    start_at: datetime | None
    duration_minutes: float | None
    reason: str
    status: str
    room: str
    stations: Sequence[str]
    service: Coded


_MINUTES = {"S": 1 / 60, "SEC": 1 / 60, "H": 60.0, "HR": 60.0, "D": 1440.0}


def appointment(message: Message, *, zone: tzinfo) -> Appointment:
    """An appointment of SIU. The start is that of TQ1, of SCH-11, or of its first resource. Raises HL7Error."""
    schedule, timing = message.find("SCH"), message.find("TQ1")
    services, places, equipment = message.find("AIS"), message.find("AIL"), message.all("AIG")
    if schedule is None and services is None:
        message.one("SCH")
    resources = [(services, 4), (places, 6), (equipment[0] if equipment else None, 8)]
    starts = [_timed(timing, zone), _component(schedule, 11, 4, zone) if schedule else None]
    starts += [values.moment(segment, number, zone=zone) for segment, number in resources if segment]
    numbers = [values.entity(schedule.field(number)) for number in (26, 27)] if schedule else []
    return Appointment(
        placer_id=values.entity(schedule.field(1)) if schedule else Identifier(""),
        filler_id=values.entity(schedule.field(2)) if schedule else Identifier(""),
        order_numbers=[number for number in numbers if number.number],
        start_at=next((start for start in starts if start), None),
        duration_minutes=_duration(schedule, 9) or _duration(services, 7),
        reason=(schedule.text(6, 2) or schedule.text(6)) if schedule else "",
        status=schedule.text(25) if schedule else "",
        room=str(values.location(places.field(3))) if places else "",
        stations=[text for each in equipment if (text := each.text(3))],
        service=values.coded(services.field(3)) if services else Coded(),
    )


def _duration(segment: Segment | None, number: int) -> float | None:
    """A duration and its unit in the field behind, in minutes. Raises HL7Error."""
    text = segment.text(number) if segment else ""
    if segment is None or not text:
        return None
    try:
        return float(text) * _MINUTES.get(segment.text(number + 1).upper(), 1.0)
    except ValueError as error:
        place: Place = segment.place(number)
        raise HL7Error(Code.DATA_TYPE, f"{place} is no duration; it must be a number.", place) from error
