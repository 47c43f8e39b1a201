"""Amounts of money: exact, in BDT, as people in Bangladesh read them. Pure.

An amount is a Decimal of two places; in JSON it is a decimal string. Only a receipt is rounded to whole taka.
"""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

from radiology.standards.dicom.bangla import bangla_digits

PAISA: Final = Decimal("0.01")
NOTHING: Final = Decimal("0.00")
CURRENCY: Final = "BDT"
SIGN: Final = "৳"
_HUNDRED: Final = Decimal(100)


def to_paisa(amount: Decimal) -> Decimal:
    """An amount of two places, halves away from zero."""
    return amount.quantize(PAISA, ROUND_HALF_UP)


def part(amount: Decimal, percent: Decimal) -> Decimal:
    """So many per cent of an amount."""
    return to_paisa(amount * percent / _HUNDRED)


def whole_taka(amount: Decimal) -> Decimal:
    """What a receipt says of an exact amount, halves away from zero."""
    return amount.quantize(Decimal(1), ROUND_HALF_UP).quantize(PAISA)


def told(amount: Decimal | None) -> str | None:
    """As JSON holds it."""
    return None if amount is None else str(to_paisa(amount))


def shown(amount: Decimal, *, bangla: bool = False) -> str:
    """For people: `৳1,50,000.00`, grouped by thousand, lakh and crore; in digits of Bangla where they are wished."""
    whole, _, paisa = str(abs(to_paisa(amount))).partition(".")
    head, groups = whole[:-3], [whole[-3:]]
    while head:
        head, last = head[:-2], head[-2:]
        groups.insert(0, last)
    text = f"{'-' if amount < 0 else ''}{SIGN}{','.join(groups)}.{paisa}"
    return bangla_digits(text) if bangla else text


def shares(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split an amount by weights, so that the parts are its sum to the paisa; the largest remainders get the rest."""
    whole = sum(weights, NOTHING)
    if not whole:
        return [total if place == 0 else NOTHING for place, _ in enumerate(weights)]
    exact = [total * weight / whole for weight in weights]
    floors = [each.quantize(PAISA, ROUND_FLOOR) for each in exact]
    missing = int((total - sum(floors, NOTHING)) / PAISA)
    by_remainder = sorted(range(len(exact)), key=lambda place: (floors[place] - exact[place], place))
    return [each + PAISA if place in by_remainder[:missing] else each for place, each in enumerate(floors)]
