"""Escalation: at half of the time who is on call first, at three quarters who is second and the head, then all."""

from collections.abc import Sequence

from radiology.app import App
from radiology.events import ReadingEscalated, emit
from radiology.kit.db import Transaction
from radiology.practitioners.readers.actions import who_leads
from radiology.reading_worklist.model import State
from radiology.reading_worklist.offers import endings, queries, telling
from radiology.reading_worklist.offers.candidates import Known, candidates, known, on_call
from radiology.reading_worklist.offers.queries import Due
from radiology.reading_worklist.offers.rounds import LAST_STEP, LINES_OF_STEP
from radiology.reading_worklist.queries import items

HEAD_FROM = 2
"""From this step on the head of radiology is told."""


async def escalate(app: App, *, limit: int) -> int:
    """Take each study to the step that its time has reached; returns how many. Each step is taken once.

    An offer that stands is withdrawn, so that whoever is called is asked at once. What somebody has claimed stays
    where it is, and people are told when its time has passed.
    """
    if app.settings.reading_assignment == "off":
        return 0
    async with app.db.transaction() as tx:
        due = await queries.due(tx, now=app.clock.now(), limit=limit)
    everybody = await known(app) if due else []
    if not everybody:
        return 0
    count = 0
    for each in due:
        async with app.db.transaction() as tx:
            count += await _escalate(tx, app, each, everybody)
    return count


async def _escalate(tx: Transaction, app: App, due: Due, everybody: Known) -> bool:
    item = await items.lock_one(tx, due.study_id)
    now = app.clock.now()
    if item is None or item.deadline != due.deadline or item.state != due.state:
        return False
    if not await queries.begin_step(tx, due, now=now):
        return False
    recipients = set[str]()
    if item.state in (State.WAITING, State.OFFERED):
        await endings.withdraw(tx, app, due.study_id)
        await queries.forget_unassignable(tx, due.study_id)
        recipients |= await _on_call(tx, app, due, everybody)
    elif item.claimed_by is not None:
        recipients.add(item.claimed_by)
    recipients |= set(await _leaders(tx, due))
    count = await telling.tell_escalated(tx, sorted(recipients), due.step, due.study_instance_uid)
    await emit(
        tx,
        ReadingEscalated(
            facility_code=due.facility_code,
            study_id=str(due.study_id),
            study_instance_uid=due.study_instance_uid,
            step=due.step,
            told=count,
        ),
    )
    return True


async def _on_call(tx: Transaction, app: App, due: Due, everybody: Known) -> set[str]:
    """The accounts of who is called at a step."""
    people = await candidates(tx, app, everybody, app.clock.now())
    called = on_call(people, due.facility_code, due.subspecialty, LINES_OF_STEP[due.step])
    return {each.reader.account for each in people if each.reader.reference in called and each.reader.account}


async def _leaders(tx: Transaction, due: Due) -> Sequence[str]:
    found = list[str]()
    if due.step >= HEAD_FROM:
        found += await who_leads(tx, "head", due.facility_code)
    if due.step >= LAST_STEP:
        found += await who_leads(tx, "director", due.facility_code)
    return found
