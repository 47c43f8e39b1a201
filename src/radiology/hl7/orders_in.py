"""Order messages: ORM^O01, OMG^O19, OMI^O23 (HL7 2.5.1 chapter 4; IHE RAD-2, RAD-3).

An order is known by the number of its placer, so what comes twice is done once.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from radiology.app import App
from radiology.hl7.model import Effects
from radiology.hl7.order_translating import all_orders, order_said
from radiology.hl7.translating import Person, Reading, person
from radiology.kit.db import Transaction
from radiology.orders import queries
from radiology.orders.actions.change import change_in
from radiology.orders.actions.place import place_in
from radiology.orders.actions.status import cancel_in, hold_in, reinstate_in, resume_in
from radiology.orders.checking.queries import why_held
from radiology.orders.model import Order, Status
from radiology.standards.hl7v2 import orders
from radiology.standards.hl7v2.errors import Code, HL7Error, Place

Said = orders.Order


async def take(tx: Transaction, app: App, read: Reading) -> Effects:
    """Do what each order of the message asks for; all of them, or none."""
    patient = person(read, read.message.one("PID"))
    effects = Effects()
    for said in all_orders(read):
        verb = _VERBS.get(_control(said))
        if verb is None:
            known = ", ".join(sorted(_VERBS))
            sentence = f"ORC-1 is {said.control!r}; orders are {known}."
            raise HL7Error(Code.TABLE_VALUE_NOT_FOUND, sentence, Place("ORC", field=1))
        effects = effects + await verb(tx, app, read, said, patient)
    return effects


def _control(said: Said) -> str:
    """ORC-1; a placer that tells a status (SC) means what ORC-5 says."""
    return {"CA": "CA", "DC": "DC", "HD": "HD"}.get(said.status, "SC") if said.control == "SC" else said.control


async def _place(tx: Transaction, app: App, read: Reading, said: Said, patient: Person) -> Effects:
    actor = read.sender.actor(read.facility_code)
    order = await place_in(tx, app, actor, order_said(read, said, patient), holds_blocked=True)
    if order.repeated:
        read.remarks.append(f"ORC-2: the order {order.placer_number} was placed before, and says the same.")
    await _tell_held(tx, read, order)
    return _effects(order)


async def _tell_held(tx: Transaction, read: Reading, order: Order) -> None:
    """Who sends a message cannot be asked: what is blocked waits, and the acknowledgement says why."""
    if order.status == Status.ON_HOLD and (why := await why_held(tx, order.id)):
        read.warnings.append(f"Order {order.placer_number} is on hold. {why}")


async def _change(tx: Transaction, app: App, read: Reading, said: Said, patient: Person) -> Effects:
    order, actor = await _known(tx, read, said), read.sender.actor(read.facility_code)
    changed = await change_in(tx, app, actor, order, order_said(read, said, patient), reason=_reason(read, said))
    await _tell_held(tx, read, changed)
    return _effects(changed)


async def _cancel(tx: Transaction, app: App, read: Reading, said: Said, _patient: Person) -> Effects:
    order, actor = await _known(tx, read, said), read.sender.actor(read.facility_code)
    if order.status != Status.REVOKED:
        order = await cancel_in(tx, app, actor, order, reason=_reason(read, said))
    return _effects(order)


async def _hold(tx: Transaction, app: App, read: Reading, said: Said, _patient: Person) -> Effects:
    order, actor = await _known(tx, read, said), read.sender.actor(read.facility_code)
    if order.status != Status.ON_HOLD:
        order = await hold_in(tx, app, actor, order, reason=_reason(read, said))
    return _effects(order)


async def _release(tx: Transaction, app: App, read: Reading, said: Said, _patient: Person) -> Effects:
    order, actor = await _known(tx, read, said), read.sender.actor(read.facility_code)
    if order.status == Status.REVOKED:
        order = await reinstate_in(tx, app, actor, order, reason=_reason(read, said))
    elif order.status != Status.ACTIVE:
        order = await resume_in(tx, app, actor, order, reason=_reason(read, said))
    return _effects(order)


async def _note(tx: Transaction, _app: App, read: Reading, said: Said, _patient: Person) -> Effects:
    """How an order fares is known here by what modalities do; nothing else is to be done."""
    read.remarks.append(f"ORC-5: {said.status or 'nothing'} changes nothing here.")
    return _effects(await _known(tx, read, said))


_VERBS: Final[Mapping[str, Callable[[Transaction, App, Reading, Said, Person], Awaitable[Effects]]]] = {
    "NW": _place,
    "XO": _change,
    "XX": _change,
    "CA": _cancel,
    "DC": _cancel,
    "OC": _cancel,
    "HD": _hold,
    "RL": _release,
    "SC": _note,
}


async def _known(tx: Transaction, read: Reading, said: Said) -> Order:
    """The order of a placer's number, locked. Raises HL7Error where there is none."""
    number = said.placer_number.number
    placer = said.placer_number.authority or read.sender.name
    found = await queries.lock_by_placer(
        tx, facility_code=read.facility_code, placer=placer, placer_number=number
    ) if number else None  # fmt: skip
    if found is None:
        place = Place("ORC", field=2)
        sentence = f"ORC-2: {placer} has placed no order {number or 'without a number'} at {read.facility_code}."
        raise HL7Error(Code.UNKNOWN_KEY, sentence, place)
    return found


def _reason(read: Reading, said: Said) -> str:
    text = said.reason.text or said.reason.code or said.notes
    return text[:400] or f"{read.sender.name} sent {said.control}"


def _effects(order: Order) -> Effects:
    return Effects([order.reference], [each.study_instance_uid for each in order.procedures])
