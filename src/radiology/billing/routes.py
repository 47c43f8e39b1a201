"""Billing over REST: estimates, rules, charges and holds. Money is a decimal string, BDT.

Who takes money need not read studies: of a sensitive examination he or she sees that there is one, and what it costs.
"""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from radiology.access.model import Permission
from radiology.billing import actions, queries
from radiology.billing.estimating import estimate
from radiology.billing.receipts import queries as receipts
from radiology.billing.receipts.model import receipt_told
from radiology.billing.rules import SHIPPED, Kind
from radiology.billing.schemas import (
    Code,
    EstimateIn,
    Facility,
    HoldIn,
    PayerIn,
    PriceIn,
    ReasonIn,
    RuleIn,
    account_told,
    charge_told,
)
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.standards.dicom.names import readable

PATH = "/api/radiology/billing"

router = APIRouter(prefix=PATH, tags=["billing"], route_class=StrictJSONRoute)

OrderId = Annotated[UUID, Path(description="Id of the order.")]
ChargeId = Annotated[UUID, Path()]


@router.post("/estimate")
async def post_estimate(body: EstimateIn, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """What procedures would cost, and who would pay how much, before anything is ordered. Nothing is kept of it."""
    return await estimate(app, body, facility_code=actor.facility_code or app.settings.facility_code)


@router.get("/rules")
async def get_rules(app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:  # noqa: ARG001 - whoever has signed in.
    """Every version of concessions, schemes and packages; `shipped` are those that hold where nothing else is said."""
    async with app.db.reading() as tx:
        said = await queries.rules_said(tx)
    return {
        "results": [
            {
                "kind": each.kind,
                "code": each.code,
                "version": each.version,
                "effective_from": each.effective_from.isoformat(),
                **each.body,
            }
            for each in said
        ],
        "shipped": [
            {
                "kind": Kind.CONCESSION,
                "code": each.code,
                "name": each.name,
                "name_bangla": each.name_bangla,
                "percent": str(each.percent),
                "price_list": each.price_list,
            }
            for each in SHIPPED
        ],
    }


@router.put("/rules/{kind}/{code}", response_model=None)
async def put_rule(
    kind: Kind, code: Code, body: RuleIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Say what a concession, a scheme or a package is from a day on. Needs `radiology.administer`. 412 if changed."""
    said = await actions.save_rule(
        app,
        actor,
        kind,
        code,
        body.said(),
        effective_from=body.effective_from,
        reason=body.reason,
        version=version_asked(request),
    )
    told = {"kind": kind, "code": code, "version": said.version, "effective_from": said.effective_from.isoformat()}
    return tagged(orjson.dumps({**told, **said.body}), said.version)


@router.get("/charges", response_model=None)
async def get_charges(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    state: Annotated[str | None, Query(pattern="^(planned|captured|credited)$")] = None,
    facility: Annotated[Facility | None, Query()] = None,
    open_only: Annotated[bool, Query(alias="open", description="Something is to be paid or given back.")] = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: UUID | None = None,
) -> Response:
    """Charges, the newest first. Needs `radiology.bill`."""
    actor.must(Permission.BILL)
    async with app.db.transaction() as tx:
        found = await queries.listed(
            tx, state=state, facility_code=facility, open_only=open_only, behind=cursor, limit=limit, visible_to=actor
        )
    shown = found[:limit]
    following = str(shown[-1].id) if len(found) > limit else None
    return page(request, orjson.dumps([charge_told(each, app.settings.zone) for each in shown]), following)


@router.get("/charges/{charge_id}/history", response_model=None)
async def get_history(charge_id: ChargeId, app: CurrentApp, actor: CurrentActor) -> Response:
    """Every change of a charge, by whom and why, and what the billing service said to it. Needs `radiology.bill`."""
    actor.must(Permission.BILL)
    async with app.db.transaction() as tx:
        await queries.order_of_charge(tx, charge_id, visible_to=actor)
        found = await queries.history(tx, charge_id)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.put("/charges/{charge_id}/exemption", response_model=None)
async def put_exemption(
    charge_id: ChargeId, body: ReasonIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Ask nothing for a charge: a person decides, with a reason for the record. Needs `radiology.bill`."""
    version = version_asked(request, body.version)
    charge = await actions.exempt(app, actor, charge_id, exempted=True, reason=body.reason, version=version)
    return tagged(orjson.dumps(charge_told(charge, app.settings.zone)), charge.version)


@router.post("/charges/{charge_id}/exemption/end", response_model=None)
async def post_end_of_exemption(
    charge_id: ChargeId, body: ReasonIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Ask for a charge after all. Needs `radiology.bill`."""
    version = version_asked(request, body.version)
    charge = await actions.exempt(app, actor, charge_id, exempted=False, reason=body.reason, version=version)
    return tagged(orjson.dumps(charge_told(charge, app.settings.zone)), charge.version)


@router.put("/charges/{charge_id}/price", response_model=None)
async def put_price(
    charge_id: ChargeId, body: PriceIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Say what one charge costs, in place of the list, as where the list has no price. Needs `radiology.bill`."""
    version = version_asked(request, body.version)
    charge = await actions.say_price(app, actor, charge_id, body.price, reason=body.reason, version=version)
    return tagged(orjson.dumps(charge_told(charge, app.settings.zone)), charge.version)


@router.get("/orders/{order}", response_model=None)
async def get_account(order: OrderId, app: CurrentApp, actor: CurrentActor) -> Response:
    """What is charged for an order, who pays, what was paid, and whether the report waits for it."""
    actor.must(Permission.BILL)
    return await _account(app, actor, order)


@router.put("/orders/{order}/payer", response_model=None)
async def put_payer(order: OrderId, body: PayerIn, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Say who pays for an order beside the patient: a concession, a scheme, or nobody. Needs `radiology.bill`."""
    asked = body.model_copy(update={"version": version_asked(request, body.version)})
    await actions.name_payer(app, actor, order, asked)
    return await _account(app, actor, order)


@router.put("/facilities/{code}/hold")
async def put_hold(
    code: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,16}$")], body: HoldIn, app: CurrentApp, actor: CurrentActor
) -> dict[str, Any]:
    """Keep reports of a private facility from patients until they have paid; never STAT, critical or of inpatients.

    Who treats the patient reads the report at once, whatever was paid. Needs `radiology.administer`.
    """
    await actions.hold_release(app, actor, code, hold=body.hold, reason=body.reason)
    return {"facilityCode": code, "hold": body.hold}


async def _account(app: CurrentApp, actor: CurrentActor, order_id: UUID) -> Response:
    zone = app.settings.zone
    async with app.db.transaction() as tx:
        await queries.must_have_charges(tx, order_id, visible_to=actor)
        charges, row = await queries.charges_of(tx, order_id), await queries.payer_of(tx, order_id)
        whom, issued = await queries.whom(tx, order_id), await receipts.of_order(tx, order_id)
        held = [each.study_id for each in charges if each.study_id and await queries.is_held(tx, each.study_id)]
    body = {
        "orderId": str(order_id),
        "patient": whom and {"id": whom.patient_id, "name": readable(whom.patient_name)},
        "accessionNumber": whom and whom.accession_number,
        "payer": row
        and {"concession": row.concession, "scheme": row.scheme, "memberNumber": row.member_number,
             "rulesOn": row.rules_on.isoformat(), "version": row.version},
        "charges": [{**charge_told(each, zone), "reportHeld": each.study_id in held} for each in charges],
        "receipts": [receipt_told(each, zone) for each in issued],
        **account_told(charges),
    }  # fmt: skip
    return tagged(orjson.dumps(body), row.version if row else 0)
