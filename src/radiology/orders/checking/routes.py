"""The check of orders over REST, and its rules."""

import orjson
from fastapi import APIRouter, Request, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import NotFound
from radiology.kit.ids import uuid_of
from radiology.orders import queries as orders
from radiology.orders import reading
from radiology.orders.checking import facts, publishing, queries, rules
from radiology.orders.checking.before import check_before
from radiology.orders.checking.schemas import CheckOut, Checks, RulesIn, RulesOut, Tried, TryIn
from radiology.orders.safety import Safety
from radiology.orders.schemas import OrderIn, OrderOut
from radiology.procedures.appropriateness.ruleset import shipped

PATH = "/api/radiology/orders"

router = APIRouter(prefix=PATH, tags=["check of orders"], route_class=StrictJSONRoute)


@router.post("/check", response_model=None, responses={200: {"model": CheckOut}})
async def post_check(body: OrderIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """What the rules of appropriateness and safety say of an order, before it is placed. Nothing is kept."""
    checked = await check_before(app, actor, body)
    return Response(orjson.dumps(checked.told()), media_type=JSON)


@router.get("/check/rules", response_model=None, responses={200: {"model": list[RulesOut]}})
async def get_rules(app: CurrentApp, actor: CurrentActor) -> Response:  # noqa: ARG001 - any who is signed in.
    """The sets of rules that were published, the newest first, then those that come with the product."""
    today = app.clock.now().astimezone(app.settings.zone).date()
    async with app.db.transaction() as tx:
        held = await rules.effective(tx, today)
        found = orjson.loads(await rules.published(tx, zone=app.settings.time_zone))
    written = shipped().written
    found.append(
        {"version": written.version, "effectiveFrom": written.effective_from.isoformat(), "reason": written.remark}
    )
    return Response(
        orjson.dumps({"results": [each | {"holds": each["version"] == held.version} for each in found]}),
        media_type=JSON,
    )


@router.post("/check/rules", status_code=201, response_model=None, responses={201: {"model": RulesOut}})
async def post_rules(body: RulesIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Publish a set of rules. 409 where the version is taken, 422 where a golden case is answered otherwise."""
    made = await publishing.publish(app, actor, body)
    told = {"version": made.version, "effectiveFrom": made.written.effective_from.isoformat()}
    return Response(orjson.dumps(told), 201, {"Location": f"{PATH}/check/rules/{made.version}"}, media_type=JSON)


@router.post("/check/rules/dry-run", response_model=None, responses={200: {"model": Tried}})
async def post_dry_run(body: TryIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Try a set of rules on the golden cases and on the last orders: what would have been answered."""
    return Response(orjson.dumps(await publishing.try_out(app, actor, body)), media_type=JSON)


@router.get("/check/rules/{version}", response_model=None)
async def get_rule_set(version: str, app: CurrentApp, actor: CurrentActor) -> Response:  # noqa: ARG001
    """A set of rules as it was written: terms, groups, thresholds, texts and sources."""
    async with app.db.transaction() as tx:
        found = await rules.by_version(tx, version)
    if found is None:
        raise NotFound("There are no rules of this version.")
    return Response(found.written.model_dump_json(), media_type=JSON)


@router.delete("/check/rules/{version}", status_code=204)
async def delete_rules(version: str, app: CurrentApp, actor: CurrentActor) -> None:
    """Withdraw a set of rules: the one before it holds again. It stays in the list, with who withdrew it."""
    await publishing.withdraw(app, actor, version)


@router.get("/{order}/check", response_model=None, responses={200: {"model": Checks}})
async def get_checks(order: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """All that the rules said of an order, the newest first, and what was overridden by whom."""
    async with app.db.transaction() as tx:
        found = await orders.load(tx, uuid_of(order), visible_to=actor)
        answer = await queries.history(tx, found.id, zone=app.settings.time_zone)
    return Response(b'{"results":' + answer + b"}", media_type=JSON)


@router.put("/{order}/facts", response_model=None, responses={200: {"model": OrderOut}})
async def put_facts(order: str, body: Safety, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Record facts: pregnancy, kidneys, implants, the clearance for MR. The rules are asked again.

    An order that waited because of them goes on, one that they speak against waits.
    """
    changed = await facts.record(app, actor, uuid_of(order), body, version=version_asked(request))
    async with app.db.transaction() as tx:
        return tagged(await reading.body(tx, changed.id, zone=app.settings.time_zone), changed.version)
