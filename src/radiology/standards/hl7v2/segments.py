"""The segments that radiology uses, as values (HL7 2.5.1, chapters 3, 4, 10; IHE RAD TF-2, 4.1 to 4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from radiology.standards.dicom.names import PersonName
from radiology.standards.hl7v2 import values
from radiology.standards.hl7v2.errors import Code, HL7Error
from radiology.standards.hl7v2.message import Message, Segment
from radiology.standards.hl7v2.values import Coded, Identifier, Location, Person

#: PID-8 (table 0001) as Patient's Sex (0010,0040).
SEX = {"M": "M", "F": "F", "O": "O", "A": "O", "N": "O", "U": ""}
_BIRTH_DATE, _SEX, _ADDRESS, _PHONE, _WORK_PHONE, _ACCOUNT = 7, 8, 11, 13, 14, 18


@dataclass(frozen=True, slots=True)
class Header:
    """MSH. `type` is as `ORM^O01`; the acknowledgements wanted are those of enhanced mode (2.9.3)."""

    sending_application: str
    sending_facility: str
    receiving_application: str
    receiving_facility: str
    sent_at: str
    type: str
    event: str
    control_id: str
    processing_id: str
    version: str
    accept_acknowledgement: str
    application_acknowledgement: str
    charset: str


def header(message: Segment) -> Header:
    """MSH, with nothing but what was sent."""
    code, event = message.text(9), message.text(9, 2)
    return Header(
        sending_application=message.text(3),
        sending_facility=message.text(4),
        receiving_application=message.text(5),
        receiving_facility=message.text(6),
        sent_at=message.text(7),
        type=f"{code}^{event}" if event else code,
        event=event,
        control_id=message.text(10),
        processing_id=message.text(11),
        version=message.text(12),
        accept_acknowledgement=message.text(15),
        application_acknowledgement=message.text(16),
        charset=message.text(18),
    )


@dataclass(frozen=True, slots=True)
class Patient:
    """PID: who it is. `deleted` names what the sender asks to forget (a field that is "")."""

    identifiers: Sequence[Identifier]
    name: PersonName
    mother_name: str
    birth_date: date | None
    birth_date_estimated: bool
    sex: str
    address: str
    phone: str
    account: str
    death_at: datetime | None
    deleted: frozenset[str]


def patient(segment: Segment, *, zone: tzinfo) -> Patient:
    """PID. Raises HL7Error, for a patient without a number or a name, too.

    Old senders have the number in PID-2, and others in PID-4 (3.4.2.2, 3.4.2.4); the national ID may be in PID-19.
    """
    found = values.identifiers(segment.repetitions(3))
    for old in (2, 4):
        found += [each for each in values.identifiers(segment.repetitions(old)) if not found or each.authority]
    if social := segment.text(19):
        found.append(Identifier(social, type="SS"))
    if not found:
        segment.must(3, "the patient's identifier is needed, as 12345^^^HOSPITAL^MR")
    name = values.person_name(segment.repetitions(5))
    if not name.groups:
        segment.must(5, "the patient's name is needed, as Family^Given")
    deleted = {"birth_date": _BIRTH_DATE, "sex": _SEX, "address": _ADDRESS, "phone": _PHONE}
    return Patient(
        identifiers=list(dict.fromkeys(found)),
        name=name,
        mother_name=values.person_name(segment.repetitions(6)).encode(),
        birth_date=values.day(segment, _BIRTH_DATE),
        birth_date_estimated=bool(segment.text(_BIRTH_DATE)) and not values.is_whole_day(segment.text(_BIRTH_DATE)),
        sex=_sex(segment),
        address=_address(segment),
        phone=_phone(segment, _PHONE) or _phone(segment, _WORK_PHONE),
        account=segment.text(_ACCOUNT),
        death_at=values.moment(segment, 29, zone=zone),
        deleted=frozenset(field for field, number in deleted.items() if segment.is_null(number)),
    )


def _sex(segment: Segment) -> str:
    said = segment.text(_SEX).upper()
    if said and said not in SEX:
        place = segment.place(_SEX)
        raise HL7Error(Code.TABLE_VALUE_NOT_FOUND, f"{place} is {said!r}; it must be one of {', '.join(SEX)}.", place)
    return SEX.get(said, "")


def _address(segment: Segment) -> str:
    field = segment.field(_ADDRESS)
    parts = [field.text(number) for number in (1, 2, 3, 4, 5)]
    return ", ".join(part for part in parts if part)


def _phone(segment: Segment, number: int) -> str:
    """XTN: the number as text, or of its parts; an address for e-mail is none."""
    for field in segment.repetitions(number):
        if field.text(1):
            return field.text(1)
        if field.text(7):
            return "".join(field.text(part) for part in (5, 6, 7))
        if field.text(12):
            return field.text(12)
    return ""


@dataclass(frozen=True, slots=True)
class Merge:
    """MRG: the identifiers that are no more (of the patient, of the account, of the visit)."""

    identifiers: Sequence[Identifier]
    account: str
    visit: str
    name: PersonName


def merge(segment: Segment) -> Merge:
    """MRG. Raises HL7Error where it names no patient."""
    found = values.identifiers(segment.repetitions(1)) or values.identifiers(segment.repetitions(4))
    if not found:
        segment.must(1, "the identifier of the patient that is merged away is needed")
    return Merge(found, segment.text(3), segment.text(5), values.person_name(segment.repetitions(7)))


@dataclass(frozen=True, slots=True)
class Visit:
    """PV1: the visit. `patient_class` is a code of table 0004."""

    patient_class: str
    location: Location
    referring: Person
    attending: Person
    ambulatory_status: Sequence[str]
    number: Identifier
    admitted_at: datetime | None
    discharged_at: datetime | None


def visit(segment: Segment | None, *, zone: tzinfo) -> Visit | None:
    """PV1, where there is one."""
    if segment is None:
        return None
    return Visit(
        patient_class=segment.text(2),
        location=values.location(segment.field(3)),
        referring=values.person(segment.field(8)),
        attending=values.person(segment.field(7)),
        ambulatory_status=[field.text() for field in segment.repetitions(15)],
        number=values.identifier(segment.field(19)),
        admitted_at=values.moment(segment, 44, zone=zone),
        discharged_at=values.moment(segment, 45, zone=zone),
    )


@dataclass(frozen=True, slots=True)
class Observation:
    """OBX: a coded question and its answer as text."""

    code: Coded
    value: str
    unit: str
    observed_on: date | None


def observations(message: Message) -> list[Observation]:
    """All OBX of a part of a message."""
    return [
        Observation(values.coded(each.field(3)), _answer(each), each.text(6), values.day(each, 14))
        for each in message.all("OBX")
    ]


def _answer(segment: Segment) -> str:
    coded = segment.text(2) in ("CE", "CWE", "CNE")
    return (segment.text(5, 2) if coded else "") or segment.text(5)


def allergies(message: Message) -> list[Coded]:
    """AL1-3 of all AL1."""
    found = [values.coded(each.field(3)) for each in message.all("AL1")]
    return [each for each in found if each]


def notes(message: Message) -> str:
    """NTE-3 of all NTE, one line each."""
    return "\n".join(text for each in message.all("NTE") if (text := each.text(3)))
