"""Bodies of billing over REST. Money is a decimal string, BDT."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from radiology.billing.model import Charge
from radiology.billing.money import CURRENCY, NOTHING, told
from radiology.billing.pricing import RULE_SET_VERSION, Priced, totals

MOST_ITEMS = 20


def _text(value: Any) -> Any:
    """Amounts come as strings: a number of JSON is no exact one for every reader."""
    if not isinstance(value, str):
        raise ValueError('must be a decimal string, as "150.00"')
    return value


Amount = Annotated[Decimal, BeforeValidator(_text), Field(ge=0, max_digits=12, decimal_places=2)]
Percent = Annotated[Decimal, BeforeValidator(_text), Field(ge=0, le=100, max_digits=5, decimal_places=2)]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,63}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")]
OptionalCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,32}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Reason = Annotated[str, StringConstraints(min_length=3, max_length=1000, strip_whitespace=True)]
Facility = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,16}$")]
Method = Literal["cash", "card", "mobile", "bank"]


class Body(BaseModel):
    """A body that has these fields and no other."""

    model_config = ConfigDict(extra="forbid")


class EstimateItem(Body):
    """One procedure: by its key, or by a code and its system."""

    procedure: Key | None = None
    system: Annotated[str, StringConstraints(max_length=200)] = ""
    code: Annotated[str, StringConstraints(max_length=64)] = ""
    text: Annotated[str, StringConstraints(max_length=200)] = ""
    modality: Annotated[str, StringConstraints(max_length=16)] = ""


class EstimateIn(Body):
    """What a patient will pay, before anything is ordered."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"procedures": [{"procedure": "CT_HEAD_WO"}], "concession": "staff"}]},
    )

    procedures: list[EstimateItem] = Field(min_length=1, max_length=MOST_ITEMS)
    facility: Facility | None = Field(default=None, description="Where it is done; that of who asks, if left out.")
    concession: OptionalCode = ""
    scheme: OptionalCode = ""
    on: date | None = Field(default=None, description="The day whose prices hold; today.")


class RuleIn(Body):
    """What a concession, a scheme or a package is from a day on. Fields that are not of the kind are refused."""

    name: Line
    name_bangla: Annotated[str, StringConstraints(max_length=200)] = ""
    percent: Percent | None = Field(default=None, description="Of a concession: so much is taken off.")
    price_list: Literal["", "public"] | None = Field(
        default=None, description="Of a concession: `public`, the government's fee where it is lower."
    )
    procedures: list[Key] | None = Field(default=None, max_length=200, description="Of a package, or of a scheme.")
    modalities: list[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}$")]] | None = Field(
        default=None, max_length=20, description="Of a scheme: what it covers."
    )
    price_bdt: Amount | None = Field(default=None, description="Of a package.")
    facilities: list[Facility] | None = Field(default=None, max_length=1000, description="Of a package; all.")
    discount_percent: Percent | None = Field(default=None, description="Of a scheme.")
    copayment_percent: Percent | None = Field(default=None, description="Of a scheme: what stays with the patient.")
    copayment_bdt: Amount | None = Field(default=None, description="Of a scheme: the same, for each procedure.")
    ceiling_bdt: Amount | None = Field(default=None, description="Of a scheme: the most it pays for one order.")
    active: bool = True
    effective_from: date | None = Field(default=None, description="From this day on; today, if left out.")
    reason: Reason

    def said(self) -> dict[str, Any]:
        """As it is kept: what was said, with amounts as decimal strings."""
        body = self.model_dump(exclude_none=True, exclude={"effective_from", "reason"})
        return {name: str(value) if isinstance(value, Decimal) else value for name, value in body.items()}


class PayerIn(Body):
    """Who pays for an order beside the patient. Empty codes take it back."""

    concession: OptionalCode = ""
    scheme: OptionalCode = ""
    member_number: Annotated[str, StringConstraints(max_length=64)] = Field(default="", alias="memberNumber")
    reason: Reason = Field(description="What was shown, as a card or a letter: a sentence for the record.")
    version: int | None = None


class ReasonIn(Body):
    """Why, for the record."""

    reason: Reason
    version: int | None = None


class PriceIn(Body):
    """What one charge costs, in place of the list."""

    price: Amount
    reason: Reason
    version: int | None = None


class PaymentIn(Body):
    """What was paid, or given back. `total` is what whoever takes the money believes it to be, in whole taka."""

    method: Method = "cash"
    total: Annotated[Decimal, BeforeValidator(_text), Field(max_digits=12, decimal_places=2)] | None = None


class HoldIn(Body):
    """Whether a private facility keeps reports from patients until they have paid."""

    hold: bool
    reason: Reason


def line_told(line: Priced, *, item: str, item_bangla: str, is_known: bool) -> dict[str, Any]:
    """One priced procedure."""
    return {
        "procedure": line.key,
        "item": {"en": item, "bn": item_bangla or item},
        "price": told(line.price) if is_known else None,
        "package": line.package or None,
        "discounts": [{"for": name, "amount": told(amount)} for name, amount in line.discounts.items()],
        "vat": told(line.vat),
        "schemeShare": told(line.scheme_share),
        "patientShare": told(line.patient_share),
    }


def sums_told(lines: list[Priced]) -> dict[str, Any]:
    """The sums of priced procedures."""
    sums = totals(lines)
    return {
        "price": told(sums.price),
        "discount": told(sums.discount),
        "vat": told(sums.vat),
        "schemeShare": told(sums.scheme_share),
        "patientShare": told(sums.patient_share),
        "currency": CURRENCY,
        "ruleSetVersion": RULE_SET_VERSION,
    }


def charge_told(charge: Charge, zone: Any) -> dict[str, Any]:
    """A charge, as who takes the money sees it. Of a sensitive examination nothing says what it was."""
    captured: datetime | None = charge.captured_at
    return {
        "id": str(charge.id),
        "orderId": str(charge.order_id),
        "facilityCode": charge.facility_code,
        "version": charge.version,
        "state": charge.state,
        "item": charge.text.told(),
        "procedure": None if charge.sensitive else charge.procedure_key or None,
        "modality": "XX" if charge.sensitive else charge.modality,
        "pricedOn": charge.priced_on.isoformat(),
        "capturedAt": captured.astimezone(zone).isoformat() if captured else None,
        "listPrice": told(charge.list_price),
        "ownPrice": told(charge.own_price),
        "package": None if charge.sensitive else charge.package or None,
        "discount": told(charge.discount),
        "vat": told(charge.vat),
        "schemeShare": told(charge.scheme_share),
        "patientShare": told(charge.patient_share),
        "waived": charge.waived or None,
        "paid": told(charge.paid),
        "balance": told(charge.balance),
    }


def account_told(charges: list[Charge]) -> dict[str, Any]:
    """The sums of an order."""
    open_ones = [each for each in charges if each.state != "credited"]
    return {
        "patientShare": told(sum((each.owed for each in charges), NOTHING)),
        "schemeShare": told(sum((each.scheme_share for each in open_ones), NOTHING)),
        "paid": told(sum((each.paid for each in charges), NOTHING)),
        "balance": told(sum((each.balance for each in charges), NOTHING)),
        "currency": CURRENCY,
    }
