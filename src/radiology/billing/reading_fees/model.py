"""Which rate a report earns. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from radiology.billing.money import to_paisa
from radiology.facilities.model import Facility
from radiology.practitioners.readers.model import Contract, Scope

_NARROWEST = (Scope.FACILITY, Scope.DISTRICT, Scope.DIVISION, Scope.NATIONAL)


@dataclass(frozen=True, slots=True)
class Rate:
    """What a final report earns from a day on, BDT, for each RVU where `per_rvu`. Empty columns are for all."""

    id: int
    practitioner: str
    contract: str
    procedure_key: str
    modality: str
    amount_bdt: Decimal
    per_rvu: bool
    effective_from: date

    def fits(self, reading: "Reading") -> bool:
        """Whether it holds for a report."""
        return self.effective_from <= reading.on and all(
            not said or said == is_so
            for said, is_so in (
                (self.practitioner, reading.practitioner),
                (self.contract, reading.contract),
                (self.procedure_key, reading.procedure_key),
                (self.modality, reading.modality),
            )
        )

    def earns(self, rvu: Decimal) -> Decimal:
        """What a report of so many RVU earns, BDT."""
        return to_paisa(self.amount_bdt * rvu if self.per_rvu else self.amount_bdt)


@dataclass(frozen=True, slots=True)
class Reading:
    """A report as far as its fee depends on it. contract: the narrowest one by which its reader reads there."""

    practitioner: str
    contract: str
    procedure_key: str
    modality: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """A line of the ledger. amount_bdt: less than nothing for a counter-entry. account: as `account:<name>`."""

    id: UUID
    report_id: UUID
    study_id: UUID
    corrects: UUID | None
    kind: str
    account: str
    practitioner: str
    facility_code: str
    procedure_key: str
    modality: str
    rvu: Decimal
    rate_id: int | None
    amount_bdt: Decimal


def rate_for(rates: Iterable[Rate], reading: Reading) -> Rate | None:
    """The rate of a report: that which says most of it: reader, procedure, modality, contract; then the newest."""
    return max((each for each in rates if each.fits(reading)), key=_rank, default=None)


def contract_at(contracts: Sequence[Contract], facility: Facility | None, on: date) -> str:
    """The narrowest contract that reaches a facility on a day; empty for none."""
    places = {
        Scope.FACILITY: facility.code if facility else "",
        Scope.DISTRICT: facility.district if facility else "",
        Scope.DIVISION: facility.division if facility else "",
        Scope.NATIONAL: "",
    }
    holding = {each.scope for each in contracts if each.holds(on) and each.place == places[each.scope]}
    return next((scope for scope in _NARROWEST if scope in holding), "")


def _rank(rate: Rate) -> tuple[bool, bool, bool, bool, date, int]:
    return (
        bool(rate.practitioner),
        bool(rate.procedure_key),
        bool(rate.modality),
        bool(rate.contract),
        rate.effective_from,
        rate.id,
    )
