"""What a message says, in our words: patients and their numbers, facilities, priorities, procedures. Pure.

What the standard and the mappings of the sender do not explain is an HL7Error where it matters, else a remark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from radiology.errors import Unprocessable
from radiology.hl7 import mappings
from radiology.hl7.mappings import MappedProcedure, Mappings, PatientClass
from radiology.hl7.model import Sender
from radiology.orders.model import Priority
from radiology.patients import identifiers
from radiology.patients.identifiers import Identifier, Kind
from radiology.patients.model import Demographics
from radiology.standards.hl7v2 import segments, values
from radiology.standards.hl7v2.errors import Code, HL7Error, Place
from radiology.standards.hl7v2.message import Message, Segment
from radiology.standards.hl7v2.segments import Header
from radiology.standards.hl7v2.values import Coded

#: Types of table 0203 that are no number of a patient here: of insurance, accounts, visits, licences, passports.
_OF_OTHER_THINGS: Final = frozenset({"AN", "VN", "SS", "DL", "PPN", "MC", "MA", "TAX", "EI", "FI", "PRC", "XX"})
_HOSPITAL_NUMBERS: Final = frozenset({"MR", "PI", "PT"})


@dataclass(frozen=True, slots=True)
class Reading:
    """A message, its sender, and the facility and time zone in which it is read.

    remarks: what was not understood and did not matter; warnings: what the sender is told with the acknowledgement.
    """

    message: Message
    header: Header
    sender: Sender
    facility_code: str
    zone: ZoneInfo
    now: datetime
    remarks: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])

    @property
    def mappings(self) -> Mappings:
        """Those of the sender."""
        return self.sender.mappings

    @property
    def key(self) -> str:
        """What names the message for good: who sent it, its control id, and the day, since senders count anew."""
        header = self.header
        return f"{header.sending_application}|{header.sending_facility}|{header.control_id}|{header.sent_at[:8]}"


def reading(message: Message, sender: Sender, *, facility_code: str, zone: ZoneInfo, now: datetime) -> Reading:
    """A message as its sender means it; facility and zone are ours, where the sender and the message say nothing."""
    facility = facility_of(message, sender) or facility_code
    return Reading(message, segments.header(message.header), sender, facility, sender.zone(zone), now)


def facility_of(message: Message, sender: Sender) -> str | None:
    """Whose message it is: by the codes of ORC-17, PV1-3 and MSH-4, else the facility of the sender."""
    order, visit = message.find("ORC"), message.find("PV1")
    said = [order.text(17) if order else "", visit.text(3, 4) if visit else "", message.header.text(4)]
    mapped = (sender.mappings.facilities.get(code) for code in said if code)
    return next((code for code in mapped if code), sender.facility_code)


@dataclass(frozen=True, slots=True)
class Person:
    """PID in our words, and which of it the sender asks to forget."""

    demographics: Demographics
    address: str
    phone: str
    mother_name: str
    account: str
    deleted: frozenset[str]


def person(read: Reading, segment: Segment) -> Person:
    """The patient of a PID. Raises HL7Error."""
    said = segments.patient(segment, zone=read.zone)
    numbers = patient_numbers(read, said.identifiers, segment.place(3))
    own = next((each for each in numbers if each.kind == Kind.HOSPITAL), None)
    demographics = Demographics(
        patient_id=own.value if own else "",
        issuer=own.issuer if own else "",
        name=said.name.encode(),
        birth_date=f"{said.birth_date:%Y%m%d}" if said.birth_date else "",
        sex=said.sex,
        birth_date_estimated=said.birth_date_estimated,
        identifiers=tuple(each for each in numbers if each != own),
        facility_code=read.facility_code,
    )
    return Person(demographics, said.address, said.phone, said.mother_name, said.account, said.deleted)


def merged(read: Reading, segment: Segment) -> Demographics:
    """Who is named by a MRG, with nothing but numbers. Raises HL7Error."""
    numbers = patient_numbers(read, segments.merge(segment).identifiers, segment.place(1))
    own = next((each for each in numbers if each.kind == Kind.HOSPITAL), None)
    return Demographics(
        patient_id=own.value if own else "",
        issuer=own.issuer if own else "",
        identifiers=tuple(each for each in numbers if each != own),
        facility_code=read.facility_code,
    )


def patient_numbers(read: Reading, said: Sequence[values.Identifier], place: Place) -> list[Identifier]:
    """The numbers of a patient that mean something here, those that are surely of a hospital first. Raises HL7Error."""
    ordered = sorted(said, key=lambda each: each.type not in _HOSPITAL_NUMBERS)
    found = [number for each in ordered if (number := _number(read, each, place)) is not None]
    if not found:
        sentence = (
            f"{place} has no number that is known here: map its assigning authority in issuers of {read.sender.name}."
        )
        raise HL7Error(Code.UNKNOWN_KEY, sentence, place)
    return list(dict.fromkeys(found))


def _number(read: Reading, said: values.Identifier, place: Place) -> Identifier | None:
    mapped = read.mappings.issuers.get(said.authority)
    if mapped is not None:
        kind, issuer = mapped.type, mapped.issuer or read.facility_code
    elif (national := _national(said)) is not None:
        kind, issuer = national, ""
    elif said.type in _OF_OTHER_THINGS:
        return None
    else:
        kind, issuer = Kind.HOSPITAL, _issuer(read, said.authority)
    try:
        return identifiers.identifier(kind, said.number, issuer=issuer if kind == Kind.HOSPITAL else "")
    except Unprocessable as error:
        if kind == Kind.HOSPITAL:
            raise HL7Error(Code.DATA_TYPE, f"{place}: {error.sentence}", place) from error
        read.remarks.append(f"{place}: a number of {said.authority or said.type} is left out. {error.sentence}")
        return None


def _national(said: values.Identifier) -> Kind | None:
    named = {kind.value: kind for kind in (Kind.NID, Kind.BRN, Kind.UHID)}
    return mappings.NATIONAL_TYPES.get(said.type) or named.get(said.authority.upper()) or named.get(said.type.upper())


def _issuer(read: Reading, authority: str) -> str:
    return read.mappings.facilities.get(authority) or authority[: identifiers.LONGEST] or read.facility_code


def priority(read: Reading, code: str, place: Place) -> Priority:
    """A priority. Raises HL7Error for one that nobody has explained: a STAT must not become routine."""
    found = read.mappings.priorities.get(code) or mappings.PRIORITIES.get(code.upper())
    if found is None:
        sentence = f"{place}: the priority {code!r} is not known. Map it in priorities of {read.sender.name}."
        raise HL7Error(Code.TABLE_VALUE_NOT_FOUND, sentence, place)
    return found


def patient_class(read: Reading, code: str, place: Place) -> PatientClass:
    """A class of visit (HL7 v3 ActCode). Raises HL7Error."""
    found = read.mappings.patientClasses.get(code) or mappings.PATIENT_CLASSES.get(code.upper())
    if found is None:
        sentence = f"{place}: the patient class {code!r} is not known. Map it in patientClasses of {read.sender.name}."
        raise HL7Error(Code.TABLE_VALUE_NOT_FOUND, sentence, place)
    return found


def mapped_procedure(read: Reading, *codes: Coded) -> MappedProcedure | None:
    """What the sender's code of a procedure is, where it is mapped."""
    known: Mapping[str, MappedProcedure] = read.mappings.procedures
    for coded in codes:
        for code in (coded.code, coded.alternate_code):
            if code in known:
                return known[code]
    return None


def modality(read: Reading, codes: list[str], service: Coded, place: Place) -> str:
    """The modality that a procedure is for: of its codes, or the first word of its name. Raises HL7Error."""
    for code in codes:
        found = read.mappings.modalities.get(code) or mappings.MODALITIES.get(code.upper())
        if found:
            return found
    first = (service.text or service.alternate_text).split(" ")[0].upper()
    if first in mappings.MODALITIES:
        read.remarks.append(f"{place}: the modality is taken from the name of the procedure, {first}.")
        return mappings.MODALITIES[first]
    sentence = (
        f"{place}: of {service.code or service.text!r} the modality is not known. Map it in procedures of "
        f"{read.sender.name}, or send the modality in IPC-5 or OBR-24."
    )
    raise HL7Error(Code.TABLE_VALUE_NOT_FOUND, sentence, place)
