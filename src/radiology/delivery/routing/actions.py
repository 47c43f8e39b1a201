"""Change routing rules, try them out, and what a person does about a delivery that waits."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.application_entities.queries import missing
from radiology.audit import actions as audit
from radiology.delivery.commitment.queries import not_kept
from radiology.delivery.routing import delivery_queries, queries
from radiology.delivery.routing.model import Rule, Subject, destinations_of
from radiology.errors import Conflict, NotFound, Unprocessable
from radiology.kit.db import Transaction

MOST_STUDIES = 1000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule would do with a part of a study: the destinations, or why none."""

    study_instance_uid: str
    modality: str
    source_ae_title: str
    rule: str
    destinations: list[str]
    reason: str


async def save_rule(app: App, actor: Actor, rule: Rule) -> None:
    """Add or change a rule. Raises Unprocessable where a destination is not in the registry."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        if absent := await missing(tx, rule.destinations):
            raise Unprocessable(f"No application entity is called {' or '.join(absent)}. Register it first.")
        await queries.save_rule(tx, rule)
        await audit.record(tx, actor, "routing-rule.save", str(rule.id))


async def remove_rule(app: App, actor: Actor, rule_id: UUID) -> None:
    """Forget a rule; what waits by it is still sent. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        if not await queries.remove_rule(tx, rule_id):
            raise NotFound("There is no such routing rule.")
        await audit.record(tx, actor, "routing-rule.remove", str(rule_id))


async def dry_run(app: App, actor: Actor, day: date) -> list[Verdict]:
    """For the studies of a day, which rule would send what where, and why not. Nothing is sent."""
    actor.must(Permission.ADMINISTER)
    verdicts: list[Verdict] = []
    async with app.db.transaction() as tx:
        rules = await queries.rules(tx)
        for study in await queries.studies_of_day(tx, day, limit=MOST_STUDIES):
            for subject in await queries.subjects_of(tx, study.study_id):
                verdicts += [_verdict(study.study_instance_uid, subject, rules, rule) for rule in rules]
    return list({_key(verdict): verdict for verdict in verdicts}.values())


def _key(verdict: Verdict) -> tuple[str, ...]:
    return (verdict.study_instance_uid, verdict.modality, verdict.source_ae_title, verdict.rule, verdict.reason)


def _verdict(study_instance_uid: str, subject: Subject, rules: list[Rule], rule: Rule) -> Verdict:
    reason = rule.why_not(subject)
    chosen = destinations_of(rules, subject)
    destinations = [ae_title for ae_title in rule.destinations if chosen.get(ae_title) == rule]
    if not reason and not destinations:
        reason = "A rule that is asked earlier names its destinations, or they are the sender itself."
    return Verdict(study_instance_uid, subject.modality, subject.source_ae_title, rule.name, destinations, reason)


async def retry(app: App, actor: Actor, delivery_id: UUID) -> None:
    """Send a delivery now, also what was refused, cancelled, or is not kept after all (storage commitment).

    An attempt that was cancelled a moment ago ends first, so that nothing is sent twice. Raises NotFound, Conflict.
    """
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        delivery = await delivery_queries.lock(tx, delivery_id)
        if delivery.state == "sending":
            raise Conflict("The delivery is being sent already.")
        await delivery_queries.owe_again(tx, delivery_id, await not_kept(tx, delivery_id))
        if not (await delivery_queries.progress(tx, delivery_id)).waiting:
            raise Conflict(f"{delivery.ae_title} has everything.")
        await _change(tx, app, delivery_id, "waiting")
        await audit.record(tx, actor, "delivery.retry", str(delivery_id))


async def cancel(app: App, actor: Actor, delivery_id: UUID) -> None:
    """Send nothing more of a delivery; an instance in the air has a few seconds to arrive.

    Raises NotFound, Conflict.
    """
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        delivery = await delivery_queries.lock(tx, delivery_id)
        if delivery.state in {"sent", "cancelled"}:
            raise Conflict(f"The delivery is {delivery.state}; there is nothing to cancel.")
        await _change(tx, app, delivery_id, "cancelled")
        await audit.record(tx, actor, "delivery.cancel", str(delivery_id))


async def _change(tx: Transaction, app: App, delivery_id: UUID, state: str) -> None:
    now = app.clock.now()
    await delivery_queries.change(
        tx, delivery_id, state=state, sentence="", attempts=0, caused_at=now, next_attempt_at=now, at=now
    )
