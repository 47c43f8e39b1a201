"""SIU messages: appointments that another system makes for orders that are known here (HL7 2.5.1 chapter 10).

Where the device is one of our rooms, the appointment is a booking there; else the item of the worklist gets its time.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from radiology.app import App
from radiology.hl7 import mappings
from radiology.hl7.model import Effects
from radiology.hl7.translating import Reading
from radiology.kit.db import Transaction
from radiology.modality_worklist.model import OPEN, ScheduledProcedureStep
from radiology.modality_worklist.queries import lock_open_of_study
from radiology.orders import queries as orders
from radiology.orders.model import Order
from radiology.scheduling.actions.book import Visit, book_in
from radiology.scheduling.actions.change import Change, cancel_in, reschedule_in
from radiology.scheduling.actions.item import set_time
from radiology.scheduling.actions.put import Wanted
from radiology.scheduling.model import GRID
from radiology.scheduling.queries import bookings
from radiology.scheduling.queries.bookings import Booking
from radiology.scheduling.rooms import queries as rooms
from radiology.standards.hl7v2.errors import Code, HL7Error, Place
from radiology.standards.hl7v2.orders import Appointment, appointment


async def book(tx: Transaction, app: App, read: Reading) -> Effects:
    """S12, S13, S14: the appointment is for this time, and perhaps this device, from now on."""
    said = appointment(read.message, zone=read.zone)
    if said.start_at is None:
        place = Place("SCH", field=11, component=4)
        raise HL7Error(Code.REQUIRED_FIELD_MISSING, "SCH-11 is empty: the appointment has no start.", place)
    actor, external_id = read.sender.actor(read.facility_code), _external_id(read, said)
    order = await _order(tx, read, said)
    booked = await _booking(tx, read, external_id)
    for item in await _items(tx, order):
        station = await _device(tx, app, read, said, item)
        if booked is not None and booked.step_id == item.id and station:
            change = Change(station, said.start_at, reason=said.reason or None, checked=False)
            await reschedule_in(tx, app, actor, booked, change)
        elif booked is None and station and await bookings.of_step(tx, item.id) is None:
            wanted = Wanted(item.id, station, said.start_at)
            await book_in(tx, app, actor, Visit([wanted], external_id=external_id or None, checked=False))
            booked = await _booking(tx, read, external_id)
        else:
            stations = _stations(read, said) or item.station_ae_titles
            await set_time(tx, app, actor, item, start=said.start_at, stations=stations, location=said.room or None)
    return Effects([order.reference], [each.study_instance_uid for each in order.procedures])


async def cancel(tx: Transaction, app: App, read: Reading) -> Effects:
    """S15, S17: there is no appointment any more. The order stays as it is, and its item in the worklist."""
    said = appointment(read.message, zone=read.zone)
    booked = await _booking(tx, read, _external_id(read, said))
    if booked is None:
        read.remarks.append("SCH-1: no booking is known under this number, so nothing was cancelled.")
        return Effects()
    await cancel_in(tx, app, read.sender.actor(read.facility_code), booked, reason=said.reason or None)
    return Effects([f"Appointment/{booked.id}"])


async def _order(tx: Transaction, read: Reading, said: Appointment) -> Order:
    own = mappings.at(read.message, read.mappings.appointmentOrder)
    numbers = [(own, read.sender.name)] if own else [
        (each.number, each.authority or read.sender.name) for each in said.order_numbers
    ]  # fmt: skip
    for number, placer in numbers:
        found = await orders.lock_by_placer(
            tx, facility_code=read.facility_code, placer=placer, placer_number=number
        )  # fmt: skip
        if found is not None:
            return found
    sentence = (
        "The appointment names no order that is known here. Send the placer's order number in SCH-26, or say where it "
        f"is in appointmentOrder of {read.sender.name}."
    )
    raise HL7Error(Code.UNKNOWN_KEY, sentence, Place("SCH", field=26))


async def _items(tx: Transaction, order: Order) -> list[ScheduledProcedureStep]:
    found = [
        item
        for procedure in order.procedures
        for item in await lock_open_of_study(tx, procedure.study_instance_uid)
        if item.status in OPEN
    ]
    if not found:
        sentence = f"Nothing of the order {order.placer_number} is left to be done, so there is nothing to book."
        raise HL7Error(Code.UNKNOWN_KEY, sentence, Place("SCH", field=26))
    return found


def _external_id(read: Reading, said: Appointment) -> str:
    number = said.placer_id.number or said.filler_id.number
    return f"{read.sender.name}:{number}" if number else ""


async def _booking(tx: Transaction, read: Reading, external_id: str) -> Booking | None:
    if not external_id:
        return None
    return await bookings.of_external(tx, external_id, facility_code=read.facility_code)


async def _device(tx: Transaction, app: App, read: Reading, said: Appointment, item: ScheduledProcedureStep) -> str:
    """The AE title of the device in one of our rooms that the appointment is for; empty where there is none."""
    wanted = _stations(read, said)
    if not wanted or said.start_at is None or said.start_at.timestamp() % GRID.total_seconds():
        return ""
    found = await rooms.devices(tx, item.facility_code, modalities=[item.modality], numbers=[], now=app.clock.now())
    known = {each.ae_title for each in found}
    return next((title for title in wanted if title in known), "")


def _stations(read: Reading, said: Appointment) -> list[str]:
    known = read.mappings.stations
    codes = [*said.stations, said.room]
    return list(dict.fromkeys(known.get(code, code) for code in codes if code in known or code in said.stations))


HANDLERS: Final[Mapping[str, Callable[[Transaction, App, Reading], Awaitable[Effects]]]] = {
    **{f"SIU^{event}": book for event in ("S12", "S13", "S14")},
    **{f"SIU^{event}": cancel for event in ("S15", "S17")},
}
