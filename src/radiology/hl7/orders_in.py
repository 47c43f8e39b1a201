"""Order messages: ORM^O01, OMG^O19, OMI^O23.

An order is known by the number of its placer, so nothing is done twice.
"""

from radiology.app import App
from radiology.hl7.model import Effects
from radiology.hl7.order_translating import all_orders, order_said
from radiology.hl7.translating import Person, Reading, person
from radiology.kit.db import Transaction
from radiology.orders.actions.place import place_in
from radiology.standards.hl7v2.errors import Code, HL7Error, Place
from radiology.standards.hl7v2.orders import Order


async def take(tx: Transaction, app: App, read: Reading) -> Effects:
    """Do what each order of the message asks for; all of them, or none."""
    patient = person(read, read.message.one("PID"))
    effects = Effects()
    for order in all_orders(read):
        effects = effects + await _take(tx, app, read, order, patient)
    return effects


async def _take(tx: Transaction, app: App, read: Reading, order: Order, patient: Person) -> Effects:
    if order.control == "NW":
        placed = await place_in(tx, app, read.sender.actor(read.facility_code), order_said(read, order, patient))
        return Effects([placed.reference], [each.study_instance_uid for each in placed.procedures])
    sentence = f"ORC-1 is {order.control!r}, which is not used here."
    raise HL7Error(Code.TABLE_VALUE_NOT_FOUND, sentence, Place("ORC", field=1))
