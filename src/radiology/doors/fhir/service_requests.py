"""ServiceRequest over FHIR R4: create, read, update, search."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Body, Request, Response
from pydantic import ValidationError

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.doors.fhir.outcomes import BASE, FHIRRoute, answer, of_validation, searchset
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import version_asked
from radiology.doors.http.searching import Searcher
from radiology.errors import Invalid, Unprocessable
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid_of
from radiology.kit.pages import read_cursor
from radiology.orders import queries, reading
from radiology.orders.actions.change import change_in
from radiology.orders.actions.place import place_in
from radiology.orders.actions.status import move_in
from radiology.orders.fhir.mapping import said, says_the_same, service_request
from radiology.orders.fhir.resource import PLACER_SYSTEM, ServiceRequestIn
from radiology.orders.model import INITIAL, Order, Priority, Status, verb_towards
from radiology.orders.reading import Criteria
from radiology.orders.schemas import OrderIn
from radiology.procedures.catalogue import catalogue
from radiology.procedures.coding import as_others_may_read, impossible_codes, with_right_codes
from radiology.studies.moments import read_from, read_until
from radiology.studies.parameters import limit_of, openapi_parameters, read_parameters, status_of

TYPE: Final = "ServiceRequest"
WHY: Final = "Changed by an update over FHIR."
NAMES = {
    "_id": ("_id", "id of the order"),
    "patient": ("patient subject", "Patient/<id>"),
    "status": ("status", "codes of request-status with commas between"),
    "priority": ("priority", "codes of request-priority with commas between"),
    "identifier": ("identifier", "placer or accession number, as <system>|<value> or <value>"),
    "from": ("authored", "placed in this time: ge2026-01-21, le2026-01-31, or a day"),
    "limit": ("_count", "1 to 200, 50 where it is left out"),
    "cursor": ("_cursor", "from the link `next` of the page before"),
}

router = APIRouter(prefix=f"{BASE}/{TYPE}", tags=["FHIR"], route_class=FHIRRoute)
_OF_FHIR: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/fhir+json": {"schema": {"type": "object"}}}},
}
Resource = Annotated[dict[str, Any], Body(description="ServiceRequest (FHIR R4).", media_type="application/fhir+json")]


@router.post("", status_code=201, response_model=None, responses=_OF_FHIR | {201: _OF_FHIR[200]})
async def create_service_request(resource: Resource, app: CurrentApp, actor: CurrentActor) -> Response:
    """Place an order. The same under the same placer number is placed once, and answered with 200.

    What a rule of safety blocks is placed on hold, with why as its request-statusReason.
    """
    given = _read(await _coded(app, resource))
    if given.status not in INITIAL:
        raise Unprocessable("ServiceRequest.status: an order begins as draft or active.")
    async with app.db.transaction() as tx:
        wanted = _order({**said(given), "status": given.status})
        order = await place_in(tx, app, actor, wanted, holds_blocked=True)
        found = await _resource(tx, app, order)
    return answer(found, status=200 if order.repeated else 201)


@router.get("/{order}", response_model=None, responses=_OF_FHIR)
async def read_service_request(order: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """An order."""
    async with app.db.transaction() as tx:
        found = await queries.load(tx, uuid_of(order), visible_to=actor)
        return answer(await _resource(tx, app, found))


@router.put("/{order}", response_model=None, responses=_OF_FHIR)
async def update_service_request(
    order: str, resource: Resource, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Change an order, its status with it: 409 for what is not possible from here, 412 for a version that is old.

    What R4 has no element for stays as it is.
    """
    resource, version = await _coded(app, resource), version_asked(request)
    given = _read(resource)
    if given.id != order:
        raise Invalid("ServiceRequest.id must be that of the address.")
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        found = await queries.lock(tx, uuid_of(order), visible_to=actor)
        found.must_have_version(version)
        changed = await _updated(tx, app, actor, found, given, resource)
        return answer(await _resource(tx, app, changed))


@router.get("", response_model=None, responses=_OF_FHIR, openapi_extra={"parameters": openapi_parameters(NAMES)})
async def search_service_requests(request: Request, app: CurrentApp, actor: Searcher) -> Response:
    """Search orders, newest first. All criteria that are given must hold."""
    given = read_parameters(request.query_params, NAMES)
    async with app.db.transaction() as tx:
        results, cursor = await reading.listed(tx, _criteria(given, app), zone=app.settings.time_zone, visible_to=actor)
    return searchset(request, [as_others_may_read(service_request(each)) for each in orjson.loads(results)], cursor)


async def _updated(
    tx: Transaction, app: App, actor: Actor, order: Order, given: ServiceRequestIn, resource: dict[str, Any]
) -> Order:
    """The content first, then the status: an order at its end is changed no more, but may be reinstated."""
    changed = order
    if not says_the_same(as_others_may_read(resource), await _resource(tx, app, order)):
        present = await queries.what_is_said(tx, order.id) | {"procedures": [each.said for each in order.procedures]}
        wanted = _order(said(given, present))
        changed = await change_in(tx, app, actor, order, wanted, reason=given.reason)
    if given.status == changed.status:
        return changed
    verb = verb_towards(Status(changed.status), given.status)
    return await move_in(tx, app, actor, changed, verb, reason=given.reason or WHY)


async def _resource(tx: Transaction, app: App, order: Order) -> dict[str, Any]:
    found = orjson.loads(await reading.body(tx, order.id, zone=app.settings.time_zone))
    return as_others_may_read(service_request(found))


async def _coded(app: App, resource: dict[str, Any]) -> dict[str, Any]:
    """A resource with the right codes beside wrong ones of the specification. Raises Unprocessable for all others."""
    known = await catalogue(app)
    if wrong := impossible_codes(known, resource, TYPE):
        raise Unprocessable(" ".join(f"{each.field} {each.message}." for each in wrong), fields=wrong)
    return with_right_codes(known, resource)


def _read(resource: dict[str, Any]) -> ServiceRequestIn:
    try:
        return ServiceRequestIn.model_validate(resource)
    except ValidationError as error:
        raise of_validation(error, TYPE) from error


def _order(content: dict[str, Any]) -> OrderIn:
    try:
        return OrderIn.model_validate(content)
    except ValidationError as error:
        raise of_validation(error, TYPE) from error


def _criteria(given: dict[str, str], app: App) -> Criteria:
    zone = app.settings.zone
    from_moment = before = until = None
    if "from" in given:
        prefix, moment = given["from"][:2], given["from"][2:]
        if prefix not in ("ge", "le"):
            prefix, moment = "eq", given["from"].removeprefix("eq")
        if prefix != "le":
            from_moment = read_from(moment, zone, "authored")
        if prefix != "ge":
            before, until = read_until(moment, zone, "authored")
    system, _, value = given.get("identifier", "").rpartition("|")
    is_placer = system.startswith(PLACER_SYSTEM)
    return Criteria(
        order_id=given.get("_id"),
        patient=given.get("patient"),
        status=status_of(given.get("status", ""), set(Status)),
        priority=status_of(given.get("priority", ""), set(Priority)),
        placer_number=value if is_placer else None,
        number=value if value and not is_placer else None,
        from_moment=from_moment,
        before_moment=before,
        until_moment=until,
        after=read_cursor(given["cursor"]) if "cursor" in given else None,
        limit=limit_of(given.get("limit")),
    )
