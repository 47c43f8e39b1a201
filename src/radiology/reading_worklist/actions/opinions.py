"""Ask another reader for a second opinion; give it, decline it, or withdraw the question. Reading goes on beside it."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotFound, NotPermitted, StaleVersion, Unprocessable
from radiology.events import SecondOpinionChanged, emit
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.kit.steps import follow
from radiology.reading_worklist.actions import people
from radiology.reading_worklist.actions.noting import changed
from radiology.reading_worklist.items import Item
from radiology.reading_worklist.queries import beside, items
from radiology.reading_worklist.queries.beside import Opinion
from radiology.studies.queries import read


class Status(StrEnum):
    """Where a second opinion stands."""

    ASKED = "asked"
    GIVEN = "given"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Verb(StrEnum):
    """What moves it."""

    GIVE = "give"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


TRANSITIONS: Final[Mapping[tuple[Status, Verb], Status]] = {
    (Status.ASKED, Verb.GIVE): Status.GIVEN,
    (Status.ASKED, Verb.DECLINE): Status.DECLINED,
    (Status.ASKED, Verb.WITHDRAW): Status.WITHDRAWN,
}
"""All steps there are: what was given stands."""


async def ask(app: App, actor: Actor, study: str, *, of: str, question: str) -> Opinion:
    """Ask somebody who may read the study, and is told. Raises Unprocessable, Conflict where it is asked already."""
    actor.must(Permission.INTERPRET)
    standing = await people.standing_of(app, of, "of")
    if of == actor.id:
        raise Unprocessable("of is yourself; a second opinion is somebody else's.")
    async with app.db.transaction() as tx:
        item = await seen(tx, actor, study)
        people.must_read(app, standing, item, "of")
        opinion = Opinion(
            uuid7(), item.study_id, item.study_instance_uid, item.facility_code, Status.ASKED, 1, actor.id, of
        )
        await beside.insert_opinion(tx, opinion, at=app.clock.now(), question=question)
        await people.make_reader(tx, of, item.study_id, by=actor)
        await audit.record(tx, actor, "reading.ask-opinion", str(item.study_id), detail={"of": of})
        await _tell(tx, opinion, item)
        await people.tell(
            tx, of, "reading.opinion-asked", "You are asked for a second opinion", "আপনার দ্বিতীয় মতামত চাওয়া হয়েছে",
            item.study_instance_uid,
        )  # fmt: skip
        return opinion


async def answer(
    app: App, actor: Actor, opinion_id: UUID, verb: Verb, *, text: str | None, version: int | None = None
) -> Opinion:
    """Give or decline an opinion, by who is asked; or withdraw the question, by who asked.

    Raises NotFound, NotPermitted, TransitionRefused, StaleVersion.
    """
    async with app.db.transaction() as tx:
        opinion = await beside.lock_opinion(tx, opinion_id, visible_to=actor)
        if version is not None and version != opinion.version:
            raise StaleVersion(f"The second opinion has version {opinion.version} by now. Read it again.")
        whose = opinion.asked_by if verb == Verb.WITHDRAW else opinion.asked_of
        if actor.id != whose:
            raise NotPermitted("Only who is asked answers, and only who asked withdraws the question.")
        status = follow(TRANSITIONS, Status(opinion.status), verb, of="A second opinion")
        at = None if verb == Verb.WITHDRAW else app.clock.now()
        await beside.save_opinion(tx, opinion.id, status=status, answer=text if at else None, at=at)
        moved = replace(opinion, status=status, version=opinion.version + 1)
        detail = {"opinion": str(opinion.id)}
        await audit.record(tx, actor, f"reading.{verb}-opinion", str(opinion.study_id), detail=detail)
        await _tell(tx, moved, await items.lock_one(tx, opinion.study_id))
        if verb != Verb.WITHDRAW:
            await people.tell(
                tx, opinion.asked_by, f"reading.opinion-{status}", "Your question for a second opinion is answered",
                "আপনার দ্বিতীয় মতামতের অনুরোধের উত্তর এসেছে", opinion.study_instance_uid,
            )  # fmt: skip
        return moved


async def seen(tx: Transaction, actor: Actor, study: str) -> Item:
    """The row of a study that the actor sees in full, also of one that is read. Raises NotFound, SensitiveStudy."""
    study_id = await read.resolve(tx, study, visible_to=actor.beyond_reading)
    item = await items.lock_one(tx, study_id)
    if item is None:
        raise NotFound("The study is not in the reading worklist: its images are not complete, or it is old.")
    return item


async def _tell(tx: Transaction, opinion: Opinion, item: Item | None) -> None:
    told = SecondOpinionChanged(
        facility_code=opinion.facility_code,
        study_id=str(opinion.study_id),
        study_instance_uid=opinion.study_instance_uid,
        opinion_id=str(opinion.id),
        asked_of=opinion.asked_of,
        status=opinion.status,
    )
    await emit(tx, told, *([changed(item, "second-opinion")] if item else []))
