"""Rules of sensitive studies over REST, for privacy officers."""

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.kit.ids import uuid7
from radiology.sensitivity import actions, labelling, queries, relabelling_queries
from radiology.sensitivity.model import Kind, Policy, Rule, SensitiveClass

router = APIRouter(prefix="/api/radiology/sensitivity", tags=["sensitivity"], route_class=StrictJSONRoute)

Value = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]


class RuleIn(BaseModel):
    """One reason to take a study for sensitive. A * behind `value` stands for any continuation."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"sensitive_class": "S2", "kind": "word", "value": "lactation*"}]},
    )

    sensitive_class: SensitiveClass
    kind: Kind
    system: Value = Field(default="", description="Of a code: http://loinc.org")
    value: Value
    display: Value = ""
    policy: Policy | None = None
    modalities: list[Value] = Field(default_factory=list[str], max_length=20)
    with_words: list[Value] = Field(default_factory=list[str], max_length=100)
    enabled: bool = True

    def rule(self, id: UUID) -> Rule:
        """The rule that it describes."""
        return Rule(id=id, **self.model_dump())


@router.get("/rules")
async def get_rules(app: CurrentApp, actor: CurrentActor) -> dict[str, list[dict[str, Any]]]:
    """All rules: those of the service, and those of the hospital, which have a version."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        rules = labelling.rules_of(await tx.value(queries.RULES))
    return {"results": [asdict(rule) for rule in rules]}


@router.post("/rules", status_code=201)
async def post_rule(body: RuleIn, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Add a rule; studies are labelled anew in the background."""
    return asdict(await actions.save_rule(app, actor, body.rule(uuid7())))


@router.post("/rules/dry-run")
async def post_dry_run(
    body: RuleIn, app: CurrentApp, actor: CurrentActor, replaces: UUID | None = None
) -> dict[str, Any]:
    """What a rule would change among the newest 5,000 studies. Nothing is changed."""
    return asdict(await actions.try_rule(app, actor, body.rule(replaces or uuid7())))


@router.put("/rules/{rule_id}")
async def put_rule(rule_id: UUID, body: RuleIn, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Change or disable a rule, also one of the service; studies are labelled anew in the background."""
    actor.must(Permission.PRIVACY)
    await actions.rule_of(app, rule_id)
    return asdict(await actions.save_rule(app, actor, body.rule(rule_id)))


@router.get("/rules/{rule_id}/versions", response_model=None)
async def get_versions(rule_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Every version of a rule that the hospital changed, oldest first."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        return Response(b'{"results":' + await queries.versions_body(tx, rule_id) + b"}", media_type=JSON)


@router.get("/relabellings", response_model=None)
async def get_relabellings(app: CurrentApp, actor: CurrentActor) -> Response:
    """How far labelling anew has come, the newest first."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        return Response(b'{"results":' + await relabelling_queries.body(tx) + b"}", media_type=JSON)
