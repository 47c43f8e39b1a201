"""ADT messages: patients and their visits."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from radiology.app import App
from radiology.hl7.model import Effects
from radiology.hl7.translating import Reading, person
from radiology.kit.db import Transaction
from radiology.patients.actions.register import find_or_register


async def register(tx: Transaction, _app: App, read: Reading) -> Effects:
    """A01, A04, A05, A28: a patient came, or is made known."""
    patient = await find_or_register(tx, person(read, read.message.one("PID")).demographics)
    return Effects([patient.reference])


HANDLERS: Final[Mapping[str, Callable[[Transaction, App, Reading], Awaitable[Effects]]]] = {
    "ADT^A01": register,
    "ADT^A04": register,
    "ADT^A05": register,
    "ADT^A28": register,
}
