"""Label studies in the transaction of what makes it necessary: storing, registering, marking.

The same rules for a writing thread (`label_in_batch`) and for an action (`label`). Whoever changes rules or
restrictions keeps both out until the change can be seen, so that no study is labelled by what held before.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from radiology.access.model import Actor
from radiology.audit import actions as audit
from radiology.events import StudyLabelled, emit
from radiology.kit.db import Transaction, WriterTransaction
from radiology.sensitivity import queries
from radiology.sensitivity.defaults import with_site
from radiology.sensitivity.model import Label, Rule, RuleSet
from radiology.sensitivity.queries import StudyFacts

STORED_BY: Final = "system"


async def label(
    tx: Transaction, actor: Actor, ids: Sequence[UUID], *, cause: str, reason: str | None = None
) -> list[StudyFacts]:
    """Give studies the labels that they must have, with history, audit and event; returns those that changed.

    The caller holds the studies, where they are not of this transaction.
    """
    await tx.run(queries.LOCK)
    rules = compiled(await tx.value(queries.RULES))
    changed = changes(rules, await queries.facts(tx, ids))
    if not changed:
        return []
    labels = {facts.id: after for facts, after in changed}
    await tx.run(
        queries.SAVE_LABELS, labels=queries.labels_parameter(labels), cause=cause, actor=actor.id, reason=reason
    )
    for facts, after in changed:
        await audit.record(tx, actor, "sensitivity.label", str(facts.id), detail=_detail(after, cause))
        await emit(tx, _event(facts, after))
    return [facts for facts, _ in changed]


def label_in_batch(tx: WriterTransaction, ids: Sequence[UUID]) -> list[StudyLabelled]:
    """The same for studies that are being stored; the events are for the caller to emit."""
    tx.run(queries.LOCK)
    rules = compiled(tx.value(queries.RULES))
    changed = changes(rules, tx.all(StudyFacts, queries.FACTS, ids=list(ids)))
    if not changed:
        return []
    labels = queries.labels_parameter({facts.id: after for facts, after in changed})
    tx.run(queries.SAVE_LABELS, labels=labels, cause="stored", actor=STORED_BY, reason=None)
    for facts, after in changed:
        audit.record_in_batch(tx, STORED_BY, "sensitivity.label", str(facts.id), detail=_detail(after, "stored"))
    return [_event(facts, after) for facts, after in changed]


async def rules_now(tx: Transaction) -> RuleSet:
    """The rules that hold."""
    return compiled(await tx.value(queries.RULES))


@lru_cache(maxsize=8)
def compiled(rows: str) -> RuleSet:
    """The shipped rules with those of the hospital, as `queries.RULES` gives them, ready to be applied."""
    return RuleSet(rules_of(rows))


def rules_of(rows: str) -> list[Rule]:
    """The same as a list."""
    found: list[dict[str, Any]] = json.loads(rows)
    return with_site(Rule(id=UUID(row.pop("id")), **row) for row in found)


def changes(rules: RuleSet, studies: Sequence[StudyFacts]) -> list[tuple[StudyFacts, Label]]:
    """The studies that must have another label, and which."""
    labelled = [(facts, rules.label(facts.evidence, facts.marks, restricted=facts.restricted)) for facts in studies]
    return [(facts, after) for facts, after in labelled if after != facts.label]


def _detail(after: Label, cause: str) -> Mapping[str, Any]:
    return {"classes": after.classes, "confidentiality": after.confidentiality, "cause": cause}


def _event(facts: StudyFacts, after: Label) -> StudyLabelled:
    return StudyLabelled(
        facility_code=facts.facility_code,
        study_id=str(facts.id),
        study_instance_uid=facts.study_instance_uid,
        sensitive_classes=list(after.classes),
        confidentiality=after.confidentiality,
    )
