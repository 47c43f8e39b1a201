"""Two studies of one examination stay as they are, and are read and reported together (2.7)."""

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.errors import Conflict
from radiology.kit.ids import uuid7
from radiology.reconciliation.repairs import journal
from radiology.reconciliation.repairs.model import Asked, Kind
from radiology.reconciliation.repairs.queries import keep
from radiology.reconciliation.repairs.relations import STUDIES
from radiology.reconciliation.studies import queries
from radiology.reconciliation.studies.model import uids_of
from radiology.standards.dicom.identity import REVIEW, identity_score


async def group(app: App, actor: Actor, study: str, asked: Asked, other: str) -> bytes:
    """Let two studies, and those that are grouped with them, be one examination. Returns the repair.

    Raises NotFound, SensitiveStudy, StaleVersion, Conflict where they are of two patients.
    """
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        if done := await journal.repeated(tx, app, actor, asked):
            return done
        held = await queries.lock(tx, study, other, visible_to=actor.beyond_reading)
        if len(held) < 2:
            raise Conflict("That is the same study.")
        first, second = held
        first.must_be_as_read(asked.version)
        second.must_be_as_read(None)
        if first.facility_code != second.facility_code or identity_score(first.identity, second.identity) < REVIEW:
            raise Conflict("The two studies are of different patients or facilities. Move the images, if they are one.")
        group_id = first.study_group_id or second.study_group_id or uuid7()
        joined = {one for one in (first.study_group_id, second.study_group_id) if one is not None}
        uids = dict.fromkeys([*uids_of(held), *[uid for one in joined for uid in await queries.uids_of_group(tx, one)]])
        everyone = await queries.lock_by_uid(tx, list(uids))
        repair = await journal.begin(tx, app, actor, Kind.GROUP, asked, first.facility_code, list(uids))
        await keep(tx, repair.id, STUDIES, [one.id for one in everyone])
        await queries.group(tx, [one.id for one in everyone], group_id)
        return await journal.end(tx, app, actor, repair, detail={"group": str(group_id)})


async def ungroup(app: App, actor: Actor, study: str, asked: Asked) -> bytes:
    """Let a study stand for itself; of two, both do. Returns the repair. Raises NotFound, StaleVersion, Conflict."""
    actor.must(Permission.RECONCILE)
    async with app.db.transaction() as tx:
        if done := await journal.repeated(tx, app, actor, asked):
            return done
        (held,) = await queries.lock(tx, study, visible_to=actor.beyond_reading)
        held.must_be_as_read(asked.version)
        if held.study_group_id is None:
            raise Conflict("The study stands for itself already.")
        together = await queries.lock_by_uid(tx, await queries.uids_of_group(tx, held.study_group_id))
        leaving = together if len(together) <= 2 else [held]
        uids = dict.fromkeys([held.study_instance_uid, *uids_of(leaving)])
        repair = await journal.begin(tx, app, actor, Kind.UNGROUP, asked, held.facility_code, list(uids))
        await keep(tx, repair.id, STUDIES, [one.id for one in leaving])
        await queries.group(tx, [one.id for one in leaving], None)
        return await journal.end(tx, app, actor, repair, detail={"group": str(held.study_group_id)})
