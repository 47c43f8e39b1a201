"""What an order costs: examples by hand, and what holds for any order."""

import random
from decimal import Decimal
from typing import Any

import pytest

from radiology.billing.money import NOTHING, shares, shown, told, whole_taka
from radiology.billing.pricing import Asked, Priced, Reductions, price_of, totals
from radiology.billing.rules import SHIPPED, Concession, Package, Scheme

D = Decimal
STAFF = next(each for each in SHIPPED if each.code == "staff")
GOVERNMENT = next(each for each in SHIPPED if each.code == "government-rate")
HEAD = Asked("CT_HEAD_WO", "CT", D("4000.00"), D("2000.00"))
CHEST = Asked("XR_CHEST_PA", "DX", D("500.00"), D("200.00"))


def one(asked: Asked = HEAD, **reductions: Any) -> Priced:
    return price_of([asked], Reductions(**reductions))[0]


def test_without_anything_the_patient_pays_the_list_price() -> None:
    assert one().patient_share == D("4000.00")


def test_a_concession_takes_its_share_off() -> None:
    line = one(concession=STAFF)
    assert (line.discount, line.patient_share) == (D("2000.00"), D("2000.00"))


def test_the_government_rate_is_asked_only_where_it_is_lower() -> None:
    assert one(concession=GOVERNMENT).patient_share == D("2000.00")
    assert one(Asked("X", "CT", D("1000.00"), D("1500.00")), concession=GOVERNMENT).patient_share == D("1000.00")


def test_a_scheme_pays_what_the_patient_does_not() -> None:
    line = one(scheme=Scheme("s", "S", copayment_percent=D(20), copayment_bdt=D("50.00")))
    assert (line.scheme_share, line.patient_share) == (D("3150.00"), D("850.00"))


def test_a_scheme_pays_up_to_its_ceiling_for_all_of_an_order() -> None:
    lines = price_of([HEAD, CHEST], Reductions(scheme=Scheme("s", "S", ceiling_bdt=D("4200.00"))))
    assert [line.scheme_share for line in lines] == [D("4000.00"), D("200.00")]
    assert totals(lines).patient_share == D("300.00")


def test_a_scheme_pays_for_what_it_covers() -> None:
    scheme = Scheme(
        "s", "S", modalities=frozenset({"DX"}), procedures=frozenset({"US_ABDOMEN"}), discount_percent=D(10)
    )
    lines = price_of([HEAD, CHEST], Reductions(scheme=scheme))
    assert [line.scheme_share for line in lines] == [NOTHING, D("450.00")]
    assert lines[0].discount == NOTHING


def test_a_package_is_shared_among_its_procedures_to_the_paisa() -> None:
    package = Package("head-and-chest", "P", ("CT_HEAD_WO", "XR_CHEST_PA"), D("4000.01"))
    lines = price_of([CHEST, HEAD], Reductions(packages=(package,)))
    assert sum(line.net for line in lines) == D("4000.01")
    assert {line.package for line in lines} == {"head-and-chest"}


def test_a_package_that_is_dearer_or_not_whole_is_none() -> None:
    dear = Package("dear", "P", ("CT_HEAD_WO", "XR_CHEST_PA"), D("5000.00"))
    twice = Package("twice", "P", ("CT_HEAD_WO", "CT_HEAD_WO"), D("10.00"))
    assert totals(price_of([HEAD, CHEST], Reductions(packages=(dear, twice)))).patient_share == D("4500.00")


def test_of_two_packages_that_which_saves_more() -> None:
    small = Package("a", "P", ("CT_HEAD_WO",), D("3900.00"))
    large = Package("b", "P", ("CT_HEAD_WO", "XR_CHEST_PA"), D("3000.00"))
    lines = price_of([HEAD, CHEST], Reductions(packages=(small, large)))
    assert totals(lines).patient_share == D("3000.00")


def test_vat_comes_upon_what_is_left() -> None:
    line = one(concession=STAFF, vat_percent=D("7.5"))
    assert (line.net, line.vat, line.patient_share) == (D("2000.00"), D("150.00"), D("2150.00"))


