"""Retention over REST. Rules, switch, removals and recycle bin are for administrators."""

from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, page
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.kit import pages
from radiology.retention import forecast, object_queries, removal, removal_queries, repairing, rule_queries, rules
from radiology.retention.rule_queries import State
from radiology.retention.rules import DueStudy, Sum
from radiology.retention.schemas import (
    DecisionIn,
    ReasonIn,
    RemovalIn,
    RuleIn,
    RulesIn,
    SwitchIn,
    TrialIn,
)

PATH = "/api/radiology/retention"
_KEPT_NOWHERE = {"Cache-Control": "private, no-store"}
_EPOCH = "1970-01-01T00:00:00+00:00"

router = APIRouter(prefix=PATH, tags=["retention"], route_class=StrictJSONRoute)
storage = APIRouter(prefix="/api/radiology/storage", tags=["retention"], route_class=StrictJSONRoute)


@router.get("/rules")
async def get_rules(app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """The rules that hold, and their version: 0 for those that come with the service."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        version, held = await rules.numbered_rules(tx)
    return {"version": version, "rules": [RuleIn.of(rule).model_dump() for rule in held]}


@router.put("/rules")
async def put_rules(body: RulesIn, app: CurrentApp, actor: CurrentActor) -> dict[str, int]:
    """Let other rules hold, all together. The answer is their version."""
    made = [rule.rule() for rule in body.rules]
    return {"version": await rules.make_rules(app, actor, made, based_on=body.basedOn, reason=body.reason)}


@router.get("/rules/versions", response_model=None)
async def get_versions(app: CurrentApp, actor: CurrentActor) -> Response:
    """Every version of the rules, the newest first."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return Response(b'{"results":' + await rule_queries.versions_body(tx) + b"}", media_type=JSON)


