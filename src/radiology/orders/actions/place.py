"""Place an order: its patient, its numbers, and for each procedure a study and an item in the worklist."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, OrderBlocked, Unavailable, Unprocessable
from radiology.events import OrderPlaced, emit
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.modality_worklist.actions.place import person_name
from radiology.modality_worklist.schemas import WorklistPatient
from radiology.orders import accession, queries
from radiology.orders.actions.fulfilment import begin
from radiology.orders.actions.status import hold_blocked
from radiology.orders.checking.actions import PLACE, check, keep, must_clear, note_refused
from radiology.orders.checking.model import overrides_of
from radiology.orders.coding import coded
from radiology.orders.model import Order, RequestedProcedure, Status
from radiology.orders.schemas import OrderIn, OrderPatient, ProcedureIn
from radiology.patients.actions.register import find_or_register
from radiology.patients.identifiers import Kind, identifier
from radiology.patients.model import Demographics, Patient
from radiology.standards.dicom.uids import new_uid
from radiology.studies.moments import read_moment

MOST_TRIES: Final = 100
"""Numbers that are stepped over, because somebody brought the same, before the format is said to be used up."""


async def place_in(tx: Transaction, app: App, actor: Actor, said: OrderIn, *, holds_blocked: bool = False) -> Order:
    """Place an order; the same order under the same placer number is placed once, and returned as `repeated`.

    holds_blocked: what rules block is put on hold, since who sends it cannot be asked. Raises OrderBlocked otherwise,
    Conflict where the placer number is one of another order, or the accession number or the Study Instance UID
    belongs to somebody else, and Unprocessable where the patient or a value cannot be used.
    """
    actor.must(Permission.WRITE)
    facility = actor.facility_code or app.settings.facility_code
    known = await _placed_before(tx, facility, said)
    if known is not None:
        return known
    patient = await find_or_register(tx, demographics(said.patient, facility))
    _must_be_presentable(patient)
    order = await _new(tx, app, facility, patient, said)
    must_clear(actor, None, order.content.get("safety", {}).get("mrClearance"))
    checked = await check(tx, app, actor, order, patient, overrides_of(said.overrides), is_new=True)
    is_held = bool(checked.blocking) and order.status == Status.ACTIVE
    if is_held and not holds_blocked:
        raise checked.refusal()
    await queries.insert(tx, order)
    await queries.insert_procedures(tx, order.id, order.procedures)
    await queries.record(tx, order, "place", actor=actor.id, from_status=None, content=all_of(said))
    await audit.record(tx, actor, "order.place", str(order.id))
    if order.status == Status.ACTIVE:
        await begin(tx, app, actor, order, order.procedures, patient)
    await keep(tx, app, actor, order, checked, trigger=PLACE, held=is_held)
    await emit(tx, OrderPlaced(**order.told, priority=order.priority))
    return await hold_blocked(tx, app, actor, order, checked) if is_held else order


async def _new(tx: Transaction, app: App, facility: str, patient: Patient, said: OrderIn) -> Order:
    """An order with its numbers, not written yet."""
    right, warnings = await coded(app, said)
    number = await queries.next_number(tx)
    order = Order(
        id=uuid7(),
        facility_code=facility,
        placer=_placer(said, facility),
        placer_number=said.placerNumber,
        accession_number=await _accession_number(tx, app, facility, patient, number, said.accessionNumber),
        status=said.status,
        intent=said.intent,
        priority=said.priority,
        version=1,
        patient_id=patient.id,
        patient_reference=patient.reference,
        occurrence=moment(app, said.occurrence, "occurrence"),
        authored_on=moment(app, said.authoredOn, "authoredOn") or app.clock.now(),
        content=right.content() | warnings,
    )
    start = order.occurrence or app.clock.now()
    procedures = numbered(right.procedures, number, start=start if order.status == Status.ACTIVE else None)
    return replace(order, procedures=procedures)


def numbered(
    said: Sequence[ProcedureIn], number: int, *, after: int = 0, start: datetime | None = None
) -> tuple[RequestedProcedure, ...]:
    """Procedures with numbers of their own: position, Requested Procedure ID, Study Instance UID."""
    return tuple(
        RequestedProcedure(
            id=uuid7(),
            position=position,
            requested_procedure_id=each.requestedProcedureId or f"R{number}.{position}",
            study_instance_uid=each.studyInstanceUID or new_uid(),
            modality=each.modality,
            content=procedure_content(each),
            asked_start=start,
        )
        for position, each in enumerate(said, after + 1)
    )


def procedure_content(said: ProcedureIn) -> dict[str, Any]:
    """What was said of a procedure, without the numbers that have columns."""
    own = {"modality", "requestedProcedureId", "studyInstanceUID"}
    return said.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude=own)


def all_of(said: OrderIn) -> dict[str, Any]:
    """All that was ordered, as the history keeps it and as a repeated order is recognised."""
    return said.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude={"version", "overrides"})


async def _placed_before(tx: Transaction, facility: str, said: OrderIn) -> Order | None:
    if said.placerNumber is None:
        return None
    placer = _placer(said, facility)
    await queries.hold(tx, f"{facility} {placer} {said.placerNumber}")
    known = await queries.find_by_placer(tx, facility_code=facility, placer=placer, placer_number=said.placerNumber)
    if known is not None and not await queries.was_said(tx, known.id, all_of(said)):
        raise Conflict(
            f"{placer} has placed another order under number {said.placerNumber}: change that one, or use another "
            "number."
        )
    return None if known is None else replace(known, repeated=True)


def _placer(said: OrderIn, facility: str) -> str:
    return said.placer or facility


async def _accession_number(
    tx: Transaction, app: App, facility: str, patient: Patient, number: int, given: str | None
) -> str:
    """The accession number of a new order: the one it brings, where that is free, or one made of its own number."""
    if given is not None:
        await queries.hold(tx, f"accession {facility} {given}")
        await _must_be_free(tx, facility, patient, given)
        return given
    on = app.clock.now().astimezone(app.settings.zone).date()
    for _ in range(MOST_TRIES):
        made = accession.number(app.settings.accession_number_format, facility, on, number)
        await queries.hold(tx, f"accession {facility} {made}")
        if not await queries.has_accession_number(tx, made, facility_code=facility):
            return made
        number = await queries.next_number(tx)
    raise Unavailable(
        f"The accession numbers of facility {facility} are used up: give it a format with more digits by the setting "
        "accession_number_format."
    )


async def _must_be_free(tx: Transaction, facility: str, patient: Patient, number: str) -> None:
    holder = await queries.who_has_accession_number(tx, number, facility_code=facility, patient=patient)
    if holder == "order":
        raise Conflict(f"Another order of this patient has the accession number {number}: change that one.")
    if holder == "patient":
        raise Conflict(
            f"The accession number {number} belongs to another patient at facility {facility}. Leave it out, and the "
            "service gives the order a new one."
        )


def demographics(said: OrderPatient, facility: str) -> Demographics:
    name = ""
    if said.name or said.nameBangla:
        named = WorklistPatient(id="-", name=said.name or said.nameBangla or "", nameBangla=said.nameBangla)
        name = person_name(named).encode()
    return Demographics(
        patient_id=identifier(Kind.HOSPITAL, said.id, field="patient.id").value if said.id else "",
        issuer=(said.issuer or facility) if said.id else "",
        reference=said.reference or "",
        name=name,
        birth_date=f"{said.birthDate:%Y%m%d}" if said.birthDate else "",
        sex=said.sex or "",
        birth_date_estimated=said.birthDateEstimated,
        identifiers=tuple(
            identifier(
                each.type,
                each.value,
                issuer=(each.issuer or facility) if each.type == Kind.HOSPITAL else "",
                field="patient.identifiers",
            )
            for each in said.identifiers
        ),
        facility_code=facility,
    )


def _must_be_presentable(patient: Patient) -> None:
    """A modality cannot show a patient without a number and a name (PS3.4 K.6.1.2.2: type 1)."""
    if not patient.patient_id or not patient.patient_name.strip("^= "):
        raise Unprocessable(
            f"Of {patient.reference} no hospital number or no name is known here: send patient.id and patient.name "
            "with the order, or register the patient first."
        )


def moment(app: App, text: str | None, field: str) -> datetime | None:
    return None if text is None else read_moment(text, app.settings.zone, field)[0]


async def place_order(app: App, actor: Actor, said: OrderIn) -> Order:
    """The same in a transaction of its own. Raises OrderBlocked where a rule blocks it, which is counted."""
    try:
        async with app.db.transaction() as tx:
            return await place_in(tx, app, actor, said)
    except OrderBlocked as refused:
        facility = actor.facility_code or app.settings.facility_code
        await note_refused(app, actor, refused.answer, facility_code=facility, priority=said.priority)
        raise
