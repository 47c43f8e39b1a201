"""Rules, made anew as a whole and kept in versions; the switch; marks on single studies; what would become due."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotFound, StaleVersion, Unprocessable
from radiology.kit.db import Transaction
from radiology.retention import object_queries, study_queries
from radiology.retention import rule_queries as queries
from radiology.retention.defaults import RULES
from radiology.retention.model import Rule, Study, Verdict, rules_of, shortest_years, verdict_on, why_not
from radiology.retention.rule_queries import State
from radiology.studies.queries import read

AT_ONCE = 500


async def rules_now(tx: Transaction) -> list[Rule]:
    """The rules that hold."""
    return (await numbered_rules(tx))[1]


async def numbered_rules(tx: Transaction) -> tuple[int, list[Rule]]:
    """The rules that hold, and their version; 0 for those that come with the service."""
    found = await queries.newest(tx)
    return (0, list(RULES)) if found is None else (found[0], rules_of(found[1]))


async def make_rules(app: App, actor: Actor, rules: Sequence[Rule], *, based_on: int, reason: str) -> int:
    """Let other rules hold. Returns their version. Raises Unprocessable; StaleVersion where others hold by now."""
    actor.must(Permission.ADMINISTER)
    if sentence := why_not(rules):
        raise Unprocessable(sentence)
    async with app.db.transaction() as tx:
        await queries.lock_for_change(tx)
        version, _ = await numbered_rules(tx)
        if version != based_on:
            raise StaleVersion(f"The rules have version {version} by now. Read them again.")
        bodies = [rule.as_json() for rule in rules]
        await queries.insert_version(
            tx, version=version + 1, rules=bodies, reason=reason, by=actor.id, at=app.clock.now()
        )
        await audit.record(tx, actor, "retention.rules", str(version + 1), detail={"rules": len(rules)})
    return version + 1


async def switch(app: App, actor: Actor, state: State, *, reason: str) -> bytes:
    """Let removals be done, or no more. Returns the state as JSON."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        await queries.lock_for_change(tx)
        await queries.save_state(tx, state, reason=reason, by=actor.id, at=app.clock.now())
        detail = {"removes": state.removes, "binDays": state.bin_days, "proofDays": state.proof_days}
        await audit.record(tx, actor, "retention.switch", "retention", detail=detail)
        return await queries.state_body(tx)


async def mark(app: App, actor: Actor, study: str, *, reason: str | None) -> None:
    """Have a study kept for ever; without a reason, let the rules decide again. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor.beyond_reading)
        if reason is not None:
            await queries.mark(tx, study_id, reason=reason, by=actor.id, at=app.clock.now())
        elif not await queries.unmark(tx, study_id):
            raise NotFound("This study is not marked.")
        action = "retention.unmark" if reason is None else "retention.mark"
        await audit.record(tx, actor, action, str(study_id))


async def explain(app: App, actor: Actor, study: str) -> tuple[Verdict, dict[str, Any]]:
    """Until when a study is kept and why, and when its objects were verified. Raises NotFound."""
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor)
        rules = await rules_now(tx)
        found = await study_queries.study(tx, study_id, zone=str(app.settings.zone))
        verification = await object_queries.verified_body(tx, study_id)
    return verdict_on(found, rules, today=today(app), last_copies=False), verification


@dataclass(frozen=True, slots=True)
class DueStudy:
    """A study that may go, and why. `last_copy`: no other archive is known to keep it."""

    study: Study
    verdict: Verdict

    @property
    def is_last_copy(self) -> bool:
        """Whether whoever approves must say that it may go all the same."""
        return self.study.is_last_copy and not self.verdict.kept_elsewhere


async def due_studies(
    app: App, rules: Sequence[Rule], *, on: date, facilities: Sequence[str] | None, after: UUID | None = None
) -> AsyncGenerator[DueStudy]:
    """What may go on a day by these rules, in the order of ids behind `after`. Reads in steps, with no long lock."""
    oldest = on - timedelta(days=int(shortest_years(rules) * 365))
    while True:
        async with app.db.transaction() as tx:
            found = await study_queries.older(
                tx, than=oldest, after=after, facilities=facilities, limit=AT_ONCE, zone=str(app.settings.zone)
            )
        for each in found:
            verdict = verdict_on(each, rules, today=on, last_copies=True)
            if verdict.erasable:
                yield DueStudy(each, verdict)
        if len(found) < AT_ONCE:
            return
        after = found[-1].id


@dataclass(slots=True)
class Sum:
    """How many studies, and how large they are."""

    studies: int = 0
    size_bytes: int = 0
    last_copies: int = 0


async def due_sums(app: App, rules: Sequence[Rule], *, on: date, facilities: Sequence[str] | None) -> dict[str, Sum]:
    """What may go on a day, by facility."""
    sums: dict[str, Sum] = defaultdict(Sum)
    async for due in due_studies(app, rules, on=on, facilities=facilities):
        of_facility = sums[due.study.facility_code]
        of_facility.studies += 1
        of_facility.size_bytes += due.study.size_bytes
        of_facility.last_copies += due.is_last_copy
    return dict(sums)


def today(app: App) -> date:
    """The day in the zone of the facility."""
    return app.clock.now().astimezone(app.settings.zone).date()
