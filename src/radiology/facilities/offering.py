"""What a facility offers of the whole catalogue, and which condition fails for what it does not. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from radiology.facilities.capability import SENTENCES, Filter, why_not_offered, why_not_on
from radiology.facilities.model import Device, Operator
from radiology.procedures.model import Procedure


@dataclass(frozen=True, slots=True)
class Offered:
    """A procedure at a facility: the devices that can do it, and why it is not offered, None where it is."""

    procedure: Procedure
    devices: tuple[Device, ...]
    why_not: Filter | None

    def told(self) -> dict[str, Any]:
        """As an answer holds it."""
        why = None if self.why_not is None else {"code": self.why_not, **SENTENCES[self.why_not].told()}
        return {
            "key": self.procedure.key,
            "display": self.procedure.display,
            "displayBangla": self.procedure.display_bangla,
            "modality": self.procedure.modality,
            "offered": self.why_not is None,
            "devices": [{"number": each.number, "name": each.name} for each in self.devices],
            "why": why,
        }


def offering(
    procedures: Iterable[Procedure], devices: Sequence[Device], operators: Sequence[Operator], on: date
) -> list[Offered]:
    """Every procedure, in its order, with what a facility with these devices and operators makes of it on a day."""
    return [
        Offered(
            procedure,
            tuple(device for device in devices if why_not_on(device, procedure, on) is None),
            why_not_offered(procedure, devices, operators, on),
        )
        for procedure in procedures
    ]
