"""A receipt: what is due for an order, in whole taka, and how it is printed. Pure."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from radiology.billing.model import Charge, State
from radiology.billing.money import NOTHING, shown, told, whole_taka
from radiology.errors import Conflict, FieldProblem, Unprocessable
from radiology.kit.bilingual import Sentence
from radiology.standards.dicom.bangla import bangla_digits

METHODS: Final[Mapping[str, Sentence]] = {
    "cash": Sentence("Cash", "নগদ"),
    "card": Sentence("Card", "কার্ড"),
    "mobile": Sentence("Mobile banking", "মোবাইল ব্যাংকিং"),
    "bank": Sentence("Bank", "ব্যাংক"),
}
_REDUCED: Final = Sentence("Discount", "ছাড়")
_SCHEME: Final = Sentence("Paid by the scheme", "স্কিম দেবে")
_VAT: Final = Sentence("VAT", "ভ্যাট")
_BEFORE: Final = Sentence("Paid before", "আগে পরিশোধিত")
_BACK: Final = Sentence("Cancelled", "বাতিল")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it was issued. exact: BDT to the paisa; total: what changed hands, in whole taka."""

    id: UUID
    number: str
    order_id: UUID
    facility_code: str
    method: str
    exact: Decimal
    total: Decimal
    body: dict[str, Any]
    issued_by: str
    issued_at: datetime

    @property
    def rounding(self) -> Decimal:
        """What rounding to whole taka added, or took away."""
        return self.total - self.exact


def due(charges: Sequence[Charge]) -> list[Charge]:
    """Charges of an order of which something is to be paid or given back. Raises Conflict where there is none."""
    found = [each for each in charges if each.balance]
    unknown = [each.text.english for each in charges if _has_no_price(each)]
    if unknown:
        raise Conflict(f"Nobody has said what {unknown[0]} costs. Say its price first, or exempt it.")
    if not found:
        raise Conflict("Nothing is to be paid for this order.")
    return found


def _has_no_price(charge: Charge) -> bool:
    known = charge.list_price is not None or charge.own_price is not None
    return charge.state != State.CREDITED and not known and not charge.waived


def total_of(charges: Sequence[Charge], believed: Decimal | None) -> tuple[Decimal, Decimal]:
    """What is due exactly, and in whole taka. Raises Unprocessable where whoever takes the money believes otherwise."""
    exact = sum((each.balance for each in charges), NOTHING)
    total = whole_taka(exact)
    if believed is not None and believed != total:
        sentence = f"must be {told(total)}, or be left out"
        raise Unprocessable(f"total {sentence}.", fields=[FieldProblem("total", sentence)])
    return exact, total


def body_of(charges: Sequence[Charge]) -> dict[str, Any]:
    """What is printed of each charge, kept as it was: what a list or a catalogue says later changes no receipt."""
    return {"items": [_item(each) for each in charges]}


def _item(charge: Charge) -> dict[str, Any]:
    is_open = charge.state != State.CREDITED
    price = charge.own_price if charge.own_price is not None else charge.list_price
    return {
        "chargeId": str(charge.id),
        "item": charge.text.told(),
        "state": charge.state,
        "price": told((price or NOTHING) if is_open else NOTHING),
        "discount": told(charge.discount if is_open else NOTHING),
        "vat": told(charge.vat if is_open else NOTHING),
        "schemeShare": told(charge.scheme_share if is_open else NOTHING),
        "paidBefore": told(charge.paid),
        "amount": told(charge.balance),
    }


def receipt_told(receipt: Receipt, zone: Any) -> dict[str, Any]:
    """As JSON."""
    return {
        "id": str(receipt.id),
        "number": receipt.number,
        "orderId": str(receipt.order_id),
        "facilityCode": receipt.facility_code,
        "kind": "refund" if receipt.exact < 0 else "payment",
        "method": receipt.method,
        **receipt.body,
        "exact": told(receipt.exact),
        "rounding": told(receipt.rounding),
        "total": told(receipt.total),
        "currency": "BDT",
        "issuedBy": receipt.issued_by,
        "issuedAt": receipt.issued_at.astimezone(zone).isoformat(),
    }


# --- On paper ---


def lines_of(receipt: Receipt, *, bangla: bool) -> str:
    """The items as rows of a table, in both languages; amounts in digits of Bangla where they are wished."""
    return "".join(_rows(item, bangla) for item in receipt.body["items"]) + _row(
        Sentence("Rounding", "পূর্ণ টাকায়"), receipt.rounding, bangla, kind="small"
    )


def _rows(item: Mapping[str, Any], bangla: bool) -> str:
    called = Sentence(item["item"]["en"], item["item"]["bn"])
    rows = [_row(_BACK if item["state"] == State.CREDITED else None, Decimal(item["price"]), bangla, of=called)]
    for name, sentence, sign in (
        ("discount", _REDUCED, -1), ("vat", _VAT, 1), ("schemeShare", _SCHEME, -1), ("paidBefore", _BEFORE, -1),
    ):  # fmt: skip
        rows.append(_row(sentence, sign * Decimal(item[name]), bangla, kind="small"))
    return rows[0] + "".join(rows[1:])


def _row(
    sentence: Sentence | None, amount: Decimal, bangla: bool, *, of: Sentence | None = None, kind: str = ""
) -> str:
    """A row; none for a reduction of nothing."""
    if of is None and not amount:
        return ""
    parts = [each for each in (of, sentence) if each is not None]
    english, in_bangla = (" – ".join(texts) for texts in zip(*((p.english, p.bangla) for p in parts), strict=True))
    text = f'{html.escape(in_bangla)} <span lang="en">· {html.escape(english)}</span>'
    money = html.escape(shown(amount, bangla=bangla))
    return f'<tr class="{kind}"><td lang="bn">{text}</td><td class="money">{money}</td></tr>'


def values_of(receipt: Receipt, whom: Mapping[str, str], zone: Any, *, bangla: bool) -> dict[str, str]:
    """The values of the page."""
    is_refund = receipt.exact < 0
    heading = Sentence("Refund", "ফেরত") if is_refund else Sentence("Receipt", "রসিদ")
    method = METHODS[receipt.method]
    issued = receipt.issued_at.astimezone(zone).strftime("%d/%m/%Y %H:%M")

    def digits(text: str) -> str:
        return bangla_digits(text) if bangla else text

    return {
        **whom,
        "heading": heading.english,
        "heading_bn": heading.bangla,
        "number": receipt.number,
        "issued": digits(issued),
        "method": method.english,
        "method_bn": method.bangla,
        "total": shown(receipt.total, bangla=bangla),
        "by": receipt.issued_by.removeprefix("account:"),
    }
