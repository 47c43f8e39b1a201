"""Read what is stored, and compare it with what was stored: by night, at a bounded rate, again and again."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from radiology.access.model import SYSTEM, Role
from radiology.access.queries import who_are
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Unavailable
from radiology.events import ObjectDamaged, emit
from radiology.external.notifications import inbox
from radiology.external.notifications.model import Message
from radiology.kit import metrics
from radiology.kit.bandwidth import Bandwidth
from radiology.kit.clock import monotonic_seconds
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.kit.log import get_logger
from radiology.retention import object_queries as queries
from radiology.studies.integrity import Problem, StoredBytes, problem_of

AT_ONCE: Final = 50
PASS_SECONDS: Final = 50.0
INTACT: Final = "intact"
TOLD_EVERY: Final = timedelta(hours=6)
"""A disk that fails damages many objects: people are told once in a while, and find the rest in the list."""

log = get_logger()


@dataclass(slots=True)
class Tally:
    """What was looked at."""

    objects: int = 0
    size_bytes: int = 0
    damaged: int = 0


async def verify_due(app: App, *, seconds: float = PASS_SECONDS) -> int:
    """Go on where the last time ended, for so long, where it is the time of day for it. Returns how many objects."""
    rate = app.settings.verification_mib_per_second
    if not rate or not is_hour(app.settings.verification_hours, app.clock.now().astimezone(app.settings.zone)):
        return 0
    ends_at, tally = monotonic_seconds() + seconds, Tally()
    bandwidth = Bandwidth(rate * 1024, now=monotonic_seconds())
    while monotonic_seconds() < ends_at and await _step(app, bandwidth, tally):
        pass
    if tally.damaged:
        log.error("objects.damaged", count=tally.damaged)
    return tally.objects


async def _step(app: App, bandwidth: Bandwidth, tally: Tally) -> bool:
    """The next objects of the pass that goes on; False where none is due, or it is at its end."""
    now = app.clock.now()
    async with app.db.transaction() as tx:
        going = await queries.open_pass(tx)
        if going is None:
            began = await queries.last_began(tx)
            if began is not None and now < began + timedelta(days=app.settings.verification_every_days):
                return False
            await queries.begin_pass(tx, uuid7(), at=now)
            return True
        found = await queries.next_objects(tx, after=going.last_key, limit=AT_ONCE)
        if not found:
            await queries.end_pass(tx, going, at=now)
            return False
    looked = await look_at(app, found, bandwidth=bandwidth)
    async with app.db.transaction() as tx:
        await queries.note_progress(
            tx, going.id, last_key=found[-1].object_key, objects=looked.objects, size_bytes=looked.size_bytes,
            damaged=looked.damaged,
        )  # fmt: skip
    tally.objects += looked.objects
    tally.size_bytes += looked.size_bytes
    tally.damaged += looked.damaged
    return True


async def verify(app: App, study_id: UUID | None, *, on_progress: Callable[[Tally], None] = lambda _: None) -> Tally:
    """Look at all objects now, or at those of a study, as fast as the disk allows. Told after each few."""
    tally, after = Tally(), ""
    while True:
        async with app.db.transaction() as tx:
            if study_id is not None:
                found = await queries.objects_of(tx, study_id)
            else:
                found = await queries.next_objects(tx, after=after, limit=AT_ONCE)
        for start in range(0, len(found), AT_ONCE):
            looked = await look_at(app, found[start : start + AT_ONCE])
            tally.objects += looked.objects
            tally.size_bytes += looked.size_bytes
            tally.damaged += looked.damaged
            on_progress(tally)
        if study_id is not None or not found:
            return tally
        after = found[-1].object_key


async def look_at(app: App, found: Sequence[StoredBytes], *, bandwidth: Bandwidth | None = None) -> Tally:
    """Compare objects with what was stored, and keep what was found. Raises Unavailable where nothing is there."""
    problems = await asyncio.to_thread(_problems, app, found, bandwidth)
    if set(problems) == {Problem.MISSING} and await asyncio.to_thread(_is_empty, app):
        raise Unavailable(f"There is no object at all in {app.objects.root}. Is its disk there?")
    sound = [(each.object_key, INTACT) for each, problem in zip(found, problems, strict=True) if problem is None]
    async with app.db.transaction() as tx:
        await queries.note_verified(tx, sound, at=app.clock.now())
    metrics.verified_objects(INTACT).inc(len(sound))
    damaged = [
        await _found(app, each.object_key) for each, problem in zip(found, problems, strict=True) if problem is not None
    ]
    return Tally(len(found), sum(each.size_bytes for each in found), sum(damaged))


def _is_empty(app: App) -> bool:
    """A disk that is not mounted is not the loss of every object on it."""
    return next(app.objects.keys(), None) is None


def _problems(app: App, found: Sequence[StoredBytes], bandwidth: Bandwidth | None) -> list[Problem | None]:
    def on_bytes(size_bytes: int) -> None:
        if bandwidth is not None:
            time.sleep(bandwidth.pause_seconds(size_bytes, now=monotonic_seconds()))

    return [problem_of(app.objects, each, on_bytes=on_bytes) for each in found]


async def _found(app: App, object_key: str) -> bool:
    """Look a second time, since it may have been replaced meanwhile; then keep it, tell it, and take it out of the way.

    A damaged object is not given to anybody any more: it lies in `damaged` below the data folder.
    """
    async with app.db.transaction() as tx:
        again = await queries.known_again(tx, object_key)
        problem = None if again is None else await asyncio.to_thread(problem_of, app.objects, again)
        if problem is None:
            return False
        named = await queries.named_by(tx, object_key)
        if named is None:
            return False
        damage_id, now = uuid7(), app.clock.now()
        is_new = await queries.insert_damage(
            tx, id=damage_id, object_key=object_key, named=named, problem=problem, at=now
        )
        if not is_new:
            return False
        await queries.note_verified(tx, [(object_key, problem)], at=now)
        detail = {"object": object_key, "problem": problem}
        await audit.record(tx, SYSTEM, "study.object-damaged", str(named.study_id), detail=detail)
        damaged = ObjectDamaged(
            facility_code=named.facility_code,
            study_id=str(named.study_id),
            study_instance_uid=named.study_instance_uid,
            damage_id=str(damage_id),
            sop_instance_uid=named.sop_instance_uid,
            problem=problem,
        )
        await emit(tx, damaged)
        await tell(tx, _notice(damage_id), facility_code=named.facility_code, now=now)
    metrics.verified_objects(problem).inc()
    log.error("object.damaged", object_id=object_key, reason=problem, sop_instance_uid=named.sop_instance_uid)
    await asyncio.to_thread(set_aside, app, object_key)
    return True


def set_aside(app: App, object_key: str) -> None:
    """Take a damaged object out of the store, and keep it. That it is gone already is no error."""
    folder = app.settings.data_dir / "damaged"
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        app.objects.path(object_key).rename(folder / object_key.replace("/", "-"))
    except FileNotFoundError:
        return
    except OSError as error:  # The disk may refuse anything by now.
        log.error("object.not-set-aside", object_id=object_key, exc_info=error)


async def tell(tx: Transaction, message: Message, *, facility_code: str | None, now: datetime) -> None:
    """Tell administrators, unless they were told something of the kind a short time ago."""
    if not await queries.was_told(tx, message.kind, since=now - TOLD_EVERY):
        await inbox.place(tx, await who_are(tx, [Role.ADMINISTRATOR], facility_code), message)


def is_hour(hours: str, local: datetime) -> bool:
    """Whether it is between these hours, as 22-6; the end is not among them, and 0-24 is all day."""
    begin, end = map(int, hours.split("-"))
    return begin <= local.hour < end if begin < end else local.hour >= begin or local.hour < end


def _notice(damage_id: UUID) -> Message:
    return Message(
        "object.damaged",
        "Stored images are damaged / সংরক্ষিত ছবি নষ্ট হয়েছে",
        "Verification found that a stored object is not what was stored. Look at the disk, and at /retention/damaged: "
        "what another archive has is fetched from there by itself.\n"
        "যাচাইয়ে দেখা গেছে একটি সংরক্ষিত ফাইল আগের মতো নেই। ডিস্ক এবং /retention/damaged তালিকাটি দেখুন।",
        f"DamagedObject/{damage_id}",
    )
