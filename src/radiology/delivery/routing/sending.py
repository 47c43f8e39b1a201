"""Deliveries: start those that are due; the job that sends one notes at once what is acknowledged."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

from radiology.app import App
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import find_application_entity
from radiology.delivery.attempt import MOST_FOR_ONE_DESTINATION, Attempt
from radiology.delivery.commitment import actions as commitment
from radiology.delivery.results import Sent
from radiology.delivery.routing import delivery_queries, queries
from radiology.delivery.routing.delivery_queries import Delivery, Progress
from radiology.delivery.routing.model import Rule, next_attempt_at
from radiology.dicom_network.transport import PauseAfter
from radiology.errors import NotFound
from radiology.events import DeliveryCompleted, DeliveryFailed, emit
from radiology.kit import jobs
from radiology.kit.bandwidth import Bandwidth
from radiology.kit.clock import monotonic_seconds
from radiology.kit.db import Transaction, WriterTransaction
from radiology.kit.log import get_logger
from radiology.studies.archive import Archive
from radiology.studies.queries.retrieve import StoredInstance

JOB: Final = "routing.deliver"
DAYS_WITHOUT_RULE: Final = 3

log = get_logger()

_limits: WeakValueDictionary[tuple[UUID, str, int], Bandwidth] = WeakValueDictionary()
_limits_lock = threading.Lock()


async def start_due(app: App) -> int:
    """Have sent what may be sent now; returns how many deliveries. State and job are one transaction.

    A delivery whose job is gone, as by a restored database, is sent again; where it was given up, it has failed.
    """
    now = app.clock.now()
    async with app.db.transaction() as tx:
        for delivery in await delivery_queries.take_back(tx, now=now, sentence=jobs.GIVEN_UP):
            await tell(tx, delivery, delivery.state)
        due = await delivery_queries.take_due(tx, now=now, most_at_once=MOST_FOR_ONE_DESTINATION)
        for delivery in due:
            job = await jobs.enqueue(tx, JOB, {"delivery": str(delivery.id)})
            await delivery_queries.save_job(tx, delivery.id, job)
    return len(due)


async def deliver(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """The job: send what waits of a study. How it went, and when it is tried again, stands in the delivery."""
    app, delivery_id = archive.app, UUID(arguments["delivery"])
    async with app.db.transaction() as tx:
        delivery = await delivery_queries.find(tx, delivery_id)
        if delivery is None or delivery.state != "sending":
            return
        await delivery_queries.drop_hidden(tx, delivery_id)
        before = await delivery_queries.progress(tx, delivery_id)
        instances = await delivery_queries.waiting_instances(tx, delivery_id)
        entity = await find_application_entity(tx, delivery.ae_title)
        rule = await _rule(tx, delivery)
    if entity is None:
        sentence = f"{delivery.ae_title} is not in the registry of application entities. Add it, or cancel."
    else:
        sentence = await _send(archive, entity, delivery, rule, instances)
    await _finish(app, delivery, rule, before, sentence)
    await start_due(app)


async def _rule(tx: Transaction, delivery: Delivery) -> Rule | None:
    try:
        return await queries.rule(tx, delivery.rule_id) if delivery.rule_id else None
    except NotFound:
        return None


async def _send(
    archive: Archive, entity: ApplicationEntity, delivery: Delivery, rule: Rule | None, instances: list[StoredInstance]
) -> str:
    """One attempt, where the window is open; why what is left was not sent."""
    notes = _Notes(archive.app, delivery.id, rule)
    if notes.window_is_open:
        pause_after = pausing(rule, delivery.ae_title) if rule else None
        await Attempt(archive, entity, notes.note, notes.is_wanted, pause_after).run(instances)
    return notes.sentence


def pausing(rule: Rule, ae_title: str) -> PauseAfter | None:
    """The limit that all studies share which this process sends at the same time by one rule to one destination."""
    if rule.bandwidth_kib_per_second is None:
        return None
    key = (rule.id, ae_title, rule.bandwidth_kib_per_second)
    with _limits_lock:
        limit = _limits.setdefault(key, Bandwidth(rule.bandwidth_kib_per_second, now=monotonic_seconds()))
    return lambda size_bytes: limit.pause_seconds(size_bytes, now=monotonic_seconds())


@dataclass(slots=True)
class _Notes:
    """What is noted of an attempt. `sentence` is why what is left was not sent."""

    app: App
    delivery_id: UUID
    rule: Rule | None
    sentence: str = ""

    @property
    def window_is_open(self) -> bool:
        """Whether the rule lets send now."""
        now = self.app.clock.now()
        return self.rule is None or self.rule.opens_at(now) <= now

    def note(self, tx: WriterTransaction, instance: StoredInstance, sent: Sent) -> bool:
        """Write down how it went; whether the next is to be sent."""
        state = "sent" if sent.is_success or sent.is_warning else "waiting" if sent.may_succeed_later else "failed"
        if state == "waiting":
            self.sentence = sent.sentence
        is_sending = tx.value(delivery_queries.NOTE, state=state, sentence=sent.sentence, delivery_id=self.delivery_id,
                              sop_instance_uid=instance.sop_instance_uid)  # fmt: skip
        return bool(is_sending) and self.window_is_open

    def is_wanted(self, tx: WriterTransaction) -> bool:
        """Whether the delivery was not cancelled. The end of the window breaks off nothing that is on its way."""
        return bool(tx.value(delivery_queries.IS_SENDING, id=self.delivery_id))


async def _finish(app: App, delivery: Delivery, rule: Rule | None, before: Progress, sentence: str) -> None:
    now = app.clock.now()
    async with app.db.transaction() as tx:
        if (await delivery_queries.lock(tx, delivery.id)).state != "sending":
            return
        after = await delivery_queries.progress(tx, delivery.id)
        state, attempts, at = _outcome(delivery, rule, before, after, sentence, now)
        await delivery_queries.change(
            tx,
            delivery.id,
            state=state,
            sentence=sentence or after.sentence,
            attempts=attempts,
            caused_at=now if after.sent > before.sent else delivery.caused_at,
            next_attempt_at=at,
            at=now,
        )
        await tell(tx, delivery, state)
        if state == "sent" and await commitment.may_be_asked(tx, delivery.ae_title):
            references = await delivery_queries.take_uncommitted(tx, delivery.id)
            await commitment.ask_for_commitment(tx, delivery.ae_title, references, now=now, cause_id=delivery.id)
    log.info("routing.delivered", ae_title=delivery.ae_title, study_instance_uid=delivery.study_instance_uid,
             state=state, instances=after.sent - before.sent, attempts=attempts, reason=sentence)  # fmt: skip


async def tell(tx: Transaction, delivery: Delivery, state: str) -> None:
    """Leave the event of a delivery that is over; nothing of one that is not."""
    if state not in {"sent", "failed"}:
        return
    count = await delivery_queries.progress(tx, delivery.id)
    told: dict[str, Any] = {
        "facility_code": delivery.facility_code,
        "study_id": str(delivery.study_id),
        "study_instance_uid": delivery.study_instance_uid,
        "delivery_id": str(delivery.id),
        "ae_title": delivery.ae_title,
        "sent": count.sent,
    }
    if state == "sent":
        await emit(tx, DeliveryCompleted(**told))
    else:
        await emit(tx, DeliveryFailed(**told, failed=count.failed, waiting=count.waiting))


def _outcome(
    delivery: Delivery, rule: Rule | None, before: Progress, after: Progress, sentence: str, now: datetime
) -> tuple[str, int, datetime]:
    """State, attempts without success, and when it is tried next."""
    if not after.waiting:
        return "failed" if after.failed else "sent", 0, now
    opens_at = rule.opens_at(now) if rule else now
    if not sentence:  # The window closed, or more came while it was sent.
        return "waiting", 0, opens_at
    went_on = after.sent > before.sent
    attempts = 1 if went_on else delivery.attempts + 1
    since = now if went_on else delivery.caused_at
    following = next_attempt_at(
        attempts, since=since, now=now, give_up_after_days=rule.give_up_after_days if rule else DAYS_WITHOUT_RULE
    )
    if following is None:
        return "failed", attempts, now
    return "waiting", attempts, rule.opens_at(following) if rule else following
