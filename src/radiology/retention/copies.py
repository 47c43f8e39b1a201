"""Whether another archive has a copy: by its storage commitment, or by its bytes. A list of it proves nothing."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from radiology.app import App
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import find_application_entity
from radiology.delivery.commitment.actions import ask_for_commitment, may_be_asked
from radiology.errors import RadiologyError
from radiology.remotes.archives import remote_archive
from radiology.remotes.digesting import Digesting
from radiology.remotes.model import ForeignInstance, Wanted
from radiology.remotes.queries import Digest
from radiology.retention import copy_queries as queries
from radiology.retention.copy_queries import Unproven
from radiology.retention.removal_queries import Item
from radiology.studies.commitment import Reference


class Proof(StrEnum):
    """awaited: the archive was asked, or did not answer. refused: it does not have what is here."""

    PROVEN = "proven"
    AWAITED = "awaited"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Found:
    """What came of asking, and the sentence that says why it is no proof."""

    proof: Proof
    sentence: str = ""


async def prove(app: App, item: Item, *, days: int) -> Found:
    """Whether the archive that is to keep a study has every instance of it. Asks for it where that is not known."""
    name, since = item.kept_elsewhere, app.clock.now() - timedelta(days=days)
    async with app.db.transaction() as tx:
        unproven = await queries.unproven(tx, item.study_id, item.rejection_id, name, since=since)
        if not unproven:
            return Found(Proof.PROVEN)
        entity = await find_application_entity(tx, name)
        by_commitment = await may_be_asked(tx, name)
    if entity is None or not entity.is_callable or entity.ae_title == app.settings.ae_title:
        return Found(Proof.REFUSED, f"{name} is no archive that can be asked.")
    if by_commitment:
        return await _by_commitment(app, item, unproven, since=since)
    return await _by_digest(app, entity, item, unproven)


async def _by_commitment(app: App, item: Item, unproven: list[Unproven], *, since: datetime) -> Found:
    name, now = item.kept_elsewhere, app.clock.now()
    async with app.db.transaction() as tx:
        state = await queries.inquiry_state(tx, item.id, since=since)
        if state is None:
            references = [Reference(each.sop_class_uid, each.sop_instance_uid) for each in unproven]
            await ask_for_commitment(tx, name, references, now=now, cause_id=item.id)
    if state in {None, "open", "asked"}:
        return Found(Proof.AWAITED, f"{name} was asked for storage commitment and has not answered yet.")
    return Found(Proof.REFUSED, f"{name} does not commit to keep {len(unproven)} of the instances.")


async def _by_digest(app: App, entity: ApplicationEntity, item: Item, unproven: list[Unproven]) -> Found:
    """Fetch what is there, and compare: nothing else shows that it can be had."""
    try:
        came = await asyncio.to_thread(_fetched, app, entity, item.study_instance_uid, unproven)
    except RadiologyError as error:
        return Found(Proof.AWAITED, error.sentence)
    here = {Digest(each.sop_instance_uid, each.transfer_syntax_uid, each.data_set_sha256) for each in unproven}
    same = here & came
    async with app.db.transaction() as tx:
        await queries.note_proven(tx, entity.ae_title, same, at=app.clock.now())
    if same == here:
        return Found(Proof.PROVEN)
    lacking = len(here) - len(same)
    return Found(
        Proof.REFUSED, f"{entity.ae_title} did not give out {lacking} of {len(here)} instances as they are here."
    )


def _fetched(app: App, entity: ApplicationEntity, study_instance_uid: str, unproven: list[Unproven]) -> set[Digest]:
    """Digests of what an archive gives out. Blocks: for a thread. Raises PeerFailed."""
    digesting = Digesting()
    classes = {each.sop_class_uid for each in unproven}
    remote_archive(app.settings, entity).retrieve(study_instance_uid, _wanted(unproven), classes, digesting)
    return digesting.digests


def _wanted(unproven: list[Unproven]) -> list[Wanted]:
    def series_of(each: Unproven) -> str:
        return each.series_instance_uid

    return [
        Wanted(uid, [ForeignInstance(uid, each.sop_instance_uid, each.sop_class_uid) for each in of_series])
        for uid, of_series in groupby(sorted(unproven, key=series_of), key=series_of)
    ]
