"""A charge as another service is told of it. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeItem:
    """One line of the history of a charge: the charge as it is from then on, which replaces what was told before.

    id: of this line, by which a service knows that it was told already. number: counts the lines of a charge from 1.
    state: planned, captured or credited. code, text: what was done; generic of a sensitive examination. Amounts in BDT.
    """

    id: UUID
    charge_id: UUID
    number: int
    state: str
    facility_code: str
    accession_number: str
    patient_reference: str
    code: str
    text: str
    price: Decimal | None
    discount: Decimal
    vat: Decimal
    scheme: str
    scheme_share: Decimal
    patient_share: Decimal
    occurred_at: str

    def told(self) -> dict[str, Any]:
        """As JSON: money as decimal strings."""
        return {
            "id": str(self.id),
            "chargeId": str(self.charge_id),
            "number": self.number,
            "state": self.state,
            "facilityCode": self.facility_code,
            "accessionNumber": self.accession_number,
            "patient": self.patient_reference,
            "item": {"code": self.code, "text": self.text},
            "price": None if self.price is None else str(self.price),
            "discount": str(self.discount),
            "vat": str(self.vat),
            "scheme": self.scheme,
            "schemeShare": str(self.scheme_share),
            "patientShare": str(self.patient_share),
            "currency": "BDT",
            "occurredAt": self.occurred_at,
        }


class BillingService(Protocol):
    """Who is told of charges."""

    async def post(self, item: ChargeItem) -> str:
        """Tell of a charge; returns what the service calls it. Telling the same item again changes nothing.

        Raises Unavailable where it is to be told later, Unprocessable where it is refused for good.
        """
        ...
