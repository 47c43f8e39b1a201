"""Concessions, schemes and packages, each from a day on. Pure.

What a hospital says by the API is kept beside what comes with the service, and holds in its place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Literal

from radiology.errors import Unprocessable

PriceList = Literal["", "public"]


class Kind(StrEnum):
    """What a rule is."""

    CONCESSION = "concession"
    SCHEME = "scheme"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True)
class Concession:
    """Who pays less. percent: so much is taken off. price_list: `public`, where the government's fee is asked."""

    code: str
    name: str
    name_bangla: str = ""
    percent: Decimal = Decimal()
    price_list: PriceList = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Scheme:
    """An insurance, or an employer who pays.

    procedures, modalities: what it covers, by keys of the catalogue or by modality; nothing said is everything.
    discount_percent: agreed with the facility. copayment_percent, copayment_bdt: what stays with the patient of each
    procedure. ceiling_bdt: the most that it pays for one order, None for no limit.
    """

    code: str
    name: str
    name_bangla: str = ""
    procedures: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()
    discount_percent: Decimal = Decimal()
    copayment_percent: Decimal = Decimal()
    copayment_bdt: Decimal = Decimal()
    ceiling_bdt: Decimal | None = None
    active: bool = True

    def covers(self, key: str, modality: str) -> bool:
        """Whether it pays for a procedure."""
        if not self.procedures and not self.modalities:
            return True
        return key in self.procedures or modality in self.modalities


@dataclass(frozen=True, slots=True)
class Package:
    """Procedures that cost less together, where one order has them all. facilities: nothing said is everywhere."""

    code: str
    name: str
    procedures: tuple[str, ...]
    price_bdt: Decimal
    name_bangla: str = ""
    facilities: frozenset[str] = frozenset()
    active: bool = True


Rule = Concession | Scheme | Package

SHIPPED: Final[tuple[Concession, ...]] = (
    Concession("poor-fund", "Poor fund", "দরিদ্র তহবিল", Decimal(100)),
    Concession("freedom-fighter", "Freedom fighter", "বীর মুক্তিযোদ্ধা", Decimal(100)),
    Concession("staff", "Staff", "কর্মচারী", Decimal(50)),
    Concession("government-rate", "Government rate", "সরকারি হার", price_list="public"),
)
"""What holds until a hospital says something else."""


@dataclass(frozen=True, slots=True)
class Said:
    """One version of a rule. `body` is as it was said, with amounts as decimal strings."""

    kind: str
    code: str
    version: int
    effective_from: date
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one day."""

    concessions: Mapping[str, Concession] = field(default_factory=dict[str, Concession])
    schemes: Mapping[str, Scheme] = field(default_factory=dict[str, Scheme])
    packages: tuple[Package, ...] = ()

    def concession(self, code: str) -> Concession | None:
        """The concession of a code, None for the empty one. Raises Unprocessable."""
        return _known(self.concessions, code, "concession")

    def scheme(self, code: str) -> Scheme | None:
        """The scheme of a code, None for the empty one. Raises Unprocessable."""
        return _known(self.schemes, code, "scheme")

    def packages_at(self, facility_code: str) -> tuple[Package, ...]:
        """The packages of a facility, in the order of their codes."""
        return tuple(each for each in self.packages if not each.facilities or facility_code in each.facilities)


def rules_of(said: Iterable[Said], on: date) -> Rules:
    """What holds on a day: of each rule the newest version that has begun, where it is active."""
    latest: dict[tuple[str, str], Said] = {}
    for each in said:
        key = each.kind, each.code
        if each.effective_from <= on and (key not in latest or _rank(each) > _rank(latest[key])):
            latest[key] = each
    known: dict[tuple[str, str], Rule] = {(Kind.CONCESSION, each.code): each for each in SHIPPED}
    known |= {key: rule_of(each) for key, each in latest.items()}
    active = [each for _, each in sorted(known.items()) if each.active]
    return Rules(
        {each.code: each for each in active if isinstance(each, Concession)},
        {each.code: each for each in active if isinstance(each, Scheme)},
        tuple(each for each in active if isinstance(each, Package)),
    )


def rule_of(said: Said) -> Rule:
    """The value of what was said."""
    body = dict(said.body)
    name, bangla, active = body["name"], body.get("name_bangla", ""), body.get("active", True)
    if said.kind == Kind.CONCESSION:
        percent, listed = Decimal(body.get("percent", "0")), body.get("price_list", "")
        return Concession(said.code, name, bangla, percent, listed, active)
    if said.kind == Kind.PACKAGE:
        price, facilities = Decimal(body["price_bdt"]), frozenset(body.get("facilities", ()))
        return Package(said.code, name, tuple(body["procedures"]), price, bangla, facilities, active)
    ceiling = body.get("ceiling_bdt")
    return Scheme(
        said.code,
        name,
        bangla,
        frozenset(body.get("procedures", ())),
        frozenset(body.get("modalities", ())),
        Decimal(body.get("discount_percent", "0")),
        Decimal(body.get("copayment_percent", "0")),
        Decimal(body.get("copayment_bdt", "0")),
        None if ceiling is None else Decimal(ceiling),
        active,
    )


def _rank(said: Said) -> tuple[date, int]:
    return said.effective_from, said.version


def _known(rules: Mapping[str, Any], code: str, noun: str) -> Any:
    if not code:
        return None
    if code not in rules:
        raise Unprocessable(f"There is no {noun} {code} on that day. There are {', '.join(sorted(rules)) or 'none'}.")
    return rules[code]