@router.post("/rules/dry-run")
async def post_dry_run(body: TrialIn, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """How much may go by the rules that hold, and how much by these, by facility. Nothing is changed."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        held = await rules.rules_now(tx)
    on, facilities = body.on or rules.today(app), removal.facilities_of(actor, None)
    now = await rules.due_sums(app, held, on=on, facilities=facilities)
    then = await rules.due_sums(app, [each.rule() for each in body.rules], on=on, facilities=facilities)
    return {"on": on, "now": _sums(now), "then": _sums(then)}


@router.get("/switch", response_model=None)
async def get_switch(app: CurrentApp, actor: CurrentActor) -> Response:
    """Whether anything is removed here, and who said so."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return Response(await rule_queries.state_body(tx), media_type=JSON)


@router.put("/switch", response_model=None)
async def put_switch(body: SwitchIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Let removals be done, or no more."""
    state = State(body.removes, body.binDays, body.proofDays)
    return Response(await rules.switch(app, actor, state, reason=body.reason), media_type=JSON)


@router.get("/due", response_model=None)
async def get_due(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    on: date | None = None,
    facilityCode: str | None = None,  # noqa: N803 - as in JSON.
    limit: int = Query(default=50, ge=1, le=200),
    cursor: str | None = None,
) -> Response:
    """Studies that may go on a day, today without one, with their sizes and why. Nothing is changed."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        held = await rules.rules_now(tx)
    after = pages.read_cursor(cursor)[1] if cursor else None
    facilities, found = removal.facilities_of(actor, facilityCode), list[str]()
    async for due in rules.due_studies(app, held, on=on or rules.today(app), facilities=facilities, after=after):
        found.append(f'[{orjson.dumps(_due(due)).decode()}, "{_EPOCH}", "{due.study.id}"]')
        if len(found) > limit:
            break
    return page(request, *pages.page(found, limit=limit))


@router.get("/due/sums")
async def get_due_sums(app: CurrentApp, actor: CurrentActor, on: date | None = None) -> dict[str, Any]:
    """How much may go on a day, by facility."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        held = await rules.rules_now(tx)
    day = on or rules.today(app)
    sums = await rules.due_sums(app, held, on=day, facilities=removal.facilities_of(actor, None))
    return {"on": day, "sums": _sums(sums)}


@router.get("/studies/{study}", response_model=None)
async def get_study(study: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Until when a study is kept and why, in English and in Bangla; and when its objects were verified."""
    verdict, verification = await rules.explain(app, actor, study)
    body = {**verdict.as_json(), "verification": verification}
    return Response(orjson.dumps(body), headers=_KEPT_NOWHERE, media_type=JSON)


@router.put("/studies/{study}/mark", status_code=204, response_model=None)
async def put_mark(study: str, body: ReasonIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Have a study kept for ever, whatever the rules say."""
    await rules.mark(app, actor, study, reason=body.reason)
    return Response(status_code=204)


@router.delete("/studies/{study}/mark", status_code=204, response_model=None)
async def delete_mark(study: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Let the rules decide about a study again."""
    await rules.mark(app, actor, study, reason=None)
    return Response(status_code=204)


@router.post("/removals", status_code=201, response_model=None)
async def post_removal(body: RemovalIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Propose that what is over its time is removed. A second person decides."""
    removal_id = await removal.propose(
        app, actor, reason=body.reason, limit=body.limit, facility=body.facilityCode, studies=body.studies
    )
    return Response(orjson.dumps({"id": str(removal_id)}), 201, _KEPT_NOWHERE, JSON)


@router.get("/removals", response_model=None)
async def get_removals(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    limit: int = Query(default=50, ge=1, le=200),
    cursor: str | None = None,
) -> Response:
    """Removals, newest first."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        found = await removal_queries.batches_page(tx, visible_to=actor, limit=limit, cursor=cursor)
    return page(request, *found)


@router.get("/removals/{removal_id}", response_model=None)
async def get_removal(removal_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """One removal with its studies: what was said of each, and how far it is."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        body = await removal_queries.batch_body(tx, removal_id, visible_to=actor)
    return Response(body, headers=_KEPT_NOWHERE, media_type=JSON)


@router.post("/removals/{removal_id}/decision", status_code=202, response_model=None)
async def post_decision(removal_id: UUID, body: DecisionIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Decide as the second person. What is approved is hidden by the worker, and purged after the days of the bin."""
    await removal.decide(app, actor, removal_id, approve=body.approve, last_copies=body.lastCopies, answer=body.answer)
    return Response(status_code=202)


@router.get("/recycle-bin", response_model=None)
async def get_bin(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    limit: int = Query(default=50, ge=1, le=200),
    cursor: str | None = None,
) -> Response:
    """What lies in the recycle bin, and when it is purged."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        found = await removal_queries.bin_page(tx, visible_to=actor, limit=limit, cursor=cursor)
    return page(request, *found)


@router.post("/recycle-bin/{item_id}/restore", status_code=204, response_model=None)
async def post_restore(item_id: UUID, body: ReasonIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Take a study out of the recycle bin: it is seen again at once."""
    await removal.restore(app, actor, item_id, reason=body.reason)
    return Response(status_code=204)


@router.get("/verification", response_model=None)
async def get_verification(app: CurrentApp, actor: CurrentActor) -> Response:
    """The newest passes in which all objects were compared with what was stored."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return Response(b'{"results":' + await object_queries.passes_body(tx) + b"}", media_type=JSON)


@router.get("/damaged", response_model=None)
async def get_damaged(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    limit: int = Query(default=50, ge=1, le=200),
    cursor: str | None = None,
) -> Response:
    """Objects that were found damaged, newest first, and what became of each."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        found = await object_queries.damages_page(tx, visible_to=actor, limit=limit, cursor=cursor)
    return page(request, *found)


@router.post("/damaged/{damage_id}/repair", status_code=202, response_model=None)
async def post_repair(damage_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Have an object tried to be repaired at once."""
    await repairing.ask(app, actor, damage_id)
    return Response(status_code=202)


@router.post("/damaged/{damage_id}/lost", status_code=204, response_model=None)
async def post_lost(damage_id: UUID, body: ReasonIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Say that there is no copy to repair an object from."""
    await repairing.give_up(app, actor, damage_id, reason=body.reason)
    return Response(status_code=204)


@storage.get("/forecast")
async def get_forecast(app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """When the disk is full to its reserve, what fills it, and what compression and retention would free."""
    return await forecast.forecast(app, actor)


def _due(due: DueStudy) -> dict[str, Any]:
    study = due.study
    return {
        **due.verdict.as_json(),
        "facilityCode": study.facility_code,
        "modalities": list(study.modalities),
        "studyDate": study.study_date,
        "instances": study.number_of_instances,
        "sizeBytes": study.size_bytes,
        "lastCopy": due.is_last_copy,
    }


def _sums(sums: dict[str, Sum]) -> dict[str, dict[str, int]]:
    return {facility: asdict(each) for facility, each in sums.items()}