def test_what_is_waived_costs_nothing_and_says_why() -> None:
    line = one(Asked("CT_HEAD_WO", "CT", D("4000.00"), waived="repeat"), vat_percent=D(15))
    assert (line.patient_share, line.discounts) == (NOTHING, {"repeat": D("4000.00")})


def test_what_has_no_price_is_asked_for_nothing() -> None:
    assert one(Asked("CT_HEAD_WO", "CT", None)).patient_share == NOTHING


def _amount(of: random.Random, most: int = 900_000) -> Decimal:
    return D(of.randint(0, most)) / 100


def _asked(of: random.Random) -> list[Asked]:
    return [
        Asked(
            of.choice("ABCD"), of.choice(("CT", "DX")), of.choice((None, _amount(of))), of.choice((None, _amount(of)))
        )
        for _ in range(of.randint(1, 6))
    ]


def _reductions(of: random.Random) -> Reductions:
    scheme = Scheme(
        "s", "S", modalities=of.choice((frozenset[str](), frozenset({"CT"}))), discount_percent=D(of.randint(0, 100)),
        copayment_percent=D(of.randint(0, 100)), copayment_bdt=_amount(of, 50_000),
        ceiling_bdt=of.choice((None, _amount(of))),
    )  # fmt: skip
    packages = tuple(
        Package(str(number), "P", tuple(of.choices("ABCD", k=of.randint(1, 3))), _amount(of)) for number in range(3)
    )
    return Reductions(None, of.choice((None, scheme)), packages, of.choice((D(0), D("7.5"), D(15))))


@pytest.mark.parametrize("seed", range(300))
def test_for_any_order(seed: int) -> None:
    """Parts are their totals, a concession or a scheme makes nothing dearer, and nobody pays less than nothing."""
    of = random.Random(seed)  # noqa: S311 - examples.
    asked, plain = _asked(of), _reductions(of)
    concession = Concession("c", "C", percent=D(of.randint(0, 100)), price_list=of.choice(("", "public")))
    before = price_of(asked, plain)
    after = price_of(asked, Reductions(concession, plain.scheme, plain.packages, plain.vat_percent))
    unhelped = totals(price_of(asked, Reductions(vat_percent=plain.vat_percent)))
    assert price_of(asked, plain) == before
    for lines in (before, after):
        sums = totals(lines)
        assert sums.price - sums.discount + sums.vat == sums.scheme_share + sums.patient_share
        assert all(line.price - sum(line.discounts.values()) == line.net for line in lines)
        assert all(min(line.net, line.vat, line.scheme_share, line.patient_share) >= 0 for line in lines)
        assert all(amount == amount.quantize(D("0.01")) for line in lines for amount in (line.net, line.vat))
        # VAT is rounded procedure by procedure, so that a package may differ by half a paisa for each of them.
        assert sums.patient_share <= unhelped.patient_share + D("0.005") * len(lines)
    assert totals(after).patient_share <= totals(before).patient_share


@pytest.mark.parametrize("seed", range(50))
def test_shares_are_their_sum(seed: int) -> None:
    of = random.Random(seed)  # noqa: S311 - examples.
    weights = [_amount(of) for _ in range(of.randint(1, 7))]
    total = _amount(of, int(sum(weights) * 100))
    parts = shares(total, weights)
    assert sum(parts) == total
    assert all(NOTHING <= each <= weight for each, weight in zip(parts, weights, strict=True))


@pytest.mark.parametrize(
    ("amount", "english", "bangla"),
    [
        ("0", "৳0.00", "৳০.০০"),
        ("150", "৳150.00", "৳১৫০.০০"),
        ("1500", "৳1,500.00", "৳১,৫০০.০০"),
        ("150000", "৳1,50,000.00", "৳১,৫০,০০০.০০"),
        ("-123456789.5", "-৳12,34,56,789.50", "-৳১২,৩৪,৫৬,৭৮৯.৫০"),
    ],
)
def test_money_is_grouped_by_lakh_and_crore(amount: str, english: str, bangla: str) -> None:
    assert (shown(D(amount)), shown(D(amount), bangla=True)) == (english, bangla)


def test_only_a_receipt_is_rounded() -> None:
    assert [whole_taka(D(text)) for text in ("0.49", "0.50", "-0.50", "150.01")] == [D(0), D(1), D(-1), D(150)]
    assert told(D("150")) == "150.00"
