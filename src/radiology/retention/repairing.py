"""Repair of damaged objects out of another archive. What comes is taken only where its digest is what was received.

The new object gets a key of its own and is durable before one transaction lets every row name it. What a crash leaves
without a row is found by recovery, is the same instance again, and is deleted by that.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import find_application_entity
from radiology.audit import actions as audit
from radiology.errors import Conflict, RadiologyError
from radiology.events import ObjectRepaired, emit
from radiology.external.notifications.model import Message
from radiology.kit.log import get_logger
from radiology.remotes.archives import remote_archive
from radiology.remotes.model import ForeignInstance, Incoming, Wanted
from radiology.retention import object_queries as queries
from radiology.retention.object_queries import Damage
from radiology.retention.verifying import INTACT, set_aside, tell
from radiology.studies.archive import Archive
from radiology.studies.queries import recompress as objects
from radiology.studies.receive import Arrival, Reception, Source

AT_ONCE: Final = 20
HOURS_BETWEEN_ATTEMPTS: Final = (1, 6, 24)

log = get_logger()


async def repair_due(archive: Archive) -> int:
    """Try to repair what is damaged. Returns how many objects were."""
    app, repaired = archive.app, 0
    async with app.db.transaction() as tx:
        due = await queries.due_damages(tx, now=app.clock.now(), limit=AT_ONCE)
    for damage in due:
        repaired += await _repair(archive, damage)
    return repaired


async def _repair(archive: Archive, damage: Damage) -> bool:
    app = archive.app
    await asyncio.to_thread(set_aside, app, damage.object_key)
    async with app.db.transaction() as tx:
        names = await queries.archives_with(tx, damage)
        entities = [await find_application_entity(tx, name) for name in names]
    sentences: list[str] = []
    for entity in entities:
        if entity is None or not entity.is_callable:
            continue
        try:
            arrival = await asyncio.to_thread(_fetched, archive, entity, damage)
        except RadiologyError as error:
            sentences.append(error.sentence)
            continue
        if arrival is None:
            sentences.append(f"{entity.ae_title} did not give it out as it was received.")
            continue
        await _replace(app, damage, arrival, entity.ae_title)
        return True
    await _not_repaired(app, damage, " ".join(sentences) or "No archive is known that may have a copy.")
    return False


def _fetched(archive: Archive, entity: ApplicationEntity, damage: Damage) -> Arrival | None:
    """The object as an archive gives it out, where that is what was received. Blocks: for a thread."""
    salvage = _Salvage(archive, entity, damage)
    instance = ForeignInstance(damage.series_instance_uid, damage.sop_instance_uid, damage.sop_class_uid)
    wanted = [Wanted(damage.series_instance_uid, [instance])]
    remote_archive(archive.app.settings, entity).retrieve(
        damage.study_instance_uid, wanted, {damage.sop_class_uid}, salvage
    )
    return salvage.sound


@dataclass(slots=True)
class _Salvage:
    """Takes in what comes, and deletes what is not what was received."""

    archive: Archive
    entity: ApplicationEntity
    damage: Damage
    sound: Arrival | None = field(default=None)

    def data_set(self, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> Incoming:
        reception = self.archive.receive_data_set(
            self._source(),
            sop_class_uid=sop_class_uid,
            sop_instance_uid=sop_instance_uid,
            transfer_syntax_uid=transfer_syntax_uid,
        )
        return _SalvagedObject(self, reception)

    def file(self) -> Incoming:
        return _SalvagedObject(self, self.archive.receive_file(self._source()))

    def take(self, arrival: Arrival) -> None:
        """One has come."""
        is_same = (
            arrival.data_set_sha256 == self.damage.data_set_sha256
            and arrival.header.transfer_syntax_uid == self.damage.transfer_syntax_uid
        )
        if is_same and self.sound is None:
            self.sound = arrival
        else:
            self.archive.app.objects.delete(arrival.object_key)

    def _source(self) -> Source:
        return Source(self.damage.facility_code, self.entity.ae_title, actor="repair")


@dataclass(frozen=True, slots=True)
class _SalvagedObject:
    salvage: _Salvage
    reception: Reception

    def write_all(self, fragments: list[memoryview]) -> None:
        self.reception.write_all(fragments)

    def finish(self) -> None:
        self.salvage.take(self.reception.finish())

    def discard(self) -> None:
        self.reception.discard()


async def _replace(app: App, damage: Damage, arrival: Arrival, repaired_from: str) -> None:
    now = app.clock.now()
    async with app.db.transaction() as tx:
        if not await queries.close_damage(tx, damage.id, "repaired", at=now, repaired_from=repaired_from):
            await objects.supersede(tx, arrival.object_key, damage.sop_instance_uid, delete_at=now)
            return
        rows = await queries.replace(tx, damage, arrival)
        await objects.supersede(tx, damage.object_key, damage.sop_instance_uid, delete_at=now)
        if not rows:
            await objects.supersede(tx, arrival.object_key, damage.sop_instance_uid, delete_at=now)
            return
        await queries.note_verified(tx, [(arrival.object_key, INTACT)], at=now)
        detail = {"object": arrival.object_key, "from": repaired_from}
        await audit.record(tx, SYSTEM, "study.object-repaired", str(damage.study_id), detail=detail)
        repaired = ObjectRepaired(
            facility_code=damage.facility_code,
            study_id=str(damage.study_id),
            study_instance_uid=damage.study_instance_uid,
            damage_id=str(damage.id),
            sop_instance_uid=damage.sop_instance_uid,
            repaired_from=repaired_from,
        )
        await emit(tx, repaired)
    log.info("object.repaired", object_id=arrival.object_key, ae_title=repaired_from)


async def _not_repaired(app: App, damage: Damage, sentence: str) -> None:
    now = app.clock.now()
    hours = HOURS_BETWEEN_ATTEMPTS[min(damage.attempts, len(HOURS_BETWEEN_ATTEMPTS) - 1)]
    log.warning("object.not-repaired", object_id=damage.object_key, reason=sentence, attempts=damage.attempts + 1)
    async with app.db.transaction() as tx:
        await queries.try_again(tx, damage.id, sentence=sentence, next_at=now + timedelta(hours=hours), at=now)
        await tell(tx, _notice(damage.id), facility_code=damage.facility_code, now=now)


async def ask(app: App, actor: Actor, damage_id: UUID) -> None:
    """Have an object tried to be repaired at once. Raises NotFound, Conflict where that is over."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        _must_be_open(await queries.lock_damage(tx, damage_id, visible_to=actor))
        now = app.clock.now()
        await queries.try_again(tx, damage_id, sentence="It is tried again.", next_at=now, at=now)
        await audit.record(tx, actor, "retention.repair", str(damage_id))


async def give_up(app: App, actor: Actor, damage_id: UUID, *, reason: str) -> None:
    """Say that there is no copy to repair an object from. Raises NotFound, Conflict where that is over."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        _must_be_open(await queries.lock_damage(tx, damage_id, visible_to=actor))
        await queries.close_damage(tx, damage_id, "lost", at=app.clock.now(), by=actor.id, sentence=reason)
        await audit.record(tx, actor, "retention.lost", str(damage_id))


def _must_be_open(state: str) -> None:
    if state != "open":
        raise Conflict(f"This object is {state} already.")


def _notice(damage_id: UUID) -> Message:
    return Message(
        "object.not-repaired",
        "Damaged images could not be repaired / নষ্ট ছবি মেরামত করা যায়নি",
        "No other archive could give back a damaged object. Look for a backup or for the modality that made it; "
        "/retention/damaged says which objects these are.\n"
        "অন্য কোনো আর্কাইভ থেকে নষ্ট ফাইলটি ফেরত পাওয়া যায়নি। ব্যাকআপ বা মূল যন্ত্রটি দেখুন।",
        f"DamagedObject/{damage_id}",
    )
