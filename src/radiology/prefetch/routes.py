"""Prefetch rules and what they did, over REST."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import page
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.kit.ids import uuid7
from radiology.prefetch import actions, queries
from radiology.prefetch.schemas import PrefetchRuleIn, PrefetchRuleOut, shown
from radiology.studies.queries import read

router = APIRouter(prefix="/api/radiology", tags=["prefetch"], route_class=StrictJSONRoute)


@router.get("/prefetch-rules")
async def get_prefetch_rules(app: CurrentApp, actor: CurrentActor) -> dict[str, list[PrefetchRuleOut]]:
    """All rules."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return {"results": [shown(rule) for rule in await queries.rules(tx)]}


@router.post("/prefetch-rules", status_code=201)
async def post_prefetch_rule(body: PrefetchRuleIn, app: CurrentApp, actor: CurrentActor) -> PrefetchRuleOut:
    """Add a rule. It holds for what arrives or is scheduled from now on."""
    rule = body.rule(uuid7(), app.clock.now())
    await actions.save_rule(app, actor, rule)
    return shown(rule)


@router.get("/prefetch-rules/{rule_id}")
async def get_prefetch_rule(rule_id: UUID, app: CurrentApp, actor: CurrentActor) -> PrefetchRuleOut:
    """One rule."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return shown(await queries.rule(tx, rule_id))


@router.put("/prefetch-rules/{rule_id}")
async def put_prefetch_rule(
    rule_id: UUID, body: PrefetchRuleIn, app: CurrentApp, actor: CurrentActor
) -> PrefetchRuleOut:
    """Change a rule."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        created_at = (await queries.rule(tx, rule_id)).created_at
    rule = body.rule(rule_id, created_at)
    await actions.save_rule(app, actor, rule)
    return shown(rule)


@router.delete("/prefetch-rules/{rule_id}", status_code=204)
async def delete_prefetch_rule(rule_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Forget a rule; what it has begun to fetch still comes."""
    await actions.remove_rule(app, actor, rule_id)
    return Response(status_code=204)


@router.post("/prefetch-rules/{rule_id}/dry-run")
async def post_prefetch_dry_run(
    rule_id: UUID, app: CurrentApp, actor: CurrentActor, study: Annotated[str, Query(description="A study here.")]
) -> dict[str, Any]:
    """Which earlier studies the rule would choose for a study, and why. Nothing is fetched."""
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor.beyond_reading)
    choices, silent = await actions.dry_run(app, actor, rule_id, study_id)
    results = [
        {
            "studyInstanceUID": choice.candidate.study_instance_uid,
            "source": choice.candidate.source,
            "studyDate": choice.candidate.study_date,
            "modalities": choice.candidate.modalities,
            "description": choice.candidate.description,
            "score": choice.score,
            "chosen": choice.is_chosen,
            "reason": choice.reason,
        }
        for choice in choices
    ]
    return {"results": results, "notAsked": silent}


@router.get("/prefetches", response_model=None)
async def get_prefetches(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    study: Annotated[str | None, Query(description="Study Instance UID of the new study.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> Response:
    """What rules found for new studies, newest first: what was chosen and why, and how far it has come."""
    async with app.db.transaction() as tx:
        results, following = await queries.page_of(
            tx, study_instance_uid=study, limit=limit, cursor=cursor, visible_to=actor
        )
    return page(request, results, following)
