"""Make and end links that open one study."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from radiology.access import session_queries, sessions
from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotFound
from radiology.studies.queries import read
from radiology.viewing import queries


@dataclass(frozen=True, slots=True)
class StudyLink:
    """A link as it is given away, this once."""

    id: UUID
    secret: str
    expires_at: datetime


async def make_link(app: App, actor: Actor, study: str, *, hours: int) -> StudyLink:
    """A link by which whoever has it sees this study and nothing else, until its time is over."""
    actor.must(Permission.WRITE)
    now = app.clock.now()
    expires_at = now + timedelta(hours=hours)
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor.beyond_reading)
        found = await queries.looked_at(tx, study_id)
        link_id, secret = await sessions.make_link(
            tx,
            actor,
            study_instance_uid=found.study_instance_uid,
            facility_code=found.facility_code,
            now=now,
            expires_at=expires_at,
        )
        detail = {"link": str(link_id), "hours": hours}
        await audit.record(tx, actor, "link.make", found.study_instance_uid, detail=detail)
    return StudyLink(link_id, secret, expires_at)


async def end_link(app: App, actor: Actor, study: str, link_id: UUID) -> None:
    """End a link of this study, with all sessions that it began. Raises NotFound."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        found = await queries.looked_at(tx, await read.resolve(tx, study, visible_to=actor.beyond_reading))
        uid = found.study_instance_uid
        if not await session_queries.end_link(tx, link_id, study_instance_uid=uid, now=app.clock.now()):
            raise NotFound("This study has no such link.")
        await audit.record(tx, actor, "link.end", uid, detail={"link": str(link_id)})
