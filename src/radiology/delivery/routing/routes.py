"""Routing rules and what waits for destinations, over REST; for administrators."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from radiology.access.model import Permission
from radiology.delivery.routing import actions, delivery_queries, queries
from radiology.delivery.routing.schemas import RoutingRuleIn, RoutingRuleOut, shown
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.kit.ids import uuid7

router = APIRouter(prefix="/api/radiology", tags=["routing"], route_class=StrictJSONRoute)


@router.get("/routing-rules")
async def get_routing_rules(app: CurrentApp, actor: CurrentActor) -> dict[str, list[RoutingRuleOut]]:
    """The rules in the order in which they are asked."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return {"results": [shown(rule) for rule in await queries.rules(tx)]}


@router.post("/routing-rules", status_code=201)
async def post_routing_rule(body: RoutingRuleIn, app: CurrentApp, actor: CurrentActor) -> RoutingRuleOut:
    """Add a rule. It sends what is stored from now on."""
    rule = body.rule(uuid7(), app.clock.now())
    await actions.save_rule(app, actor, rule)
    return shown(rule)


@router.post("/routing-rules/dry-run")
async def post_dry_run(
    app: CurrentApp, actor: CurrentActor, day: Annotated[date, Query(description="Study date.")]
) -> dict[str, list[dict[str, Any]]]:
    """Which rule would send what of a day where, and why not. Nothing is sent."""
    return {"results": [asdict(verdict) for verdict in await actions.dry_run(app, actor, day)]}


@router.get("/routing-rules/{rule_id}")
async def get_routing_rule(rule_id: UUID, app: CurrentApp, actor: CurrentActor) -> RoutingRuleOut:
    """One rule."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return shown(await queries.rule(tx, rule_id))


@router.put("/routing-rules/{rule_id}")
async def put_routing_rule(rule_id: UUID, body: RoutingRuleIn, app: CurrentApp, actor: CurrentActor) -> RoutingRuleOut:
    """Change a rule; what it has listed already is sent as it says now."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        created_at = (await queries.rule(tx, rule_id)).created_at
    rule = body.rule(rule_id, created_at)
    await actions.save_rule(app, actor, rule)
    return shown(rule)


@router.delete("/routing-rules/{rule_id}", status_code=204)
async def delete_routing_rule(rule_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Forget a rule; what waits by it is still sent."""
    await actions.remove_rule(app, actor, rule_id)
    return Response(status_code=204)


@router.get("/deliveries", response_model=None)
async def get_deliveries(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    destination: str | None = None,
    state: Literal["waiting", "sending", "sent", "failed", "cancelled"] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> Response:
    """What is sent where by which rule, newest first: how far it is, why it waits, and when it is tried again.

    `commitment` says whether the destination keeps it, where it offers storage commitment.
    """
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        results, following = await delivery_queries.page_of(
            tx, ae_title=destination, state=state, limit=limit, cursor=cursor, visible_to=actor
        )
    return page(request, results, following)


@router.get("/deliveries/counts", response_model=None)
async def get_delivery_counts(app: CurrentApp, actor: CurrentActor) -> Response:
    """How many deliveries of each destination are in which state."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return Response(b'{"results":' + await delivery_queries.counts(tx) + b"}", media_type=JSON)


@router.post("/deliveries/{delivery_id}/retry", status_code=204)
async def post_retry(delivery_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Try now, also what was refused, cancelled or is not kept after all; the window of the rule still holds."""
    await actions.retry(app, actor, delivery_id)
    return Response(status_code=204)


@router.post("/deliveries/{delivery_id}/cancel", status_code=204)
async def post_cancel(delivery_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Send nothing more of it. An instance that is on its way has a few seconds to arrive."""
    await actions.cancel(app, actor, delivery_id)
    return Response(status_code=204)
