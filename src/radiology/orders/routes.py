"""Orders over REST."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, created, page, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.searching import Searcher
from radiology.kit.ids import uuid_of
from radiology.kit.pages import read_cursor
from radiology.modality_worklist import queries as worklist
from radiology.modality_worklist.explaining import remarks, station_of
from radiology.modality_worklist.schemas import AETitle, Said
from radiology.orders import queries, reading
from radiology.orders.actions.change import change_order
from radiology.orders.actions.place import place_order
from radiology.orders.actions.status import change_status
from radiology.orders.checking.model import overrides_of
from radiology.orders.choosing import choices_of
from radiology.orders.model import Priority, Status
from radiology.orders.schemas import OrderIn, OrderOut, OrderPage, OrderStatusIn, ProcedureShown
from radiology.orders.shown import why_not
from radiology.studies.moments import read_from, read_until
from radiology.studies.parameters import limit_of, modality_of, openapi_parameters, read_parameters, status_of

PATH = "/api/radiology/orders"

router = APIRouter(prefix=PATH, tags=["orders"], route_class=StrictJSONRoute)

NAMES = {
    "patient": ("patient patient_id patientId subject", "12345 or Patient/12345"),
    "status": ("status", "one or more codes of FHIR request-status with commas between"),
    "priority": ("priority", "routine, urgent, asap, stat, or more with commas between"),
    "modality": ("modality", "CT, or more with commas between; MRI means MR"),
    "accession_number": ("accession accession_number accessionNumber", "of the order"),
    "placer_number": ("placer_number placerNumber", "number of whoever ordered"),
    "study_instance_uid": ("study_instance_uid studyInstanceUID", "of one of its studies"),
    "from": ("from date_from dateFrom", "placed at or after: a date or a moment"),
    "to": ("to date_to dateTo", "placed at or before; a date includes the whole day"),
    "limit": ("limit", "1 to 200, 50 where it is left out"),
    "cursor": ("cursor", "from `next` of the page before"),
}
Reason = Annotated[str | None, Query(max_length=400, description="Why, for the record.")]


@router.post("", status_code=201, response_model=None, responses={201: {"model": OrderOut}, 200: {"model": OrderOut}})
async def post_order(body: OrderIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Place an order: its studies are registered and its items stand in the worklist at once.

    What the rules of appropriateness and safety say of it stands in `check`. What they block is refused with 422 and
    the same `check`, unless `overrides` names the rule and a reason, and the role may.

    The same order under the same placer number is placed once, and answered with 200; another one with 409.
    """
    order = await place_order(app, actor, body)
    async with app.db.transaction() as tx:
        answer = await reading.body(tx, order.id, zone=app.settings.time_zone)
    if order.repeated:
        return tagged(answer, order.version)
    return created(answer, f"{PATH}/{order.id}", order.version)


@router.get(
    "",
    response_model=None,
    responses={200: {"model": OrderPage}},
    openapi_extra={"parameters": openapi_parameters(NAMES)},
)
async def get_orders(request: Request, app: CurrentApp, actor: Searcher) -> Response:
    """Search orders. All criteria that are given must hold; newest first, a page at a time."""
    given, zone = read_parameters(request.query_params, NAMES), app.settings.zone
    before, until = read_until(given["to"], zone, "to") if "to" in given else (None, None)
    criteria = reading.Criteria(
        patient=given.get("patient"),
        status=status_of(given.get("status", ""), set(Status)),
        priority=status_of(given.get("priority", ""), set(Priority)),
        modality=modality_of(given.get("modality", "")),
        accession_number=given.get("accession_number"),
        placer_number=given.get("placer_number"),
        study_instance_uid=given.get("study_instance_uid"),
        from_moment=read_from(given["from"], zone, "from") if "from" in given else None,
        before_moment=before,
        until_moment=until,
        after=read_cursor(given["cursor"]) if "cursor" in given else None,
        limit=limit_of(given.get("limit")),
    )
    async with app.db.transaction() as tx:
        results, cursor = await reading.listed(tx, criteria, zone=zone.key, visible_to=actor)
    return page(request, results, cursor)


