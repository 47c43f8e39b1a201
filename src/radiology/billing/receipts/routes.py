"""Receipts and days over REST, and on paper."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Response

from radiology.access.model import Permission
from radiology.billing import queries as charges
from radiology.billing.receipts import queries
from radiology.billing.receipts.actions import issue
from radiology.billing.receipts.day import COLUMNS, day_of
from radiology.billing.receipts.model import lines_of, receipt_told, values_of
from radiology.billing.schemas import Facility, PaymentIn
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import CSV, HTML, JSON, of_kind
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.plain_pages import page
from radiology.doors.http.sheets import given
from radiology.facilities.network import network
from radiology.kit.sheets import write
from radiology.standards.dicom.names import readable

PATH = "/api/radiology/billing"

router = APIRouter(prefix=PATH, tags=["billing"], route_class=StrictJSONRoute)


@router.post("/orders/{order}/receipts", status_code=201, response_model=None)
async def post_receipt(
    order: Annotated[UUID, Path(description="Id of the order.")],
    body: PaymentIn,
    app: CurrentApp,
    actor: CurrentActor,
) -> Response:
    """Take what is due for an order, or give it back, in whole taka. Needs `radiology.bill`. 409: nothing is due."""
    receipt = await issue(app, actor, order, method=body.method, total=body.total)
    headers = {"Location": f"{PATH}/receipts/{receipt.id}"}
    return Response(orjson.dumps(receipt_told(receipt, app.settings.zone)), 201, headers, JSON)


@router.get("/receipts/{receipt_id}")
async def get_receipt(receipt_id: UUID, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """A receipt as it was issued. Needs `radiology.bill`."""
    actor.must(Permission.BILL)
    async with app.db.transaction() as tx:
        return receipt_told(await queries.load(tx, receipt_id, visible_to=actor), app.settings.zone)


@router.get("/receipts/{receipt_id}/print", response_model=None, responses=of_kind(HTML))
async def get_printed(
    receipt_id: UUID,
    app: CurrentApp,
    actor: CurrentActor,
    digits: Annotated[str, Query(pattern="^(latin|bangla)$", description="Digits of the amounts.")] = "latin",
) -> Response:
    """A receipt to print, in Bangla and English. Needs `radiology.bill`."""
    actor.must(Permission.BILL)
    facilities = await network(app)
    async with app.db.transaction() as tx:
        receipt = await queries.load(tx, receipt_id, visible_to=actor)
        whom = await charges.whom(tx, receipt.order_id)
    facility = facilities.facility(receipt.facility_code)
    known = {
        "facility": facility.name if facility else receipt.facility_code,
        "facility_bn": (facility.name_bangla or facility.name) if facility else receipt.facility_code,
        "patient": readable(whom.patient_name) if whom else "",
        "patient_number": whom.patient_id if whom else "",
        "accession": whom.accession_number if whom else "",
    }
    bangla = digits == "bangla"
    values = values_of(receipt, known, app.settings.zone, bangla=bangla)
    return page("receipt.html", values, markup=lines_of(receipt, bangla=bangla))


@router.get("/days/{day}")
async def get_day(
    day: date, app: CurrentApp, actor: CurrentActor, facility: Annotated[Facility | None, Query()] = None
) -> dict[str, Any]:
    """Receipts of a day, what came in by which means, and what was captured. Needs `radiology.bill`."""
    return (await day_of(app, actor, day, facility_code=facility)).told()


@router.get("/days/{day}/sheet", response_model=None, responses=of_kind(CSV))
async def get_sheet(
    day: date, app: CurrentApp, actor: CurrentActor, facility: Annotated[Facility | None, Query()] = None
) -> Response:
    """The same as CSV."""
    found = await day_of(app, actor, day, facility_code=facility)
    return given(write("csv", COLUMNS, found.rows()), f"receipts-{day}")
