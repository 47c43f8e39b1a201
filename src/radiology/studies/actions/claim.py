"""Claim a study for reading: who is not assigned becomes its reader on purpose, and it is written down."""

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.practitioners import actions as practitioners
from radiology.relations import actions as relations
from radiology.relations.model import Kind
from radiology.studies.queries import read


async def claim_study(app: App, actor: Actor, study: str) -> None:
    """Become the reader of a study of one's facility. Raises NotFound, NotPermitted, SensitiveStudy if forensic."""
    actor.must(Permission.INTERPRET)
    standing = await practitioners.standing_of(app, actor)
    async with app.db.transaction() as tx:
        found = await read.look_up(tx, study, visible_to=actor.beyond_reading)
        if found.is_masked and not found.may_be_opened:
            raise found.refusal(actor)
        facility_code, modalities = await read.place_and_modalities(tx, found.id)
        practitioners.must_interpret(app, standing, facility_code, modalities)
        await audit.record(tx, actor, "study.claim", str(found.id), detail={"masked": found.is_masked})
        await relations.note(tx, actor, Kind.READER, found.id, source="claim")