@router.get("/{order}", response_model=None, responses={200: {"model": OrderOut}})
async def get_order(order: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """An order with what has become of each of its procedures. Its version is that of what was ordered."""
    async with app.db.transaction() as tx:
        found = await queries.load(tx, uuid_of(order), visible_to=actor)
        return tagged(await reading.body(tx, found.id, zone=app.settings.time_zone), found.version)


@router.put("/{order}", response_model=None, responses={200: {"model": OrderOut}})
async def put_order(
    order: str, body: OrderIn, request: Request, app: CurrentApp, actor: CurrentActor, reason: Reason = None
) -> Response:
    """Change what an order asks for: 409 for what has begun, 412 where somebody else changed it first."""
    version = version_asked(request, body.version)
    changed = await change_order(app, actor, uuid_of(order), body, reason=reason, version=version)
    async with app.db.transaction() as tx:
        return tagged(await reading.body(tx, changed.id, zone=app.settings.time_zone), changed.version)


@router.put("/{order}/status", response_model=None, responses={200: {"model": OrderOut}})
async def put_status(
    order: str, body: OrderStatusIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Activate, hold, resume, cancel, reinstate or withdraw: 409 where the state machine has no such step."""
    version = version_asked(request, body.version)
    moved = await change_status(
        app,
        actor,
        uuid_of(order),
        body.status,
        reason=body.reason,
        version=version,
        overrides=overrides_of(body.overrides),
    )
    async with app.db.transaction() as tx:
        return tagged(await reading.body(tx, moved.id, zone=app.settings.time_zone), moved.version)


@router.get("/{order}/facilities", response_model=None)
async def get_facilities(order: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Where each examination of an order is done best, and why; nothing is booked by it."""
    return Response(orjson.dumps({"results": await choices_of(app, actor, uuid_of(order))}), media_type=JSON)


@router.get("/{order}/history", response_model=None)
async def get_history(order: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """All that happened to an order, oldest first: who, when, why, and what it said from then on."""
    async with app.db.transaction() as tx:
        found = await queries.load(tx, uuid_of(order), visible_to=actor)
        answer = await reading.history(tx, found.id, zone=app.settings.time_zone)
    return Response(b'{"results":' + answer + b"}", media_type=JSON)


@router.get("/{order}/worklist")
async def get_worklist(
    order: str,
    app: CurrentApp,
    actor: CurrentActor,
    ae_title: Annotated[AETitle, Query(alias="aeTitle", description="Who asks for its worklist.")],
) -> dict[str, list[ProcedureShown]]:
    """Whether each procedure of an order is in the answer to a station that asks without date, and if not, why."""
    async with app.db.transaction() as tx:
        found = await queries.load(tx, uuid_of(order), visible_to=actor)
        station = await station_of(tx, app, ae_title)
        items = [
            await worklist.load(tx, each.step_id, visible_to=actor) if each.step_id else None
            for each in found.procedures
        ]
        said = [await remarks(tx, item, station, zone=app.settings.zone) if item else [] for item in items]
    reasons = [why_not(found, item, station, at=app.clock.now(), zone=app.settings.zone) for item in items]
    return {
        "results": [
            ProcedureShown(
                requestedProcedureId=procedure.requested_procedure_id,
                studyInstanceUID=procedure.study_instance_uid,
                worklistItem=str(item.id) if item else None,
                shown=reason is None,
                english=reason and reason.english,
                bangla=reason and reason.bangla,
                remarks=[Said(english=each.english, bangla=each.bangla) for each in sentences],
            )
            for procedure, item, reason, sentences in zip(found.procedures, items, reasons, said, strict=True)
        ]
    }
