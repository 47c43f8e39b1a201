"""What the timetable does with offers: it settles, expires, escalates, and asks the next reader.

All moments are those of rows, so that a restart loses none. Each step is one transaction that locks the row of the
worklist before that of the offer; what another process did meanwhile is found done.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from radiology.app import App
from radiology.events import ReadingOffered, ReadingUnassignable, emit
from radiology.kit.db import Transaction
from radiology.kit.explaining import told
from radiology.kit.ids import uuid7
from radiology.reading_worklist.actions import offering
from radiology.reading_worklist.assigning.model import CALLED_FOR, Decision, Option, Rules
from radiology.reading_worklist.model import Waiting, in_order
from radiology.reading_worklist.offers import endings, escalating, queries, telling
from radiology.reading_worklist.offers.candidates import candidates, known
from radiology.reading_worklist.offers.rounds import decide, pasts_of
from radiology.reading_worklist.queries.waiting import waiting as all_waiting

AT_ONCE: Final = 100
LOOK_AGAIN: Final = timedelta(minutes=1)
ROUTINE_AGAIN: Final = timedelta(minutes=5)
"""For what nobody could be offered it is looked again after so long, or at once when it is escalated."""


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is asked, and at which step of the escalation."""

    account: str
    step: int


async def tend(app: App) -> int:
    """Everything that is due; returns how much was."""
    return (
        await endings.settle(app, limit=AT_ONCE)
        + await endings.expire(app, limit=AT_ONCE)
        + await escalating.escalate(app, limit=AT_ONCE)
        + await offer_waiting(app)
    )


async def offer_waiting(app: App) -> int:
    """Offer what waits to the best reader for it; returns how many offers were made.

    Nothing is done where there is no network of readers, or where another process is at it.
    """
    wanted, now = app.settings.reading_assignment, app.clock.now()
    async with app.db.transaction() as tx:
        if wanted == "off" or not await queries.has_to_offer(tx, **_since(now), also_routine=wanted == "all"):
            return 0
    everybody = await known(app)
    if not everybody:
        return 0
    rules = Rules(zone=app.settings.zone)
    async with app.db.transaction() as tx:
        if not await queries.assigns_alone(tx):
            return 0
        several = await _to_offer(tx, app, now)
        if not several:
            return 0
        people = await candidates(tx, app, everybody, now)
        accounts = {reader.reference: reader.account for _, reader, _ in everybody}
        pasts = await pasts_of(tx, several, people)
        count = 0
        for decision in decide(several, people, pasts, now, rules):
            if decision.chosen is None:
                await _note_unassignable(tx, decision, now)
                continue
            whom = Whom(accounts[decision.chosen.reader], pasts[decision.waiting.study_id].step)
            count += await _offer(tx, decision.waiting, decision.chosen, whom, now, rules)
        return count


async def _to_offer(tx: Transaction, app: App, now: datetime) -> list[Waiting]:
    """What is complete, waits in nobody's queue, and was not looked at a moment ago; the most urgent."""
    skipped = await queries.looked_at(tx, **_since(now))
    only_urgent = app.settings.reading_assignment == "urgent"
    found = [
        each
        for each in await all_waiting(tx, now=now)
        if each.completed_at is not None
        and each.study_id not in skipped
        and (each.priority in CALLED_FOR or not only_urgent)
    ]
    return in_order(found, now)[:AT_ONCE]


def _since(now: datetime) -> dict[str, datetime]:
    return {"urgent_since": now - LOOK_AGAIN, "routine_since": now - ROUTINE_AGAIN}


async def _offer(tx: Transaction, waiting: Waiting, option: Option, whom: Whom, now: datetime, rules: Rules) -> bool:
    """Ask one reader. False where the study is not free any more."""
    until = rules.expires_at(waiting.priority, now)
    item = await offering.offer(tx, waiting.study_id, to=whom.account, until=until)
    if item is None:
        return False
    offer_id = uuid7()
    columns = {
        "id": offer_id, "study_id": waiting.study_id, "reader": option.reader, "account": whom.account,
        "step": whom.step, "rvu": waiting.rvu, "now": now, "expires_at": until, "score": option.score,
        "explain": told(option.explain), "rule_set_version": rules.version,
    }  # fmt: skip
    await queries.insert(tx, columns)
    await queries.forget_unassignable(tx, waiting.study_id)
    await emit(
        tx,
        ReadingOffered(
            facility_code=waiting.facility_code,
            study_id=str(waiting.study_id),
            study_instance_uid=item.study_instance_uid,
            offer_id=str(offer_id),
            reader=option.reader,
            step=whom.step,
            priority=waiting.priority,
            expires_at=until.isoformat(),
            rule_set_version=rules.version,
        ),
    )
    return True


async def _note_unassignable(tx: Transaction, decision: Decision, now: datetime) -> None:
    """Nobody can be asked: it is noted with reasons, told of once, and people are told unless it ends by itself."""
    waiting = decision.waiting
    reasons = {str(reason): len(readers) for reason, readers in decision.excluded.items()}
    uid = await queries.uid_of(tx, waiting.study_id)
    if await queries.note_unassignable(tx, waiting.study_id, reasons, now=now):
        await emit(
            tx,
            ReadingUnassignable(
                facility_code=waiting.facility_code,
                study_id=str(waiting.study_id),
                study_instance_uid=uid,
                reasons=reasons,
            ),
        )
    is_lasting = waiting.priority in CALLED_FOR or not decision.is_for_now
    if is_lasting and await queries.begin_telling(tx, waiting.study_id, now=now):
        await telling.tell_unassignable(tx, waiting.facility_code, uid)
