"""Change rules, try them out, and label anew what is stored, in the background."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotFound, Unprocessable
from radiology.kit import jobs
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.sensitivity import labelling, queries, relabelling_queries
from radiology.sensitivity.defaults import shipped_digest
from radiology.sensitivity.model import Rule, RuleSet, why_not

JOB: Final = "sensitivity.relabel"
STUDIES_AT_ONCE: Final = 200
MOST_TRIED: Final = 5_000
"""A rule is tried out on so many of the newest studies."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would change: studies that would gain or lose a class, and some of them."""

    looked_at: int
    gain: dict[str, int]
    lose: dict[str, int]
    examples: list[str]


async def save_rule(app: App, actor: Actor, rule: Rule) -> Rule:
    """Add or change a rule; studies are labelled anew by a job. Raises Unprocessable."""
    actor.must(Permission.PRIVACY)
    if sentence := why_not(rule):
        raise Unprocessable(sentence)
    async with app.db.transaction() as tx:
        await queries.lock_for_change(tx)
        saved = replace(rule, version=await queries.next_version(tx, rule.id))
        await queries.save_rule(tx, saved)
        body = {**asdict(saved), "id": str(saved.id)}
        await queries.save_version(tx, saved.id, version=saved.version, body=body, actor=actor.id, at=app.clock.now())
        await label_anew(tx, app, actor)
        await audit.record(tx, actor, "sensitivity.rule", str(saved.id), detail={"version": saved.version})
    return saved


async def try_rule(app: App, actor: Actor, rule: Rule) -> Trial:
    """What a rule would change among the newest studies. Nothing is changed. Raises Unprocessable."""
    actor.must(Permission.PRIVACY)
    if sentence := why_not(rule):
        raise Unprocessable(sentence)
    gain, lose, examples, looked_at = Counter[str](), Counter[str](), list[str](), 0
    async with app.db.transaction() as tx:
        others = labelling.rules_of(await tx.value(queries.RULES))
        rules = RuleSet([*(each for each in others if each.id != rule.id), rule])
        ids = await relabelling_queries.newest(tx, limit=MOST_TRIED)
        for first in range(0, len(ids), STUDIES_AT_ONCE):
            found = await queries.facts(tx, ids[first : first + STUDIES_AT_ONCE])
            looked_at += len(found)
            for facts, after in labelling.changes(rules, found):
                gain.update(set(after.classes) - set(facts.sensitive_classes))
                lose.update(set(facts.sensitive_classes) - set(after.classes))
                examples.append(facts.study_instance_uid)
    return Trial(looked_at, dict(gain), dict(lose), examples[:20])


async def relabel(app: App, arguments: Mapping[str, Any]) -> None:
    """The job: label every study by the rules that hold now, and note how far it has come. It may be done twice."""
    relabelling = UUID(arguments["relabelling"])
    while True:
        async with app.db.transaction() as tx:
            ids = await relabelling_queries.next_studies(tx, relabelling, limit=STUDIES_AT_ONCE)
            cause = await relabelling_queries.cause_of(tx, relabelling)
            rules = await labelling.rules_now(tx)
            changed = [facts.id for facts, _ in labelling.changes(rules, await queries.facts(tx, ids))]
        for study_id in changed:
            # One study in a transaction: whoever stores holds several, and neither must wait for the other for ever.
            async with app.db.transaction() as tx:
                await relabelling_queries.hold(tx, study_id)
                await labelling.label(tx, SYSTEM, [study_id], cause=cause)
        async with app.db.transaction() as tx:
            last = ids[-1] if ids else None
            await relabelling_queries.note(tx, relabelling, last, looked_at=len(ids), changed=len(changed))
        if not ids:
            return


async def follow_shipped(app: App) -> int:
    """Label anew where the rules that come with the service are others than before; returns 1 then."""
    async with app.db.transaction() as tx:
        await queries.lock_for_change(tx)
        if not await queries.note_shipped(tx, shipped_digest()):
            return 0
        await label_anew(tx, app, SYSTEM)
    return 1


async def label_anew(tx: Transaction, app: App, actor: Actor, *, patient_id: UUID | None = None) -> Mapping[str, Any]:
    """Have every study, or those of one patient, labelled anew by a job; returns the arguments of it."""
    relabelling = uuid7()
    await relabelling_queries.place(tx, relabelling, actor=actor.id, at=app.clock.now(), patient_id=patient_id)
    arguments = {"relabelling": str(relabelling)}
    await jobs.enqueue(tx, JOB, arguments, lock=JOB)
    return arguments


async def rule_of(app: App, rule_id: UUID) -> Rule:
    """One rule that holds, or is disabled. Raises NotFound."""
    async with app.db.transaction() as tx:
        rules = labelling.rules_of(await tx.value(queries.RULES))
    found = next((rule for rule in rules if rule.id == rule_id), None)
    if found is None:
        raise NotFound("There is no such rule.")
    return found
