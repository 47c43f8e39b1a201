"""ADT messages: patients, their visits, and who is found to be whom (HL7 2.5.1 chapter 3; IHE RAD-1, RAD-12)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from radiology.app import App
from radiology.errors import Unprocessable
from radiology.hl7.model import Effects
from radiology.hl7.translating import Person, Reading, merged, patient_class, person
from radiology.kit.db import Transaction
from radiology.patients.actions.register import find_or_register
from radiology.patients.actions.visit import end_visit_in, record_visit
from radiology.patients.model import Demographics, Patient, choose
from radiology.patients.queries import registry
from radiology.patients.record import phone_number
from radiology.patients.visits import Class, Verb, VisitSaid
from radiology.reconciliation.patients.merge import merge_in
from radiology.reconciliation.patients.model import Asked
from radiology.reconciliation.patients.update import Said, update_in
from radiology.standards.hl7v2 import segments
from radiology.standards.hl7v2.errors import Code, HL7Error, Place
from radiology.standards.hl7v2.message import Message, Segment

#: Fields of PID that "" asks to forget.
_FIELDS: Final = {"birth_date": 7, "sex": 8, "address": 11, "phone": 13}


async def register(tx: Transaction, app: App, read: Reading) -> Effects:
    """A01, A04, A05, A28: a patient comes, or is made known. Somebody else under a known number is somebody else."""
    said = person(read, read.message.one("PID"))
    patient = await find_or_register(tx, said.demographics)
    if patient.doubtful:
        read.remarks.append("PID-3: somebody else has this number, so a person has to look who is meant.")
    else:
        await _update(tx, app, read, patient.id, said)
    return Effects([patient.reference, *await _visit(tx, app, read, patient.id, said)])


async def update(tx: Transaction, app: App, read: Reading) -> Effects:
    """A02, A08, A13, A31: what is known of the patient of these numbers is this from now on."""
    said = person(read, read.message.one("PID"))
    patient = await _known(tx, said.demographics)
    if patient is None:
        return await register(tx, app, read)
    await _update(tx, app, read, patient.id, said)
    return Effects([patient.reference, *await _visit(tx, app, read, patient.id, said)])


async def end_visit(tx: Transaction, app: App, read: Reading) -> Effects:
    """A03, A11: the visit has ended, or was none."""
    visit = segments.visit(read.message.one("PV1"), zone=read.zone)
    number = (visit.number.number if visit else "") or read.message.one("PID").text(18)
    if not number:
        place = Place("PV1", field=19)
        raise HL7Error(Code.REQUIRED_FIELD_MISSING, "PV1-19 is empty: the number of the visit is needed.", place)
    verb = Verb.FINISH if read.header.event == "A03" else Verb.CANCEL
    ended = await end_visit_in(
        tx, app, read.sender.actor(read.facility_code), number, verb, facility_code=read.facility_code,
        at=visit.discharged_at if visit and verb == Verb.FINISH else None,
    )  # fmt: skip
    if not ended:
        read.remarks.append("PV1-19: no visit of this number goes on here.")
    return Effects()


async def merge(tx: Transaction, app: App, read: Reading) -> Effects:
    """A40, A47: the patient of each MRG is the one of the PID before it, who survives."""
    effects = Effects()
    for number, pair in enumerate(read.message.groups("PID"), 1):
        effects = effects + await _merge(tx, app, read, pair, number)
    read.message.one("MRG")
    return effects


async def _merge(tx: Transaction, app: App, read: Reading, pair: Message, number: int) -> Effects:
    said, gone = person(read, pair.one("PID")), merged(read, _merge_segment(pair))
    old, survivor = await _known(tx, gone), await _known(tx, said.demographics)
    if survivor is None and old is not None:  # The same patient has another number from now on.
        await _update(tx, app, read, old.id, said, part=f"renumber {number}")
        return Effects([old.reference])
    survivor = survivor or await find_or_register(tx, said.demographics)
    if old is None:
        await registry.add_numbers(tx, survivor.id, gone)
        read.remarks.append("MRG-1: nobody is known by this number; from now on it leads to the patient of PID-3.")
    elif old.id != survivor.id:
        asked = _asked(read, f"merge {number}")
        await merge_in(tx, app, read.sender.actor(read.facility_code), old.id, survivor.id, asked)
    await _update(tx, app, read, survivor.id, said, part=f"update {number}")
    return Effects(list(dict.fromkeys([survivor.reference, *([old.reference] if old else [])])))


def _merge_segment(pair: Message) -> Segment:
    found = pair.find("MRG")
    if found is None:
        raise HL7Error(Code.SEGMENT_SEQUENCE, "A PID has no MRG behind it: it names who is merged.", Place("MRG"))
    return found


async def _known(tx: Transaction, said: Demographics) -> Patient | None:
    """The patient of these numbers, whatever the name is; the survivor of one who was merged. Raises HL7Error."""
    numbers = replace(said, name="", birth_date="", sex="")
    await registry.hold(tx, numbers)
    found = choose(await registry.candidates(tx, numbers), numbers)
    if found is not None and found.doubtful:
        sentence = f"Several patients have the number {said.patient_id}, so a person has to decide who is meant."
        raise HL7Error(Code.UNKNOWN_KEY, sentence, Place("PID", field=3))
    return found


async def _update(
    tx: Transaction, app: App, read: Reading, patient_id: UUID, said: Person, part: str = "update"
) -> None:
    """What the message says of the patient holds; what it does not say stays."""
    for field in sorted(said.deleted):
        read.remarks.append(f'PID-{_FIELDS[field]}: a "" deletes nothing here; what is known stays.')
    phone, details = _phone(read, said), _details(said)
    actor = read.sender.actor(read.facility_code)
    await update_in(tx, app, actor, patient_id, Said(said.demographics, phone, details), _asked(read, part))


def _phone(read: Reading, said: Person) -> str | None:
    try:
        return phone_number(said.phone) if said.phone else None
    except Unprocessable as error:
        read.remarks.append(f"PID-13: {error.sentence}")
        return None


def _details(said: Person) -> dict[str, Any] | None:
    return {"address": {"text": said.address[:500]}} if said.address else None


def _asked(read: Reading, part: str) -> Asked:
    return Asked(f"HL7 {read.header.type} of {read.sender.name}", "HL7", f"{read.key} {part}")


async def _visit(tx: Transaction, app: App, read: Reading, patient_id: UUID, said: Person) -> list[str]:
    """The visit of PV1, where it has a number."""
    segment = read.message.find("PV1")
    visit = segments.visit(segment, zone=read.zone)
    number = (visit.number.number if visit else "") or said.account
    if segment is None or visit is None or not visit.patient_class or not number:
        return []
    told = VisitSaid(
        visit_class=Class(patient_class(read, visit.patient_class, segment.place(2))),
        number=number[:64],
        ward=" ".join(part for part in (visit.location.point_of_care, visit.location.room) if part)[:64],
        bed=visit.location.bed[:64],
        began_at=visit.admitted_at,
    )
    actor = read.sender.actor(read.facility_code)
    visit_id = await record_visit(tx, app, actor, patient_id, told, facility_code=read.facility_code)
    return [f"Encounter/{visit_id}"]


HANDLERS: Final[Mapping[str, Callable[[Transaction, App, Reading], Awaitable[Effects]]]] = {
    **{f"ADT^{event}": register for event in ("A01", "A04", "A05", "A28")},
    **{f"ADT^{event}": update for event in ("A02", "A08", "A13", "A31")},
    **{f"ADT^{event}": end_visit for event in ("A03", "A11")},
    **{f"ADT^{event}": merge for event in ("A40", "A47")},
}
