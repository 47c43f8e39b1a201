"""What the procedures of one order cost, and who pays how much of it. Pure: the same question has the same answer.

List price; then a package in its place, where all of its procedures are there; then a concession; then the discount of
a scheme; then VAT; then what the scheme pays. Nothing makes anything dearer, and nobody pays less than nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from radiology.billing.model import Waived
from radiology.billing.money import NOTHING, part, shares
from radiology.billing.rules import Concession, Package, Scheme

RULE_SET_VERSION = "billing-1"


@dataclass(frozen=True, slots=True)
class Asked:
    """A procedure that is to be priced: its price where it is done, and at a public facility. BDT, None not known."""

    key: str
    modality: str
    price: Decimal | None
    public_price: Decimal | None = None
    waived: str = Waived.NO


@dataclass(frozen=True, slots=True)
class Reductions:
    """What makes an order cheaper, and the rate of VAT in per cent."""

    concession: Concession | None = None
    scheme: Scheme | None = None
    packages: tuple[Package, ...] = ()
    vat_percent: Decimal = Decimal()


@dataclass(frozen=True, slots=True)
class Priced:
    """What one procedure costs. discounts: by what they are for, in the order in which they were taken off.

    price, less all discounts, is net; with VAT it is gross, and that is what scheme and patient pay together.
    """

    key: str
    price: Decimal
    net: Decimal
    package: str = ""
    discounts: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    vat: Decimal = NOTHING
    scheme_share: Decimal = NOTHING

    @property
    def discount(self) -> Decimal:
        """All that was taken off."""
        return self.price - self.net

    @property
    def gross(self) -> Decimal:
        """With VAT."""
        return self.net + self.vat

    @property
    def patient_share(self) -> Decimal:
        """What is left for the patient."""
        return self.gross - self.scheme_share

    def less(self, name: str, amount: Decimal) -> "Priced":
        """The same with an amount taken off."""
        if not amount:
            return self
        return replace(self, net=self.net - amount, discounts={**self.discounts, name: amount})


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of an order, BDT."""

    price: Decimal
    discount: Decimal
    vat: Decimal
    scheme_share: Decimal
    patient_share: Decimal


def price_of(asked: Sequence[Asked], reductions: Reductions) -> tuple[Priced, ...]:
    """What each procedure of an order costs, in the order in which they were asked. An unknown price counts nothing."""
    lines = [_listed(each) for each in asked]
    lines = _packaged(lines, asked, reductions.packages)
    lines = [_reduced(line, each, reductions) for line, each in zip(lines, asked, strict=True)]
    return tuple(_covered(lines, asked, reductions.scheme))


def totals(lines: Sequence[Priced]) -> Totals:
    """The sums."""
    return Totals(
        sum((each.price for each in lines), NOTHING),
        sum((each.discount for each in lines), NOTHING),
        sum((each.vat for each in lines), NOTHING),
        sum((each.scheme_share for each in lines), NOTHING),
        sum((each.patient_share for each in lines), NOTHING),
    )


def _listed(asked: Asked) -> Priced:
    price = NOTHING if asked.price is None else asked.price
    return Priced(asked.key, price, price)


def _packaged(lines: list[Priced], asked: Sequence[Asked], packages: Sequence[Package]) -> list[Priced]:
    """Packages in the place of their procedures, that which saves most first; each procedure is in one at most."""
    found = list(lines)
    free = {place for place, each in enumerate(asked) if each.price is not None and not each.waived}
    while True:
        offers = [(saving, package, places) for package in packages for saving, places in _offer(package, found, free)]
        if not offers:
            return found
        _, package, places = min(offers, key=lambda offer: (-offer[0], offer[1].code))
        parts = shares(package.price_bdt, [found[place].price for place in places])
        for place, share in zip(places, parts, strict=True):
            line = found[place]
            found[place] = replace(line.less("package", line.price - share), package=package.code)
        free -= set(places)


def _offer(package: Package, lines: Sequence[Priced], free: set[int]) -> list[tuple[Decimal, list[int]]]:
    """What a package saves and for which places, once, where it fits and saves anything."""
    places: list[int] = []
    for key, count in Counter(package.procedures).items():
        fitting = [place for place in sorted(free) if lines[place].key == key][:count]
        if len(fitting) < count:
            return []
        places += fitting
    saving = sum((lines[place].price for place in places), NOTHING) - package.price_bdt
    return [(saving, places)] if saving > 0 else []


def _reduced(line: Priced, asked: Asked, reductions: Reductions) -> Priced:
    if asked.waived:
        return line.less(asked.waived, line.net)
    if reductions.concession is not None:
        line = _conceded(line, asked, reductions.concession)
    scheme = reductions.scheme
    if scheme is not None and scheme.covers(asked.key, asked.modality):
        line = line.less("scheme", part(line.net, scheme.discount_percent))
    return replace(line, vat=part(line.net, reductions.vat_percent))


def _conceded(line: Priced, asked: Asked, concession: Concession) -> Priced:
    if concession.price_list == "public" and asked.public_price is not None:
        line = line.less("price-list", max(NOTHING, line.net - asked.public_price))
    return line.less("concession", part(line.net, concession.percent))


def _covered(lines: Sequence[Priced], asked: Sequence[Asked], scheme: Scheme | None) -> list[Priced]:
    if scheme is None:
        return list(lines)
    left, found = scheme.ceiling_bdt, list[Priced]()
    for line, each in zip(lines, asked, strict=True):
        share = _share(line, each, scheme) if left is None else min(left, _share(line, each, scheme))
        left = None if left is None else left - share
        found.append(replace(line, scheme_share=share))
    return found


def _share(line: Priced, asked: Asked, scheme: Scheme) -> Decimal:
    """What a scheme would pay of one procedure, if it had no ceiling."""
    if not scheme.covers(asked.key, asked.modality):
        return NOTHING
    own = part(line.gross, scheme.copayment_percent) + scheme.copayment_bdt
    return max(NOTHING, line.gross - own)
