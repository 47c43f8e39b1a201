"""The ledger of reading fees over REST, and its statement of a month."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from radiology.access.model import Permission
from radiology.billing.money import told
from radiology.billing.reading_fees import queries
from radiology.billing.reading_fees.actions import Month, correct, month_of, say_rate
from radiology.billing.reading_fees.model import Rate
from radiology.billing.reading_fees.queries import Line
from radiology.billing.schemas import Amount, Body, Reason
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import CSV, of_kind
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.sheets import given
from radiology.kit.sheets import Cell, write

PATH = "/api/radiology/billing/reading-fees"

router = APIRouter(prefix=PATH, tags=["billing"], route_class=StrictJSONRoute)

COLUMNS: Final = (
    "booked_on", "kind", "report", "reader", "practitioner", "facility", "procedure", "modality", "rvu", "amount_bdt",
    "reason",
)  # fmt: skip
MonthAsked = Annotated[str, Query(pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$", description="As 2026-01.")]
Reader = Annotated[str | None, Query(max_length=100, description="The account, as account:name; all, if left out.")]


class RateIn(Body):
    """What a final report earns from a day on. What is left empty holds for all."""

    practitioner: Annotated[str, StringConstraints(pattern=r"^(Practitioner/[A-Za-z0-9.-]{1,64})?$")] = ""
    contract: Literal["", "facility", "district", "division", "national"] = ""
    procedure: Annotated[str, StringConstraints(pattern=r"^([A-Z][A-Z0-9_]{1,63})?$")] = ""
    modality: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2,4})?$")] = ""
    amount_bdt: Amount
    per_rvu: bool = Field(default=False, description="The amount is for each RVU.")
    effective_from: date
    reason: Reason


class CorrectionIn(Body):
    """What a fee should have been."""

    amount_bdt: Amount
    reason: Reason


@router.get("")
async def get_fees(month: MonthAsked, app: CurrentApp, actor: CurrentActor, reader: Reader = None) -> dict[str, Any]:
    """What was booked in a month. Needs `radiology.bill`; every reader may ask for his or her own."""
    found = await month_of(app, actor, _day(month), account=reader)
    results = [line_told(each, app.settings.zone) for each in found.lines]
    return {"month": month, "results": results, "total": told(found.total), "currency": "BDT"}


@router.get("/statement", response_model=None, responses=of_kind(CSV))
async def get_statement(month: MonthAsked, app: CurrentApp, actor: CurrentActor, reader: Reader = None) -> Response:
    """The same as CSV, with its sum in the last row."""
    found = await month_of(app, actor, _day(month), account=reader)
    return given(write("csv", COLUMNS, _rows(found, app.settings.zone)), f"reading-fees-{month}")


@router.get("/rates")
async def get_rates(app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Every rate that was ever said. Needs `radiology.bill`."""
    actor.must(Permission.BILL)
    async with app.db.reading() as tx:
        found = await queries.rates(tx)
    return {"results": [rate_told(each) for each in found]}


@router.post("/rates", status_code=201)
async def post_rate(body: RateIn, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Say a rate from a day on. Needs `radiology.administer`."""
    rate = Rate(
        0, body.practitioner, body.contract, body.procedure, body.modality, body.amount_bdt, body.per_rvu,
        body.effective_from,
    )  # fmt: skip
    number = await say_rate(app, actor, rate, reason=body.reason)
    return {**rate_told(rate), "id": number}


@router.post("/{fee_id}/correction", status_code=201)
async def post_correction(fee_id: UUID, body: CorrectionIn, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Correct a fee: a counter-entry takes it back, and another stands in its place. Needs `radiology.bill`."""
    lines = await correct(app, actor, fee_id, body.amount_bdt, reason=body.reason)
    return {"results": [line_told(each, app.settings.zone) for each in lines]}


def rate_told(rate: Rate) -> dict[str, Any]:
    """As JSON."""
    return {
        "id": rate.id,
        "practitioner": rate.practitioner,
        "contract": rate.contract,
        "procedure": rate.procedure_key,
        "modality": rate.modality,
        "amount_bdt": told(rate.amount_bdt),
        "per_rvu": rate.per_rvu,
        "effective_from": rate.effective_from.isoformat(),
    }


def line_told(line: Line, zone: Any) -> dict[str, Any]:
    """As JSON."""
    return {
        "id": str(line.id),
        "kind": line.kind,
        "corrects": str(line.corrects) if line.corrects else None,
        "report": line.report,
        "reader": line.account,
        "practitioner": line.practitioner,
        "facilityCode": line.facility_code,
        "procedure": None if line.sensitive else line.procedure_key or None,
        "rvu": str(line.rvu),
        "rate": line.rate_id,
        "amount": told(line.amount_bdt),
        "earnedAt": line.earned_at.astimezone(zone).isoformat(),
        "bookedAt": line.booked_at.astimezone(zone).isoformat(),
        "reason": line.reason or None,
    }


def _rows(month: Month, zone: Any) -> Iterator[Sequence[Cell]]:
    for each in month.lines:
        booked = each.booked_at.astimezone(zone).date()
        what = ("", "XX") if each.sensitive else (each.procedure_key, each.modality)
        yield (
            booked, each.kind, each.report, each.account, each.practitioner, each.facility_code, *what, each.rvu,
            each.amount_bdt, each.reason,
        )  # fmt: skip
    yield None, "total", "", "", "", "", "", "", None, month.total, ""


def _day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")
