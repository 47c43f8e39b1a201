"""The job that sends a study to a destination. What is acknowledged is noted at once, and not sent again."""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.app import App
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import find_application_entity
from radiology.delivery.results import Sent
from radiology.delivery.routing import queries
from radiology.delivery.routing.model import Rule, next_attempt_at
from radiology.delivery.routing.queries import Delivery, Progress
from radiology.delivery.sending import send
from radiology.errors import NotFound
from radiology.kit.bandwidth import Bandwidth
from radiology.kit.clock import monotonic_seconds
from radiology.kit.db import Transaction, Writer
from radiology.kit.log import get_logger
from radiology.studies.archive import Archive
from radiology.studies.queries.retrieve import StoredInstance

DAYS_WITHOUT_RULE = 3

log = get_logger()


async def deliver(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """The job: send what waits of a study. How it went, and when it is tried again, stands in the delivery."""
    app, delivery_id = archive.app, UUID(arguments["delivery"])
    async with app.db.transaction() as tx:
        delivery = await queries.find(tx, delivery_id)
        if delivery is None or delivery.state != "sending":
            return
        await queries.drop_hidden(tx, delivery_id)
        before = await queries.progress(tx, delivery_id)
        instances = await queries.waiting_instances(tx, delivery_id)
        entity = await find_application_entity(tx, delivery.ae_title)
        rule = await _rule(tx, delivery)
    if entity is None:
        sentence = f"{delivery.ae_title} is not in the registry of application entities. Add it, or cancel."
        await _finish(app, delivery, rule, before, sentence)
        return
    sentence = ""
    if rule is None or rule.opens_at(app.clock.now()) <= app.clock.now():
        sending = _Sending(archive, entity, delivery, rule)
        try:
            await asyncio.to_thread(sending.run, instances)
        finally:
            sending.stopped.set()
        sentence = sending.sentence
    await _finish(app, delivery, rule, before, sentence)


async def _rule(tx: Transaction, delivery: Delivery) -> Rule | None:
    try:
        return await queries.rule(tx, delivery.rule_id) if delivery.rule_id else None
    except NotFound:
        return None


@dataclass(slots=True)
class _Sending:
    """One attempt, in a thread. `sentence` is why what is left was not sent."""

    archive: Archive
    entity: ApplicationEntity
    delivery: Delivery
    rule: Rule | None
    sentence: str = ""
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, instances: list[StoredInstance]) -> None:
        limit = self.rule.bandwidth_kib_per_second if self.rule else None
        bandwidth = Bandwidth(limit, now=monotonic_seconds())
        # What a power cut loses of these notes is sent again; a worker that is killed loses none.
        with closing(Writer(self.archive.app.settings.database_dsn, asynchronous_commit=True)) as writer:

            def on_sent(instance: StoredInstance, sent: Sent) -> None:
                self._note(writer, instance, sent)
                self.stopped.wait(bandwidth.pause_seconds(instance.size_bytes, now=monotonic_seconds()))

            send(self.archive, self.entity, instances, on_sent=on_sent, is_stopped=self._is_stopped)

    def _note(self, writer: Writer, instance: StoredInstance, sent: Sent) -> None:
        """Write down how it went; ends the attempt where it was cancelled."""
        state = "sent" if sent.is_success or sent.is_warning else "waiting" if sent.may_succeed_later else "failed"
        if state == "waiting":
            self.sentence = sent.sentence
        with writer.transaction() as tx:
            now_is = tx.value(queries.SAVE_SENT, state=state, sentence=sent.sentence, delivery_id=self.delivery.id,
                              sop_instance_uid=instance.sop_instance_uid)  # fmt: skip
        if now_is != "sending":
            self.stopped.set()

    def _is_stopped(self) -> bool:
        """Whether the worker ends, the delivery was cancelled, or the window has closed."""
        now = self.archive.app.clock.now()
        return self.stopped.is_set() or (self.rule is not None and self.rule.opens_at(now) > now)


async def _finish(app: App, delivery: Delivery, rule: Rule | None, before: Progress, sentence: str) -> None:
    now = app.clock.now()
    async with app.db.transaction() as tx:
        if (await queries.lock(tx, delivery.id)).state != "sending":
            return
        after = await queries.progress(tx, delivery.id)
        state, attempts, at = _outcome(delivery, rule, before, after, sentence, now)
        await queries.change(
            tx,
            delivery.id,
            state=state,
            sentence=sentence or after.sentence,
            attempts=attempts,
            caused_at=now if after.sent > before.sent else delivery.caused_at,
            next_attempt_at=at,
            at=now,
        )
    log.info("routing.delivered", ae_title=delivery.ae_title, study_instance_uid=delivery.study_instance_uid,
             state=state, instances=after.sent - before.sent, attempts=attempts, reason=sentence)  # fmt: skip


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
