"""Decide about what is held in quarantine (2.2, 2.3, 2.8). Each decision is a repair, but trying the index again."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import CannotUnderstand, Conflict, FieldProblem, TransitionRefused, Unprocessable
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.reconciliation.comparing.queries import Held, held
from radiology.reconciliation.quarantine import placing, queries
from radiology.reconciliation.repairs import journal
from radiology.reconciliation.repairs.model import Asked, Kind, Repair
from radiology.reconciliation.repairs.queries import keep, note_made, note_rejection
from radiology.reconciliation.repairs.relations import INSTANCES, QUARANTINE
from radiology.reconciliation.studies import copy_queries, move
from radiology.reconciliation.studies import queries as studies
from radiology.reconciliation.studies.model import HeldStudy
from radiology.reconciliation.studies.targets import Place
from radiology.reconciliation.waiting.model import DECISIONS, Decision
from radiology.sensitivity.labelling import label
from radiology.studies.archive import Archive
from radiology.studies.facts import StudyFacts
from radiology.studies.index import instance_row
from radiology.studies.queries import read, rejection, write
from radiology.studies.receive import Arrival, arrival_of
from radiology.studies.rejection import Category, Rejection, Title

_RESOLUTIONS = {
    Decision.ATTACH: "attached",
    Decision.SPLIT: "split off",
    Decision.KEEP: "the stored one is kept",
    Decision.TAKE: "taken instead",
    Decision.DISCARD: "discarded",
}


@dataclass(frozen=True, slots=True)
class Decided:
    """What is decided. study: to which study it is attached, where that is another than the object names.

    all_alike: about all that is held of the same study, for the same reason and from the same place.
    """

    decision: Decision
    study: str | None = None
    all_alike: bool = False
    category: Category = Category.WRONG_PATIENT


async def decide(app: App, actor: Actor, quarantine_id: UUID, asked: Asked, decided: Decided) -> bytes:
    """Take, keep or discard what is held. Returns the repair.

    Raises NotFound, TransitionRefused where it was decided already, Conflict, Unprocessable, CannotUnderstand.
    """
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        if done := await journal.repeated(tx, app, actor, asked):
            return done
        ids = await _meant(tx, actor, quarantine_id, decided)
        alike = [await held(tx, one, visible_to=actor.beyond_reading) for one in ids]
    arrivals: list[Arrival] = []
    if decided.decision in (Decision.ATTACH, Decision.SPLIT, Decision.TAKE):
        arrivals = [await asyncio.to_thread(_arrival_of, app, one) for one in alike]
    async with app.db.transaction() as tx:
        if done := await journal.repeated(tx, app, actor, asked):
            return done
        return await _decide(tx, app, actor, asked, decided, alike, arrivals)


async def retry(archive: Archive, actor: Actor, quarantine_id: UUID, *, reason: str) -> str:
    """Try the index again with an object that it could not take. Returns the Study Instance UID.

    Raises NotFound, TransitionRefused, CannotUnderstand, and Conflict where it is held again.
    """
    actor.must(Permission.RECONCILE)
    app = archive.app
    async with app.db.transaction() as tx:
        (one,) = await _meant(tx, actor, quarantine_id, Decided(Decision.RETRY))
        found = await held(tx, one, visible_to=actor.beyond_reading)
    arrival = await asyncio.to_thread(_arrival_of, app, found)
    future = archive.arrivals.submit(arrival)
    archive.arrivals.flush()
    stored = await asyncio.wrap_future(future)
    async with app.db.transaction() as tx:
        if stored.quarantined is None:
            await queries.resolve(tx, [found.id], resolution="indexed", actor=actor.id, at=app.clock.now())
        else:
            await queries.give_reason(tx, found.id, stored.quarantined)
        await audit.record(
            tx, actor, "repair.retry", str(found.id), detail={"held": stored.quarantined, "reason": reason}
        )
    if stored.quarantined is not None:
        raise Conflict(f"It is held again: {stored.quarantined}. Decide anew.")
    return found.study_instance_uid


async def _meant(tx: Transaction, actor: Actor, quarantine_id: UUID, decided: Decided) -> list[UUID]:
    found = await held(tx, quarantine_id, visible_to=actor.beyond_reading)
    if found.resolved_at is not None:
        raise TransitionRefused(f"It was decided already: {found.resolution}.")
    possible = DECISIONS[found.reason]
    if decided.decision not in possible:
        sentence = f"is not possible for what is held for {found.reason}; possible: {', '.join(possible)}"
        raise Unprocessable(f"decision {sentence}.", fields=[FieldProblem("decision", sentence)])
    return await queries.like(tx, found) if decided.all_alike else [found.id]


def _arrival_of(app: App, one: Held) -> Arrival:
    arrival = arrival_of(app.objects, one.object_key, facility_code=one.facility_code)
    if arrival.data_set_sha256 != one.data_set_sha256:
        raise CannotUnderstand("The object is not what came any more: the disk has damaged it. Have it sent again.")
    return arrival


async def _decide(
    tx: Transaction, app: App, actor: Actor, asked: Asked, decided: Decided, alike: Sequence[Held],
    arrivals: Sequence[Arrival],
) -> bytes:  # fmt: skip
    first = alike[0]
    uids = await _studies(tx, actor, decided, first)
    also = [key for arrival in arrivals[:1] for key in _said(app, arrival).demographics.lock_keys]
    found = {study.study_instance_uid: study for study in await studies.lock_by_uid(tx, uids, also)}
    ids = [one.id for one in alike]
    if await queries.lock_open(tx, ids) != len(ids):
        raise Conflict("Somebody else decided about some of it. Look again.")
    repair = await journal.begin(tx, app, actor, Kind.DECIDE, asked, first.facility_code, uids)
    await keep(tx, repair.id, QUARANTINE, ids)
    place = await _do(tx, app, actor, repair, asked, decided, alike, arrivals, found.get(uids[-1]))
    await queries.resolve(tx, ids, resolution=_RESOLUTIONS[decided.decision], actor=actor.id, at=app.clock.now())
    if place is not None:
        await _settle(tx, app, actor, place, len(arrivals), asked)
        uids = list(dict.fromkeys([*uids, place.uid]))
    detail = {"decision": decided.decision, "reason": first.reason, "objects": len(ids)}
    return await journal.end(tx, app, actor, repair, uids=uids, detail=detail)


async def _studies(tx: Transaction, actor: Actor, decided: Decided, first: Held) -> list[str]:
    """The UID that the objects name, and behind it that of the study to which they are attached."""
    if decided.study is None:
        return [first.study_instance_uid]
    study_id = await read.resolve(tx, decided.study, visible_to=actor.beyond_reading)
    return list(dict.fromkeys([first.study_instance_uid, await studies.uid_of(tx, study_id)]))


async def _do(
    tx: Transaction, app: App, actor: Actor, repair: Repair, asked: Asked, decided: Decided, alike: Sequence[Held],
    arrivals: Sequence[Arrival], study: HeldStudy | None,
) -> Place | None:  # fmt: skip
    match decided.decision:
        case Decision.ATTACH:
            if study is None:
                raise Conflict("There is no study of this UID yet. Name the study to which it shall be attached.")
            if study.facility_code != repair.facility_code:
                raise Conflict("The study is of another facility.")
            place = await placing.in_study(tx, app, repair, study, arrivals)
            await placing.become_instances(tx, app, repair, place, arrivals)
            return place
        case Decision.SPLIT:
            place = await placing.in_new_study(tx, app, repair, arrivals)
            await placing.become_instances(tx, app, repair, place, arrivals)
            return place
        case Decision.TAKE:
            await _take(tx, app, actor, repair, alike, arrivals)
        case Decision.DISCARD:
            await _discard(tx, app, actor, repair, asked, decided, alike)
        case _:
            pass
    return None


async def _take(
    tx: Transaction, app: App, actor: Actor, repair: Repair, alike: Sequence[Held], arrivals: Sequence[Arrival]
) -> None:
    """The new objects are served under their UIDs; those that were served are kept as decided about."""
    for one, arrival in zip(alike, arrivals, strict=True):
        place = await queries.place_of(tx, one.sop_instance_uid)
        if place != (one.study_instance_uid, one.series_instance_uid):
            raise Conflict("The stored object is of another study or series. Split the new one off instead.")
        await keep(tx, repair.id, INSTANCES, [one.sop_instance_uid])
        replaced = uuid7()
        if await queries.hold_replaced(tx, replaced, one.sop_instance_uid, actor=actor.id, at=app.clock.now()):
            await note_made(tx, repair.id, QUARANTINE, [replaced])
        await queries.take_instead(tx, instance_row(uuid7(), uuid7(), arrival))
    await studies.count_anew(tx, [alike[0].study_instance_uid])


async def _discard(
    tx: Transaction, app: App, actor: Actor, repair: Repair, asked: Asked, decided: Decided, alike: Sequence[Held]
) -> None:
    """Discarded objects are rejected: they are refused when they come again (2.8)."""
    if await queries.are_served(tx, [one.id for one in alike]):
        raise Conflict("The index has some of it by now, and it is served. Try it again instead.")
    rejected = Rejection(
        uuid7(), alike[0].study_instance_uid, alike[0].facility_code, Title.WORKLIST_ENTRY, decided.category,
        asked.reason, actor.id, tuple(dict.fromkeys(one.sop_instance_uid for one in alike)),
    )  # fmt: skip
    for statement in (rejection.INSERT, rejection.INSERT_REFERENCES):
        await tx.run(statement, **rejection.parameters(rejected, app.clock.now()))
    await note_rejection(tx, repair.id, rejected.id)


async def _settle(tx: Transaction, app: App, actor: Actor, place: Place, count: int, asked: Asked) -> None:
    await studies.count_anew(tx, [place.uid])
    had_images = place.held is not None and place.held.number_of_instances > 0
    status = place.status if had_images else "in-progress"
    await copy_queries.receive(tx, place.id, status=status, at=app.clock.now())
    if status != place.status:
        await write.record_transition(
            tx, place.id, from_status=place.status, to_status=status, trigger="repair", actor=actor.id,
            reason=asked.reason,
        )  # fmt: skip
    await label(tx, actor, [place.id], cause="repaired", reason=asked.reason)
    facility_code = place.held.facility_code if place.held else await studies.facility_of(tx, place.id)
    await move.tell(tx, facility_code, place, count)


def _said(app: App, arrival: Arrival) -> StudyFacts:
    return StudyFacts(arrival.header, arrival.source.facility_code, app.settings.zone)
