"""From what was stored to what is to be sent: read the events, ask the rules, list the instances."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from radiology.app import App
from radiology.delivery.routing import delivery_queries, queries
from radiology.delivery.routing.delivery_queries import Delivery
from radiology.delivery.routing.model import INSTANCES_STORED, STUDY_RECEIVED, Rule, destinations_of
from radiology.events import InstancesStored, StudyReceived
from radiology.kit import outbox
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7

READER: Final = "routing"
CAUSES: Final = {InstancesStored.type: INSTANCES_STORED, StudyReceived.type: STUDY_RECEIVED}


async def follow_events(app: App) -> int:
    """Read what happened since the last time and list what is to be sent; returns how many instances.

    Mark and lists are one transaction: no event is passed over, and no instance is listed twice.
    """
    async with app.db.transaction() as tx:
        events = await outbox.next_for(tx, READER)
        if not events:
            return 0
        rules = await queries.rules(tx, enabled_only=True)
        studies = {(event.body["study_id"], CAUSES[event.type]): event for event in events if event.type in CAUSES}
        count = 0
        for (study_id, cause), event in studies.items():
            asked = [rule for rule in rules if rule.send_when == cause]
            if asked:
                uid = event.body["study_instance_uid"]
                count += await _list(tx, asked, UUID(study_id), uid, now=app.clock.now())
        await outbox.had(tx, READER, events[-1].position)
    return count


async def _list(
    tx: Transaction, rules: Sequence[Rule], study_id: UUID, study_instance_uid: str, *, now: datetime
) -> int:
    count = 0
    since = min(rule.created_at for rule in rules)
    for subject in await queries.subjects_of(tx, study_id, stored_since=since):
        for ae_title, rule in destinations_of(rules, subject).items():
            opens_at = rule.opens_at(now)
            delivery = Delivery(
                uuid7(), study_id, study_instance_uid, subject.facility_code, ae_title, rule.id, "waiting",
                0, now, opens_at,
            )  # fmt: skip
            delivery_id = await delivery_queries.place(tx, delivery, rule)
            if added := await delivery_queries.add_instances(tx, delivery_id, subject, rule):
                await delivery_queries.wake(tx, delivery_id, opens_at=opens_at, now=now)
            else:
                await delivery_queries.discard_empty(tx, delivery_id)
            count += added
    return count
